//! Control totals: a bank's node attests its accounts when an epoch ends; a regulator's node checks that they add up.
//!
//! Both follow the chain block by block behind the ordering of blocks, and hold nothing up. What does not add up is an alarm:
//! an error in the log, a line of `counterfoil status`, and a file of evidence under `HOME/alarms`.

mod alarm;

pub use alarm::{AlarmFile, describe};

use crate::{
    home::{Home, Me},
    progress::{bar, say},
    report::is_auditor,
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use counterfoil_crypto::pedersen::Opening;
use counterfoil_ledger::{
    attestation::{Attestation, AttestedAccount, Content},
    block::Decided,
    chain::History,
    epoch::Clock,
    genesis::Consortium,
    transaction::Transaction,
    turnstile::{Alarm, EpochReport, Turnstile},
    view::View,
};
use rand_core::OsRng;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Follows the chain for its member.
pub enum Watcher {
    /// A bank: it reads its accounts.
    Bank(Box<Attester>),
    /// A regulator: it checks what the banks attest.
    Auditor(Box<Turnstile>),
}

impl Watcher {
    /// The watcher of a member, before the first block.
    #[must_use]
    pub fn new(me: &Me) -> Self {
        let (consortium, keys) = (me.consortium.clone(), me.keys.clone());
        if is_auditor(me) {
            return Self::Auditor(Box::new(Turnstile::new(consortium, me.id, keys)));
        }
        let view = View::new(consortium, me.id, keys);
        Self::Bank(Box::new(Attester { view, clock: Clock::default(), ended: None }))
    }

    /// Reads the next block; returns the alarms that it raises.
    ///
    /// # Errors
    /// When a transaction of the log cannot be read.
    pub fn read(&mut self, consortium: &Consortium, decided: &Decided) -> Result<Vec<Alarm>> {
        match self {
            Self::Auditor(turnstile) => Ok(turnstile.read(decided)?),
            Self::Bank(attester) => attester.read(consortium, decided).map(|()| Vec::new()),
        }
    }

    /// The last epoch that has ended, with the accounts of the bank that follows it.
    #[must_use]
    pub fn ended(&self) -> Option<&Ended> {
        match self {
            Self::Bank(attester) => attester.ended.as_ref(),
            Self::Auditor(_) => None,
        }
    }
}

/// An epoch that ended, with a bank's accounts as they stood then.
pub struct Ended {
    /// The epoch.
    pub epoch: u64,
    accounts: Vec<(AttestedAccount, Option<Opening>)>,
}

impl Ended {
    /// The bank's attestation, as a transaction.
    ///
    /// # Errors
    /// When there are more accounts than an attestation holds.
    pub fn attest(&self, me: &Me) -> Result<Vec<u8>> {
        let place = (me.id, self.epoch);
        let content = Content::seal(&me.consortium, &me.keys, place, &self.accounts, &mut OsRng)?;
        Ok(Transaction::Attestation(Box::new(Attestation::sign(content, &me.keys))).to_bytes())
    }

    /// The accounts that the bank cannot open: their servicer blinded a posting otherwise than it should.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.accounts.iter().filter(|(_, opening)| opening.is_none()).count()
    }
}

/// A bank's reading of its own accounts.
pub struct Attester {
    view: View,
    clock: Clock,
    ended: Option<Ended>,
}

impl Attester {
    fn read(&mut self, consortium: &Consortium, decided: &Decided) -> Result<()> {
        let mut booked = false;
        for bytes in decided.applied() {
            if let Some(sealed) = Transaction::batch_of(bytes)? {
                booked = true;
                self.view.read(&sealed);
            }
        }
        if booked && let Some(epoch) = self.clock.tick(consortium.genesis().epoch_blocks) {
            self.ended = Some(Ended { epoch, accounts: self.view.opened_accounts() });
        }
        Ok(())
    }
}

/// What to read.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The regulator's folder.
    #[arg(long)]
    home: PathBuf,
    /// The folder of the chain to read; otherwise that of the regulator's own node.
    #[arg(long)]
    chain: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// An epoch as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The epoch.
    pub epoch: u64,
    /// The height at which it ended.
    pub height: u64,
    /// Who attested.
    pub attested: Vec<String>,
    /// Who can still attest.
    pub waiting: Vec<String>,
    /// Openings that were checked.
    pub openings: u64,
    /// Funded, lent, repaid and interest up to its end, over all servicers and products, in minor units.
    pub flows: [u64; 4],
    /// What does not add up, in words.
    pub alarms: Vec<String>,
}

fn line(consortium: &Consortium, report: &EpochReport) -> Line {
    let name = |bank: &counterfoil_ledger::names::MemberId| consortium.name(*bank).to_owned();
    let waiting = consortium.banks().iter().filter(|bank| report.open && !report.attested.contains(bank));
    let flows = report.flows.values().fold([0u64; 4], |sum, flows| {
        let [a, b, c, d] = sum;
        [
            a.saturating_add(flows.funded),
            b.saturating_add(flows.originated),
            c.saturating_add(flows.repaid),
            d.saturating_add(flows.interest),
        ]
    });
    Line {
        epoch: report.epoch,
        height: report.height,
        attested: report.attested.iter().map(name).collect(),
        waiting: waiting.map(name).collect(),
        openings: report.openings,
        flows,
        alarms: report.alarms.iter().map(|alarm| describe(consortium, alarm)).collect(),
    }
}

/// Reads a chain as a regulator: epoch by epoch, what the banks attested and whether it adds up.
///
/// # Errors
/// When the member is no regulator, or the chain is damaged or not the consortium's.
pub fn read(home: &Home, chain: Option<&Path>, mut progress: impl FnMut(u64, u64)) -> Result<Vec<Line>> {
    let me = home.me()?;
    ensure!(
        is_auditor(&me),
        "{} is a bank; `totals` is read by a regulator, a bank's own accounts by `counterfoil view`",
        me.consortium.name(me.id)
    );
    let chain = chain.map_or_else(|| home.chain(), Path::to_path_buf);
    let mut history = History::open(&chain, me.consortium.clone()).context(
        "there is no chain here yet; run `counterfoil node` first, or name another node's with --chain",
    )?;
    let mut turnstile = Turnstile::new(me.consortium.clone(), me.id, me.keys.clone());
    let last = history.last();
    while let Some(decided) = history.next_block()? {
        turnstile.read(&decided)?;
        progress(decided.block.header.height, last);
    }
    Ok(turnstile.epochs().iter().map(|report| line(&me.consortium, report)).collect())
}

/// The command `counterfoil totals`.
///
/// # Errors
/// As [`read`], and when something does not add up.
pub fn run(options: &Options) -> Result<()> {
    let bar = bar(0, "reading");
    let lines = read(&Home::at(&options.home), options.chain.as_deref(), |height, last| {
        bar.set_length(last);
        bar.set_position(height);
    })?;
    bar.finish_and_clear();
    if options.json {
        say(serde_json::to_string_pretty(&lines)?);
    } else {
        lines.iter().for_each(|line| say(to_text(line)));
        if lines.is_empty() {
            say("no epoch has ended yet");
        }
    }
    ensure!(lines.iter().all(|line| line.alarms.is_empty()), "not everything adds up");
    Ok(())
}

/// A line for people.
#[must_use]
pub fn to_text(line: &Line) -> String {
    let verdict = match (line.alarms.as_slice(), line.waiting.as_slice()) {
        ([], []) => "adds up".to_owned(),
        ([], waiting) => format!("adds up so far; {} can still attest", waiting.join(", ")),
        (alarms, _) => format!("DOES NOT ADD UP: {}", alarms.join("; ")),
    };
    let attested = if line.attested.is_empty() { "nobody".into() } else { line.attested.join(", ") };
    format!(
        "epoch {} (height {}): attested by {attested}; {} openings; {verdict}",
        line.epoch, line.height, line.openings
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_does_not_add_up() {
        let line = Line {
            epoch: 3,
            height: 24,
            attested: vec!["bank-a".into()],
            waiting: vec!["bank-b".into()],
            openings: 5,
            flows: [0; 4],
            alarms: Vec::new(),
        };
        assert!(to_text(&line).ends_with("adds up so far; bank-b can still attest"));
        let wrong = Line { alarms: vec!["it holds 5, the records add up to 4".into()], ..line };
        assert!(to_text(&wrong).contains("DOES NOT ADD UP: it holds 5"));
    }
}

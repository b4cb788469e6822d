//! Proof suites: a bank's vote to retire one, the decree that carries the votes, and the list of what is in force.

use crate::{
    control::{self, Request, Response},
    home::Home,
    progress::say,
};
use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, Subcommand};
use counterfoil_crypto::identity::Signature;
use counterfoil_ledger::{
    batch::SUITES,
    chain::History,
    decree::{Decree, Retirement},
    genesis::Consortium,
    names::MemberId,
    transaction::Transaction,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What to do about proof suites.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign this bank's vote to retire a suite at a height.
    #[command(
        after_help = "Example:\n  counterfoil suite sign --home bank-a --retire 1 --from 5000 --out bank-a.vote\n\nThe vote goes to whoever collects them. It is worth nothing without those of more than two thirds of the banks."
    )]
    Sign(Sign),
    /// Put the votes of more than two thirds of the banks together and hand them to the running node.
    #[command(
        after_help = "Example:\n  counterfoil suite retire --home bank-a --vote bank-a.vote --vote bank-b.vote --vote bank-c.vote\n\nFrom the height that the votes name, batches of the suite are refused by every node. It is not undone or moved."
    )]
    Retire(Retire),
    /// Say which suites are in force, by the member's own chain.
    #[command(after_help = "Example:\n  counterfoil suite list --home bank-a")]
    List(List),
}

/// A vote to be signed.
#[derive(Debug, Args)]
pub struct Sign {
    /// The bank's folder.
    #[arg(long)]
    home: PathBuf,
    /// The suite to retire.
    #[arg(long, value_name = "SUITE")]
    retire: u8,
    /// The first height at which its batches are refused.
    #[arg(long, value_name = "HEIGHT")]
    from: u64,
    /// Where to write the vote.
    #[arg(long)]
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A decree to be submitted.
#[derive(Debug, Args)]
pub struct Retire {
    /// The folder of a bank whose node runs.
    #[arg(long)]
    home: PathBuf,
    /// A vote, once per bank.
    #[arg(long = "vote", required = true)]
    votes: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A list of suites.
#[derive(Debug, Args)]
pub struct List {
    /// The member's folder.
    #[arg(long)]
    home: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A vote as people pass it on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VoteFile {
    consortium: String,
    bank: String,
    retire: u8,
    from: u64,
    signature: String,
}

impl VoteFile {
    /// The vote, checked: so a wrong file is named here, and not refused by the nodes without a name.
    fn check(&self, consortium: &Consortium) -> Result<(Retirement, MemberId, Signature)> {
        ensure!(self.consortium == hex::encode(consortium.id()), "it is a vote in another consortium");
        let named = consortium.member_named(&self.bank);
        let bank = named.with_context(|| format!("no member is called {}", self.bank))?;
        let mut bytes = [0; 64];
        hex::decode_to_slice(&self.signature, &mut bytes).context("its signature is not 64 bytes in hex")?;
        let retirement = Retirement { consortium: consortium.id(), suite: self.retire, from: self.from };
        let signature = Signature::from_bytes(bytes);
        retirement.check(consortium, bank, &signature)?;
        Ok((retirement, bank, signature))
    }
}

/// Runs a command.
///
/// # Errors
/// What went wrong, with which file, and what to do.
pub async fn run(command: &Command) -> Result<()> {
    match command {
        Command::Sign(options) => sign(options),
        Command::Retire(options) => retire(options).await,
        Command::List(options) => list(options),
    }
}

fn sign(options: &Sign) -> Result<()> {
    let me = Home::at(&options.home).me()?;
    let name = me.consortium.name(me.id);
    ensure!(me.consortium.bank_index(me.id).is_some(), "{name} is no bank and has no vote");
    known(options.retire)?;
    let retirement = Retirement { consortium: me.consortium.id(), suite: options.retire, from: options.from };
    let file = VoteFile {
        consortium: hex::encode(me.consortium.id()),
        bank: name.into(),
        retire: options.retire,
        from: options.from,
        signature: hex::encode(retirement.vote(&me.keys).as_bytes()),
    };
    let text = toml::to_string(&file)?;
    std::fs::write(&options.out, text).with_context(|| format!("cannot write {}", options.out.display()))?;
    if options.json {
        return print(
            &serde_json::json!({ "vote": options.out, "retire": options.retire, "from": options.from }),
        );
    }
    say(format!("{name} votes to retire suite {} from height {}", options.retire, options.from));
    say(format!("Give {} to whoever collects the votes.", options.out.display()));
    Ok(())
}

fn known(suite: u8) -> Result<()> {
    let all = SUITES.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    ensure!(SUITES.contains(&suite), "suite {suite} is not known; this program knows {all}");
    Ok(())
}

async fn retire(options: &Retire) -> Result<()> {
    let home = Home::at(&options.home);
    let consortium = home.consortium()?;
    let mut decree: Option<Decree> = None;
    for path in &options.votes {
        let named = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(named)?;
        let file: VoteFile = toml::from_str(&text).with_context(named)?;
        let (retirement, bank, signature) = file.check(&consortium).with_context(named)?;
        let decree = decree.get_or_insert(Decree { retirement, votes: Vec::new() });
        ensure!(decree.retirement == retirement, "{}: it votes for another suite or height", path.display());
        ensure!(
            !decree.votes.iter().any(|vote| vote.0 == bank),
            "{}: {} voted twice",
            path.display(),
            file.bank
        );
        decree.votes.push((bank, signature));
    }
    let mut decree = decree.context("a decree needs votes")?;
    decree.votes.sort_unstable();
    let (suite, from) = (decree.retirement.suite, decree.retirement.from);
    let request = Request::Submit(Transaction::Decree(decree).to_bytes());
    match control::ask(&home.socket(), &request).await? {
        Response::Booked { height } if options.json => {
            print(&serde_json::json!({ "retired": suite, "from": from, "height": height }))
        }
        Response::Booked { height } => {
            say(format!("booked at height {height}: suite {suite} is retired from height {from}"));
            Ok(())
        }
        Response::Refused { reason, .. } => bail!("refused: {reason}"),
        _ => bail!(
            "the node stopped before it was decided; look with `counterfoil suite list`, then try again"
        ),
    }
}

fn list(options: &List) -> Result<()> {
    let home = Home::at(&options.home);
    let mut history = History::open(&home.chain(), home.me()?.consortium)
        .context("there is no chain here yet; run `counterfoil node` first")?;
    while history.next_block()?.is_some() {}
    let (book, height) = (history.book(), history.height()?);
    let mut rows = Vec::new();
    for suite in SUITES {
        rows.push((*suite, book.retired_from(*suite)?));
    }
    if options.json {
        let row =
            |(suite, from): &(u8, Option<u64>)| serde_json::json!({ "suite": suite, "retired_from": from });
        let rows: Vec<_> = rows.iter().map(row).collect();
        return print(&serde_json::json!({ "height": height, "suites": rows }));
    }
    for (suite, from) in rows {
        say(match from {
            None => format!("suite {suite}: in force"),
            Some(from) if from > height => {
                format!("suite {suite}: in force until height {from}, then retired")
            }
            Some(from) => format!("suite {suite}: retired since height {from}"),
        });
    }
    Ok(())
}

fn print(value: &serde_json::Value) -> Result<()> {
    say(serde_json::to_string_pretty(value)?);
    Ok(())
}

//! What a member reads from its own node's chain: its loans, its accounts, and whether everything agrees.

use crate::home::{Home, Me};
use anyhow::{Context as _, Result};
use counterfoil_ledger::{
    chain::History,
    genesis::{Consortium, Role},
    names::{AccountKind, MemberId, ProductId},
    transaction::Transaction,
    view::{Finding, View},
};
use counterfoil_policy::format_grouped;
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write as _, path::Path};

/// Totals of one bank with one servicer in one product, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Loans in which the bank has a part.
    pub loans: u64,
    /// Principal funded, ever.
    pub lent: u64,
    /// Principal outstanding, late or not.
    pub outstanding: u64,
    /// What of it is of loans that are late.
    pub overdue: u64,
    /// Interest received, or added to the principal, ever.
    pub interest: u64,
    /// Fees and penalties received, ever.
    pub fees: u64,
    /// Written off, ever.
    pub losses: u64,
    /// Received beside repayments, ever.
    pub recoveries: u64,
    /// What that cost, ever.
    pub costs: u64,
    /// Available for draw-downs.
    pub reserve: u64,
    /// Paid in, not yet taken up.
    pub incoming: u64,
    /// Paid in, ever.
    pub settlement: u64,
    /// Taken back out, ever.
    pub released: u64,
}

impl Totals {
    /// Whether debits and credits agree.
    fn balanced(&self) -> bool {
        let sum = |amounts: &[u64]| amounts.iter().map(|amount| u128::from(*amount)).sum::<u128>();
        let debits = [self.incoming, self.reserve, self.outstanding, self.losses, self.costs, self.released];
        sum(&debits) == sum(&[self.settlement, self.interest, self.fees, self.recoveries])
    }
}

/// A line of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The servicer.
    pub servicer: String,
    /// The product.
    pub product: String,
    /// The bank.
    pub bank: String,
    /// Its currency.
    pub currency: String,
    /// Digits after the point.
    pub exponent: u8,
    /// The totals.
    #[serde(flatten)]
    pub totals: Totals,
    /// Whether debits and credits of the bank's accounts agree.
    pub balanced: bool,
}

/// One part of one loan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoanLine {
    /// The loan's id on the ledger.
    pub id: String,
    /// The servicer's number, where the reader may know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Its terms, where the reader may know them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// The bank whose part it is.
    pub bank: String,
    /// Digits after the point of the amounts.
    pub exponent: u8,
    /// Its share in the product's units.
    pub share: u64,
    /// Principal funded.
    pub lent: u64,
    /// Principal outstanding.
    pub outstanding: u64,
    /// Interest received.
    pub interest: u64,
    /// Fees and penalties received.
    pub fees: u64,
    /// Added to the principal without money.
    pub capitalised: u64,
    /// Written off.
    pub written_off: u64,
    /// Received beside repayments.
    pub proceeds: u64,
    /// What that cost.
    pub costs: u64,
}

/// What a member reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Who reads.
    pub member: String,
    /// Height of the chain that was read.
    pub height: u64,
    /// State root at that height.
    pub state: String,
    /// Batches looked at.
    pub batches: u64,
    /// Openings that were compared with commitments.
    pub openings: u64,
    /// Sections that are not for this reader.
    pub closed: u64,
    /// Loans of which at least one part can be read.
    pub loans: u64,
    /// One line per bank, servicer and product that can be read.
    pub lines: Vec<Line>,
    /// What does not agree, in words. Empty: every number above was verified.
    pub findings: Vec<String>,
    /// The loans part by part, when asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<LoanLine>,
}

/// Reads a chain with a member's keys: its own node's, or the one in another folder.
///
/// # Errors
/// When the folder is incomplete, or the chain damaged or not the consortium's.
pub fn read(
    home: &Home,
    chain: Option<&Path>,
    details: bool,
    mut progress: impl FnMut(u64, u64),
) -> Result<Report> {
    let me = home.me()?;
    let chain = chain.map_or_else(|| home.chain(), Path::to_path_buf);
    let mut history = History::open(&chain, me.consortium.clone()).context(
        "there is no chain here yet; run `counterfoil node` first, or name another node's with --chain",
    )?;
    let mut view = View::new(me.consortium.clone(), me.id, me.keys.clone());
    let (last, mut state) = (history.last(), [0; 32]);
    while let Some(decided) = history.next_block()? {
        for bytes in decided.applied() {
            Transaction::batch_of(bytes)?.iter().for_each(|sealed| view.read(sealed));
        }
        state = decided.block.header.state;
        progress(decided.block.header.height, last);
    }
    view.reconcile(&history.book())?;
    let mut report = report(&me, &view, details);
    report.height = history.height()?;
    report.state = hex::encode(state);
    Ok(report)
}

fn report(me: &Me, view: &View, details: bool) -> Report {
    let consortium = &me.consortium;
    Report {
        member: consortium.name(me.id).into(),
        height: 0,
        state: String::new(),
        batches: view.batches,
        openings: view.openings,
        closed: view.closed,
        loans: u64::try_from(view.loans.len()).unwrap_or(u64::MAX),
        lines: lines(consortium, view),
        findings: view.findings.iter().map(|finding| describe(consortium, finding)).collect(),
        parts: if details { parts(consortium, view) } else { Vec::new() },
    }
}

fn lines(consortium: &Consortium, view: &View) -> Vec<Line> {
    let mut all: BTreeMap<(MemberId, ProductId, MemberId), Totals> = BTreeMap::new();
    for ((servicer, product, bank, kind), amount) in &view.totals {
        let totals = all.entry((*servicer, *product, *bank)).or_default();
        match kind {
            AccountKind::Settlement => totals.settlement = *amount,
            AccountKind::Incoming => totals.incoming = *amount,
            AccountKind::Reserve => totals.reserve = *amount,
            AccountKind::Loans => totals.outstanding = totals.outstanding.saturating_add(*amount),
            AccountKind::Overdue30
            | AccountKind::Overdue60
            | AccountKind::Overdue90
            | AccountKind::Overdue180
            | AccountKind::OverdueBeyond => {
                totals.outstanding = totals.outstanding.saturating_add(*amount);
                totals.overdue = totals.overdue.saturating_add(*amount);
            }
            AccountKind::Income => totals.interest = *amount,
            AccountKind::Fees | AccountKind::Penalties => totals.fees = totals.fees.saturating_add(*amount),
            AccountKind::Losses => totals.losses = *amount,
            AccountKind::Recoveries => totals.recoveries = *amount,
            AccountKind::Costs => totals.costs = *amount,
            AccountKind::Released => totals.released = *amount,
        }
    }
    for loan in view.loans.values() {
        for (bank, part) in &loan.parts {
            let place = (loan.servicer, loan.product, *bank);
            if let Some(totals) = all.get_mut(&place).filter(|_| part.share > 0) {
                totals.loans = totals.loans.saturating_add(1);
                totals.lent = totals.lent.saturating_add(part.lent);
            }
        }
    }
    let line = |((servicer, product, bank), totals): ((MemberId, ProductId, MemberId), Totals)| {
        let terms = consortium.terms(product);
        Line {
            servicer: consortium.name(servicer).into(),
            product: terms.map_or("?", |t| t.product.name()).into(),
            bank: consortium.name(bank).into(),
            currency: terms.map_or("?", |t| t.product.currency()).into(),
            exponent: terms.map_or(0, |t| t.product.exponent()),
            balanced: totals.balanced(),
            totals,
        }
    };
    all.into_iter().map(line).collect()
}

fn parts(consortium: &Consortium, view: &View) -> Vec<LoanLine> {
    let line = |id: &counterfoil_ledger::names::LoanId, loan: &counterfoil_ledger::view::LoanView| {
        let (id, loan) = (hex::encode(id.0), loan.clone());
        let owned: Vec<_> =
            loan.parts.iter().filter(|(_, part)| part.share > 0).map(|(b, p)| (*b, *p)).collect();
        owned.into_iter().map(move |(bank, part)| LoanLine {
            id: id.clone(),
            reference: loan.reference.clone(),
            terms: loan.terms.clone(),
            bank: consortium.name(bank).into(),
            exponent: consortium.terms(loan.product).map_or(0, |terms| terms.product.exponent()),
            share: part.share,
            lent: part.lent,
            outstanding: part.outstanding,
            interest: part.interest,
            fees: part.fees,
            capitalised: part.capitalised,
            written_off: part.written_off,
            proceeds: part.proceeds,
            costs: part.costs,
        })
    };
    view.loans.iter().flat_map(|(id, loan)| line(id, loan)).collect()
}

fn describe(consortium: &Consortium, finding: &Finding) -> String {
    match finding {
        Finding::FalseOpening { servicer, sequence, kind, place } => format!(
            "{} batch {sequence} of {}: section {}/{} does not open what stands on the ledger",
            kind.name(),
            consortium.name(*servicer),
            place.0,
            place.1
        ),
        Finding::Misposted { servicer, sequence, kind, bank, component } => format!(
            "{} batch {sequence} of {}: the {} posting of {} is not the sum of its parts",
            kind.name(),
            consortium.name(*servicer),
            component.name(),
            consortium.name(*bank)
        ),
        Finding::Account { account: (servicer, _, bank, kind), expected, found } => format!(
            "account {} of {} with {}: parts add up to {expected}, the account holds {}",
            kind.name(),
            consortium.name(*bank),
            consortium.name(*servicer),
            found.map_or("something else, further away than is searched".into(), |found| found.to_string())
        ),
    }
}

/// The sum over lines.
#[must_use]
pub fn sum(lines: &[Line]) -> Totals {
    lines.iter().fold(Totals::default(), |sum, Line { totals: t, .. }| Totals {
        loans: sum.loans.saturating_add(t.loans),
        lent: sum.lent.saturating_add(t.lent),
        outstanding: sum.outstanding.saturating_add(t.outstanding),
        overdue: sum.overdue.saturating_add(t.overdue),
        interest: sum.interest.saturating_add(t.interest),
        fees: sum.fees.saturating_add(t.fees),
        losses: sum.losses.saturating_add(t.losses),
        recoveries: sum.recoveries.saturating_add(t.recoveries),
        costs: sum.costs.saturating_add(t.costs),
        released: sum.released.saturating_add(t.released),
        reserve: sum.reserve.saturating_add(t.reserve),
        incoming: sum.incoming.saturating_add(t.incoming),
        settlement: sum.settlement.saturating_add(t.settlement),
    })
}

impl Report {
    /// Whether every number was verified.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.findings.is_empty() && self.lines.iter().all(|line| line.balanced)
    }

    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{} at height {}: {} batches, {} loans readable, {} openings verified, {} sections not for it",
            self.member, self.height, self.batches, self.loans, self.openings, self.closed
        );
        out.push_str(&table(&self.lines, self.lines.len() > 1));
        for finding in &self.findings {
            let _ = writeln!(out, "  DISAGREES: {finding}");
        }
        let moved = |t: &Totals| {
            [t.overdue, t.fees, t.losses, t.recoveries, t.costs, t.released].iter().any(|a| *a > 0)
        };
        for line in self.lines.iter().filter(|line| moved(&line.totals)) {
            let t = &line.totals;
            let [overdue, fees, losses, recoveries, costs, released] =
                [t.overdue, t.fees, t.losses, t.recoveries, t.costs, t.released]
                    .map(|amount| format_grouped(amount, line.exponent));
            let _ = writeln!(
                out,
                "  {}: overdue {overdue}, fees {fees}, written off {losses}, recovered {recoveries} at a cost of {costs}, taken out {released}",
                line.bank
            );
        }
        let verdict = if self.agrees() {
            "every amount opens its commitment, every posting is the sum of its parts, every account its total"
        } else {
            "not everything agrees; the lines above are evidence for a dispute"
        };
        let _ = writeln!(out, "  {} {verdict}", if self.agrees() { "verified:" } else { "NOT VERIFIED:" });
        for part in &self.parts {
            let name = part.reference.as_deref().unwrap_or(&part.id);
            let [lent, outstanding, interest] = [part.lent, part.outstanding, part.interest]
                .map(|amount| format_grouped(amount, part.exponent));
            let _ = writeln!(
                out,
                "  {name}  {}  share {}  lent {lent}  outstanding {outstanding}  interest {interest}",
                part.bank, part.share
            );
        }
        out
    }
}

const COLUMNS: [&str; 7] = ["bank", "loans", "lent", "outstanding", "interest", "reserve", "paid in"];

/// Totals as a table, with a line of sums when asked for.
#[must_use]
pub fn table(lines: &[Line], with_sum: bool) -> String {
    let money = |amount: u64, line: &Line| format_grouped(amount, line.exponent);
    let row = |name: &str, t: &Totals, line: &Line| {
        [
            name.to_owned(),
            t.loans.to_string(),
            money(t.lent, line),
            money(t.outstanding, line),
            money(t.interest, line),
            money(t.reserve.saturating_add(t.incoming), line),
            money(t.settlement, line),
        ]
    };
    let mut rows = vec![COLUMNS.map(String::from)];
    rows.extend(lines.iter().map(|line| row(&line.bank, &line.totals, line)));
    if let (true, Some(first)) = (with_sum, lines.first()) {
        let mut last = row("all", &sum(lines), first);
        if let Some(loans) = last.get_mut(1) {
            *loans = String::new();
        }
        rows.push(last);
    }
    align(&rows)
}

/// Columns side by side, the first to the left, numbers to the right.
fn align(rows: &[[String; 7]]) -> String {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..COLUMNS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        out.push_str("  ");
        for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = if place == 0 { write!(out, "{cell:<width$}") } else { write!(out, "  {cell:>width$}") };
        }
        out.push('\n');
    }
    out
}

/// Whether a member audits rather than lends.
#[must_use]
pub fn is_auditor(me: &Me) -> bool {
    me.consortium.peer(me.id).is_some_and(|peer| peer.member.role == Role::Regulator)
}

//! Reconciliation: a bank's extract from its core banking system against what it can open on the ledger.
//!
//! The extract is streamed. A row whose like stands on the ledger is forgotten at once ([`matching`]); what is left over is
//! paired with what it is most likely meant to be (`pairing`), and each difference gets its likely cause ([`cause`]). The
//! report names the first difference of each loan and groups under it what only follows from it.
//!
//! Reading: [`line`](mod@line), [`date`], [`mapping`], `cells`, [`extract`]. Comparing: [`matching`], `pairing`, [`cause`], `particulars`,
//! `context`, `balance`, `breaks`. What people read: [`report`]. The ledger's side: [`own`], [`export`]. Two banks between
//! themselves: [`digest`]. The command: [`cli`].

pub mod date;
pub mod line;

pub mod mapping;

mod cells;

pub mod extract;

pub mod cause;
pub mod matching;

mod balance;
mod breaks;
mod context;
mod pairing;
mod particulars;

pub mod report;

pub mod digest;
pub mod export;
pub mod own;

pub mod cli;

use cause::Cause;
use date::Day;
use extract::{ExtractError, Sink};
use line::{Line, Names};
use matching::Matcher;
use particulars::Particulars;
use report::Report;
use std::collections::BTreeMap;

/// Which days are compared, the first and the last included, by booking day where a line has one; see `by_value`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    /// The first day.
    pub from: Option<Day>,
    /// The last day.
    pub until: Option<Day>,
    /// Whether booking days are passed over, and value dates count: for a ledger that was filled long after.
    pub by_value: bool,
}

impl Period {
    /// Whether a line lies in the period.
    #[must_use]
    pub fn holds(&self, line: &Line) -> bool {
        let day = line.day();
        self.from.is_none_or(|from| day >= from) && self.until.is_none_or(|until| day <= until)
    }
}

/// Compares the own lines with those that `rows` hands on; returns what differs, aged to `as_of`, or else to the latest
/// day that either side has.
///
/// # Errors
/// What `rows` cannot read, and an extract of which more than [`matching::MAX_LEFT`] rows are not on the ledger.
pub fn reconcile(
    mut own: Vec<Line>,
    names: &mut Names,
    period: Period,
    as_of: Option<Day>,
    rows: impl FnOnce(&mut Names, Sink<'_>) -> Result<u64, ExtractError>,
) -> Result<Report, ExtractError> {
    let dated = |line: Line| Line { booked: line.booked.filter(|_| !period.by_value), ..line };
    own.iter_mut().for_each(|line| *line = dated(*line));
    own.retain(|line| period.holds(line));
    let mut matcher = Matcher::new(own);
    let mut particulars = Particulars::default();
    let mut days: BTreeMap<Day, u64> = BTreeMap::new();
    rows(names, &mut |row| {
        let row = dated(row);
        if !period.holds(&row) {
            return Ok(());
        }
        let count = days.entry(row.day()).or_default();
        *count = count.saturating_add(1);
        if let Some(own) = matcher.take(row).map_err(|error| error.to_string())? {
            particulars.note(Some(own), &row);
        }
        Ok(())
    })?;
    matcher.settle().iter().for_each(|(own, row)| particulars.note(Some(own), row));
    let pairs = pairing::pairs(&mut matcher);
    for (own, row) in pairs.iter().filter_map(|pair| pair.own.as_ref().zip(pair.row.as_ref())) {
        if own.loan == row.loan {
            particulars.note(Some(own), row);
        }
    }
    let others: Vec<(Cause, pairing::Pair, String)> = particulars.breaks(names);
    let last = matcher.own().iter().map(Line::day).chain(days.keys().copied()).max();
    let breaks = breaks::of_pairs(pairs, others, &matcher, &days, names);
    let (as_of, count) = (as_of.or(last), days.values().sum());
    Ok(Report::new(&breaks, names, as_of, report::Counts::of(&matcher, count)))
}

#[cfg(test)]
mod laws;

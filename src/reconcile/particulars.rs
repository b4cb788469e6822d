//! What moves no amount: the account that a loan is settled to, and the customer it belongs to.
//!
//! Where the ledger's line says them, it is compared with the row. Elsewhere a loan's rows are compared with one another:
//! what most of them say is the rule, what another one says is a break, named by its first row.

use super::{
    cause::Cause,
    date::Day,
    line::{Component, Event, Line, Name, Names},
    pairing::Pair,
};
use std::collections::BTreeMap;

/// How many values of one loan are told apart: a loan with more is broken anyway.
const MAX_VALUES: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Seen {
    value: Name,
    /// What the ledger says instead, where it says something.
    expected: Option<Name>,
    count: u64,
    own: Option<Line>,
    row: Line,
}

/// What comes first in a loan, in whatever order a file has it.
fn place(row: &Line) -> (Day, Event, Component, u64) {
    (row.value, row.event, row.component, row.row)
}

/// What the rows say, loan by loan.
#[derive(Clone, Debug, Default)]
pub(super) struct Particulars {
    seen: BTreeMap<(Name, Cause), Vec<Seen>>,
}

impl Particulars {
    /// Notes a row and its like on the ledger.
    pub(super) fn note(&mut self, own: Option<&Line>, row: &Line) {
        for (cause, value, expected) in [
            (Cause::Account, row.account, own.and_then(|own| own.account)),
            (Cause::Customer, row.customer, own.and_then(|own| own.customer)),
        ] {
            let Some(value) = value else { continue };
            let all = self.seen.entry((row.loan, cause)).or_default();
            let full = all.len() >= MAX_VALUES;
            match all.iter_mut().find(|seen| (seen.value, seen.expected) == (value, expected)) {
                Some(seen) => {
                    seen.count = seen.count.saturating_add(1);
                    if place(row) < place(&seen.row) {
                        (seen.own, seen.row) = (own.copied(), *row);
                    }
                }
                None if full => {}
                None => all.push(Seen { value, expected, count: 1, own: own.copied(), row: *row }),
            }
        }
    }

    /// The first row of each value that is another than the rule, with what it was seen by.
    pub(super) fn breaks(&self, names: &Names) -> Vec<(Cause, Pair, String)> {
        let mut breaks = Vec::new();
        for ((_, cause), all) in &self.seen {
            let by_count =
                |a: &&Seen, b: &&Seen| a.count.cmp(&b.count).then(place(&b.row).cmp(&place(&a.row)));
            let rule = all.iter().max_by(by_count).map(|seen| seen.value);
            for seen in all {
                let Some(expected) = seen.expected.or(rule).filter(|expected| *expected != seen.value) else {
                    continue;
                };
                let (is, was) = (names.text(seen.value), names.text(expected));
                let rows = seen.count;
                let note = format!("{is} in place of {was}, in {rows} rows");
                breaks.push((*cause, Pair { own: seen.own, row: Some(seen.row), twin: None }, note));
            }
        }
        breaks
    }
}

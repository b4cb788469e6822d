//! From pairs to breaks, in the order in which people read them: by loan, value date, event, component.

#![allow(clippy::arithmetic_side_effects, reason = "sums of at most 2^33 signed 64-bit amounts, in 128 bits")]

use super::{
    balance,
    cause::{self, Cause},
    context,
    date::Day,
    line::{Component, Event, Line, Names, Side},
    matching::Matcher,
    pairing::Pair,
};
use std::collections::BTreeMap;

/// A difference between the books.
#[derive(Clone, Debug)]
pub(super) struct Break {
    pub(super) cause: Cause,
    pub(super) pair: Pair,
    /// What the cause was seen by.
    pub(super) note: String,
    /// The place of the break from which this one follows.
    pub(super) follows: Option<usize>,
    /// What the ledger and the extract have of this component of the loan after that day.
    pub(super) balances: (i128, i128),
}

impl Break {
    /// The line by which the break is placed.
    pub(super) fn line(&self) -> Option<&Line> {
        self.pair.line()
    }

    /// What the extract has more than the ledger, debits up.
    pub(super) fn difference(&self) -> i128 {
        if self.moves_nothing() {
            return 0;
        }
        signed(self.pair.row.as_ref()) - signed(self.pair.own.as_ref())
    }

    /// Whether the books differ in words alone.
    pub(super) fn moves_nothing(&self) -> bool {
        matches!(self.cause, Cause::Account | Cause::Customer)
    }

    /// The line that only one side has, unless it is there twice.
    pub(super) fn single(&self) -> Option<&Line> {
        match (&self.pair.own, &self.pair.row) {
            (Some(line), None) | (None, Some(line)) if self.pair.twin.is_none() => Some(line),
            _ => None,
        }
    }

    /// Whether only the extract has it.
    pub(super) fn is_row(&self) -> bool {
        self.pair.own.is_none()
    }
}

fn signed(line: Option<&Line>) -> i128 {
    line.map_or(0, Line::signed)
}

/// Gives every pair its cause, and puts the breaks in order: by loan, value date, event, component.
pub(super) fn of_pairs(
    pairs: Vec<Pair>,
    others: Vec<(Cause, Pair, String)>,
    matcher: &Matcher,
    days: &BTreeMap<Day, u64>,
    names: &Names,
) -> Vec<Break> {
    let mut breaks: Vec<_> = pairs.into_iter().map(|pair| first_guess(pair, names)).collect();
    let new = |(cause, pair, note)| Break { cause, pair, note, follows: None, balances: (0, 0) };
    breaks.extend(others.into_iter().map(new));
    breaks.sort_by_cached_key(|found| order(found, names));
    context::reversals(&mut breaks, matcher);
    context::day_cuts(&mut breaks, matcher, days);
    context::splits(&mut breaks);
    context::files_twice(&mut breaks, days);
    balance::balances(&mut breaks, matcher);
    balance::followers(&mut breaks);
    breaks
}

fn first_guess(pair: Pair, names: &Names) -> Break {
    let (cause, note) = match (&pair.own, &pair.row) {
        (Some(own), Some(row)) => cause::of_pair(own, row, names),
        (Some(_), None) => (cause::of_single(&pair), alone(&pair, "not in the extract")),
        _ => (cause::of_single(&pair), alone(&pair, "not on the ledger")),
    };
    Break { cause, pair, note, follows: None, balances: (0, 0) }
}

fn alone(pair: &Pair, absent: &str) -> String {
    pair.twin.map_or(absent.into(), |line| format!("like line {line} of the ledger, once too often"))
}

type Order = (String, Option<(Day, Event, Component, Side, u64, bool, u64)>, Cause);

fn order(found: &Break, names: &Names) -> Order {
    let line = found.line();
    let place = line.map(|l| (l.value, l.event, l.component, l.side, l.amount, found.is_row(), l.row));
    (line.map(|line| names.text(line.loan).to_owned()).unwrap_or_default(), place, found.cause)
}

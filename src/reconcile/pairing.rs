//! What is left over on both sides, paired with what it is most likely meant to be: nearest first.
//!
//! A list of rules in order of precedence. Each puts lines that share a key into one group, and pairs within the group what
//! lies nearest. Groups that are too large to compare everything with everything are walked along once instead, so that
//! a hostile file costs no more than sorting it.

use super::{
    cause::{CENTS, is_scaled, window},
    line::{Event, Line, Name},
    matching::Matcher,
};
use std::collections::BTreeMap;

/// Days by which two books that cut the day elsewhere may differ.
pub(super) const NEAR_DAYS: u64 = 5;
/// Largest group in which everything is compared with everything, in pairs.
const MAX_PAIRS: usize = 4096;

/// A difference before it has a cause: an own line, a row, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) own: Option<Line>,
    pub(super) row: Option<Line>,
    /// Of a line that only one side has, but has twice: the number of the ledger's line that it is like.
    pub(super) twin: Option<u64>,
}

impl Pair {
    /// The line by which it is placed: the ledger's where it is there.
    pub(super) fn line(&self) -> Option<&Line> {
        self.own.as_ref().or(self.row.as_ref())
    }
}

/// What is left over on both sides, and the pairs so far.
struct Rest {
    own: Vec<Line>,
    rows: Vec<Line>,
    pairs: Vec<Pair>,
}

/// Pairs what is left over.
pub(super) fn pairs(matcher: &mut Matcher) -> Vec<Pair> {
    let own = matcher.free_places().iter().filter_map(|place| matcher.own().get(*place)).copied().collect();
    let rows = matcher.take_left();
    let mut rest = Rest { own, rows, pairs: Vec::new() };
    rest.join(|line| line.key.map(|key| (key, line.component)), |own, row| Some(distance(own, row)));
    rest.join(|line| Some(line.like()), |own, row| Some(days(own, row)));
    rest.doubles_of_rows(matcher);
    let place = |line: &Line| Some((line.loan, line.event, line.component, line.side));
    rest.join(
        |line| place(line).map(|place| (place, line.value, line.currency)),
        |own, row| Some(off(own, row)).filter(|off| *off <= CENTS),
    );
    rest.join(
        |line| place(line).map(|place| (place, line.amount, line.currency)),
        |own, row| Some(days(own, row)).filter(|days| *days <= window(own.event)),
    );
    rest.join(place, |own, row| {
        let is_near = days(own, row) <= NEAR_DAYS && own.amount > 0;
        let is_like = off(own, row) <= CENTS || is_scaled(own, row) || own.amount == row.amount;
        (is_near && is_like).then(|| distance(own, row))
    });
    rest.join(
        |line| Some((line.loan, line.event, line.component, line.value)),
        |own, row| Some(distance(own, row)),
    );
    rest.join(
        |line| Some((line.loan, line.component, line.side, line.amount, line.currency)),
        |own, row| {
            let is_reversal = own.event == Event::Reversed || row.event == Event::Reversed;
            Some(days(own, row)).filter(|days| *days <= NEAR_DAYS && own.amount > 0 && !is_reversal)
        },
    );
    rest.other_loans();
    let singles = rest.own.iter().map(|own| Pair { own: Some(*own), row: None, twin: twin(matcher, own) });
    let mut pairs = std::mem::take(&mut rest.pairs);
    // A row whose key belongs to another event, and a line without a key, that say the same.
    pairs.retain(|pair| {
        !pair.own.zip(pair.row).is_some_and(|(own, row)| own.like() == row.like() && own.agrees(&row))
    });
    pairs.extend(singles);
    pairs.extend(rest.rows.iter().map(|row| Pair { own: None, row: Some(*row), twin: None }));
    pairs
}

fn days(own: &Line, row: &Line) -> u64 {
    own.value.since(row.value).unsigned_abs()
}

fn off(own: &Line, row: &Line) -> u64 {
    own.amount.abs_diff(row.amount)
}

/// Days before amounts; other loans and events last.
fn distance(own: &Line, row: &Line) -> u64 {
    let strange = u64::from(own.loan != row.loan).saturating_add(u64::from(own.event != row.event));
    let days = days(own, row).min(1 << 20);
    strange
        .saturating_mul(1 << 62)
        .saturating_add(days.saturating_mul(1 << 40))
        .saturating_add(off(own, row).min(1 << 40))
}

/// The own line that says the same as this one or this row, and has met its like.
fn twin(matcher: &Matcher, line: &Line) -> Option<u64> {
    let taken = matcher.group(&line.like()).filter(|place| matcher.is_taken(*place));
    let mut taken = taken.filter_map(|place| matcher.own().get(place));
    taken.find(|own| own.agrees(line) && !own.is_other_event(line)).map(|own| own.row)
}

impl Rest {
    /// Pairs lines with the same key, nearest first; `None` as a distance: not meant to be the same.
    fn join<K: Ord>(
        &mut self,
        key: impl Fn(&Line) -> Option<K>,
        distance: impl Fn(&Line, &Line) -> Option<u64>,
    ) {
        let mut groups: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (place, row) in self.rows.iter().enumerate() {
            if let Some(key) = key(row) {
                groups.entry(key).or_default().1.push(place);
            }
        }
        for (place, own) in self.own.iter().enumerate() {
            if let Some(group) = key(own).and_then(|key| groups.get_mut(&key)) {
                group.0.push(place);
            }
        }
        let (mut is_own_used, mut is_row_used) = (vec![false; self.own.len()], vec![false; self.rows.len()]);
        for (own, rows) in groups.values().filter(|(own, _)| !own.is_empty()) {
            for (own, row) in self.nearest(own, rows, &distance) {
                if let (Some(own_used), Some(row_used)) = (is_own_used.get_mut(own), is_row_used.get_mut(row))
                {
                    (*own_used, *row_used) = (true, true);
                }
                let (own, row) = (self.own.get(own).copied(), self.rows.get(row).copied());
                self.pairs.push(Pair { own, row, twin: None });
            }
        }
        keep(&mut self.own, &is_own_used);
        keep(&mut self.rows, &is_row_used);
    }

    fn nearest(
        &self,
        own: &[usize],
        rows: &[usize],
        distance: &impl Fn(&Line, &Line) -> Option<u64>,
    ) -> Vec<(usize, usize)> {
        let between = |own: usize, row: usize| {
            let lines = self.own.get(own).zip(self.rows.get(row));
            lines.filter(|(own, row)| !own.is_other_event(row)).and_then(|(own, row)| distance(own, row))
        };
        if own.len().saturating_mul(rows.len()) > MAX_PAIRS {
            let along = own.iter().zip(rows).filter(|(o, r)| between(**o, **r).is_some());
            return along.map(|(o, r)| (*o, *r)).collect();
        }
        let all = own.iter().flat_map(|o| rows.iter().map(move |r| (*o, *r)));
        let mut all: Vec<_> = all.filter_map(|(o, r)| between(o, r).map(|far| (far, o, r))).collect();
        all.sort_unstable();
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (_, o, r) in all {
            if found.iter().all(|(own, row)| *own != o && *row != r) {
                found.push((o, r));
            }
        }
        found
    }

    /// Rows that the ledger has, but not as often.
    fn doubles_of_rows(&mut self, matcher: &Matcher) {
        let twins: Vec<_> = self.rows.iter().map(|row| twin(matcher, row)).collect();
        let doubles = self.rows.iter().zip(&twins).filter(|(_, twin)| twin.is_some());
        self.pairs.extend(doubles.map(|(row, twin)| Pair { own: None, row: Some(*row), twin: *twin }));
        keep(&mut self.rows, &twins.iter().map(Option::is_some).collect::<Vec<_>>());
    }

    /// Lines that agree but for the loan. A pair of loans that is certain once (nothing else is like it) decides where
    /// several would do, and for lines without an amount.
    fn other_loans(&mut self) {
        let like = |line: &Line| {
            let (_, event, component, side, amount, currency, value) = line.like();
            (event, component, side, amount, currency, value)
        };
        let mut alike: BTreeMap<_, (Vec<Name>, Vec<Name>)> = BTreeMap::new();
        self.own
            .iter()
            .filter(|own| own.amount > 0)
            .for_each(|own| alike.entry(like(own)).or_default().0.push(own.loan));
        self.rows
            .iter()
            .filter(|row| row.amount > 0)
            .for_each(|row| alike.entry(like(row)).or_default().1.push(row.loan));
        let mut votes: BTreeMap<(Name, Name), u64> = BTreeMap::new();
        for (own, rows) in alike.values() {
            if let ([own], [row]) = (own.as_slice(), rows.as_slice()) {
                let count = votes.entry((*own, *row)).or_default();
                *count = count.saturating_add(1);
            }
        }
        let mut called: BTreeMap<Name, (u64, Name)> = BTreeMap::new();
        for ((own, row), count) in votes {
            let best = called.entry(own).or_insert((count, row));
            if count > best.0 {
                *best = (count, row);
            }
        }
        // The own line goes under the other side's name for its loan; a row under its own.
        let own_names = called.iter().map(|(own, (_, row))| (*own, *row)).collect::<BTreeMap<_, _>>();
        let renamed: Vec<Line> = self
            .own
            .iter()
            .map(|own| Line { loan: *own_names.get(&own.loan).unwrap_or(&own.loan), ..*own })
            .collect();
        let original = std::mem::replace(&mut self.own, renamed);
        let before = self.pairs.len();
        let names: BTreeMap<u64, Name> = original.iter().map(|own| (own.row, own.loan)).collect();
        self.join(|line| Some(line.like()), |own, row| own.agrees(row).then_some(0));
        let back = |line: &mut Line| line.loan = *names.get(&line.row).unwrap_or(&line.loan);
        self.own.iter_mut().for_each(back);
        self.pairs.iter_mut().skip(before).filter_map(|pair| pair.own.as_mut()).for_each(back);
    }
}

fn keep(lines: &mut Vec<Line>, is_used: &[bool]) {
    let mut used = is_used.iter();
    lines.retain(|_| !used.next().copied().unwrap_or(false));
}

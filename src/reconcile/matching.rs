//! Row by row: is its like on the ledger?
//!
//! The own lines lie in memory, sorted, and a row is looked up by bisection: by the event's key where the ledger knows it,
//! else by loan, event, component, side, amount, currency and value date. What agrees is forgotten, so that the extract may
//! be of any length; rows without their like are kept, up to a bound. The result does not depend on the order of the rows.

use super::date::Day;
use super::line::{Component, Currency, Event, Line, Name, Side};
use std::cmp::Ordering;

/// Most rows without their like that are kept: by then it is the wrong file, not breaks.
pub const MAX_LEFT: usize = 1 << 20;

/// What must agree for two lines to be the same without a key.
pub(super) type Like = (Name, Event, Component, Side, u64, Currency, Day);

impl Line {
    /// What must agree for two lines to be the same without a key.
    pub(super) fn like(&self) -> Like {
        (self.loan, self.event, self.component, self.side, self.amount, self.currency, self.value)
    }

    /// Whether nothing that both lines say of booking day and bucket differs.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(mine: Option<T>, other: Option<T>) -> bool {
            mine.zip(other).is_none_or(|(mine, other)| mine == other)
        }
        same(self.booked, other.booked) && same(self.bucket, other.bucket)
    }
}

/// Whether an own line has met its like, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    ByKey,
    ByLike,
}

/// More rows without their like than are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than {MAX_LEFT} rows are not on the ledger; is this the right bank's file, of the right period?"
)]
pub struct TooMany;

/// The own lines, and what of the extract is left over.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Sorted by [`Like`].
    own: Vec<Line>,
    states: Vec<State>,
    /// For the first line of each group of equals: how many of its lines are taken from the start.
    taken: Vec<u32>,
    /// Places of the lines with a key, sorted by key and likeness.
    keyed: Vec<u32>,
    left: Vec<Line>,
    matched: u64,
}

impl Matcher {
    /// Nothing matched yet.
    #[must_use]
    pub fn new(mut own: Vec<Line>) -> Self {
        own.sort_unstable_by_key(|line| (line.like(), line.booked, line.bucket, line.row));
        let mut keyed: Vec<u32> =
            (0..).zip(&own).filter(|(_, line)| line.key.is_some()).map(|(place, _)| place).collect();
        keyed.sort_by(|a, b| {
            let key = |place: &u32| own.get(index(*place)).map(|line| (line.key, line.like()));
            key(a).cmp(&key(b))
        });
        let (states, taken) = (vec![State::Free; own.len()], vec![0; own.len()]);
        Self { own, states, taken, keyed, left: Vec::new(), matched: 0 }
    }

    /// Takes a row: matches it, or keeps it.
    ///
    /// # Errors
    /// When too many are kept already.
    pub fn take(&mut self, row: Line) -> Result<Option<&Line>, TooMany> {
        if let Some(place) = self.find(&row) {
            self.matched = self.matched.saturating_add(1);
            return Ok(self.own.get(place));
        }
        if self.left.len() >= MAX_LEFT {
            return Err(TooMany);
        }
        self.left.push(row);
        Ok(None)
    }

    fn find(&mut self, row: &Line) -> Option<usize> {
        let Some(key) = row.key.filter(|key| self.knows(key)) else {
            // A key that the ledger does not know is the bank's own number: it says nothing here.
            let place = self.free(row)?;
            self.set(place, State::ByLike);
            return Some(place);
        };
        let same = self.with_key(&key, &row.like());
        let of_state = |state: State| {
            same.iter().map(|place| index(*place)).find(|place| {
                self.states.get(*place) == Some(&state)
                    && self.own.get(*place).is_some_and(|own| own.agrees(row))
            })
        };
        if let Some(place) = of_state(State::Free) {
            self.set(place, State::ByKey);
            return Some(place);
        }
        // A row without a key took its line: that row moves on to another one that is like it.
        let place = of_state(State::ByLike)?;
        let other = self.free(row)?;
        self.set(place, State::ByKey);
        self.set(other, State::ByLike);
        Some(place)
    }

    fn set(&mut self, place: usize, state: State) {
        if let Some(slot) = self.states.get_mut(place) {
            *slot = state;
        }
    }

    /// Whether the ledger has an event with this key.
    pub(super) fn knows(&self, key: &[u8; 32]) -> bool {
        self.keyed.binary_search_by(|place| self.key_of(*place).cmp(&Some(*key))).is_ok()
    }

    fn key_of(&self, place: u32) -> Option<[u8; 32]> {
        self.own.get(index(place)).and_then(|line| line.key)
    }

    fn with_key(&self, key: &[u8; 32], like: &Like) -> &[u32] {
        let order = |place: &u32| {
            let line = self.own.get(index(*place));
            line.map_or(Ordering::Less, |line| (line.key, line.like()).cmp(&(Some(*key), *like)))
        };
        let begin = self.keyed.partition_point(|place| order(place) == Ordering::Less);
        let rest = self.keyed.get(begin..).unwrap_or(&[]);
        let length = rest.partition_point(|place| order(place) == Ordering::Equal);
        rest.get(..length).unwrap_or(&[])
    }

    /// Where the own lines that are like this one stand.
    pub(super) fn group(&self, like: &Like) -> std::ops::Range<usize> {
        let begin = self.own.partition_point(|own| own.like() < *like);
        let rest = self.own.get(begin..).unwrap_or(&[]);
        begin..begin.saturating_add(rest.partition_point(|own| own.like() == *like))
    }

    /// A free own line that is like the row and agrees with it.
    fn free(&mut self, row: &Line) -> Option<usize> {
        let group = self.group(&row.like());
        // Past what is taken from the start on: many equal lines cost no more than few.
        let skipped = self.taken.get_mut(group.start)?;
        let mut from = group.start.saturating_add(index(*skipped));
        while from < group.end && self.states.get(from).is_some_and(|state| *state != State::Free) {
            from = from.saturating_add(1);
            *skipped = skipped.saturating_add(1);
        }
        let mut rest = from..group.end;
        rest.find(|place| {
            self.states.get(*place) == Some(&State::Free)
                && self.own.get(*place).is_some_and(|own| own.agrees(row))
        })
    }

    /// The own lines in order.
    #[must_use]
    pub fn own(&self) -> &[Line] {
        &self.own
    }

    /// Whether the own line at a place has met its like.
    pub(super) fn is_taken(&self, place: usize) -> bool {
        self.states.get(place).is_some_and(|state| *state != State::Free)
    }

    /// The places of the own lines that have not met their like.
    pub(super) fn free_places(&self) -> Vec<usize> {
        (0..self.own.len()).filter(|place| !self.is_taken(*place)).collect()
    }

    /// The rows that have not met their like, in the order in which lines are compared: not that of the file.
    pub(super) fn take_left(&mut self) -> Vec<Line> {
        let mut left = std::mem::take(&mut self.left);
        left.sort_unstable_by_key(|line| (line.like(), line.booked, line.bucket, line.row));
        left
    }

    /// How many rows have met their like.
    #[must_use]
    pub fn matched(&self) -> u64 {
        self.matched
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

//! Row by row: is its like on the ledger?
//!
//! The own lines lie in memory, sorted, and a row is looked up by bisection: by the event's key where the ledger knows it,
//! else by loan, event, component, side, amount, currency and value date. What agrees is forgotten, so that the extract may
//! be of any length; rows without their like are kept, up to a bound. Rows that would do for several own lines wait until
//! those that say more have found theirs, so the result does not depend on the order of the rows.

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

    /// The order in which lines are compared: all that may tell two apart, their place in the file last.
    pub(super) fn order(&self) -> (Like, Option<Day>, Option<Name>, Option<[u8; 32]>, u64) {
        (self.like(), self.booked, self.bucket, self.key, self.row)
    }

    /// Whether the keys of both say that these are two events.
    pub(super) fn is_other_event(&self, other: &Self) -> bool {
        self.key.zip(other.key).is_some_and(|(mine, other)| mine != other)
    }

    /// Whether nothing that both lines say of booking day and bucket differs.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(mine: Option<T>, other: Option<T>) -> bool {
            mine.zip(other).is_none_or(|(mine, other)| mine == other)
        }
        same(self.booked, other.booked) && same(self.bucket, other.bucket)
    }
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
    /// Sorted by [`Like`], then by what else may differ.
    own: Vec<Line>,
    is_taken: Vec<bool>,
    /// For the first line of each group of equals: how many of its lines are taken from the start.
    taken: Vec<u32>,
    /// Places of the lines with a key, sorted by key and likeness.
    keyed: Vec<u32>,
    waiting: Vec<Line>,
    left: Vec<Line>,
    matched: u64,
}

impl Matcher {
    /// Nothing matched yet.
    #[must_use]
    pub fn new(mut own: Vec<Line>) -> Self {
        own.sort_unstable_by_key(Line::order);
        let keyed = (0..).zip(&own).filter(|(_, line)| line.key.is_some());
        let mut keyed: Vec<u32> = keyed.map(|(place, _)| place).collect();
        keyed.sort_by_key(|place| own.get(index(*place)).map(|line| (line.key, line.order())));
        let (is_taken, taken) = (vec![false; own.len()], vec![0; own.len()]);
        Self { own, is_taken, taken, keyed, waiting: Vec::new(), left: Vec::new(), matched: 0 }
    }

    /// Takes a row: matches it, or keeps it. Returns its like.
    ///
    /// # Errors
    /// When too many are kept already.
    pub fn take(&mut self, mut row: Line) -> Result<Option<&Line>, TooMany> {
        // A key that the ledger does not know is the bank's own number: it says nothing here.
        row.key = row.key.filter(|key| self.knows(key));
        let is_vague = row.key.is_none() || row.booked.is_none() || row.bucket.is_none();
        let waits = is_vague && self.group(&row.like()).len() > 1;
        match if waits { None } else { self.find(&row) } {
            Some(place) => return Ok(self.own.get(place)),
            None if self.waiting.len().saturating_add(self.left.len()) >= MAX_LEFT => return Err(TooMany),
            None if waits => self.waiting.push(row),
            None => self.left.push(row),
        }
        Ok(None)
    }

    /// After the last row: those that waited take what is free, the clearest first; returns them with their likes.
    pub fn settle(&mut self) -> Vec<(Line, Line)> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable_by_key(|row| {
            (row.key.is_none(), row.booked.is_none(), row.bucket.is_none(), row.order())
        });
        let mut met = Vec::new();
        for row in waiting {
            match self.find(&row).and_then(|place| self.own.get(place)) {
                Some(own) => met.push((*own, row)),
                None => self.left.push(row),
            }
        }
        met
    }

    fn find(&mut self, row: &Line) -> Option<usize> {
        let place = match row.key {
            Some(key) => self.free_with_key(&key, row),
            None => self.free(row),
        }?;
        *self.is_taken.get_mut(place)? = true;
        self.matched = self.matched.saturating_add(1);
        Some(place)
    }

    fn free_with_key(&self, key: &[u8; 32], row: &Line) -> Option<usize> {
        let mut same = self.with_key(key, &row.like()).iter().map(|place| index(*place));
        same.find(|place| self.fits(*place, row))
    }

    fn fits(&self, place: usize, row: &Line) -> bool {
        !self.is_taken(place) && self.own.get(place).is_some_and(|own| own.agrees(row))
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

    /// Where the own lines of a loan stand.
    pub(super) fn of_loan(&self, loan: Name) -> std::ops::Range<usize> {
        let begin = self.own.partition_point(|line| line.loan < loan);
        let rest = self.own.get(begin..).unwrap_or(&[]);
        begin..begin.saturating_add(rest.partition_point(|line| line.loan == loan))
    }

    /// A free own line that is like the row: one that says the same of booking day and bucket, else one that agrees.
    fn free(&mut self, row: &Line) -> Option<usize> {
        let group = self.group(&row.like());
        let wanted = (row.booked, row.bucket);
        let lines = self.own.get(group.clone())?;
        let before = lines.partition_point(|own| (own.booked, own.bucket) < wanted);
        let until = lines.partition_point(|own| (own.booked, own.bucket) <= wanted);
        let same = group.start.saturating_add(before)..group.start.saturating_add(until);
        self.first_free(same, row).or_else(|| self.first_free(group, row))
    }

    fn first_free(&mut self, mut places: std::ops::Range<usize>, row: &Line) -> Option<usize> {
        if places.is_empty() {
            return None;
        }
        // Past what is taken from the start on: many equal lines cost no more than few.
        let skipped = self.taken.get_mut(places.start)?;
        let mut from = places.start.saturating_add(index(*skipped));
        while from < places.end && self.is_taken.get(from) == Some(&true) {
            from = from.saturating_add(1);
            *skipped = skipped.saturating_add(1);
        }
        places.start = from;
        places.find(|place| self.fits(*place, row))
    }

    /// The own lines in order.
    #[must_use]
    pub fn own(&self) -> &[Line] {
        &self.own
    }

    /// Whether the own line at a place has met its like.
    pub(super) fn is_taken(&self, place: usize) -> bool {
        self.is_taken.get(place) == Some(&true)
    }

    /// The places of the own lines that have not met their like.
    pub(super) fn free_places(&self) -> Vec<usize> {
        (0..self.own.len()).filter(|place| !self.is_taken(*place)).collect()
    }

    /// The rows that have not met their like, in the order in which lines are compared: not that of the file.
    pub(super) fn take_left(&mut self) -> Vec<Line> {
        let mut left = std::mem::take(&mut self.left);
        left.sort_unstable_by_key(Line::order);
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

//! What people read of a reconciliation: totals by cause and age, and each break with both sides; as a table, JSON, CSV.

mod text;

use super::{
    breaks::Break,
    date::Day,
    line::{Line, Names},
    matching::Matcher,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many lines there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Own lines on the ledger.
    pub ledger: u64,
    /// Rows of the extract.
    pub extract: u64,
    /// Rows whose like stands on the ledger.
    pub agreed: u64,
}

impl Counts {
    pub(super) fn of(matcher: &Matcher, extract: u64) -> Self {
        let ledger = u64::try_from(matcher.own().len()).unwrap_or(u64::MAX);
        Self { ledger, extract, agreed: matcher.matched() }
    }
}

/// One side of a break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Row of the extract, or number on the ledger.
    pub row: u64,
    /// The loan as this side calls it.
    pub loan: String,
    /// What happened.
    pub event: String,
    /// Debit or credit.
    pub side: String,
    /// How much, in minor units.
    pub amount: u64,
    /// The currency.
    pub currency: String,
    /// Its decimals.
    pub exponent: u8,
    /// From when interest runs.
    pub value_date: String,
    /// When it was booked, where it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_date: Option<String>,
    /// Status or bucket, where it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
}

/// A break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its number, from 1.
    pub number: u64,
    /// The number of the break from which this one follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<u64>,
    /// How many follow from this one.
    pub followers: u64,
    /// Its likely cause.
    pub cause: &'static str,
    /// What the cause was seen by.
    pub note: String,
    /// The loan.
    pub loan: String,
    /// The event.
    pub event: String,
    /// The component.
    pub component: String,
    /// What the ledger has.
    pub ledger: Option<Entry>,
    /// What the extract has.
    pub extract: Option<Entry>,
    /// What the extract has more, debits up, in minor units.
    pub difference: i128,
    /// What the ledger has of this component of the loan after that day, debits up.
    pub ledger_balance: i128,
    /// What the extract makes of it.
    pub extract_balance: i128,
    /// Days since the value date.
    pub age_days: i64,
}

/// The breaks of one cause in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CauseTotal {
    /// The cause.
    pub cause: &'static str,
    /// The currency.
    pub currency: String,
    /// Its decimals.
    pub exponent: u8,
    /// Breaks that follow from no other.
    pub breaks: u64,
    /// Breaks that do.
    pub followers: u64,
    /// The sum of all differences, whatever their sign, in minor units.
    pub difference: u128,
    /// Age of the oldest, in days.
    pub oldest_days: i64,
}

/// The breaks of one age.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgeTotal {
    /// The ages, in days.
    pub days: &'static str,
    /// How many breaks.
    pub breaks: u64,
}

/// Ages by which breaks are counted: up to so many days, and what that is called.
const AGES: [(i64, &str); 5] = [(1, "0-1"), (7, "2-7"), (30, "8-30"), (90, "31-90"), (i64::MAX, "over 90")];

/// What differs, and how much agrees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many lines there were.
    pub lines: Counts,
    /// The day to which breaks are aged.
    pub as_of: Option<String>,
    /// The totals by cause and currency.
    pub causes: Vec<CauseTotal>,
    /// The totals by age.
    pub ages: Vec<AgeTotal>,
    /// The breaks: by loan, value date, event, component.
    pub breaks: Vec<Item>,
}

impl Report {
    pub(super) fn new(breaks: &[Break], names: &Names, as_of: Option<Day>, lines: Counts) -> Self {
        let mut followers: BTreeMap<usize, u64> = BTreeMap::new();
        for head in breaks.iter().filter_map(|found| found.follows) {
            let count = followers.entry(head).or_default();
            *count = count.saturating_add(1);
        }
        let items = breaks.iter().enumerate().filter_map(|(place, found)| {
            let line = found.line()?;
            let number = |place: usize| u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1);
            Some(Item {
                number: number(place),
                follows: found.follows.map(number),
                followers: followers.get(&place).copied().unwrap_or(0),
                cause: found.cause.name(),
                note: found.note.clone(),
                loan: names.text(line.loan).into(),
                event: line.event.to_string(),
                component: line.component.to_string(),
                ledger: found.pair.own.as_ref().map(|line| entry(line, names)),
                extract: found.pair.row.as_ref().map(|line| entry(line, names)),
                difference: found.difference(),
                ledger_balance: found.balances.0,
                extract_balance: found.balances.1,
                age_days: as_of.map_or(0, |as_of| as_of.since(line.value)).max(0),
            })
        });
        let breaks: Vec<_> = items.collect();
        let as_of = as_of.map(|day| day.to_string());
        Self { lines, as_of, causes: by_cause(&breaks), ages: by_age(&breaks), breaks }
    }

    /// Whether the books agree.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.breaks.is_empty()
    }

    /// The breaks that follow from no other.
    pub fn heads(&self) -> impl Iterator<Item = &Item> {
        self.breaks.iter().filter(|item| item.follows.is_none())
    }
}

fn entry(line: &Line, names: &Names) -> Entry {
    Entry {
        row: line.row,
        loan: names.text(line.loan).into(),
        event: line.event.to_string(),
        side: line.side.to_string(),
        amount: line.amount,
        currency: line.currency.code().into(),
        exponent: line.currency.exponent(),
        value_date: line.value.to_string(),
        booking_date: line.booked.map(|day| day.to_string()),
        bucket: line.bucket.map(|name| names.text(name).into()),
    }
}

fn by_cause(items: &[Item]) -> Vec<CauseTotal> {
    let mut totals: BTreeMap<(&str, &str), CauseTotal> = BTreeMap::new();
    for item in items {
        let (currency, exponent) = item.currency();
        let new =
            || CauseTotal { cause: item.cause, currency: currency.into(), exponent, ..CauseTotal::default() };
        let total = totals.entry((item.cause, currency)).or_insert_with(new);
        let count = if item.follows.is_none() { &mut total.breaks } else { &mut total.followers };
        *count = count.saturating_add(1);
        total.difference = total.difference.saturating_add(item.difference.unsigned_abs());
        total.oldest_days = total.oldest_days.max(item.age_days);
    }
    totals.into_values().collect()
}

fn by_age(items: &[Item]) -> Vec<AgeTotal> {
    let mut totals = AGES.map(|(_, days)| AgeTotal { days, breaks: 0 });
    for item in items {
        let place = AGES.iter().position(|(most, _)| item.age_days <= *most);
        if let Some(total) = place.and_then(|place| totals.get_mut(place)) {
            total.breaks = total.breaks.saturating_add(1);
        }
    }
    totals.into()
}

impl Item {
    fn currency(&self) -> (&str, u8) {
        let entry = self.ledger.as_ref().or(self.extract.as_ref());
        entry.map_or(("?", 0), |entry| (entry.currency.as_str(), entry.exponent))
    }
}

//! What people read of a reconciliation: totals by cause and age, and each break with both sides; as a table, JSON, CSV.

use super::{
    breaks::Break,
    date::Day,
    line::{Line, Names},
    matching::Matcher,
};
use counterfoil_policy::{format_amount, format_grouped};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write as _, io};

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

    /// The report for people, with at most `limit` breaks.
    #[must_use]
    pub fn to_text(&self, limit: usize) -> String {
        let Counts { ledger, extract, agreed } = self.lines;
        let mut out = format!("{ledger} lines on the ledger, {extract} in the extract, {agreed} agree\n");
        if self.agrees() {
            out.push_str("  reconciled: no breaks\n");
            return out;
        }
        out.push_str(&self.cause_table());
        let ages = self.ages.iter().map(|age| format!("{} days: {}", age.days, age.breaks));
        let as_of = self.as_of.as_deref().unwrap_or("?");
        let _ = writeln!(out, "  age at {as_of}: {}", ages.collect::<Vec<_>>().join("; "));
        let heads = self.heads().count();
        self.heads().take(limit).for_each(|item| item.describe(&mut out));
        if let Some(more) = heads.checked_sub(limit).filter(|more| *more > 0) {
            let _ = writeln!(out, "  … and {more} more; --limit shows more, --breaks FILE writes all");
        }
        out
    }

    fn cause_table(&self) -> String {
        let mut out = format!(
            "  {:<16} {:>8} {:>10} {:>24} {:>12}\n",
            "cause", "breaks", "followers", "sum of differences", "oldest days"
        );
        for total in &self.causes {
            let sum = u64::try_from(total.difference).unwrap_or(u64::MAX);
            let sum = format!("{} {}", format_grouped(sum, total.exponent), total.currency);
            let CauseTotal { cause, breaks, followers, oldest_days, .. } = total;
            let _ = writeln!(out, "  {cause:<16} {breaks:>8} {followers:>10} {sum:>24} {oldest_days:>12}");
        }
        out
    }

    /// Writes all breaks as CSV, with a header.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_csv(&self, writer: impl io::Write) -> Result<(), csv::Error> {
        let mut out = csv::Writer::from_writer(writer);
        out.write_record(HEADER)?;
        for item in &self.breaks {
            let side = |entry: &Option<Entry>| match entry {
                None => [const { String::new() }; 5],
                Some(entry) => [
                    entry.row.to_string(),
                    entry.side.clone(),
                    format_amount(entry.amount, entry.exponent),
                    entry.value_date.clone(),
                    entry.booking_date.clone().unwrap_or_default(),
                ],
            };
            let (currency, exponent) = item.currency();
            let mut cells = vec![
                item.number.to_string(),
                item.follows.map(|number| number.to_string()).unwrap_or_default(),
                item.cause.to_owned(),
                harmless(&item.loan),
                item.event.clone(),
                item.component.clone(),
                currency.to_owned(),
            ];
            cells.extend(side(&item.ledger));
            cells.extend(side(&item.extract));
            cells.extend(
                [item.difference, item.ledger_balance, item.extract_balance].map(|n| decimal(n, exponent)),
            );
            cells.extend([item.age_days.to_string(), harmless(&item.note)]);
            out.write_record(&cells)?;
        }
        out.flush()?;
        Ok(())
    }
}

const HEADER: [&str; 22] = [
    "number",
    "follows",
    "cause",
    "loan",
    "event",
    "component",
    "currency",
    "ledger_line",
    "ledger_side",
    "ledger_amount",
    "ledger_value_date",
    "ledger_booking_date",
    "extract_row",
    "extract_side",
    "extract_amount",
    "extract_value_date",
    "extract_booking_date",
    "difference",
    "ledger_balance",
    "extract_balance",
    "age_days",
    "note",
];

/// Text that a spreadsheet would take for a formula is marked as text: a loan's name comes from somebody else.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// A signed amount in the currency's units.
fn decimal(minor: i128, exponent: u8) -> String {
    let size = u64::try_from(minor.unsigned_abs()).unwrap_or(u64::MAX);
    format!("{}{}", if minor < 0 { "-" } else { "" }, format_amount(size, exponent))
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

    /// A few lines for people.
    fn describe(&self, out: &mut String) {
        let seen = |entry: &Option<Entry>, what: &str| match entry {
            None => "nothing".to_owned(),
            Some(e) => {
                let amount = format_grouped(e.amount, e.exponent);
                let bucket =
                    e.bucket.as_ref().map(|bucket| format!(" [{}]", printable(bucket))).unwrap_or_default();
                format!("{} {} {amount} of {} ({what} {}){bucket}", e.side, e.currency, e.value_date, e.row)
            }
        };
        let (_, exponent) = self.currency();
        let [difference, ledger, extract] = [self.difference, self.ledger_balance, self.extract_balance]
            .map(|amount| decimal(amount, exponent));
        let (loan, note) = (printable(&self.loan), printable(&self.note));
        let Self { number, cause, event, component, age_days, .. } = self;
        let _ = writeln!(
            out,
            "  #{number} {loan}: {event} {component}: {cause}{}{note}",
            if note.is_empty() { "" } else { ", " }
        );
        let _ = writeln!(out, "      ledger   {}", seen(&self.ledger, "line"));
        let _ = writeln!(out, "      extract  {}", seen(&self.extract, "row"));
        let _ = write!(
            out,
            "      differs by {difference}; {component} to date {ledger} against {extract}; {age_days} days old"
        );
        let _ = match self.followers {
            0 => writeln!(out),
            more => writeln!(out, "; {more} more follow"),
        };
    }
}

/// Without control characters: what a file says must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

//! The report for people and for spreadsheets.

use super::{CauseTotal, Counts, Entry, Item, Report};
use counterfoil_policy::{format_amount, format_grouped};
use std::{fmt::Write as _, io};

impl Report {
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

impl Item {
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

/// Without control characters: what a file says must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

//! From cells to a line: the one place where a bank's texts become amounts, days and kinds, for every file format.
//!
//! Whatever could mean two things is refused with its column, never guessed (attack 24): separators nobody declared, a
//! third decimal, a zero below zero, 2^64 cents, a currency that does not exist.

use super::{
    date::Day,
    line::{Component, Currency, Event, Line, Names, RESERVE, Side},
    mapping::{Column, Mapping, NO_CURRENCY, Positive},
};
use counterfoil_policy::parse_amount;

/// Longest text in a cell that is kept: a reference, not a novel.
const MAX_TEXT: usize = 256;
/// How much different text a file may hold, in bytes: stops a file whose every cell is another from taking the memory.
const MAX_NAMES: usize = 64 << 20;

/// A cell that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Which.
    pub(super) column: Column,
    /// What is wrong and what to do.
    pub(super) problem: String,
}

/// The cells of a row, in the order of [`Column::ALL`]; empty where the file has no such column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells<'a> {
    cells: [&'a str; Column::ALL.len()],
}

impl<'a> Cells<'a> {
    /// The cells that `cell` says, without the blanks around them.
    pub(super) fn new(mut cell: impl FnMut(Column) -> &'a str) -> Self {
        Self { cells: Column::ALL.map(|(column, _)| cell(column).trim()) }
    }

    /// The text of a cell.
    pub(super) fn text(&self, column: Column) -> &'a str {
        self.cells.get(column.place()).copied().unwrap_or("")
    }

    /// The line that these cells say; `None`: nothing moved.
    ///
    /// # Errors
    /// The first cell that cannot be.
    pub(super) fn line(
        &self,
        mapping: &Mapping,
        names: &mut Names,
        row: u64,
    ) -> Result<Option<Line>, Refusal> {
        if let Some(column) = Column::ALL.iter().find(|(column, _)| self.text(*column).len() > MAX_TEXT) {
            return Err(refuse(column.0, format!("is longer than {MAX_TEXT} bytes")));
        }
        if names.bytes() > MAX_NAMES {
            return Err(refuse(
                Column::Loan,
                "is one name too many; the file holds more than 64 MiB of them",
            ));
        }
        let (event, component) = self.event(mapping)?;
        let (currency, exponent) = self.currency(mapping)?;
        let (side, amount) = self.amount(mapping, event, exponent)?;
        if (amount == 0) != (event == Event::Status) {
            if amount == 0 {
                return Ok(None);
            }
            return Err(refuse(Column::Amount, "is not zero, but a status moves nothing"));
        }
        let booked = self.day(mapping, Column::Booked)?;
        let value = self.day(mapping, Column::Value)?.or(booked);
        let value =
            value.ok_or_else(|| refuse(Column::Value, "is empty, and there is no booking date either"))?;
        let mut name = |text: &str| (!text.is_empty()).then(|| names.name(text));
        let loan = match self.text(Column::Loan) {
            "" if matches!(event, Event::Funded | Event::Released) => name(RESERVE),
            text => name(text),
        };
        Ok(Some(Line {
            loan: loan.ok_or_else(|| refuse(Column::Loan, "is empty; every line belongs to a loan"))?,
            event,
            component,
            side,
            amount,
            currency,
            value,
            booked,
            key: key(self.text(Column::Key)),
            bucket: name(mapping.bucket(self.text(Column::Bucket))),
            account: name(self.text(Column::Account)),
            customer: name(self.text(Column::Customer)),
            row,
        }))
    }

    fn event(&self, mapping: &Mapping) -> Result<(Event, Component), Refusal> {
        let code = self.text(Column::Event);
        let (event, said) = mapping.event(code).ok_or_else(|| {
            refuse(
                Column::Event,
                "is no event that is known; give its meaning under [events] of the mapping file",
            )
        })?;
        let component = match self.text(Column::Component) {
            "" => None,
            text => Some(mapping.component(text).ok_or_else(|| {
                refuse(
                    Column::Component,
                    "is no component; give its meaning under [components] of the mapping file",
                )
            })?),
        };
        Ok((event, component.or(said).unwrap_or(Component::Principal)))
    }

    fn currency(&self, mapping: &Mapping) -> Result<(Currency, u8), Refusal> {
        match (self.text(Column::Currency), mapping.currency) {
            ("", Some(currency)) => Ok((currency, currency.exponent())),
            ("", None) => Err(refuse(
                Column::Currency,
                "is empty; add the column, or `currency = \"…\"` to the mapping file",
            )),
            (code, _) => Currency::with_exponent(code).ok_or_else(|| refuse(Column::Currency, NO_CURRENCY)),
        }
    }

    fn amount(&self, mapping: &Mapping, event: Event, exponent: u8) -> Result<(Side, u64), Refusal> {
        let (column, side) = self.said_side(mapping)?;
        let text = self.text(column);
        if event == Event::Status && text.is_empty() {
            return Ok((side.unwrap_or(Side::Debit), 0));
        }
        let exponent = if mapping.is_minor { 0 } else { exponent };
        let (is_negative, amount) =
            signed(text, mapping, exponent).map_err(|problem| refuse(column, problem))?;
        if is_negative && amount == 0 {
            return Err(refuse(column, "is a negative zero; write 0"));
        }
        let plus = match (side, mapping.positive) {
            (Some(_), _) if is_negative => {
                return Err(refuse(
                    column,
                    "is negative, but its side is said already; write it without a sign",
                ));
            }
            (Some(side), _) => Some(side),
            (None, Positive::Debit) => Some(Side::Debit),
            (None, Positive::Credit) => Some(Side::Credit),
            (None, Positive::Usual) => event.side(),
        };
        let Some(plus) = plus else {
            return Err(refuse(
                Column::Side,
                "is empty; a reversal stands on either side, so it must say which",
            ));
        };
        Ok((if is_negative { plus.opposite() } else { plus }, amount))
    }

    /// The column in which the amount stands, and the side where the row says it.
    fn said_side(&self, mapping: &Mapping) -> Result<(Column, Option<Side>), Refusal> {
        match (self.text(Column::Debit), self.text(Column::Credit)) {
            ("", "") => {}
            (_, "") => return Ok((Column::Debit, Some(Side::Debit))),
            ("", _) => return Ok((Column::Credit, Some(Side::Credit))),
            _ => return Err(refuse(Column::Credit, "is there beside a debit; a row has one of them")),
        }
        match self.text(Column::Side) {
            "" => Ok((Column::Amount, None)),
            code => mapping.side(code).map(|side| (Column::Amount, Some(side))).ok_or_else(|| {
                refuse(
                    Column::Side,
                    "is neither debit nor credit; give its meaning under [sides] of the mapping file",
                )
            }),
        }
    }

    fn day(&self, mapping: &Mapping, column: Column) -> Result<Option<Day>, Refusal> {
        match self.text(column) {
            "" => Ok(None),
            text => mapping.dates.day(text).map(Some).ok_or_else(|| {
                refuse(
                    column,
                    format!(
                        "is not a day written as {}; see `date` of the mapping file",
                        mapping.dates.text()
                    ),
                )
            }),
        }
    }
}

fn refuse(column: Column, problem: impl Into<String>) -> Refusal {
    Refusal { column, problem: problem.into() }
}

/// An event's key: the ledger's in hexadecimal, or a bank's own text, by its hash.
fn key(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    match text {
        "" => None,
        _ if hex::decode_to_slice(text, &mut bytes).is_ok() => Some(bytes),
        _ => Some(*blake3::hash(text.as_bytes()).as_bytes()),
    }
}

/// A number with a sign before or behind it, in the file's spelling: whether it is below zero, and its size in minor units.
fn signed(text: &str, mapping: &Mapping, exponent: u8) -> Result<(bool, u64), String> {
    let sign = |c: char| matches!(c, '-' | '\u{2212}');
    let (is_negative, digits) = match text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)) {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let plain = plain(digits, mapping)?;
    let amount = parse_amount(&plain, exponent).map_err(|error| {
        let written = text.chars().take(40).flat_map(char::escape_debug).collect::<String>();
        let problem = error.to_string();
        problem.strip_prefix(&format!("`{written}` ")).map_or_else(|| problem.clone(), ToOwned::to_owned)
    })?;
    Ok((is_negative, amount))
}

/// The digits without grouping and with a point, where they are grouped as the mapping says.
fn plain(text: &str, mapping: &Mapping) -> Result<String, String> {
    let (whole, decimals) = match text.split_once(mapping.decimal) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let whole = match mapping.thousands {
        Some(separator) if whole.contains(separator) => {
            let mut groups = whole.split(separator);
            let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
            if !first || !groups.all(|group| group.len() == 3) {
                return Err("is not grouped by thousands; a group has three digits".into());
            }
            whole.replace(separator, "")
        }
        _ => whole.to_owned(),
    };
    if mapping.decimal != '.' && (whole.contains('.') || decimals.is_some_and(|d| d.contains('.'))) {
        return Err("has a point, which is neither `decimal` nor `thousands` of the mapping file".into());
    }
    Ok(decimals.map_or(whole.clone(), |decimals| format!("{whole}.{decimals}")))
}

#[cfg(test)]
mod tests;

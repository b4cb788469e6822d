//! Loans and their events from a servicer's two files, read by a [`Mapping`].
//!
//! A row becomes what happened, in this order: what was paid, what was added, what was written off, what came in beside.
//! Where the mapping names columns for what was owed before and after, every row must chain to the one before it and foot;
//! so what is booked as owed is what the file says, always.
//!
//! **Credits.** A customer may pay more than is owed. What is beyond it is the customer's, not the lenders': it stays with the
//! servicer, is counted by name, and a later row that gives it back changes no balance.
//!
//! Files that contradict themselves (a row twice, a payment below its own principal, a balance that does not foot) are
//! refused as a whole, with row and column.

mod row;

pub use super::table::ImportError;
use super::{
    Event, Opening, Portfolio, What, choose_partners,
    mapping::{Mapping, Piece},
    table::Table,
};
use counterfoil_ledger::names::Date;
use counterfoil_policy::{format_amount, parse_amount};
use row::{Places, Row, in_order};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
};

/// What is read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// How the files become events.
    pub mapping: &'a Mapping,
    /// One row per loan.
    pub loans: &'a Path,
    /// One row per event, each loan's in the order of time.
    pub events: &'a Path,
    /// Only the first so many loans, and their events.
    pub limit: Option<usize>,
    /// The currency's decimals.
    pub exponent: u8,
    /// Names of the partners, and how many of them a loan has room for.
    pub partners: (&'a [String], usize),
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The line on which it begins, from 1.
    pub row: u64,
    /// The loan.
    pub loan: String,
    /// The date.
    pub date: Date,
    /// The servicer's own word for it.
    pub kind: String,
    /// What is booked.
    pub booked: Vec<What>,
    /// What is not, by name.
    pub left_out: Vec<&'static str>,
}

/// Reads both files.
///
/// # Errors
/// [`ImportError`] with file, row, column, value and remedy. Nothing is imported then.
pub fn read(source: &Source<'_>) -> Result<Portfolio, ImportError> {
    read_each(source, &mut |_| {})
}

/// As [`read`], and says of every event's row what becomes of it.
///
/// # Errors
/// As [`read`].
pub fn read_each(source: &Source<'_>, explain: &mut dyn FnMut(&Explained)) -> Result<Portfolio, ImportError> {
    if source.partners.0.is_empty() || source.partners.1 == 0 {
        return Err(ImportError::Partners);
    }
    let mut book =
        Book { source, portfolio: Portfolio::default(), loans: BTreeMap::new(), events: Vec::new() };
    book.read_loans()?;
    book.read_events(explain)?;
    Ok(book.close())
}

/// A loan while its rows are read.
struct Loan {
    /// Its place among the openings.
    order: usize,
    /// What is owed; below zero, what the customer has paid too much.
    owed: i64,
    opened: Date,
    /// The last row's date and kind.
    last: Option<(Date, String)>,
}

struct Book<'a> {
    source: &'a Source<'a>,
    portfolio: Portfolio,
    loans: BTreeMap<String, Loan>,
    events: Vec<(Date, usize, Event)>,
}

/// A file's columns by what they mean: places in the list that its table was opened with.
struct Columns {
    names: Vec<String>,
}

impl Columns {
    /// The place of a column, which is asked for once however often it is named.
    fn place(&mut self, name: &str) -> usize {
        let known = self.names.iter().position(|other| other == name);
        known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len().saturating_sub(1)
        })
    }
}

impl Book<'_> {
    fn read_loans(&mut self) -> Result<(), ImportError> {
        let (source, names) = (self.source, &self.source.mapping.loans);
        let mut columns = Columns { names: Vec::new() };
        let [reference, opened, principal] =
            [&names.reference, &names.opened, &names.principal].map(|name| columns.place(name));
        let partners = names.partners.as_ref().map(|name| columns.place(name));
        let template: Vec<_> = names.template().unwrap_or_default();
        let template: Vec<_> = template
            .into_iter()
            .map(|piece| match &piece {
                Piece::Text(_) => (piece, 0),
                Piece::Column(name) | Piece::Percent(name) => {
                    let place = columns.place(name);
                    (piece, place)
                }
            })
            .collect();
        let mut table = Table::open(source.loans, columns.names)?;
        while source.limit.is_none_or(|limit| self.portfolio.openings.len() < limit) && table.advance()? {
            let loan = named(&table, reference)?;
            let date = self.date(&table, opened)?;
            let lent = self.natural(&table, principal)?;
            if lent == 0 {
                return Err(table.cell(principal, "is nothing to open a loan with; leave the loan out"));
            }
            let order = self.portfolio.openings.len();
            let owed = i64::try_from(lent).unwrap_or(i64::MAX);
            let Entry::Vacant(place) = self.loans.entry(loan.clone()) else {
                return Err(table.cell(reference, "is there twice; every loan has one row"));
            };
            place.insert(Loan { order, owed, opened: date, last: None });
            let partners = match partners {
                Some(column) => table.text(column).split(';').map(|name| name.trim().to_owned()).collect(),
                None => choose_partners(number(&loan), source.partners.0, source.partners.1),
            };
            let terms = terms(&table, &template)?;
            self.portfolio.openings.push(Opening { loan, date, principal: lent, partners, terms });
        }
        if self.loans.is_empty() {
            Err(table.refuse("there are no loans; add a row for each"))
        } else {
            Ok(())
        }
    }

    fn read_events(&mut self, explain: &mut dyn FnMut(&Explained)) -> Result<(), ImportError> {
        let names = &self.source.mapping.events;
        let mut columns = Columns { names: Vec::new() };
        let places = Places {
            reference: columns.place(&names.reference),
            date: columns.place(&names.date),
            kind: columns.place(&names.kind),
            before: names.before.as_ref().map(|name| columns.place(name)),
            after: names.after.as_ref().map(|name| columns.place(name)),
            principal: columns.place(&names.principal),
            paid: columns.place(&names.paid),
            beside: [&names.fee, &names.penalty].map(|name| name.as_ref().map(|name| columns.place(name))),
            proceeds: names.proceeds.iter().map(|name| columns.place(name)).collect(),
        };
        let mut table = Table::open(self.source.events, columns.names)?;
        while table.advance()? {
            let loan = named(&table, places.reference)?;
            let Some(mut held) = self.loans.remove(&loan) else {
                if self.source.limit.is_some() {
                    continue;
                }
                let problem = "is not in the file of loans; add it there or remove its rows";
                return Err(table.cell(places.reference, problem));
            };
            let explained = self.event(&table, &places, &loan, &mut held)?;
            for (name, reason) in explained.left_out.iter().filter_map(|name| reason(name)) {
                self.portfolio.leave_out(name, reason);
            }
            let events = explained.booked.iter().map(|what| {
                (explained.date, held.order, Event { loan: loan.clone(), date: explained.date, what: *what })
            });
            self.events.extend(events);
            explain(&explained);
            self.loans.insert(loan, held);
        }
        Ok(())
    }

    fn event(
        &self,
        table: &Table,
        places: &Places,
        loan: &str,
        held: &mut Loan,
    ) -> Result<Explained, ImportError> {
        let date = self.date(table, places.date)?;
        let kind = table.text(places.kind).to_owned();
        in_order(table, places, (date, &kind), held)?;
        let action = self.source.mapping.kinds.get(&kind).copied();
        let action = action.ok_or_else(|| {
            let known: Vec<_> = self.source.mapping.kinds.keys().map(String::as_str).collect();
            table.cell(
                places.kind,
                format!("is not a kind of the mapping; use {}, or map it", known.join(", ")),
            )
        })?;
        let row = Row { book: self, table, places };
        let (booked, left_out) = row.becomes(action, held)?;
        Ok(Explained { row: table.row(), loan: loan.to_owned(), date, kind, booked, left_out })
    }

    fn close(mut self) -> Portfolio {
        for _ in self.loans.values().filter(|loan| loan.last.is_none()) {
            if let Some((name, reason)) = reason("loan without events") {
                self.portfolio.leave_out(name, reason);
            }
        }
        self.events.sort_by_key(|(date, order, event)| (*date, *order, event.what));
        self.portfolio.events = self.events.into_iter().map(|(_, _, event)| event).collect();
        self.portfolio
    }

    fn date(&self, table: &Table, column: usize) -> Result<Date, ImportError> {
        let days = self.source.mapping.format.date(table.text(column));
        let days = days.map_err(|problem| table.cell(column, problem))?;
        u32::try_from(days).map(Date).map_err(|_| table.cell(column, "is before 1970; correct it"))
    }

    /// An amount, perhaps below zero; `None` for an empty cell.
    fn amount(&self, table: &Table, column: usize) -> Result<Option<i64>, ImportError> {
        let text = table.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        let amount = self.source.mapping.format.amount(text, self.source.exponent);
        amount.map(Some).map_err(|problem| table.cell(column, problem))
    }

    /// An amount that must be there and not below zero.
    fn natural(&self, table: &Table, column: usize) -> Result<u64, ImportError> {
        let amount = self.amount(table, column)?;
        let amount = amount.ok_or_else(|| table.cell(column, "is empty; a number is needed here"))?;
        u64::try_from(amount).map_err(|_| table.cell(column, "is negative; it must not be below zero here"))
    }
}

fn named(table: &Table, column: usize) -> Result<String, ImportError> {
    match table.text(column) {
        "" => Err(table.cell(column, "is empty; every row names its loan")),
        text => Ok(text.to_owned()),
    }
}

/// A number that stands for a loan: its own where it is one, else the first bytes of a hash.
fn number(loan: &str) -> u64 {
    let hashed =
        || u64::from_le_bytes(*blake3::hash(loan.as_bytes()).as_bytes().first_chunk().unwrap_or(&[0; 8]));
    loan.parse().unwrap_or_else(|_| hashed())
}

/// Terms in words.
fn terms(table: &Table, template: &[(Piece, usize)]) -> Result<String, ImportError> {
    let mut terms = String::new();
    for (piece, column) in template {
        match piece {
            Piece::Text(text) => terms.push_str(text),
            Piece::Column(_) => terms.push_str(table.text(*column)),
            Piece::Percent(_) => {
                let millionths = parse_amount(table.text(*column), 6).map_err(|_| {
                    let problem = "is not a rate; write a fraction such as 0.0729, at most six decimals";
                    table.cell(*column, problem)
                })?;
                let percent = format_amount(millionths, 4);
                let shorter = percent.strip_suffix("00").or_else(|| percent.strip_suffix('0'));
                terms.push_str(shorter.unwrap_or(&percent));
            }
        }
    }
    Ok(terms)
}

/// Why something is not booked, by name.
fn reason(name: &'static str) -> Option<(&'static str, &'static str)> {
    let reason = match name {
        "nothing paid" => "there is nothing to book",
        "nothing recovered" => "there is nothing to book",
        "credit" => "paid beyond what was owed: the customer's money, which stays with the servicer",
        "credit given back" => "the customer's own money is returned; no lender's balance changes",
        "loan without events" => "the loan is opened; the file of events has no row of it",
        _ => return None,
    };
    Some((name, reason))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

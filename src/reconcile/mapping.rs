//! What a bank's file means: which column is what, how numbers and days are written, what its codes stand for.
//!
//! Without a mapping file the standard names hold (`loan`, `event`, `amount`, `value_date` …), amounts are in the
//! currency's units with a point, days are `YYYY-MM-DD`. A mapping file says what is different:
//!
//! ```toml
//! delimiter = ";"
//! decimal = ","
//! thousands = "."
//! units = "major"            # or "minor": whole cents
//! date = "DD.MM.YYYY"
//! currency = "EUR"           # where the file has no such column
//! positive = "usual"         # or "debit", "credit": what a plus means where nothing says the side
//!
//! [columns]
//! loan = "Darlehen"
//! event = "Vorgang"
//!
//! [events]                   # one code may say event and component
//! AUSZ = "drawn"
//! ZINS = "repaid interest"
//!
//! [sides]
//! S = "debit"
//! H = "credit"
//! ```

use super::{
    date::{Pattern, PatternError},
    line::{Component, Currency, Event, Side},
};
use serde::Deserialize;
use std::{collections::BTreeMap, str::FromStr};

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Reference or id of the loan.
    Loan,
    /// What happened.
    Event,
    /// Principal, interest, fee, penalty.
    Component,
    /// Debit or credit.
    Side,
    /// How much.
    Amount,
    /// How much, if it is a debit; in place of `Amount`.
    Debit,
    /// How much, if it is a credit; in place of `Amount`.
    Credit,
    /// In which currency.
    Currency,
    /// From when interest runs.
    Value,
    /// When it was booked.
    Booked,
    /// The event's key: 64 hexadecimal digits of the ledger's, or any text.
    Key,
    /// Status or ageing bucket.
    Bucket,
    /// Account of the counterparty.
    Account,
    /// The customer's pseudonym.
    Customer,
}

impl Column {
    /// All columns, in this order, with their standard names.
    pub const ALL: [(Self, &str); 14] = [
        (Self::Loan, "loan"),
        (Self::Event, "event"),
        (Self::Component, "component"),
        (Self::Side, "side"),
        (Self::Amount, "amount"),
        (Self::Debit, "debit"),
        (Self::Credit, "credit"),
        (Self::Currency, "currency"),
        (Self::Value, "value_date"),
        (Self::Booked, "booking_date"),
        (Self::Key, "event_key"),
        (Self::Bucket, "bucket"),
        (Self::Account, "account"),
        (Self::Customer, "customer"),
    ];

    /// The standard name.
    #[must_use]
    pub fn standard(self) -> &'static str {
        Self::ALL.iter().find(|(column, _)| *column == self).map_or("?", |(_, name)| name)
    }

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|(column, _)| *column == self).unwrap_or(usize::MAX)
    }
}

/// What a plus means where neither a column nor a pair of columns says the side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Positive {
    /// The side on which the event usually stands.
    #[default]
    Usual,
    /// A debit.
    Debit,
    /// A credit.
    Credit,
}

/// What a file means, checked.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Between two cells.
    pub delimiter: u8,
    /// Between the units and the decimals.
    pub decimal: char,
    /// Between groups of three digits, if any.
    pub thousands: Option<char>,
    /// Whether amounts are whole minor units.
    pub is_minor: bool,
    /// How days are written.
    pub dates: Pattern,
    /// The currency of a file without such a column.
    pub currency: Option<Currency>,
    /// What a plus means.
    pub positive: Positive,
    columns: BTreeMap<Column, String>,
    events: BTreeMap<String, (Event, Option<Component>)>,
    components: BTreeMap<String, Component>,
    sides: BTreeMap<String, Side>,
    buckets: BTreeMap<String, String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            delimiter: b',',
            decimal: '.',
            thousands: None,
            is_minor: false,
            dates: Pattern::default(),
            currency: None,
            positive: Positive::default(),
            columns: BTreeMap::new(),
            events: BTreeMap::new(),
            components: BTreeMap::new(),
            sides: BTreeMap::new(),
            buckets: BTreeMap::new(),
        }
    }
}

/// Why a text is not a mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// Not TOML, or keys that do not exist; the message has line and column.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A value that cannot be.
    #[error("`{key}`: `{value}` {problem}")]
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    delimiter: Option<String>,
    decimal: Option<String>,
    thousands: Option<String>,
    units: Units,
    date: Option<String>,
    currency: Option<String>,
    positive: Positive,
    columns: BTreeMap<String, String>,
    events: BTreeMap<String, String>,
    components: BTreeMap<String, String>,
    sides: BTreeMap<String, String>,
    buckets: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Units {
    #[default]
    Major,
    Minor,
}

impl Mapping {
    /// The mapping that a TOML text says.
    ///
    /// # Errors
    /// When it is not TOML, has keys or columns that do not exist, or values that cannot be.
    pub fn read(text: &str) -> Result<Self, MappingError> {
        let file: File = toml::from_str(text)?;
        let separators =
            [("delimiter", &file.delimiter), ("decimal", &file.decimal), ("thousands", &file.thousands)];
        let [delimiter, decimal, thousands] = separators.map(|(key, text)| separator(key, text.as_deref()));
        let (decimal, thousands) = (decimal?.unwrap_or('.'), thousands?);
        if thousands == Some(decimal) {
            return Err(refuse(
                "thousands",
                decimal,
                "stands for decimals, too; one character has one meaning",
            ));
        }
        let delimiter = match delimiter?.map(u8::try_from) {
            None => b',',
            Some(Ok(byte)) if byte.is_ascii() => byte,
            Some(_) => return Err(refuse("delimiter", "", "must be one ASCII character, such as ; or \\t")),
        };
        let dates = match &file.date {
            None => Pattern::default(),
            Some(text) => {
                Pattern::new(text).map_err(|PatternError| refuse("date", text, PatternError.to_string()))?
            }
        };
        let currency = match &file.currency {
            None => None,
            Some(code) => Some(currency(code).ok_or_else(|| refuse("currency", code, NO_CURRENCY))?.0),
        };
        let columns = file.columns.into_iter().map(|(key, name)| column(&key).map(|column| (column, name)));
        Ok(Self {
            delimiter,
            decimal,
            thousands,
            is_minor: file.units == Units::Minor,
            dates,
            currency,
            positive: file.positive,
            columns: columns.collect::<Result<_, _>>()?,
            events: codes("events", file.events, pair)?,
            components: codes("components", file.components, word)?,
            sides: codes("sides", file.sides, word)?,
            buckets: file.buckets,
        })
    }

    /// The name of a column in the file's first line, and whether the mapping gave it (so it must be there).
    #[must_use]
    pub fn column(&self, column: Column) -> (&str, bool) {
        self.columns.get(&column).map_or((column.standard(), false), |name| (name, true))
    }

    /// What a code for an event says; standard names need no code.
    #[must_use]
    pub fn event(&self, code: &str) -> Option<(Event, Option<Component>)> {
        self.events.get(code).copied().or_else(|| pair(&code.to_ascii_lowercase()).ok())
    }

    /// Adds codes for events where the mapping has none of its own.
    pub fn standard_events(&mut self, codes: &[(&str, Event, Component)]) {
        for (code, event, component) in codes {
            self.events.entry((*code).into()).or_insert((*event, Some(*component)));
        }
    }

    /// What a code for a component says.
    #[must_use]
    pub fn component(&self, code: &str) -> Option<Component> {
        self.components.get(code).copied().or_else(|| code.to_ascii_lowercase().parse().ok())
    }

    /// What a code for a side says.
    #[must_use]
    pub fn side(&self, code: &str) -> Option<Side> {
        self.sides.get(code).copied().or_else(|| code.to_ascii_lowercase().parse().ok())
    }

    /// What a code for a bucket says: itself where the mapping says nothing.
    #[must_use]
    pub fn bucket<'a>(&'a self, code: &'a str) -> &'a str {
        self.buckets.get(code).map_or(code, String::as_str)
    }
}

/// What is wrong with a currency that is none.
pub const NO_CURRENCY: &str = "is not a currency; write an ISO 4217 code such as CNY";

/// The currency with a code, and its decimals.
fn currency(code: &str) -> Option<(Currency, u8)> {
    Currency::with_exponent(code)
}

fn refuse(key: impl Into<String>, value: impl ToString, problem: impl Into<String>) -> MappingError {
    let value = value.to_string().chars().take(40).flat_map(char::escape_debug).collect();
    MappingError::Value { key: key.into(), value, problem: problem.into() }
}

fn separator(key: &str, text: Option<&str>) -> Result<Option<char>, MappingError> {
    let Some(text) = text else { return Ok(None) };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None)
            if !only.is_ascii_alphanumeric() && !matches!(only, '"' | '-' | '+' | '\n' | '\r') =>
        {
            Ok(Some(only))
        }
        _ => Err(refuse(key, text, "must be one character that is no letter, digit, sign or quote")),
    }
}

fn column(key: &str) -> Result<Column, MappingError> {
    let found = Column::ALL.iter().find(|(_, name)| *name == key).map(|(column, _)| *column);
    let names = || Column::ALL.map(|(_, name)| name).join(", ");
    found.ok_or_else(|| refuse("columns", key, format!("is no column; there are {}", names())))
}

fn codes<T>(
    table: &str,
    words: BTreeMap<String, String>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<BTreeMap<String, T>, MappingError> {
    let code = |(code, text): (String, String)| match read(&text) {
        Ok(value) => Ok((code, value)),
        Err(problem) => Err(refuse(format!("{table}.{code}"), text, problem)),
    };
    words.into_iter().map(code).collect()
}

fn word<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// `drawn`, or event and component: `repaid interest`.
fn pair(text: &str) -> Result<(Event, Option<Component>), String> {
    match text.split_once(' ') {
        None => Ok((word(text)?, None)),
        Some((event, component)) => Ok((word(event)?, Some(word(component)?))),
    }
}

#[cfg(test)]
mod tests;

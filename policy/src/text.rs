//! A TOML table whose every key and value knows its line and column.

use crate::error::{PolicyError, Problem};
use std::ops::Range;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Longest product file that is read.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// A value and where it stands.
pub(crate) type Value<'i> = Spanned<DeValue<'i>>;

/// The text, to turn spans into lines and columns.
#[derive(Clone, Copy)]
pub(crate) struct Source<'i>(&'i str);

impl<'i> Source<'i> {
    /// Takes a text of bounded length.
    pub(crate) fn new(text: &'i str) -> Result<Self, PolicyError> {
        let source = Self(text);
        if text.len() > MAX_BYTES {
            return Err(source.refuse(0..0, Problem::TooLong { bytes: text.len(), limit: MAX_BYTES }));
        }
        Ok(source)
    }

    /// The whole text as a table.
    pub(crate) fn table(self) -> Result<DeTable<'i>, PolicyError> {
        DeTable::parse(self.0).map(Spanned::into_inner).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let rest = self.0.get(span.start..).unwrap_or("");
            let found = rest.lines().next().unwrap_or("").chars().take(40).collect();
            self.refuse(span, Problem::Syntax { message: error.message().to_owned(), found })
        })
    }

    /// The problem, at the beginning of the span.
    pub(crate) fn refuse(self, span: Range<usize>, problem: Problem) -> PolicyError {
        let before = self.0.get(..span.start).unwrap_or(self.0);
        let line = before.bytes().filter(|&b| b == b'\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or("").chars().count().saturating_add(1);
        PolicyError { line, column, problem }
    }

    /// A value that must be text.
    pub(crate) fn string<'v>(
        self,
        key: &str,
        value: &'v Value<'_>,
        expected: &'static str,
    ) -> Result<&'v str, PolicyError> {
        value.get_ref().as_str().ok_or_else(|| self.wrong_kind(key, value, expected))
    }

    /// A value that must be a whole number in a range.
    pub(crate) fn number<T: TryFrom<u64>>(
        self,
        key: &str,
        value: &Value<'_>,
        least: u64,
        most: u64,
    ) -> Result<T, PolicyError> {
        let integer = value
            .get_ref()
            .as_integer()
            .ok_or_else(|| self.wrong_kind(key, value, "a whole number such as 30"))?;
        u64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| (least..=most).contains(number))
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| {
                let value_text = self.0.get(value.span()).unwrap_or("").chars().take(40).collect();
                self.refuse(
                    value.span(),
                    Problem::Range { key: key.to_owned(), value: value_text, least, most },
                )
            })
    }

    /// The value is of another kind than its key asks for.
    pub(crate) fn wrong_kind(self, key: &str, value: &Value<'_>, expected: &'static str) -> PolicyError {
        let found = match value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with decimals",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.refuse(value.span(), Problem::Kind { key: key.to_owned(), expected, found })
    }

    /// A name: 1 to 32 of `[a-z0-9-]`.
    pub(crate) fn name(self, text: &str, span: Range<usize>) -> Result<String, PolicyError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(text.to_owned());
        }
        Err(self.refuse(span, Problem::Name { value: text.chars().take(40).collect() }))
    }

    /// Refuses a table with a key that is not in the list.
    pub(crate) fn only(self, table: &DeTable<'_>, known: &[&'static str]) -> Result<(), PolicyError> {
        let Some((key, _)) = table.iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())) else {
            return Ok(());
        };
        let written: String = key.get_ref().chars().take(40).collect();
        let nearest = known
            .iter()
            .map(|&known| (strsim::damerau_levenshtein(known, &written), known))
            .filter(|(distance, known)| distance.saturating_mul(2) <= known.len())
            .min()
            .map(|(_, known)| known);
        Err(self.refuse(key.span(), Problem::UnknownKey { key: written, nearest }))
    }
}

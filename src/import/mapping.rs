//! Mappings: how a servicer's files become events, in TOML.
//!
//! Two files, one row per loan and one row per event. A mapping says which column is what, how amounts and dates are
//! written, and what each of the servicer's own kinds does ([`Action`]). See `auto.toml` beside this file for one in use.

use super::Period;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The mapping of the public auto-loan filings.
pub const AUTO: &str = include_str!("auto.toml");

/// Longest mapping that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// How files become events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// How amounts and dates are written.
    pub format: Format,
    /// Columns of the file of loans.
    pub loans: Loans,
    /// Columns of the file of events.
    pub events: Events,
    /// What the servicer's kinds do.
    pub kinds: BTreeMap<String, Action>,
}

/// How amounts and dates are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Whole minor units, or the currency's units with its decimals.
    pub amounts: Unit,
    /// What groups digits; without it a separator is refused, since `1,234` could mean either.
    pub thousands: Option<char>,
    /// The decimal sign.
    #[serde(default = "point")]
    pub decimal: char,
    /// Months or days.
    pub dates: Dates,
}

const fn point() -> char {
    '.'
}

/// Units of amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Whole minor units: cents.
    Minor,
    /// The currency's units.
    Major,
}

/// How dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dates {
    /// `2017-05`: its last day.
    Month,
    /// `2017-05-31`.
    Day,
}

/// Columns of the file of loans.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loans {
    /// The servicer's number of the loan.
    pub reference: String,
    /// When it was paid out.
    pub opened: String,
    /// What was lent.
    pub principal: String,
    /// Terms in words: text with `{column}` or, for a fraction of one, `{column:percent}`.
    #[serde(default)]
    pub terms: String,
    /// Names of the partner banks, separated by `;`. Without it they follow from the loan's number.
    pub partners: Option<String>,
}

/// Columns of the file of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// The servicer's number of the loan.
    pub reference: String,
    /// When it happened.
    pub date: String,
    /// What happened.
    pub kind: String,
    /// What was owed before.
    pub before: Option<String>,
    /// What is owed after.
    pub after: Option<String>,
    /// What of a payment reduces what is owed.
    pub principal: String,
    /// All of a payment; what is no principal, fee or penalty in it is interest.
    pub paid: String,
    /// Fees in a payment.
    pub fee: Option<String>,
    /// Penalties in a payment.
    pub penalty: Option<String>,
    /// Money beside payments; below zero it is a cost. Added up.
    #[serde(default)]
    pub proceeds: Vec<String>,
}

/// What a kind does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The customer pays.
    Pay,
    /// What is owed rises without money; what was paid beside it is interest.
    Raise,
    /// All banks write off what is owed.
    WriteOff,
    /// Money after a write-off.
    Recover,
    /// Nothing was paid.
    Nothing,
}

/// A mapping that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Not TOML, or not of this form.
    #[error("mapping: {0}")]
    Text(String),
    /// Longer than a mapping may be.
    #[error("mapping: longer than 64 KiB; a mapping names a few columns and kinds")]
    TooLong,
    /// No kind is mapped.
    #[error("mapping: `[kinds]` is empty; say what each kind of the file does, as in `payment = \"pay\"`")]
    NoKinds,
    /// A separator that is also the decimal sign.
    #[error("mapping: `thousands` and `decimal` are both `{0}`; they must differ")]
    Separators(char),
    /// A template that does not close.
    #[error("mapping: `terms` has a `{{` without `}}`; write `{{column}}`")]
    Terms,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// [`MappingError`], with line and column where the text is wrong.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        if text.len() > MAX_BYTES {
            return Err(MappingError::TooLong);
        }
        let mapping: Self =
            toml::from_str(text).map_err(|e| MappingError::Text(e.to_string().trim_end().to_owned()))?;
        if mapping.kinds.is_empty() {
            return Err(MappingError::NoKinds);
        }
        if mapping.format.thousands == Some(mapping.format.decimal) {
            return Err(MappingError::Separators(mapping.format.decimal));
        }
        mapping.loans.template()?;
        Ok(mapping)
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Column(String),
    /// A fraction of one, as a percentage.
    Percent(String),
}

impl Loans {
    pub(super) fn template(&self) -> Result<Vec<Piece>, MappingError> {
        let (mut pieces, mut rest) = (Vec::new(), self.terms.as_str());
        while let Some((text, after)) = rest.split_once('{') {
            let closed = after.split_once('}').filter(|(column, _)| !column.contains('{'));
            let (column, after) = closed.ok_or(MappingError::Terms)?;
            pieces.push(Piece::Text(text.to_owned()));
            pieces.push(match column.strip_suffix(":percent") {
                Some(column) => Piece::Percent(column.to_owned()),
                None => Piece::Column(column.to_owned()),
            });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(pieces)
    }
}

impl Format {
    /// An amount in minor units, perhaps below zero.
    ///
    /// # Errors
    /// What is wrong with the text and what to do.
    pub(super) fn amount(&self, text: &str, exponent: u8) -> Result<i64, String> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let grouped = self.thousands.map_or_else(|| digits.to_owned(), |sign| digits.replace(sign, ""));
        let minor = match self.amounts {
            Unit::Minor => not_whole(&grouped).map_or(Ok(grouped), |problem| Err(problem.to_owned()))?,
            Unit::Major => {
                let plain = grouped.replace(self.decimal, ".");
                let amount = counterfoil_policy::parse_amount(&plain, exponent);
                amount.map_err(|error| format!("is not an amount: {error}"))?.to_string()
            }
        };
        if negative && minor.bytes().all(|b| b == b'0') {
            return Err("is a negative zero; write 0".into());
        }
        let amount: i64 =
            minor.parse().map_err(|_| "is too large; a number has at most 63 bits".to_owned())?;
        Ok(if negative { amount.saturating_neg() } else { amount })
    }

    /// A date in days since 1970-01-01.
    ///
    /// # Errors
    /// What is wrong with the text and what to do.
    pub(super) fn date(&self, text: &str) -> Result<i64, String> {
        let month = |text: &str| text.parse::<Period>().ok();
        match self.dates {
            Dates::Month => {
                month(text).map(Period::days).ok_or_else(|| "is not a month; write it as in 2017-05".into())
            }
            Dates::Day => {
                let parts = text.rsplit_once('-').filter(|(_, day)| day.len() == 2);
                let parts = parts.and_then(|(period, day)| Some((month(period)?, day.parse::<u8>().ok()?)));
                let exists = parts.filter(|(period, day)| (1..=period.date().2).contains(day));
                let (period, day) = exists.ok_or("is not a day; write it as in 2017-05-31")?;
                Ok(period.days().saturating_sub(i64::from(period.date().2.saturating_sub(day))))
            }
        }
    }
}

/// Why a text is not digits and nothing else.
fn not_whole(digits: &str) -> Option<&'static str> {
    let odd = digits.chars().find(|c| !c.is_ascii_digit());
    match odd {
        None if digits.is_empty() => Some("is not a number; write digits"),
        None => None,
        Some('.') => Some("has decimals; amounts here are whole cents"),
        Some(',' | '\'' | '_' | ' ' | '\u{a0}' | '\u{2019}') => Some(
            "has a separator; write the digits without grouping, or name it as `thousands` in the mapping",
        ),
        Some(_) => Some("is not a number; write digits"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_as_people_write_them() {
        let format =
            |amounts, thousands, decimal| Format { amounts, thousands, decimal, dates: Dates::Month };
        let table: [(Format, &str, Result<i64, &str>); 14] = [
            (format(Unit::Minor, None, '.'), "-1250", Ok(-1_250)),
            (format(Unit::Minor, None, '.'), "1,250", Err("separator")),
            (format(Unit::Minor, None, '.'), "12.50", Err("decimals")),
            (format(Unit::Minor, None, '.'), "-0", Err("negative zero")),
            (format(Unit::Minor, None, '.'), "", Err("not a number")),
            (format(Unit::Minor, None, '.'), "9223372036854775808", Err("too large")),
            (format(Unit::Minor, Some(','), '.'), "1,250", Ok(1_250)),
            (format(Unit::Major, None, '.'), "12.5", Ok(1_250)),
            (format(Unit::Major, None, '.'), "12.505", Err("3 decimals")),
            (format(Unit::Major, Some('.'), ','), "1.234.567,89", Ok(123_456_789)),
            (format(Unit::Major, Some(','), '.'), "-1,234.5", Ok(-123_450)),
            (format(Unit::Major, None, '.'), "-0.00", Err("negative zero")),
            (format(Unit::Major, None, '.'), "--1", Err("negative")),
            (format(Unit::Major, None, '.'), "184467440737095516.16", Err("too large")),
        ];
        for (format, text, expected) in table {
            match (format.amount(text, 2), expected) {
                (Ok(amount), Ok(expected)) => assert_eq!(amount, expected, "{text}"),
                (Err(error), Err(words)) => assert!(error.contains(words), "{text}: {error}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn dates() {
        let format = |dates| Format { amounts: Unit::Minor, thousands: None, decimal: '.', dates };
        assert_eq!(format(Dates::Month).date("2017-05"), format(Dates::Day).date("2017-05-31"));
        assert_eq!(format(Dates::Day).date("1970-01-02"), Ok(1));
        for text in ["2017-02-29", "2017-13-01", "2017-05-00", "2017-05-1", "2017-05", "31.05.2017"] {
            assert!(format(Dates::Day).date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mappings_say_what_is_wrong() {
        assert!(Mapping::parse(AUTO).is_ok());
        for (old, new, said) in [
            ("payment = \"pay\"", "payment = \"give\"", "unknown variant `give`"),
            ("before = ", "befor = ", "unknown field `befor`"),
            ("{rate:percent}", "{rate:percent", "without `}`"),
            ("dates = ", "thousands = \".\"\ndates = ", "both `.`"),
            ("reference = \"loan_id\"\nopened", "opened", "missing field `reference`"),
        ] {
            let error = Mapping::parse(&AUTO.replacen(old, new, 1)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let cut = AUTO.split("[kinds]").next().unwrap().to_owned() + "[kinds]\n";
        assert_eq!(Mapping::parse(&cut).unwrap_err(), MappingError::NoKinds);
    }
}

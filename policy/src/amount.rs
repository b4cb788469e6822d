//! Amounts as people write them ⇄ whole minor units.
//!
//! The exponent is ISO 4217's: CNY 2, JPY 0, KWD 3. One spelling is read: digits, and at most one point followed by at
//! most `exponent` digits. Whatever could mean two things (a comma, a third decimal, a minus before nothing) is refused
//! rather than guessed.

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing there.
    #[error("the amount is empty; write a number such as 1234.50")]
    Empty,
    /// A minus, in front of zero too.
    #[error("`{text}` is negative; amounts are never below zero, a debit or credit says the direction")]
    Negative {
        /// The text as read.
        text: String,
    },
    /// Grouped digits, or a comma for the point: 1,234 could mean either.
    #[error(
        "`{text}` has a separator `{separator}`; write the digits without grouping and a point for decimals"
    )]
    Separator {
        /// The text as read.
        text: String,
        /// The character in question.
        separator: char,
    },
    /// More decimals than the currency has.
    #[error("`{text}` has {found} decimals; the currency has {allowed}, write at most so many")]
    Decimals {
        /// The text as read.
        text: String,
        /// Decimals in the text.
        found: usize,
        /// The exponent.
        allowed: u8,
    },
    /// Not a number in the one spelling that is read.
    #[error("`{text}` is not an amount; write digits and at most one point with digits on both sides")]
    Malformed {
        /// The text as read.
        text: String,
    },
    /// 2^64 minor units or more.
    #[error("`{text}` is too large; an amount is below 2^64 minor units")]
    TooLarge {
        /// The text as read.
        text: String,
    },
}

/// Reads an amount in the currency's units and returns minor units: `parse_amount("12.5", 2)` is 1250.
///
/// # Errors
/// [`AmountError`] when the text is empty, negative (`-0` too), has separators, more than `exponent` decimals, other
/// characters, or does not fit in 64 bits.
pub fn parse_amount(text: &str, exponent: u8) -> Result<u64, AmountError> {
    let said = || text.chars().take(40).collect::<String>();
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    if text.starts_with(['-', '\u{2212}']) {
        return Err(AmountError::Negative { text: said() });
    }
    if let Some(separator) =
        text.chars().find(|c| matches!(c, ',' | '_' | '\'' | '\u{2019}') || c.is_whitespace())
    {
        return Err(AmountError::Separator { text: said(), separator });
    }
    let (whole, decimals) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !decimals.is_none_or(digits) {
        return Err(AmountError::Malformed { text: said() });
    }
    let decimals = decimals.unwrap_or("");
    if decimals.len() > usize::from(exponent) {
        return Err(AmountError::Decimals { text: said(), found: decimals.len(), allowed: exponent });
    }
    let padding = usize::from(exponent).saturating_sub(decimals.len());
    whole
        .bytes()
        .chain(decimals.bytes())
        .chain(std::iter::repeat_n(b'0', padding))
        .try_fold(0u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0'))))
        .ok_or_else(|| AmountError::TooLarge { text: said() })
}

/// Writes minor units in the currency's units, always with all decimals: `format_amount(123456, 2)` is `1234.56`.
#[must_use]
pub fn format_amount(minor: u64, exponent: u8) -> String {
    let (whole, decimals) = digits(minor, exponent);
    if exponent == 0 { whole } else { format!("{whole}.{decimals}") }
}

/// The same with thousands separators, for eyes only: `1,234.56`. [`parse_amount`] refuses it.
#[must_use]
pub fn format_grouped(minor: u64, exponent: u8) -> String {
    let (whole, decimals) = digits(minor, exponent);
    let mut text = String::new();
    for (left, digit) in (1..=whole.len()).rev().zip(whole.chars()) {
        text.push(digit);
        if left > 1 && left.checked_rem(3) == Some(1) {
            text.push(',');
        }
    }
    if exponent == 0 { text } else { format!("{text}.{decimals}") }
}

fn digits(minor: u64, exponent: u8) -> (String, String) {
    let exponent = usize::from(exponent);
    let width = exponent.saturating_add(1);
    let text = format!("{minor:0>width$}");
    let (whole, decimals) = text.split_at(text.len().saturating_sub(exponent));
    (whole.to_owned(), decimals.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads() {
        for (text, exponent, minor) in [
            ("0", 2, 0),
            ("0.01", 2, 1),
            ("50000.00", 2, 5_000_000),
            ("50000", 2, 5_000_000),
            ("12.5", 2, 1250),
            ("007", 0, 7),
            ("1.234", 3, 1234),
            ("184467440737095516.15", 2, u64::MAX),
            ("18446744073709551615", 0, u64::MAX),
        ] {
            assert_eq!(parse_amount(text, exponent), Ok(minor), "{text}");
        }
    }

    #[test]
    fn refuses() {
        for (text, exponent, said) in [
            ("", 2, "the amount is empty"),
            ("-1", 2, "negative"),
            ("-0", 2, "negative"),
            ("-0.00", 2, "negative"),
            ("\u{2212}5", 2, "negative"),
            ("1,234.50", 2, "separator `,`"),
            ("1 234", 2, "separator ` `"),
            ("1_234", 2, "separator `_`"),
            ("1'234", 2, "separator `'`"),
            ("12,50", 2, "separator `,`"),
            ("1.234", 2, "3 decimals; the currency has 2"),
            ("1.0", 0, "1 decimals; the currency has 0"),
            ("1.", 2, "not an amount"),
            (".5", 2, "not an amount"),
            (".", 2, "not an amount"),
            ("1.2.3", 2, "not an amount"),
            ("+1", 2, "not an amount"),
            ("1e3", 2, "not an amount"),
            ("0x10", 2, "not an amount"),
            ("١٢", 2, "not an amount"),
            ("NaN", 2, "not an amount"),
            ("18446744073709551616", 0, "too large"),
            ("184467440737095516.16", 2, "too large"),
            ("1", 20, "too large"),
        ] {
            let error = parse_amount(text, exponent).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_long_text_is_shortened_in_the_message() {
        let error = parse_amount(&"9".repeat(10_000), 2).unwrap_err().to_string();
        assert!(error.len() < 120, "{error}");
    }

    #[test]
    fn writes() {
        assert_eq!(format_amount(5, 2), "0.05");
        assert_eq!(format_amount(123_456_789, 2), "1234567.89");
        assert_eq!(format_amount(5, 0), "5");
        assert_eq!(format_grouped(123_456_789, 2), "1,234,567.89");
        assert_eq!(format_grouped(99_999, 2), "999.99");
        assert_eq!(format_grouped(1_000, 0), "1,000");
        assert_eq!(format_grouped(0, 3), "0.000");
        assert_eq!(format_grouped(u64::MAX, 2), "184,467,440,737,095,516.15");
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(minor: u64, exponent in 0u8..=4) {
            prop_assert_eq!(parse_amount(&format_amount(minor, exponent), exponent), Ok(minor));
            prop_assert_eq!(format_grouped(minor, exponent).replace(',', ""), format_amount(minor, exponent));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}", exponent: u8) {
            let _ = parse_amount(&text, exponent);
        }
    }
}

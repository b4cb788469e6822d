//! Calendar days as files write them ⇄ days since 1970-01-01.
//!
//! A pattern is what people write in a mapping file: `YYYY-MM-DD`, `DD.MM.YYYY`, `YYYYMMDD`. Source of the arithmetic:
//! H. Hinnant, *chrono-compatible low-level date algorithms*.

#![allow(clippy::arithmetic_side_effects, reason = "numbers of at most four digits, in 64 bits")]

use std::fmt;

/// A calendar day, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The day with this year (1 to 9999), month and day of the month, if there is one.
    #[must_use]
    pub fn of(year: i64, month: i64, day: i64) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
            return None;
        }
        // Years count from March, so that the leap day comes last.
        let (from_march, march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let leap_days = from_march.div_euclid(4) - from_march.div_euclid(100) + from_march.div_euclid(400);
        let days = from_march * 365 + leap_days + (march * 153 + 2) / 5 + day - 719_469;
        i32::try_from(days).ok().map(Self)
    }

    /// How many days after `other`, negative for before.
    #[must_use]
    pub fn since(self, other: Self) -> i64 {
        i64::from(self.0) - i64::from(other.0)
    }

    fn parts(self) -> (i64, i64, i64) {
        let days = i64::from(self.0) + 719_468;
        let (era, in_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let in_era_years = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
        let in_year = in_era - (365 * in_era_years + in_era_years / 4 - in_era_years / 100);
        let march = (5 * in_year + 2) / 153;
        let (day, month) =
            (in_year - (153 * march + 2) / 5 + 1, if march < 10 { march + 3 } else { march - 9 });
        (in_era_years + era * 400 + i64::from(month <= 2), month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// How a file writes days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// A text that is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a date pattern; write YYYY, MM and DD once each, as in YYYY-MM-DD or DD.MM.YYYY")]
pub struct PatternError;

impl Default for Pattern {
    fn default() -> Self {
        Self("YYYY-MM-DD".into())
    }
}

impl Pattern {
    /// The pattern of a text such as `DD.MM.YYYY`.
    ///
    /// # Errors
    /// When year, month and day do not stand in it once each, with all their digits.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let once = |letter: char, times: usize| {
            let run = String::from(letter).repeat(times);
            text.matches(letter).count() == times && text.contains(&run)
        };
        let plain = text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_digit());
        let fits = plain && text.len() <= 32 && once('Y', 4) && once('M', 2) && once('D', 2);
        fits.then(|| Self(text.into())).ok_or(PatternError)
    }

    /// The text of the pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The day that a text says in this pattern, with all digits and nothing besides; `None`: it is no such day.
    #[must_use]
    pub fn day(&self, text: &str) -> Option<Day> {
        if text.len() != self.0.len() {
            return None;
        }
        let (mut year, mut month, mut day) = (0, 0, 0);
        for (letter, byte) in self.0.bytes().zip(text.bytes()) {
            let number = match letter {
                b'Y' => &mut year,
                b'M' => &mut month,
                b'D' => &mut day,
                _ if letter == byte => continue,
                _ => return None,
            };
            if !byte.is_ascii_digit() {
                return None;
            }
            *number = *number * 10 + i64::from(byte - b'0');
        }
        Day::of(year, month, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_have_their_numbers() {
        for (text, number) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2017-05-31", 17_317)]
        {
            assert_eq!(Pattern::default().day(text), Some(Day(number)), "{text}");
            assert_eq!(Day(number).to_string(), text);
        }
    }

    #[test]
    fn patterns_and_days_that_are_none() {
        let read = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().day(text);
        assert_eq!(read("DD.MM.YYYY", "31.05.2017"), Some(Day(17_317)));
        assert_eq!(read("YYYYMMDD", "20170531"), Some(Day(17_317)));
        for text in [
            "31.06.2017",
            "29.02.2100",
            "00.05.2017",
            "31.05.0000",
            "31-05-2017",
            "1.5.2017",
            "+1.05.2017",
            "١",
        ] {
            assert_eq!(read("DD.MM.YYYY", text), None, "{text}");
        }
        for pattern in ["", "YYYY-MM", "YY-MM-DD", "YYYY-MM-DD-DD", "YYMMYYDD", "YYYY0MMDD"] {
            assert_eq!(Pattern::new(pattern), Err(PatternError), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(number in -719_162i32..2_932_896) {
            prop_assert_eq!(Pattern::default().day(&Day(number).to_string()), Some(Day(number)));
        }

        #[test]
        fn no_text_panics(text in ".{0,12}") {
            let _ = Pattern::default().day(&text);
        }
    }
}

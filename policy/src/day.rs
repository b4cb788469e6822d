//! Calendar days: counted from 1970-01-01, read and written as ISO 8601, moved by whole months.
//!
//! Months are counted from an anchor, never from the day before: 31 January, 28 February, 31 March. Whoever adds one month
//! twice to 31 January ends at 28 March; two systems that do not do the same differ by three days of interest.
//!
//! The Gregorian calendar itself is the crate `time`'s, without its clock.

use borsh::{BorshDeserialize, BorshSerialize, io};
use std::{fmt, str::FromStr};
use time::{Date, Month};

/// Julian day number of 1970-01-01.
const EPOCH: i32 = 2_440_588;
/// 9999-12-31 as days since 1970-01-01.
const LAST: u32 = 2_932_896;

/// A day from 1970-01-01 to 9999-12-31, as the number of days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct Day(u32);

/// Why there is no such day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// Before 1970 or after 9999.
    #[error("a day lies between 1970-01-01 and 9999-12-31; check the dates and the number of instalments")]
    Range,
    /// No such day in the calendar.
    #[error("{year:04}-{month:02}-{day:02} is not a day of the calendar; check month and day")]
    NoSuchDay {
        /// The year as given.
        year: u16,
        /// The month as given.
        month: u8,
        /// The day of the month as given.
        day: u8,
    },
    /// Not the one spelling that is read.
    #[error("`{text}` is not a day; write year, month and day as 2024-02-29")]
    Malformed {
        /// The text as read.
        text: String,
    },
}

/// What becomes of an anchor at the end of a month when months are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum MonthEnd {
    /// The same day of the month, or the month's last where it has none: 28 February, 28 March; 31 January, 28 February.
    #[default]
    SameDay,
    /// Last day stays last day: 28 February, 31 March (not in a leap year, when the 28th is not the last).
    LastDay,
}

impl MonthEnd {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SameDay, Self::LastDay];

    /// Its name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SameDay => "same-day",
            Self::LastDay => "last-day",
        }
    }
}

impl Day {
    /// The first day there is.
    pub const MIN: Self = Self(0);
    /// The last day there is.
    pub const MAX: Self = Self(LAST);

    /// The day that lies so many days after 1970-01-01.
    ///
    /// # Errors
    /// [`DayError::Range`] above 2,932,896 (9999-12-31).
    pub fn new(days: u32) -> Result<Self, DayError> {
        if days <= LAST { Ok(Self(days)) } else { Err(DayError::Range) }
    }

    /// The day of a year (1970 to 9999), month (1 to 12) and day of the month (from 1).
    ///
    /// # Errors
    /// [`DayError::Range`] for another year, [`DayError::NoSuchDay`] for a 30 February.
    pub fn of(year: u16, month: u8, day: u8) -> Result<Self, DayError> {
        if !(1970..=9999).contains(&year) {
            return Err(DayError::Range);
        }
        let no_such_day = |_| DayError::NoSuchDay { year, month, day };
        let named = Month::try_from(month).map_err(no_such_day)?;
        let date = Date::from_calendar_date(i32::from(year), named, day).map_err(no_such_day)?;
        Self::from_date(date)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> u32 {
        self.0
    }

    /// Year, month from 1 and day of the month from 1.
    #[must_use]
    pub fn year_month_day(self) -> (u16, u8, u8) {
        let (year, month, day) = self.date().to_calendar_date();
        (u16::try_from(year).unwrap_or(u16::MAX), u8::from(month), day) // 1970 to 9999
    }

    /// Day of the week: 0 is Monday, 6 is Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        self.date().weekday().number_days_from_monday()
    }

    /// Whether it is the last day of its month.
    #[must_use]
    pub fn is_month_end(self) -> bool {
        let date = self.date();
        date.day() == date.month().length(date.year())
    }

    /// The day so many days later.
    ///
    /// # Errors
    /// [`DayError::Range`] after 9999.
    pub fn plus_days(self, days: u32) -> Result<Self, DayError> {
        self.0.checked_add(days).ok_or(DayError::Range).and_then(Self::new)
    }

    /// The day so many whole months later, counted from this one as the anchor.
    ///
    /// # Errors
    /// [`DayError::Range`] after 9999.
    pub fn plus_months(self, months: u32, end: MonthEnd) -> Result<Self, DayError> {
        let (year, month, day) = self.year_month_day();
        let index = u32::from(year)
            .checked_mul(12)
            .and_then(|index| index.checked_add(u32::from(month).saturating_sub(1))?.checked_add(months))
            .ok_or(DayError::Range)?;
        let year = u16::try_from(index.div_euclid(12)).map_err(|_| DayError::Range)?;
        let month = u8::try_from(index.rem_euclid(12)).map_err(|_| DayError::Range)?.saturating_add(1);
        let named = Month::try_from(month).map_err(|_| DayError::Range)?;
        let length = named.length(i32::from(year));
        let sticks = end == MonthEnd::LastDay && self.is_month_end();
        Self::of(year, month, if sticks { length } else { day.min(length) })
    }

    /// Days from this day to a later one, 0 when it is not later.
    #[must_use]
    pub fn until(self, later: Self) -> u32 {
        later.0.saturating_sub(self.0)
    }

    fn date(self) -> Date {
        let julian = i32::try_from(self.0).unwrap_or(0).saturating_add(EPOCH);
        Date::from_julian_day(julian).expect("a day is at most 9999-12-31: every constructor checks it")
    }

    fn from_date(date: Date) -> Result<Self, DayError> {
        let days = date.to_julian_day().saturating_sub(EPOCH);
        u32::try_from(days).map_err(|_| DayError::Range).and_then(Self::new)
    }
}

impl FromStr for Day {
    type Err = DayError;

    /// Reads `2024-02-29`, ten characters, and nothing else: no single digits, other separators or spaces.
    fn from_str(text: &str) -> Result<Self, DayError> {
        let malformed = || DayError::Malformed { text: text.chars().take(40).collect() };
        let number = |at: std::ops::Range<usize>| {
            let digits = text.get(at).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|part| part.parse::<u16>().ok()).ok_or_else(malformed)
        };
        let dashes = [4, 7].iter().all(|&at| text.as_bytes().get(at) == Some(&b'-'));
        if text.len() != 10 || !dashes {
            return Err(malformed());
        }
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let small = |number: u16| u8::try_from(number).map_err(|_| malformed()); // two digits
        Self::of(year, small(month)?, small(day)?)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.year_month_day();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl BorshDeserialize for Day {
    /// Refuses a number above 9999-12-31: every other method relies on the bound.
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let days = u32::deserialize_reader(reader)?;
        Self::new(days).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

//! Business days: which days a bank is open, and where a due date goes that falls on another.
//!
//! A calendar is configuration: weekend days, holidays, and the weekend days that are worked nevertheless (China makes
//! up for long holidays by working weekends). Two banks with different calendars break on the due date first and on
//! the interest next, so a consortium has one per currency.
//!
//! Source of the roll rules: 2006 ISDA Definitions, section 4.12 (Business Day Convention).

use crate::day::{Day, DayError};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;

/// Most holidays and worked weekend days of one calendar: forty years of them, and a bound on memory.
pub const MAX_EXCEPTIONS: usize = 4_096;
/// Most closed days in a row that a date is rolled over. The longest real closures are under two weeks.
const MAX_CLOSED: u32 = 30;

/// Where a date goes that is no business day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Roll {
    /// Nowhere: the date stays.
    #[default]
    Unadjusted,
    /// To the next business day.
    Following,
    /// To the next business day, or the one before when that is in another month.
    ModifiedFollowing,
    /// To the business day before.
    Preceding,
}

/// The business days of one place or currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    weekend: BTreeSet<u8>,
    holidays: BTreeSet<Day>,
    worked: BTreeSet<Day>,
}

/// What is wrong with a calendar, or with a date under it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// No such day of the week.
    #[error("weekday {weekday} does not exist; write 0 for Monday to 6 for Sunday")]
    Weekday {
        /// The number as given.
        weekday: u8,
    },
    /// Open and closed at once.
    #[error("{day} is both a holiday and a worked day; keep one of the two")]
    Contradiction {
        /// The day.
        day: Day,
    },
    /// More exceptions than are held.
    #[error("the calendar has {count} exceptions; at most {MAX_EXCEPTIONS} are allowed, drop past years")]
    TooMany {
        /// Holidays and worked days together.
        count: usize,
    },
    /// Closed for longer than any bank is.
    #[error(
        "no business day lies within {MAX_CLOSED} days of {day}; the calendar's holidays or weekend are wrong"
    )]
    Closed {
        /// The date to roll.
        day: Day,
    },
    /// Rolled out of the range of days.
    #[error(transparent)]
    Day(#[from] DayError),
}

impl Roll {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unadjusted, Self::Following, Self::ModifiedFollowing, Self::Preceding];

    /// Its name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unadjusted => "unadjusted",
            Self::Following => "following",
            Self::ModifiedFollowing => "modified-following",
            Self::Preceding => "preceding",
        }
    }
}

impl Calendar {
    /// A calendar by its weekend (0 is Monday, 6 is Sunday), its holidays and the days that are worked though they fall on
    /// the weekend.
    ///
    /// # Errors
    /// [`CalendarError`] for a weekday above 6, a day both holiday and worked, or more than [`MAX_EXCEPTIONS`] of both.
    pub fn new(weekend: &[u8], holidays: &[Day], worked: &[Day]) -> Result<Self, CalendarError> {
        let count = holidays.len().saturating_add(worked.len());
        if count > MAX_EXCEPTIONS {
            return Err(CalendarError::TooMany { count });
        }
        if let Some(&weekday) = weekend.iter().find(|&&weekday| weekday > 6) {
            return Err(CalendarError::Weekday { weekday });
        }
        let calendar = Self {
            weekend: weekend.iter().copied().collect(),
            holidays: holidays.iter().copied().collect(),
            worked: worked.iter().copied().collect(),
        };
        match calendar.holidays.intersection(&calendar.worked).next() {
            Some(&day) => Err(CalendarError::Contradiction { day }),
            None => Ok(calendar),
        }
    }

    /// A calendar on which every day is a business day.
    #[must_use]
    pub fn always_open() -> Self {
        Self::default()
    }

    /// A calendar of Saturdays and Sundays without holidays.
    #[must_use]
    pub fn weekends() -> Self {
        Self { weekend: BTreeSet::from([5, 6]), ..Self::default() }
    }

    /// Whether banks are open on the day.
    #[must_use]
    pub fn is_business_day(&self, day: Day) -> bool {
        let closed = self.weekend.contains(&day.weekday()) || self.holidays.contains(&day);
        !closed || self.worked.contains(&day)
    }

    /// The date moved by the rule: the date itself when it is a business day or the rule is [`Roll::Unadjusted`].
    ///
    /// # Errors
    /// [`CalendarError::Closed`] when no business day lies within 30 days in the rule's direction,
    /// [`CalendarError::Day`] when that would be before 1970 or after 9999.
    pub fn roll(&self, day: Day, roll: Roll) -> Result<Day, CalendarError> {
        match roll {
            Roll::Unadjusted => Ok(day),
            Roll::Following => self.following(day),
            Roll::Preceding => self.preceding(day),
            Roll::ModifiedFollowing => match self.following(day) {
                Ok(next) if same_month(next, day) => Ok(next),
                Ok(_) | Err(CalendarError::Day(_)) => self.preceding(day),
                Err(error) => Err(error),
            },
        }
    }

    fn following(&self, day: Day) -> Result<Day, CalendarError> {
        self.nearest(day, |step| day.plus_days(step))
    }

    fn preceding(&self, day: Day) -> Result<Day, CalendarError> {
        self.nearest(day, |step| day.days().checked_sub(step).ok_or(DayError::Range).and_then(Day::new))
    }

    fn nearest(&self, day: Day, step: impl Fn(u32) -> Result<Day, DayError>) -> Result<Day, CalendarError> {
        for distance in 0..=MAX_CLOSED {
            let candidate = step(distance)?;
            if self.is_business_day(candidate) {
                return Ok(candidate);
            }
        }
        Err(CalendarError::Closed { day })
    }
}

fn same_month(a: Day, b: Day) -> bool {
    let ((year, month, _), (other_year, other_month, _)) = (a.year_month_day(), b.year_month_day());
    (year, month) == (other_year, other_month)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

//! How late a loan is: days past due, the bucket they fall into, and the class below which no bank may count it.
//!
//! Days are counted from the *oldest* due date of which anything is open: a payment that covers the newest instalment does
//! not make a loan younger. Buckets and classes are configuration.
//!
//! Source of the default classes: Measures for the Risk Classification of Financial Assets of Commercial Banks (China
//! 2023): overdue at all is at least special-mention, over 90 days substandard, over 270 doubtful, over 360 loss;
//! the last three are non-performing.

use crate::{day::Day, waterfall::Due};
use borsh::BorshSerialize;

/// Most buckets of a product, and a bound on what a configuration can make us hold.
pub const MAX_BUCKETS: usize = 16;

/// The oldest due date of which anything is open, past due or not.
#[must_use]
pub fn oldest_unpaid(dues: &[Due]) -> Option<Day> {
    dues.iter().filter(|due| due.open.sum() > 0).map(|due| due.on).min()
}

/// Days since the oldest unpaid due date: 0 on that day and before, and when nothing is open.
#[must_use]
pub fn days_past_due(oldest_unpaid: Option<Day>, on: Day) -> u32 {
    oldest_unpaid.map_or(0, |due| due.until(on))
}

/// Ranges of days past due.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Buckets {
    /// The last day of every bucket but the last, rising.
    until: Vec<u16>,
}

/// Why days do not make buckets or classes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgeingError {
    /// Too few or too many.
    #[error("{count} bounds; name from 1 to {}, each the last day of a bucket", MAX_BUCKETS.saturating_sub(1))]
    Count {
        /// Bounds given.
        count: usize,
    },
    /// Not rising.
    #[error("{bound} days come after {before}; name the bounds in rising order, each once")]
    Order {
        /// The bound before.
        before: u16,
        /// The bound that is not above it.
        bound: u16,
    },
}

impl Buckets {
    /// Buckets by the last day of each but the last, rising: `[0, 30, 60]` makes current, 1-30, 31-60 and over 60.
    ///
    /// # Errors
    /// [`AgeingError`] for no bound, [`MAX_BUCKETS`] or more, or bounds that do not rise.
    pub fn new(until: &[u16]) -> Result<Self, AgeingError> {
        if !(1..MAX_BUCKETS).contains(&until.len()) {
            return Err(AgeingError::Count { count: until.len() });
        }
        check_rising(until)?;
        Ok(Self { until: until.to_vec() })
    }

    /// The bounds.
    #[must_use]
    pub fn bounds(&self) -> &[u16] {
        &self.until
    }

    /// How many buckets there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.until.len().saturating_add(1)
    }

    /// The bucket of so many days past due, from 0.
    #[must_use]
    pub fn bucket(&self, days_past_due: u32) -> usize {
        self.until.partition_point(|&bound| u32::from(bound) < days_past_due)
    }

    /// A bucket's name: `current`, `1-30`, `over 180`. Every bucket past the last has the last one's.
    #[must_use]
    pub fn label(&self, bucket: usize) -> String {
        let before = bucket.min(self.until.len()).checked_sub(1).and_then(|index| self.until.get(index));
        match (before, self.until.get(bucket)) {
            (None, Some(0)) => "current".to_owned(),
            (None, until) => format!("0-{}", until.copied().unwrap_or(0)), // there is a first bound
            (Some(before), Some(until)) => format!("{}-{until}", before.saturating_add(1)),
            (Some(before), None) => format!("over {before}"),
        }
    }
}

impl Default for Buckets {
    /// Current, 1-30, 31-60, 61-90, 91-180, over 180.
    fn default() -> Self {
        Self { until: vec![0, 30, 60, 90, 180] }
    }
}

/// How well a loan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub enum Class {
    /// As agreed.
    Normal,
    /// Overdue.
    SpecialMention,
    /// Non-performing.
    Substandard,
    /// Non-performing, a loss is likely.
    Doubtful,
    /// Non-performing, little will come back.
    Loss,
}

/// Days past due beyond which a loan is at least special-mention, substandard, doubtful, loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Classes([u16; 4]);

impl Classes {
    /// The four bounds, rising: a loan is in the class when it is past due for *more* days.
    ///
    /// # Errors
    /// [`AgeingError::Order`] when they do not rise.
    pub fn new(over: [u16; 4]) -> Result<Self, AgeingError> {
        check_rising(&over)?;
        Ok(Self(over))
    }

    /// The bounds.
    #[must_use]
    pub fn bounds(self) -> [u16; 4] {
        self.0
    }

    /// The best class that a loan so late may have.
    #[must_use]
    pub fn floor(self, days_past_due: u32) -> Class {
        let passed = self.0.iter().filter(|&&bound| u32::from(bound) < days_past_due).count();
        *Class::ALL.get(passed).unwrap_or(&Class::Loss)
    }

    /// The class of a loan that the bank itself judges: its own judgement, or the floor when that is worse.
    #[must_use]
    pub fn class(self, days_past_due: u32, own: Class) -> Class {
        own.max(self.floor(days_past_due))
    }
}

impl Default for Classes {
    /// China's: over 0, 90, 270 and 360 days.
    fn default() -> Self {
        Self([0, 90, 270, 360])
    }
}

impl Class {
    /// From the best to the worst.
    pub const ALL: [Self; 5] =
        [Self::Normal, Self::SpecialMention, Self::Substandard, Self::Doubtful, Self::Loss];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::SpecialMention => "special-mention",
            Self::Substandard => "substandard",
            Self::Doubtful => "doubtful",
            Self::Loss => "loss",
        }
    }

    /// Whether loans of the class are non-performing.
    #[must_use]
    pub fn is_non_performing(self) -> bool {
        self >= Self::Substandard
    }
}

fn check_rising(bounds: &[u16]) -> Result<(), AgeingError> {
    let falls = bounds.windows(2).find_map(|pair| match *pair {
        [before, bound] if bound <= before => Some(AgeingError::Order { before, bound }),
        _ => None,
    });
    falls.map_or(Ok(()), Err)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

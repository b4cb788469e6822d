//! Neutral events from files and from a seed: loans that open, months that pay.
//!
//! A source becomes a [`Portfolio`], which knows nothing of where it came from; the rest of the program turns openings
//! and events into drafts. [`mapped`] reads any servicer's files by a [`mapping`], [`portfolio`] makes micro-loans up from a seed.
//! An event that the book has no word for is left out, counted and named, never bent into another one.

mod table;

pub mod mapping;

pub mod mapped;

pub mod portfolio;

use counterfoil_ledger::names::{Date, Kind};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A calendar month, e.g. 2017-05.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// Year, 1 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
}

/// A text that is not a month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a month; write year and month as in 2017-05")]
pub struct PeriodError {
    /// The text as read.
    pub text: String,
}

impl Period {
    /// The last day of the month as `(year, month, day)`.
    #[must_use]
    pub fn date(self) -> (u16, u8, u8) {
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let day = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (self.year, self.month, day)
    }

    /// The last day of the month in days since 1970-01-01.
    ///
    /// Days before the next month's first day: years count from March, so that the leap day comes last (H. Hinnant,
    /// *chrono-compatible low-level date algorithms*).
    #[must_use]
    pub fn days(self) -> i64 {
        let (year, month, day) = self.date();
        let (year, month) = (i64::from(year), i64::from(month));
        let (year, month) = if month > 2 {
            (year, month.saturating_sub(3))
        } else {
            (year.saturating_sub(1), month.saturating_add(9))
        };
        let leap_days =
            year.div_euclid(4).saturating_sub(year.div_euclid(100)).saturating_add(year.div_euclid(400));
        let in_year =
            month.saturating_mul(153).saturating_add(2).div_euclid(5).saturating_add(i64::from(day));
        // 719,469 days from 0000-03-01 (as day 1) to 1970-01-01.
        year.saturating_mul(365).saturating_add(leap_days).saturating_add(in_year).saturating_sub(719_469)
    }

    /// The month after this one.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month >= 12 {
            Self { year: self.year.saturating_add(1), month: 1 }
        } else {
            Self { month: self.month.saturating_add(1), ..self }
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        text.split_once('-')
            .filter(|(year, month)| year.len() == 4 && month.len() == 2 && digits(year) && digits(month))
            .and_then(|(year, month)| Some(Self { year: year.parse().ok()?, month: month.parse().ok()? }))
            .filter(|period| period.year >= 1 && (1..=12).contains(&period.month))
            .ok_or_else(|| PeriodError { text: text.chars().take(40).collect() })
    }
}

/// A loan is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The loan.
    pub loan: String,
    /// When it opens.
    pub date: Date,
    /// What is lent, in minor units.
    pub principal: u64,
    /// Names of the partners besides the lead.
    pub partners: Vec<String>,
    /// For people: rate and term.
    pub terms: String,
}

/// What happens to a loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The customer pays.
    Paid {
        /// What reduces the balance, in minor units.
        principal: u64,
        /// Interest, and what the source does not tell apart from it.
        interest: u64,
        /// Fees.
        fee: u64,
        /// Penalties.
        penalty: u64,
    },
    /// What is owed rises without money, in minor units.
    Raised {
        /// By how much.
        amount: u64,
    },
    /// All banks write off what is outstanding.
    WrittenOff,
    /// Money beside payments, in minor units.
    Recovered {
        /// What came in.
        proceeds: u64,
        /// What was spent.
        costs: u64,
    },
}

impl What {
    /// The kind of batch that books it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Paid { fee: 0, penalty: 0, .. } => Kind::Repay,
            Self::Paid { .. } => Kind::Collect,
            Self::Raised { .. } => Kind::Reschedule,
            Self::WrittenOff => Kind::WriteOff,
            Self::Recovered { .. } => Kind::Recover,
        }
    }
}

/// Something happens to a loan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The loan.
    pub loan: String,
    /// When it happens.
    pub date: Date,
    /// What happens; each kind at most once a day.
    pub what: What,
}

/// What a source held and the book has no event for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How many.
    pub count: u64,
    /// Why, for people.
    pub reason: String,
}

/// Everything that a source holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Portfolio {
    /// The loans, in the source's order.
    pub openings: Vec<Opening>,
    /// What happens by day, and within a day in the order of the openings.
    pub events: Vec<Event>,
    /// What was left out, by name.
    pub left_out: BTreeMap<String, LeftOut>,
}

impl Portfolio {
    /// Counts one more that is left out.
    fn leave_out(&mut self, name: &str, reason: &str) {
        let entry = self.left_out.entry(name.to_owned());
        let entry = entry.or_insert_with(|| LeftOut { count: 0, reason: reason.to_owned() });
        entry.count = entry.count.saturating_add(1);
    }
}

/// Which partners take part, for any number that stands for the loan: at least one, at most `most`.
///
/// Of six or fewer, with room for all, every set comes up alike: bit i of `1 + number mod (2^count − 1)` is partner i.
/// Of more, some number of neighbours in a ring.
fn choose_partners(number: u64, partners: &[String], most: usize) -> Vec<String> {
    let count = partners.len();
    if count <= 6 && count <= most {
        let patterns =
            1u64.checked_shl(u32::try_from(count).unwrap_or(u32::MAX)).map_or(1, |p| p.saturating_sub(1));
        let mask = number.checked_rem(patterns).unwrap_or(0).saturating_add(1);
        let inside = |i: &u32| mask.checked_shr(*i).is_some_and(|bits| bits & 1 == 1);
        return (0u32..).zip(partners).filter(|(i, _)| inside(i)).map(|(_, name)| name.clone()).collect();
    }
    let most = u64::try_from(most.min(count).max(1)).unwrap_or(1);
    let (turns, several) = (number.checked_div(most).unwrap_or(0), number.checked_rem(most).unwrap_or(0));
    let start = turns.checked_rem(u64::try_from(count).unwrap_or(1)).and_then(|n| usize::try_from(n).ok());
    let several = usize::try_from(several).unwrap_or(0).saturating_add(1);
    partners.iter().cycle().skip(start.unwrap_or(0)).take(several).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months() {
        let may: Period = "2017-05".parse().unwrap();
        assert_eq!(may, Period { year: 2017, month: 5 });
        assert_eq!(may.to_string(), "2017-05");
        assert_eq!("2017-12".parse::<Period>().unwrap().next().to_string(), "2018-01");
        for text in [
            "",
            "2017",
            "2017-13",
            "2017-00",
            "0000-05",
            "17-05",
            "2017-5",
            "2017/05",
            "+017-05",
            "2017-05-01",
        ] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError { text: text.into() }));
        }
    }

    #[test]
    fn last_days() {
        for (text, day, days) in [
            ("1970-01", 31, 30),
            ("1969-12", 31, -1),
            ("2000-02", 29, 11_016),
            ("1900-02", 28, -25_509),
            ("2024-02", 29, 19_782),
            ("2025-12", 31, 20_453),
            ("2026-04", 30, 20_573),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.date().2, period.days()), (day, days), "{text}");
        }
        let mut period = Period { year: 1600, month: 1 };
        for _ in 0..12_000 {
            let next = period.next();
            assert_eq!(next.days().saturating_sub(period.days()), i64::from(next.date().2), "{next}");
            period = next;
        }
    }

    #[test]
    fn partners() {
        let names = |count: usize| (0..count).map(|i| i.to_string()).collect::<Vec<_>>();
        let chosen = |number, count, most| choose_partners(number, &names(count), most).join(" ");
        let sets: Vec<_> = (0..7).map(|number| chosen(number, 3, 3)).collect();
        assert_eq!(sets, ["0", "1", "0 1", "2", "0 2", "1 2", "0 1 2"]);
        assert_eq!(chosen(7, 3, 3), "0");
        assert_eq!(chosen(u64::MAX, 1, 3), "0");
        assert_eq!(chosen(62, 6, 6), "0 1 2 3 4 5");
        // Room for three of nineteen.
        let some: Vec<_> = [0, 1, 2, 3, 5, 56, 57].map(|number| chosen(number, 19, 3)).to_vec();
        assert_eq!(some, ["0", "0 1", "0 1 2", "1", "1 2 3", "18 0 1", "0"]);
        assert_eq!(chosen(4, 3, 1), "1");
    }
}

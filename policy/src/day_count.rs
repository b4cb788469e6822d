//! Interest: how much of a year lies between two days, and what that costs, exact until it is rounded once.
//!
//! | convention | counted | over |
//! | --- | --- | --- |
//! | ACT/360 | days | 360 |
//! | ACT/365F | days | 365 |
//! | 30E/360 | `360·(y₂ − y₁) + 30·(m₂ − m₁) + (min(d₂, 30) − min(d₁, 30))` | 360 |
//! | ACT/ACT (ISDA) | `366·(days in common years) + 365·(days in leap years)` | 365·366 |
//!
//! The first day counts and the last does not. Each convention has one denominator, so fractions of adjoining periods
//! add up exactly in all four: cutting a month at a change of balance or of rate never changes a cent by itself.
//! Interest is kept as a fraction over `10⁶ · denominator` in [`Accrual`] and becomes minor units in [`Accrual::round`] and
//! nowhere else: whoever rounds each day's accrual drifts by up to half a unit a day.
//!
//! Sources: 2006 ISDA Definitions, section 4.16 (b), (d), (e) and (g); ISDA, *EMU and Market Conventions: Recent
//! Developments* (1998), for ACT/ACT and its examples.

use crate::day::Day;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// Parts per million in the whole: a rate of 18.25 % a year is 182,500.
const PPM: u128 = 1_000_000;
/// Highest rate that is accepted: 1000 % a year. Whatever is above is a rate in the wrong unit.
pub const MAX_RATE_PPM: u32 = 10_000_000;

/// How days become a fraction of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum DayCount {
    /// Days over 360.
    Act360,
    /// Days over 365, leap years too.
    Act365Fixed,
    /// Months of thirty days over 360; the 31st counts as the 30th, the end of February as it is.
    ThirtyE360,
    /// Days in common years over 365 plus days in leap years over 366.
    ActActIsda,
}

/// How a fraction of a minor unit becomes a whole one. Amounts are never negative, so up is away from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Rounding {
    /// Half goes up. The default: it is what loan contracts say and what a customer does with a pocket calculator.
    #[default]
    HalfUp,
    /// Half goes to the even neighbour: no bias in the sum of many loans, for which it was invented.
    HalfEven,
    /// Always down, in favour of who pays.
    Down,
}

/// A part of a year: `numerator / denominator`, not reduced; the denominator belongs to the convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// At most 2^31.
    pub numerator: u32,
    /// 360, 365 or 133,590.
    pub denominator: u32,
}

/// Why there is no interest to name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterestError {
    /// The period ends before it begins.
    #[error("interest from {from} to {to} runs backwards; swap the days")]
    Backwards {
        /// First day.
        from: Day,
        /// The day after the last.
        to: Day,
    },
    /// A rate that cannot be meant.
    #[error(
        "a rate of {rate_ppm} ppm is above 1000 % a year; a rate is in parts per million of a year: 18.25 % is 182500"
    )]
    Rate {
        /// The rate as given.
        rate_ppm: u32,
    },
    /// 2^64 minor units or more.
    #[error("the interest does not fit in 64 bits of minor units; check principal, rate and dates")]
    TooLarge,
}

impl DayCount {
    /// Every convention.
    pub const ALL: [Self; 4] = [Self::Act360, Self::Act365Fixed, Self::ThirtyE360, Self::ActActIsda];

    /// The convention's name, as contracts and ISO 20022 write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Act360 => "ACT/360",
            Self::Act365Fixed => "ACT/365F",
            Self::ThirtyE360 => "30E/360",
            Self::ActActIsda => "ACT/ACT",
        }
    }

    /// What its fractions are over.
    #[must_use]
    pub fn denominator(self) -> u32 {
        match self {
            Self::Act360 | Self::ThirtyE360 => 360,
            Self::Act365Fixed => 365,
            Self::ActActIsda => 365 * 366,
        }
    }

    /// The part of a year from one day (counted) to another (not counted). Zero when they are the same.
    ///
    /// # Errors
    /// [`InterestError::Backwards`] when `to` lies before `from`.
    pub fn fraction(self, from: Day, to: Day) -> Result<Fraction, InterestError> {
        if to < from {
            return Err(InterestError::Backwards { from, to });
        }
        // Each count is a difference of a running count, which is why fractions of adjoining periods add up.
        let numerator = self.count(to).saturating_sub(self.count(from));
        Ok(Fraction { numerator, denominator: self.denominator() })
    }

    /// The convention's running count at a day, from an origin of its own. Below 2^31 up to 9999 in all four.
    fn count(self, day: Day) -> u32 {
        match self {
            Self::Act360 | Self::Act365Fixed => day.days(),
            Self::ThirtyE360 => {
                let (year, month, of_month) = day.year_month_day();
                let months = u32::from(year).saturating_mul(12).saturating_add(u32::from(month));
                months.saturating_mul(30).saturating_add(u32::from(of_month.min(30)))
            }
            Self::ActActIsda => {
                let (year, ..) = day.year_month_day();
                let in_leap_years = days_of_leap_years_before(year).saturating_add(if is_leap(year) {
                    days_into_year(day, year)
                } else {
                    0
                });
                let in_common_years = day.days().saturating_sub(in_leap_years);
                in_common_years.saturating_mul(366).saturating_add(in_leap_years.saturating_mul(365))
            }
        }
    }
}

/// Days of the leap years from 1970 up to, not including, this year.
fn days_of_leap_years_before(year: u16) -> u32 {
    let leaps = |until: u32| (until / 4).saturating_sub(until / 100).saturating_add(until / 400);
    leaps(u32::from(year).saturating_sub(1)).saturating_sub(leaps(1969)).saturating_mul(366)
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_into_year(day: Day, year: u16) -> u32 {
    Day::of(year, 1, 1).map_or(0, |first| first.until(day)) // a day's own year has a first day
}

impl Rounding {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::HalfUp, Self::HalfEven, Self::Down];

    /// The rule's name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HalfUp => "half-up",
            Self::HalfEven => "half-even",
            Self::Down => "down",
        }
    }

    /// `numerator / denominator` as a whole number; the denominator is not zero.
    ///
    /// # Panics
    /// When the denominator is zero.
    #[must_use]
    pub fn divide(self, numerator: u128, denominator: u128) -> u128 {
        assert!(denominator > 0, "a fraction has a denominator");
        let (whole, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
        let other = denominator.saturating_sub(rest); // rest ⋚ half, without doubling
        let up = match self {
            Self::HalfUp => rest >= other,
            Self::HalfEven => rest > other || (rest == other && whole.rem_euclid(2) == 1),
            Self::Down => false,
        };
        whole.saturating_add(u128::from(up))
    }
}

/// Interest that has run and is not rounded: exact, over `10⁶ · denominator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accrual {
    day_count: DayCount,
    numerator: u128,
}

impl Accrual {
    /// Nothing yet.
    #[must_use]
    pub fn new(day_count: DayCount) -> Self {
        Self { day_count, numerator: 0 }
    }

    /// Adds what a principal in minor units costs from one day (counted) to another (not counted) at a yearly rate in parts
    /// per million.
    ///
    /// # Errors
    /// [`InterestError`] when the days run backwards, the rate is above [`MAX_RATE_PPM`], or the sum would not fit.
    pub fn add(self, principal: u64, rate_ppm: u32, from: Day, to: Day) -> Result<Self, InterestError> {
        if rate_ppm > MAX_RATE_PPM {
            return Err(InterestError::Rate { rate_ppm });
        }
        let fraction = self.day_count.fraction(from, to)?;
        let numerator = u128::from(principal)
            .checked_mul(u128::from(rate_ppm))
            .and_then(|product| product.checked_mul(u128::from(fraction.numerator)))
            .and_then(|product| product.checked_add(self.numerator))
            .ok_or(InterestError::TooLarge)?;
        Ok(Self { numerator, ..self })
    }

    /// The interest in whole minor units: the only place where it is rounded.
    ///
    /// # Errors
    /// [`InterestError::TooLarge`] at 2^64 minor units or more.
    pub fn round(self, rounding: Rounding) -> Result<u64, InterestError> {
        let denominator = PPM.saturating_mul(u128::from(self.day_count.denominator()));
        u64::try_from(rounding.divide(self.numerator, denominator)).map_err(|_| InterestError::TooLarge)
    }
}

impl fmt::Display for DayCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

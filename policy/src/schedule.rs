//! Instalment plans: what is due when, and what becomes of the plan when principal is paid early.
//!
//! | kind | every instalment | the last |
//! | --- | --- | --- |
//! | annuity | the same sum, interest first | what is left |
//! | equal principal | the same principal, and the interest on what was owed | what is left |
//! | interest-only | the interest | the whole principal beside it |
//! | bullet | – | principal and interest at once |
//!
//! Interest runs from the day of the payout (or the end of the period before) up to, not including, the end of the period,
//! and is rounded once per instalment. Everything is whole minor units: the principals sum to the principal exactly,
//! nothing is negative, and every peer that computes a plan computes the same.
//!
//! **The annuity** is the whole number of minor units for which the last instalment differs least from the others, found by
//! bisection over whole plans (`walk.rs`), and not the textbook's formula: that one takes equal months, needs real numbers,
//! and its cent depends on how they were rounded. With equal months the two differ by less than two minor units (tested).
//!
//! **The debt never grows.** An instalment that does not cover its interest is refused. That happens to a named sum that is
//! too low, and to an annuity after a long first period, or when so many instalments are planned at such a rate that each hardly
//! exceeds the interest of a month: then one month of 33 days is too long for it.

use crate::{
    calendar::{Calendar, CalendarError, Roll},
    day::{Day, DayError, MonthEnd},
    day_count::{Accrual, DayCount, InterestError, Rounding},
};
use borsh::{BorshDeserialize, BorshSerialize};

mod error;
mod period;
mod prepay;
mod walk;

pub use error::ScheduleError;
pub use prepay::Keep;

/// Most instalments of a plan: fifty years of months, and a bound on what a peer can make us compute.
pub const MAX_INSTALMENTS: u16 = 600;

/// How a loan is repaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Kind {
    /// Equal instalments.
    Annuity,
    /// Equal parts of the principal.
    EqualPrincipal,
    /// Interest, and the principal as a balloon with the last instalment.
    InterestOnly,
    /// Everything at once, with a single instalment.
    Bullet,
}

/// Up to which day the interest of a period runs when its due date was moved off a holiday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum AccrueTo {
    /// The day on which it is paid: a holiday costs interest.
    #[default]
    DueDate,
    /// The date before it was moved: months stay months.
    NominalDate,
}

/// What the loans of a product have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Method {
    /// How they are repaid.
    pub kind: Kind,
    /// How days become years.
    pub day_count: DayCount,
    /// How interest becomes whole minor units.
    pub rounding: Rounding,
    /// Where a due date goes that is no business day.
    pub roll: Roll,
    /// Up to which day interest runs when it went somewhere.
    pub accrue_to: AccrueTo,
    /// Whether due dates stick to ends of months.
    pub month_end: MonthEnd,
}

/// Time from one due date to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// So many months; from 1.
    Months(u8),
    /// So many days; from 1.
    Days(u16),
}

/// One loan to be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loan {
    /// Minor units; from 1.
    pub principal: u64,
    /// Parts per million a year; at most [`MAX_RATE_PPM`](crate::day_count::MAX_RATE_PPM).
    pub rate_ppm: u32,
    /// The day of the payout: the first that costs interest.
    pub start: Day,
    /// First due date, before it is moved off a holiday; the anchor of all others.
    pub first_due: Day,
    /// From one due date to the next.
    pub every: Every,
    /// Instalments; 1 to [`MAX_INSTALMENTS`], 1 for a bullet. Fewer come out when rounding repays a tiny loan sooner.
    pub count: u16,
    /// What the contract says is paid each time, where it says so: the instalment of an annuity or the principal part of equal
    /// principal. `None` computes it.
    pub each: Option<u64>,
}

/// One row of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instalment {
    /// First day of its interest.
    pub from: Day,
    /// The day after the last.
    pub to: Day,
    /// When it is due: a business day.
    pub due: Day,
    /// Interest, in minor units.
    pub interest: u64,
    /// Principal, in minor units.
    pub principal: u64,
    /// Principal that is owed afterwards.
    pub balance: u64,
    /// Whether it is a prepayment, not a planned instalment.
    pub prepaid: bool,
}

/// A plan, in the order of its periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    method: Method,
    principal: u64,
    rate_ppm: u32,
    /// What is paid each time: see [`Loan::each`]; 0 for the kinds that have no such sum.
    each: u64,
    instalments: Vec<Instalment>,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Annuity, Self::EqualPrincipal, Self::InterestOnly, Self::Bullet];

    /// Its name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Annuity => "annuity",
            Self::EqualPrincipal => "equal-principal",
            Self::InterestOnly => "interest-only",
            Self::Bullet => "bullet",
        }
    }
}

impl AccrueTo {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::DueDate, Self::NominalDate];

    /// Its name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DueDate => "due-date",
            Self::NominalDate => "nominal-date",
        }
    }
}

impl Schedule {
    /// Plans a loan.
    ///
    /// # Errors
    /// [`ScheduleError`] for a loan that makes no sense (no principal, no or too many instalments, dates out of order, a bullet
    /// of several instalments), an instalment that does not cover the interest, dates or amounts out of range.
    pub fn new(method: Method, loan: &Loan, calendar: &Calendar) -> Result<Self, ScheduleError> {
        loan.check(method.kind)?;
        let periods = period::periods(&method, loan, calendar)?;
        let mut plan = Self {
            method,
            principal: loan.principal,
            rate_ppm: loan.rate_ppm,
            each: 0,
            instalments: Vec::new(),
        };
        plan.extend(loan.principal, &periods, loan.each)?;
        Ok(plan)
    }

    /// The rows.
    #[must_use]
    pub fn instalments(&self) -> &[Instalment] {
        &self.instalments
    }

    /// What the loan was paid out with, in minor units: the sum of the rows' principals.
    #[must_use]
    pub fn principal(&self) -> u64 {
        self.principal
    }

    /// What is paid each time, in minor units: the instalment of an annuity, the principal part of equal principal, 0 otherwise.
    #[must_use]
    pub fn each(&self) -> u64 {
        self.each
    }

    /// All interest of the plan, in minor units; more than 64 bits where it could not be paid anyway.
    #[must_use]
    pub fn total_interest(&self) -> u128 {
        self.instalments.iter().fold(0, |sum, row| sum.saturating_add(u128::from(row.interest)))
    }

    /// Interest of a balance over a period, rounded once.
    fn interest(&self, balance: u64, from: Day, to: Day) -> Result<u64, InterestError> {
        Accrual::new(self.method.day_count).add(balance, self.rate_ppm, from, to)?.round(self.method.rounding)
    }
}

impl Instalment {
    /// Interest and principal together, in minor units.
    #[must_use]
    pub fn amount(&self) -> u128 {
        u128::from(self.interest).saturating_add(u128::from(self.principal))
    }
}

impl Loan {
    fn check(&self, kind: Kind) -> Result<(), ScheduleError> {
        if self.principal == 0 {
            return Err(ScheduleError::NoPrincipal);
        }
        if !(1..=MAX_INSTALMENTS).contains(&self.count) {
            return Err(ScheduleError::Count { count: self.count });
        }
        if kind == Kind::Bullet && self.count != 1 {
            return Err(ScheduleError::Bullet { count: self.count });
        }
        if matches!(self.every, Every::Months(0) | Every::Days(0)) {
            return Err(ScheduleError::Every);
        }
        if self.first_due <= self.start {
            return Err(ScheduleError::FirstDue { start: self.start, first_due: self.first_due });
        }
        match self.each {
            Some(0) => Err(ScheduleError::EachZero),
            Some(_) if matches!(kind, Kind::InterestOnly | Kind::Bullet) => Err(ScheduleError::EachUnused),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

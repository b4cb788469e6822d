//! Why a loan cannot be planned, or a plan not changed: what is wrong, and what to do about it.

use super::{CalendarError, Day, DayError, InterestError, MAX_INSTALMENTS};

/// A plan that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Nothing to repay.
    #[error("the principal is zero; a plan repays at least one minor unit")]
    NoPrincipal,
    /// No instalment, or too many.
    #[error("{count} instalments; choose from 1 to {MAX_INSTALMENTS}")]
    Count {
        /// As given.
        count: u16,
    },
    /// A bullet in pieces.
    #[error(
        "a bullet is repaid at once but has {count} instalments; set 1 and the day of repayment as first due date, or choose interest-only"
    )]
    Bullet {
        /// As given.
        count: u16,
    },
    /// No time between due dates.
    #[error("due dates are 0 days or months apart; choose at least 1")]
    Every,
    /// Due before there is a debt.
    #[error(
        "the first due date {first_due} is not after the payout on {start}; choose a later one, or another roll rule"
    )]
    FirstDue {
        /// Day of the payout.
        start: Day,
        /// The first due date, moved off a holiday.
        first_due: Day,
    },
    /// Two instalments on one day, or out of order.
    #[error(
        "instalment {number} falls on {due}, not after the one before, once moved off a holiday; set due dates farther apart or leave them unadjusted"
    )]
    Collide {
        /// From 1.
        number: usize,
        /// Where it falls.
        due: Day,
    },
    /// A sum of zero each time.
    #[error("the sum per instalment is zero; name one above zero, or none to have it computed")]
    EachZero,
    /// A sum that the kind has no use for.
    #[error("interest-only and bullet loans have no equal sum per instalment; leave it out")]
    EachUnused,
    /// The debt would grow.
    #[error(
        "instalment {number} of {each} minor units does not cover its interest of {interest}; name a larger one, choose fewer instalments, a nearer first due date or a lower rate"
    )]
    NotCovered {
        /// From 1.
        number: usize,
        /// What is paid each time.
        each: u64,
        /// What runs in its period.
        interest: u64,
    },
    /// The instalment does not fit.
    #[error("an instalment does not fit in 64 bits of minor units; check principal, rate and dates")]
    TooLarge,
    /// Before the loan.
    #[error("{on} lies before the payout on {start}; choose a day from then on")]
    BeforeStart {
        /// The day in question.
        on: Day,
        /// Day of the payout.
        start: Day,
    },
    /// Before a prepayment that the plan already has.
    #[error("{on} lies before the prepayment on {latest}; undo that one first, then enter both in order")]
    BeforePrepayment {
        /// The day in question.
        on: Day,
        /// The latest prepayment.
        latest: Day,
    },
    /// After the loan.
    #[error("on {on} the plan has run out and nothing is owed; the money is the customer's credit")]
    Finished {
        /// The day in question.
        on: Day,
    },
    /// Nothing, or more than there is.
    #[error(
        "a prepayment of {principal} minor units of principal; choose from 1 to the {outstanding} that are owed, what is more is the customer's credit"
    )]
    Prepayment {
        /// As given.
        principal: u64,
        /// Owed on that day.
        outstanding: u64,
    },
    /// No equal sum that could be kept.
    #[error("an interest-only or bullet loan has no instalment to keep; keep the term instead")]
    KeepsNothing,
    /// The interest cannot be computed.
    #[error(transparent)]
    Interest(#[from] InterestError),
    /// A due date cannot be moved off a holiday.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// A due date is out of range.
    #[error(transparent)]
    Day(#[from] DayError),
}

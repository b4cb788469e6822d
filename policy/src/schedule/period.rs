//! The days of a plan: due dates from the anchor, moved off holidays, and the periods between them.

use super::{AccrueTo, Calendar, Day, DayError, Every, Loan, Method, MonthEnd, ScheduleError};

/// From one instalment to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    /// First day of interest.
    pub(super) from: Day,
    /// The day after the last.
    pub(super) to: Day,
    /// When it is due.
    pub(super) due: Day,
}

/// The periods of a loan, without a gap, none empty.
///
/// # Errors
/// [`ScheduleError`] when a date is out of range or cannot be moved off a holiday, or two fall together.
pub(super) fn periods(
    method: &Method,
    loan: &Loan,
    calendar: &Calendar,
) -> Result<Vec<Period>, ScheduleError> {
    let mut periods = Vec::with_capacity(usize::from(loan.count));
    let (mut from, mut due_before) = (loan.start, loan.start);
    for index in 0..loan.count {
        let nominal = loan.every.times(loan.first_due, index, method.month_end)?;
        let due = calendar.roll(nominal, method.roll)?;
        let to = match method.accrue_to {
            AccrueTo::DueDate => due,
            AccrueTo::NominalDate => nominal,
        };
        // Nominal dates rise by themselves and start after the payout; moved ones may not.
        if due <= due_before {
            return Err(match index {
                0 => ScheduleError::FirstDue { start: loan.start, first_due: due },
                _ => ScheduleError::Collide { number: usize::from(index).saturating_add(1), due },
            });
        }
        periods.push(Period { from, to, due });
        (from, due_before) = (to, due);
    }
    Ok(periods)
}

impl Every {
    /// The anchor and so many steps: always from the anchor, or 31 January would be the 28th ever after February.
    fn times(self, anchor: Day, steps: u16, month_end: MonthEnd) -> Result<Day, DayError> {
        let steps = u32::from(steps);
        match self {
            Self::Months(months) => anchor.plus_months(steps.saturating_mul(u32::from(months)), month_end),
            Self::Days(days) => anchor.plus_days(steps.saturating_mul(u32::from(days))),
        }
    }
}

//! One plan from its first period to its last, and the annuity that makes it come out even.
//!
//! Letters: `B` the balance, `I` the interest of a period, `A` what is paid each time, `L(A)` what the last instalment would
//! have to be, `D(A) = L(A) − A`. Interest never falls when the balance rises, so a larger `A` leaves a smaller balance after
//! every instalment, and `D` falls strictly. Bisection finds the smallest `A` with `D(A) <= 0`; it or the one below has the least
//! `|D|`, ties to the larger, so that the last instalment is not the largest.

use super::{Instalment, Kind, Schedule, ScheduleError, period::Period};

impl Schedule {
    /// Adds rows that repay a balance over the periods: with the given sum each time, or the one that suits best. The plan ends
    /// as soon as nothing is owed.
    ///
    /// # Errors
    /// [`ScheduleError`] when an instalment does not cover its interest or does not fit in 64 bits.
    pub(super) fn extend(
        &mut self,
        balance: u64,
        periods: &[Period],
        each: Option<u64>,
    ) -> Result<(), ScheduleError> {
        let (each, rows) = match (self.method.kind, each) {
            (Kind::Annuity, None) => self.solve(balance, periods)?,
            (_, each) => {
                let each = each.unwrap_or_else(|| self.part(balance, periods.len()));
                (each, self.walk(balance, periods, each)?)
            }
        };
        self.each = each;
        self.instalments.extend(rows);
        Ok(())
    }

    /// The equal part of a principal; no other kind asks for one.
    fn part(&self, balance: u64, count: usize) -> u64 {
        if self.method.kind != Kind::EqualPrincipal {
            return 0;
        }
        let count = u128::try_from(count).unwrap_or(u128::MAX).max(1);
        u64::try_from(self.method.rounding.divide(u128::from(balance), count)).unwrap_or(balance)
    }

    /// The rows for a sum each time.
    fn walk(
        &self,
        mut balance: u64,
        periods: &[Period],
        each: u64,
    ) -> Result<Vec<Instalment>, ScheduleError> {
        let mut rows = Vec::with_capacity(periods.len());
        for (index, &Period { from, to, due }) in periods.iter().enumerate() {
            let interest = self.interest(balance, from, to)?;
            let last = index.saturating_add(1) == periods.len();
            let principal = match self.method.kind {
                _ if last => balance,
                Kind::Annuity => {
                    let number = self.instalments.len().saturating_add(index).saturating_add(1);
                    let rest = each.checked_sub(interest);
                    rest.ok_or(ScheduleError::NotCovered { number, each, interest })?.min(balance)
                }
                Kind::EqualPrincipal => each.min(balance),
                Kind::InterestOnly | Kind::Bullet => 0,
            };
            if principal.checked_add(interest).is_none() {
                return Err(ScheduleError::TooLarge);
            }
            balance = balance.saturating_sub(principal);
            rows.push(Instalment { from, to, due, interest, principal, balance, prepaid: false });
            if balance == 0 {
                break;
            }
        }
        Ok(rows)
    }

    /// The annuity and its rows.
    fn solve(&self, balance: u64, periods: &[Period]) -> Result<(u64, Vec<Instalment>), ScheduleError> {
        let first = periods.first().ok_or(ScheduleError::Count { count: 0 })?;
        let interest = self.interest(balance, first.from, first.to)?;
        // Whatever repays everything with the first instalment is enough: D <= 0.
        let (mut low, mut high) = (0, balance.checked_add(interest).ok_or(ScheduleError::TooLarge)?);
        while low < high {
            let middle = low.midpoint(high);
            match self.surplus(balance, periods, middle) {
                Some(surplus) if surplus <= 0 => high = middle,
                _ => low = middle.saturating_add(1),
            }
        }
        let distance = |each| self.surplus(balance, periods, each).map_or(u128::MAX, i128::unsigned_abs);
        if let Some(below) = high.checked_sub(1)
            && distance(below) < distance(high)
            && let Ok(rows) = self.walk(balance, periods, below)
        {
            return Ok((below, rows));
        }
        Ok((high, self.walk(balance, periods, high)?))
    }

    /// `D(A)`, with instalments below the interest allowed; `None` when the debt outgrows 64 bits, where it is far above zero.
    fn surplus(&self, mut balance: u64, periods: &[Period], each: u64) -> Option<i128> {
        let (last, before) = periods.split_last()?;
        for period in before {
            let interest = self.interest(balance, period.from, period.to).ok()?;
            balance = u64::try_from(
                u128::from(balance).saturating_add(u128::from(interest)).saturating_sub(u128::from(each)),
            )
            .ok()?;
        }
        let interest = self.interest(balance, last.from, last.to).ok()?;
        i128::from(balance).checked_add(i128::from(interest))?.checked_sub(i128::from(each))
    }
}

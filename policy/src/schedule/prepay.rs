//! Principal paid before it is due.
//!
//! A prepayment settles the interest that has run up to its day and some principal, as a row of its own, and the rest of the
//! plan is computed anew from that day: either what is paid each time stays and the plan gets shorter, or the due dates
//! stay and the instalments get smaller. Were the interest left for the next instalment, a large prepayment just before a due
//! date would make that one too small to cover it.
//!
//! The plan takes every earlier row as paid. Arrears are the waterfall's affair, a fee for paying early
//! the contract's.

use super::{Day, Instalment, Kind, Schedule, ScheduleError, period::Period};

/// What a prepayment leaves as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// What is paid each time: the loan ends sooner.
    Instalment,
    /// The due dates: less is paid each time.
    Term,
}

impl Schedule {
    /// What must be paid on a day, and nothing later, to end the loan: the interest that has run and all principal.
    ///
    /// # Errors
    /// [`ScheduleError`] when the day lies before the payout or the latest prepayment, or the plan has run out.
    pub fn payoff(&self, on: Day) -> Result<Instalment, ScheduleError> {
        let outstanding = self.outstanding(on)?;
        self.prepayment(on, outstanding)
    }

    /// The plan with this much principal, in minor units, paid early on a day, and the interest up to that day with it. An
    /// instalment that is due by that day, or whose interest ended by then, counts as paid before.
    ///
    /// All of what is owed ends the plan with that row.
    ///
    /// # Errors
    /// [`ScheduleError`] when the day lies before the payout or the latest prepayment or the plan has run out, when the
    /// principal is zero or more than is owed, or when there is no instalment to keep.
    pub fn prepay(&self, on: Day, principal: u64, keep: Keep) -> Result<Self, ScheduleError> {
        if keep == Keep::Instalment && matches!(self.method.kind, Kind::InterestOnly | Kind::Bullet) {
            return Err(ScheduleError::KeepsNothing);
        }
        let row = self.prepayment(on, principal)?;
        let rest = self.instalments.get(self.paid(on)..).unwrap_or_default();
        let mut from = row.to;
        let mut periods = Vec::with_capacity(rest.len());
        for &Instalment { to, due, .. } in rest {
            periods.push(Period { from, to, due });
            from = to;
        }
        let mut plan = self.clone();
        plan.instalments.truncate(self.paid(on));
        plan.instalments.push(row);
        if row.balance > 0 {
            let each = if keep == Keep::Instalment { Some(self.each) } else { None };
            plan.extend(row.balance, &periods, each)?;
        }
        Ok(plan)
    }

    /// The row of a prepayment.
    fn prepayment(&self, on: Day, principal: u64) -> Result<Instalment, ScheduleError> {
        let outstanding = self.outstanding(on)?;
        if !(1..=outstanding).contains(&principal) {
            return Err(ScheduleError::Prepayment { principal, outstanding });
        }
        let from = self.instalments.get(self.paid(on)).map_or(on, |next| next.from);
        // An instalment paid before its period ended has paid the days up to then: they are not paid twice.
        let to = on.max(from);
        let interest = self.interest(outstanding, from, to)?;
        if principal.checked_add(interest).is_none() {
            return Err(ScheduleError::TooLarge);
        }
        let balance = outstanding.saturating_sub(principal);
        Ok(Instalment { from, to, due: on, interest, principal, balance, prepaid: true })
    }

    /// What is owed at the end of a day on which everything due was paid.
    fn outstanding(&self, on: Day) -> Result<u64, ScheduleError> {
        let start = self.instalments.first().map_or(on, |row| row.from);
        if on < start {
            return Err(ScheduleError::BeforeStart { on, start });
        }
        let latest = self.instalments.iter().rev().find(|row| row.prepaid).map_or(start, |row| row.due);
        if on < latest {
            return Err(ScheduleError::BeforePrepayment { on, latest });
        }
        let before = self.paid(on).checked_sub(1).and_then(|last| self.instalments.get(last));
        match before.map_or(self.principal, |row| row.balance) {
            0 => Err(ScheduleError::Finished { on }),
            outstanding => Ok(outstanding),
        }
    }

    /// Rows that were due or whose interest ended by that day.
    fn paid(&self, on: Day) -> usize {
        self.instalments.partition_point(|row| row.due.min(row.to) <= on)
    }
}

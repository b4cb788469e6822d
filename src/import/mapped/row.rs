//! One row of the file of events, and what it becomes.

use super::{Book, ImportError, Loan};
use crate::import::{What, mapping::Action, table::Table};
use counterfoil_ledger::names::Date;

/// Where an event's columns stand.
pub(super) struct Places {
    pub(super) reference: usize,
    pub(super) date: usize,
    pub(super) kind: usize,
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
    pub(super) principal: usize,
    pub(super) paid: usize,
    /// Fee and penalty.
    pub(super) beside: [Option<usize>; 2],
    pub(super) proceeds: Vec<usize>,
}

/// A row and what it becomes.
pub(super) struct Row<'a> {
    pub(super) book: &'a Book<'a>,
    pub(super) table: &'a Table,
    pub(super) places: &'a Places,
}

/// What is booked, and what is left out, by name.
pub(super) type Becomes = (Vec<What>, Vec<&'static str>);

impl Row<'_> {
    pub(super) fn becomes(&self, action: Action, held: &mut Loan) -> Result<Becomes, ImportError> {
        let (mut booked, mut left_out) = (Vec::new(), Vec::new());
        match action {
            Action::Pay => self.pay(held, &mut booked, &mut left_out)?,
            Action::Raise => self.raise(held, &mut booked, &mut left_out)?,
            Action::WriteOff => self.write_off(held, &mut booked)?,
            Action::Recover => {}
            Action::Nothing => {
                if self.cell(self.places.principal)? != 0 || self.cell(self.places.paid)? != 0 {
                    let problem = "stands beside an amount; correct the kind or the amounts";
                    return Err(self.table.cell(self.places.kind, problem));
                }
                self.chain(held)?;
            }
        }
        booked.extend(self.proceeds()?);
        if booked.is_empty() && left_out.is_empty() {
            left_out.push(if action == Action::Recover { "nothing recovered" } else { "nothing paid" });
        }
        Ok((booked, left_out))
    }

    fn pay(
        &self,
        held: &mut Loan,
        booked: &mut Vec<What>,
        left_out: &mut Vec<&'static str>,
    ) -> Result<(), ImportError> {
        let principal = self.book.natural(self.table, self.places.principal)?;
        let paid = self.book.natural(self.table, self.places.paid)?;
        let [fee, penalty] = self.charges()?;
        let known = principal.saturating_add(fee).saturating_add(penalty);
        let interest = paid.checked_sub(known).ok_or_else(|| {
            let problem =
                format!("is less than the principal {principal} and the charges in it; correct one of them");
            self.table.cell(self.places.paid, problem)
        })?;
        self.chain(held)?;
        let before = held.owed;
        let foots = before.saturating_sub(i64::try_from(principal).unwrap_or(i64::MAX));
        // A row that clears the balance may end below zero: what is beyond it is the customer's.
        let after = self.after()?.unwrap_or(foots);
        if after != foots && !(foots == 0 && after < 0) {
            let column = self.places.after.unwrap_or_default();
            let problem = format!("is not {before} less the principal {principal}; correct the row");
            return Err(self.table.cell(column, problem));
        }
        held.owed = after;
        if after < before.min(0) {
            left_out.push("credit");
        }
        let principal = u64::try_from(before.max(0).saturating_sub(after.max(0))).unwrap_or(0);
        if [principal, interest, fee, penalty] != [0; 4] {
            booked.push(What::Paid { principal, interest, fee, penalty });
        }
        Ok(())
    }

    fn raise(
        &self,
        held: &mut Loan,
        booked: &mut Vec<What>,
        left_out: &mut Vec<&'static str>,
    ) -> Result<(), ImportError> {
        let Some(after) = self.after()? else {
            let problem = "is needed: without what is owed after, it is not known by how much it rises";
            return Err(self.table.refuse(format!("a column `after` {problem}")));
        };
        self.chain(held)?;
        let before = held.owed;
        let Some(amount) = after.checked_sub(before).filter(|amount| *amount > 0) else {
            let column = self.places.after.unwrap_or_default();
            return Err(self
                .table
                .cell(column, format!("is not above {before}; correct the kind or the row")));
        };
        held.owed = after;
        let amount = u64::try_from(amount.min(after)).unwrap_or(0);
        if before < 0 {
            left_out.push("credit given back");
        }
        let interest = self.book.natural(self.table, self.places.paid)?;
        if interest > 0 {
            booked.push(interest_alone(interest));
        }
        if amount > 0 {
            booked.push(What::Raised { amount });
        }
        Ok(())
    }

    fn write_off(&self, held: &mut Loan, booked: &mut Vec<What>) -> Result<(), ImportError> {
        self.chain(held)?;
        if self.after()?.is_some_and(|after| after != 0) {
            let column = self.places.after.unwrap_or_default();
            return Err(self.table.cell(column, "is not 0; a write-off leaves nothing"));
        }
        let interest = self.cell(self.places.paid)?;
        let interest = u64::try_from(interest)
            .map_err(|_| self.table.cell(self.places.paid, "is negative; it must not be below zero here"))?;
        if interest > 0 {
            booked.push(interest_alone(interest));
        }
        booked.push(What::WrittenOff);
        held.owed = 0;
        Ok(())
    }

    /// Fee and penalty in a payment.
    fn charges(&self) -> Result<[u64; 2], ImportError> {
        let mut charges = [0; 2];
        for (charge, column) in charges.iter_mut().zip(self.places.beside) {
            if let Some(column) = column {
                let amount = self.cell(column)?;
                let negative = |_| self.table.cell(column, "is negative; it must not be below zero here");
                *charge = u64::try_from(amount).map_err(negative)?;
            }
        }
        Ok(charges)
    }

    /// Money beside payments, what came in and what was spent.
    fn proceeds(&self) -> Result<Option<What>, ImportError> {
        let (mut proceeds, mut costs) = (0u64, 0u64);
        for column in &self.places.proceeds {
            let amount = self.cell(*column)?;
            let sum = if amount < 0 { &mut costs } else { &mut proceeds };
            *sum = sum.saturating_add(amount.unsigned_abs());
        }
        Ok((proceeds > 0 || costs > 0).then_some(What::Recovered { proceeds, costs }))
    }

    /// The row begins with what the one before it ended with.
    fn chain(&self, held: &Loan) -> Result<(), ImportError> {
        let Some(column) = self.places.before else { return Ok(()) };
        match self.book.amount(self.table, column)? {
            Some(before) if before == held.owed => Ok(()),
            Some(_) => {
                Err(self.table.cell(column, format!("is not the {} owed before; correct it", held.owed)))
            }
            None => Err(self.table.cell(column, "is empty; what is owed before is needed here")),
        }
    }

    fn after(&self) -> Result<Option<i64>, ImportError> {
        let Some(column) = self.places.after else { return Ok(None) };
        let after = self.book.amount(self.table, column)?;
        let empty = || self.table.cell(column, "is empty; what is owed after is needed here");
        after.ok_or_else(empty).map(Some)
    }

    /// An amount, zero for an empty cell.
    fn cell(&self, column: usize) -> Result<i64, ImportError> {
        Ok(self.book.amount(self.table, column)?.unwrap_or(0))
    }
}

const fn interest_alone(interest: u64) -> What {
    What::Paid { principal: 0, interest, fee: 0, penalty: 0 }
}

/// A loan's rows ascend, from its first date on; one row per kind and date.
pub(super) fn in_order(
    table: &Table,
    places: &Places,
    (date, kind): (Date, &str),
    loan: &mut Loan,
) -> Result<(), ImportError> {
    if date < loan.opened {
        return Err(table.cell(places.date, "is before the loan opens; correct one of them"));
    }
    match loan.last.replace((date, kind.to_owned())) {
        Some((last, before)) if date == last && before == kind => {
            Err(table.cell(places.date, "is there twice for this loan; remove one row"))
        }
        Some((last, _)) if date < last => {
            Err(table.cell(places.date, "comes after a later row; sort each loan's rows by date"))
        }
        _ => Ok(()),
    }
}

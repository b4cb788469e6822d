//! Real loan histories: one file of loans and one of their months, as in the public filings of auto receivables trusts.
//!
//! | file | columns that are read, amounts in whole cents |
//! | --- | --- |
//! | loans | `loan_id`, `term_m`, `rate`, `first_period`, `first_begin_bal_c` |
//! | events | `loan_id`, `period`, `begin_c`, `principal_c`, `payment_c`, `end_c`, `repo_proceeds_c`, `kind` |
//!
//! A loan opens in `first_period` with `first_begin_bal_c`. A month of kind `payment`, `payoff` or
//! `interest_only_or_partial` is booked: its principal, and what was paid beyond it as interest. Everything else is left
//! out, counted and named.
//!
//! **After something was left out.** A capitalisation or a reversal raises the balance in the file, not in the book; from
//! then on the book owes less than the file. Later payments of that loan are booked while their principal fits into what
//! is booked as owed; one that does not fit is left out whole, under its own name. So no booked amount differs from the
//! file's, nothing is repaid that was not lent, and the loan ends with a booked balance that the counts explain. A
//! charge-off is left out too: the booked balance then stays open.
//!
//! Files that contradict themselves (a month twice, a payment below its own principal, a balance that does not foot) are
//! refused as a whole, with row and column.
//!
//! In 24 months of the real files more principal is paid than the file itself says was owed, which a later row mostly
//! reverses; they are left out under a name of their own. A month whose payment clears the balance and ends below zero is
//! booked; the customer's credit is not.

pub use super::table::ImportError;
use super::table::Table;
use super::{Opening, Payment, Period, Portfolio, choose_partners};
use counterfoil_policy::{format_amount, parse_amount};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
};

const LOANS: [&str; 5] = ["loan_id", "term_m", "rate", "first_period", "first_begin_bal_c"];
const EVENTS: [&str; 8] =
    ["loan_id", "period", "begin_c", "principal_c", "payment_c", "end_c", "repo_proceeds_c", "kind"];

// Places in the two lists above.
const LOAN: usize = 0;
const TERM: usize = 1;
const RATE: usize = 2;
const FIRST_PERIOD: usize = 3;
const FIRST_BALANCE: usize = 4;
const PERIOD: usize = 1;
const BEGIN: usize = 2;
const PRINCIPAL: usize = 3;
const PAID: usize = 4;
const END: usize = 5;
const PROCEEDS: usize = 6;
const KIND: usize = 7;

/// Reads both files, or the first `limit` loans and their events; `partners` is how many partners the lead has, 1 to 6.
/// Which of them take part in a loan follows from its id: at least one, all patterns alike.
///
/// # Errors
/// [`ImportError`] with file, row, column, value and remedy. Nothing is imported then.
pub fn read(
    loans: &Path,
    events: &Path,
    limit: Option<usize>,
    partners: u8,
) -> Result<Portfolio, ImportError> {
    if !(1..=6).contains(&partners) {
        return Err(ImportError::Partners { count: partners });
    }
    let mut book = Book::default();
    book.read_loans(Table::open(loans, LOANS)?, limit, partners)?;
    book.read_events(Table::open(events, EVENTS)?, limit.is_some())?;
    Ok(book.close())
}

/// A loan while its months are read.
struct Loan {
    /// Its place among the openings.
    order: usize,
    /// What is booked as owed.
    booked: u64,
    /// What the file says is owed, where it does.
    end: Option<i64>,
    /// Its first month.
    first: Period,
    /// The last month read.
    last: Option<Period>,
}

#[derive(Default)]
struct Book {
    portfolio: Portfolio,
    loans: BTreeMap<u64, Loan>,
    payments: Vec<(Period, usize, Payment)>,
}

impl Book {
    fn read_loans(
        &mut self,
        mut table: Table<5>,
        limit: Option<usize>,
        partners: u8,
    ) -> Result<(), ImportError> {
        while limit.is_none_or(|limit| self.portfolio.openings.len() < limit) && table.advance()? {
            let id = table.natural(LOAN)?;
            let period: Period = month(&table, FIRST_PERIOD)?;
            let principal = table.natural(FIRST_BALANCE)?;
            if principal == 0 {
                return Err(table.cell(FIRST_BALANCE, "is nothing to open a loan with; leave the loan out"));
            }
            let order = self.portfolio.openings.len();
            let Entry::Vacant(place) = self.loans.entry(id) else {
                return Err(table.cell(LOAN, "is there twice; every loan has one row"));
            };
            let end = i64::try_from(principal).ok();
            place.insert(Loan { order, booked: principal, end, first: period, last: None });
            let partners = choose_partners(id, partners);
            self.portfolio.openings.push(Opening {
                loan: id.to_string(),
                period,
                principal,
                partners,
                terms: terms(&table)?,
            });
        }
        if self.loans.is_empty() {
            Err(table.refuse("there are no loans; add a row for each"))
        } else {
            Ok(())
        }
    }

    fn read_events(&mut self, mut table: Table<8>, some_only: bool) -> Result<(), ImportError> {
        while table.advance()? {
            let id = table.natural(LOAN)?;
            match self.loans.get_mut(&id) {
                Some(loan) => {
                    in_order(&table, loan)?;
                    match event(&table, id, loan)? {
                        Event::Book(payment) => self.payments.push((payment.period, loan.order, payment)),
                        Event::LeaveOut(name, reason) => self.portfolio.leave_out(name, reason),
                        Event::Both(payment, name, reason) => {
                            self.payments.push((payment.period, loan.order, payment));
                            self.portfolio.leave_out(name, reason);
                        }
                    }
                    self.proceeds(&table)?;
                }
                None if some_only => {}
                None => {
                    return Err(
                        table.cell(LOAN, "is not in the file of loans; add it there or remove its rows")
                    );
                }
            }
        }
        Ok(())
    }

    /// Proceeds of a repossession stand beside a month, whatever its kind; the book has no word for them.
    fn proceeds(&mut self, table: &Table<8>) -> Result<(), ImportError> {
        let own_kind = matches!(table.text(KIND), "chargeoff" | "recovery");
        if !own_kind && table.integer(PROCEEDS)?.is_some_and(|proceeds| proceeds != 0) {
            self.portfolio
                .leave_out("repossession proceeds", "beside a month without charge-off; not a payment");
        }
        Ok(())
    }

    fn close(mut self) -> Portfolio {
        for _ in self.loans.values().filter(|loan| loan.last.is_none()) {
            self.portfolio.leave_out(
                "loan without events",
                "the loan is opened; the file of events has no month of it",
            );
        }
        self.payments.sort_by_key(|&(period, order, _)| (period, order));
        self.portfolio.payments = self.payments.into_iter().map(|(_, _, payment)| payment).collect();
        self.portfolio
    }
}

/// What becomes of a row.
enum Event {
    Book(Payment),
    LeaveOut(&'static str, &'static str),
    /// The payment is booked, something beside it is not.
    Both(Payment, &'static str, &'static str),
}

/// Months of a loan ascend, from its first on.
fn in_order(table: &Table<8>, loan: &mut Loan) -> Result<(), ImportError> {
    let period = month(table, PERIOD)?;
    if period < loan.first {
        return Err(table
            .cell(PERIOD, format!("is before the loan's first month {}; correct one of them", loan.first)));
    }
    match loan.last.replace(period) {
        Some(last) if period == last => {
            Err(table.cell(PERIOD, "is there twice for this loan; remove one row"))
        }
        Some(last) if period < last => {
            Err(table.cell(PERIOD, format!("comes after the row of {last}; sort each loan's rows by month")))
        }
        _ => Ok(()),
    }
}

fn event(table: &Table<8>, id: u64, loan: &mut Loan) -> Result<Event, ImportError> {
    let end = table.integer(END)?;
    let former = std::mem::replace(&mut loan.end, end);
    let kind = table.text(KIND);
    let chained = former.is_none() || table.integer(BEGIN)? == former;
    let event = match kind {
        "payment" | "payoff" | "interest_only_or_partial" | "no_payment" if !chained => Event::LeaveOut(
            "does not chain",
            "it does not begin with the balance that the month before ended with",
        ),
        "payment" | "payoff" | "interest_only_or_partial" => payment(table, id, loan)?,
        "no_payment" => {
            if table.natural(PRINCIPAL)? != 0 || table.natural(PAID)? != 0 {
                return Err(table.cell(KIND, "stands beside an amount; correct the kind or the amounts"));
            }
            Event::LeaveOut("no_payment", "nothing was paid, there is nothing to book")
        }
        "capitalise_or_reversal" => {
            Event::LeaveOut("capitalise_or_reversal", "the balance rises or falls without a payment")
        }
        "chargeoff" => Event::LeaveOut("chargeoff", "a loss, not a payment; the booked balance stays open"),
        "recovery" => Event::LeaveOut("recovery", "money after a charge-off that was left out"),
        _ => {
            return Err(table.cell(
                KIND,
                "is not a kind; use payment, payoff, interest_only_or_partial, no_payment, capitalise_or_reversal, \
                 chargeoff or recovery",
            ));
        }
    };
    Ok(event)
}

fn payment(table: &Table<8>, id: u64, loan: &mut Loan) -> Result<Event, ImportError> {
    let principal = table.natural(PRINCIPAL)?;
    let paid = table.natural(PAID)?;
    let overpaid = overpaid(table, principal)?;
    let interest = paid.checked_sub(principal).ok_or_else(|| {
        table.cell(PAID, format!("is less than the principal {principal} in it; correct one of them"))
    })?;
    if paid == 0 {
        return Ok(Event::LeaveOut("nothing paid", "a payment of zero, there is nothing to book"));
    }
    if table.integer(BEGIN)?.is_some_and(|begin| i128::from(begin) < i128::from(principal)) {
        return Ok(Event::LeaveOut(
            "exceeds what was owed",
            "its principal is more than the file itself says was owed",
        ));
    }
    let Some(left) = loan.booked.checked_sub(principal) else {
        return Ok(Event::LeaveOut(
            "exceeds booked balance",
            "its principal is more than what is booked as owed, because an earlier increase was left out",
        ));
    };
    loan.booked = left;
    let payment = Payment { loan: id.to_string(), period: month(table, PERIOD)?, principal, interest };
    Ok(if overpaid {
        Event::Both(
            payment,
            "overpaid",
            "the payment is booked; the customer's credit balance in the file is not",
        )
    } else {
        Event::Book(payment)
    })
}

/// Whether the row ends below zero after the whole balance was paid; a row that does not foot otherwise is refused.
fn overpaid(table: &Table<8>, principal: u64) -> Result<bool, ImportError> {
    let begin = table.integer(BEGIN)?.ok_or_else(|| table.cell(BEGIN, "is empty; a payment needs it"))?;
    let end = table.integer(END)?.ok_or_else(|| table.cell(END, "is empty; a payment needs it"))?;
    let left = i128::from(begin).saturating_sub(i128::from(principal));
    if left == i128::from(end) {
        return Ok(false);
    }
    if left == 0 && end < 0 {
        return Ok(true);
    }
    Err(table.cell(END, format!("is not {begin} less the principal {principal}; correct the row")))
}

fn month<const N: usize>(table: &Table<N>, column: usize) -> Result<Period, ImportError> {
    table.text(column).parse().map_err(|_| table.cell(column, "is not a month; write it as in 2017-05"))
}

/// Rate and term, `7.29 % a year, 74 months`. The file has the rate as a fraction of one.
fn terms(table: &Table<5>) -> Result<String, ImportError> {
    let millionths = parse_amount(table.text(RATE), 6).map_err(|_| {
        table.cell(RATE, "is not a rate; write a fraction such as 0.0729, at most six decimals")
    })?;
    let percent = format_amount(millionths, 4);
    let shorter = percent.strip_suffix("00").or_else(|| percent.strip_suffix('0')).unwrap_or(&percent);
    Ok(format!("{shorter} % a year, {} months", table.natural(TERM)?))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

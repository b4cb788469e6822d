//! Which dues a payment pays: the order in which money that is received runs down.
//!
//! What is past due is paid before what is due on the day, and that before what is due later; inside of each age:
//!
//! ```text
//! vertical     instalment 3: penalty, fee, interest, principal │ instalment 4: penalty, fee, …
//! horizontal   penalty: 3, 4, 5 │ fee: 3, 4, 5 │ interest: 3, 4, 5 │ principal: 3, 4, 5
//! ```
//!
//! Each age has its own order of components, and a loan that no longer accrues may have other orders altogether (principal
//! first, so that what is lost is income). What no due takes is the customer's credit. The steps come out in the order in
//! which they were made: they are the answer to "why did my payment go there".
//!
//! The amount allocated is the amount *received*. Each step is split between the banks afterwards, component by component
//! ([`split`](crate::split())): splitting the payment first and allocating each bank's part would not foot.
//!
//! Words as in Apache Fineract (loan transaction processing strategies, advanced payment allocation).

use crate::day::Day;
use borsh::BorshSerialize;

mod order;

pub use order::{Amounts, Component, Order, OrderError};

/// Which way the money runs inside of an age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize)]
pub enum Direction {
    /// The oldest instalment completely, then the next.
    #[default]
    Vertical,
    /// One component of all instalments, then the next.
    Horizontal,
}

/// How old a due is on the day of the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// Due before that day.
    PastDue,
    /// Due on that day.
    Due,
    /// Due later.
    InAdvance,
}

/// The order for each age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize)]
pub struct Rules {
    /// Which way.
    pub direction: Direction,
    /// Of what is past due.
    pub past_due: Order,
    /// Of what is due on the day.
    pub due: Order,
    /// Of what is due later; `None` pays nothing before its day and leaves the customer a credit.
    pub in_advance: Option<Order>,
}

/// Whether interest on the loan still counts as income.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Accruing,
    /// No longer.
    NonAccrual,
}

/// The orders of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize)]
pub struct Waterfall {
    /// While the loan accrues.
    pub accruing: Rules,
    /// Afterwards; `None` changes nothing.
    pub non_accrual: Option<Rules>,
}

/// What is open of one instalment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When it is due.
    pub on: Day,
    /// What of it is not yet paid.
    pub open: Amounts,
}

/// One amount going to one component of one instalment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Place of the instalment in the dues as given, from 0.
    pub instalment: usize,
    /// What was paid of it.
    pub component: Component,
    /// How old it was.
    pub age: Age,
    /// Minor units; above zero.
    pub amount: u64,
}

/// Where a payment went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// In the order in which it was allocated.
    pub steps: Vec<Step>,
    /// Minor units that no due took: the customer's.
    pub credit: u64,
}

impl Waterfall {
    /// Allocates an amount received on a day to the open dues, which may come in any order; of those due on one day the
    /// earlier in the list counts as older. Steps and credit sum to the amount, and no component gets more than is open.
    #[must_use]
    pub fn allocate(&self, dues: &[Due], amount: u64, on: Day, status: Status) -> Allocation {
        let rules = match status {
            Status::NonAccrual => self.non_accrual.unwrap_or(self.accruing),
            Status::Accruing => self.accruing,
        };
        let mut oldest_first: Vec<usize> = (0..dues.len()).collect();
        oldest_first.sort_by_key(|&index| dues.get(index).map(|due| due.on)); // stable
        let mut allocation = Allocation { steps: Vec::new(), credit: amount };
        for (age, order) in rules.orders() {
            let of_age = |index: &usize| dues.get(*index).is_some_and(|due| Age::of(due.on, on) == age);
            let instalments: Vec<usize> = oldest_first.iter().copied().filter(of_age).collect();
            for (instalment, component) in rules.direction.path(&instalments, order) {
                let open = dues.get(instalment).map_or(0, |due| due.open.of(component));
                allocation.pay(Step { instalment, component, age, amount: open });
            }
        }
        allocation
    }
}

impl Rules {
    fn orders(&self) -> impl Iterator<Item = (Age, Order)> {
        let in_advance = self.in_advance.map(|order| (Age::InAdvance, order));
        [(Age::PastDue, self.past_due), (Age::Due, self.due)].into_iter().chain(in_advance)
    }
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Vertical, Self::Horizontal];

    /// Its name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vertical => "vertical",
            Self::Horizontal => "horizontal",
        }
    }

    /// The places to pay, in order.
    fn path(self, instalments: &[usize], order: Order) -> Vec<(usize, Component)> {
        let components = order.components();
        match self {
            Self::Vertical => {
                instalments.iter().flat_map(|&i| components.map(|component| (i, component))).collect()
            }
            Self::Horizontal => components
                .iter()
                .flat_map(|&component| instalments.iter().map(move |&i| (i, component)))
                .collect(),
        }
    }
}

impl Allocation {
    /// Pays a step as far as the money lasts.
    fn pay(&mut self, step: Step) {
        let amount = step.amount.min(self.credit);
        if amount > 0 {
            self.credit = self.credit.saturating_sub(amount);
            self.steps.push(Step { amount, ..step });
        }
    }

    /// What went to one instalment, by its place in the dues.
    #[must_use]
    pub fn paid(&self, instalment: usize) -> Amounts {
        self.steps.iter().filter(|step| step.instalment == instalment).fold(
            Amounts::default(),
            |mut paid, step| {
                // Each component of an instalment is a step at most once.
                *paid.of_mut(step.component) = step.amount;
                paid
            },
        )
    }
}

impl Age {
    /// Age on a day of what is due on another.
    #[must_use]
    pub fn of(due: Day, on: Day) -> Self {
        match due.cmp(&on) {
            std::cmp::Ordering::Less => Self::PastDue,
            std::cmp::Ordering::Equal => Self::Due,
            std::cmp::Ordering::Greater => Self::InAdvance,
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

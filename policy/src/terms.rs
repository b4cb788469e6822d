//! The section `[terms]` of a product: the arithmetic that its banks have agreed on, so that nobody's differs by a cent.
//!
//! ```toml
//! [terms]
//! schedule = "annuity"          # equal-principal, interest-only, bullet
//! day_count = "ACT/365F"        # ACT/360, 30E/360, ACT/ACT
//! rounding = "half-up"          # half-even, down
//! roll = "unadjusted"           # following, modified-following, preceding
//! accrue_to = "due-date"        # nominal-date
//! month_end = "same-day"        # last-day
//! buckets = [0, 30, 60, 90, 180]
//! classes = [0, 90, 270, 360]
//!
//! [terms.waterfall]
//! direction = "vertical"        # horizontal
//! past_due = ["penalty", "fee", "interest", "principal"]
//! due = ["penalty", "fee", "interest", "principal"]
//! in_advance = ["principal", "penalty", "fee", "interest"]   # left out: a credit
//!
//! [terms.waterfall.non_accrual] # left out: no change
//! past_due = ["principal", "interest", "fee", "penalty"]
//! ```
//!
//! `schedule` and `day_count` must be said; the rest has the values above where it is left out, `in_advance` and
//! `non_accrual` excepted. The printed form says everything. A product without the section has the bytes and the hash that it
//! had before there was one.

use crate::{
    ageing::{Buckets, Classes},
    schedule::Method,
    waterfall::{Order, Rules, Waterfall},
};
use borsh::BorshSerialize;

mod file;

pub(crate) use file::read;

/// How the loans of a product are computed. The fields are in the order of the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Terms {
    /// Schedule, day count, rounding and due dates.
    pub method: Method,
    /// Which dues a payment pays.
    pub waterfall: Waterfall,
    /// Ranges of days past due.
    pub buckets: Buckets,
    /// Days past due beyond which a class is the best that a loan may have.
    pub classes: Classes,
}

impl Terms {
    /// The section as canonical TOML.
    pub(crate) fn print(&self) -> String {
        let Self { method, waterfall, buckets, classes } = self;
        let mut text = format!(
            "\n[terms]\nschedule = \"{}\"\nday_count = \"{}\"\nrounding = \"{}\"\nroll = \"{}\"\naccrue_to = \"{}\"\n\
             month_end = \"{}\"\nbuckets = {:?}\nclasses = {:?}\n",
            method.kind.name(),
            method.day_count.name(),
            method.rounding.name(),
            method.roll.name(),
            method.accrue_to.name(),
            method.month_end.name(),
            buckets.bounds(),
            classes.bounds(),
        );
        text.push_str(&print_rules("terms.waterfall", &waterfall.accruing));
        if let Some(rules) = &waterfall.non_accrual {
            text.push_str(&print_rules("terms.waterfall.non_accrual", rules));
        }
        text
    }
}

fn print_rules(table: &str, rules: &Rules) -> String {
    let line = |key, order: Order| format!("{key} = {:?}\n", order.components().map(|part| part.name()));
    format!(
        "\n[{table}]\ndirection = \"{}\"\n{}{}{}",
        rules.direction.name(),
        line("past_due", rules.past_due),
        line("due", rules.due),
        rules.in_advance.map_or_else(String::new, |order| line("in_advance", order)),
    )
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

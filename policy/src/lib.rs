//! Policy: text that a compliance officer reads ⇄ numbers that every peer checks.
//!
//! A *product* is declared in TOML ([`Product::parse`]): currency, width, cap, the banks' weights, the servicer's
//! least share, the auditors. Three things follow from it:
//!
//! - integer shares for the banks of a loan ([`Product::shares`]), and from them every bank's part of an amount, exact
//!   to the minor unit ([`split`], [`split_balance`], [`split_below`]);
//! - what must hold of every loan, as linear inequalities with whole coefficients ([`Product::rules`]), each with the
//!   range its value can take ([`Rule::bounds`], [`Rule::bits`]), ready for a range proof;
//! - the product's hash ([`Product::hash`]), which binds a batch to the policy in force.
//!
//! A product may also state the arithmetic of its loans ([`Terms`]), which these modules do in whole numbers: days and
//! business days ([`day`], [`calendar`]), interest ([`day_count`]), instalment plans ([`schedule`]), the allocation of payments
//! ([`waterfall`]) and lateness ([`ageing`]).
//!
//! The crate holds no cryptography beyond that hash, no I/O, no clock, no randomness and no floating point.

// Each module uses only modules above it.
mod amount;

pub mod day;

pub mod calendar;

pub mod day_count;

pub mod schedule;

pub mod waterfall;

pub mod ageing;

mod split;

mod rule;

mod error;

mod text;

mod terms;

mod product;

pub use amount::{AmountError, format_amount, format_grouped, parse_amount};
pub use error::{PolicyError, Problem, ShareError};
pub use product::Product;
pub use rule::{Quantity, Rule};
pub use split::{split, split_balance, split_below};
pub use terms::Terms;

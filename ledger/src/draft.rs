//! Drafts: what a servicer wants to book, in the clear.

use crate::names::{Date, Hash, LoanId, MemberId, ProductId};
use borsh::BorshSerialize;

/// A batch before it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Draft {
    /// The product of all its loans.
    pub product: ProductId,
    /// The day from which interest runs.
    pub value_date: Date,
    /// The day on which the servicer books.
    pub booking_date: Date,
    /// What it does.
    pub events: Events,
}

/// What a draft does: events of one kind.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub enum Events {
    /// Top-ups: `(bank, minor units)`, a bank at most once.
    Fund(Vec<(MemberId, u64)>),
    /// New loans.
    Originate(Vec<NewLoan>),
    /// Repayments, a loan at most once.
    Repay(Vec<Repayment>),
}

/// A new loan.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct NewLoan {
    /// The servicer's number of the loan, at most 56 bytes.
    pub reference: String,
    /// Terms in words, at most 176 bytes.
    pub terms: String,
    /// Principal in minor units, at most the product's cap.
    pub principal: u64,
    /// The banks that fund it beside the servicer.
    pub partners: Vec<MemberId>,
}

/// A repayment of one loan.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Repayment {
    /// The loan.
    pub loan: LoanId,
    /// Principal repaid in minor units, at most what is owed.
    pub principal: u64,
    /// Interest received in minor units.
    pub interest: u64,
    /// The servicer's key of the event: booked at most once.
    pub event: Hash,
}

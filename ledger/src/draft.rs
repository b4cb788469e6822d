//! Drafts: what a servicer wants to book, in the clear.

use crate::names::{Bucket, Date, Hash, Kind, LoanId, MemberId, ProductId};
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
    /// Draw-downs on open loans, a loan at most once.
    Draw(Vec<Raise>),
    /// Balances that rise without money, a loan at most once.
    Reschedule(Vec<Raise>),
    /// Write-offs, a loan at most once.
    WriteOff(Vec<WriteOff>),
    /// Proceeds and costs, a loan at most once.
    Recover(Vec<Recovery>),
    /// Money taken back out of reserves: `(bank, minor units)`, a bank at most once.
    Release(Vec<(MemberId, u64)>),
    /// Repayments with fees and penalties, or on loans of which parts are written off; a loan at most once.
    Collect(Vec<Collection>),
    /// Loans that move from one bucket to another, with the servicer's key of each event; a loan at most once.
    Reclassify {
        /// The bucket in which they are.
        from: Bucket,
        /// The bucket to which they move.
        to: Bucket,
        /// The loans and the keys.
        loans: Vec<(LoanId, Hash)>,
    },
}

impl Events {
    /// What they are.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Fund(_) => Kind::Fund,
            Self::Originate(_) => Kind::Originate,
            Self::Repay(_) => Kind::Repay,
            Self::Draw(_) => Kind::Draw,
            Self::Reschedule(_) => Kind::Reschedule,
            Self::WriteOff(_) => Kind::WriteOff,
            Self::Recover(_) => Kind::Recover,
            Self::Release(_) => Kind::Release,
            Self::Collect(_) => Kind::Collect,
            Self::Reclassify { .. } => Kind::Reclassify,
        }
    }
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

/// More principal on an open loan.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Raise {
    /// The loan.
    pub loan: LoanId,
    /// By how much, in minor units: at least one, and no more than brings the balance to the product's cap.
    pub amount: u64,
    /// The servicer's key of the event: booked at most once.
    pub event: Hash,
}

/// Parts of one loan that their banks write off, all of what is outstanding.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct WriteOff {
    /// The loan.
    pub loan: LoanId,
    /// The banks that write off; each for itself.
    pub banks: Vec<MemberId>,
    /// The servicer's key of the event: booked at most once.
    pub event: Hash,
}

/// What was got out of a loan beside repayments, and what that cost.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Recovery {
    /// The loan.
    pub loan: LoanId,
    /// What came in, in minor units.
    pub proceeds: u64,
    /// What was spent, in minor units; may exceed the proceeds.
    pub costs: u64,
    /// The servicer's key of the event: booked at most once.
    pub event: Hash,
}

/// A repayment of one loan with all its components.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Collection {
    /// The loan.
    pub loan: LoanId,
    /// Principal repaid in minor units, at most what the customer owes; of parts that are written off it is a recovery.
    pub principal: u64,
    /// Interest received in minor units.
    pub interest: u64,
    /// Fees received in minor units.
    pub fee: u64,
    /// Penalties received in minor units.
    pub penalty: u64,
    /// The servicer's key of the event: booked at most once.
    pub event: Hash,
}

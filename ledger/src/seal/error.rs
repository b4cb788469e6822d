//! Why a draft cannot be sealed.

use crate::names::LoanId;
use counterfoil_crypto::{envelope::TooLong, relation::RelationError};

/// Why a draft cannot be sealed. Nothing was changed; each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The product does not exist.
    #[error("there is no such product in the genesis")]
    Product,
    /// Too few or too many events.
    #[error("a batch of this product holds 1 to {most} loans, this draft {count}; draft several batches")]
    Count {
        /// Loans in the draft.
        count: usize,
        /// The most that fit.
        most: usize,
    },
    /// The servicer or a partner has no weight in the product.
    #[error("loan {reference}: {why}")]
    Partners {
        /// The loan.
        reference: String,
        /// What is wrong with its banks.
        why: String,
    },
    /// The principal is zero or above the cap.
    #[error(
        "loan {reference}: principal {principal} is nothing new, or is above the product's cap {cap} (minor units)"
    )]
    Cap {
        /// The loan.
        reference: String,
        /// The principal in minor units.
        principal: u64,
        /// The cap in minor units.
        cap: u64,
    },
    /// A bank's reserve does not suffice.
    #[error("the reserve of {bank} is short by {short} minor units; book a top-up (`fund`) first")]
    Reserve {
        /// The bank.
        bank: String,
        /// What is missing.
        short: u64,
    },
    /// The loan is not in the wallet.
    #[error("loan {0} is not one of this servicer's")]
    Loan(LoanId),
    /// More is repaid than is owed.
    #[error("loan {loan}: {principal} is repaid, but only {owed} is owed (minor units)")]
    Overpaid {
        /// The loan.
        loan: LoanId,
        /// What is repaid.
        principal: u64,
        /// What is owed.
        owed: u64,
    },
    /// More interest than one repayment can carry.
    #[error(
        "loan {loan}: interest {interest} is above what one repayment can carry ({most} minor units); split it"
    )]
    Interest {
        /// The loan.
        loan: LoanId,
        /// The interest in minor units.
        interest: u64,
        /// The most that fits.
        most: u64,
    },
    /// More proceeds or costs than one recovery can carry.
    #[error("loan {loan}: {amount} is above what one recovery can carry ({most} minor units); split it")]
    Recovery {
        /// The loan.
        loan: LoanId,
        /// Proceeds or costs in minor units.
        amount: u64,
        /// The most that fits.
        most: u64,
    },
    /// A part of the loan is written off: what still comes in is a recovery.
    #[error(
        "loan {loan}: a part is written off; book what the customer still pays as a collection (`collect`)"
    )]
    WrittenOff {
        /// The loan.
        loan: LoanId,
    },
    /// The loan is in another bucket than the others of the draft, or than the draft says.
    #[error("loan {loan} is in another bucket; draft the loans of each bucket in batches of their own")]
    Bucket {
        /// The loan.
        loan: LoanId,
    },
    /// None of the banks has a part.
    #[error("loan {loan}: none of the banks that write off has a part of it")]
    NoPart {
        /// The loan.
        loan: LoanId,
    },
    /// An event is booked, or a loan or bank occurs, twice.
    #[error("{0} is booked already, or occurs twice in the draft")]
    Doubled(String),
    /// A text does not fit into its section.
    #[error("loan {reference}: {source}")]
    Text {
        /// The loan.
        reference: String,
        /// By how much.
        source: TooLong,
    },
    /// The policy does not allow it.
    #[error("the batch would break the product's policy or a range: {0}")]
    Policy(RelationError),
}

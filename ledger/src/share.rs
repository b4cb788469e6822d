//! What the sealed sections say, once opened.

use crate::names::{Hash, MemberId};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{encoding, pedersen::Opening};
use curve25519_dalek::scalar::Scalar;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// An opening as a section carries it: amount and blinding.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize, Zeroize, ZeroizeOnDrop)]
pub struct Revealed {
    /// The amount in minor units.
    pub amount: u64,
    blinding: [u8; 32],
}

impl Revealed {
    pub(crate) fn new(amount: u64, blinding: &Scalar) -> Self {
        Self { amount, blinding: blinding.to_bytes() }
    }

    /// The opening, or `None` when the blinding is not canonical: the servicer sealed garbage.
    #[must_use]
    pub fn opening(&self) -> Option<Opening> {
        encoding::scalar(self.blinding).ok().map(|blinding| Opening::new(self.amount, blinding))
    }
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Revealed(…)")
    }
}

/// A `share` section: one bank's part of one event.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Share {
    /// A top-up.
    Fund {
        /// What was paid in.
        amount: Revealed,
    },
    /// A part of a new loan.
    New {
        /// The bank whose part it is.
        owner: MemberId,
        /// Its share in the product's units.
        share: Revealed,
        /// The principal it funds.
        principal: Revealed,
    },
    /// A part of a repayment.
    Repaid {
        /// The bank whose part it is.
        owner: MemberId,
        /// Principal repaid.
        principal: Revealed,
        /// Interest received.
        interest: Revealed,
        /// The servicer's key of the event, by which it knows what is booked already.
        event: Hash,
    },
}

/// An `identity` section: whose loan it is. Personal data.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct IdentityText {
    /// The servicer's number of the loan.
    pub reference: String,
    /// The customer's pseudonym with the servicer.
    pub shard: Hash,
}

/// A `terms` section: the contract.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TermsText {
    /// Principal of the whole loan in minor units.
    pub principal: u64,
    /// Terms in words: rate, term, schedule.
    pub text: String,
}

// Personal data and amounts stay out of logs (attack 27).
impl std::fmt::Debug for IdentityText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityText(…)")
    }
}

impl std::fmt::Debug for TermsText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TermsText(…)")
    }
}

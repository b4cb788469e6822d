//! What the sealed sections say, once opened.

use crate::{
    body::legs,
    names::{Component, Hash, Kind, MemberId},
};
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
    /// A part of a balance that rises.
    Raised {
        /// The bank whose part it is.
        owner: MemberId,
        /// By how much.
        principal: Revealed,
        /// As in a repayment.
        event: Hash,
    },
    /// A part that is written off.
    WrittenOff {
        /// The bank whose part it is.
        owner: MemberId,
        /// The balance that is written off.
        principal: Revealed,
        /// As in a repayment.
        event: Hash,
    },
    /// A part of proceeds and costs.
    Recovered {
        /// The bank whose part it is.
        owner: MemberId,
        /// What came in.
        proceeds: Revealed,
        /// What was spent.
        costs: Revealed,
        /// As in a repayment.
        event: Hash,
    },
    /// Money taken out of a reserve.
    Released {
        /// How much.
        amount: Revealed,
    },
    /// A part of a repayment with all its components.
    Collected {
        /// The bank whose part it is.
        owner: MemberId,
        /// Principal, interest, fee, penalty.
        amounts: [Revealed; 4],
        /// As in a repayment.
        event: Hash,
    },
    /// A part that moves to another bucket.
    Reclassified {
        /// The bank whose part it is.
        owner: MemberId,
        /// The balance that moves.
        principal: Revealed,
        /// As in a repayment.
        event: Hash,
    },
}

impl Share {
    /// The bank whose part it is; sections of reserves stand in the order of the banks instead.
    #[must_use]
    pub const fn owner(&self) -> Option<MemberId> {
        match self {
            Self::Fund { .. } | Self::Released { .. } => None,
            Self::New { owner, .. }
            | Self::Repaid { owner, .. }
            | Self::Raised { owner, .. }
            | Self::WrittenOff { owner, .. }
            | Self::Recovered { owner, .. }
            | Self::Collected { owner, .. }
            | Self::Reclassified { owner, .. } => Some(*owner),
        }
    }

    /// The servicer's key of the event.
    #[must_use]
    pub const fn event(&self) -> Option<Hash> {
        match self {
            Self::Fund { .. } | Self::Released { .. } | Self::New { .. } => None,
            Self::Repaid { event, .. }
            | Self::Raised { event, .. }
            | Self::WrittenOff { event, .. }
            | Self::Recovered { event, .. }
            | Self::Collected { event, .. }
            | Self::Reclassified { event, .. } => Some(*event),
        }
    }

    /// The kinds of batches in which it may stand.
    #[must_use]
    pub fn stands_in(&self, kind: Kind) -> bool {
        match self {
            Self::Fund { .. } => kind == Kind::Fund,
            Self::New { .. } => kind == Kind::Originate,
            Self::Repaid { .. } => kind == Kind::Repay,
            Self::Raised { .. } => matches!(kind, Kind::Draw | Kind::Reschedule),
            Self::WrittenOff { .. } => kind == Kind::WriteOff,
            Self::Recovered { .. } => kind == Kind::Recover,
            Self::Released { .. } => kind == Kind::Release,
            Self::Collected { .. } => kind == Kind::Collect,
            Self::Reclassified { .. } => kind == Kind::Reclassify,
        }
    }

    /// Its amounts by component, in the order of the legs.
    #[must_use]
    pub fn amounts(&self) -> Vec<(Component, &Revealed)> {
        match self {
            Self::Fund { amount } | Self::Released { amount } => vec![(Component::Principal, amount)],
            Self::New { principal, .. }
            | Self::Raised { principal, .. }
            | Self::WrittenOff { principal, .. }
            | Self::Reclassified { principal, .. } => vec![(Component::Principal, principal)],
            Self::Repaid { principal, interest, .. } => {
                vec![(Component::Principal, principal), (Component::Interest, interest)]
            }
            Self::Recovered { proceeds, costs, .. } => {
                vec![(Component::Proceeds, proceeds), (Component::Costs, costs)]
            }
            Self::Collected { amounts, .. } => {
                let components = legs(Kind::Collect).iter().map(|leg| leg.component);
                components.zip(amounts).collect()
            }
        }
    }
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

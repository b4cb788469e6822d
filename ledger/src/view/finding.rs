//! What a viewer has read, and what it finds.

use crate::names::{AccountKind, Bucket, Component, Kind, MemberId, ProductId};
use std::collections::BTreeMap;

/// A control account as viewers name it: servicer, product, bank, kind.
pub type AccountName = (MemberId, ProductId, MemberId, AccountKind);

/// One bank's part of a loan, as read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartView {
    /// Its share in the product's units.
    pub share: u64,
    /// Principal funded, in minor units.
    pub lent: u64,
    /// Principal outstanding.
    pub outstanding: u64,
    /// Interest received.
    pub interest: u64,
    /// Fees and penalties received.
    pub fees: u64,
    /// Added to the principal without money.
    pub capitalised: u64,
    /// Written off.
    pub written_off: u64,
    /// Received on what was written off or given up.
    pub proceeds: u64,
    /// What they cost.
    pub costs: u64,
}

/// A loan, as far as the viewer may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoanView {
    /// Who services it.
    pub servicer: MemberId,
    /// Its product.
    pub product: ProductId,
    /// The servicer's number of it, where it may be read.
    pub reference: Option<String>,
    /// Terms in words, where they may be read.
    pub terms: Option<String>,
    /// The parts that may be read, by owner.
    pub parts: BTreeMap<MemberId, PartView>,
    /// How many repayments touched it.
    pub repayments: u64,
    /// How late it is.
    pub bucket: Bucket,
}

impl LoanView {
    pub(super) fn new(servicer: MemberId, product: ProductId) -> Self {
        Self {
            servicer,
            product,
            reference: None,
            terms: None,
            parts: BTreeMap::new(),
            repayments: 0,
            bucket: Bucket::Current,
        }
    }
}

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A section addressed to the viewer is withheld or opens to garbage, or says something else than the ledger: another
    /// amount or share, or another owner than the position's.
    FalseOpening {
        /// Whose batch.
        servicer: MemberId,
        /// Its number.
        sequence: u64,
        /// Its kind.
        kind: Kind,
        /// Record and section.
        place: (u16, u16),
    },
    /// A bank's posting is not the sum of its parts: the servicer booked a part to the wrong bank.
    Misposted {
        /// Whose batch.
        servicer: MemberId,
        /// Its number.
        sequence: u64,
        /// Its kind.
        kind: Kind,
        /// The bank.
        bank: MemberId,
        /// Which of its postings.
        component: Component,
    },
    /// A control account holds another total than the parts add up to.
    Account {
        /// The account.
        account: AccountName,
        /// What the parts add up to.
        expected: u64,
        /// What the account holds, where it was found within [`TOTAL_BITS`](super::TOTAL_BITS) of that.
        found: Option<u64>,
    },
}

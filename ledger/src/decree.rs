//! Decrees: what the banks decide together about the ledger itself. There is one: to retire a proof suite at a height.
//!
//! Every bank votes by a signature over the retirement; a decree carries the votes of more than two thirds of the banks.
//! From its height on, batches of that suite are refused; blocks before it stay verifiable, since a replay of the chain
//! meets the decree where it was booked.

use crate::{
    batch::SUITES,
    genesis::{Consortium, Keys, MAX_MEMBERS},
    names::{Hash, MemberId},
    rejection::Rejection,
};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{identity::Signature, labels};

/// What the banks vote on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Retirement {
    /// The consortium's id.
    pub consortium: Hash,
    /// The proof suite.
    pub suite: u8,
    /// The first height at which batches of it are refused.
    pub from: u64,
}

impl Retirement {
    /// A bank's vote.
    #[must_use]
    pub fn vote(&self, keys: &Keys) -> Signature {
        keys.identity.sign(labels::DECREE_SIGNATURE, &self.signed_bytes())
    }

    /// Whether a member's vote is for this retirement.
    ///
    /// # Errors
    /// [`Rejection::Votes`] when the member is no bank, [`Rejection::Signature`] when it did not sign this.
    pub fn check(&self, consortium: &Consortium, bank: MemberId, vote: &Signature) -> Result<(), Rejection> {
        let bank = consortium.peer(bank).filter(|_| consortium.bank_index(bank).is_some());
        let identity = bank.ok_or(Rejection::Votes)?.member.identity;
        let signed = identity.verify(labels::DECREE_SIGNATURE, &self.signed_bytes(), vote);
        signed.map_err(|_| Rejection::Signature)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).unwrap_or_default()
    }
}

/// A retirement with its votes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Decree {
    /// What is decided.
    pub retirement: Retirement,
    /// Votes, strictly ascending by bank.
    pub votes: Vec<(MemberId, Signature)>,
}

impl Decree {
    /// The decree's id: that of its retirement, whoever voted.
    #[must_use]
    pub fn id(&self) -> Hash {
        blake3::derive_key(labels::DECREE_HASH, &self.retirement.signed_bytes())
    }
}

/// A decree whose votes were counted. Only [`verify`] makes one, and [`Carried::recorded`] of what this node wrote down; only it
/// can be applied.
#[derive(Clone, Debug)]
pub struct Carried(Decree);

impl Carried {
    /// A decree of this node's own log.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] when the bytes are no decree.
    pub fn recorded(bytes: &[u8]) -> Result<Self, Rejection> {
        borsh::from_slice(bytes).map(Self).map_err(|_| Rejection::Malformed)
    }

    /// The decree.
    #[must_use]
    pub fn decree(&self) -> &Decree {
        &self.0
    }
}

/// Counts the votes of a decree.
///
/// # Errors
/// The first [`Rejection`] in order of precedence.
pub fn verify(consortium: &Consortium, bytes: &[u8]) -> Result<Carried, Rejection> {
    let Decree { retirement, votes } = Carried::recorded(bytes)?.0;
    if retirement.consortium != consortium.id() {
        return Err(Rejection::Consortium);
    }
    if !SUITES.contains(&retirement.suite) {
        return Err(Rejection::Suite);
    }
    // Strict order counts no vote twice, and leaves one form of one set of votes (attack 25).
    let ascending = votes.windows(2).all(|pair| pair.first().map(|v| v.0) < pair.last().map(|v| v.0));
    if votes.len() > MAX_MEMBERS || !ascending {
        return Err(Rejection::Votes);
    }
    votes.iter().try_for_each(|(bank, vote)| retirement.check(consortium, *bank, vote))?;
    if votes.len().saturating_mul(3) <= consortium.banks().len().saturating_mul(2) {
        return Err(Rejection::TooFew);
    }
    Ok(Carried(Decree { retirement, votes }))
}

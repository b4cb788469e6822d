//! Votes on blocks, and the certificate that more than two thirds of the members cast them.
//!
//! This is the one format of what a member signs when blocks are ordered. The engine that orders (crate `network`)
//! makes votes; whoever holds a chain or an evidence file checks the certificate with nothing but the member list.
//! Source: Buchman, Kwon, Milosevic, *The latest gossip on BFT consensus* (2018), section 2.

use crate::{
    identity::{PublicIdentity, Signature},
    labels,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Which of the two votes of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum VoteKind {
    /// The first vote: the proposal is seen and valid.
    Prevote,
    /// The second vote: two thirds prevoted for it. A certificate is made of these.
    Precommit,
}

/// What a member signs: one vote of one round. `block` is `None` for a vote for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ballot {
    /// The consortium's id: a vote is worth nothing elsewhere.
    pub consortium: [u8; 32],
    /// Prevote or precommit.
    pub kind: VoteKind,
    /// Height of the block, from 1.
    pub height: u64,
    /// Round within the height, from 0.
    pub round: u32,
    /// The block's id, or `None` for nil.
    pub block: Option<[u8; 32]>,
}

impl Ballot {
    /// The canonical bytes under the signature.
    ///
    /// # Panics
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }
}

/// Proof that a block is decided: precommits of more than two thirds of the validators.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Certificate {
    /// Height of the block.
    pub height: u64,
    /// The round in which it was decided.
    pub round: u32,
    /// The block's id.
    pub block: [u8; 32],
    /// `(validator index in genesis order, signature)`, strictly ascending by index.
    pub votes: Vec<(u16, Signature)>,
}

impl Certificate {
    /// Verifies the certificate against the validators, in genesis order, one vote each.
    ///
    /// # Errors
    /// [`CertificateError`] says which vote is wrong, or how many are missing.
    pub fn verify(
        &self,
        consortium: [u8; 32],
        validators: &[PublicIdentity],
    ) -> Result<(), CertificateError> {
        let have = self.votes.len();
        // Stops a certificate padded with votes, before any signature is looked at.
        if have > validators.len() {
            return Err(CertificateError::TooMany { have, validators: validators.len() });
        }
        if have.saturating_mul(3) <= validators.len().saturating_mul(2) {
            return Err(CertificateError::TooFew { have, validators: validators.len() });
        }
        let ballot = Ballot {
            consortium,
            kind: VoteKind::Precommit,
            height: self.height,
            round: self.round,
            block: Some(self.block),
        }
        .to_bytes();
        let mut last = None;
        for (index, signature) in &self.votes {
            // Strict order stops one member's vote from being counted twice.
            if last.is_some_and(|last| last >= *index) {
                return Err(CertificateError::Order { index: *index });
            }
            last = Some(*index);
            let key =
                validators.get(usize::from(*index)).ok_or(CertificateError::Unknown { index: *index })?;
            key.verify(labels::VOTE_SIGNATURE, &ballot, signature)
                .map_err(|_| CertificateError::Signature { index: *index })?;
        }
        Ok(())
    }
}

/// Why a certificate is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// More votes than validators.
    #[error("{have} votes, but there are only {validators} validators")]
    TooMany {
        /// Votes in the certificate.
        have: usize,
        /// Validators of the consortium.
        validators: usize,
    },
    /// Not more than two thirds of the validators voted.
    #[error("{have} votes of {validators} validators are not more than two thirds")]
    TooFew {
        /// Votes in the certificate.
        have: usize,
        /// Validators of the consortium.
        validators: usize,
    },
    /// A vote is doubled or out of order.
    #[error("the vote of validator {index} is doubled or out of order")]
    Order {
        /// Index of the validator.
        index: u16,
    },
    /// A vote names a validator that does not exist.
    #[error("there is no validator {index}")]
    Unknown {
        /// Index that was named.
        index: u16,
    },
    /// A vote's signature is wrong.
    #[error("the vote of validator {index} is not signed by it for this block")]
    Signature {
        /// Index of the validator.
        index: u16,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use rand_core::OsRng;

    fn certificate(n: u16, votes: &[u16]) -> (Vec<PublicIdentity>, Certificate) {
        let keys: Vec<_> = (0..n).map(|_| Identity::generate(&mut OsRng)).collect();
        let block = [7; 32];
        let ballot = Ballot {
            consortium: [1; 32],
            kind: VoteKind::Precommit,
            height: 9,
            round: 2,
            block: Some(block),
        };
        let sign = |i: &u16| (*i, keys[usize::from(*i)].sign(labels::VOTE_SIGNATURE, &ballot.to_bytes()));
        let certificate = Certificate { height: 9, round: 2, block, votes: votes.iter().map(sign).collect() };
        (keys.iter().map(Identity::public).collect(), certificate)
    }

    #[test]
    fn more_than_two_thirds_are_enough_and_two_thirds_are_not() {
        let (keys, good) = certificate(4, &[0, 2, 3]);
        assert_eq!(good.verify([1; 32], &keys), Ok(()));
        let (keys, few) = certificate(3, &[0, 1]);
        assert_eq!(few.verify([1; 32], &keys), Err(CertificateError::TooFew { have: 2, validators: 3 }));
    }

    #[test]
    fn doubled_foreign_and_moved_votes_are_refused() {
        let (keys, good) = certificate(4, &[0, 1, 2]);
        let mut doubled = good.clone();
        doubled.votes[1] = doubled.votes[0];
        assert_eq!(doubled.verify([1; 32], &keys), Err(CertificateError::Order { index: 0 }));
        let mut foreign = good.clone();
        foreign.votes[2].0 = 9;
        assert_eq!(foreign.verify([1; 32], &keys), Err(CertificateError::Unknown { index: 9 }));
        let moved = Certificate { round: 3, ..good.clone() };
        assert_eq!(moved.verify([1; 32], &keys), Err(CertificateError::Signature { index: 0 }));
        assert_eq!(good.verify([2; 32], &keys), Err(CertificateError::Signature { index: 0 }));
    }

    #[test]
    fn all_may_vote_and_no_more_than_all() {
        let (keys, all) = certificate(4, &[0, 1, 2, 3]);
        assert_eq!(all.verify([1; 32], &keys), Ok(()));
        let mut padded = all.clone();
        padded.votes.push(all.votes[3]);
        assert_eq!(padded.verify([1; 32], &keys), Err(CertificateError::TooMany { have: 5, validators: 4 }));
        let (keys, descending) = certificate(4, &[0, 3, 2]);
        assert_eq!(descending.verify([1; 32], &keys), Err(CertificateError::Order { index: 2 }));
    }
}

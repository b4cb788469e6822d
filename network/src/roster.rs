//! Who takes part: the validators in genesis order, and the observers.

use crate::wire::MAX_VALIDATORS;
use counterfoil_crypto::identity::PublicIdentity;
use std::collections::BTreeSet;

/// The members of a consortium, as its genesis names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The consortium's id: a vote or proposal signed for another one is worth nothing here.
    pub consortium: [u8; 32],
    /// Those who vote, in genesis order: a certificate names them by their place in it.
    pub validators: Vec<PublicIdentity>,
    /// Those who follow without a vote.
    pub observers: Vec<PublicIdentity>,
}

impl Roster {
    /// Checks that the roster can order anything.
    ///
    /// # Errors
    /// [`RosterError`] when there is no validator, there are too many, or a key is named twice.
    pub fn check(&self) -> Result<(), RosterError> {
        if self.validators.is_empty() {
            return Err(RosterError::Empty);
        }
        if self.validators.len() > MAX_VALIDATORS {
            return Err(RosterError::TooMany { have: self.validators.len() });
        }
        let mut seen = BTreeSet::new();
        match self.members().find(|member| !seen.insert(**member)) {
            Some(twice) => Err(RosterError::Twice { member: *twice }),
            None => Ok(()),
        }
    }

    /// Everybody, validators first.
    pub fn members(&self) -> impl Iterator<Item = &PublicIdentity> {
        self.validators.iter().chain(&self.observers)
    }

    /// Place of a validator in genesis order; `None` for observers and strangers.
    #[must_use]
    pub fn index_of(&self, member: &PublicIdentity) -> Option<u16> {
        let place = self.validators.iter().position(|v| v == member)?;
        u16::try_from(place).ok()
    }

    /// The validator at a place of the genesis order.
    #[must_use]
    pub fn validator(&self, index: u16) -> Option<&PublicIdentity> {
        self.validators.get(usize::from(index))
    }

    /// Who proposes in a round: everybody in turn, by height and round.
    pub(crate) fn proposer(&self, height: u64, round: u32) -> u16 {
        let count = u64::try_from(self.validators.len()).unwrap_or(u64::MAX);
        let turn = height.wrapping_add(u64::from(round)).checked_rem(count).unwrap_or(0);
        u16::try_from(turn).unwrap_or(0)
    }
}

/// Why a roster is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// Nobody votes.
    #[error("the roster has no validator")]
    Empty,
    /// More validators than a certificate has room for.
    #[error("{have} validators are more than {MAX_VALIDATORS}")]
    TooMany {
        /// Validators in the roster.
        have: usize,
    },
    /// A key is named twice.
    #[error("the roster names {member} twice")]
    Twice {
        /// The key.
        member: PublicIdentity,
    },
}

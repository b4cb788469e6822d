//! The book: positions and control accounts, and how a verified batch changes them.
//!
//! Applying is cheap: points are added, balances compared. All proofs were checked before, on balances that the batch names;
//! here they are compared with the present ones, so of two batches that start from one balance the second is refused.
//! A refused batch changes nothing.
//!
//! State keys, all under the authenticated part of the key space:
//!
//! | key | value |
//! | --- | --- |
//! | `l` loan id | [`Loan`]: servicer, product, positions |
//! | `a` servicer, product, bank, kind | [`Account`]: balance and handles |
//! | `n` servicer, product, lane | [`Head`]: number and id of the last batch, top-ups taken up |
//! | `i` servicer, product, number | a top-up that waits to be taken up |
//! | `r` suite | height from which it is retired; see [`crate::suites`] |
//! | `e`, `t` | epochs and what is kept of the last; see [`crate::epoch`] |

mod layer;

use crate::{
    body::Posting,
    genesis::Consortium,
    names::{AccountKind, Bucket, Hash, Lane, LoanId, MemberId, ProductId},
    rejection::Rejection,
    store::{Changes, StateStore, StoreError, tree::STATE},
    transaction::Admitted,
    verify::Verified,
};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{encoding::Encoded, view_key::OwnerKey};
use curve25519_dalek::ristretto::RistrettoPoint;
use layer::Layer;
use std::collections::BTreeMap;

/// Most top-ups of one lane that may wait to be taken up; bounds the state that a servicer can make others keep.
pub const MAX_WAITING: u64 = 64;

/// One bank's part of one loan.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Position {
    /// One-time key of the owner.
    pub owner: OwnerKey,
    /// The part's share of the loan, committed.
    pub share: Encoded,
    /// What the customer owes of it, committed; it stays owed when its bank writes it off.
    pub principal: Encoded,
    /// Whether its bank has written it off: then nothing is outstanding on its books, whatever the customer owes.
    pub written_off: bool,
}

/// A loan: its positions, the servicer's first.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Loan {
    /// Who services it.
    pub servicer: MemberId,
    /// Its product.
    pub product: ProductId,
    /// One per part.
    pub positions: Vec<Position>,
    /// How late it is.
    pub bucket: Bucket,
}

/// A control account.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// The balance, committed.
    pub balance: Encoded,
    /// Handles of the bank, then of the product's auditors: one multiplication opens the total.
    pub handles: Vec<Encoded>,
}

/// Where a lane stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Head {
    /// Number of the last batch.
    pub sequence: u64,
    /// Its id.
    pub last: Hash,
    /// The last top-up that was taken up (loans lane).
    pub merged: u64,
}

type WirePosting = Posting<Encoded, Encoded>;

/// State being read, and written to a layer of changes above a store.
pub struct Book<'a> {
    store: &'a dyn StateStore,
    changes: Changes,
}

/// Why a batch was not applied: a rule said no, or the machine failed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The batch is refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed: the node stops, it never guesses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<'a> Book<'a> {
    /// A book over a store, without changes.
    #[must_use]
    pub fn new(store: &'a dyn StateStore) -> Self {
        Self { store, changes: Changes::new() }
    }

    /// What was changed.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    /// Applies a batch: all of it, or nothing.
    ///
    /// # Errors
    /// [`ApplyError::Rejected`] with the first rule that says no, [`ApplyError::Store`] when the state cannot be read.
    pub fn apply(&mut self, consortium: &Consortium, verified: &Verified) -> Result<(), ApplyError> {
        let (retired, height) = (self.retired_from(verified.batch().content.header.suite)?, self.height()?);
        if retired.is_some_and(|from| from <= height) {
            return Err(Rejection::Suite.into());
        }
        let mut layer = Layer {
            book: self,
            consortium,
            header: &verified.batch().content.header,
            bucket: None,
            changes: Changes::new(),
        };
        layer.apply(verified)?;
        let changes = layer.changes;
        self.changes.extend(changes);
        Ok(())
    }

    /// Applies a transaction: all of it, or nothing.
    ///
    /// # Errors
    /// As [`Book::apply`].
    pub fn apply_transaction(
        &mut self,
        consortium: &Consortium,
        transaction: &Admitted,
    ) -> Result<(), ApplyError> {
        match transaction {
            Admitted::Batch(verified) => self.apply(consortium, verified),
            Admitted::Attestation(signed) => self.attest(consortium, signed),
            Admitted::Decree(carried) => self.retire(carried),
        }
    }

    /// A loan.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn loan(&self, id: LoanId) -> Result<Option<Loan>, StoreError> {
        self.read(&loan_key(id))
    }

    /// A control account; one that was never touched has a balance of zero.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn account(
        &self,
        servicer: MemberId,
        product: ProductId,
        bank: MemberId,
        kind: AccountKind,
    ) -> Result<Option<Account>, StoreError> {
        self.read(&key(b'a', &(servicer, product, bank, kind)))
    }

    /// Where a lane stands.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn head(&self, servicer: MemberId, product: ProductId, lane: Lane) -> Result<Head, StoreError> {
        Ok(self.read(&head_key(servicer, product, lane))?.unwrap_or_default())
    }

    /// The height of the block that is being made or executed.
    pub(crate) fn height(&self) -> Result<u64, StoreError> {
        Ok(self.store.meta()?.map_or(1, |(height, _)| height.saturating_add(1)))
    }

    /// Every name and value of a class of keys, changes included.
    pub(crate) fn scan<K: BorshDeserialize, T: BorshDeserialize>(
        &self,
        class: u8,
    ) -> Result<Vec<(K, T)>, StoreError> {
        let prefix = key(class, &());
        let mut pairs: Changes = BTreeMap::new();
        for pair in self.store.scan(&prefix) {
            let (key, value) = pair?;
            pairs.insert(key, Some(value));
        }
        let changed = self.changes.iter().filter(|(key, _)| key.starts_with(&prefix));
        pairs.extend(changed.map(|(key, value)| (key.clone(), value.clone())));
        let mut named = Vec::new();
        for (key, value) in pairs {
            let name = decode(&key, key.get(prefix.len()..))?;
            named.extend(name.zip(decode(&key, value.as_deref())?));
        }
        Ok(named)
    }

    pub(crate) fn write(&mut self, key: Vec<u8>, value: &impl BorshSerialize) {
        self.changes.insert(key, borsh::to_vec(value).ok());
    }

    pub(crate) fn read<T: BorshDeserialize>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        let stored = match self.changes.get(key) {
            Some(changed) => changed.clone(),
            None => self.store.get(key)?,
        };
        decode(key, stored.as_deref())
    }
}

/// What this module wrote decodes: anything else is damage, and must not be taken for "absent".
fn decode<T: BorshDeserialize>(key: &[u8], stored: Option<&[u8]>) -> Result<Option<T>, StoreError> {
    let damaged = |_| StoreError::Mismatch { key: key.escape_ascii().to_string() };
    stored.map(|bytes| borsh::from_slice(bytes).map_err(damaged)).transpose()
}

fn head_key(servicer: MemberId, product: ProductId, lane: Lane) -> Vec<u8> {
    key(b'n', &(servicer, product, lane))
}

fn loan_key(id: LoanId) -> Vec<u8> {
    key(b'l', &id)
}

pub(crate) fn key(class: u8, name: &impl BorshSerialize) -> Vec<u8> {
    let mut key = STATE.to_vec();
    key.push(class);
    key.extend(borsh::to_vec(name).unwrap_or_default());
    key
}

fn point(encoded: &Encoded) -> Result<RistrettoPoint, Rejection> {
    encoded.decode().map_err(|_| Rejection::Point)
}

fn sum(a: &Encoded, b: &Encoded) -> Result<Encoded, Rejection> {
    let (a, b) = (point(a)?, point(b)?);
    Ok(Encoded::from(&[a, b].iter().sum::<RistrettoPoint>()))
}

fn negated(encoded: &Encoded) -> Result<Encoded, Rejection> {
    Ok(Encoded::from(&std::ops::Neg::neg(point(encoded)?)))
}

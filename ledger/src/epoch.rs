//! Epochs: when the banks attest, and what the state keeps for it.
//!
//! An epoch is a number of blocks that book batches, set in the genesis. Blocks of attestations alone do not count: else
//! the attestations of one epoch would end the next, and a quiet chain would never rest. At an epoch's end the state keeps one
//! hash per bank, over its control accounts, until the next epoch ends: until then the bank has time to attest.
//!
//! | key | value |
//! | --- | --- |
//! | `e` | [`Clock`] |
//! | `t` | [`Snapshot`] of the epoch that ended last |

use crate::{
    attestation::{AttestedAccount, SignedAttestation, digest},
    book::{Account, ApplyError, Book, key},
    genesis::Consortium,
    names::{AccountKind, Hash, MemberId, ProductId},
    rejection::Rejection,
    store::StoreError,
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// Counts blocks to epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Clock {
    /// The epoch that ended last; 0 before the first.
    pub epoch: u64,
    /// Blocks with batches since.
    pub blocks: u32,
}

impl Clock {
    /// Counts a block that booked a batch; returns the epoch that ends with it, if one does.
    pub fn tick(&mut self, epoch_blocks: u32) -> Option<u64> {
        self.blocks = self.blocks.saturating_add(1);
        if self.blocks < epoch_blocks {
            return None;
        }
        *self = Self { epoch: self.epoch.saturating_add(1), blocks: 0 };
        Some(self.epoch)
    }
}

/// What the state keeps of an epoch's end.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Snapshot {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The height at which it ended.
    pub height: u64,
    /// Per bank, the hash of its accounts ([`digest`]).
    pub digests: Vec<Hash>,
    /// Per bank, whether it has attested.
    pub attested: Vec<bool>,
}

impl Book<'_> {
    /// The epoch that ended last, as far as it was attested.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        self.read(&key(b't', &()))
    }

    /// Ends a block: counts it if it booked a batch, and keeps what an epoch's end needs.
    pub(crate) fn end_block(&mut self, consortium: &Consortium, booked: bool) -> Result<(), StoreError> {
        if !booked {
            return Ok(());
        }
        let mut clock: Clock = self.read(&key(b'e', &()))?.unwrap_or_default();
        let ended = clock.tick(consortium.genesis().epoch_blocks);
        self.write(key(b'e', &()), &clock);
        let Some(epoch) = ended else { return Ok(()) };
        let mut accounts = self.accounts()?;
        let banks = consortium.banks();
        let digest = |bank: &MemberId| digest(*bank, &accounts.remove(bank).unwrap_or_default());
        let snapshot = Snapshot {
            epoch,
            height: self.height()?,
            digests: banks.iter().map(digest).collect(),
            attested: vec![false; banks.len()],
        };
        self.write(key(b't', &()), &snapshot);
        Ok(())
    }

    /// Every control account by bank, in the order of attestations.
    pub(crate) fn accounts(&self) -> Result<BTreeMap<MemberId, Vec<AttestedAccount>>, StoreError> {
        type Name = (MemberId, ProductId, MemberId, AccountKind);
        let mut banks: BTreeMap<MemberId, Vec<AttestedAccount>> = BTreeMap::new();
        for ((servicer, product, bank, kind), account) in self.scan::<Name, Account>(b'a')? {
            let attested = AttestedAccount { product, servicer, kind, balance: account.balance };
            banks.entry(bank).or_default().push(attested);
        }
        banks.values_mut().for_each(|accounts| accounts.sort_unstable());
        Ok(banks)
    }

    /// Takes an attestation: of the epoch that ended last, once per bank, of the accounts as they stood.
    pub(crate) fn attest(
        &mut self,
        consortium: &Consortium,
        signed: &SignedAttestation,
    ) -> Result<(), ApplyError> {
        let content = &signed.attestation().content;
        let place = consortium.bank_index(content.bank).ok_or(Rejection::Member)?;
        let kept = self.snapshot()?.filter(|snapshot| snapshot.epoch == content.epoch);
        let mut snapshot = kept.ok_or(Rejection::Epoch)?;
        let attested = snapshot.attested.get_mut(place).ok_or(Rejection::Member)?;
        if *attested {
            return Err(Rejection::Attested.into());
        }
        *attested = true;
        if snapshot.digests.get(place) != Some(&digest(content.bank, &content.accounts)) {
            return Err(Rejection::Accounts.into());
        }
        self.write(key(b't', &()), &snapshot);
        Ok(())
    }
}

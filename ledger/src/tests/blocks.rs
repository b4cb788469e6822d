//! Blocks in memory: transactions applied as the chain does, epochs that end, banks that attest, a regulator's turnstile.

use super::world::{World, member};
use crate::{
    attestation::{Attestation, Content},
    batch::Sealed,
    block::{Block, BlockHeader, Decided, batches_root},
    book::{ApplyError, Book},
    epoch::Snapshot,
    names::MemberId,
    rejection::Rejection,
    store::StateStore as _,
    transaction::{Admitted, Transaction, Wire, admit},
    turnstile::{Alarm, Turnstile},
    verify::Verified,
};
use counterfoil_crypto::quorum::Certificate;
use rand_core::OsRng;
use std::sync::Arc;

pub(super) const REGULATOR: u16 = 4;

/// A world with its regulator's turnstile.
pub(super) struct Blocks {
    pub(super) world: World,
    pub(super) turnstile: Turnstile,
    pub(super) alarms: Vec<Alarm>,
}

impl Blocks {
    pub(super) fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let (consortium, keys) = (world.consortium.clone(), world.keys[usize::from(REGULATOR)].clone());
        let turnstile = Turnstile::new(consortium, member(REGULATOR), keys);
        Self { world, turnstile, alarms: Vec::new() }
    }

    pub(super) fn height(&self) -> u64 {
        self.world.store.meta().unwrap().map_or(0, |(height, _)| height)
    }

    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        Book::new(&self.world.store).snapshot().unwrap()
    }

    /// Applies a block; a refused transaction changes nothing, and everybody reads what was applied.
    pub(super) fn decide(&mut self, transactions: &[Admitted]) -> Vec<Option<Rejection>> {
        let mut book = Book::new(&self.world.store);
        let mut outcomes = Vec::new();
        for transaction in transactions {
            outcomes.push(match book.apply_transaction(&self.world.consortium, transaction) {
                Ok(()) => None,
                Err(ApplyError::Rejected(rejection)) => Some(rejection),
                Err(ApplyError::Store(error)) => panic!("{error}"),
            });
        }
        let applied = transactions.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none());
        let batches: Vec<_> = applied
            .filter_map(|(transaction, _)| match transaction {
                Admitted::Batch(verified) => Some(verified.sealed().clone()),
                Admitted::Attestation(_) | Admitted::Decree(_) => None,
            })
            .collect();
        book.end_block(&self.world.consortium, !batches.is_empty()).unwrap();
        let (changes, height) = (book.into_changes(), self.height() + 1);
        self.world.store.apply(height, [0; 32], &changes).unwrap();
        for sealed in &batches {
            self.world.views.iter_mut().for_each(|view| view.read(sealed));
        }
        let decided = decided(height, transactions, outcomes.clone());
        self.alarms.extend(self.turnstile.read(&decided).unwrap());
        outcomes
    }

    /// Books an honest batch in a block of its own.
    pub(super) fn book(&mut self, events: crate::draft::Events) {
        let sealed = self.world.seal(events);
        let verified = self.world.verify(&sealed).unwrap();
        self.world.wallet.absorb(&sealed).unwrap();
        assert_eq!(self.decide(&[Admitted::Batch(Arc::new(verified))]), [None]);
    }

    /// Books a forged batch as if the proof system had a hole.
    pub(super) fn book_unproven(&mut self, sealed: &Sealed) {
        let verified = Verified::recorded(&sealed.to_bytes()).unwrap();
        assert_eq!(self.decide(&[Admitted::Batch(Arc::new(verified))]), [None]);
    }

    /// What an honest bank attests of the epoch that ended last.
    pub(super) fn content(&self, bank: u16) -> Content {
        let epoch = self.snapshot().map_or(0, |snapshot| snapshot.epoch);
        let (keys, view) = (&self.world.keys[usize::from(bank)], &self.world.views[usize::from(bank)]);
        let accounts = view.opened_accounts();
        Content::seal(&self.world.consortium, keys, (member(bank), epoch), &accounts, &mut OsRng).unwrap()
    }

    pub(super) fn signed(&self, bank: u16, content: Content) -> Vec<u8> {
        let attestation = Attestation::sign(content, &self.world.keys[usize::from(bank)]);
        Transaction::Attestation(Box::new(attestation)).to_bytes()
    }

    pub(super) fn admit(&self, bytes: &[u8]) -> Result<Admitted, Rejection> {
        admit(&self.world.consortium, bytes, &mut OsRng)
    }

    /// What becomes of an attestation, with a block of its own if it is admitted.
    pub(super) fn fate(&mut self, bytes: &[u8]) -> Option<Rejection> {
        match self.admit(bytes) {
            Err(rejection) => Some(rejection),
            Ok(admitted) => self.decide(&[admitted])[0],
        }
    }

    /// Banks attest honestly.
    pub(super) fn attest(&mut self, banks: &[u16]) {
        for bank in banks {
            let bytes = self.signed(*bank, self.content(*bank));
            assert_eq!(self.fate(&bytes), None, "bank {bank}");
        }
    }

    /// Alarms of one bank: account by account.
    pub(super) fn alarms_of(&self, bank: u16) -> Vec<&Alarm> {
        let bank: Option<MemberId> = Some(member(bank));
        self.alarms.iter().filter(|alarm| alarm.bank == bank).collect()
    }
}

fn decided(height: u64, transactions: &[Admitted], outcomes: Vec<Option<Rejection>>) -> Decided {
    let batches: Vec<_> = transactions.iter().map(Admitted::to_bytes).collect();
    assert!(batches.iter().all(|bytes| Wire::of(bytes).is_ok()));
    let header = BlockHeader {
        version: 1,
        consortium: [0; 32],
        height,
        previous: [0; 32],
        batches: batches_root(&batches),
        state: [0; 32],
    };
    let certificate = Certificate { height, round: 0, block: header.id(), votes: Vec::new() };
    Decided { block: Block { header, batches }, certificate, outcomes }
}

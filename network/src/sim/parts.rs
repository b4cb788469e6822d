//! What a simulated member is made of: a disk that forgets what was not flushed, and an application of items.

use crate::{
    app::{Application, Fatal, Refused},
    journal::{Journal, JournalError},
};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::quorum::Certificate;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

#[derive(Default)]
struct Disk {
    height: u64,
    durable: Vec<Vec<u8>>,
    volatile: Vec<Vec<u8>>,
}

/// A journal in memory that outlives its replica.
#[derive(Clone, Default)]
pub(crate) struct MemoryJournal(Arc<Mutex<Disk>>);

impl MemoryJournal {
    pub(crate) fn crash(&self) {
        self.0.lock().unwrap().volatile.clear();
    }
}

impl Journal for MemoryJournal {
    fn height(&self) -> u64 {
        self.0.lock().unwrap().height
    }
    fn take_records(&mut self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().durable.clone()
    }
    fn append(&mut self, record: &[u8]) -> Result<(), JournalError> {
        self.0.lock().unwrap().volatile.push(record.to_vec());
        Ok(())
    }
    fn flush(&mut self) -> Result<(), JournalError> {
        let disk = &mut *self.0.lock().unwrap();
        disk.durable.append(&mut disk.volatile);
        Ok(())
    }
    fn begin(&mut self, height: u64) -> Result<(), JournalError> {
        *self.0.lock().unwrap() = Disk { height, ..Disk::default() };
        Ok(())
    }
}

/// A block of the simulated application.
#[derive(BorshSerialize, BorshDeserialize)]
pub(crate) struct Items {
    pub(crate) height: u64,
    pub(crate) salt: u64,
    pub(crate) items: BTreeSet<Vec<u8>>,
}

#[derive(Default)]
struct Books {
    chain: BTreeMap<u64, (Vec<u8>, Certificate)>,
    done: BTreeSet<Vec<u8>>,
    pool: BTreeSet<Vec<u8>>,
    own: BTreeSet<Vec<u8>>,
    salt: u64,
}

/// An application that orders items, each once.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Books>);

impl Ledger {
    pub(crate) fn offer(&self, item: &[u8]) {
        let books = &mut *self.0.lock().unwrap();
        if !books.done.contains(item) {
            books.own.insert(item.to_vec());
        }
    }
    pub(crate) fn done(&self) -> usize {
        self.0.lock().unwrap().done.len()
    }
    /// The pool of others' items is lost, and whatever is proposed next will be another block.
    pub(crate) fn crash(&self) {
        let books = &mut *self.0.lock().unwrap();
        books.pool.clone_from(&books.own);
        books.salt += 1;
    }
}

impl Application for Ledger {
    fn admit(&self, item: &[u8]) -> Result<(), Refused> {
        let books = &mut *self.0.lock().unwrap();
        if !books.done.contains(item) {
            books.pool.insert(item.to_vec());
        }
        Ok(())
    }
    fn pending(&self, _: usize) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().own.iter().cloned().collect()
    }
    fn waiting(&self) -> bool {
        !self.0.lock().unwrap().pool.is_empty()
    }
    fn propose(&self, height: u64) -> Vec<u8> {
        let books = self.0.lock().unwrap();
        let items = books.pool.iter().take(2).cloned().collect();
        borsh::to_vec(&Items { height, salt: books.salt, items }).unwrap()
    }
    fn identify(&self, height: u64, block: &[u8]) -> Result<[u8; 32], Refused> {
        let items = Items::try_from_slice(block).map_err(|e| Refused::new(e.to_string()))?;
        if items.height == height { Ok(*blake3::hash(block).as_bytes()) } else { Err(Refused::new("height")) }
    }
    fn verify(&self, _: u64, block: &[u8]) -> Result<(), Refused> {
        let items = Items::try_from_slice(block).map_err(|e| Refused::new(e.to_string()))?;
        if items.salt == u64::MAX { Err(Refused::new("bad")) } else { Ok(()) }
    }
    fn commit(&self, height: u64, block: &[u8], certificate: &Certificate) -> Result<(), Fatal> {
        let items = Items::try_from_slice(block).map_err(|e| Fatal::new(e.to_string()))?.items;
        let books = &mut *self.0.lock().unwrap();
        assert_eq!(books.chain.len() as u64 + 1, height, "a height is left out or repeated");
        books.chain.insert(height, (block.to_vec(), certificate.clone()));
        books.pool.retain(|item| !items.contains(item));
        books.own.retain(|item| !items.contains(item));
        books.done.extend(items);
        Ok(())
    }
    fn decided(&self, height: u64) -> Option<(Vec<u8>, Certificate)> {
        self.0.lock().unwrap().chain.get(&height).cloned()
    }
    fn height(&self) -> u64 {
        self.0.lock().unwrap().chain.len() as u64
    }
}

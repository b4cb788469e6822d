//! The node: where the opaque items that the network orders get their meaning.
//!
//! One lock guards chain and pool; proofs are verified outside it, on the network's blocking threads, once per batch. The
//! lock's contents, verdicts, the network's questions, epochs, the requests of the owner's programs, and the process.

mod inner;
mod judge;

mod application;
mod epochs;
mod requests;

mod run;

pub use run::run;

use crate::{
    control::Status,
    home::{Home, Me},
    verdicts::Verdicts,
};
use anyhow::Result;
use counterfoil_ledger::{
    block::Decided,
    chain::{Chain, ChainError},
    store::Start,
};
use counterfoil_network::Handle;
use inner::Inner;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A running member's application: its chain, its pool, its verdicts.
pub struct Node {
    me: Me,
    /// The height, for those who follow the chain.
    reached: watch::Sender<u64>,
    /// What a regulator's node found that does not add up.
    alarms: Mutex<Vec<String>>,
    verdicts: Verdicts,
    inner: Mutex<Inner>,
    arrived: Condvar,
}

impl Node {
    /// Opens the chain of a member.
    ///
    /// # Errors
    /// When it is damaged, or another process has it.
    pub fn open(home: &Home, me: Me) -> Result<Self> {
        let (chain, recovery, start) = Chain::open(&home.chain(), me.consortium.clone())?;
        if let Some(torn) = recovery.torn {
            tracing::warn!(
                height = torn.height,
                bytes = torn.bytes,
                "cut off a write that was never acknowledged"
            );
        }
        if let Start::Rebuilt { reason, .. } = start {
            tracing::warn!(reason, "rebuilt the index from the log");
        }
        let reached = watch::Sender::new(chain.height());
        Ok(Self {
            me,
            reached,
            alarms: Mutex::default(),
            verdicts: Verdicts::default(),
            inner: Mutex::new(Inner::new(chain)),
            arrived: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked while it held the lock has left memory consistent or not at all changed: every change
        // of the chain is one call that returns its result.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self, handle: &Handle) -> Result<Status> {
        let name = |identity| {
            self.me.consortium.member_of(&identity).map(|id| self.me.consortium.name(id).to_owned())
        };
        let peers = handle.peers().into_iter().filter_map(name).collect();
        let inner = self.lock();
        let waiting = u64::try_from(inner.pool.len().saturating_add(inner.notices.len()))?;
        let snapshot = inner.chain.book().snapshot()?;
        let epoch = snapshot.as_ref().map_or(0, |snapshot| snapshot.epoch);
        let attested = snapshot.map_or_else(Vec::new, |snapshot| snapshot.attested);
        let banks = self.me.consortium.banks().iter().zip(attested).filter(|(_, attested)| *attested);
        Ok(Status {
            height: inner.chain.height(),
            state: inner.chain.state_root()?,
            peers,
            waiting,
            epoch,
            attested: banks.map(|(bank, _)| self.me.consortium.name(*bank).to_owned()).collect(),
            alarms: self.alarms.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        })
    }

    /// The height, to be waited on.
    fn heights(&self) -> watch::Receiver<u64> {
        self.reached.subscribe()
    }

    /// A decided block with what became of its transactions.
    fn block(&self, height: u64) -> Result<Option<Decided>, ChainError> {
        self.lock().chain.decided(height)
    }
}

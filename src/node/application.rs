//! What the network asks of a node: to admit, propose, verify and commit opaque bytes.

use super::{Node, inner::Inner};
use counterfoil_crypto::quorum::Certificate;
use counterfoil_ledger::{
    block::Block,
    chain::ChainError,
    names::Hash,
    transaction::{Admitted, Wire},
};
use counterfoil_network::{Application, Fatal, Refused};
use std::{sync::PoisonError, time::Duration};

/// How long a proposer with an empty pool waits for what its peers have and it is still verifying. Well below the time
/// that the others give a proposal.
const PROPOSE_PATIENCE: Duration = Duration::from_millis(1500);

impl Application for Node {
    fn admit(&self, item: &[u8]) -> Result<(), Refused> {
        let verified = self.judge(item).map_err(refused)?;
        let mut inner = self.lock();
        inner.insert(verified).map_err(refused)?;
        inner.settle();
        self.arrived.notify_all();
        Ok(())
    }

    fn pending(&self, max_bytes: usize) -> Vec<Vec<u8>> {
        let mut left = max_bytes;
        let mine = |transaction: &Admitted| match transaction {
            Admitted::Batch(verified) => verified.batch().content.header.servicer == self.me.id,
            Admitted::Attestation(signed) => signed.attestation().content.bank == self.me.id,
            // A decree is everybody's.
            Admitted::Decree(_) => true,
        };
        let fits = |bytes: &Vec<u8>| left.checked_sub(bytes.len()).map(|rest| left = rest).is_some();
        let candidates = self.lock().candidates();
        candidates.into_iter().filter(mine).map(|t| t.to_bytes()).take_while(fits).collect()
    }

    fn waiting(&self) -> bool {
        self.lock().ready
    }

    fn propose(&self, _height: u64) -> Vec<u8> {
        // Somebody woke this height for a batch: an empty block would only be written and forgotten.
        let empty = |inner: &mut Inner| !inner.ready;
        let waited = self.arrived.wait_timeout_while(self.lock(), PROPOSE_PATIENCE, empty);
        let (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let candidates = inner.candidates();
        match inner.chain.propose(&candidates) {
            Ok((block, _)) => block.to_bytes(),
            Err(error) => {
                tracing::error!(%error, "cannot make a block");
                Vec::new()
            }
        }
    }

    fn identify(&self, height: u64, block: &[u8]) -> Result<Hash, Refused> {
        let block = Block::from_bytes(block).map_err(refused)?;
        if block.header.height != height {
            return Err(Refused::new(format!("a block of height {}, not {height}", block.header.height)));
        }
        Ok(block.header.id())
    }

    fn verify(&self, _height: u64, block: &[u8]) -> Result<(), Refused> {
        let block = Block::from_bytes(block).map_err(refused)?;
        self.plausible(&block).map_err(refused)?;
        let batches = self.verify_all(&block).map_err(refused)?;
        let mut inner = self.lock();
        let executed = inner.chain.execute(&block, &batches).map_err(refused)?;
        inner.executed = Some((block.header.id(), executed));
        Ok(())
    }

    fn commit(&self, height: u64, block: &[u8], certificate: &Certificate) -> Result<(), Fatal> {
        let fatal = |error: &dyn std::fmt::Display| Fatal::new(format!("height {height}: {error}"));
        let block = Block::from_bytes(block).map_err(|e| fatal(&e))?;
        // A node that catches up verifies what it gets, like everything else.
        let batches = self.verify_all(&block).map_err(|e| fatal(&e))?;
        let mut inner = self.lock();
        let cached = inner.executed.take().filter(|(id, _)| *id == block.header.id());
        let executed = match cached {
            Some((_, executed)) => executed,
            None => inner.chain.execute(&block, &batches).map_err(|e| fatal(&e))?,
        };
        let decided =
            inner.chain.commit(block, certificate.clone(), executed).map_err(|e: ChainError| fatal(&e))?;
        let wires = decided.block.batches.iter().filter_map(|bytes| Wire::of(bytes).ok());
        self.verdicts.forget(wires.filter_map(|wire| match wire {
            Wire::Batch(batch) => Some(batch),
            Wire::Attestation(_) | Wire::Decree(_) => None,
        }));
        // What was refused in this block may only have come too early: `settle` tells.
        let booked = batches.iter().zip(&decided.outcomes).filter(|(_, outcome)| outcome.is_none());
        for (admitted, _) in booked {
            inner.pool.remove(&admitted.id());
            inner.notices.remove(&admitted.id());
            inner.answer(&admitted.id(), Ok(height));
        }
        inner.settle();
        drop(inner);
        self.reached.send_replace(height);
        tracing::info!(height, transactions = batches.len(), "booked");
        Ok(())
    }

    fn decided(&self, height: u64) -> Option<(Vec<u8>, Certificate)> {
        match self.lock().chain.decided(height) {
            Ok(decided) => decided.map(|decided| (decided.block.to_bytes(), decided.certificate)),
            Err(error) => {
                tracing::error!(height, %error, "cannot read the log");
                None
            }
        }
    }

    fn height(&self) -> u64 {
        self.lock().chain.height()
    }
}

fn refused(error: impl std::fmt::Display) -> Refused {
    Refused::new(error.to_string())
}

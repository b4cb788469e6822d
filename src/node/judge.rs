//! Verdicts on what is offered: the cheap reasons first, then the proofs, outside the node's lock.

use super::Node;
use counterfoil_ledger::{
    batch::Sealed,
    block::Block,
    rejection::Rejection,
    transaction::{Admitted, Wire, admit_with},
};
use tokio::sync::oneshot;

impl Node {
    /// The transactions of a block, all of them verified, or the first rejection that is found: what is cheap to check comes
    /// first.
    pub(super) fn verify_all(&self, block: &Block) -> Result<Vec<Admitted>, Rejection> {
        let consortium = &self.me.consortium;
        let mut batches: Vec<&[u8]> = Vec::new();
        let mut notices: Vec<Option<Admitted>> = Vec::new();
        for bytes in &block.batches {
            match Wire::of(bytes)? {
                Wire::Batch(batch) => {
                    batches.push(batch);
                    notices.push(None);
                }
                Wire::Attestation(_) | Wire::Decree(_) => notices.push(Some(self.judge(bytes)?)),
            }
        }
        let mut verified = self.verdicts.verify_all(consortium, &batches)?.into_iter().map(Admitted::Batch);
        let admitted = notices.into_iter().map(|notice| notice.or_else(|| verified.next()));
        Ok(admitted.flatten().collect())
    }

    /// The verdict on a transaction that is offered. A batch that the pool would not take in is refused before any proof is looked
    /// at: peers offer again what they think is missing, and a member could offer what nobody needs.
    pub(super) fn judge(&self, bytes: &[u8]) -> Result<Admitted, Rejection> {
        admit_with(&self.me.consortium, bytes, |batch| {
            let content = Sealed::from_bytes(batch)?.batch.content;
            let inner = self.lock();
            let head = inner.head(&content.header).ok_or(Rejection::Backlog)?;
            inner.pool.admits(&content, head)?;
            drop(inner);
            self.verdicts.verify(&self.me.consortium, batch)
        })
    }

    /// What can be said of a proposed block before any proof is looked at: it comes next, and holds nothing that is booked
    /// already, which no honest proposer puts into it.
    pub(super) fn plausible(&self, block: &Block) -> Result<(), Rejection> {
        let inner = self.lock();
        if !inner.chain.is_next(&block.header) {
            return Err(Rejection::Sequence);
        }
        for bytes in &block.batches {
            let Wire::Batch(batch) = Wire::of(bytes)? else { continue };
            let header = Sealed::from_bytes(batch)?.batch.content.header;
            if inner.head(&header).is_none_or(|head| header.sequence <= head) {
                return Err(Rejection::Sequence);
            }
        }
        Ok(())
    }

    /// Takes a batch of this bank's own programs; the receiver hears when it is decided.
    pub(super) fn submit(
        &self,
        bytes: &[u8],
    ) -> Result<oneshot::Receiver<Result<u64, Rejection>>, Rejection> {
        let admitted = self.judge(bytes)?;
        let id = admitted.id();
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.lock();
        inner.insert(admitted)?;
        inner.waiters.entry(id).or_default().push(sender);
        inner.settle();
        self.arrived.notify_all();
        Ok(receiver)
    }
}

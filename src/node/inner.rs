//! What a node holds under its one lock: the chain, and what waits to be booked.

use crate::{
    notices::Notices,
    pool::{MAX_AHEAD, Pool},
};
use counterfoil_ledger::{
    batch::Header,
    chain::{Chain, Executed},
    names::{Hash, Lane},
    rejection::Rejection,
    transaction::Admitted,
};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// Who waits for the decision on a transaction: the height at which it is booked, or why it is not.
pub(super) type Waiter = oneshot::Sender<Result<u64, Rejection>>;

pub(super) struct Inner {
    pub(super) chain: Chain,
    pub(super) pool: Pool,
    pub(super) notices: Notices,
    pub(super) waiters: BTreeMap<Hash, Vec<Waiter>>,
    /// Whether the next block could carry anything: a batch that is ahead of its lane waits without waking anybody.
    pub(super) ready: bool,
    /// The last block that was executed: most often the one that is decided next.
    pub(super) executed: Option<(Hash, Executed)>,
}

impl Inner {
    pub(super) fn new(chain: Chain) -> Self {
        Self {
            chain,
            pool: Pool::default(),
            notices: Notices::default(),
            waiters: BTreeMap::new(),
            ready: false,
            executed: None,
        }
    }

    /// Takes a verified transaction into the pool.
    pub(super) fn insert(&mut self, admitted: Admitted) -> Result<(), Rejection> {
        // A state that cannot be read stops the node at the next block; until then nothing is taken in.
        match admitted {
            Admitted::Batch(verified) => {
                let head = self.head(&verified.batch().content.header).ok_or(Rejection::Backlog)?;
                self.pool.insert(verified, head)
            }
            notice => self.notices.insert(notice, self.ended().ok_or(Rejection::Backlog)?),
        }
    }

    /// The epoch that ended last; 0 before the first.
    fn ended(&self) -> Option<u64> {
        let snapshot = self.chain.book().snapshot().ok()?;
        Some(snapshot.map_or(0, |snapshot| snapshot.epoch))
    }

    /// All that waits: notices first, since they are small and batches may fill the block.
    pub(super) fn candidates(&self) -> Vec<Admitted> {
        let batches = self.pool.candidates().into_iter().map(Admitted::Batch);
        self.notices.candidates().into_iter().chain(batches).collect()
    }

    /// Number of the last booked batch in a header's lane.
    pub(super) fn head(&self, header: &Header) -> Option<u64> {
        let head = self.chain.book().head(header.servicer, header.product, header.kind.lane());
        head.ok().map(|head| head.sequence)
    }

    /// Tells those who wait for a batch.
    pub(super) fn answer(&mut self, id: &Hash, outcome: Result<u64, Rejection>) {
        for waiter in self.waiters.remove(id).unwrap_or_default() {
            // Whoever asked may have gone away.
            let _ = waiter.send(outcome);
        }
    }

    /// Drops what can never be booked any more. A batch that is ahead of its lane waits for those before it.
    pub(super) fn settle(&mut self) {
        let candidates = self.candidates();
        let Ok((block, refused)) = self.chain.propose(&candidates) else { return };
        self.ready = !block.batches.is_empty();
        for (id, rejection) in refused {
            let Some(candidate) = candidates.iter().find(|candidate| candidate.id() == id) else { continue };
            match candidate {
                Admitted::Batch(batch) if !self.ahead(&batch.batch().content.header, rejection) => {
                    for behind in self.pool.drop_from(batch) {
                        self.answer(&behind, Err(rejection));
                    }
                }
                Admitted::Batch(_) => {}
                notice
                    if rejection == Rejection::Epoch
                        && self.ended().is_some_and(|ended| Notices::is_ahead(notice, ended)) => {}
                _ => {
                    self.notices.remove(&id);
                    self.answer(&id, Err(rejection));
                }
            }
        }
    }

    /// Whether a batch is refused only because one that it builds on is still on its way: an earlier one of its lane, or a
    /// top-up that it takes up.
    fn ahead(&self, header: &Header, rejection: Rejection) -> bool {
        match rejection {
            Rejection::Sequence => {
                self.head(header).is_some_and(|head| header.sequence > head.saturating_add(1))
            }
            Rejection::Merge => {
                let book = self.chain.book();
                let top_ups =
                    book.head(header.servicer, header.product, Lane::Reserve).map(|head| head.sequence);
                top_ups
                    .is_ok_and(|last| header.merged > last && header.merged <= last.saturating_add(MAX_AHEAD))
            }
            _ => false,
        }
    }
}

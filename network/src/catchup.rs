//! Catching up: which decided blocks to ask of whom. Pure bookkeeping, counted in ticks of a second.
//!
//! A peer's word about its tip is only a hint: what it sends is checked against the validators before it counts,
//! and a peer that sends nothing, or nonsense, loses its turn to another.

use crate::wire::Block;
use counterfoil_crypto::{identity::PublicIdentity, quorum::Certificate};
use std::collections::BTreeMap;

/// Heights in flight or waiting to be committed; bounds the memory to as many blocks.
const WINDOW: u64 = 8;
/// Requests to one peer at a time.
const PER_PEER: usize = 4;
/// After so many ticks without an answer another peer is asked.
const PATIENCE: u64 = 3;

/// A request that is under way.
struct Asked {
    peer: PublicIdentity,
    since: u64,
}

/// What peers say they have, what was asked, and what came.
#[derive(Default)]
pub(crate) struct CatchUp {
    tips: BTreeMap<PublicIdentity, u64>,
    asked: BTreeMap<u64, Asked>,
    /// Whom a height was asked of last, to ask somebody else the next time.
    last: BTreeMap<u64, PublicIdentity>,
    ready: BTreeMap<u64, (Block, Certificate)>,
    now: u64,
}

impl CatchUp {
    /// A peer says that it has committed everything up to `tip`.
    pub(crate) fn note(&mut self, peer: PublicIdentity, tip: u64) {
        self.tips.insert(peer, tip);
    }

    /// A peer is gone, or has sent nonsense: forget its tip and what it was asked.
    pub(crate) fn forget(&mut self, peer: &PublicIdentity) {
        self.tips.remove(peer);
        self.asked.retain(|_, asked| asked.peer != *peer);
    }

    /// A second has passed: requests without answer are given up.
    pub(crate) fn tick(&mut self) {
        self.now = self.now.saturating_add(1);
        let now = self.now;
        self.asked.retain(|_, asked| now.saturating_sub(asked.since) < PATIENCE);
    }

    /// What to ask now, `open` being the height that is not yet decided here.
    pub(crate) fn requests(&mut self, open: u64) -> Vec<(PublicIdentity, u64)> {
        let past = |height: &u64| *height < open;
        self.asked.retain(|height, _| !past(height));
        self.last.retain(|height, _| !past(height));
        self.ready.retain(|height, _| !past(height));
        let wanted = (open..open.saturating_add(WINDOW)).filter(|h| !self.ready.contains_key(h));
        let mut requests = Vec::new();
        for height in wanted.collect::<Vec<_>>() {
            if self.asked.contains_key(&height) {
                continue;
            }
            let Some(peer) = self.choose(height) else { continue };
            self.asked.insert(height, Asked { peer, since: self.now });
            self.last.insert(height, peer);
            requests.push((peer, height));
        }
        requests
    }

    /// The peer that has the height and the fewest requests; not the one that was asked last, if there is another.
    fn choose(&self, height: u64) -> Option<PublicIdentity> {
        let busy = |peer: &PublicIdentity| self.asked.values().filter(|a| a.peer == *peer).count();
        let able = self.tips.iter().filter(|(_, tip)| **tip >= height).map(|(peer, _)| peer);
        let free = able.filter(|peer| busy(peer) < PER_PEER);
        free.min_by_key(|peer| (self.last.get(&height) == Some(*peer), busy(peer), **peer)).copied()
    }

    /// Whether this height was asked for, of whomever: a late answer is as good as another.
    pub(crate) fn wants(&self, height: u64) -> bool {
        self.last.contains_key(&height) && !self.ready.contains_key(&height)
    }

    /// A block that was asked for has come, and its certificate is good.
    pub(crate) fn keep(&mut self, block: Block, certificate: Certificate) {
        self.asked.remove(&certificate.height);
        self.ready.insert(certificate.height, (block, certificate));
    }

    /// The checked block of a height, if it has come.
    pub(crate) fn take(&mut self, height: u64) -> Option<(Block, Certificate)> {
        self.ready.remove(&height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_crypto::{identity::Identity, secret::SecretBytes};

    fn peers() -> [PublicIdentity; 2] {
        [1, 2].map(|seed| Identity::from_seed(&SecretBytes::new([seed; 32])).public())
    }

    #[test]
    fn requests_are_pipelined_shared_and_bounded() {
        let ([a, b], mut catchup) = (peers(), CatchUp::default());
        catchup.note(a, 100);
        catchup.note(b, 100);
        let first = catchup.requests(11);
        assert_eq!(first.iter().map(|r| r.1).collect::<Vec<_>>(), (11..19).collect::<Vec<_>>());
        assert_eq!(first.iter().filter(|r| r.0 == a).count(), PER_PEER);
        assert_eq!(catchup.requests(11), []);
    }

    #[test]
    fn silence_and_nonsense_move_a_request_to_another_peer() {
        let ([a, b], mut catchup) = (peers(), CatchUp::default());
        catchup.note(a, 5);
        assert_eq!(catchup.requests(5), [(a, 5)]);
        catchup.note(b, 5);
        (0..PATIENCE).for_each(|_| catchup.tick());
        assert_eq!(catchup.requests(5), [(b, 5)]);
        assert!(catchup.wants(5) && !catchup.wants(6));
        catchup.forget(&b);
        assert_eq!(catchup.requests(5), [(a, 5)]);
        // A liar about its tip is asked in vain and nothing else happens.
        assert_eq!(catchup.requests(6), []);
    }
}

//! The proposed blocks of the open height: their bytes, and what the application said of them.

use crate::wire::{Block, BlockId};
use std::collections::BTreeMap;

/// Blocks that a proposer may push for one round: two are enough to show that it contradicts itself.
const PER_ROUND: usize = 2;
/// Ids that are kept because a signed proposal names them.
const MAX_NAMED: usize = 256;
/// Bytes kept of all blocks together.
const MAX_BYTES: usize = 256 << 20;

/// A block that was proposed.
pub(super) struct Held {
    pub(super) block: Block,
    /// The round in which it was first proposed.
    pub(super) round: u32,
    /// What the application said; `None` until it has answered.
    pub(super) verdict: Option<bool>,
    /// Whether the journal has the bytes.
    pub(super) journaled: bool,
}

/// A block that a signed proposal names.
#[derive(Clone, Copy)]
struct Named {
    round: u32,
    since: u64,
}

/// All blocks of the open height.
#[derive(Default)]
pub(super) struct Shelf {
    held: BTreeMap<BlockId, Held>,
    named: BTreeMap<BlockId, Named>,
}

impl Shelf {
    pub(super) fn get(&self, id: &BlockId) -> Option<&Held> {
        self.held.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &BlockId) -> Option<&mut Held> {
        self.held.get_mut(id)
    }

    /// Blocks with a verdict, in order of their ids.
    pub(super) fn judged(&self) -> impl Iterator<Item = (BlockId, u32, bool)> {
        self.held.iter().filter_map(|(id, held)| held.verdict.map(|valid| (*id, held.round, valid)))
    }

    /// A good block to propose (again): the first that was proposed at this height.
    pub(super) fn good(&self) -> Option<BlockId> {
        let good = self.judged().filter(|(_, _, valid)| *valid);
        good.min_by_key(|(id, round, _)| (*round, *id)).map(|(id, _, _)| id)
    }

    /// Whether a block may be kept: it is not there yet, and a signed proposal names it or the proposer of the
    /// round pushes it and has room. Answers the round under which to keep it.
    pub(super) fn admits(&self, id: &BlockId, round: u32, from_proposer: bool) -> Option<u32> {
        if self.held.contains_key(id) {
            return None;
        }
        if let Some(named) = self.named.get(id) {
            return Some(named.round);
        }
        let room = self.held.values().filter(|held| held.round == round).count() < PER_ROUND;
        (from_proposer && room).then_some(round)
    }

    /// Keeps a block. Where that is too much, the blocks of the earliest rounds go, but not the one that the
    /// engine relies on.
    pub(super) fn insert(&mut self, id: BlockId, held: Held, relied_on: Option<BlockId>) {
        self.held.insert(id, held);
        let size = |held: &BTreeMap<BlockId, Held>| held.values().map(|h| h.block.len()).sum::<usize>();
        while size(&self.held) > MAX_BYTES {
            let spare = self.held.iter().filter(|(other, _)| **other != id && Some(**other) != relied_on);
            let Some(oldest) = spare.min_by_key(|(_, h)| h.round).map(|(other, _)| *other) else { return };
            self.held.remove(&oldest);
        }
    }

    /// A signed proposal of the round's proposer names this block.
    pub(super) fn name(&mut self, id: BlockId, round: u32, now: u64) {
        // Two that contradict each other are evidence enough; more would let a proposer fill the shelf.
        let of_round = self.named.values().filter(|named| named.round == round).count();
        if self.named.len() < MAX_NAMED && of_round < PER_ROUND {
            self.named.entry(id).or_insert(Named { round, since: now });
        }
    }

    /// Blocks that are named for longer than a tick and have not come.
    pub(super) fn missing(&self, now: u64) -> Vec<BlockId> {
        let late = |named: &Named| now.saturating_sub(named.since) > 1;
        let absent = self.named.iter().filter(|(id, named)| late(named) && !self.held.contains_key(*id));
        absent.map(|(id, _)| *id).take(4).collect()
    }
}

//! The desk: what waits for a verdict, and whose turn it is.

use super::{Verdict, cache::Cache};
use counterfoil_ledger::{
    names::{Hash, MemberId},
    verify::Signed,
};
use std::collections::{BTreeSet, VecDeque};

/// Most batches verified together: their points take some megabytes each, and what gains by it is gained before.
const MAX_TOGETHER: usize = 32;

/// Who asks: one call of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

pub(super) struct Place {
    key: Hash,
    signed: Signed,
    askers: BTreeSet<Ticket>,
}

#[derive(Default)]
pub(super) struct Desk {
    cache: Cache,
    /// Asked for, not yet under way, in the order of asking: nobody gets ahead by choosing bytes.
    pub(super) waiting: VecDeque<Place>,
    /// What somebody is verifying; there is one multiplication at a time, on all cores.
    under_way: BTreeSet<Hash>,
    /// Servicers that have signed a batch which was refused. No honest program does that, so from then on until this node
    /// starts again theirs are verified one by one: a bad batch among many costs the many several times their own work (the
    /// bisection), and who has once made others pay it will not again.
    caught: BTreeSet<MemberId>,
    /// Whether those had the last turn; they have every other, and hold nobody up longer than one batch takes.
    had_turn: bool,
    tickets: u64,
}

impl Desk {
    /// A ticket for one call.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        Ticket(self.tickets)
    }

    /// The verdict, if it is known.
    pub(super) fn verdict(&self, key: &Hash) -> Option<Verdict> {
        self.cache.verdict(key)
    }

    pub(super) fn at_work(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Joins those who wait for a batch; `false` when nobody does.
    pub(super) fn join(&mut self, key: &Hash, ticket: Ticket) -> bool {
        if let Some(place) = self.waiting.iter_mut().find(|place| place.key == *key) {
            place.askers.insert(ticket);
            return true;
        }
        self.under_way.contains(key)
    }

    /// Lets a batch wait for its turn, unless it was asked for meanwhile.
    pub(super) fn ask(&mut self, key: Hash, signed: Signed, ticket: Ticket) {
        if self.cache.verdict(&key).is_none() && !self.join(&key, ticket) {
            self.waiting.push_back(Place { key, signed, askers: BTreeSet::from([ticket]) });
        }
    }

    /// Takes a call's wishes back: what nobody else asks for need not be worked on.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.waiting.retain_mut(|place| !place.askers.remove(&ticket) || !place.askers.is_empty());
    }

    /// The next group, which is then under way: those of honest servicers together, or one of a servicer that was caught.
    pub(super) fn begin(&mut self) -> Vec<(Hash, Signed)> {
        let is_caught = |place: &Place| self.caught.contains(&place.signed.servicer());
        let alone =
            self.waiting.iter().any(is_caught) && (!self.had_turn || self.waiting.iter().all(is_caught));
        let most = if alone { 1 } else { MAX_TOGETHER };
        let (mut group, mut rest) = (Vec::new(), VecDeque::new());
        for place in std::mem::take(&mut self.waiting) {
            if group.len() < most && is_caught(&place) == alone {
                group.push((place.key, place.signed));
            } else {
                rest.push_back(place);
            }
        }
        (self.waiting, self.had_turn) = (rest, alone);
        self.under_way = group.iter().map(|(key, _)| *key).collect();
        group
    }

    /// Nothing is under way any more.
    pub(super) fn end(&mut self) {
        self.under_way.clear();
    }

    /// Keeps a verdict on a batch that was signed.
    pub(super) fn reach(&mut self, key: Hash, servicer: MemberId, verdict: Verdict) {
        if verdict.is_err() {
            self.caught.insert(servicer);
        }
        self.cache.remember(key, servicer, verdict);
    }

    pub(super) fn forget(&mut self, key: &Hash) {
        self.cache.forget(key);
    }
}

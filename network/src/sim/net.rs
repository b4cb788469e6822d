//! The simulated network and its clock.

use super::parts::{Items, Ledger, MemoryJournal};
use crate::{
    app::Application,
    context::{Address, Context},
    replica::{Effect, Replica, Timeouts, Timer},
    roster::Roster,
    wire::{Block, BlockId, Decided, Message},
};
use borsh::BorshDeserialize as _;
use counterfoil_crypto::{
    identity::{Identity, PublicIdentity},
    quorum::{Certificate, VoteKind},
    secret::SecretBytes,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore as _, SeedableRng as _};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::Duration,
};

/// What goes wrong.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    /// In a hundred.
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    /// Partitions and crashes.
    pub(crate) accidents: u64,
    /// The last validator but one contradicts itself.
    pub(crate) liar: bool,
    pub(crate) observers: usize,
    pub(crate) judging: Duration,
    pub(crate) crash_proposers: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self { loss: 5, duplication: 5, accidents: 12, ..Self::none() }
    }
}

impl Faults {
    pub(crate) fn none() -> Self {
        let (loss, duplication, accidents, observers) = (0, 0, 0, 0);
        let judging = Duration::from_millis(30);
        Self { loss, duplication, accidents, liar: false, observers, judging, crash_proposers: false }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Bytes { to: usize, from: usize, bytes: Arc<[u8]> },
    Item { to: usize, item: Vec<u8> },
    Offer { at: usize, item: Vec<u8> },
    Timer { node: usize, life: u64, set: u64 },
    Proposed { node: usize, life: u64, height: u64, round: u32 },
    Verified { node: usize, life: u64, height: u64, id: BlockId, valid: bool },
    Commit { node: usize, life: u64, block: Vec<u8>, height: u64 },
    Tick(usize),
    Crash(usize),
    Restart(usize),
    Partition(u64),
}

struct Node {
    replica: Option<Replica>,
    life: u64,
    ledger: Arc<Ledger>,
    journal: MemoryJournal,
    timers: BTreeMap<Timer, u64>,
    certificates: BTreeMap<u64, Certificate>,
}

/// A consortium and everything that is under way in it.
pub(crate) struct Sim {
    seed: u64,
    faults: Faults,
    roster: Arc<Roster>,
    keys: Vec<Identity>,
    nodes: Vec<Node>,
    rng: ChaCha8Rng,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    now: u64,
    serial: u64,
    side: u64,
    items: usize,
    decided: BTreeMap<u64, BlockId>,
    /// What validators have signed: nobody but the liar signs two things for one place.
    signed: BTreeMap<(u16, Option<VoteKind>, u64, u32), Option<BlockId>>,
    spoken: Vec<usize>,
    accused: usize,
    crashes: usize,
    round: u32,
    trace: blake3::Hasher,
}

impl Sim {
    pub(crate) fn new(seed: u64, n: usize, faults: Faults) -> Self {
        let keys: Vec<_> = (0..n + faults.observers)
            .map(|i| Identity::from_seed(&SecretBytes::new([i as u8 + 1; 32])))
            .collect();
        let public: Vec<_> = keys.iter().map(Identity::public).collect();
        let (validators, observers) = (public[..n].to_vec(), public[n..].to_vec());
        let roster = Arc::new(Roster { consortium: [7; 32], validators, observers });
        let mut sim = Self {
            seed,
            faults,
            roster,
            nodes: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            queue: BinaryHeap::new(),
            now: 0,
            serial: 0,
            side: 0,
            items: 0,
            decided: BTreeMap::new(),
            signed: BTreeMap::new(),
            spoken: vec![0; keys.len()],
            accused: 0,
            crashes: 0,
            round: 0,
            trace: blake3::Hasher::new(),
            keys,
        };
        for at in 0..sim.keys.len() {
            let (ledger, journal) = (Arc::new(Ledger::default()), MemoryJournal::default());
            let (timers, certificates) = (BTreeMap::new(), BTreeMap::new());
            sim.nodes.push(Node { replica: None, life: 0, ledger, journal, timers, certificates });
            sim.restart(at);
            sim.push(at as u64 * 7, Event::Tick(at));
        }
        sim.plan_accidents(n);
        sim
    }

    fn plan_accidents(&mut self, n: usize) {
        let mut at = 500;
        for _ in 0..self.faults.accidents {
            at += 200 + self.below(3000);
            let lasts = 50 + self.below(4000);
            if self.below(3) == 0 {
                let side = 1 + self.below((1 << n) - 2);
                self.push(at, Event::Partition(side));
                self.push(at + lasts, Event::Partition(0));
            } else {
                let who = self.below(n as u64) as usize;
                self.push(at, Event::Crash(who));
                self.push(at + lasts, Event::Restart(who));
            }
        }
    }

    /// Items come in at random places over the time of the accidents.
    pub(crate) fn offer_items(&mut self, count: usize) {
        self.items += count;
        for item in 0..count {
            let (at, delay) = (self.below(self.nodes.len() as u64) as usize, self.below(20_000));
            self.push(delay, Event::Offer { at, item: format!("item {item} of {}", self.seed).into_bytes() });
        }
    }

    pub(crate) fn all_items_are_everywhere(&self) -> bool {
        self.nodes.iter().all(|node| node.ledger.done() == self.items)
    }
    pub(crate) fn heights(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| node.ledger.height()).collect()
    }
    pub(crate) fn trace(&self) -> blake3::Hash {
        self.trace.finalize()
    }
    pub(crate) fn accusations(&self) -> usize {
        self.accused
    }
    pub(crate) fn crashes(&self) -> usize {
        self.crashes
    }
    pub(crate) fn highest_round(&self) -> u32 {
        self.round
    }
    /// Votes and proposals that a member has sent.
    pub(crate) fn spoken_by(&self, node: usize) -> usize {
        self.spoken[node]
    }

    fn below(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }
    fn push(&mut self, delay_ms: u64, event: Event) {
        self.serial += 1;
        self.queue.push(Reverse((self.now + delay_ms, self.serial, event)));
    }
    fn liar(&self) -> Option<usize> {
        self.faults.liar.then(|| self.roster.validators.len() - 2)
    }

    pub(crate) fn crash(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.replica.take().is_some() {
            node.life += 1;
            node.timers.clear();
            node.journal.crash();
            node.ledger.crash();
            self.crashes += 1;
        }
    }

    pub(crate) fn restart(&mut self, at: usize) {
        if self.nodes[at].replica.is_some() {
            return;
        }
        let node = &mut self.nodes[at];
        let timeouts = Timeouts {
            propose: Duration::from_millis(800),
            prevote: Duration::from_millis(300),
            precommit: Duration::from_millis(300),
            repeat: Duration::from_millis(1500),
            ..Timeouts::default()
        };
        let (roster, key, journal) = (Arc::clone(&self.roster), self.keys[at].clone(), node.journal.clone());
        node.replica = Some(Replica::new(roster, key, timeouts, Box::new(journal), node.ledger.clone()));
        self.with(at, |replica| replica.start());
        for peer in (0..self.nodes.len()).filter(|peer| *peer != at) {
            let (here, there) = (self.keys[at].public(), self.keys[peer].public());
            self.with(at, |replica| replica.connected(there));
            self.with(peer, |replica| replica.connected(here));
        }
        if self.nodes[at].ledger.waiting() {
            self.with(at, |replica| replica.wake());
        }
    }

    fn with(&mut self, at: usize, step: impl FnOnce(&mut Replica) -> Result<Vec<Effect>, crate::app::Fatal>) {
        let Some(replica) = self.nodes[at].replica.as_mut() else { return };
        let effects = step(replica).unwrap_or_else(|e| panic!("seed {}: node {at}: {e}", self.seed));
        for effect in effects {
            self.effect(at, effect);
        }
    }

    /// Runs until the condition holds or the time is over; says whether it holds.
    pub(crate) fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let limit = limit.as_millis() as u64;
        while !done(self) {
            match self.queue.peek() {
                Some(Reverse((at, _, _))) if *at <= limit => {}
                _ => return false,
            }
            if let Some(Reverse((at, serial, event))) = self.queue.pop() {
                self.now = at;
                self.trace.update(&at.to_le_bytes()).update(&serial.to_le_bytes());
                self.trace.update(format!("{event:?}").as_bytes());
                self.event(event);
            }
        }
        true
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Bytes { to, from, bytes } => {
                let from = self.keys[from].public();
                self.with(to, |replica| replica.receive(from, &bytes));
            }
            Event::Item { to, item } => {
                if self.nodes[to].replica.is_some() {
                    self.nodes[to].ledger.admit(&item).unwrap();
                    if self.nodes[to].ledger.waiting() {
                        self.with(to, |replica| replica.wake());
                    }
                }
            }
            Event::Offer { at, item } => {
                self.nodes[at].ledger.offer(&item);
                self.gossip(at, &item);
            }
            Event::Timer { node, life, set } => {
                let due = self.nodes[node].timers.iter().find(|(_, s)| **s == set).map(|(timer, _)| *timer);
                if let Some(timer) = due.filter(|_| life == self.nodes[node].life) {
                    self.nodes[node].timers.remove(&timer);
                    self.with(node, |replica| replica.elapsed(timer));
                }
            }
            Event::Proposed { node, life, height, round } if life == self.nodes[node].life => {
                let block = self.nodes[node].ledger.propose(height);
                self.with(node, |replica| replica.proposed(height, round, block));
            }
            Event::Verified { node, life, height, id, valid } if life == self.nodes[node].life => {
                self.with(node, |replica| replica.verified(height, id, valid));
            }
            Event::Commit { node, life, block, height } if life == self.nodes[node].life => {
                self.commit(node, height, &block);
            }
            Event::Proposed { .. } | Event::Verified { .. } | Event::Commit { .. } => {}
            Event::Tick(at) => {
                self.with(at, |replica| replica.tick());
                if self.now.is_multiple_of(5) && self.nodes[at].replica.is_some() {
                    for item in self.nodes[at].ledger.pending(usize::MAX) {
                        self.gossip(at, &item);
                    }
                }
                self.push(1001, Event::Tick(at));
            }
            Event::Crash(at) => self.crash(at),
            Event::Restart(at) => self.restart(at),
            Event::Partition(side) => self.side = side,
        }
    }

    fn gossip(&mut self, at: usize, item: &[u8]) {
        self.push(0, Event::Item { to: at, item: item.to_vec() });
        for to in 0..self.nodes.len() {
            if let Some(delay) = self.delay(at, to) {
                self.push(delay + 20, Event::Item { to, item: item.to_vec() });
            }
        }
    }

    fn commit(&mut self, node: usize, height: u64, block: &[u8]) {
        let certificate = self.nodes[node].certificates.remove(&height).unwrap();
        certificate.verify(self.roster.consortium, &self.roster.validators).unwrap();
        let before = self.decided.insert(height, certificate.block);
        assert!(before.is_none_or(|id| id == certificate.block), "seed {}: fork at {height}", self.seed);
        self.round = self.round.max(certificate.round);
        self.nodes[node].ledger.commit(height, block, &certificate).unwrap();
        let waiting = self.nodes[node].ledger.waiting();
        self.with(node, |replica| replica.committed(height, waiting));
    }

    fn effect(&mut self, at: usize, effect: Effect) {
        let life = self.nodes[at].life;
        match effect {
            Effect::Broadcast(message) => self.broadcast(at, &message),
            Effect::Send(to, message) => self.send(at, self.place(&to), &message),
            Effect::SetTimer(timer, after) => {
                self.push(after.as_millis() as u64, Event::Timer { node: at, life, set: self.serial });
                self.nodes[at].timers.insert(timer, self.serial - 1);
            }
            Effect::CancelTimer(timer) => drop(self.nodes[at].timers.remove(&timer)),
            Effect::CancelTimers => self.nodes[at].timers.clear(),
            Effect::Propose { height, round } => {
                let delay = 1 + self.below(20);
                self.push(delay, Event::Proposed { node: at, life, height, round });
            }
            Effect::Verify { height, id, block } => {
                let valid = self.nodes[at].ledger.verify(height, &block).is_ok();
                let delay = self.faults.judging.as_millis() as u64 + self.below(20);
                self.push(delay, Event::Verified { node: at, life, height, id, valid });
            }
            Effect::Commit { block, certificate } => {
                let (height, delay) = (certificate.height, 1 + self.below(20));
                self.nodes[at].certificates.insert(height, certificate);
                self.push(delay, Event::Commit { node: at, life, block: block.to_vec(), height });
            }
            Effect::Serve { to, height } => {
                let (block, certificate) = self.nodes[at].ledger.decided(height).unwrap();
                let message = Message::Decided(Decided::new(block, certificate));
                self.send(at, self.place(&to), &message);
            }
            Effect::Evidence { member, .. } => {
                assert_eq!(
                    Some(self.place(&member)),
                    self.liar(),
                    "seed {}: the innocent accused",
                    self.seed
                );
                self.accused += 1;
            }
        }
    }

    fn place(&self, member: &PublicIdentity) -> usize {
        self.keys.iter().position(|key| key.public() == *member).unwrap()
    }

    fn broadcast(&mut self, at: usize, message: &Message) {
        let lie = (self.liar() == Some(at)).then(|| self.lie(at, message)).flatten();
        if lie.is_none() {
            self.watch(at, message);
        }
        for to in (0..self.nodes.len()).filter(|to| *to != at) {
            // The lie goes to all, the truth to every other one.
            if let Some(lie) = &lie {
                self.send(at, to, lie);
            }
            if lie.is_none() || to % 2 == 0 {
                self.send(at, to, message);
            }
        }
        if self.faults.crash_proposers && matches!(message, Message::Proposal(_)) {
            self.push(0, Event::Crash(at));
            self.push(600, Event::Restart(at));
            self.faults.crash_proposers = self.crashes < 6;
        }
    }

    /// The same kind of message, saying something else, well signed.
    fn lie(&self, at: usize, message: &Message) -> Option<Message> {
        let (context, key) = (Context(Arc::clone(&self.roster)), &self.keys[at]);
        match message.clone() {
            Message::Vote(mut vote) if vote.voter == at as u16 => {
                vote.block = if vote.block.is_some() { None } else { Some([9; 32]) };
                let signed = arc_malachitebft_core_types::SignedMessage::from(vote);
                Some(Message::Vote(context.sign_vote(key, signed.message).into()))
            }
            Message::Proposal(mut proposal) if Address(proposal.proposer) == Address(at as u16) => {
                proposal.block = [9; 32];
                let signed = arc_malachitebft_core_types::SignedMessage::from(proposal);
                Some(Message::Proposal(context.sign_proposal(key, signed.message).into()))
            }
            Message::Block { height, round, block } => {
                let mut items = Items::try_from_slice(&block).unwrap();
                items.salt = u64::MAX;
                Some(Message::Block { height, round, block: Block(borsh::to_vec(&items).unwrap().into()) })
            }
            _ => None,
        }
    }

    /// An honest member never says two things in one place, whatever it has forgotten.
    fn watch(&mut self, at: usize, message: &Message) {
        let (place, block) = match message {
            Message::Vote(v) => ((v.voter, Some(v.kind), v.height, v.round), v.block),
            Message::Proposal(p) => ((p.proposer, None, p.height, p.round), Some(p.block)),
            _ => return,
        };
        self.spoken[at] += 1;
        let before = self.signed.insert(place, block);
        assert!(
            before.is_none_or(|b| b == block),
            "seed {}: contradiction of node {at}: {place:?}",
            self.seed
        );
    }

    fn send(&mut self, from: usize, to: usize, message: &Message) {
        let bytes = message.encode();
        if let Some(delay) = self.delay(from, to) {
            self.push(delay, Event::Bytes { to, from, bytes: Arc::clone(&bytes) });
        }
        if self.below(100) < self.faults.duplication {
            let delay = 1 + self.below(200);
            self.push(delay, Event::Bytes { to, from, bytes });
        }
    }

    /// How long a message takes, unless it is lost.
    fn delay(&mut self, from: usize, to: usize) -> Option<u64> {
        let cut = (self.side >> from) & 1 != (self.side >> to) & 1;
        let (lost, delay) = (self.below(100) < self.faults.loss, 1 + self.below(30));
        (!cut && !lost && from != to).then_some(delay)
    }
}

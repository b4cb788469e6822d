//! One member's part in ordering: bytes, timers and answers in, effects out. No clock, no task, no randomness.
//!
//! Block bytes travel beside the votes; what is voted on is their id. The engine asks for a block's validity before
//! it votes: that is an effect ([`Effect::Verify`]), answered later, while everything else goes on. A verdict
//! that comes late counts in the next round.
//!
//! A height is first *idle*: it begins when this node's pool has something, or when a validator's signed message for
//! it comes. So a quiet consortium makes no blocks.

mod desk;
mod messages;
mod record;
mod recovery;
mod shelf;

pub(crate) use record::{Record, TimerKind};

use crate::{
    app::{Application, Fatal},
    catchup::CatchUp,
    context::{Address, Context, Height, Validators},
    journal::Journal,
    roster::Roster,
    wire::{Block, BlockId, MAX_BLOCK, Message},
};
use arc_malachitebft_core_consensus as mc;
use arc_malachitebft_core_types::{ValuePayload, VoteExtensionPolicy};
use counterfoil_crypto::{
    identity::{Identity, PublicIdentity},
    quorum::Certificate,
};
use desk::Desk;
use record::verdict;
use shelf::{Held, Shelf};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Messages for the next height, or for an idle one, that are kept per peer; blocks among them.
const LATER_MESSAGES: usize = 64;
const LATER_BLOCKS: usize = 2;
/// Blocks sent to one peer per tick, decided or proposed.
const SERVED_PER_TICK: u32 = 128;
/// A block is taken so many rounds ahead: judging is expensive, and it can be asked for when its round has come.
const ROUNDS_AHEAD: u32 = 1;

/// How long a round waits; all grow linearly with the round, so that slow machines meet in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the proposal and its judgement.
    pub propose: Duration,
    /// For the missing prevotes, once two thirds have voted for anything.
    pub prevote: Duration,
    /// For the missing precommits, once two thirds have voted for anything.
    pub precommit: Duration,
    /// What each round adds to each of these.
    pub growth: Duration,
    /// After so long in a round the own votes are sent again.
    pub repeat: Duration,
    /// No time-out is longer.
    pub longest: Duration,
}

impl Default for Timeouts {
    /// For a network within a country and machines that also make proofs.
    fn default() -> Self {
        Self {
            propose: Duration::from_secs(3),
            prevote: Duration::from_secs(1),
            precommit: Duration::from_secs(1),
            growth: Duration::from_millis(500),
            repeat: Duration::from_secs(5),
            longest: Duration::from_secs(60),
        }
    }
}

/// Names a time-out: setting it again replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timer {
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) kind: TimerKind,
}

/// What the replica wants done.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Send to every connected peer.
    Broadcast(Message),
    /// Send to one peer.
    Send(PublicIdentity, Message),
    SetTimer(Timer, Duration),
    CancelTimer(Timer),
    CancelTimers,
    /// Ask the application for a block; answer with [`Replica::proposed`].
    Propose {
        height: u64,
        round: u32,
    },
    /// Ask the application to judge a block; answer with [`Replica::verified`].
    Verify {
        height: u64,
        id: BlockId,
        block: Block,
    },
    /// Let the application commit; answer with [`Replica::committed`].
    Commit {
        block: Block,
        certificate: Certificate,
    },
    /// Send a decided block to a peer that catches up.
    Serve {
        to: PublicIdentity,
        height: u64,
    },
    /// A validator has contradicted itself.
    Evidence {
        height: u64,
        member: PublicIdentity,
    },
}

type Effects = Result<Vec<Effect>, Fatal>;

/// Where the open height stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Running,
    Committing,
}

/// One member's part in ordering.
pub(crate) struct Replica {
    state: mc::State<Context>,
    desk: Desk,
    app: Arc<dyn Application>,
    phase: Phase,
    height: u64,
    later: Vec<(PublicIdentity, Message)>,
    /// The pool had news while a block was being committed: kept for the height that follows.
    woken: bool,
    catchup: CatchUp,
    connected: BTreeSet<PublicIdentity>,
    served: BTreeMap<PublicIdentity, u32>,
}

impl Replica {
    /// A replica whose application has committed everything up to `app.height()`. Of the application it calls
    /// nothing but [`Application::height`], here, and [`Application::identify`].
    pub(crate) fn new(
        roster: Arc<Roster>,
        identity: Identity,
        timeouts: Timeouts,
        journal: Box<dyn Journal>,
        app: Arc<dyn Application>,
    ) -> Self {
        let me = roster.index_of(&identity.public()).map_or(Address::OBSERVER, Address);
        let (context, validators) = (Context(Arc::clone(&roster)), Validators::of(&roster));
        let height = app.height().saturating_add(1);
        let params = mc::Params {
            address: me,
            threshold_params: mc::ThresholdParams::default(),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: me != Address::OBSERVER,
        };
        // The engine's own queue for later heights stays empty: `later` is bounded per peer.
        let state = mc::State::new(context.clone(), Height(height), validators.clone(), params, 1, 1);
        let desk = Desk {
            context,
            roster,
            validators,
            identity,
            me,
            journal,
            timeouts,
            shelf: Shelf::default(),
            effects: Vec::new(),
            inputs: VecDeque::new(),
            replay: None,
            decided: None,
            failure: None,
            now: 0,
        };
        let (catchup, connected, served) = (CatchUp::default(), BTreeSet::new(), BTreeMap::new());
        Self {
            state,
            desk,
            app,
            phase: Phase::Idle,
            height,
            later: Vec::new(),
            woken: false,
            catchup,
            connected,
            served,
        }
    }

    /// Height of the last block that is committed here.
    pub(crate) fn tip(&self) -> u64 {
        self.height.saturating_sub(1)
    }

    /// Takes up the journal of the open height, if there is one.
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails or does not agree with what the engine does.
    pub(crate) fn start(&mut self) -> Effects {
        self.begin(self.height);
        self.finish()
    }

    /// A message of a peer. Nonsense is dropped.
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn receive(&mut self, from: PublicIdentity, bytes: &[u8]) -> Effects {
        match Message::decode(bytes) {
            Ok(message) => self.message(from, message),
            Err(reason) => tracing::warn!(peer = %from, %reason, "dropped a message"),
        }
        self.finish()
    }

    /// A time-out has passed.
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn elapsed(&mut self, timer: Timer) -> Effects {
        if self.is_running(timer.height) {
            self.desk.elapsed(timer.kind, timer.round);
        }
        self.finish()
    }

    /// A second has passed: tells the peers the tip, asks again for what is missing.
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn tick(&mut self) -> Effects {
        self.desk.now = self.desk.now.saturating_add(1);
        self.served.clear();
        self.catchup.tick();
        self.desk.effects.push(Effect::Broadcast(Message::Status { tip: self.tip() }));
        self.ask_for_missing();
        self.finish()
    }

    /// A peer is connected (again).
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn connected(&mut self, peer: PublicIdentity) -> Effects {
        self.connected.insert(peer);
        self.desk.effects.push(Effect::Send(peer, Message::Status { tip: self.tip() }));
        self.finish()
    }

    /// A peer is gone.
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn disconnected(&mut self, peer: &PublicIdentity) -> Effects {
        self.connected.remove(peer);
        self.catchup.forget(peer);
        self.finish()
    }

    /// The pool has something for the next block.
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn wake(&mut self) -> Effects {
        self.woken = self.phase == Phase::Committing;
        if self.desk.me != Address::OBSERVER {
            self.run();
        }
        self.finish()
    }

    /// Answer to [`Effect::Propose`]. A block that comes too late for its round is kept for a later one.
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn proposed(&mut self, height: u64, round: u32, block: Vec<u8>) -> Effects {
        if self.is_running(height) {
            match self.app.identify(height, &block) {
                Ok(id) if block.len() <= MAX_BLOCK => self.own_block(round, id, Block(block.into())),
                Ok(_) => {
                    tracing::error!(height, bytes = block.len(), "the own block is too large to propose")
                }
                Err(reason) => tracing::error!(height, %reason, "the own block has no id"),
            }
        }
        self.finish()
    }

    /// Answer to [`Effect::Verify`].
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn verified(&mut self, height: u64, id: BlockId, valid: bool) -> Effects {
        if height == self.height && self.phase != Phase::Committing {
            self.judge(id, valid);
        }
        self.finish()
    }

    /// Answer to [`Effect::Commit`]; `waiting` says whether the pool has something for the next block.
    ///
    /// # Errors
    /// [`Fatal`] when the journal fails.
    pub(crate) fn committed(&mut self, height: u64, waiting: bool) -> Effects {
        if height == self.height && self.phase == Phase::Committing {
            self.begin(height.saturating_add(1));
            for (from, message) in std::mem::take(&mut self.later) {
                self.message(from, message);
            }
            if (std::mem::take(&mut self.woken) || waiting) && self.desk.me != Address::OBSERVER {
                self.run();
            }
        }
        self.finish()
    }

    fn is_running(&self, height: u64) -> bool {
        self.phase == Phase::Running && height == self.height
    }

    /// Starts the engine on the open height and gives it what has come early.
    fn run(&mut self) {
        if self.phase != Phase::Idle || self.desk.failure.is_some() {
            return;
        }
        self.start_engine();
        for (from, message) in std::mem::take(&mut self.later) {
            self.message(from, message);
        }
    }

    fn start_engine(&mut self) {
        self.phase = Phase::Running;
        let (height, validators) = (Height(self.height), self.desk.validators.clone());
        let policy = VoteExtensionPolicy::Disabled;
        self.desk.inputs.push_back(mc::Input::StartHeight(height, validators, false, None, policy));
        self.drain();
    }

    fn set_verdict(&mut self, id: &BlockId, valid: bool) {
        if let Some(held) = self.desk.shelf.get_mut(id) {
            held.verdict = Some(valid);
        }
    }

    fn judge(&mut self, id: BlockId, valid: bool) {
        self.set_verdict(&id, valid);
        let Some(round) = self.desk.shelf.get(&id).map(|held| held.round) else { return };
        if self.phase == Phase::Running {
            self.desk.inputs.push_back(verdict(&self.desk.roster, self.height, round, id, valid));
        }
    }

    fn own_block(&mut self, round: u32, id: BlockId, block: Block) {
        if self.desk.shelf.get(&id).is_none() {
            let held = Held { block, round, verdict: None, journaled: false };
            self.desk.shelf.insert(id, held, self.relied_on());
        }
        self.set_verdict(&id, true);
        if self.state.round().as_u32() == Some(round) {
            self.desk.restream(self.height, round, &id);
            self.desk.propose_id(self.height, round, id);
        }
    }

    /// The block that the engine would have to propose again.
    fn relied_on(&self) -> Option<BlockId> {
        self.state.driver.valid_value().map(|valid| valid.value.0)
    }

    /// Lets the engine work until it has nothing to do.
    fn drain(&mut self) {
        while let Some(input) = self.desk.inputs.pop_front() {
            let (state, desk, height) = (&mut self.state, &mut self.desk, self.height);
            let result: Result<(), mc::Error<Context>> = mc::process!(
                input: input, state: state, metrics: &(), with: effect => Ok::<_, mc::Error<Context>>(desk.answer(height, effect))
            );
            match result {
                Ok(()) => {}
                // A vote that contradicts the journal was about to be signed.
                Err(error @ mc::Error::ReplayDivergence(..)) => self.desk.fail(error),
                Err(error) => tracing::error!(height = self.height, %error, "the engine refused an input"),
            }
        }
    }

    /// Ends every step: engine, commit, catching up, and what came of it.
    fn finish(&mut self) -> Effects {
        self.drain();
        if self.phase != Phase::Committing {
            self.commit_decided();
        }
        if self.phase != Phase::Committing
            && let Some((block, certificate)) = self.catchup.take(self.height)
        {
            let evidence = mc::MisbehaviorEvidence {
                proposals: self.state.driver.take_proposal_evidence(),
                votes: self.state.driver.take_vote_evidence(),
            };
            self.desk.accuse(self.height, &evidence);
            self.commit(block, certificate);
        }
        for (peer, height) in self.catchup.requests(self.first_to_ask()) {
            self.desk.effects.push(Effect::Send(peer, Message::Ask { height }));
        }
        let effects = std::mem::take(&mut self.desk.effects);
        match self.desk.failure.clone() {
            Some(failure) => Err(failure),
            None => Ok(effects),
        }
    }

    fn first_to_ask(&self) -> u64 {
        if self.phase == Phase::Committing { self.height.saturating_add(1) } else { self.height }
    }

    fn commit_decided(&mut self) {
        let Some(certificate) = self.desk.decided.take() else { return };
        match self.desk.shelf.get(&certificate.block).map(|held| held.block.clone()) {
            Some(block) => self.commit(block, certificate),
            // Can only be if it was pushed out by many large blocks: the others have it, and it comes by catching up.
            None => tracing::warn!(height = self.height, "decided on a block that is not here"),
        }
    }

    fn commit(&mut self, block: Block, certificate: Certificate) {
        self.phase = Phase::Committing;
        self.desk.effects.push(Effect::CancelTimers);
        self.desk.effects.push(Effect::Commit { block, certificate });
    }
}

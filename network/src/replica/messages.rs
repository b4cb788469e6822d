//! What a peer's messages do. Every peer may lie: what is kept is bounded, what counts is signed.

use super::{
    Effect, LATER_BLOCKS, LATER_MESSAGES, Phase, ROUNDS_AHEAD, Replica, SERVED_PER_TICK, shelf::Held,
};
use crate::{
    context::Context,
    wire::{self, Block, BlockId, Message},
};
use arc_malachitebft_core_consensus as mc;
use arc_malachitebft_core_types::SignedMessage;
use counterfoil_crypto::identity::PublicIdentity;

impl Replica {
    pub(super) fn message(&mut self, from: PublicIdentity, message: Message) {
        match message {
            Message::Status { tip } => self.catchup.note(from, tip),
            Message::Ask { height } if height <= self.tip() && self.may_serve(from) => {
                self.desk.effects.push(Effect::Serve { to: from, height });
            }
            Message::Ask { .. } => {}
            Message::Decided(decided) => self.caught_up(from, decided),
            Message::Want { height, id } => self.wanted(from, height, id),
            message => match height_of(&message) {
                Some(height) if height == self.height => self.current(from, message),
                Some(height) if height == self.height.saturating_add(1) => self.keep_for_later(from, message),
                // Far ahead: the sender has decided what is open here.
                Some(height) if height > self.height => self.catchup.note(from, height.saturating_sub(1)),
                _ => {}
            },
        }
    }

    /// A message of the open height.
    fn current(&mut self, from: PublicIdentity, message: Message) {
        match (self.phase, message) {
            (Phase::Committing, _) => {}
            (_, Message::Block { round, block, .. }) => self.pushed_block(from, round, block),
            (Phase::Idle, message) if !self.wakes(&message) => self.keep_for_later(from, message),
            (phase, message) => {
                if phase == Phase::Idle {
                    self.run();
                }
                self.desk.inputs.extend(input_of(message));
                self.drain();
            }
        }
    }

    /// Whether a message begins an idle height: only what a validator has signed does.
    fn wakes(&self, message: &Message) -> bool {
        let context = &self.desk.context;
        match message.clone() {
            Message::Vote(vote) => self.desk.roster.validator(vote.voter).is_some_and(|key| {
                let signed = SignedMessage::from(vote);
                context.vote_is_signed(&signed.message, &signed.signature, key)
            }),
            Message::Proposal(proposal) => self.desk.roster.validator(proposal.proposer).is_some_and(|key| {
                let signed = SignedMessage::from(proposal);
                context.proposal_is_signed(&signed.message, &signed.signature, key)
            }),
            _ => false,
        }
    }

    /// Keeps a message until its height runs, within what a peer may occupy.
    fn keep_for_later(&mut self, from: PublicIdentity, message: Message) {
        let same =
            |kept: &&(PublicIdentity, Message)| kept.0 == from && kept.1.is_large() == message.is_large();
        let limit = if message.is_large() { LATER_BLOCKS } else { LATER_MESSAGES };
        if self.later.iter().filter(same).count() < limit {
            self.later.push((from, message));
        }
    }

    /// The bytes of a proposed block.
    fn pushed_block(&mut self, from: PublicIdentity, round: u32, block: Block) {
        let id = match self.app.identify(self.height, &block) {
            Ok(id) => id,
            Err(reason) => return tracing::warn!(peer = %from, %reason, "refused a proposed block"),
        };
        let proposer = self.desk.roster.proposer(self.height, round);
        let in_turn = self.desk.roster.validator(proposer) == Some(&from);
        let near = round <= self.state.round().as_u32().unwrap_or(0).saturating_add(ROUNDS_AHEAD);
        let Some(round) = self.desk.shelf.admits(&id, round, in_turn && near) else { return };
        let held = Held { block: block.clone(), round, verdict: None, journaled: false };
        self.desk.shelf.insert(id, held, self.relied_on());
        self.desk.effects.push(Effect::Verify { height: self.height, id, block });
    }

    fn may_serve(&mut self, peer: PublicIdentity) -> bool {
        let served = self.served.entry(peer).or_insert(0);
        *served = served.saturating_add(1);
        *served <= SERVED_PER_TICK
    }

    /// A peer asks for a proposed block that it has missed.
    fn wanted(&mut self, from: PublicIdentity, height: u64, id: BlockId) {
        let held = self.desk.shelf.get(&id).filter(|_| height == self.height);
        if let Some((round, block)) = held.map(|held| (held.round, held.block.clone()))
            && self.may_serve(from)
        {
            self.desk.effects.push(Effect::Send(from, Message::Block { height, round, block }));
        }
    }

    /// Asks one peer after another for blocks that a proposal names and that have not come.
    pub(super) fn ask_for_missing(&mut self) {
        let peers: Vec<_> =
            self.connected.iter().filter(|p| self.desk.roster.index_of(p).is_some()).collect();
        let turn = usize::try_from(self.desk.now).unwrap_or(0).checked_rem(peers.len()).unwrap_or(0);
        if let (Phase::Running, Some(peer)) = (self.phase, peers.get(turn)) {
            for id in self.desk.shelf.missing(self.desk.now) {
                self.desk.effects.push(Effect::Send(**peer, Message::Want { height: self.height, id }));
            }
        }
    }

    /// A decided block that was asked for: good only with a certificate of the validators for these very bytes.
    fn caught_up(&mut self, from: PublicIdentity, decided: wire::Decided) {
        let (block, certificate) = decided.into_parts();
        if !self.catchup.wants(certificate.height) {
            return;
        }
        let (consortium, validators) = (self.desk.roster.consortium, &self.desk.roster.validators);
        let id = self.app.identify(certificate.height, &block).map_err(|e| e.to_string());
        let same = id.and_then(|id| {
            if id == certificate.block { Ok(()) } else { Err("certificate and block differ".into()) }
        });
        match same.and_then(|()| certificate.verify(consortium, validators).map_err(|e| e.to_string())) {
            Ok(()) => self.catchup.keep(block, certificate),
            Err(reason) => {
                tracing::warn!(peer = %from, height = certificate.height, %reason, "refused a decided block");
                self.catchup.forget(&from);
            }
        }
    }
}

/// The height of a message that belongs to one.
fn height_of(message: &Message) -> Option<u64> {
    match message {
        Message::Vote(vote) => Some(vote.height),
        Message::Proposal(proposal) => Some(proposal.height),
        Message::Polka(polka) => Some(polka.height),
        Message::RoundChange(change) => Some(change.height),
        Message::Block { height, .. } => Some(*height),
        Message::Want { .. } | Message::Status { .. } | Message::Ask { .. } | Message::Decided(_) => None,
    }
}

/// What the engine is to see of a message.
fn input_of(message: Message) -> Option<mc::Input<Context>> {
    match message {
        Message::Vote(vote) => Some(mc::Input::Vote(vote.into())),
        Message::Proposal(proposal) => Some(mc::Input::Proposal(proposal.into())),
        Message::Polka(polka) => Some(mc::Input::PolkaCertificate(polka.into())),
        Message::RoundChange(change) => Some(mc::Input::RoundCertificate(change.into())),
        _ => None,
    }
}

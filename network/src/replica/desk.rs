//! Answers the engine's effects: signs, checks signatures, writes the journal, and notes what must be done outside.

use super::{
    Effect, Timeouts, Timer,
    record::{Record, TimerKind, timeout, timer_of, verdict},
    shelf::Shelf,
};
use crate::{
    app::Fatal,
    context::{self, Address, Context, Validators},
    journal::Journal,
    roster::Roster,
    wire::{BlockId, Message},
};
use arc_malachitebft_core_consensus as mc;
use arc_malachitebft_core_types::{LinearTimeouts, Round, Timeout};
use arc_malachitebft_signing::VerifierExt as _;
use counterfoil_crypto::{identity::Identity, quorum::Certificate};
use mc::{
    ConsensusMsg, Input, LivenessMsg, LocallyProposedValue, Resumable as _, Resume, SignedConsensusMsg,
};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

/// While the journal is replayed: what it holds of this node's own, and a request of the engine that must wait.
#[derive(Default)]
pub(super) struct Replay {
    pub(super) own: BTreeSet<Vec<u8>>,
    pub(super) proposed: BTreeSet<u32>,
    pub(super) wanted: Option<u32>,
}

/// Everything that the engine's effects touch.
pub(super) struct Desk {
    pub(super) context: Context,
    pub(super) roster: Arc<Roster>,
    pub(super) validators: Validators,
    pub(super) identity: Identity,
    pub(super) me: Address,
    pub(super) journal: Box<dyn Journal>,
    pub(super) timeouts: Timeouts,
    pub(super) shelf: Shelf,
    pub(super) effects: Vec<Effect>,
    pub(super) inputs: VecDeque<Input<Context>>,
    pub(super) replay: Option<Replay>,
    pub(super) decided: Option<Certificate>,
    pub(super) failure: Option<Fatal>,
    /// Ticks since the start, for what is late.
    pub(super) now: u64,
}

impl Desk {
    /// Sends something signed, once everything before it is durable.
    fn publish(&mut self, message: Message) {
        match self.journal.flush() {
            Ok(()) if self.failure.is_none() => self.effects.push(Effect::Broadcast(message)),
            Ok(()) => {}
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn fail(&mut self, error: impl std::fmt::Display) {
        self.failure.get_or_insert_with(|| Fatal::new(error.to_string()));
    }

    fn append(&mut self, record: &Record) {
        let bytes = borsh::to_vec(record).expect("writing to memory does not fail");
        if self.replay.as_ref().is_some_and(|replay| replay.own.contains(&bytes)) {
            return;
        }
        if let Err(error) = self.journal.append(&bytes) {
            self.fail(error);
        }
    }

    /// Writes an input down. While replaying only what this node signs anew: the rest is already there.
    fn record(&mut self, height: u64, input: Input<Context>) {
        let Some(record) = Record::of(input).filter(|_| self.journal.height() == height) else { return };
        if self.replay.is_some() && record.signer() != Some(self.me.0) {
            return;
        }
        if let Record::Verdict { id, valid: true, .. } = &record {
            self.record_block(id);
        }
        self.append(&record);
    }

    /// The bytes of a block go before the verdict that allows a vote for it.
    fn record_block(&mut self, id: &BlockId) {
        let Some(held) = self.shelf.get_mut(id).filter(|held| !held.journaled) else { return };
        held.journaled = true;
        let record = Record::Block { round: held.round, block: held.block.clone() };
        self.append(&record);
    }

    /// Tells the engine again what is known of the blocks of this height.
    fn offer_held(&mut self, height: u64) {
        let judged: Vec<_> = self.shelf.judged().collect();
        for (id, round, valid) in judged {
            self.inputs.push_back(verdict(&self.roster, height, round, id, valid));
        }
    }

    /// The engine wants something to propose. A good block of an earlier round is better than a new one: the
    /// others have judged it already, or are about to.
    pub(super) fn propose(&mut self, height: u64, round: u32) {
        match self.shelf.good() {
            Some(id) => {
                self.restream(height, round, &id);
                self.propose_id(height, round, id);
            }
            None => self.effects.push(Effect::Propose { height, round }),
        }
    }

    pub(super) fn propose_id(&mut self, height: u64, round: u32, id: BlockId) {
        let value = LocallyProposedValue::new(context::Height(height), Round::new(round), context::Value(id));
        self.inputs.push_back(Input::Propose(value));
    }

    /// Sends the bytes of a block to everybody. They are not signed, so nothing need be durable.
    pub(super) fn restream(&mut self, height: u64, round: u32, id: &BlockId) {
        if let Some(held) = self.shelf.get(id) {
            self.effects.push(Effect::Broadcast(Message::Block { height, round, block: held.block.clone() }));
        }
    }

    fn timer(&self, height: u64, timeout: Timeout) -> Option<Timer> {
        timer_of(timeout).map(|(kind, round)| Timer { height, round, kind })
    }

    fn schedule(&mut self, height: u64, due: Timeout) {
        if let Some(timer) = self.timer(height, due) {
            self.effects.push(Effect::SetTimer(timer, self.timeouts.duration(timer.kind, timer.round)));
        }
    }

    fn signature_is_good(
        &mut self,
        signed: &arc_malachitebft_core_types::SignedMessage<Context, ConsensusMsg<Context>>,
        key: &counterfoil_crypto::identity::PublicIdentity,
    ) -> bool {
        match &signed.message {
            ConsensusMsg::Vote(vote) => self.context.vote_is_signed(vote, &signed.signature, key),
            ConsensusMsg::Proposal(proposal) => {
                let good = self.context.proposal_is_signed(proposal, &signed.signature, key);
                let round = proposal.round.as_u32().unwrap_or(0);
                if good && proposal.proposer.0 == self.roster.proposer(proposal.height.0, round) {
                    self.shelf.name(proposal.value.0, round, self.now);
                }
                good
            }
        }
    }

    /// Carries out one effect of the engine at `height` and says how it goes on.
    #[allow(clippy::too_many_lines, reason = "one arm per effect, each a line or two")]
    pub(super) fn answer(&mut self, height: u64, effect: mc::Effect<Context>) -> Resume<Context> {
        use mc::Effect as E;
        match effect {
            E::CancelAllTimeouts(go) => {
                self.effects.push(Effect::CancelTimers);
                go.resume_with(())
            }
            E::CancelTimeout(due, go) => {
                self.effects.extend(self.timer(height, due).map(Effect::CancelTimer));
                go.resume_with(())
            }
            E::ScheduleTimeout(due, go) => {
                self.schedule(height, due);
                go.resume_with(())
            }
            E::StartRound(height, _, _, _, go) => {
                if self.replay.is_none() {
                    self.offer_held(height.0);
                }
                go.resume_with(())
            }
            E::GetValue(height, round, _, go) => {
                let round = round.as_u32().unwrap_or(0);
                // Never while replaying: the proposal that was made in this round may be the next record, and a
                // second one would contradict it.
                match &mut self.replay {
                    Some(replay) => replay.wanted = Some(round),
                    None => self.propose(height.0, round),
                }
                go.resume_with(())
            }
            E::RestreamProposal(height, round, _, _, id, go) => {
                self.restream(height.0, round.as_u32().unwrap_or(0), &id.0);
                go.resume_with(())
            }
            E::SignVote(vote, go) => go.resume_with(self.context.sign_vote(&self.identity, vote)),
            E::SignProposal(proposal, go) => {
                go.resume_with(self.context.sign_proposal(&self.identity, proposal))
            }
            E::VerifySignature(signed, key, go) => go.resume_with(self.signature_is_good(&signed, &key)),
            E::VerifyCommitCertificate(commit, validators, thresholds, go) => go.resume_with(ready(
                self.context.verify_commit_certificate(&self.context, &commit, &validators, thresholds),
            )),
            E::VerifyExtendedCommitCertificate(commit, validators, thresholds, policy, go) => {
                let check = self.context.verify_extended_commit_certificate(
                    &self.context,
                    &commit,
                    &validators,
                    thresholds,
                    policy,
                );
                go.resume_with(ready(check))
            }
            E::VerifyPolkaCertificate(polka, validators, thresholds, go) => go.resume_with(ready(
                self.context.verify_polka_certificate(&self.context, &polka, &validators, thresholds),
            )),
            E::VerifyRoundCertificate(change, validators, thresholds, go) => go.resume_with(ready(
                self.context.verify_round_certificate(&self.context, &change, &validators, thresholds),
            )),
            E::PublishConsensusMsg(message, go) => {
                self.publish(match message {
                    SignedConsensusMsg::Vote(vote) => Message::Vote(vote.into()),
                    SignedConsensusMsg::Proposal(proposal) => Message::Proposal(proposal.into()),
                });
                go.resume_with(())
            }
            E::PublishLivenessMsg(message, go) => {
                self.publish(match message {
                    LivenessMsg::Vote(vote) => Message::Vote(vote.into()),
                    LivenessMsg::PolkaCertificate(polka) => Message::Polka(polka.into()),
                    LivenessMsg::SkipRoundCertificate(change) => Message::RoundChange(change.into()),
                });
                go.resume_with(())
            }
            E::RepublishVote(vote, go) => {
                self.publish(Message::Vote(vote.into()));
                go.resume_with(())
            }
            E::RepublishRoundCertificate(change, go) => {
                self.publish(Message::RoundChange(change.into()));
                go.resume_with(())
            }
            E::WalAppend(height, input, go) => {
                self.record(height.0, input);
                go.resume_with(())
            }
            E::Decide(commit, _, go) => {
                self.decided = Some(context::certificate(&commit));
                go.resume_with(())
            }
            E::Finalize(commit, _, evidence, go) => {
                self.accuse(commit.height.0, &evidence);
                go.resume_with(())
            }
            // Not used: blocks that are already decided do not pass through the engine, votes have no extensions.
            E::CertVerifiedSyncValue(_, _, go) => go.resume_with(()),
            E::CertRejectedSyncValue(_, _, _, go) => go.resume_with(()),
            E::ExtendVote(_, _, _, _, go) => go.resume_with(None),
            E::VerifyVoteExtension(_, _, _, _, _, _, go) => {
                go.resume_with(Err(mc::VoteExtensionError::InvalidVoteExtension))
            }
        }
    }

    /// Names the validators that have contradicted themselves.
    pub(super) fn accuse(&mut self, height: u64, evidence: &mc::MisbehaviorEvidence<Context>) {
        let votes = evidence.votes.iter().map(|(address, _)| *address);
        let guilty: BTreeSet<Address> =
            votes.chain(evidence.proposals.iter().map(|(address, _)| *address)).collect();
        for address in guilty {
            let member = self.roster.validator(address.0).copied();
            self.effects.extend(member.map(|member| Effect::Evidence { height, member }));
        }
    }

    /// A time-out of the engine has passed.
    pub(super) fn elapsed(&mut self, kind: TimerKind, round: u32) {
        self.inputs.push_back(Input::TimeoutElapsed(timeout(kind, round)));
    }
}

impl Timeouts {
    fn duration(self, kind: TimerKind, round: u32) -> std::time::Duration {
        let linear = LinearTimeouts {
            propose: self.propose,
            propose_delta: self.growth,
            prevote: self.prevote,
            prevote_delta: self.growth,
            precommit: self.precommit,
            precommit_delta: self.growth,
            rebroadcast: self.repeat,
            max_timeout: self.longest,
        };
        linear.duration_for(timeout(kind, round))
    }
}

/// The value of a future that does not wait: the engine's checks are async in form only.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => unreachable!("checking a signature waits for nothing"),
    }
}

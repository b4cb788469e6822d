//! Between the engine's messages and those of the wire.

use super::{Address, Context, Height, Proposal, Value, Vote};
use crate::wire::{self, BlockId};
use arc_malachitebft_core_types as mt;
use counterfoil_crypto::quorum::{Certificate, VoteKind};
use mt::{NilOrVal, Round, RoundCertificateType, SignedMessage, VoteType};

pub(super) fn kind_of(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}

fn type_of(kind: VoteKind) -> VoteType {
    match kind {
        VoteKind::Prevote => VoteType::Prevote,
        VoteKind::Precommit => VoteType::Precommit,
    }
}

pub(super) fn block_of(value: &NilOrVal<Value>) -> Option<BlockId> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(value) => Some(value.0),
    }
}

fn value_of(block: Option<BlockId>) -> NilOrVal<Value> {
    block.map_or(NilOrVal::Nil, |id| NilOrVal::Val(Value(id)))
}

impl From<wire::Vote> for SignedMessage<Context, Vote> {
    fn from(vote: wire::Vote) -> Self {
        let wire::Vote { kind, height, round, block, voter, signature } = vote;
        let (height, round, voter) = (Height(height), Round::new(round), Address(voter));
        Self::new(Vote { kind: type_of(kind), height, round, value: value_of(block), voter }, signature)
    }
}

impl From<SignedMessage<Context, Vote>> for wire::Vote {
    fn from(signed: SignedMessage<Context, Vote>) -> Self {
        let vote = signed.message;
        Self {
            kind: kind_of(vote.kind),
            height: vote.height.0,
            round: vote.round.as_u32().unwrap_or(0),
            block: block_of(&vote.value),
            voter: vote.voter.0,
            signature: signed.signature,
        }
    }
}

impl From<wire::Proposal> for SignedMessage<Context, Proposal> {
    fn from(proposal: wire::Proposal) -> Self {
        let wire::Proposal { height, round, block, polka, proposer, signature } = proposal;
        let (height, round, polka) = (Height(height), Round::new(round), Round::from(polka));
        let message = Proposal { height, round, value: Value(block), polka, proposer: Address(proposer) };
        Self::new(message, signature)
    }
}

impl From<SignedMessage<Context, Proposal>> for wire::Proposal {
    fn from(signed: SignedMessage<Context, Proposal>) -> Self {
        let proposal = signed.message;
        Self {
            height: proposal.height.0,
            round: proposal.round.as_u32().unwrap_or(0),
            block: proposal.value.0,
            polka: proposal.polka.as_u32(),
            proposer: proposal.proposer.0,
            signature: signed.signature,
        }
    }
}

impl From<wire::Polka> for mt::PolkaCertificate<Context> {
    fn from(polka: wire::Polka) -> Self {
        let wire::Polka { height, round, block, votes } = polka;
        let signed = |(voter, signature)| mt::PolkaSignature::new(Address(voter), signature);
        let polka_signatures = votes.0.into_iter().map(signed).collect();
        Self { height: Height(height), round: Round::new(round), value_id: Value(block), polka_signatures }
    }
}

impl From<mt::PolkaCertificate<Context>> for wire::Polka {
    fn from(polka: mt::PolkaCertificate<Context>) -> Self {
        let votes = polka.polka_signatures.into_iter().map(|s| (s.address.0, s.signature)).collect();
        let round = polka.round.as_u32().unwrap_or(0);
        Self { height: polka.height.0, round, block: polka.value_id.0, votes: wire::Bounded(votes) }
    }
}

impl From<wire::RoundChange> for mt::RoundCertificate<Context> {
    fn from(change: wire::RoundChange) -> Self {
        let wire::RoundChange { height, round, skip, votes } = change;
        let signed = |v: wire::RoundVote| {
            mt::RoundSignature::new(type_of(v.kind), value_of(v.block), Address(v.voter), v.signature)
        };
        let cert_type = if skip { RoundCertificateType::Skip } else { RoundCertificateType::Precommit };
        let round_signatures = votes.0.into_iter().map(signed).collect();
        Self { height: Height(height), round: Round::new(round), cert_type, round_signatures }
    }
}

impl From<mt::RoundCertificate<Context>> for wire::RoundChange {
    fn from(change: mt::RoundCertificate<Context>) -> Self {
        let vote = |s: mt::RoundSignature<Context>| wire::RoundVote {
            kind: kind_of(s.vote_type),
            block: block_of(&s.value_id),
            voter: s.address.0,
            signature: s.signature,
        };
        let votes = change.round_signatures.into_iter().map(vote).collect();
        let (round, skip) =
            (change.round.as_u32().unwrap_or(0), change.cert_type == RoundCertificateType::Skip);
        Self { height: change.height.0, round, skip, votes: wire::Bounded(votes) }
    }
}

/// The engine's certificate in the format of the consortium: votes in genesis order, each voter once.
pub(crate) fn certificate(commit: &mt::CommitCertificate<Context>) -> Certificate {
    let mut votes: Vec<_> = commit.commit_signatures.iter().map(|s| (s.address.0, s.signature)).collect();
    votes.sort_unstable();
    votes.dedup_by_key(|(voter, _)| *voter);
    Certificate {
        height: commit.height.0,
        round: commit.round.as_u32().unwrap_or(0),
        block: commit.value_id.0,
        votes,
    }
}

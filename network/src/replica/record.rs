//! What the journal of the open height holds: the engine's inputs that must survive a crash, and the blocks.

use crate::{
    context::{Context, Height, Value},
    roster::Roster,
    wire::{self, Block, BlockId},
};
use arc_malachitebft_core_consensus::{Input, ProposedValue};
use arc_malachitebft_core_types::{Round, Timeout, TimeoutKind, Validity, ValueOrigin};
use borsh::{BorshDeserialize, BorshSerialize};

/// The three time-outs of a round, and the repetition of what may have been lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(crate) enum TimerKind {
    Propose,
    Prevote,
    Precommit,
    Repeat,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Record {
    Vote(wire::Vote),
    Proposal(wire::Proposal),
    Polka(wire::Polka),
    Timeout {
        kind: TimerKind,
        round: u32,
    },
    /// The application's verdict on a block.
    Verdict {
        round: u32,
        id: BlockId,
        valid: bool,
    },
    /// The bytes of a block that this node may vote for: it must have them still after a crash.
    Block {
        round: u32,
        block: Block,
    },
}

impl Record {
    /// The record of an input, if the engine must see it again after a crash.
    pub(super) fn of(input: Input<Context>) -> Option<Self> {
        match input {
            Input::Vote(vote) => Some(Self::Vote(vote.into())),
            Input::Proposal(proposal) => Some(Self::Proposal(proposal.into())),
            Input::PolkaCertificate(polka) => Some(Self::Polka(polka.into())),
            Input::TimeoutElapsed(timeout) => {
                let (kind, round) = timer_of(timeout)?;
                Some(Self::Timeout { kind, round })
            }
            Input::ProposedValue(value, _) => {
                let round = value.round.as_u32()?;
                Some(Self::Verdict { round, id: value.value.0, valid: value.validity.is_valid() })
            }
            _ => None,
        }
    }

    /// The input of a record; a block is none.
    pub(super) fn into_input(self, roster: &Roster, height: u64) -> Option<Input<Context>> {
        Some(match self {
            Self::Vote(vote) => Input::Vote(vote.into()),
            Self::Proposal(proposal) => Input::Proposal(proposal.into()),
            Self::Polka(polka) => Input::PolkaCertificate(polka.into()),
            Self::Timeout { kind, round } => Input::TimeoutElapsed(timeout(kind, round)),
            Self::Verdict { round, id, valid } => verdict(roster, height, round, id, valid),
            Self::Block { .. } => return None,
        })
    }

    /// The validator whose signature is in it.
    pub(super) fn signer(&self) -> Option<u16> {
        match self {
            Self::Vote(vote) => Some(vote.voter),
            Self::Proposal(proposal) => Some(proposal.proposer),
            _ => None,
        }
    }
}

/// Tells the engine what the application said of a block.
pub(super) fn verdict(roster: &Roster, height: u64, round: u32, id: BlockId, valid: bool) -> Input<Context> {
    let value = ProposedValue {
        height: Height(height),
        round: Round::new(round),
        valid_round: Round::Nil,
        proposer: crate::context::Address(roster.proposer(height, round)),
        value: Value(id),
        validity: Validity::from_bool(valid),
    };
    Input::ProposedValue(value, ValueOrigin::Consensus)
}

pub(super) fn timeout(kind: TimerKind, round: u32) -> Timeout {
    let kind = match kind {
        TimerKind::Propose => TimeoutKind::Propose,
        TimerKind::Prevote => TimeoutKind::Prevote,
        TimerKind::Precommit => TimeoutKind::Precommit,
        TimerKind::Repeat => TimeoutKind::Rebroadcast,
    };
    Timeout::new(Round::new(round), kind)
}

pub(super) fn timer_of(timeout: Timeout) -> Option<(TimerKind, u32)> {
    let kind = match timeout.kind {
        TimeoutKind::Propose => TimerKind::Propose,
        TimeoutKind::Prevote => TimerKind::Prevote,
        TimeoutKind::Precommit => TimerKind::Precommit,
        TimeoutKind::Rebroadcast => TimerKind::Repeat,
        TimeoutKind::FinalizeHeight(_) => return None,
    };
    Some((kind, timeout.round.as_u32()?))
}

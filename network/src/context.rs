//! The consensus engine's view of the world: its types, its signatures, and the way to and from the wire.
//!
//! An address is a validator's place in the genesis order, so a certificate of the engine and one of
//! [`counterfoil_crypto::quorum`] name their voters alike. Everybody has one vote.

mod convert;

pub(crate) use convert::certificate;

use crate::{roster::Roster, wire::BlockId};
use arc_malachitebft_core_types as mt;
use arc_malachitebft_signing::{Error as SigningError, VerificationResult, Verifier};
use async_trait::async_trait;
use borsh::BorshSerialize;
use convert::{block_of, kind_of};
use counterfoil_crypto::{
    identity::{Identity, PublicIdentity, Signature},
    labels,
    quorum::Ballot,
};
use mt::{NilOrVal, Round, SignedMessage, VoteType};
use std::{fmt, sync::Arc};

/// A validator's place in the genesis order. An observer has none: [`Address::OBSERVER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) u16);

impl Address {
    pub(crate) const OBSERVER: Self = Self(u16::MAX);
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl mt::Address for Address {}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Height(pub(crate) u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl mt::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);
    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }
    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }
    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// What is agreed on: the id of a block, whose bytes travel beside the votes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Value(pub(crate) BlockId);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl mt::Value for Value {
    type Id = Self;
    fn id(&self) -> Self {
        *self
    }
}

/// Marker of the signature scheme: that of [`counterfoil_crypto::identity`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scheme;

impl mt::SigningScheme for Scheme {
    type DecodingError = &'static str;
    type Signature = Signature;
    type PublicKey = PublicIdentity;
    type PrivateKey = Identity;

    fn decode_signature(bytes: &[u8]) -> Result<Signature, &'static str> {
        bytes.try_into().map(Signature::from_bytes).map_err(|_| "a signature has 64 bytes")
    }
    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.as_bytes().to_vec()
    }
    fn decode_public_key(bytes: &[u8]) -> Result<PublicIdentity, &'static str> {
        let bytes = bytes.try_into().map_err(|_| "a key has 32 bytes")?;
        PublicIdentity::from_bytes(bytes).map_err(|_| "not a valid key")
    }
    fn encode_public_key(key: &PublicIdentity) -> Vec<u8> {
        key.as_bytes().to_vec()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validator {
    address: Address,
    key: PublicIdentity,
}

impl mt::Validator<Context> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }
    fn public_key(&self) -> &PublicIdentity {
        &self.key
    }
    fn voting_power(&self) -> u64 {
        1
    }
}

/// The validators in genesis order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validators(Arc<[Validator]>);

impl Validators {
    pub(crate) fn of(roster: &Roster) -> Self {
        let named = (0_u16..).zip(&roster.validators);
        Self(named.map(|(place, key)| Validator { address: Address(place), key: *key }).collect())
    }
}

impl mt::ValidatorSet<Context> for Validators {
    fn count(&self) -> usize {
        self.0.len()
    }
    fn total_voting_power(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }
    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.0.get(usize::from(address.0))
    }
    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.0.get(index)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) kind: VoteType,
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: NilOrVal<Value>,
    pub(crate) voter: Address,
}

impl mt::Vote<Context> for Vote {
    fn height(&self) -> Height {
        self.height
    }
    fn round(&self) -> Round {
        self.round
    }
    fn value(&self) -> &NilOrVal<Value> {
        &self.value
    }
    fn take_value(self) -> NilOrVal<Value> {
        self.value
    }
    fn vote_type(&self) -> VoteType {
        self.kind
    }
    fn validator_address(&self) -> &Address {
        &self.voter
    }
    // Vote extensions are not used.
    fn extension(&self) -> Option<&mt::SignedExtension<Context>> {
        None
    }
    fn take_extension(&mut self) -> Option<mt::SignedExtension<Context>> {
        None
    }
    fn extend(self, _: mt::SignedExtension<Context>) -> Self {
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: Value,
    pub(crate) polka: Round,
    pub(crate) proposer: Address,
}

impl mt::Proposal<Context> for Proposal {
    fn height(&self) -> Height {
        self.height
    }
    fn round(&self) -> Round {
        self.round
    }
    fn value(&self) -> &Value {
        &self.value
    }
    fn take_value(self) -> Value {
        self.value
    }
    fn pol_round(&self) -> Round {
        self.polka
    }
    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

/// Blocks travel beside the votes, whole: there are no parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoParts;

impl mt::ProposalPart<Context> for NoParts {
    fn is_first(&self) -> bool {
        true
    }
    fn is_last(&self) -> bool {
        true
    }
}

/// Names all these types to the engine, and knows who signs and whose turn it is.
#[derive(Clone, Debug)]
pub(crate) struct Context(pub(crate) Arc<Roster>);

impl mt::Context for Context {
    type Address = Address;
    type Height = Height;
    type ProposalPart = NoParts;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = Validators;
    type Timeouts = mt::LinearTimeouts;
    type Value = Value;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, validators: &'a Validators, height: Height, round: Round) -> &'a Validator {
        let turn = self.0.proposer(height.0, round.as_u32().unwrap_or(0));
        // `Roster::check` has refused an empty list, and `proposer` counts within it.
        validators.0.get(usize::from(turn)).expect("a proposer's place is within the list")
    }
    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: Value,
        polka: Round,
        proposer: Address,
    ) -> Proposal {
        Proposal { height, round, value, polka, proposer }
    }
    fn new_prevote(&self, height: Height, round: Round, value: NilOrVal<Value>, voter: Address) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, voter }
    }
    fn new_precommit(&self, height: Height, round: Round, value: NilOrVal<Value>, voter: Address) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, voter }
    }
}

/// What a proposer signs.
#[derive(BorshSerialize)]
struct ProposalBody {
    consortium: [u8; 32],
    height: u64,
    round: u32,
    block: BlockId,
    polka: Option<u32>,
    proposer: u16,
}

impl Context {
    fn ballot(&self, vote: &Vote) -> Option<Vec<u8>> {
        let (height, round) = (vote.height.0, vote.round.as_u32()?);
        let (kind, block) = (kind_of(vote.kind), block_of(&vote.value));
        Some(Ballot { consortium: self.0.consortium, kind, height, round, block }.to_bytes())
    }

    fn proposal_body(&self, proposal: &Proposal) -> Option<Vec<u8>> {
        let body = ProposalBody {
            consortium: self.0.consortium,
            height: proposal.height.0,
            round: proposal.round.as_u32()?,
            block: proposal.value.0,
            polka: proposal.polka.as_u32(),
            proposer: proposal.proposer.0,
        };
        borsh::to_vec(&body).ok()
    }

    pub(crate) fn sign_vote(&self, key: &Identity, vote: Vote) -> SignedMessage<Self, Vote> {
        let ballot = self.ballot(&vote).expect("the engine votes in rounds that exist");
        SignedMessage::new(vote, key.sign(labels::VOTE_SIGNATURE, &ballot))
    }

    pub(crate) fn sign_proposal(&self, key: &Identity, proposal: Proposal) -> SignedMessage<Self, Proposal> {
        let body = self.proposal_body(&proposal).expect("the engine proposes in rounds that exist");
        SignedMessage::new(proposal, key.sign(labels::PROPOSAL_SIGNATURE, &body))
    }

    pub(crate) fn vote_is_signed(&self, vote: &Vote, signature: &Signature, key: &PublicIdentity) -> bool {
        self.ballot(vote).is_some_and(|b| key.verify(labels::VOTE_SIGNATURE, &b, signature).is_ok())
    }

    pub(crate) fn proposal_is_signed(
        &self,
        p: &Proposal,
        signature: &Signature,
        key: &PublicIdentity,
    ) -> bool {
        self.proposal_body(p).is_some_and(|b| key.verify(labels::PROPOSAL_SIGNATURE, &b, signature).is_ok())
    }
}

/// The engine's certificate checks rest on these. Nothing in them waits.
#[async_trait]
impl Verifier<Context> for Context {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicIdentity,
    ) -> Result<VerificationResult, SigningError> {
        Ok(VerificationResult::from_bool(self.vote_is_signed(vote, signature, key)))
    }
    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicIdentity,
    ) -> Result<VerificationResult, SigningError> {
        Ok(VerificationResult::from_bool(self.proposal_is_signed(proposal, signature, key)))
    }
    async fn verify_signed_vote_extension(
        &self,
        _: &mt::VoteExtensionScope<Context>,
        (): &(),
        _: &Signature,
        _: &PublicIdentity,
    ) -> Result<VerificationResult, SigningError> {
        Ok(VerificationResult::Invalid)
    }
    async fn verify_validator_proof(
        &self,
        _: &mt::ValidatorProof<Context>,
    ) -> Result<VerificationResult, SigningError> {
        Ok(VerificationResult::Invalid)
    }
}

//! What peers say to each other: a version byte, then one borsh message, nothing after it.
//!
//! Every list and every byte string has a maximum that is compared with the announced length before anything is
//! allocated. Votes are in the format of [`counterfoil_crypto::quorum`]: what the engine makes of them stays
//! inside `context.rs`.

use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{
    identity::Signature,
    quorum::{Certificate, VoteKind},
};
use std::{
    io::{self, Read, Write},
    ops::Deref,
    sync::Arc,
};

/// Most validators of a consortium; a certificate has room for as many votes.
pub const MAX_VALIDATORS: usize = 256;
/// Most bytes of a block.
pub const MAX_BLOCK: usize = 8 << 20;
/// Most bytes of an item of the pool.
pub const MAX_ITEM: usize = 2 << 20;
/// Most bytes of a message that travels on the ordered stream.
pub(crate) const MAX_SMALL: usize = 64 << 10;
/// Most bytes of a message that travels on a stream of its own.
pub(crate) const MAX_LARGE: usize = MAX_BLOCK + MAX_SMALL;

const VERSION: u8 = 1;

/// An id of a block.
pub(crate) type BlockId = [u8; 32];

/// A list with a maximum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounded<T, const MAX: usize>(pub(crate) Vec<T>);

impl<T: BorshSerialize, const MAX: usize> BorshSerialize for Bounded<T, MAX> {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.serialize(writer)
    }
}

impl<T: BorshDeserialize, const MAX: usize> BorshDeserialize for Bounded<T, MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let length = bounded_length(reader, MAX)?;
        (0..length).map(|_| T::deserialize_reader(reader)).collect::<io::Result<_>>().map(Self)
    }
}

/// The bytes of a block: shared, never copied.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Block(pub(crate) Arc<[u8]>);

impl Deref for Block {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Block({} bytes)", self.0.len())
    }
}

impl BorshSerialize for Block {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        u32::try_from(self.0.len()).map_err(io::Error::other)?.serialize(writer)?;
        writer.write_all(&self.0)
    }
}

impl BorshDeserialize for Block {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let mut bytes = vec![0; bounded_length(reader, MAX_BLOCK)?];
        reader.read_exact(&mut bytes)?;
        Ok(Self(bytes.into()))
    }
}

fn bounded_length<R: Read>(reader: &mut R, max: usize) -> io::Result<usize> {
    let length = usize::try_from(u32::deserialize_reader(reader)?).map_err(io::Error::other)?;
    if length > max { Err(io::Error::other("a length is above its maximum")) } else { Ok(length) }
}

/// A vote with its voter and signature. The consortium is not sent: it is part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Vote {
    pub(crate) kind: VoteKind,
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) block: Option<BlockId>,
    pub(crate) voter: u16,
    pub(crate) signature: Signature,
}

/// A proposal of a block by its id. `polka` is the round in which two thirds had prevoted for it, if any.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Proposal {
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) block: BlockId,
    pub(crate) polka: Option<u32>,
    pub(crate) proposer: u16,
    pub(crate) signature: Signature,
}

/// Prevotes of more than two thirds for one block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Polka {
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) block: BlockId,
    pub(crate) votes: Bounded<(u16, Signature), MAX_VALIDATORS>,
}

/// One vote within a [`RoundChange`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RoundVote {
    pub(crate) kind: VoteKind,
    pub(crate) block: Option<BlockId>,
    pub(crate) voter: u16,
    pub(crate) signature: Signature,
}

/// Votes that justify entering a round: more than a third in it (`skip`), or two thirds of precommits before it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RoundChange {
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) skip: bool,
    pub(crate) votes: Bounded<RoundVote, MAX_VALIDATORS>,
}

/// A decided block and the certificate that it is.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Decided {
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) id: BlockId,
    pub(crate) votes: Bounded<(u16, Signature), MAX_VALIDATORS>,
    pub(crate) block: Block,
}

impl Decided {
    pub(crate) fn new(block: Vec<u8>, certificate: Certificate) -> Self {
        let Certificate { height, round, block: id, votes } = certificate;
        Self { height, round, id, votes: Bounded(votes), block: Block(block.into()) }
    }

    pub(crate) fn into_parts(self) -> (Block, Certificate) {
        let Self { height, round, id, votes, block } = self;
        (block, Certificate { height, round, block: id, votes: votes.0 })
    }
}

/// Everything that travels between two peers, except the items of the pool, which are sent as they are.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Message {
    Vote(Vote),
    Proposal(Proposal),
    Polka(Polka),
    RoundChange(RoundChange),
    /// The bytes of a proposed block. Not signed: its id is, by the proposal.
    Block {
        height: u64,
        round: u32,
        block: Block,
    },
    /// Please send the proposed block with this id.
    Want {
        height: u64,
        id: BlockId,
    },
    /// Height of the sender's last committed block.
    Status {
        tip: u64,
    },
    /// Please send the decided block of this height.
    Ask {
        height: u64,
    },
    Decided(Decided),
}

impl Message {
    /// Whether it travels on a stream of its own, so that votes do not wait behind it.
    pub(crate) fn is_large(&self) -> bool {
        matches!(self, Self::Block { .. } | Self::Decided(_))
    }

    pub(crate) fn encode(&self) -> Arc<[u8]> {
        let mut bytes = vec![VERSION];
        self.serialize(&mut bytes).expect("writing to memory does not fail");
        bytes.into()
    }

    /// Reads one whole message.
    ///
    /// # Errors
    /// [`WireError`] when it is of another version, malformed, too large, or followed by anything.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        match bytes.split_first() {
            Some((&VERSION, body)) => {
                Self::try_from_slice(body).map_err(|e| WireError::Malformed(e.to_string()))
            }
            Some((version, _)) => Err(WireError::Version(*version)),
            None => Err(WireError::Malformed("empty".into())),
        }
    }
}

/// Why a message is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error("a message of version {0}, this node speaks version {VERSION}")]
    Version(u8),
    #[error("a malformed message: {0}")]
    Malformed(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vote() -> Message {
        Message::Vote(Vote {
            kind: VoteKind::Prevote,
            height: 7,
            round: 1,
            block: Some([9; 32]),
            voter: 3,
            signature: Signature::from_bytes([5; 64]),
        })
    }

    #[test]
    fn the_first_byte_is_the_version_and_nothing_may_follow() {
        let bytes = vote().encode();
        assert_eq!(Message::decode(&bytes), Ok(vote()));
        let mut other = bytes.to_vec();
        other[0] = 2;
        assert_eq!(Message::decode(&other), Err(WireError::Version(2)));
        let trailing = [&bytes[..], &[0]].concat();
        assert!(matches!(Message::decode(&trailing), Err(WireError::Malformed(_))));
        for end in 0..bytes.len() {
            assert!(Message::decode(&bytes[..end]).is_err(), "prefix of {end} bytes");
        }
    }

    #[test]
    fn an_announced_length_is_refused_before_anything_is_allocated() {
        // A block of 4 GiB, a polka of 2^32 - 1 votes: only the length is there.
        let block = [&[VERSION, 4][..], &[0; 12], &u32::MAX.to_le_bytes()].concat();
        let polka = [&[VERSION, 2][..], &[0; 44], &u32::MAX.to_le_bytes()].concat();
        for bytes in [block, polka] {
            let refused = Message::decode(&bytes).unwrap_err().to_string();
            assert!(refused.contains("above its maximum"), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_have_one_form(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let bytes = [&[VERSION][..], &body].concat();
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(&message.encode()[..], &bytes[..]);
            }
        }
    }
}

//! Blocks: what the members order and sign.
//!
//! The members vote on the id of the *header*, which commits to the batches and to the state after them. So header,
//! certificate and a proof into one of its roots are evidence, without the rest of the block.

use crate::{names::Hash, rejection::Rejection};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{labels, merkle, quorum::Certificate};

/// Version of the encoding: the first byte.
pub const VERSION: u8 = 1;
/// Most batches in a block.
pub const MAX_BATCHES: usize = 512;
/// Most bytes of batches in a block; a batch of the largest size fits.
pub const MAX_BYTES: usize = 6 << 20;

/// The head of a block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BlockHeader {
    /// Version of the encoding.
    pub version: u8,
    /// The consortium's id.
    pub consortium: Hash,
    /// Height, from 1.
    pub height: u64,
    /// Id of the block before; zero for the first.
    pub previous: Hash,
    /// Merkle root over the batches.
    pub batches: Hash,
    /// Root of the state after the batches.
    pub state: Hash,
}

impl BlockHeader {
    /// The block's id.
    #[must_use]
    pub fn id(&self) -> Hash {
        blake3::derive_key(labels::BLOCK_HASH, &borsh::to_vec(self).unwrap_or_default())
    }
}

/// A block: header and batches in order.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// The head.
    pub header: BlockHeader,
    /// Sealed batches, as bytes.
    pub batches: Vec<Vec<u8>>,
}

impl Block {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).unwrap_or_default()
    }

    /// Reads a block and checks that its body is the one that its header commits to.
    ///
    /// # Errors
    /// [`Malformed`] for anything but the canonical encoding of a block within the limits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        // A little more than the batches: lengths and header.
        if bytes.len() > MAX_BYTES.saturating_add(1 << 16) || bytes.first() != Some(&VERSION) {
            return Err(Malformed);
        }
        let block: Self = borsh::from_slice(bytes).map_err(|_| Malformed)?;
        let within =
            block.batches.len() <= MAX_BATCHES && batches_root(&block.batches) == block.header.batches;
        if within { Ok(block) } else { Err(Malformed) }
    }
}

/// Merkle root over batches.
#[must_use]
pub fn batches_root(batches: &[Vec<u8>]) -> Hash {
    merkle::root(&batches.iter().map(|batch| merkle::leaf(batch)).collect::<Vec<_>>())
}

/// What the log keeps of a height: the block, the members' certificate, and what became of each batch.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Decided {
    /// The block.
    pub block: Block,
    /// More than two thirds of the members decided it.
    pub certificate: Certificate,
    /// Per batch, why it was refused, if it was.
    pub outcomes: Vec<Option<Rejection>>,
}

impl Decided {
    /// The batches that were applied.
    pub fn applied(&self) -> impl Iterator<Item = &[u8]> {
        let applied = self.block.batches.iter().zip(&self.outcomes).filter(|(_, outcome)| outcome.is_none());
        applied.map(|(batch, _)| batch.as_slice())
    }
}

/// Not the canonical encoding of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical encoding of a block, or its body is not the one that its header names")]
pub struct Malformed;

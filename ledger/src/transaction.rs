//! Transactions: what a block may hold. A batch, an attestation or a decree.
//!
//! On the wire: the version, a tag, then the canonical bytes of what it is. All go the one way: [`admit`] makes an
//! [`Admitted`], and only that can be applied.

use crate::{
    attestation::{self, Attestation, SignedAttestation},
    batch::{self, Sealed},
    decree::{self, Carried, Decree},
    genesis::Consortium,
    names::Hash,
    rejection::Rejection,
    verify::{self, Verified},
};
use rand_core::CryptoRngCore;
use std::{num::NonZeroUsize, sync::Arc};

/// Version of the encoding: the first byte.
pub const VERSION: u8 = 1;
/// Most bytes of a transaction; stops a peer from making others buffer more.
pub const MAX_BYTES: usize = batch::MAX_BYTES;

const BATCH: u8 = 0;
const ATTESTATION: u8 = 1;
const DECREE: u8 = 2;

/// A transaction's bytes, told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// Of a [`Sealed`] batch.
    Batch(&'a [u8]),
    /// Of an [`Attestation`].
    Attestation(&'a [u8]),
    /// Of a [`Decree`].
    Decree(&'a [u8]),
}

impl<'a> Wire<'a> {
    /// Tells apart what the bytes are, without reading them.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for another version, an unknown tag, or too many bytes.
    pub fn of(bytes: &'a [u8]) -> Result<Self, Rejection> {
        match bytes {
            [VERSION, tag, body @ ..] if bytes.len() <= MAX_BYTES => match *tag {
                BATCH => Ok(Self::Batch(body)),
                ATTESTATION => Ok(Self::Attestation(body)),
                DECREE => Ok(Self::Decree(body)),
                _ => Err(Rejection::Malformed),
            },
            _ => Err(Rejection::Malformed),
        }
    }

    /// The transaction's bytes.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let (tag, body) = match self {
            Self::Batch(body) => (BATCH, body),
            Self::Attestation(body) => (ATTESTATION, body),
            Self::Decree(body) => (DECREE, body),
        };
        [&[VERSION, tag], body].concat()
    }
}

/// A transaction as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// A servicer's batch.
    Batch(Box<Sealed>),
    /// A bank's attestation of its control accounts.
    Attestation(Box<Attestation>),
    /// What the banks decided together.
    Decree(Decree),
}

impl Transaction {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Batch(sealed) => Wire::Batch(&sealed.to_bytes()).to_bytes(),
            Self::Attestation(it) => Wire::Attestation(&borsh::to_vec(it).unwrap_or_default()).to_bytes(),
            Self::Decree(it) => Wire::Decree(&borsh::to_vec(it).unwrap_or_default()).to_bytes(),
        }
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for anything but the canonical encoding, in full and nothing more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Rejection> {
        let malformed = |_| Rejection::Malformed;
        Ok(match Wire::of(bytes)? {
            Wire::Batch(body) => Self::Batch(Box::new(Sealed::from_bytes(body)?)),
            Wire::Attestation(body) => {
                Self::Attestation(Box::new(borsh::from_slice(body).map_err(malformed)?))
            }
            Wire::Decree(body) => Self::Decree(borsh::from_slice(body).map_err(malformed)?),
        })
    }

    /// The batch, if it is one.
    ///
    /// # Errors
    /// As [`Transaction::from_bytes`].
    pub fn batch_of(bytes: &[u8]) -> Result<Option<Sealed>, Rejection> {
        match Wire::of(bytes)? {
            Wire::Batch(body) => Sealed::from_bytes(body).map(Some),
            Wire::Attestation(_) | Wire::Decree(_) => Ok(None),
        }
    }
}

/// A transaction whose every check that needs no state has passed: only it can be applied.
#[derive(Clone, Debug)]
pub enum Admitted {
    /// A batch.
    Batch(Arc<Verified>),
    /// An attestation.
    Attestation(Arc<SignedAttestation>),
    /// A decree.
    Decree(Arc<Carried>),
}

impl From<Arc<Verified>> for Admitted {
    fn from(verified: Arc<Verified>) -> Self {
        Self::Batch(verified)
    }
}

impl Admitted {
    /// The transaction's id.
    #[must_use]
    pub fn id(&self) -> Hash {
        match self {
            Self::Batch(verified) => verified.id(),
            Self::Attestation(signed) => signed.attestation().id(),
            Self::Decree(carried) => carried.decree().id(),
        }
    }

    /// The transaction's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Batch(verified) => Wire::Batch(verified.bytes()).to_bytes(),
            Self::Attestation(it) => Transaction::Attestation(Box::new(it.attestation().clone())).to_bytes(),
            Self::Decree(it) => Transaction::Decree(it.decree().clone()).to_bytes(),
        }
    }

    /// Whether these are the transaction's bytes.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        match (self, Wire::of(bytes)) {
            (Self::Batch(verified), Ok(Wire::Batch(body))) => verified.bytes() == body,
            (Self::Batch(_), _) => false,
            _ => self.to_bytes() == bytes,
        }
    }

    /// A transaction of this node's own log: it was verified before the block that holds it was voted for.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] when the bytes are no transaction.
    pub fn recorded(bytes: &[u8]) -> Result<Self, Rejection> {
        Ok(match Wire::of(bytes)? {
            Wire::Batch(body) => Self::Batch(Arc::new(Verified::recorded(body)?)),
            Wire::Attestation(body) => Self::Attestation(Arc::new(SignedAttestation::recorded(body)?)),
            Wire::Decree(body) => Self::Decree(Arc::new(Carried::recorded(body)?)),
        })
    }
}

/// Verifies a transaction.
///
/// # Errors
/// The first [`Rejection`] in order of precedence.
pub fn admit(
    consortium: &Consortium,
    bytes: &[u8],
    rng: &mut impl CryptoRngCore,
) -> Result<Admitted, Rejection> {
    admit_with(consortium, bytes, |body| verify::verify(consortium, body, rng).map(Arc::new))
}

/// Verifies transactions together, the proofs of all batches among them in one multiscalar multiplication. Each gets the
/// verdict that it would get alone.
///
/// # Panics
/// Never: there is one verdict per batch.
pub fn admit_all(
    threads: NonZeroUsize,
    consortium: &Consortium,
    transactions: &[&[u8]],
    rng: &mut impl CryptoRngCore,
) -> Vec<Result<Admitted, Rejection>> {
    let batches: Vec<&[u8]> = transactions
        .iter()
        .filter_map(|bytes| match Wire::of(bytes) {
            Ok(Wire::Batch(body)) => Some(body),
            _ => None,
        })
        .collect();
    let mut verdicts = verify::verify_all(threads, consortium, &batches, rng).into_iter();
    let mut next = |_: &[u8]| verdicts.next().expect("one verdict per batch").map(Arc::new);
    transactions.iter().map(|bytes| admit_with(consortium, bytes, &mut next)).collect()
}

/// Verifies one transaction, where a batch is verified by somebody who remembers verdicts.
///
/// # Errors
/// The first [`Rejection`] in order of precedence.
pub fn admit_with(
    consortium: &Consortium,
    bytes: &[u8],
    batch: impl FnOnce(&[u8]) -> Result<Arc<Verified>, Rejection>,
) -> Result<Admitted, Rejection> {
    Ok(match Wire::of(bytes)? {
        Wire::Batch(body) => Admitted::Batch(batch(body)?),
        Wire::Attestation(body) => Admitted::Attestation(Arc::new(attestation::verify(consortium, body)?)),
        Wire::Decree(body) => Admitted::Decree(Arc::new(decree::verify(consortium, body)?)),
    })
}

//! Points and scalars as bytes: canonical or not at all.
//!
//! A group element has exactly one encoding (RFC 9496, section 4.3.1), a scalar exactly one below the group order.
//! Whoever accepts a second form of the same thing lets a third party change a batch's bytes, and so its id,
//! without its author.

use borsh::{BorshDeserialize, BorshSerialize};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::IsIdentity as _,
};
use std::fmt;

/// 32 bytes that claim to be a point. [`Encoded::decode`] finds out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Encoded([u8; 32]);

impl Encoded {
    /// Takes 32 bytes as they are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same bytes as the curve crate's type.
    #[must_use]
    pub fn compressed(&self) -> CompressedRistretto {
        CompressedRistretto(self.0)
    }

    /// The point.
    ///
    /// # Errors
    /// [`NotCanonical`] when the bytes are not the canonical encoding of a point.
    pub fn decode(&self) -> Result<RistrettoPoint, NotCanonical> {
        CompressedRistretto(self.0).decompress().ok_or(NotCanonical)
    }

    /// The point, which must not be the identity: as a key it would open everything, as a handle nothing.
    ///
    /// # Errors
    /// [`NotCanonical`] as for [`Encoded::decode`], and for the identity.
    pub fn decode_nonzero(&self) -> Result<RistrettoPoint, NotCanonical> {
        let point = self.decode()?;
        if point.is_identity() { Err(NotCanonical) } else { Ok(point) }
    }
}

impl From<&RistrettoPoint> for Encoded {
    fn from(point: &RistrettoPoint) -> Self {
        Self(point.compress().to_bytes())
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", hex::encode(&self.0[..6]))
    }
}

/// Reads a scalar below the group order.
///
/// # Errors
/// [`NotCanonical`] when it is not reduced.
pub fn scalar(bytes: [u8; 32]) -> Result<Scalar, NotCanonical> {
    Scalar::from_canonical_bytes(bytes).into_option().ok_or(NotCanonical)
}

/// Bytes that are no canonical encoding of what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical encoding of a point or scalar")]
pub struct NotCanonical;

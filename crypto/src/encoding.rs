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
use std::{fmt, sync::Arc};

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

    /// Whether this is the identity's encoding: all zeros.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.compressed().is_identity()
    }

    /// The point, which must not be the identity: as a key it would open everything, as a handle nothing.
    ///
    /// # Errors
    /// [`NotCanonical`] as for [`Encoded::decode`], and for the identity.
    pub fn decode_nonzero(&self) -> Result<RistrettoPoint, NotCanonical> {
        if self.is_identity() { Err(NotCanonical) } else { self.decode() }
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

/// A group element together with its encoding: decoded once, encoded once, cheap to hand on.
#[derive(Clone, PartialEq, Eq)]
pub struct Element(Arc<(Encoded, RistrettoPoint)>);

impl Element {
    /// The canonical bytes.
    #[must_use]
    pub fn encoded(&self) -> Encoded {
        self.0.0
    }

    /// The point.
    #[must_use]
    pub fn point(&self) -> &RistrettoPoint {
        &self.0.1
    }
}

impl From<&RistrettoPoint> for Element {
    fn from(point: &RistrettoPoint) -> Self {
        Self(Arc::new((Encoded::from(point), *point)))
    }
}

impl TryFrom<Encoded> for Element {
    type Error = NotCanonical;

    fn try_from(encoded: Encoded) -> Result<Self, NotCanonical> {
        Ok(Self(Arc::new((encoded, encoded.decode()?))))
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.encoded().fmt(f)
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

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as B;

    #[test]
    fn an_element_and_its_encoding_are_one() {
        let (element, encoded) = (Element::from(&B), Encoded::from(&B));
        assert_eq!(encoded.as_bytes(), &B.compress().to_bytes());
        assert_eq!(Encoded::from_bytes(*encoded.as_bytes()), encoded);
        assert_eq!((element.encoded(), *element.point()), (encoded, B));
        // RFC 9496, appendix A.1, the first multiple of the generator.
        assert_eq!(format!("{element:?} {encoded:?}"), "e2f2ae0a6abc… e2f2ae0a6abc…");
    }

    #[test]
    fn what_is_not_canonical_is_none() {
        assert_eq!(Encoded::from_bytes([0xff; 32]).decode(), Err(NotCanonical));
        assert_eq!(scalar([0xff; 32]), Err(NotCanonical));
        assert_eq!(scalar(Scalar::from(7u64).to_bytes()), Ok(Scalar::from(7u64)));
    }
}

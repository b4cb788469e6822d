//! The curve arithmetic that does the bulk of the work: multiplications over the generators `G` and `H`.
//!
//! Everything over these generators goes through the two types and five functions of this file, and meets the rest of
//! the system only as 32-byte encodings would: a faster implementation of the same group replaces this one file.

use curve25519_dalek::ristretto::CompressedRistretto;
pub(super) use curve25519_dalek::{
    ristretto::RistrettoPoint as Point,
    scalar::Scalar as Exponent,
    traits::{Identity, MultiscalarMul, VartimeMultiscalarMul},
};

use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};

/// A scalar, for the engine.
pub(super) fn exponent(scalar: &Scalar) -> Exponent {
    *scalar
}

/// A scalar of the engine, for the rest.
pub(super) fn scalar(exponent: &Exponent) -> Scalar {
    *exponent
}

/// A point, for the engine.
pub(super) fn point(point: &RistrettoPoint) -> Point {
    *point
}

/// A point of the engine, for the rest.
pub(super) fn ristretto(point: &Point) -> RistrettoPoint {
    *point
}

/// The encoding of a point of the engine.
pub(super) fn encode(point: &Point) -> CompressedRistretto {
    point.compress()
}

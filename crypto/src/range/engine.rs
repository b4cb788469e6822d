//! The curve arithmetic that does the bulk of the work: multiplications over the generators `G` and `H`.
//!
//! Everything over these generators goes through the type and three functions of this file, and meets the rest of
//! the system only as 32-byte encodings would: a faster implementation of the same group replaces this one file.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
pub(super) use curve25519_dalek::{
    ristretto::RistrettoPoint as Point,
    traits::{Identity, MultiscalarMul, VartimeMultiscalarMul},
};

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

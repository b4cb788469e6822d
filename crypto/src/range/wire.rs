//! The bytes of a proof: `A S T_1 T_2 t_x t_x_blinding e_blinding (L R)* a b`, 32 bytes each.
//!
//! There are `k = log2(n·m)` pairs, so a proof has `32·(9 + 2k)` bytes. Nothing in it says `n` or `m`.

#![allow(clippy::arithmetic_side_effects, reason = "k is at most 16")]

use super::RangeError;
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar};

/// A range proof, with the names of the paper.
pub(super) struct Proof {
    pub(super) a: CompressedRistretto,
    pub(super) s: CompressedRistretto,
    pub(super) t_1: CompressedRistretto,
    pub(super) t_2: CompressedRistretto,
    pub(super) t_x: Scalar,
    pub(super) t_x_blinding: Scalar,
    pub(super) e_blinding: Scalar,
    pub(super) inner: InnerProduct,
}

/// The inner-product argument inside it: one pair `(L, R)` per halving, then the two scalars that are left.
pub(super) struct InnerProduct {
    pub(super) pairs: Vec<(CompressedRistretto, CompressedRistretto)>,
    pub(super) a: Scalar,
    pub(super) b: Scalar,
}

/// Bytes of a proof with `k` halvings.
const fn length(k: usize) -> usize {
    32 * (9 + 2 * k)
}

/// Whether a proof over `bits` bits, a power of two, has so many bytes.
pub(super) fn check_length(found: usize, bits: usize) -> Result<(), RangeError> {
    let expected = length(bits.ilog2() as usize);
    if found == expected { Ok(()) } else { Err(RangeError::Length { found, expected }) }
}

impl Proof {
    /// Reads a proof over `bits` bits, a power of two: the length first, then the canonical form of every scalar. Points are checked
    /// when they are decompressed.
    pub(super) fn from_bytes(bytes: &[u8], bits: usize) -> Result<Self, RangeError> {
        check_length(bytes.len(), bits)?;
        let k = bits.ilog2() as usize;
        let mut words = bytes.chunks_exact(32).map(|chunk| {
            let mut word = [0u8; 32];
            word.copy_from_slice(chunk);
            word
        });
        let mut word = || words.next().expect("the length was checked");
        let point = CompressedRistretto;
        let scalar = |word| Option::from(Scalar::from_canonical_bytes(word)).ok_or(RangeError::Scalar);
        Ok(Self {
            a: point(word()),
            s: point(word()),
            t_1: point(word()),
            t_2: point(word()),
            t_x: scalar(word())?,
            t_x_blinding: scalar(word())?,
            e_blinding: scalar(word())?,
            inner: InnerProduct {
                pairs: (0..k).map(|_| (point(word()), point(word()))).collect(),
                a: scalar(word())?,
                b: scalar(word())?,
            },
        })
    }

    /// Writes the proof.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length(self.inner.pairs.len()));
        for point in [&self.a, &self.s, &self.t_1, &self.t_2] {
            bytes.extend_from_slice(point.as_bytes());
        }
        for scalar in [&self.t_x, &self.t_x_blinding, &self.e_blinding] {
            bytes.extend_from_slice(scalar.as_bytes());
        }
        for (l, r) in &self.inner.pairs {
            bytes.extend_from_slice(l.as_bytes());
            bytes.extend_from_slice(r.as_bytes());
        }
        bytes.extend_from_slice(self.inner.a.as_bytes());
        bytes.extend_from_slice(self.inner.b.as_bytes());
        bytes
    }
}

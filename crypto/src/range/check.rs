//! Many equations in one: `Σ scalar·point = identity`, each joined with a weight nobody could foresee.

#![allow(clippy::arithmetic_side_effects, reason = "field and group arithmetic cannot overflow")]

use super::RangeError;
use bulletproofs::PedersenGens;
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use merlin::Transcript;
use rand_core::CryptoRngCore;

/// Domain separation of the weights.
const WEIGHTS: &[u8] = b"counterfoil/1/check-weights";

/// A sum of weighted equations that must be the identity.
pub struct Check {
    weights: Transcript,
    value_base: Scalar,
    blinding_base: Scalar,
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
}

impl Check {
    /// An empty check, which holds.
    pub fn new(rng: &mut impl CryptoRngCore) -> Self {
        let mut seed = [0u8; 32];
        rng.fill_bytes(&mut seed);
        let mut weights = Transcript::new(WEIGHTS);
        weights.append_message(b"seed", &seed);
        Self {
            weights,
            value_base: Scalar::ZERO,
            blinding_base: Scalar::ZERO,
            scalars: Vec::new(),
            points: Vec::new(),
        }
    }

    /// The weight of the next equation, whose every byte that its author could choose is in `absorbed`.
    pub fn weight(&mut self, absorbed: &[u8]) -> Scalar {
        self.weights.append_message(b"equation", absorbed);
        loop {
            let mut wide = [0u8; 64];
            self.weights.challenge_bytes(b"weight", &mut wide);
            let weight = Scalar::from_bytes_mod_order_wide(&wide);
            if weight != Scalar::ZERO {
                return weight;
            }
        }
    }

    /// Adds `s·B`.
    pub fn value_base(&mut self, s: Scalar) {
        self.value_base += s;
    }

    /// Adds `s·B~`.
    pub fn blinding_base(&mut self, s: Scalar) {
        self.blinding_base += s;
    }

    /// Adds `s·P`.
    pub fn point(&mut self, s: Scalar, p: RistrettoPoint) {
        self.scalars.push(s);
        self.points.push(p);
    }

    /// Adds `s·P` for an encoded `P`.
    ///
    /// # Errors
    /// [`RangeError::Point`] when the encoding is not canonical.
    pub fn compressed(&mut self, s: Scalar, p: &CompressedRistretto) -> Result<(), RangeError> {
        self.point(s, p.decompress().ok_or(RangeError::Point)?);
        Ok(())
    }

    /// Whether everything that was added sums to the identity.
    ///
    /// # Errors
    /// [`RangeError::Equation`] when it does not: at least one equation is wrong.
    pub fn finish(self) -> Result<(), RangeError> {
        let bases = PedersenGens::default();
        let scalars = self.scalars.iter().chain([&self.value_base, &self.blinding_base]);
        let points = self.points.iter().chain([&bases.B, &bases.B_blinding]);
        if RistrettoPoint::vartime_multiscalar_mul(scalars, points).is_identity() {
            Ok(())
        } else {
            Err(RangeError::Equation)
        }
    }
}

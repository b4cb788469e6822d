//! Many equations in one: `Σ scalar·point = identity`, each joined under a weight nobody could foresee.
//!
//! If some of the equations `E_k = identity` are false, `Σ w_k·E_k` is the identity for at most one in about 2^252
//! choices of any one weight (Bellare, Garay and Rabin, *Fast batch verification*, 1998, the small-exponents test, here
//! with exponents as large as the group). That needs weights which whoever wrote the equations could neither know nor
//! steer. They have two independent causes for it:
//!
//! 1. **Fresh randomness.** The check draws 256 bits when it is made and never shows them. All weights are outputs of a
//!    pseudorandom function under that key. The authors of proofs never see a weight, so it does no harm that the weight
//!    of one equation is drawn before the next equation is added.
//! 2. **Everything absorbed before.** A weight is drawn after the equation it belongs to, and all before, have been
//!    absorbed into the running state. Should the random generator be broken, weights are still hashes: the last
//!    equation that an attacker writes must cancel the others under a weight that this same equation determines, and
//!    every attempt to fit it succeeds with probability 2^-252. Running state, not a hash per equation: otherwise weights
//!    would be independent functions, and lists of candidates could be merged (Wagner, *A generalized birthday
//!    problem*, 2002).
//!
//! A check says that all equations hold. It does not say which one fails: look at each alone.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "field and group arithmetic cannot overflow; lengths are bounded"
)]

use super::{
    RangeError, Width,
    engine::{self, Point, exponent, ristretto},
    generators::generators,
};
use crate::pedersen;
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use merlin::Transcript;
use rand_core::CryptoRngCore;

/// Domain separation of the weights. They never leave the check: nothing that is proven depends on this label.
const WEIGHTS: &[u8] = b"counterfoil/1/check-weights";

/// A sum of weighted equations that must be the identity.
pub struct Check {
    weights: Transcript,
    value_base: Scalar,
    blinding_base: Scalar,
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
    /// The scalars of `G` and `H`, by width: equal for all proofs, so they cost once.
    generators: [(Vec<Scalar>, Vec<Scalar>); 4],
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
            generators: Default::default(),
        }
    }

    /// The weight of the next equation, never zero. `absorbed` must hold, or commit to, every byte of the equation that
    /// its author could choose. A second weight for a further equation of the same bytes needs only a label.
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

    /// The scalars of the generators `G` and `H` of `m` values, to add to.
    pub(super) fn generators(&mut self, width: Width, m: usize) -> (&mut [Scalar], &mut [Scalar]) {
        let len = m * width.bits();
        let (g, h) = &mut self.generators[width as usize];
        if g.len() < len {
            g.resize(len, Scalar::ZERO);
            h.resize(len, Scalar::ZERO);
        }
        (&mut g[..len], &mut h[..len])
    }

    /// Whether everything that was added sums to the identity: one multiscalar multiplication.
    ///
    /// # Errors
    /// [`RangeError::Equation`] when it does not: at least one equation is wrong.
    pub fn finish(self) -> Result<(), RangeError> {
        let bases = [pedersen::value_base(), pedersen::blinding_base()];
        let scalars = self.scalars.iter().chain([&self.value_base, &self.blinding_base]);
        let others = RistrettoPoint::vartime_multiscalar_mul(scalars, self.points.iter().chain(&bases));
        if (others + self.generator_sum()).is_identity() { Ok(()) } else { Err(RangeError::Equation) }
    }

    /// The part of the sum over `G` and `H`.
    fn generator_sum(&self) -> RistrettoPoint {
        let sets = Width::ALL.map(|width| {
            let len = self.generators[width as usize].0.len();
            generators(width, len.div_ceil(width.bits()))
        });
        let (mut exponents, mut points): (Vec<_>, Vec<&Point>) = (Vec::new(), Vec::new());
        for ((g, h), set) in self.generators.iter().zip(&sets) {
            exponents.extend(g.iter().chain(h).map(exponent));
            points.extend(set.g[..g.len()].iter().chain(&set.h[..h.len()]));
        }
        ristretto(&<Point as engine::VartimeMultiscalarMul>::vartime_multiscalar_mul(exponents, points))
    }
}

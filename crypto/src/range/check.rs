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
//! Checks of several threads are merged before they are finished: each has weights of its own, so their sum is a random
//! combination like any other. A check says that all equations hold. It does not say which one fails: look at each alone.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "field and group arithmetic cannot overflow; lengths are bounded"
)]

use super::{
    RangeError, Width,
    engine::{self, Point, ristretto},
    generators::generators,
    layout::Layout,
    montgomery::Residue,
    msm::Workers,
};
use crate::pedersen;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::IsIdentity};
use merlin::Transcript;
use rand_core::CryptoRngCore;
use std::num::NonZeroUsize;

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
    generators: [(Vec<Residue>, Vec<Residue>); 4],
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

    /// The scalars of the generators `G` and `H` of a layout, to add to.
    pub(super) fn generators(&mut self, layout: &Layout) -> (&mut [Residue], &mut [Residue]) {
        let len = layout.len();
        let (g, h) = &mut self.generators[layout.generators() as usize];
        if g.len() < len {
            g.resize(len, Residue::ZERO);
            h.resize(len, Residue::ZERO);
        }
        (&mut g[..len], &mut h[..len])
    }

    /// Takes in everything that was added to another check.
    pub fn merge(&mut self, other: Self) {
        self.value_base += other.value_base;
        self.blinding_base += other.blinding_base;
        self.scalars.extend(other.scalars);
        self.points.extend(other.points);
        for (mine, theirs) in self.generators.iter_mut().zip(other.generators) {
            add(&mut mine.0, theirs.0);
            add(&mut mine.1, theirs.1);
        }
    }

    /// Whether everything that was added sums to the identity: one multiscalar multiplication.
    ///
    /// # Errors
    /// [`RangeError::Equation`] when it does not: at least one equation is wrong.
    pub fn finish(self) -> Result<(), RangeError> {
        self.finish_on(NonZeroUsize::MIN)
    }

    /// [`Check::finish`] on several threads.
    ///
    /// # Errors
    /// As [`Check::finish`].
    pub fn finish_on(self, threads: NonZeroUsize) -> Result<(), RangeError> {
        let sets = Width::ALL.map(|width| {
            let len = self.generators[width as usize].0.len();
            generators(width, len.div_ceil(width.bits()))
        });
        let bases = [pedersen::value_base(), pedersen::blinding_base()];
        let mut scalars = self.scalars;
        scalars.extend([self.value_base, self.blinding_base]);
        let own: Vec<Point> = self.points.iter().chain(&bases).map(engine::point).collect();
        let mut points: Vec<&Point> = own.iter().collect();
        for ((g, h), set) in self.generators.iter().zip(&sets) {
            scalars.extend(g.iter().chain(h).map(Residue::scalar));
            points.extend(set.g[..g.len()].iter().chain(&set.h[..h.len()]));
        }
        let sum = Workers(threads).vartime(&scalars, &points);
        if ristretto(&sum).is_identity() { Ok(()) } else { Err(RangeError::Equation) }
    }
}

/// Adds a vector to another, which grows as it must.
fn add(to: &mut Vec<Residue>, from: Vec<Residue>) {
    if to.len() < from.len() {
        to.resize(from.len(), Residue::ZERO);
    }
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

//! Relations between committed quantities, written once for prover and verifier.
//!
//! A [`Committed`] quantity is a commitment together with its witness: the opening for the prover, nothing for the
//! verifier. Sums and multiples act on both at once, so the function that builds a [`Relation`] is one and the same for
//! both sides, and the verifier's side cannot even name a secret. A relation collects
//!
//! - **ranges**: a quantity is an integer in `[0, 2^n)`; one aggregated proof per width (Bünz et al. 2018, section 4.2);
//! - **products**: each row's images are its factor times the common bases, `X_ij = w_i·H_j`, as values;
//! - **handles**: each row's handles open its commitment for the common viewers (see [`crate::view_key`]).
//!
//! Products and handles become equations of ONE sigma proof. Rows that share their bases (or viewers) are preimages of one
//! and the same homomorphism, so a random combination of them is proven instead of each: the challenges that combine are
//! drawn after everything public is absorbed, and from as many rewindings as there are rows every row's own preimage can
//! be computed. (Rows with *different* bases must not be folded like that: each keeps its own randomness, and a witness
//! for a false row exists.) Source of the batching: Peng, Boyd, Dawson, *Batch zero-knowledge proof and verification*
//! (2007).
//!
//! What it does not prove: that a product's factor or a handle's value is an integer. Whoever builds a relation puts
//! every committed quantity under a range, directly or by an argument that stands beside it.

#![allow(clippy::arithmetic_side_effects, reason = "group and field arithmetic does not overflow")]

use crate::{
    encoding::Encoded,
    pedersen::{self, Opening},
    range::{self, Check, RangeError, Width},
    statement::{Point, Proof, ProofError, Statement, challenge_scalar},
};
use borsh::{BorshDeserialize, BorshSerialize};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{Identity as _, VartimeMultiscalarMul as _},
};
use merlin::Transcript;
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What one side knows beside a commitment: an [`Opening`], or nothing.
pub trait Witness: Clone {
    /// Of the constant `v`, committed without blinding.
    fn constant(v: Scalar) -> Self;
    /// Of `self + factor·other`.
    #[must_use]
    fn plus(&self, other: &Self, factor: Scalar) -> Self;
    /// The opening, where this side has one.
    fn opening(&self) -> Option<&Opening>;
}

impl Witness for () {
    fn constant(_: Scalar) -> Self {}
    fn plus(&self, (): &Self, _: Scalar) -> Self {}
    fn opening(&self) -> Option<&Opening> {
        None
    }
}

impl Witness for Opening {
    fn constant(value: Scalar) -> Self {
        Self { value, blinding: Scalar::ZERO }
    }

    fn plus(&self, other: &Self, factor: Scalar) -> Self {
        Self { value: self.value + factor * other.value, blinding: self.blinding + factor * other.blinding }
    }

    fn opening(&self) -> Option<&Opening> {
        Some(self)
    }
}

/// A commitment and what this side knows of it.
#[derive(Clone, Debug)]
pub struct Committed<W> {
    point: RistrettoPoint,
    witness: W,
}

impl<W: Witness> Committed<W> {
    /// A public constant, committed without blinding.
    #[must_use]
    pub fn constant(v: u64) -> Self {
        let v = Scalar::from(v);
        let point = if v == Scalar::ZERO { RistrettoPoint::identity() } else { pedersen::value(&v) };
        Self { point, witness: W::constant(v) }
    }

    /// `self + other`.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self { point: self.point + other.point, witness: self.witness.plus(&other.witness, Scalar::ONE) }
    }

    /// `self − other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self { point: self.point - other.point, witness: self.witness.plus(&other.witness, -Scalar::ONE) }
    }

    /// `factor·self` for a public factor.
    #[must_use]
    pub fn times(&self, factor: i64) -> Self {
        let magnitude = factor.unsigned_abs();
        let point = multiple(self.point, magnitude);
        let scalar = Scalar::from(magnitude);
        let (point, scalar) = if factor < 0 { (-point, -scalar) } else { (point, scalar) };
        Self { point, witness: W::constant(Scalar::ZERO).plus(&self.witness, scalar) }
    }

    /// The sum of many.
    pub fn sum<'a>(terms: impl IntoIterator<Item = &'a Self>) -> Self
    where
        W: 'a,
    {
        terms.into_iter().fold(Self::constant(0), |sum, term| sum.plus(term))
    }

    /// The commitment.
    #[must_use]
    pub fn point(&self) -> RistrettoPoint {
        self.point
    }

    /// The commitment's 32 bytes.
    #[must_use]
    pub fn encoded(&self) -> Encoded {
        Encoded::from(&self.point)
    }
}

impl Committed<()> {
    /// A commitment as the verifier meets it.
    #[must_use]
    pub fn sealed(point: RistrettoPoint) -> Self {
        Self { point, witness: () }
    }
}

impl Committed<Opening> {
    /// Commits to an opening, in constant time.
    #[must_use]
    pub fn open(opening: Opening) -> Self {
        Self { point: opening.commit(), witness: opening }
    }

    /// The opening.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.witness
    }
}

/// `factor·point` for a small public factor: doublings and additions, far cheaper than a full multiplication.
fn multiple(point: RistrettoPoint, factor: u64) -> RistrettoPoint {
    let bits = (0..u64::BITS - factor.leading_zeros()).rev();
    bits.fold(RistrettoPoint::identity(), |sum, bit| {
        let doubled = sum + sum;
        if factor >> bit & 1 == 1 { doubled + point } else { doubled }
    })
}

/// The proofs of a relation, in the order in which they enter the transcript.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proofs {
    /// The sigma proof: products and handles.
    pub sigma: Vec<u8>,
    /// One aggregated range proof per width, ascending.
    pub ranges: Vec<RangeProof>,
}

/// An aggregated range proof and its width.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RangeProof {
    /// Bits of each value.
    pub width: Width,
    /// The proof in the wire format of the bulletproofs family.
    pub bytes: Vec<u8>,
}

/// Why a relation cannot be proven, or its proofs are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    /// The widths of the range proofs are not those that the relation asks for, in ascending order.
    #[error("the range proofs are not of the widths that the relation asks for")]
    Widths,
    /// The sigma proof (products and handles) is refused.
    #[error("sigma proof: {0}")]
    Sigma(ProofError),
    /// A range proof is refused, or (proving) a value is outside its range.
    #[error("range proof of {width} bits: {1}", width = .0.bits())]
    Range(Width, RangeError),
    /// Each proof is well-formed, but their joint equation does not hold and no single one is at fault.
    #[error("the joint equation of the proofs does not hold")]
    Joint,
}

/// What a set of committed quantities must satisfy.
#[derive(Clone, Debug)]
pub struct Relation<W> {
    statement: Statement,
    bases: [Point; 2],
    secrets: Zeroizing<Vec<Scalar>>,
    ranges: BTreeMap<Width, Vec<Committed<W>>>,
}

impl<W: Witness> Relation<W> {
    /// An empty relation; `name` separates its proofs from those of every other one.
    #[must_use]
    pub fn new(name: &'static [u8]) -> Self {
        let mut statement = Statement::new(name);
        let bases = [statement.point(pedersen::value_base()), statement.point(pedersen::blinding_base())];
        Self { statement, bases, secrets: Zeroizing::default(), ranges: BTreeMap::new() }
    }

    /// Requires `quantity` to be an integer in `[0, 2^width)`.
    pub fn in_range(&mut self, width: Width, quantity: Committed<W>) {
        self.ranges.entry(width).or_default().push(quantity);
    }

    /// Requires `0 <= quantity <= most` by two ranges; `most < 2^width`.
    pub fn between_zero_and(&mut self, most: &Committed<W>, width: Width, quantity: &Committed<W>) {
        self.in_range(width, quantity.clone());
        self.in_range(width, most.minus(quantity));
    }

    /// Requires, for every row `(factor, images)`, `image_j = factor·base_j` as values. Draws the challenges that combine the
    /// rows from `transcript`, which must have absorbed all of them.
    pub fn products<const N: usize>(
        &mut self,
        transcript: &mut Transcript,
        bases: [&Committed<W>; N],
        rows: &[(&Committed<W>, [Committed<W>; N])],
    ) {
        let weights: Vec<_> = rows.iter().map(|_| challenge_scalar(transcript, b"product")).collect();
        let factors = combine(&weights, rows.iter().map(|row| row.0));
        let [b, b_blinding] = self.bases;
        let (w, rho) = (self.statement.secret(), self.statement.secret());
        self.statement.require(factors.point, &[(w, b), (rho, b_blinding)]);
        if let Some(factor) = factors.witness.opening() {
            self.secrets.extend([factor.value, factor.blinding]);
        }
        for (j, base) in bases.iter().enumerate() {
            let image = combine(&weights, rows.iter().map(|row| &row.1[j]));
            let base_point = self.statement.point(base.point);
            let s = self.statement.secret();
            self.statement.require(image.point, &[(w, base_point), (s, b_blinding)]);
            // X = x·B + ξ·B~ and H = h·B + η·B~ with x = w·h, so X = w·H + (ξ − w·η)·B~.
            if let (Some(image), Some(factor), Some(base)) =
                (image.witness.opening(), factors.witness.opening(), base.witness.opening())
            {
                self.secrets.push(image.blinding - factor.value * base.blinding);
            }
        }
    }

    /// Requires, for every row `(commitment, handles)`, that `handle_j = r·viewer_j` with the commitment's blinding `r`. Draws
    /// challenges as [`Relation::products`] does.
    ///
    /// # Panics
    /// When a row has not one handle per viewer: whoever takes rows from a peer counts them first.
    pub fn handles(
        &mut self,
        transcript: &mut Transcript,
        viewers: &[RistrettoPoint],
        rows: &[(&Committed<W>, &[RistrettoPoint])],
    ) {
        // A missing handle would silently drop out of the combination (attack 4).
        assert!(rows.iter().all(|row| row.1.len() == viewers.len()), "one handle per viewer in every row");
        let weights: Vec<_> = rows.iter().map(|_| challenge_scalar(transcript, b"handle")).collect();
        let commitments = combine(&weights, rows.iter().map(|row| row.0));
        let [b, b_blinding] = self.bases;
        let (v, r) = (self.statement.secret(), self.statement.secret());
        self.statement.require(commitments.point, &[(v, b), (r, b_blinding)]);
        if let Some(opening) = commitments.witness.opening() {
            self.secrets.extend([opening.value, opening.blinding]);
        }
        for (j, viewer) in viewers.iter().enumerate() {
            let handles = rows.iter().map(|row| row.1[j]);
            let image = RistrettoPoint::vartime_multiscalar_mul(&weights, handles);
            let viewer = self.statement.point(*viewer);
            self.statement.require(image, &[(r, viewer)]);
        }
    }

    /// Requires every owner key `(base, key)` to be of this viewer: `base = t·B~` and `key = t·viewer` for one `t`. The
    /// prover gives the `t`s, the verifier none. Draws challenges as [`Relation::products`] does.
    pub fn owner_keys(
        &mut self,
        transcript: &mut Transcript,
        viewer: RistrettoPoint,
        keys: &[(RistrettoPoint, RistrettoPoint)],
        secrets: &[Scalar],
    ) {
        let weights: Vec<_> = keys.iter().map(|_| challenge_scalar(transcript, b"owner")).collect();
        let base = RistrettoPoint::vartime_multiscalar_mul(&weights, keys.iter().map(|key| key.0));
        let key = RistrettoPoint::vartime_multiscalar_mul(&weights, keys.iter().map(|key| key.1));
        let t = self.statement.secret();
        let viewer = self.statement.point(viewer);
        self.statement.require(base, &[(t, self.bases[1])]);
        self.statement.require(key, &[(t, viewer)]);
        if !secrets.is_empty() {
            self.secrets.push(weights.iter().zip(secrets).map(|(weight, t)| weight * t).sum());
        }
    }
}

impl Relation<Opening> {
    /// Proves the relation: the sigma proof, then the range proofs by ascending width, all in one transcript.
    ///
    /// # Errors
    /// [`RelationError::Range`] when a quantity is outside its range. (A false product or handle makes a proof that does
    /// not verify.)
    pub fn prove(
        &self,
        transcript: &mut Transcript,
        rng: &mut impl CryptoRngCore,
    ) -> Result<Proofs, RelationError> {
        let sigma = self.prove_sigma(transcript, rng);
        let ranges = self.prove_ranges(transcript, rng, |_, opening| opening.amount())?;
        Ok(Proofs { sigma, ranges })
    }

    /// The first step of [`Relation::prove`]: the sigma proof.
    pub fn prove_sigma(&self, transcript: &mut Transcript, rng: &mut impl CryptoRngCore) -> Vec<u8> {
        self.statement.prove(transcript, &self.secrets, rng).to_bytes()
    }

    /// The second step: the range proofs by ascending width. `amount` finds the amount in an opening; the proof of one that
    /// is not what the opening holds does not verify.
    ///
    /// # Errors
    /// [`RelationError::Range`] when there is no amount, or it is outside its range.
    pub fn prove_ranges(
        &self,
        transcript: &mut Transcript,
        rng: &mut impl CryptoRngCore,
        amount: impl Fn(Width, &Opening) -> Option<u64>,
    ) -> Result<Vec<RangeProof>, RelationError> {
        let mut ranges = Vec::new();
        for (width, quantities) in &self.ranges {
            let amounts = quantities.iter().enumerate().map(|(index, q)| {
                let out_of_range = RangeError::ValueOutOfRange { index, bits: width.bits() };
                amount(*width, &q.witness).ok_or(RelationError::Range(*width, out_of_range))
            });
            let amounts: Zeroizing<Vec<u64>> = Zeroizing::new(amounts.collect::<Result<_, _>>()?);
            let blindings: Zeroizing<Vec<Scalar>> =
                Zeroizing::new(quantities.iter().map(|q| q.witness.blinding).collect());
            let bytes = range::prove(*width, &amounts, &blindings, transcript, rng)
                .map_err(|e| RelationError::Range(*width, e))?;
            absorb_range(transcript, &bytes);
            ranges.push(RangeProof { width: *width, bytes });
        }
        Ok(ranges)
    }
}

/// Adds one proof's equations to a check; returns the error to report should they not hold.
type Step<'a> = &'a mut dyn FnMut(&mut Check) -> Result<RelationError, RelationError>;

impl Relation<()> {
    /// Verifies the proofs: one multiscalar multiplication for all of them. When it fails, each is looked at alone, to
    /// name the one at fault.
    ///
    /// # Errors
    /// [`RelationError`] names the proof at fault and why.
    pub fn verify(
        &self,
        transcript: &Transcript,
        proofs: &Proofs,
        rng: &mut impl CryptoRngCore,
    ) -> Result<(), RelationError> {
        // Lengths and widths before any work on the curve.
        if !self.ranges.keys().copied().eq(proofs.ranges.iter().map(|p| p.width)) {
            return Err(RelationError::Widths);
        }
        let sigma = Proof::from_bytes(&self.statement, &proofs.sigma).map_err(RelationError::Sigma)?;
        let mut joint = Check::new(rng);
        self.steps(&mut transcript.clone(), &sigma, proofs, |step| step(&mut joint))?;
        if joint.finish().is_ok() {
            return Ok(());
        }
        self.steps(&mut transcript.clone(), &sigma, proofs, |step| {
            let mut alone = Check::new(rng);
            let at_fault = step(&mut alone)?;
            alone.finish().map_err(|_| at_fault)?;
            Ok(at_fault)
        })?;
        Err(RelationError::Joint)
    }

    /// Walks through the proofs in transcript order. Each step adds its equations to the check that `run` hands it and
    /// returns the error to report if that check fails.
    fn steps(
        &self,
        transcript: &mut Transcript,
        sigma: &Proof,
        proofs: &Proofs,
        mut run: impl FnMut(Step<'_>) -> Result<RelationError, RelationError>,
    ) -> Result<(), RelationError> {
        run(&mut |check| {
            self.statement.accumulate(transcript, sigma, check).map_err(RelationError::Sigma)?;
            Ok(RelationError::Sigma(ProofError::Equation))
        })?;
        for (quantities, proof) in self.ranges.values().zip(&proofs.ranges) {
            let points: Vec<CompressedRistretto> = quantities.iter().map(|q| q.point.compress()).collect();
            let in_range = |error| RelationError::Range(proof.width, error);
            run(&mut |check| {
                range::accumulate(proof.width, &points, &proof.bytes, transcript, check).map_err(in_range)?;
                Ok(in_range(RangeError::Equation))
            })?;
            absorb_range(transcript, &proof.bytes);
        }
        Ok(())
    }
}

/// The range proof's own transcript does not absorb its last scalars; nothing may be drawn after it before they are.
fn absorb_range(transcript: &mut Transcript, proof: &[u8]) {
    transcript.append_message(b"range proof", proof);
}

/// `Σ weight·quantity`.
fn combine<'a, W: Witness + 'a>(
    weights: &[Scalar],
    quantities: impl Iterator<Item = &'a Committed<W>> + Clone,
) -> Committed<W> {
    let point = RistrettoPoint::vartime_multiscalar_mul(weights, quantities.clone().map(|q| q.point));
    let zero = W::constant(Scalar::ZERO);
    let witness = weights.iter().zip(quantities).fold(zero, |sum, (weight, q)| sum.plus(&q.witness, *weight));
    Committed { point, witness }
}

#[cfg(test)]
mod tests;

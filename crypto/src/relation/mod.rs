//! Relations between committed quantities, written once for prover and verifier.
//!
//! A [`Committed`] quantity is a commitment together with its witness: the opening for the prover, nothing for the
//! verifier. Sums and multiples act on both at once, so the function that builds a [`Relation`] is one and the same for
//! both sides, and the verifier's side cannot even name a secret. A relation collects
//!
//! - **ranges**: a quantity is an integer between 0 and a bound; how they become range proofs is the [`Suite`]'s business;
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
//! The bases of one row are folded, too. The equations `F = w·B + ρ·B~` and `X_j = w·H_j + s_j·B~` become `F` as it is and
//! `Σ μ^j·X_j = w·(Σ μ^j·H_j) + s·B~`. From as many challenges `μ` as there are bases, the same `w` in all of them (`F` binds
//! it), every `X_j = w·H_j + s_j·B~` follows by interpolation. (`F` itself must not be folded in: nothing would bind `w`.)
//!
//! What it does not prove: that a product's factor or a handle's value is an integer. Whoever builds a relation puts
//! every committed quantity under a range, directly or by an argument that stands beside it.

#![allow(clippy::arithmetic_side_effects, reason = "group and field arithmetic does not overflow")]

mod committed;
mod pieces;
mod prove;
mod verify;

pub use committed::{Committed, Witness};
pub use verify::{Claim, verify_all};

use crate::{
    encoding::Element,
    form::{Entry, Form},
    range::{RangeError, Width},
    secret,
    statement::{Point, ProofError, Statement, challenge_scalar},
};
use borsh::{BorshDeserialize, BorshSerialize};
use committed::{blinding_base, value_base};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use zeroize::Zeroizing;

/// How the ranges of a relation become range proofs. Named in every batch; a consortium can retire one, and what was proven
/// under it stays verifiable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suite {
    /// One aggregated proof per width of 8, 16, 32 or 64 bits, each in the bytes and transcript of the `bulletproofs` crate;
    /// a bound that is no width takes two ranges, `q` and `most − q`.
    Widths,
    /// Packed proofs: every quantity takes the bits of its own bound, one after the other, in pieces of up to
    /// [`PIECE_BITS`] bits; commitments that are combinations are never computed.
    Packed,
}

/// Most bits of one proof of [`Suite::Packed`]. A proof's `2·log2` points and the generators of a piece weigh against each
/// other: larger pieces save some bytes, smaller ones generators when a batch is verified alone.
pub const PIECE_BITS: usize = 8192;

impl Suite {
    /// All suites, oldest first.
    pub const ALL: [Self; 2] = [Self::Widths, Self::Packed];
    /// The one to prove with.
    pub const LATEST: Self = Self::Packed;

    /// The number that a batch names it by.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Widths => 1,
            Self::Packed => 2,
        }
    }

    /// The suite of a number.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.number() == number)
    }
}

/// How large a quantity may be. It is never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// At most this.
    Exactly(u64),
    /// At most this, or anything larger that is proven more cheaply, but an integer below 2^64.
    Roughly(u64),
}

/// The proofs of a relation, in the order in which they enter the transcript.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proofs {
    /// The sigma proof: products and handles.
    pub sigma: Vec<u8>,
    /// The range proofs, in the wire format of the bulletproofs family. Their number and shapes follow from the relation.
    pub ranges: Vec<Vec<u8>>,
}

/// Why a relation cannot be proven, or its proofs are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    /// There are more or fewer range proofs than the relation asks for.
    #[error("{found} range proofs where the relation asks for {expected}")]
    Count {
        /// Proofs given.
        found: usize,
        /// Proofs needed.
        expected: usize,
    },
    /// The sigma proof (products and handles) is refused.
    #[error("sigma proof: {0}")]
    Sigma(ProofError),
    /// A range proof is refused, or (proving) a value is outside its range.
    #[error("range proof number {0}: {1}")]
    Range(usize, RangeError),
    /// Each proof is well-formed, but their joint equation does not hold and no single one is at fault.
    #[error("the joint equation of the proofs does not hold")]
    Joint,
}

/// What a set of committed quantities must satisfy.
#[derive(Clone, Debug)]
pub struct Relation<W> {
    suite: Suite,
    statement: Statement,
    bases: [Point; 2],
    secrets: Zeroizing<Vec<Scalar>>,
    ranges: Vec<Range<W>>,
}

/// One quantity under a bound.
#[derive(Clone, Debug)]
struct Range<W> {
    most: u64,
    entry: Entry,
    quantity: Committed<W>,
}

impl<W: Witness> Relation<W> {
    /// An empty relation; `name` separates its proofs from those of every other one.
    #[must_use]
    pub fn new(suite: Suite, name: &'static [u8]) -> Self {
        let mut statement = Statement::new(name);
        let bases = [value_base(), blinding_base()].map(|base| statement.form(&base.clone().into()));
        Self { suite, statement, bases, secrets: Zeroizing::default(), ranges: Vec::new() }
    }

    /// Requires `quantity` to be an integer from 0 to its bound.
    pub fn in_range(&mut self, bound: Bound, quantity: &Committed<W>) {
        match (self.suite, bound) {
            // A bound of zero has no bits to prove: one bit where it is rough, two plain ranges where it is exact.
            (Suite::Packed, Bound::Roughly(most)) => self.under(most.max(1), quantity.clone()),
            (Suite::Packed, Bound::Exactly(most)) if most > 0 => self.under(most, quantity.clone()),
            (Suite::Widths, Bound::Roughly(most)) => {
                self.under(Width::smallest_for(most).max(), quantity.clone())
            }
            (_, Bound::Exactly(most)) => {
                let width = Width::smallest_for(most).max();
                self.under(width, quantity.clone());
                if most < width {
                    self.under(width, Committed::constant(most).minus(quantity));
                }
            }
        }
    }

    fn under(&mut self, most: u64, quantity: Committed<W>) {
        let entry = self.statement.table_mut().enter(quantity.form());
        if W::SECRET {
            secret::make_room(&mut self.ranges);
        }
        self.ranges.push(Range { most, entry, quantity });
    }

    /// Requires, for every row `(factor, images)`, `image_j = factor·base_j` as values. Draws the challenges that combine the
    /// rows, and the bases, from `transcript`, which must have absorbed all of them.
    ///
    /// # Panics
    /// When a row has not one image per base: whoever writes a relation counts them.
    pub fn products(
        &mut self,
        transcript: &mut Transcript,
        bases: &[&Committed<W>],
        rows: &[(&Committed<W>, Vec<Committed<W>>)],
    ) {
        // A missing image would silently drop out of the combination.
        assert!(rows.iter().all(|row| row.1.len() == bases.len()), "one image per base in every row");
        let weights: Vec<_> = rows.iter().map(|_| challenge_scalar(transcript, b"product")).collect();
        let mu = challenge_scalar(transcript, b"bases");
        let powers: Vec<_> =
            std::iter::successors(Some(Scalar::ONE), |p| Some(p * mu)).take(bases.len()).collect();
        let factors = Committed::combine(&weights, rows.iter().map(|row| row.0));
        let base = Committed::combine(&powers, bases.iter().copied());
        let images: Vec<_> = rows.iter().map(|row| Committed::combine(&powers, row.1.iter())).collect();
        let image = Committed::combine(&weights, images.iter());

        let [b, b_blinding] = self.bases;
        let (w, rho, s) = (self.statement.secret(), self.statement.secret(), self.statement.secret());
        self.statement.require(factors.form(), &[(w, b), (rho, b_blinding)]);
        let base_point = self.statement.form(base.form());
        self.statement.require(image.form(), &[(w, base_point), (s, b_blinding)]);
        // X = x·B + ξ·B~ and H = h·B + η·B~ with x = w·h, so X = w·H + (ξ − w·η)·B~.
        if let (Some(image), Some(factor), Some(base)) =
            (image.witness().opening(), factors.witness().opening(), base.witness().opening())
        {
            let s = image.blinding - factor.value * base.blinding;
            secret::append(&mut self.secrets, &[factor.value, factor.blinding, s]);
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
        viewers: &[Element],
        rows: &[(&Committed<W>, &[Element])],
    ) {
        // A missing handle would silently drop out of the combination (attack 4).
        assert!(rows.iter().all(|row| row.1.len() == viewers.len()), "one handle per viewer in every row");
        let weights: Vec<_> = rows.iter().map(|_| challenge_scalar(transcript, b"handle")).collect();
        let commitments = Committed::combine(&weights, rows.iter().map(|row| row.0));
        let [b, b_blinding] = self.bases;
        let (v, r) = (self.statement.secret(), self.statement.secret());
        self.statement.require(commitments.form(), &[(v, b), (r, b_blinding)]);
        if let Some(opening) = commitments.witness().opening() {
            secret::append(&mut self.secrets, &[opening.value, opening.blinding]);
        }
        for (j, viewer) in viewers.iter().enumerate() {
            let image = combined(&weights, rows.iter().map(|row| &row.1[j]));
            let viewer = self.statement.form(&viewer.clone().into());
            self.statement.require(&image, &[(r, viewer)]);
        }
    }

    /// Requires every owner key `(base, key)` to be of this viewer: `base = t·B~` and `key = t·viewer` for one `t`. The
    /// prover gives the `t`s, the verifier none. Draws challenges as [`Relation::products`] does.
    pub fn owner_keys(
        &mut self,
        transcript: &mut Transcript,
        viewer: &Element,
        keys: &[(Element, Element)],
        secrets: &[Scalar],
    ) {
        let weights: Vec<_> = keys.iter().map(|_| challenge_scalar(transcript, b"owner")).collect();
        let base = combined(&weights, keys.iter().map(|key| &key.0));
        let key = combined(&weights, keys.iter().map(|key| &key.1));
        let t = self.statement.secret();
        let viewer = self.statement.form(&viewer.clone().into());
        self.statement.require(&base, &[(t, self.bases[1])]);
        self.statement.require(&key, &[(t, viewer)]);
        if !secrets.is_empty() {
            let combined = weights.iter().zip(secrets).map(|(weight, t)| weight * t).sum();
            secret::append(&mut self.secrets, &[combined]);
        }
    }

    /// How many bits its range proofs prove, padding included.
    #[must_use]
    pub fn proven_bits(&self) -> usize {
        self.pieces().iter().map(|piece| piece.layout.len()).sum()
    }
}

/// `Σ weight·element`.
fn combined<'a>(weights: &[Scalar], elements: impl Iterator<Item = &'a Element>) -> Form {
    let mut form = Form::default();
    elements.zip(weights).for_each(|(element, weight)| form.add(&element.clone().into(), weight));
    form
}

#[cfg(test)]
mod tests;

//! Committed quantities: what is written down, combinations of it, and what one side knows of them.

#![allow(clippy::arithmetic_side_effects, reason = "group and field arithmetic does not overflow")]

use crate::{
    encoding::{Element, Encoded},
    form::Form,
    pedersen::{self, Opening},
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use std::sync::OnceLock;

/// What one side knows beside a commitment: an [`Opening`], or nothing.
pub trait Witness: Clone {
    /// Whether there is anything to hide in it.
    const SECRET: bool;
    /// Of the constant `v`, committed without blinding.
    fn constant(v: Scalar) -> Self;
    /// Of `self + factor·other`.
    #[must_use]
    fn plus(&self, other: &Self, factor: Scalar) -> Self;
    /// The opening, where this side has one.
    fn opening(&self) -> Option<&Opening>;
}

impl Witness for () {
    const SECRET: bool = false;

    fn constant(_: Scalar) -> Self {}
    fn plus(&self, (): &Self, _: Scalar) -> Self {}
    fn opening(&self) -> Option<&Opening> {
        None
    }
}

impl Witness for Opening {
    const SECRET: bool = true;

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

/// A commitment, as a combination of those that are written down, and what this side knows of it.
#[derive(Clone, Debug)]
pub struct Committed<W> {
    form: Form,
    witness: W,
}

impl<W: Witness> Committed<W> {
    /// A public constant, committed without blinding.
    #[must_use]
    pub fn constant(v: u64) -> Self {
        let v = Scalar::from(v);
        let form = if v == Scalar::ZERO { Form::default() } else { Form::of(value_base().clone(), v) };
        Self { form, witness: W::constant(v) }
    }

    /// `self + other`.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.clone().add(other, Scalar::ONE)
    }

    /// `self − other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.clone().add(other, -Scalar::ONE)
    }

    /// `factor·self` for a public factor.
    #[must_use]
    pub fn times(&self, factor: i64) -> Self {
        let magnitude = Scalar::from(factor.unsigned_abs());
        Self::constant(0).add(self, if factor < 0 { -magnitude } else { magnitude })
    }

    /// The sum of many.
    pub fn sum<'a>(terms: impl IntoIterator<Item = &'a Self>) -> Self
    where
        W: 'a,
    {
        terms.into_iter().fold(Self::constant(0), |sum, term| sum.add(term, Scalar::ONE))
    }

    /// `Σ weight·quantity`.
    pub(super) fn combine<'a>(weights: &[Scalar], quantities: impl Iterator<Item = &'a Self>) -> Self
    where
        W: 'a,
    {
        quantities.zip(weights).fold(Self::constant(0), |sum, (quantity, weight)| sum.add(quantity, *weight))
    }

    fn add(mut self, other: &Self, factor: Scalar) -> Self {
        self.form.add(&other.form, &factor);
        Self { form: self.form, witness: self.witness.plus(&other.witness, factor) }
    }

    /// The combination.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The commitment. Computed each time, unless it is one that is written down.
    #[must_use]
    pub fn point(&self) -> RistrettoPoint {
        self.form.point()
    }

    /// The commitment's 32 bytes. Computed each time, unless it is one that is written down.
    #[must_use]
    pub fn encoded(&self) -> Encoded {
        self.form.element().encoded()
    }

    /// What this side knows.
    pub(super) fn witness(&self) -> &W {
        &self.witness
    }
}

impl Committed<()> {
    /// A commitment as the verifier meets it.
    #[must_use]
    pub fn sealed(element: Element) -> Self {
        Self { form: element.into(), witness: () }
    }
}

impl Committed<Opening> {
    /// Commits to an opening, in constant time.
    #[must_use]
    pub fn open(opening: Opening) -> Self {
        Self { form: Element::from(&opening.commit()).into(), witness: opening }
    }

    /// The opening.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.witness
    }
}

/// `B`, encoded once.
pub(super) fn value_base() -> &'static Element {
    static BASE: OnceLock<Element> = OnceLock::new();
    BASE.get_or_init(|| Element::from(&pedersen::value_base()))
}

/// `B~`, encoded once.
pub(super) fn blinding_base() -> &'static Element {
    static BASE: OnceLock<Element> = OnceLock::new();
    BASE.get_or_init(|| Element::from(&pedersen::blinding_base()))
}

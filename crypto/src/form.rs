//! Linear combinations of group elements with public coefficients, named but not computed.
//!
//! What a batch proves speaks of combinations of the commitments that it carries. A verifier that computed and encoded each
//! would spend most of its time on it; here a combination stays a list until the end, where every element meets the sum of
//! all its scalars once. A table numbers the elements in the order in which a statement first names them, the same for
//! prover and verifier, and says everything about them to a transcript.

#![allow(clippy::arithmetic_side_effects, reason = "group and field arithmetic does not overflow")]

use crate::{
    encoding::{Element, Encoded},
    range::Check,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{Identity as _, VartimeMultiscalarMul as _},
};
use merlin::Transcript;
use std::collections::BTreeMap;

/// `Σ coefficient·element`; zero when it is empty.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(Element, Scalar)>);

impl Form {
    /// `coefficient·element`.
    #[must_use]
    pub fn of(element: Element, coefficient: Scalar) -> Self {
        Self(vec![(element, coefficient)])
    }

    /// Adds `factor·other`.
    pub fn add(&mut self, other: &Self, factor: &Scalar) {
        self.0.extend(other.0.iter().map(|(element, coefficient)| (element.clone(), coefficient * factor)));
    }

    /// Multiplies all of it by `factor`.
    #[must_use]
    pub fn scaled(mut self, factor: &Scalar) -> Self {
        self.0.iter_mut().for_each(|(_, coefficient)| *coefficient *= factor);
        self
    }

    /// The point, in variable time: coefficients are public.
    #[must_use]
    pub fn point(&self) -> RistrettoPoint {
        let is_one = |(_, coefficient): &&(Element, Scalar)| *coefficient == Scalar::ONE;
        let ones: RistrettoPoint = self.0.iter().filter(is_one).map(|(element, _)| element.point()).sum();
        let others: Vec<_> = self.0.iter().filter(|term| !is_one(term)).collect();
        if others.is_empty() {
            return ones;
        }
        let (points, scalars) = (others.iter().map(|term| term.0.point()), others.iter().map(|term| term.1));
        ones + RistrettoPoint::vartime_multiscalar_mul(scalars, points)
    }

    /// The one element that this is, if it is one; else the point that it comes to.
    #[must_use]
    pub fn element(&self) -> Element {
        match self.0.as_slice() {
            [(element, coefficient)] if *coefficient == Scalar::ONE => element.clone(),
            [] => Element::from(&RistrettoPoint::identity()),
            _ => Element::from(&self.point()),
        }
    }
}

impl From<Element> for Form {
    fn from(element: Element) -> Self {
        Self::of(element, Scalar::ONE)
    }
}

/// A form over a table.
#[derive(Clone, Debug)]
pub(crate) struct Entry(Vec<(u32, Scalar)>);

/// The elements of a statement, each once, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    elements: Vec<Element>,
    numbers: BTreeMap<Encoded, u32>,
}

impl Table {
    /// Takes a form's elements in.
    pub(crate) fn enter(&mut self, form: &Form) -> Entry {
        Entry(form.0.iter().map(|(element, coefficient)| (self.number(element), *coefficient)).collect())
    }

    fn number(&mut self, element: &Element) -> u32 {
        let elements = &mut self.elements;
        *self.numbers.entry(element.encoded()).or_insert_with(|| {
            elements.push(element.clone());
            u32::try_from(elements.len() - 1).expect("a batch of a few megabytes has fewer points")
        })
    }

    /// The point of an entry, in variable time.
    pub(crate) fn point(&self, entry: &Entry) -> RistrettoPoint {
        let terms = entry.0.iter().map(|(number, coefficient)| (self.element(*number).clone(), *coefficient));
        Form(terms.collect()).point()
    }

    fn element(&self, number: u32) -> &Element {
        &self.elements[number as usize]
    }

    /// Absorbs all elements.
    pub(crate) fn absorb(&self, transcript: &mut Transcript) {
        let bytes: Vec<u8> = self.elements.iter().flat_map(|e| *e.encoded().as_bytes()).collect();
        transcript.append_u64(b"elements", self.elements.len() as u64);
        transcript.append_message(b"encodings", &bytes);
    }

    /// A sum over the table with all scalars zero.
    pub(crate) fn sum(&self) -> Sum {
        Sum(vec![Scalar::ZERO; self.elements.len()])
    }

    /// Hands a sum to a check.
    pub(crate) fn finish(&self, sum: Sum, check: &mut Check) {
        self.elements.iter().zip(sum.0).for_each(|(element, scalar)| check.point(scalar, *element.point()));
    }
}

impl Entry {
    /// Writes number and coefficient of every term, behind their count.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend((self.0.len() as u32).to_le_bytes());
        for (number, coefficient) in &self.0 {
            bytes.extend(number.to_le_bytes());
            bytes.extend(coefficient.as_bytes());
        }
    }
}

/// `Σ scalar·element` over a table, in the making.
pub(crate) struct Sum(Vec<Scalar>);

impl Sum {
    /// Adds `factor·entry`.
    pub(crate) fn add(&mut self, entry: &Entry, factor: &Scalar) {
        for (number, coefficient) in &entry.0 {
            // Most coefficients are one, and a comparison is cheaper than a multiplication.
            let term = if *coefficient == Scalar::ONE { *factor } else { coefficient * factor };
            self.0[*number as usize] += term;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::OsRng;

    #[test]
    fn forms_tables_and_points_agree() {
        let points: Vec<_> = (0..3).map(|_| RistrettoPoint::random(&mut OsRng)).collect();
        let elements: Vec<_> = points.iter().map(Element::from).collect();
        let two = Scalar::from(2u64);
        let mut form = Form::from(elements[0].clone());
        form.add(&Form::of(elements[1].clone(), -Scalar::ONE), &two);
        form.add(&Form::from(elements[0].clone()), &Scalar::ONE);
        let expected = points[0] + points[0] - points[1] - points[1];
        assert_eq!(form.point(), expected);
        let mut table = Table::default();
        let other = table.enter(&Form::from(elements[2].clone()));
        let entry = table.enter(&form);
        assert_eq!(table.point(&entry), expected);
        assert_eq!(table.point(&other), points[2]);
        assert_eq!(table.elements.len(), 3);
        let mut sum = table.sum();
        sum.add(&entry, &two);
        let mut check = Check::new(&mut OsRng);
        table.finish(sum, &mut check);
        check.point(-Scalar::ONE, expected + expected);
        assert_eq!(check.finish(), Ok(()));
    }

    #[test]
    fn nothing_is_zero() {
        assert_eq!(Form::default().point(), RistrettoPoint::identity());
        assert_eq!(*Form::default().element().point(), RistrettoPoint::identity());
    }

    #[test]
    fn a_multiple_of_one_element_is_not_that_element() {
        let element = Element::from(&RistrettoPoint::random(&mut OsRng));
        let two = Scalar::from(2u64);
        for form in [Form::of(element.clone(), two), Form::from(element.clone()).scaled(&two)] {
            assert_eq!(*form.element().point(), element.point() + element.point());
        }
        assert_eq!(Form::from(element.clone()).element(), element);
    }

    /// The table's elements and an entry's terms, as a transcript and a shape see them.
    #[test]
    fn everything_about_a_form_is_written() {
        let elements: Vec<_> = (0..2).map(|_| Element::from(&RistrettoPoint::random(&mut OsRng))).collect();
        let mut table = Table::default();
        let written = |table: &mut Table, form: Form| {
            let mut bytes = Vec::new();
            table.enter(&form).write(&mut bytes);
            bytes
        };
        let first = written(&mut table, elements[0].clone().into());
        let second = written(&mut table, elements[1].clone().into());
        let end = |table: &Table| {
            let mut transcript = Transcript::new(b"test");
            table.absorb(&mut transcript);
            crate::statement::challenge_scalar(&mut transcript, b"end")
        };
        let expected =
            |number: u32| [&1u32.to_le_bytes()[..], &number.to_le_bytes(), Scalar::ONE.as_bytes()].concat();
        assert_eq!((first, second), (expected(0), expected(1)));
        assert_ne!(end(&table), end(&Table::default()));
    }
}

//! The inner-product argument: `P = <a,G> + <b,H'> + <a,b>·Q`, proven in `log2` of its length.
//!
//! Source: Bünz et al. 2018, section 3. Each round sends
//!
//! ```text
//! L = <a_lo, G_hi> + <b_hi, H'_lo> + <a_lo, b_hi>·Q        a ← u·a_lo + u⁻¹·a_hi     G  ← u⁻¹·G_lo + u·G_hi
//! R = <a_hi, G_lo> + <b_lo, H'_hi> + <a_hi, b_lo>·Q        b ← u⁻¹·b_lo + u·b_hi     H' ← u·H'_lo + u⁻¹·H'_hi
//! ```
//!
//! and halves everything. Folding the generators as written costs one two-point multiplication per output, which is
//! most of a prover's time. Here instead (section 6.2 of the paper hints at the first):
//!
//! - For a few rounds `L` and `R` are computed over the generators of an earlier round, of which the current ones
//!   are known combinations: generator `i` is `Σ_j c_j·P_{i + j·len}`, the same `c_j` for every `i`. Only then are
//!   these sums computed, in one multiplication of 2^rounds points each, which shares its doublings.
//! - Factors common to a whole vector (`κ` below) are kept aside: of `u⁻¹·G_lo + u·G_hi = u⁻¹·(G_lo + u²·G_hi)` only
//!   the bracket is computed, so one point of every sum costs nothing.
//! - `H'_i = y⁻ⁱ·H_i` is never computed: `b~_i = y⁻ⁱ·b_i` carries the factor, and what remains of it in a round is
//!   `y` to the power of half the length, one number.
//!
//! The multiplications take a time that depends on `a` and `b`. These are `l(x)` and `r(x)`, perfectly blinded by `s`
//! (see the prover): the protocol of section 4.1 sends them in the clear, and its zero-knowledge proof (theorem 3) simulates
//! them. Knowing all of them tells nothing about the values. The `bulletproofs` crate does the same.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "field and group arithmetic cannot overflow; lengths are powers of two"
)]

use super::{
    RangeError,
    engine::{Point, encode},
    montgomery::Residue,
    msm::{Terms, Workers},
    transcript::RangeTranscript,
    wire::InnerProduct,
};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Rounds that share one set of generators of the given length. A round costs two points more per generator pair, a
/// fold of more points shares its doublings better: three is the measured optimum between 512 and 16,384 (two and four
/// cost up to a tenth more). Short arguments end without another fold.
fn rounds_per_fold(len: usize) -> usize {
    const SHORT: usize = 16;
    if len <= SHORT { len.ilog2() as usize } else { 3 }
}

/// Pairs of generators below which the cross terms take less time than a thread costs to be of use.
const SMALL: usize = 32;

/// `y` and `y⁻¹` to the powers 1, 2, 4, 8, ...
pub(super) struct Twist {
    powers: Vec<(Residue, Residue)>,
}

impl Twist {
    /// The powers that an argument of length `len` needs.
    pub(super) fn new(y: Residue, y_inverse: Residue, len: usize) -> Self {
        let squares =
            std::iter::successors(Some((y, y_inverse)), |(y, inverse)| Some((*y * *y, *inverse * *inverse)));
        Self { powers: squares.take(len.ilog2() as usize + 1).collect() }
    }

    /// `(yʰ, y⁻ʰ)` for a power of two `h`.
    fn to(&self, h: usize) -> &(Residue, Residue) {
        &self.powers[h.ilog2() as usize]
    }
}

/// One side's generators: the points of the last fold, and the factors that make the current generators of them.
struct Basis<'g> {
    points: Cow<'g, [Point]>,
    /// `c_j`, one per block of the current length; `c_0 = 1`.
    factors: Vec<Residue>,
    /// The factor `κ` common to all.
    common: Residue,
}

impl<'g> Basis<'g> {
    fn new(points: &'g [Point]) -> Self {
        Self { points: Cow::Borrowed(points), factors: vec![Residue::ONE], common: Residue::ONE }
    }

    /// Halves the length: the upper half enters with `ratio`, all of it with `common`.
    fn halve(&mut self, ratio: Residue, common: Residue) {
        self.factors = self.factors.iter().flat_map(|c| [*c, *c * ratio]).collect();
        self.common *= common;
    }

    /// Computes the current generators.
    fn fold(&mut self, workers: Workers) {
        let factors: Vec<Scalar> = self.factors.iter().map(Residue::scalar).collect();
        self.points = Cow::Owned(workers.fold(&factors, &self.points));
        self.factors = vec![Residue::ONE];
    }

    /// Adds `Σ factor·s_i·(current generator i)` to `sum`, over the upper or the lower half of the generators.
    fn add_half<'s>(&'s self, sum: &mut Terms<'s>, factor: Residue, scalars: &[Residue], upper: bool) {
        let factor = factor * self.common;
        for (c, block) in self.factors.iter().zip(self.points.chunks_exact(2 * scalars.len())) {
            let (lower_half, upper_half) = block.split_at(scalars.len());
            sum.scaled(factor * *c, scalars, if upper { upper_half } else { lower_half });
        }
    }
}

/// An argument under way. The true vectors are `κ·a`, `κ·b` and `b_i = yⁱ·b~_i`.
struct Argument<'g> {
    g: Basis<'g>,
    h: Basis<'g>,
    a: Zeroizing<Vec<Residue>>,
    b: Zeroizing<Vec<Residue>>,
    b_twisted: Zeroizing<Vec<Residue>>,
    common: Residue,
}

/// What an argument is about.
pub(super) struct Statement<'g> {
    pub(super) g: &'g [Point],
    pub(super) h: &'g [Point],
    pub(super) q: Point,
    pub(super) twist: Twist,
}

/// Proves knowledge of `a` and `b`, whose inner product the caller's transcript has fixed.
pub(super) fn prove(
    statement: &Statement<'_>,
    a: Zeroizing<Vec<Residue>>,
    b: Zeroizing<Vec<Residue>>,
    transcript: &mut Transcript,
    workers: Workers,
) -> Result<InnerProduct, RangeError> {
    let (_, y_inverse) = statement.twist.to(1);
    let powers = std::iter::successors(Some(Residue::ONE), |power| Some(power * y_inverse));
    let b_twisted = Zeroizing::new(b.iter().zip(powers).map(|(b, power)| *b * power).collect());
    let (g, h) = (Basis::new(statement.g), Basis::new(statement.h));
    let mut argument = Argument { g, h, a, b, b_twisted, common: Residue::ONE };
    let mut pairs = Vec::with_capacity(argument.a.len().ilog2() as usize);
    let mut rounds = rounds_per_fold(argument.a.len());
    while argument.a.len() > 1 {
        if rounds == 0 {
            let Argument { g, h, .. } = &mut argument;
            workers.both(|workers| g.fold(workers), |workers| h.fold(workers));
            rounds = rounds_per_fold(argument.a.len());
        }
        let (l, r) = argument.cross_terms(statement, workers);
        let (l, r) = (encode(&l), encode(&r));
        let u = transcript.halving(&l, &r)?;
        pairs.push((l, r));
        argument.halve(Residue::from(&u), Residue::from(&u.invert()), statement);
        rounds -= 1;
    }
    let [a, b] = [argument.a[0], argument.b[0]].map(|last| (argument.common * last).scalar());
    Ok(InnerProduct { pairs, a, b })
}

impl Argument<'_> {
    /// `L` and `R` of this round.
    fn cross_terms(&self, statement: &Statement<'_>, workers: Workers) -> (Point, Point) {
        let half = self.a.len() / 2;
        let (a_lo, a_hi) = self.a.split_at(half);
        let (b_lo, b_hi) = self.b.split_at(half);
        let (twisted_lo, twisted_hi) = self.b_twisted.split_at(half);
        let (y, y_inverse) = statement.twist.to(half);
        let inner = self.common * self.common;
        let terms = || Terms::with_capacity(self.g.points.len() + 1);
        let left = |workers| {
            let mut l = terms();
            self.g.add_half(&mut l, self.common, a_lo, true);
            self.h.add_half(&mut l, self.common * *y, twisted_hi, false);
            l.scaled(inner, &[inner_product(a_lo, b_hi)], std::slice::from_ref(&statement.q));
            l.vartime(workers)
        };
        let right = |workers| {
            let mut r = terms();
            self.g.add_half(&mut r, self.common, a_hi, false);
            self.h.add_half(&mut r, self.common * *y_inverse, twisted_lo, true);
            r.scaled(inner, &[inner_product(a_hi, b_lo)], std::slice::from_ref(&statement.q));
            r.vartime(workers)
        };
        let workers = if self.g.points.len() < SMALL { Workers::ONE } else { workers };
        workers.both(left, right)
    }

    /// Halves vectors and generators with the challenge `u`.
    fn halve(&mut self, u: Residue, u_inverse: Residue, statement: &Statement<'_>) {
        let (y, y_inverse) = statement.twist.to(self.a.len() / 2);
        let (square, inverse_square) = (u * u, u_inverse * u_inverse);
        // a: u·lo + u⁻¹·hi = u⁻¹·(u²·lo + hi);   b: u⁻¹·lo + u·hi = u⁻¹·(lo + u²·hi)
        halve(&mut self.a, |lo, hi| square * lo + hi);
        halve(&mut self.b, |lo, hi| lo + square * hi);
        let twisted = square * *y;
        halve(&mut self.b_twisted, |lo, hi| lo + twisted * hi);
        self.common *= u_inverse;
        // G: u⁻¹·(lo + u²·hi);   H' without y⁻ⁱ: u·(lo + u⁻²·y⁻ʰ·hi)
        self.g.halve(square, u_inverse);
        self.h.halve(inverse_square * *y_inverse, u);
    }
}

/// Folds a vector onto its lower half and erases the upper one.
fn halve(vector: &mut Zeroizing<Vec<Residue>>, fold: impl Fn(Residue, Residue) -> Residue) {
    let half = vector.len() / 2;
    let (lo, hi) = vector.split_at_mut(half);
    for (lo, hi) in lo.iter_mut().zip(hi) {
        *lo = fold(*lo, *hi);
        *hi = Residue::ZERO;
    }
    vector.truncate(half);
}

/// `<a, b>`.
pub(super) fn inner_product(a: &[Residue], b: &[Residue]) -> Residue {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

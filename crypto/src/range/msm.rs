//! Multiscalar multiplications: `Σ s_i·P_i`, in constant time for secrets and in variable time for masked values.
//!
//! All of a proof's time is spent here. With one worker, nothing starts a thread.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "group arithmetic cannot overflow; indices are bounded by lengths"
)]

use super::engine::{Exponent, Identity, MultiscalarMul, Point, VartimeMultiscalarMul, exponent};
use curve25519_dalek::scalar::Scalar;
use std::num::NonZeroUsize;
use zeroize::Zeroizing;

/// Points per constant-time multiplication: their tables (1.3 KB each) then stay in the second-level cache, and the
/// 252 doublings are still shared by many.
const CHUNK: usize = 256;

/// How many threads may work on one proof.
#[derive(Clone, Copy)]
pub(super) struct Workers(pub(super) NonZeroUsize);

impl Workers {
    /// Runs `work` on the parts of `0..len`, one part per worker, and returns the results in order.
    fn split<T: Send>(self, len: usize, work: impl Fn(std::ops::Range<usize>) -> T + Sync) -> Vec<T> {
        let part = len.div_ceil(self.0.get()).max(1);
        let parts: Vec<_> = (0..len).step_by(part).map(|start| start..(start + part).min(len)).collect();
        if parts.len() <= 1 {
            return parts.into_iter().map(work).collect();
        }
        let work = &work;
        std::thread::scope(|scope| {
            let handles: Vec<_> = parts.into_iter().map(|range| scope.spawn(move || work(range))).collect();
            handles.into_iter().map(|handle| handle.join().expect("the work does not panic")).collect()
        })
    }

    /// `Σ s_i·P_i` in constant time.
    pub(super) fn constant_time(self, scalars: &[Scalar], points: &[Point]) -> Point {
        let sums = self.split(scalars.len(), |range| {
            let chunks = scalars[range.clone()].chunks(CHUNK).zip(points[range].chunks(CHUNK));
            chunks.fold(Point::identity(), |sum, (scalars, points)| {
                let exponents: Zeroizing<Vec<Exponent>> =
                    Zeroizing::new(scalars.iter().map(exponent).collect());
                sum + Point::multiscalar_mul(exponents.iter(), points)
            })
        });
        sums.iter().sum()
    }

    /// `Σ s_i·P_i` in variable time, for what is public. A part has the size that dalek's Pippenger likes, or more.
    pub(super) fn vartime(self, scalars: &[Exponent], points: &[&Point]) -> Point {
        let sums = self.split(scalars.len(), |range| {
            Point::vartime_multiscalar_mul(&scalars[range.clone()], points[range].iter().copied())
        });
        sums.iter().sum()
    }

    /// Two sums in variable time.
    pub(super) fn vartime_pair(self, left: &Terms<'_>, right: &Terms<'_>) -> (Point, Point) {
        let both = self.split(2, |range| -> Vec<_> { range.map(|i| [left, right][i].vartime()).collect() });
        let mut both = both.into_iter().flatten();
        let mut next = || both.next().expect("two sums were asked for");
        (next(), next())
    }

    /// For every `i` below `points.len() / factors.len()`: `Σ_j factors[j]·P_{i + j·len}`, where `factors[0]` is one
    /// and so costs nothing.
    pub(super) fn fold(self, factors: &[Exponent], points: &[Point]) -> Vec<Point> {
        let len = points.len() / factors.len();
        let parts = self.split(len, |range| -> Vec<_> {
            range
                .map(|i| {
                    let (first, others) = (points[i], points[len..].iter().skip(i).step_by(len));
                    let others: Vec<_> = others.collect();
                    first + Point::vartime_multiscalar_mul(&factors[1..], others)
                })
                .collect()
        });
        parts.concat()
    }
}

/// Terms of a sum in the making.
pub(super) struct Terms<'p> {
    pub(super) scalars: Zeroizing<Vec<Exponent>>,
    pub(super) points: Vec<&'p Point>,
}

impl<'p> Terms<'p> {
    /// An empty sum with room for `len` terms.
    pub(super) fn with_capacity(len: usize) -> Self {
        Self { scalars: Vec::with_capacity(len).into(), points: Vec::with_capacity(len) }
    }

    /// Adds `Σ (factor·s_i)·P_i`.
    pub(super) fn scaled(&mut self, factor: &Exponent, scalars: &[Exponent], points: &'p [Point]) {
        self.scalars.extend(scalars.iter().map(|s| factor * s));
        self.points.extend(points);
    }

    /// The sum, in variable time.
    pub(super) fn vartime(&self) -> Point {
        Point::vartime_multiscalar_mul(self.scalars.iter(), self.points.iter().copied())
    }
}

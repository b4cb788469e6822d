//! Multiscalar multiplications: `Σ s_i·P_i`, in constant time for secrets and in variable time for masked values.
//!
//! All of a proof's time is spent here. With one worker, nothing starts a thread.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "group arithmetic cannot overflow; indices are bounded by lengths"
)]

use super::{
    engine::{Identity, MultiscalarMul, Point, VartimeMultiscalarMul},
    montgomery::Residue,
};
use curve25519_dalek::scalar::Scalar;
use std::{num::NonZeroUsize, ops::Range, thread::ScopedJoinHandle};
use zeroize::Zeroizing;

/// Points per constant-time multiplication: their tables (1.3 KB each) then stay in the second-level cache, and the
/// 252 doublings are still shared by many.
const CHUNK: usize = 256;

/// How many threads may work on one proof.
#[derive(Clone, Copy)]
pub(super) struct Workers(pub(super) NonZeroUsize);

impl Workers {
    /// No thread but the caller's.
    pub(super) const ONE: Self = Self(NonZeroUsize::MIN);

    /// Runs `work` on parts of `0..len`, at most one per worker and none below `least` unless it is all, and returns the
    /// results in order. The last part is the caller's own work.
    pub(super) fn split<T: Send>(
        self,
        len: usize,
        least: usize,
        work: impl Fn(Range<usize>) -> T + Sync,
    ) -> Vec<T> {
        let part = len.div_ceil(self.0.get()).max(least);
        let mut parts: Vec<_> = (0..len).step_by(part).map(|start| start..(start + part).min(len)).collect();
        let Some(last) = parts.pop() else { return Vec::new() };
        let work = &work;
        std::thread::scope(|scope| {
            let others: Vec<_> = parts.into_iter().map(|range| scope.spawn(move || work(range))).collect();
            let last = work(last);
            others.into_iter().map(joined).chain([last]).collect()
        })
    }

    /// Does two things of about the same length at once, each with half of the workers.
    pub(super) fn both<T: Send, U>(
        self,
        left: impl FnOnce(Self) -> T + Send,
        right: impl FnOnce(Self) -> U,
    ) -> (T, U) {
        let (larger, smaller) = (self.0.get().div_ceil(2), self.0.get() / 2);
        let larger = NonZeroUsize::new(larger).map_or(Self::ONE, Self);
        let Some(smaller) = NonZeroUsize::new(smaller).map(Self) else { return (left(self), right(self)) };
        std::thread::scope(|scope| {
            let left = scope.spawn(move || left(smaller));
            let right = right(larger);
            (joined(left), right)
        })
    }

    /// `Σ s_i·P_i` in constant time.
    pub(super) fn constant_time(self, scalars: &[Scalar], points: &[Point]) -> Point {
        let sums = self.split(scalars.len(), 16, |range| {
            let chunks = scalars[range.clone()].chunks(CHUNK).zip(points[range].chunks(CHUNK));
            chunks.fold(Point::identity(), |sum, (scalars, points)| {
                sum + Point::multiscalar_mul(scalars, points)
            })
        });
        sums.iter().sum()
    }

    /// `Σ s_i·P_i` in variable time, for what is public. A part has the size that dalek's Pippenger likes, or more.
    pub(super) fn vartime(self, scalars: &[Scalar], points: &[&Point]) -> Point {
        let sums = self.split(scalars.len(), 64, |range| {
            Point::vartime_multiscalar_mul(&scalars[range.clone()], points[range].iter().copied())
        });
        sums.iter().sum()
    }

    /// For every `i` below `points.len() / factors.len()`: `Σ_j factors[j]·P_{i + j·len}`, where `factors[0]` is one
    /// and so costs nothing.
    pub(super) fn fold(self, factors: &[Scalar], points: &[Point]) -> Vec<Point> {
        let len = points.len() / factors.len();
        let folded = |i: usize| {
            let others = points.iter().skip(i + len).step_by(len);
            points[i] + Point::vartime_multiscalar_mul(&factors[1..], others)
        };
        self.split(len, 4, |range| range.map(folded).collect::<Vec<_>>()).concat()
    }
}

/// What a thread has computed.
fn joined<T>(handle: ScopedJoinHandle<'_, T>) -> T {
    handle.join().expect("the work does not panic")
}

/// Terms of a sum in the making.
pub(super) struct Terms<'p> {
    scalars: Zeroizing<Vec<Scalar>>,
    points: Vec<&'p Point>,
}

impl<'p> Terms<'p> {
    /// An empty sum with room for `len` terms.
    pub(super) fn with_capacity(len: usize) -> Self {
        Self { scalars: Vec::with_capacity(len).into(), points: Vec::with_capacity(len) }
    }

    /// Adds `Σ (factor·s_i)·P_i`.
    pub(super) fn scaled(&mut self, factor: Residue, scalars: &[Residue], points: &'p [Point]) {
        self.scalars.extend(factor.multiples(scalars));
        self.points.extend(points);
    }

    /// The sum, in variable time.
    pub(super) fn vartime(&self, workers: Workers) -> Point {
        workers.vartime(&self.scalars, &self.points)
    }
}

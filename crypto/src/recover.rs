//! Bounded discrete logarithms: from `v·B` back to `v`, for `v` below a bound or near an expected value.
//!
//! Baby steps and giant steps (Shanks, *Class number*, 1971) over a [`Table`] of multiples that is built once. A search of
//! `2^n` values with a table of `2^b` takes at most [`Table::steps`] giant steps, `2^(n−b)`, shared by the threads; it
//! ends at the first hit. More than `2^24` steps, about half a minute of one core, are refused before the first one is
//! taken: a bound is an error and never a hang.
//!
//! All additions of a stride share one inversion: the batched encoding of the curve crate yields doubles, so the table holds
//! doubles. The classic trick of finding `v` and `−v` in one look-up does not pay here. It needs a function of the point
//! that is the same for `P` and `−P`; their Ristretto encodings are not, and what they have in common asks for field
//! arithmetic that the curve crate keeps private. Storing both is a table of twice the size. What does pay is to begin
//! where the answer is likely: [`Table::find_near`] searches outwards from an expected value of any size.
//!
//! Not constant time: how long a search takes tells the value, and what is found is the searcher's to know. Run it where
//! nobody times it who may not know the value.

#![allow(clippy::arithmetic_side_effects, reason = "group arithmetic; numbers of steps are below 2^48")]

mod table;

pub use table::Table;

use crate::pedersen;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use std::{
    num::NonZeroUsize,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use table::{STRIDE, doubles};

/// The most giant steps of one search, in bits.
pub const MAX_STEP_BITS: u32 = 24;

/// The `v < 2^bits` with `v·B = point`, by the table that the process shares, on all cores. Up to 40 bits; searches that
/// are many or wide want a larger [`Table`] of their own.
///
/// # Errors
/// As [`Table::find`].
pub fn discrete_log(point: &RistrettoPoint, bits: u32) -> Result<u64, RecoverError> {
    Table::shared().find(point, bits, cores())
}

/// As many threads as the machine has cores.
#[must_use]
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Why nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// The search would take too many steps.
    #[error(
        "a search of 2^{bits} values is too long for this table, which can search 2^{most}; take a larger one"
    )]
    TooWide {
        /// What was asked for, in bits.
        bits: u32,
        /// What this table can do, in bits.
        most: u32,
    },
    /// The range that was searched does not hold the value: the commitment holds more, or the handle is not of this key.
    #[error("there is no value among the 2^{bits} that were searched")]
    NotFound {
        /// How many were searched, in bits.
        bits: u32,
    },
}

/// A table of a size that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a table has from 2^{} to 2^{} multiples, not 2^{bits}",
    Table::MIN_TABLE_BITS,
    Table::MAX_TABLE_BITS
)]
pub struct TableSize {
    /// What was asked for, in bits.
    pub bits: u32,
}

impl Table {
    /// The table of [`Table::DEFAULT_BITS`] that the process shares; the first who asks builds it.
    ///
    /// # Panics
    /// Never: the default is a size that exists.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Table> = OnceLock::new();
        SHARED.get_or_init(|| Self::build(Self::DEFAULT_BITS, cores()).expect("the default size exists"))
    }

    /// The widest search that this table takes, in bits.
    #[must_use]
    pub const fn most_bits(&self) -> u32 {
        self.bits() + MAX_STEP_BITS
    }

    /// The giant steps that a search of `2^bits` values takes at worst, over all threads: 1 to 2 µs of a core each.
    ///
    /// # Errors
    /// [`RecoverError::TooWide`] when that is more than 2^[`MAX_STEP_BITS`].
    pub const fn steps(&self, bits: u32) -> Result<u64, RecoverError> {
        let most = self.most_bits();
        if bits > most {
            return Err(RecoverError::TooWide { bits, most });
        }
        // Two at least, so that there is one on each side of an expected value.
        let step_bits = bits.saturating_sub(self.bits());
        Ok(1 << if step_bits == 0 { 1 } else { step_bits })
    }

    /// The `v < 2^bits` with `v·B = point`. Small values are found first.
    ///
    /// # Errors
    /// [`RecoverError::NotFound`] when there is none, [`RecoverError::TooWide`] when `bits` is above
    /// [`Table::most_bits`].
    pub fn find(
        &self,
        point: &RistrettoPoint,
        bits: u32,
        threads: NonZeroUsize,
    ) -> Result<u64, RecoverError> {
        let search = Search { table: self, point: *point, outwards: false, steps: self.steps(bits)? };
        let found = search.run(threads).and_then(|v| u64::try_from(v).ok());
        found.filter(|v| v >> bits == 0).ok_or(RecoverError::NotFound { bits })
    }

    /// The `v` with `v·B = point` among the `2^bits` values around `expected`: `−2^(bits−1) <= v − expected <
    /// 2^(bits−1)`, and `v` any `u64`. What is near is found first.
    ///
    /// # Errors
    /// As [`Table::find`].
    pub fn find_near(
        &self,
        point: &RistrettoPoint,
        expected: u64,
        bits: u32,
        threads: NonZeroUsize,
    ) -> Result<u64, RecoverError> {
        let point = point - pedersen::value(&Scalar::from(expected));
        let search = Search { table: self, point, outwards: true, steps: self.steps(bits)? };
        let (half, all) = ((1i64 << bits) / 2, 1i64 << bits);
        let found = search.run(threads).filter(|offset| (-half..all - half).contains(offset));
        found.and_then(|offset| expected.checked_add_signed(offset)).ok_or(RecoverError::NotFound { bits })
    }
}

/// One search: giant steps in strides, which the threads take one after the other.
struct Search<'a> {
    table: &'a Table,
    point: RistrettoPoint,
    /// Strides 0, −1, 1, −2, … instead of 0, 1, 2, …
    outwards: bool,
    /// A power of two, and two at least.
    steps: u64,
}

impl Search<'_> {
    fn run(&self, threads: NonZeroUsize) -> Option<i64> {
        let stride = STRIDE.min(self.steps / 2);
        let strides = self.steps / stride;
        let step = -pedersen::value(&Scalar::from(self.table.len()));
        let next = AtomicU64::new(0);
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= strides {
                    return None;
                }
                let found = self.look(self.first(number) * stride as i64, stride, &step);
                if found.is_some() {
                    next.store(strides, Ordering::Relaxed); // the others stop after their stride
                    return found;
                }
            }
        };
        let threads = threads.get().min(usize::try_from(strides).unwrap_or(usize::MAX));
        if threads == 1 {
            return work();
        }
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().find_map(|worker| worker.join().expect("a search does not panic"))
        })
    }

    /// Which stride is the one of this number.
    fn first(&self, number: u64) -> i64 {
        let number = number as i64;
        match (self.outwards, number % 2) {
            (false, _) => number,
            (true, 0) => number / 2,
            (true, _) => -(number / 2) - 1,
        }
    }

    /// Takes `count` giant steps from the one of number `first`.
    fn look(&self, first: i64, count: u64, step: &RistrettoPoint) -> Option<i64> {
        let baby_steps = self.table.len() as i64;
        let start = self.point - pedersen::value(&signed(first * baby_steps));
        let (encodings, _) = doubles(start, step, count);
        let mut candidates = (first..).zip(&encodings).flat_map(|(giant, encoding)| {
            self.table.candidates(encoding).map(move |baby| giant * baby_steps + baby as i64)
        });
        candidates.find(|v| pedersen::value(&signed(*v)) == self.point)
    }
}

fn signed(v: i64) -> Scalar {
    let magnitude = Scalar::from(v.unsigned_abs());
    if v < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests;

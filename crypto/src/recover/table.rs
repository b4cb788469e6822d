//! The table of baby steps: which `i` has `2·i·B` for its double, by a few bits of the encoding.
//!
//! Encodings are spread evenly, so they need no hash function: three bits fewer than the table has choose one of its
//! *buckets*, about eight entries that lie side by side in one or two cache lines. An entry is a `u32`, the number `i` in
//! its low bits and further bits of the encoding, its *tag*, in the others. What the tag lets through by chance (one look-up
//! in 8,000 for a table of 2^16, in 500 for 2^20, in 32 for 2^24) the search checks. That is 4.5 bytes for each multiple;
//! sorted 64-bit prefixes with their numbers take 16, and their search misses the cache twenty times.

use super::{TableSize, pedersen};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};
use std::{fmt, num::NonZeroUsize, thread};

/// Points that share one inversion.
pub(super) const STRIDE: u64 = 512;
/// Eight entries in a bucket, on average.
const BUCKET_BITS: u32 = 3;

/// Multiples of `B` below `2^bits`, to look points up in.
pub struct Table {
    bits: u32,
    /// Where each bucket's entries start, and where the last one's end.
    pub(super) starts: Vec<u32>,
    pub(super) entries: Vec<u32>,
}

impl Table {
    /// The size that a search needs which is done now and then: 288 KiB, made in a few hundredths of a second.
    pub const DEFAULT_BITS: u32 = 16;
    /// The size for those who open many totals: 4.5 MiB, made in about a second.
    pub const AUDIT_BITS: u32 = 20;
    /// The smallest table.
    pub const MIN_TABLE_BITS: u32 = 8;
    /// The largest table: 72 MiB. Above it the tags get too short to keep chance apart from hits.
    pub const MAX_TABLE_BITS: u32 = 24;

    /// The memory of a table of `2^bits` multiples, in bytes. While it is built, 8 bytes more for each multiple.
    #[must_use]
    pub const fn bytes(bits: u32) -> u64 {
        size_of::<u32>() as u64 * ((1 << bits) + (1 << (bits - BUCKET_BITS)) + 1)
    }

    /// Builds a table of `2^bits` multiples, on several threads.
    ///
    /// # Errors
    /// [`TableSize`] when `bits` is not in [`Table::MIN_TABLE_BITS`]`..=`[`Table::MAX_TABLE_BITS`].
    pub fn build(bits: u32, threads: NonZeroUsize) -> Result<Self, TableSize> {
        if !(Self::MIN_TABLE_BITS..=Self::MAX_TABLE_BITS).contains(&bits) {
            return Err(TableSize { bits });
        }
        let mut table = Self { bits, starts: vec![0; (1 << (bits - BUCKET_BITS)) + 1], entries: Vec::new() };
        // Bucket above entry, so that sorting the numbers sorts the table.
        let mut places = vec![0u64; 1 << bits];
        let part = places.len().div_ceil(threads.get());
        thread::scope(|scope| {
            for (first, places) in (0u32..).step_by(part).zip(places.chunks_mut(part)) {
                let table = &table;
                scope.spawn(move || table.fill(first, places));
            }
        });
        places.sort_unstable();
        for place in &places {
            table.starts[(place >> 32) as usize + 1] += 1;
        }
        let mut end = 0;
        for start in &mut table.starts {
            end += *start;
            *start = end;
        }
        table.entries = places.into_iter().map(|place| place as u32).collect();
        Ok(table)
    }

    /// The multiples from `first` on, as they will be sorted.
    fn fill(&self, first: u32, places: &mut [u64]) {
        let mut numbers = first..;
        let mut start = pedersen::value(&Scalar::from(first));
        for places in places.chunks_mut(STRIDE as usize) {
            let (encodings, next) = doubles(start, &pedersen::value_base(), places.len() as u64);
            start = next;
            for ((place, encoding), number) in places.iter_mut().zip(&encodings).zip(&mut numbers) {
                let (bucket, tag) = self.bucket_and_tag(encoding);
                *place = bucket << 32 | u64::from(tag | number);
            }
        }
    }

    /// The size, in bits.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
    }

    /// The number of multiples.
    pub(super) const fn len(&self) -> u64 {
        1 << self.bits
    }

    /// The `i` for which `encoding` may be that of `2·i·B`. Nearly always none or one; each must be checked.
    pub(super) fn candidates(&self, encoding: &CompressedRistretto) -> impl Iterator<Item = u64> {
        let (bucket, tag) = self.bucket_and_tag(encoding);
        let range = self.starts[bucket as usize] as usize..self.starts[bucket as usize + 1] as usize;
        let numbers = self.numbers();
        let hits = self.entries[range].iter().filter(move |entry| **entry & !numbers == tag);
        hits.map(move |entry| u64::from(entry & numbers))
    }

    fn bucket_and_tag(&self, encoding: &CompressedRistretto) -> (u64, u32) {
        // From the middle: of a canonical encoding the first and the last bit are always zero.
        let middle = encoding.0[8..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let bucket_bits = self.bits - BUCKET_BITS;
        (middle >> (64 - bucket_bits), (middle << bucket_bits >> 32) as u32 & !self.numbers())
    }

    /// The low bits of an entry, where its number stands.
    const fn numbers(&self) -> u32 {
        (1 << self.bits) - 1
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table(2^{})", self.bits)
    }
}

/// The encodings of the doubles of `start`, `start + step`, … for one inversion, and the point after the last.
pub(super) fn doubles(
    start: RistrettoPoint,
    step: &RistrettoPoint,
    count: u64,
) -> (Vec<CompressedRistretto>, RistrettoPoint) {
    let mut points = Vec::new();
    let mut next = start;
    for _ in 0..count {
        points.push(next);
        next += step;
    }
    (RistrettoPoint::double_and_compress_batch(&points), next)
}

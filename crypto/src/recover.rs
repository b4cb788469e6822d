//! Bounded discrete logarithms: from `v·B` back to `v`, for `v` below a bound.
//!
//! Baby steps and giant steps (Shanks 1971) over a table of `2^16` multiples. A bound of `2^n` costs `2^(n−16)` giant
//! steps at worst; beyond the bound the answer is an error and never a hang. The table takes 768 KiB and is made once.

#![allow(clippy::arithmetic_side_effects, reason = "group arithmetic; counters are below 2^48")]

use crate::pedersen;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::Identity as _};
use std::sync::OnceLock;

/// The largest bound, in bits, that [`discrete_log`] takes: about two minutes at worst.
pub const MAX_BITS: u32 = 44;
const BABY_BITS: u32 = 16;
const BABY_STEPS: u64 = 1 << BABY_BITS;
/// Giant steps that share one inversion.
const STRIDE: u64 = 256;

/// The `v < 2^bits` with `v·B = point`. Not constant time: the holder of the key is entitled to `v`.
///
/// # Errors
/// [`OutOfBound`] when there is none, or when `bits` is larger than [`MAX_BITS`].
pub fn discrete_log(point: &RistrettoPoint, bits: u32) -> Result<u64, OutOfBound> {
    let not_found = OutOfBound { bits };
    if bits > MAX_BITS {
        return Err(not_found);
    }
    let table = table();
    let giants = 1u64 << bits.saturating_sub(BABY_BITS);
    let step = pedersen::value(&Scalar::from(BABY_STEPS));
    let mut current = *point;
    for first in (0..giants).step_by(usize::try_from(STRIDE).map_err(|_| not_found)?) {
        let count = STRIDE.min(giants - first);
        let mut points = Vec::new();
        for _ in 0..count {
            points.push(current);
            current -= step;
        }
        let doubled = RistrettoPoint::double_and_compress_batch(&points);
        for (giant, compressed) in (first..).zip(doubled) {
            if let Some(baby) = table.find(compressed.as_bytes()) {
                let v = giant * BABY_STEPS + baby;
                // The table keeps 8 bytes a point: the candidate is checked, and must be below the bound.
                if v >> bits == 0 && pedersen::value(&Scalar::from(v)) == *point {
                    return Ok(v);
                }
            }
        }
    }
    Err(not_found)
}

/// There is no value below the bound: the commitment holds more, or the handle is not of this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no value below 2^{bits} (bounds up to 2^{MAX_BITS} can be searched)")]
pub struct OutOfBound {
    /// The bound that was searched, in bits.
    pub bits: u32,
}

/// `2·i·B` for `i < 2^16`, by the first 8 bytes of its encoding.
struct Table(Vec<(u64, u16)>);

impl Table {
    fn find(&self, encoded: &[u8; 32]) -> Option<u64> {
        let prefix = prefix(encoded);
        let at = self.0.binary_search_by_key(&prefix, |entry| entry.0).ok()?;
        self.0.get(at).map(|entry| u64::from(entry.1))
    }
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut points = Vec::new();
        let mut current = RistrettoPoint::identity();
        for _ in 0..BABY_STEPS {
            points.push(current);
            current += pedersen::value_base();
        }
        let doubled = RistrettoPoint::double_and_compress_batch(&points);
        let mut entries: Vec<_> =
            doubled.iter().zip(0u16..=u16::MAX).map(|(c, i)| (prefix(c.as_bytes()), i)).collect();
        entries.sort_unstable();
        Table(entries)
    })
}

fn prefix(encoded: &[u8; 32]) -> u64 {
    encoded.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(v: u64, bits: u32) -> Result<u64, OutOfBound> {
        discrete_log(&pedersen::value(&Scalar::from(v)), bits)
    }

    #[test]
    fn values_below_the_bound_are_found() {
        for v in [0, 1, 255, 65_535, 65_536, 65_537, 1 << 20, (1 << 26) - 1, 123_456_789] {
            assert_eq!(find(v, 27), Ok(v));
        }
    }

    #[test]
    fn the_bound_is_an_error() {
        assert_eq!(find(1 << 20, 20), Err(OutOfBound { bits: 20 }));
        assert_eq!(find(5, MAX_BITS + 1), Err(OutOfBound { bits: MAX_BITS + 1 }));
        assert_eq!(discrete_log(&-pedersen::value_base(), 20), Err(OutOfBound { bits: 20 }));
    }
}

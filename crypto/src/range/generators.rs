//! The generators `G` and `H`: points whose discrete logarithms to one another nobody knows.
//!
//! Value number `j` has the first `n` points of two endless chains, `SHAKE256("GeneratorsChain" ‖ 'G' or 'H' ‖ j)`,
//! 64 bytes hashed to each point. The `bulletproofs` crate derives the same but keeps `H` to itself. A value's chain
//! does not depend on the width, so the 8-bit generators are the beginning of the 64-bit ones.

#![allow(clippy::arithmetic_side_effects, reason = "group arithmetic does not overflow")]

use super::{Width, engine::Point};
use sha3::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};
use std::sync::{Arc, PoisonError, RwLock};

/// The generators of one width, of as many values as anybody has asked for so far.
pub(super) struct Generators {
    values: usize,
    /// `G`, the base of `l(x)`.
    pub(super) g: Vec<Point>,
    /// `H`, the base of `r(x)`.
    pub(super) h: Vec<Point>,
    /// `G + H`, which a prover's masks are committed with.
    pub(super) sums: Vec<Point>,
}

type Slot = RwLock<Option<Arc<Generators>>>;
/// One slot per width. A point costs about 10 µs to derive, so they are kept; they are public and never change.
static SLOTS: [Slot; 4] = [const { RwLock::new(None) }; 4];

/// The generators of `width` for at least `values` values. Sets grow in powers of two.
pub(super) fn generators(width: Width, values: usize) -> Arc<Generators> {
    let slot = &SLOTS[width as usize];
    if let Some(found) = slot.read().unwrap_or_else(PoisonError::into_inner).as_ref()
        && found.values >= values
    {
        return Arc::clone(found);
    }
    let mut slot = slot.write().unwrap_or_else(PoisonError::into_inner);
    let grown = match slot.as_ref() {
        Some(found) if found.values >= values => return Arc::clone(found),
        Some(found) => Generators::grow(width, found, values.next_power_of_two()),
        None => Generators::grow(
            width,
            &Generators { values: 0, g: Vec::new(), h: Vec::new(), sums: Vec::new() },
            values.next_power_of_two(),
        ),
    };
    Arc::clone(slot.insert(Arc::new(grown)))
}

impl Generators {
    fn grow(width: Width, from: &Self, values: usize) -> Self {
        let extend = |points: &Vec<Point>, tag| {
            let new = (from.values..values).flat_map(|value| chain(tag, value).take(width.bits()));
            points.iter().copied().chain(new).collect()
        };
        let (g, h): (Vec<Point>, Vec<Point>) = (extend(&from.g, b'G'), extend(&from.h, b'H'));
        let sums = g.iter().zip(&h).map(|(g, h)| g + h).collect();
        Self { values, g, h, sums }
    }
}

/// The endless chain of one value.
fn chain(tag: u8, value: usize) -> impl Iterator<Item = Point> {
    let [v0, v1, v2, v3, ..] = (value as u64).to_le_bytes();
    let mut shake = Shake256::default();
    shake.update(b"GeneratorsChain");
    shake.update(&[tag, v0, v1, v2, v3]);
    let mut reader = shake.finalize_xof();
    std::iter::repeat_with(move || {
        let mut uniform = [0u8; 64];
        reader.read(&mut uniform);
        Point::from_uniform_bytes(&uniform)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::engine::encode;
    use bulletproofs::BulletproofGens;

    #[test]
    fn growing_changes_nothing_and_g_is_the_crates() {
        let small = generators(Width::Bits16, 3);
        let large = generators(Width::Bits16, 9);
        assert!(small.values >= 4 && large.values >= 16);
        assert_eq!(small.g[..64], large.g[..64]);
        assert_eq!(small.h[..64], large.h[..64]);
        let crates = BulletproofGens::new(64, 16);
        let expected: Vec<_> =
            (0..16).flat_map(|j| crates.share(j).G(16).map(|g| g.compress()).collect::<Vec<_>>()).collect();
        assert_eq!(large.g[..256].iter().map(encode).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_narrow_chain_is_the_beginning_of_a_wide_one() {
        let (narrow, wide) = (generators(Width::Bits8, 2), generators(Width::Bits64, 2));
        assert_eq!(narrow.h[8..16], wide.h[64..72]);
        assert_ne!(narrow.g[0], narrow.h[0]);
    }
}

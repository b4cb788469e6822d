//! Which bits of the proven vector belong to which value, and what each of them counts.
//!
//! A value that may be at most `most` has as many bits as `most` has. They count `1, 2, 4, …`, all but the last as usual;
//! the last counts `most − (1 + 2 + 4 + …)`. So the bits can say every number from 0 to `most`, and no other: an upper
//! bound that is no power of two costs no second range proof of `most − value`. (With `most = 2ⁿ − 1` the last counts
//! `2ⁿ⁻¹`, and this is the paper's range proof.) Soundness is that of Bünz et al. 2018, section 4.1, whose proof needs of
//! the vector `2ⁿ` only that it is public: `<a_L, 2ⁿ> = v` with `a_L` of zeros and ones becomes `<a_L, c> = v`.
//!
//! Values of different sizes stand one after the other; what is left up to a power of two belongs to no value and counts
//! nothing.

#![allow(clippy::arithmetic_side_effects, reason = "bits are between 1 and 64, lengths at most `MAX_BITS`")]

use super::{MAX_BITS, RangeError, Width};
use zeroize::Zeroizing;

/// The shortest vector of a packed layout.
const LEAST_BITS: usize = 64;

/// The values of one proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    bounds: Vec<u64>,
    len: usize,
    generators: Width,
}

/// The bits of one value.
#[derive(Clone, Copy)]
pub(super) struct Slice {
    /// The place of the first.
    pub(super) start: usize,
    /// How many: 1 to 64.
    pub(super) bits: usize,
    /// What the last counts.
    pub(super) top: u64,
}

impl Slice {
    /// Whether the last bit counts what a binary digit at its place does.
    pub(super) fn is_binary(&self) -> bool {
        self.top == 1 << (self.bits - 1)
    }

    /// The bits of a value that is at most `most`, without branching on it.
    fn split(&self, value: u64) -> impl Iterator<Item = u8> {
        let (last, top) = (self.bits - 1, self.top);
        let high = value >> last & 1;
        // `high` is 1 exactly for values from 2^(bits-1) on, and those are at least `top`.
        let low = value - (top & high.wrapping_neg());
        (0..last).map(move |i| (low >> i & 1) as u8).chain(std::iter::once(high as u8))
    }
}

impl Layout {
    /// `values` values of one width, which the caller has padded to a power of two: the layout of the paper.
    pub(crate) fn uniform(width: Width, values: usize) -> Self {
        Self { bounds: vec![width.max(); values], len: values * width.bits(), generators: width }
    }

    /// Values of their own bounds, one after the other.
    ///
    /// # Errors
    /// [`RangeError::Empty`] without values, [`RangeError::Bound`] for a bound of zero, [`RangeError::TooMany`] when all
    /// together have more than [`MAX_BITS`] bits.
    pub(crate) fn packed(bounds: Vec<u64>) -> Result<Self, RangeError> {
        if bounds.is_empty() {
            return Err(RangeError::Empty);
        }
        if let Some(index) = bounds.iter().position(|most| *most == 0) {
            return Err(RangeError::Bound { index });
        }
        let bits: usize = bounds.iter().map(|most| bits(*most)).sum();
        if bits > MAX_BITS {
            return Err(RangeError::TooMany { count: bits, maximum: MAX_BITS });
        }
        let len = bits.next_power_of_two().max(LEAST_BITS);
        Ok(Self { bounds, len, generators: Width::Bits64 })
    }

    /// The vector's length, a power of two.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Every value's largest.
    pub(crate) fn bounds(&self) -> &[u64] {
        &self.bounds
    }

    /// Whose generators the vector is committed with.
    pub(super) fn generators(&self) -> Width {
        self.generators
    }

    /// How many values' generators that takes.
    pub(super) fn generator_values(&self) -> usize {
        self.len.div_ceil(self.generators.bits())
    }

    /// The values' bits in their order.
    pub(super) fn slices(&self) -> impl Iterator<Item = Slice> {
        self.bounds.iter().scan(0, |next, &most| {
            let (start, bits) = (*next, bits(most));
            *next += bits;
            Some(Slice { start, bits, top: most - ((1u64 << (bits - 1)) - 1) })
        })
    }

    /// The whole vector for values that were checked against their bounds; missing values are zero. Constant time.
    pub(super) fn split(&self, values: &[u64]) -> Zeroizing<Vec<u8>> {
        let mut vector = Zeroizing::new(vec![0; self.len]);
        for (slice, value) in self.slices().zip(values) {
            let places = vector.iter_mut().skip(slice.start);
            places.zip(slice.split(*value)).for_each(|(place, bit)| *place = bit);
        }
        vector
    }
}

/// The number of bits of a bound; 0 for 0.
pub(crate) fn bits(most: u64) -> usize {
    (u64::BITS - most.leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(layout: &Layout, vector: &[u8]) -> Vec<u128> {
        let count = |slice: Slice| {
            let bits = &vector[slice.start..slice.start + slice.bits];
            let weights =
                (0..slice.bits).map(|i| if i + 1 == slice.bits { u128::from(slice.top) } else { 1u128 << i });
            bits.iter().zip(weights).map(|(bit, weight)| u128::from(*bit) * weight).sum()
        };
        layout.slices().map(count).collect()
    }

    /// Every choice of bits counts to something between 0 and `most`, and every such number has a choice: all of them, for
    /// all small bounds.
    #[test]
    fn bits_say_exactly_the_numbers_up_to_the_bound() {
        for most in 1..=300u64 {
            let layout = Layout::packed(vec![most]).unwrap();
            let mut said = std::collections::BTreeSet::new();
            for pattern in 0..1u64 << bits(most) {
                let vector: Vec<u8> = (0..layout.len()).map(|i| (pattern >> i.min(63) & 1) as u8).collect();
                said.insert(value(&layout, &vector)[0]);
            }
            assert!(said.into_iter().eq(0..=u128::from(most)), "{most}");
            for v in 0..=most {
                assert_eq!(value(&layout, &layout.split(&[v])), [u128::from(v)], "{v} of {most}");
            }
        }
    }

    proptest! {
        #[test]
        fn splitting_keeps_the_values(pairs in prop::collection::vec((1u64.., any::<u64>()), 1..20)) {
            let bounds: Vec<u64> = pairs.iter().map(|pair| pair.0).collect();
            let values: Vec<u64> =
                pairs.iter().map(|(most, v)| most.checked_add(1).map_or(*v, |n| v % n)).collect();
            let layout = Layout::packed(bounds).unwrap();
            let vector = layout.split(&values);
            prop_assert_eq!(vector.len(), layout.len());
            prop_assert!(vector.iter().all(|bit| *bit <= 1));
            prop_assert_eq!(value(&layout, &vector), values.into_iter().map(u128::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(Layout::packed(vec![]).unwrap_err(), RangeError::Empty);
        assert_eq!(Layout::packed(vec![5, 0]).unwrap_err(), RangeError::Bound { index: 1 });
        assert_eq!(Layout::packed(vec![1]).unwrap().len(), LEAST_BITS);
        assert_eq!(Layout::packed(vec![u64::MAX, 1]).unwrap().len(), 128);
        assert_eq!(Layout::packed(vec![u64::MAX; 1024]).unwrap().len(), MAX_BITS);
        assert!(matches!(Layout::packed(vec![u64::MAX; 1025]), Err(RangeError::TooMany { .. })));
        assert_eq!(Layout::uniform(Width::Bits16, 4).len(), 64);
    }
}

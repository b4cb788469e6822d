//! Scalars in Montgomery form, for the vectors that are as long as a proof has bits.
//!
//! A product of two scalars of the curve crate costs two Montgomery multiplications, into the form and out of it again,
//! and unpacking and packing. A [`Residue`] stays in the form: `x` is kept as `x·R mod ℓ` with `R = 2²⁵⁶`, and a product
//! costs a fifth. Source: Montgomery, *Modular multiplication without trial division*, 1985; product scanning and
//! reduction limb by limb, algorithm 14.32 of the *Handbook of Applied Cryptography*.
//!
//! All operations run in constant time: no branch and no index depends on a value, and the last subtraction is undone
//! under a mask that the compiler cannot see through (RUSTSEC-2024-0344 is about one that it could). Limbs are always
//! canonical, below `ℓ = 2²⁵² + 27742317777372353535851937790883648493`.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "sums of limbs are taken in 128 bits; field arithmetic cannot overflow"
)]

use curve25519_dalek::scalar::Scalar;
use std::{
    hint::black_box,
    iter::Sum,
    ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign},
};
use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroize;

/// Four limbs of 64 bits, the lowest first.
type Limbs = [u64; 4];

/// `ℓ`, the order of the group.
const ORDER: Limbs = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];
/// `-ℓ⁻¹ mod 2⁶⁴`.
const FACTOR: u64 = 0xd2b5_1da3_1254_7e1b;
/// `R² mod ℓ`.
const R_SQUARED: Limbs =
    [0xa406_11e3_449c_0f01, 0xd00e_1ba7_6885_9347, 0xceec_73d2_17f5_be65, 0x0399_411b_7c30_9a3d];

/// A scalar `x`, kept as `x·R mod ℓ`.
#[derive(Clone, Copy, Default, Zeroize)]
pub(super) struct Residue(Limbs);

impl Residue {
    pub(super) const ZERO: Self = Self([0; 4]);
    pub(super) const ONE: Self =
        Self([0xd6ec_3174_8d98_951d, 0xc6ef_5bf4_737d_cf70, 0xffff_ffff_ffff_fffe, 0x0fff_ffff_ffff_ffff]);

    /// The scalar itself.
    pub(super) fn scalar(&self) -> Scalar {
        pack(&product(&self.0, &[1, 0, 0, 0]))
    }

    /// `self·s` for every `s`, as scalars: multiplying by the bare `self` leaves the form on the way.
    pub(super) fn multiples(&self, of: &[Self]) -> impl Iterator<Item = Scalar> {
        let bare = product(&self.0, &[1, 0, 0, 0]);
        of.iter().map(move |s| pack(&product(&bare, &s.0)))
    }
}

impl From<&Scalar> for Residue {
    fn from(scalar: &Scalar) -> Self {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(scalar.as_bytes().as_chunks().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        Self(product(&limbs, &R_SQUARED))
    }
}

/// The scalar of canonical limbs.
fn pack(limbs: &Limbs) -> Scalar {
    let mut bytes = [0; 32];
    for (bytes, limb) in bytes.as_chunks_mut().0.iter_mut().zip(limbs) {
        *bytes = limb.to_le_bytes();
    }
    Scalar::from_bytes_mod_order(bytes)
}

/// The low and the high limb of `a + b·c + d`, which is below 2¹²⁸.
#[inline(always)]
fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let sum = u128::from(a) + u128::from(b) * u128::from(c) + u128::from(d);
    (sum as u64, (sum >> 64) as u64)
}

/// The low limb and the carry of `a + b + c + d`.
#[inline(always)]
fn add_limbs(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let sum = u128::from(a) + u128::from(b) + u128::from(c) + u128::from(d);
    (sum as u64, (sum >> 64) as u64)
}

/// `a·b·R⁻¹ mod ℓ`, for `a` below `R` and `b` below `ℓ`.
#[inline]
fn product(a: &Limbs, b: &Limbs) -> Limbs {
    let mut t = [0; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            (t[i + j], carry) = multiply_add(t[i + j], a[i], b[j], carry);
        }
        t[i + 4] = carry;
    }
    // Adds the multiple of ℓ that clears the lower half. The sum stays below 2·R·ℓ, which eight limbs hold.
    let mut above = 0;
    for i in 0..4 {
        let m = t[i].wrapping_mul(FACTOR);
        let (_, mut carry) = multiply_add(t[i], m, ORDER[0], 0);
        (t[i + 1], carry) = multiply_add(t[i + 1], m, ORDER[1], carry);
        (t[i + 2], carry) = add_limbs(t[i + 2], carry, 0, 0);
        // The highest limb of ℓ is 2⁶⁰.
        (t[i + 3], carry) = add_limbs(t[i + 3], m << 60, carry, 0);
        (t[i + 4], above) = add_limbs(t[i + 4], m >> 4, carry, above);
    }
    reduce(&[t[4], t[5], t[6], t[7]])
}

/// `a - b`, and a mask of ones if that is negative, of zeros otherwise.
#[inline(always)]
fn subtract(a: &Limbs, b: &Limbs) -> (Limbs, u64) {
    let (mut difference, mut borrow) = ([0; 4], false);
    for i in 0..4 {
        (difference[i], borrow) = a[i].borrowing_sub(b[i], borrow);
    }
    (difference, black_box(u64::from(borrow).wrapping_neg()))
}

/// `a + (ℓ and mask)`, modulo `R`.
#[inline(always)]
fn add_order(a: &Limbs, mask: u64) -> Limbs {
    let (mut sum, mut carry) = ([0; 4], 0);
    for i in 0..4 {
        (sum[i], carry) = add_limbs(a[i], ORDER[i] & mask, carry, 0);
    }
    sum
}

/// `a mod ℓ` for `a` below `2ℓ`.
#[inline(always)]
fn reduce(a: &Limbs) -> Limbs {
    let (difference, negative) = subtract(a, &ORDER);
    add_order(&difference, negative)
}

impl Mul<&Residue> for &Residue {
    type Output = Residue;
    #[inline]
    fn mul(self, other: &Residue) -> Residue {
        Residue(product(&self.0, &other.0))
    }
}

impl Add<&Residue> for &Residue {
    type Output = Residue;
    #[inline]
    fn add(self, other: &Residue) -> Residue {
        // Two numbers below ℓ: the sum fits four limbs.
        let (mut sum, mut carry) = ([0; 4], 0);
        for (sum, (a, b)) in sum.iter_mut().zip(self.0.iter().zip(&other.0)) {
            (*sum, carry) = add_limbs(*a, *b, carry, 0);
        }
        Residue(reduce(&sum))
    }
}

impl Sub<&Residue> for &Residue {
    type Output = Residue;
    #[inline]
    fn sub(self, other: &Residue) -> Residue {
        let (difference, negative) = subtract(&self.0, &other.0);
        Residue(add_order(&difference, negative))
    }
}

impl Neg for Residue {
    type Output = Self;
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

/// The same operators for values, and those that assign.
macro_rules! operators {
    ($($op:ident $method:ident $op_assign:ident $method_assign:ident),*) => {$(
        impl $op for Residue {
            type Output = Self;
            #[inline]
            fn $method(self, other: Self) -> Self {
                (&self).$method(&other)
            }
        }
        impl $op_assign for Residue {
            #[inline]
            fn $method_assign(&mut self, other: Self) {
                *self = (&*self).$method(&other);
            }
        }
    )*};
}
operators!(Mul mul MulAssign mul_assign, Add add AddAssign add_assign, Sub sub SubAssign sub_assign);

impl Sum for Residue {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl ConditionallySelectable for Residue {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(std::array::from_fn(|i| u64::conditional_select(&a.0[i], &b.0[i], choice)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every operation against the curve crate's.
    fn agree(a: Scalar, b: Scalar) {
        let (x, y) = (Residue::from(&a), Residue::from(&b));
        for residue in [x, y, x * y, x + y, x - y, -x] {
            assert!(subtract(&residue.0, &ORDER).1 != 0, "canonical");
        }
        assert_eq!(x.scalar(), a);
        assert_eq!((x * y).scalar(), a * b);
        assert_eq!((x + y).scalar(), a + b);
        assert_eq!((x - y).scalar(), a - b);
        assert_eq!((-x).scalar(), -a);
        assert_eq!(x.multiples(&[y, x]).collect::<Vec<_>>(), [a * b, a * a]);
        assert_eq!([x, y, x].into_iter().sum::<Residue>().scalar(), a + b + a);
        let mut z = x;
        z *= y;
        z += x;
        z -= y;
        assert_eq!(z.scalar(), a * b + a - b);
        for (choice, chosen) in [(0, a), (1, b)] {
            assert_eq!(Residue::conditional_select(&x, &y, Choice::from(choice)).scalar(), chosen);
        }
    }

    /// Where carries and the last subtraction begin and end.
    #[test]
    fn edges() {
        let two = Scalar::from(2u64);
        let power = |n: usize| std::iter::repeat_n(two, n).product::<Scalar>();
        let powers = [1, 63, 64, 127, 128, 191, 192, 251, 252, 253, 256, 512].map(power);
        let small = [Scalar::ZERO, Scalar::ONE, two];
        let edges: Vec<Scalar> =
            small.into_iter().chain(powers).flat_map(|s| [s, -s, s - Scalar::ONE, s.invert()]).collect();
        for a in &edges {
            edges.iter().for_each(|b| agree(*a, *b));
        }
        assert_eq!(Residue::ZERO.scalar(), Scalar::ZERO);
        assert_eq!(Residue::ONE.scalar(), Scalar::ONE);
    }

    proptest! {
        #[test]
        fn any_two(a: [u8; 32], b: [u8; 32]) {
            agree(Scalar::from_bytes_mod_order(a), Scalar::from_bytes_mod_order(b));
        }
    }
}

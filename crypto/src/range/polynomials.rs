//! The prover's secret vectors: the bits, their masks, and the polynomials `l(X)` and `r(X)` made of both.
//!
//! Everything here runs in constant time and is erased when dropped.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "field and group arithmetic cannot overflow; shifts are below 64"
)]

use super::{
    engine::{Identity, Point, ristretto},
    generators::Generators,
    inner_product::inner_product,
    layout::{Layout, Slice},
    montgomery::Residue,
    msm::Workers,
};
use crate::pedersen;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use rand_core::CryptoRngCore;
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// `<a_L, G> + <a_R, H>`: for a bit that is one add `G_i`, for a zero subtract `H_i`, without branching.
pub(super) fn commit_bits(vector: &[u8], generators: &Generators, workers: Workers) -> RistrettoPoint {
    let sums = workers.split(vector.len(), 256, |range| {
        let pairs = generators.g[range.clone()].iter().zip(&generators.h[range.clone()]);
        vector[range].iter().zip(pairs).fold(Point::identity(), |sum, (bit, (g, h))| {
            sum + Point::conditional_select(&-h, g, Choice::from(*bit))
        })
    });
    ristretto(&sums.iter().sum())
}

/// `z²⁺ʲ·c_i` for every place of the vector: what its bit counts, under the power of its value; zero where it has none.
fn weights(layout: &Layout, z: Residue) -> impl Iterator<Item = Residue> {
    let powers_of_z = std::iter::successors(Some(z * z), move |power| Some(*power * z));
    let of_slice = |(slice, power): (Slice, Residue)| {
        let doubled = std::iter::successors(Some(power), |weight| Some(*weight + *weight));
        let last = power * Residue::from(&Scalar::from(slice.top));
        doubled.take(slice.bits - 1).chain(std::iter::once(last))
    };
    let of_values = layout.slices().zip(powers_of_z).flat_map(of_slice);
    of_values.chain(std::iter::repeat(Residue::ZERO))
}

/// The randomness of `A` and `S`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Masks {
    /// Blinding of `A`.
    pub(super) alpha: Scalar,
    /// Blinding of `S`.
    pub(super) rho: Scalar,
    /// `s_L` and `s_R`: one vector, see [`super::prover`].
    s: Vec<Scalar>,
}

impl Masks {
    /// Draws masks for `len` bits.
    pub(super) fn draw(len: usize, rng: &mut impl CryptoRngCore) -> Self {
        let s = (0..len).map(|_| Scalar::random(rng)).collect();
        Self { alpha: Scalar::random(rng), rho: Scalar::random(rng), s }
    }

    /// `S = ρ·B~ + <s, G + H>`.
    pub(super) fn commit(&self, generators: &Generators, workers: Workers) -> RistrettoPoint {
        let sum = workers.constant_time(&self.s, &generators.sums[..self.s.len()]);
        pedersen::blind(&self.rho) + ristretto(&sum)
    }
}

/// `l(X) = l_0 + s·X` and `r(X) = r_0 + r_1·X`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Polynomials {
    l_0: Vec<Residue>,
    l_1: Vec<Residue>,
    r_0: Vec<Residue>,
    r_1: Vec<Residue>,
}

impl Polynomials {
    /// The polynomials of a vector of bits under the challenges `y` and `z`.
    pub(super) fn new(vector: &[u8], layout: &Layout, y: &Scalar, z: &Scalar, masks: &Masks) -> Self {
        let [mut l_0, mut l_1, mut r_0, mut r_1] = std::array::from_fn(|_| Vec::with_capacity(vector.len()));
        let [y, z] = [y, z].map(Residue::from);
        let [zero, one] = [-z, Residue::ONE - z];
        let mut power_of_y = Residue::ONE;
        for ((bit, s), weight) in vector.iter().zip(&masks.s).zip(weights(layout, z)) {
            let (bit, s) = (Choice::from(*bit), Residue::from(s));
            // a_L - z is -z or 1 - z, and a_R + z = a_L - 1 + z is -(1 - z) or z.
            l_0.push(Residue::conditional_select(&zero, &one, bit));
            l_1.push(s);
            r_0.push(weight - power_of_y * Residue::conditional_select(&one, &zero, bit));
            r_1.push(power_of_y * s);
            power_of_y *= y;
        }
        Self { l_0, l_1, r_0, r_1 }
    }

    /// `t_1` and `t_2` of `t(X) = <l(X), r(X)>`.
    pub(super) fn t(&self) -> [Zeroizing<Scalar>; 2] {
        let t_1 = inner_product(&self.l_0, &self.r_1) + inner_product(&self.l_1, &self.r_0);
        [t_1, inner_product(&self.l_1, &self.r_1)].map(|t| Zeroizing::new(t.scalar()))
    }

    /// `l(x)` and `r(x)`.
    pub(super) fn at(&self, x: &Scalar) -> [Zeroizing<Vec<Residue>>; 2] {
        let x = Residue::from(x);
        [(&self.l_0, &self.l_1), (&self.r_0, &self.r_1)].map(|(c_0, c_1)| {
            c_0.iter().zip(c_1).map(|(c_0, c_1)| *c_0 + *c_1 * x).collect::<Vec<_>>().into()
        })
    }
}

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
    msm::Workers,
};
use crate::pedersen;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use rand_core::CryptoRngCore;
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// `<a_L, G> + <a_R, H>`: for a bit that is one add `G_i`, for a zero subtract `H_i`, without branching.
pub(super) fn commit_bits(vector: &[u8], generators: &Generators) -> RistrettoPoint {
    let pairs = generators.g.iter().zip(&generators.h);
    let sum = vector.iter().zip(pairs).fold(Point::identity(), |sum, (bit, (g, h))| {
        sum + Point::conditional_select(&-h, g, Choice::from(*bit))
    });
    ristretto(&sum)
}

/// `z²⁺ʲ·c_i` for every place of the vector: what its bit counts, under the power of its value; zero where it has none.
fn weights(layout: &Layout, z: &Scalar) -> impl Iterator<Item = Scalar> {
    let powers_of_z = std::iter::successors(Some(z * z), move |power| Some(power * z));
    let of_slice = |(slice, power): (Slice, Scalar)| {
        let doubled = std::iter::successors(Some(power), |weight| Some(weight + weight));
        let last = power * Scalar::from(slice.top);
        doubled.take(slice.bits - 1).chain(std::iter::once(last))
    };
    let of_values = layout.slices().zip(powers_of_z).flat_map(of_slice);
    of_values.chain(std::iter::repeat(Scalar::ZERO))
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
    l_0: Vec<Scalar>,
    l_1: Vec<Scalar>,
    r_0: Vec<Scalar>,
    r_1: Vec<Scalar>,
}

impl Polynomials {
    /// The polynomials of a vector of bits under the challenges `y` and `z`.
    pub(super) fn new(vector: &[u8], layout: &Layout, y: &Scalar, z: &Scalar, masks: &Masks) -> Self {
        let [mut l_0, mut r_0, mut r_1] = std::array::from_fn(|_| Vec::with_capacity(vector.len()));
        let [zero, one] = [-z, Scalar::ONE - z];
        let mut power_of_y = Scalar::ONE;
        for ((bit, s), weight) in vector.iter().zip(&masks.s).zip(weights(layout, z)) {
            let bit = Choice::from(*bit);
            // a_L - z is -z or 1 - z, and a_R + z = a_L - 1 + z is -(1 - z) or z.
            l_0.push(Scalar::conditional_select(&zero, &one, bit));
            r_0.push(weight - power_of_y * Scalar::conditional_select(&one, &zero, bit));
            r_1.push(power_of_y * s);
            power_of_y *= y;
        }
        Self { l_0, l_1: masks.s.clone(), r_0, r_1 }
    }

    /// `t_1` and `t_2` of `t(X) = <l(X), r(X)>`.
    pub(super) fn t(&self) -> [Zeroizing<Scalar>; 2] {
        let t_1 = inner_product(&self.l_0, &self.r_1) + inner_product(&self.l_1, &self.r_0);
        [t_1, inner_product(&self.l_1, &self.r_1)].map(Zeroizing::new)
    }

    /// `l(x)` and `r(x)`.
    pub(super) fn at(&self, x: &Scalar) -> (Zeroizing<Vec<Scalar>>, Zeroizing<Vec<Scalar>>) {
        let at =
            |c_0: &[Scalar], c_1: &[Scalar]| c_0.iter().zip(c_1).map(|(c_0, c_1)| c_0 + c_1 * x).collect();
        (Zeroizing::new(at(&self.l_0, &self.l_1)), Zeroizing::new(at(&self.r_0, &self.r_1)))
    }
}

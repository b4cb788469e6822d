//! The verifier.
//!
//! Source: Bünz et al. 2018, sections 4.2, 4.3 and 6.1 (verification with one multiscalar multiplication). Replaying the
//! transcript gives `y, z, x, w` and the `u_k`; then two equations must hold:
//!
//! ```text
//! (1)  A + x·S - e·B~ + Σ_k (u_k²·L_k + u_k⁻²·R_k) + w·(t_x - a·b)·B
//!        - Σ_i (z + a·s_i)·G_i + Σ_i (z + y⁻ⁱ·(z²⁺ʲ·c_i - b·s_i⁻¹))·H_i = 0       bit i is of value j and counts c_i
//! (2)  Σ_j z²⁺ʲ·V_j + x·T_1 + x²·T_2 + (δ(y,z) - t_x)·B - τ·B~ = 0
//!
//! s_i = Π_k u_k^(±1), plus where bit number (last - k) of i is set
//! δ(y,z) = (z - z²)·Σ_i yⁱ - Σ_j z³⁺ʲ·(largest value j)
//! ```
//!
//! They enter a check under two weights of their own. `s_i` and `y⁻ⁱ·s_i⁻¹` are products over the bits of `i`, and
//! `y⁻ⁱ·c_i` runs on within a value, so all three vectors over `i` take one multiplication per entry.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "field and group arithmetic cannot overflow; lengths are powers of two"
)]

use super::{Check, Layout, RangeError, montgomery::Residue, transcript::RangeTranscript, wire::Proof};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};
use merlin::Transcript;

/// Every challenge of one proof.
struct Challenges {
    y: Scalar,
    z: Scalar,
    x: Scalar,
    w: Scalar,
    u: Vec<Scalar>,
    /// `y⁻¹`, then every `u⁻¹`.
    inverses: Vec<Scalar>,
}

impl Challenges {
    fn replay(len: usize, proof: &Proof, transcript: &mut Transcript) -> Result<Self, RangeError> {
        let (y, z) = transcript.bits(&proof.a, &proof.s)?;
        let x = transcript.polynomial(&proof.t_1, &proof.t_2)?;
        let w = transcript.evaluation(&proof.t_x, &proof.t_x_blinding, &proof.e_blinding, len);
        let pairs = proof.inner.pairs.iter();
        let u = pairs.map(|(l, r)| transcript.halving(l, r)).collect::<Result<Vec<_>, _>>()?;
        let mut inverses: Vec<Scalar> = std::iter::once(&y).chain(&u).copied().collect();
        if inverses.contains(&Scalar::ZERO) {
            return Err(RangeError::Equation);
        }
        Scalar::batch_invert(&mut inverses);
        Ok(Self { y, z, x, w, u, inverses })
    }

    /// `Σ_i yⁱ` for `i` below a power of two: `Π_k (1 + y^(2^k))`.
    fn sum_of_powers_of_y(&self) -> Scalar {
        let squares = std::iter::successors(Some(self.y), |y| Some(y * y));
        squares.take(self.u.len()).map(|y| Scalar::ONE + y).product()
    }

    /// `z²⁺ʲ` for every value.
    fn powers_of_z(&self) -> impl Iterator<Item = Scalar> {
        std::iter::successors(Some(self.z * self.z), |power| Some(power * self.z))
    }

    /// `δ(y,z)`.
    fn delta(&self, layout: &Layout) -> Scalar {
        let mosts = layout.bounds().iter().map(|most| Scalar::from(*most));
        let largest: Scalar = self.powers_of_z().zip(mosts).map(|(power, most)| power * most).sum();
        (self.z - self.z * self.z) * self.sum_of_powers_of_y() - self.z * largest
    }
}

/// Decompressed points of a proof.
struct Points {
    fixed: [RistrettoPoint; 4],
    pairs: Vec<(RistrettoPoint, RistrettoPoint)>,
}

impl Points {
    fn decompress(proof: &Proof) -> Result<Self, RangeError> {
        let point = |p: &CompressedRistretto| p.decompress().ok_or(RangeError::Point);
        let pair = |(l, r): &(_, _)| Ok((point(l)?, point(r)?));
        Ok(Self {
            fixed: [point(&proof.a)?, point(&proof.s)?, point(&proof.t_1)?, point(&proof.t_2)?],
            pairs: proof.inner.pairs.iter().map(pair).collect::<Result<_, _>>()?,
        })
    }
}

/// Adds a proof to `check`, all but the commitments, and returns by what each value's commitment must be multiplied and
/// added. The transcript was opened. On an error `check` is as before.
pub(super) fn accumulate(
    layout: &Layout,
    proof: &Proof,
    transcript: &mut Transcript,
    check: &mut Check,
) -> Result<Vec<Scalar>, RangeError> {
    let challenges = Challenges::replay(layout.len(), proof, transcript)?;
    let points = Points::decompress(proof)?;
    // The weights depend on all that the prover chose: the statement and the proof up to its last two scalars through
    // the transcript, and once more the whole proof.
    let mut bound = [0u8; 32];
    transcript.clone().challenge_bytes(b"weights", &mut bound);
    let absorbed = [&bound[..], &proof.to_bytes()].concat();
    let (first, second) = (check.weight(&absorbed), check.weight(b"second equation"));
    vectors(first, layout, &challenges, proof, check);
    points_of_inner_product(first, &challenges, proof, &points, check);
    polynomial(second, layout, &challenges, proof, &points, check);
    Ok(challenges.powers_of_z().map(|power| second * power).take(layout.bounds().len()).collect())
}

/// Equation (1), all but the generators.
fn points_of_inner_product(
    weight: Scalar,
    c: &Challenges,
    proof: &Proof,
    points: &Points,
    check: &mut Check,
) {
    let [a, s, ..] = points.fixed;
    check.point(weight, a);
    check.point(weight * c.x, s);
    for ((l, r), (u, inverse)) in points.pairs.iter().zip(c.u.iter().zip(&c.inverses[1..])) {
        check.point(weight * u * u, *l);
        check.point(weight * inverse * inverse, *r);
    }
    check.blinding_base(-weight * proof.e_blinding);
    check.value_base(weight * c.w * (proof.t_x - proof.inner.a * proof.inner.b));
}

/// Equation (2), all but the commitments.
fn polynomial(
    weight: Scalar,
    layout: &Layout,
    c: &Challenges,
    proof: &Proof,
    points: &Points,
    check: &mut Check,
) {
    let [.., t_1, t_2] = points.fixed;
    check.point(weight * c.x, t_1);
    check.point(weight * c.x * c.x, t_2);
    check.value_base(weight * (c.delta(layout) - proof.t_x));
    check.blinding_base(-weight * proof.t_x_blinding);
}

/// The generators of equation (1).
fn vectors(weight: Scalar, layout: &Layout, c: &Challenges, proof: &Proof, check: &mut Check) {
    let k = c.u.len();
    let residues = |scalars: &[Scalar]| -> Vec<Residue> { scalars.iter().map(Residue::from).collect() };
    let (u, inverses) = (residues(&c.u), residues(&c.inverses[1..]));
    let [weight, z, a, b, y_inverse] =
        [&weight, &c.z, &proof.inner.a, &proof.inner.b, &c.inverses[0]].map(Residue::from);
    let mut a_s = tensor(inverses.iter().fold(weight * a, |product, inverse| product * *inverse), k);
    let mut b_s = tensor(u.iter().fold(weight * b, |product, u| product * *u), k);
    let mut power = y_inverse;
    // Bit number `level` of i belongs to the challenge of the round (k - 1 - level).
    for (u, inverse) in u.iter().zip(&inverses).rev() {
        a_s.factor(u * u);
        b_s.factor(inverse * inverse * power);
        power *= power;
    }
    let shift = weight * z;
    let (g, h) = check.generators(layout);
    for (g, a_s) in g.iter_mut().zip(&a_s.entries) {
        *g -= shift + *a_s;
    }
    for (h, b_s) in h.iter_mut().zip(&b_s.entries) {
        *h += shift - *b_s;
    }
    ranges(weight, y_inverse, layout, c, h);
}

/// Adds `weight·z²⁺ʲ·y⁻ⁱ·c_i` to the scalar of every `H_i`.
fn ranges(weight: Residue, y_inverse: Residue, layout: &Layout, c: &Challenges, h: &mut [Residue]) {
    let powers: Vec<Residue> =
        std::iter::successors(Some(Residue::ONE), |power| Some(*power * y_inverse)).take(65).collect();
    let step = y_inverse + y_inverse;
    let mut y_start = weight;
    for (slice, power) in layout.slices().zip(c.powers_of_z()) {
        let first = Residue::from(&power) * y_start;
        let (last, places) = (slice.bits - 1, &mut h[slice.start..slice.start + slice.bits]);
        let binary = if slice.is_binary() { slice.bits } else { last };
        let running = std::iter::successors(Some(first), |entry| Some(*entry * step));
        places[..binary].iter_mut().zip(running).for_each(|(h, entry)| *h += entry);
        if binary == last {
            places[last] += first * powers[last] * Residue::from(&Scalar::from(slice.top));
        }
        y_start *= powers[slice.bits];
    }
}

/// A vector whose entry `i` is a product over the bits of `i`.
struct Tensor {
    entries: Vec<Residue>,
}

fn tensor(first: Residue, k: usize) -> Tensor {
    let mut entries = Vec::with_capacity(1 << k);
    entries.push(first);
    Tensor { entries }
}

impl Tensor {
    /// Appends one more bit, the highest: where it is set, entries are multiplied by `factor`.
    fn factor(&mut self, factor: Residue) {
        for i in 0..self.entries.len() {
            self.entries.push(self.entries[i] * factor);
        }
    }
}

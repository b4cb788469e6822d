//! The verifier.
//!
//! Source: Bünz et al. 2018, sections 4.2, 4.3 and 6.1 (verification with one multiscalar multiplication). Replaying the
//! transcript gives `y, z, x, w` and the `u_k`; then two equations must hold:
//!
//! ```text
//! (1)  A + x·S - e·B~ + Σ_k (u_k²·L_k + u_k⁻²·R_k) + w·(t_x - a·b)·B
//!        - Σ_i (z + a·s_i)·G_i + Σ_i (z + y⁻ⁱ·(z²⁺ʲ·2^(i mod n) - b·s_i⁻¹))·H_i = 0       j = i div n
//! (2)  Σ_j z²⁺ʲ·V_j + x·T_1 + x²·T_2 + (δ(y,z) - t_x)·B - τ·B~ = 0
//!
//! s_i = Π_k u_k^(±1), plus where bit number (last - k) of i is set
//! δ(y,z) = (z - z²)·Σ_i yⁱ - (2ⁿ - 1)·Σ_j z³⁺ʲ
//! ```
//!
//! They enter a check under two weights of their own. All three vectors over `i` are products over the bits of `i`, so
//! they take one multiplication per entry.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "field and group arithmetic cannot overflow; lengths are powers of two"
)]

use super::{Check, RangeError, Width, transcript::RangeTranscript, wire::Proof};
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
    fn replay(
        (width, m): (Width, usize),
        commitments: &[CompressedRistretto],
        proof: &Proof,
        transcript: &mut Transcript,
    ) -> Result<Self, RangeError> {
        transcript.open(width.bits(), m, commitments);
        let (y, z) = transcript.bits(&proof.a, &proof.s)?;
        let x = transcript.polynomial(&proof.t_1, &proof.t_2)?;
        let len = m * width.bits();
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

    /// `δ(y,z)`.
    fn delta(&self, width: Width, m: usize) -> Scalar {
        let (z, square) = (self.z, self.z * self.z);
        let cubes: Scalar = std::iter::successors(Some(z * square), |power| Some(power * z)).take(m).sum();
        (z - square) * self.sum_of_powers_of_y() - Scalar::from(width.max()) * cubes
    }
}

/// Decompressed points of a proof.
struct Points {
    fixed: [RistrettoPoint; 4],
    pairs: Vec<(RistrettoPoint, RistrettoPoint)>,
    commitments: Vec<RistrettoPoint>,
}

impl Points {
    fn decompress(commitments: &[CompressedRistretto], proof: &Proof) -> Result<Self, RangeError> {
        let point = |p: &CompressedRistretto| p.decompress().ok_or(RangeError::Point);
        Ok(Self {
            fixed: [point(&proof.a)?, point(&proof.s)?, point(&proof.t_1)?, point(&proof.t_2)?],
            pairs: proof
                .inner
                .pairs
                .iter()
                .map(|(l, r)| Ok((point(l)?, point(r)?)))
                .collect::<Result<_, _>>()?,
            commitments: commitments.iter().map(point).collect::<Result<_, _>>()?,
        })
    }
}

/// Adds a proof over `commitments`, padded to `m`, to `check`; on an error `check` is as before.
pub(super) fn accumulate(
    (width, m): (Width, usize),
    commitments: &[CompressedRistretto],
    bytes: &[u8],
    transcript: &mut Transcript,
    check: &mut Check,
) -> Result<(), RangeError> {
    let proof = Proof::from_bytes(bytes, (m * width.bits()).ilog2() as usize)?;
    let challenges = Challenges::replay((width, m), commitments, &proof, transcript)?;
    let points = Points::decompress(commitments, &proof)?;
    // The weights depend on all that the prover chose: the statement and the proof up to its last two scalars through
    // the transcript, and once more the whole proof.
    let mut bound = [0u8; 32];
    transcript.clone().challenge_bytes(b"weights", &mut bound);
    let absorbed = [&bound, bytes].concat();
    let (first, second) = (check.weight(&absorbed), check.weight(b"second equation"));
    vectors(first, (width, m), &challenges, &proof, check);
    points_of_inner_product(first, &challenges, &proof, &points, check);
    polynomial(second, (width, m), &challenges, &proof, &points, check);
    Ok(())
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

/// Equation (2).
fn polynomial(
    weight: Scalar,
    (width, m): (Width, usize),
    c: &Challenges,
    proof: &Proof,
    points: &Points,
    check: &mut Check,
) {
    let [.., t_1, t_2] = points.fixed;
    let powers_of_z = std::iter::successors(Some(weight * c.z * c.z), |power| Some(power * c.z));
    for (v, power) in points.commitments.iter().zip(powers_of_z) {
        check.point(power, *v);
    }
    check.point(weight * c.x, t_1);
    check.point(weight * c.x * c.x, t_2);
    check.value_base(weight * (c.delta(width, m) - proof.t_x));
    check.blinding_base(-weight * proof.t_x_blinding);
}

/// The generators of equation (1).
fn vectors(weight: Scalar, (width, m): (Width, usize), c: &Challenges, proof: &Proof, check: &mut Check) {
    let k = c.u.len();
    let (mut y_inverse, mut two, mut z) = (c.inverses[0], Scalar::from(2u64), c.z);
    let first: Scalar = c.inverses[1..].iter().product();
    let mut a_s = tensor(weight * proof.inner.a * first, k);
    let mut b_s = tensor(weight * proof.inner.b * c.u.iter().product::<Scalar>(), k);
    let mut ranges = tensor(weight * c.z * c.z, k);
    for level in 0..k {
        // Bit number `level` of i belongs to the challenge of the round (k - 1 - level).
        let (u, inverse) = (c.u[k - 1 - level], c.inverses[k - level]);
        let power = if 1 << level < width.bits() { &mut two } else { &mut z };
        a_s.factor(u * u);
        b_s.factor(inverse * inverse * y_inverse);
        ranges.factor(*power * y_inverse);
        *power *= *power;
        y_inverse *= y_inverse;
    }
    let shift = weight * c.z;
    let (g, h) = check.generators(width, m);
    for (g, a_s) in g.iter_mut().zip(&a_s.entries) {
        *g -= shift + a_s;
    }
    for (h, (range, b_s)) in h.iter_mut().zip(ranges.entries.iter().zip(&b_s.entries)) {
        *h += shift + (range - b_s);
    }
}

/// A vector whose entry `i` is a product over the bits of `i`.
struct Tensor {
    entries: Vec<Scalar>,
}

fn tensor(first: Scalar, k: usize) -> Tensor {
    let mut entries = Vec::with_capacity(1 << k);
    entries.push(first);
    Tensor { entries }
}

impl Tensor {
    /// Appends one more bit, the highest: where it is set, entries are multiplied by `factor`.
    fn factor(&mut self, factor: Scalar) {
        for i in 0..self.entries.len() {
            self.entries.push(self.entries[i] * factor);
        }
    }
}

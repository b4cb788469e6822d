//! The prover.
//!
//! Source: Bünz et al. 2018, section 4.1 for one value and 4.3 for many, with the paper's letters:
//!
//! ```text
//! A = α·B~ + <a_L, G> + <a_R, H>       a_L the bits, a_R = a_L - 1
//! S = ρ·B~ + <s, G> + <s, H>           s random
//! l(X) = a_L - z + s·X
//! r(X) = yⁱ·(a_R + z + s·X) + z²⁺ʲ·c_i     c_i what bit i of value j counts, see the layout
//! t(X) = <l(X), r(X)> = t_0 + t_1·X + t_2·X²      T_k = t_k·B + τ_k·B~
//! ```
//!
//! **One mask for both.** The paper masks `l` and `r` by vectors `s_L` and `s_R` of their own. One is enough: since
//! `a_R = a_L - 1`, with `s_L = s_R` we have `r(x) = yⁱ·(l(x) + 2z - 1) + z²⁺ʲ·c_i`, so `r(x)` says nothing that `l(x)` does
//! not, and `l(x)` is uniform by `s`. The simulator of the paper's theorem 3 then draws `l(x)` alone and computes `r(x)`
//! from it; `A` is uniform by `α`, `e` by `ρ`, `T_1` and `t_x_blinding` by `τ_1` and `τ_2`, and `S` and `T_2` follow from the
//! verifier's equations, in the proof as in the simulation. Verifiers cannot tell, and soundness is theirs. It halves the
//! constant-time multiplication `S = ρ·B~ + <s, G + H>`, a quarter of a prover's time.
//!
//! `A` is computed by selecting without branches, `S`, `T_1` and `T_2` with constant-time multiplications. After the
//! challenge `x` only `l(x)` and `r(x)` are used, which the protocol may publish: see the inner-product argument.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "field and group arithmetic cannot overflow; shifts are below 64"
)]

use super::{
    RangeError,
    engine::point,
    generators::generators,
    inner_product::{self, Statement, Twist, inner_product},
    layout::Layout,
    montgomery::Residue,
    msm::Workers,
    polynomials::{Masks, Polynomials, commit_bits},
    transcript::RangeTranscript,
    wire::Proof,
};
use crate::pedersen;
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};
use merlin::Transcript;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, RngCore, SeedableRng};
use zeroize::Zeroizing;

/// Proves that `values`, which fit, are within the bounds of `layout`. The transcript was opened.
pub(super) fn prove(
    layout: &Layout,
    values: &[u64],
    blindings: &[Scalar],
    transcript: &mut Transcript,
    rng: &mut impl CryptoRngCore,
    workers: Workers,
) -> Result<Vec<u8>, RangeError> {
    let len = layout.len();
    let generators = generators(layout.generators(), layout.generator_values());
    let mut rng = hedged(values, blindings, transcript, rng);

    let vector = layout.split(values);
    let masks = Masks::draw(len, &mut rng);
    let a = (commit_bits(&vector, &generators, workers) + pedersen::blind(&masks.alpha)).compress();
    let s = masks.commit(&generators, workers).compress();
    let (y, z) = transcript.bits(&a, &s)?;

    let polynomials = Polynomials::new(&vector, layout, &y, &z, &masks);
    let [t_1, t_2] = polynomials.t();
    let [tau_1, tau_2] = std::array::from_fn(|_| Zeroizing::new(Scalar::random(&mut rng)));
    let [commit_1, commit_2] = [(&t_1, &tau_1), (&t_2, &tau_2)]
        .map(|(t, tau)| (pedersen::value(t) + pedersen::blind(tau)).compress());
    let x = transcript.polynomial(&commit_1, &commit_2)?;

    let [l, r] = polynomials.at(&x);
    let t_x = inner_product(&l, &r).scalar();
    let powers_of_z = std::iter::successors(Some(z * z), |power| Some(power * z));
    let gamma: Scalar = blindings.iter().zip(powers_of_z).map(|(blinding, power)| blinding * power).sum();
    let t_x_blinding = gamma + x * (*tau_1 + x * *tau_2);
    let e_blinding = masks.alpha + x * masks.rho;
    let w = transcript.evaluation(&t_x, &t_x_blinding, &e_blinding, len);
    let statement = Statement {
        g: &generators.g[..len],
        h: &generators.h[..len],
        q: point(&pedersen::value(&w)),
        twist: Twist::new(Residue::from(&y), Residue::from(&y.invert()), len),
    };
    let inner = inner_product::prove(&statement, l, r, transcript, workers)?;
    Ok(Proof { a, s, t_1: commit_1, t_2: commit_2, t_x, t_x_blinding, e_blinding, inner }.to_bytes())
}

/// `V_j = v_j·B + γ_j·B~`. Half of each is computed, so that all can be doubled and encoded with one inversion.
pub(super) fn commitments(
    values: &[u64],
    blindings: &[Scalar],
    workers: Workers,
) -> Vec<CompressedRistretto> {
    let half = Scalar::from(2u64).invert();
    let halves = workers.split(values.len(), 16, |range| -> Vec<RistrettoPoint> {
        let openings = values[range.clone()].iter().zip(&blindings[range]);
        let commit = |(v, gamma): (&u64, &Scalar)| {
            let [v, gamma] = [Scalar::from(*v) * half, gamma * half].map(Zeroizing::new);
            pedersen::value(&v) + pedersen::blind(&gamma)
        };
        openings.map(commit).collect()
    });
    RistrettoPoint::double_and_compress_batch(&halves.concat())
}

/// The prover's randomness: a function of the transcript, of all secrets and of `rng`.
///
/// With a generator that repeats, `s` would repeat under another challenge, and two proofs give the bits away. Here
/// equal randomness needs an equal statement and equal secrets, hence an equal proof.
fn hedged(
    values: &[u64],
    blindings: &[Scalar],
    transcript: &Transcript,
    rng: &mut impl CryptoRngCore,
) -> ChaCha20Rng {
    let mut witness = Zeroizing::new(Vec::with_capacity(values.len() * 40));
    for (value, blinding) in values.iter().zip(blindings) {
        witness.extend_from_slice(&value.to_le_bytes());
        witness.extend_from_slice(blinding.as_bytes());
    }
    let mut seed = Zeroizing::new([0u8; 32]);
    transcript
        .build_rng()
        .rekey_with_witness_bytes(b"openings", &witness)
        .finalize(rng)
        .fill_bytes(&mut *seed);
    ChaCha20Rng::from_seed(*seed)
}

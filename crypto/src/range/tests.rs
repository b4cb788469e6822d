//! The `bulletproofs` crate is the oracle: each side accepts the other's proofs, and both refuse the same changes.

#![allow(clippy::arithmetic_side_effects, reason = "small numbers")]

use super::*;
use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use curve25519_dalek::{ristretto::RistrettoPoint, traits::Identity};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, RngCore, SeedableRng};

type Commitments = Vec<CompressedRistretto>;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn transcript() -> Transcript {
    Transcript::new(b"range tests")
}

/// Values of every size that fits, the extremes first.
fn openings(width: Width, count: usize, rng: &mut impl RngCore) -> (Vec<u64>, Vec<Scalar>, Commitments) {
    let values: Vec<u64> = [0, width.max()]
        .into_iter()
        .chain(std::iter::repeat_with(|| rng.next_u64() & width.max()))
        .take(count)
        .collect();
    let blindings: Vec<Scalar> = (0..count as u64).map(|i| Scalar::from(i + 7).invert()).collect();
    let bases = PedersenGens::default();
    let commitments =
        values.iter().zip(&blindings).map(|(v, r)| bases.commit(Scalar::from(*v), *r).compress()).collect();
    (values, blindings, commitments)
}

/// The crate's verdict; padding is the caller's business there.
fn crate_accepts(width: Width, commitments: &[CompressedRistretto], proof: &[u8]) -> bool {
    let mut commitments = commitments.to_vec();
    commitments.resize(commitments.len().next_power_of_two(), CompressedRistretto::identity());
    let generators = BulletproofGens::new(width.bits(), commitments.len());
    RangeProof::from_bytes(proof).is_ok_and(|proof| {
        let (bases, n) = (PedersenGens::default(), width.bits());
        proof
            .verify_multiple_with_rng(&generators, &bases, &mut transcript(), &commitments, n, &mut OsRng)
            .is_ok()
    })
}

fn ours(width: Width, commitments: &[CompressedRistretto], proof: &[u8]) -> Result<(), RangeError> {
    verify(width, commitments, proof, &mut transcript())
}

/// A proof of ours and what it is about.
fn sample(width: Width, count: usize, seed: u64) -> (Commitments, Vec<u8>) {
    let (values, blindings, commitments) = openings(width, count, &mut rng(seed));
    let proof = prove(width, &values, &blindings, &mut transcript(), &mut rng(seed)).unwrap();
    (commitments, proof)
}

#[test]
fn both_accept_our_proofs_of_every_width_and_number() {
    for width in Width::ALL {
        for count in [1, 2, 3, 4, 5, 8, 17] {
            let (commitments, proof) = sample(width, count, 1);
            assert_eq!(ours(width, &commitments, &proof), Ok(()), "{width:?} {count}");
            assert!(crate_accepts(width, &commitments, &proof), "{width:?} {count}");
        }
    }
}

#[test]
fn we_accept_the_crates_proofs_and_end_in_the_same_transcript() {
    for (width, count) in
        [(Width::Bits8, 1), (Width::Bits8, 64), (Width::Bits16, 8), (Width::Bits32, 4), (Width::Bits64, 2)]
    {
        let (values, blindings, _) = openings(width, count, &mut rng(2));
        let generators = BulletproofGens::new(width.bits(), count);
        let (bases, mut theirs, n) = (PedersenGens::default(), transcript(), width.bits());
        let (proof, commitments) = RangeProof::prove_multiple_with_rng(
            &generators,
            &bases,
            &mut theirs,
            &values,
            &blindings,
            n,
            &mut rng(3),
        )
        .unwrap();
        let mut mine = transcript();
        assert_eq!(verify(width, &commitments, &proof.to_bytes(), &mut mine), Ok(()));
        let mut again = transcript();
        prove(width, &values, &blindings, &mut again, &mut rng(3)).unwrap();
        let [mut a, mut b] = [[0u8; 32]; 2];
        theirs.challenge_bytes(b"end", &mut a);
        mine.challenge_bytes(b"end", &mut b);
        assert_eq!(a, b);
    }
}

#[test]
fn threads_change_nothing() {
    let (values, blindings, commitments) = openings(Width::Bits16, 32, &mut rng(4));
    let prove_with = |threads: usize| {
        let threads = NonZeroUsize::new(threads).unwrap();
        prove_on(threads, Width::Bits16, &values, &blindings, &mut transcript(), &mut rng(4)).unwrap()
    };
    let proof = prove_with(1);
    assert_eq!(proof, prove_with(2));
    assert_eq!(proof, prove_with(5));
    assert_eq!(ours(Width::Bits16, &commitments, &proof), Ok(()));
}

#[test]
fn every_flipped_bit_gets_the_crates_verdict() {
    let (commitments, proof) = sample(Width::Bits8, 3, 5);
    let mut random = rng(6);
    for round in 0..400 {
        let mut changed = proof.clone();
        let byte = if round < proof.len() { round } else { random.next_u32() as usize % proof.len() };
        changed[byte] ^= 1 << (random.next_u32() % 8);
        let verdict = ours(Width::Bits8, &commitments, &changed);
        assert!(verdict.is_err(), "byte {byte}");
        assert!(!crate_accepts(Width::Bits8, &commitments, &changed), "byte {byte}");
    }
}

#[test]
fn replaced_words_get_the_crates_verdict() {
    let (commitments, proof) = sample(Width::Bits8, 2, 7);
    let words = proof.len() / 32;
    let canonical_point = RistrettoPoint::mul_base(&Scalar::from(3u64)).compress().to_bytes();
    let replacements =
        [[0u8; 32], [0xff; 32], canonical_point, Scalar::ONE.to_bytes(), (-Scalar::ONE).to_bytes()];
    for word in 0..words {
        for replacement in replacements {
            let mut changed = proof.clone();
            changed[word * 32..][..32].copy_from_slice(&replacement);
            assert!(ours(Width::Bits8, &commitments, &changed).is_err(), "word {word}");
            assert!(!crate_accepts(Width::Bits8, &commitments, &changed), "word {word}");
        }
        for other in 0..word {
            let mut changed = proof.clone();
            changed.copy_within(word * 32..word * 32 + 32, other * 32);
            assert!(ours(Width::Bits8, &commitments, &changed).is_err(), "word {word} over {other}");
            assert!(!crate_accepts(Width::Bits8, &commitments, &changed), "word {word} over {other}");
        }
    }
}

#[test]
fn the_identity_is_refused_for_every_point_of_the_proof() {
    let (commitments, proof) = sample(Width::Bits8, 2, 8);
    let pairs = (proof.len() / 32 - 9) / 2;
    let points = (0..4).chain(7..7 + 2 * pairs);
    for word in points {
        let mut changed = proof.clone();
        changed[word * 32..][..32].fill(0);
        assert_eq!(ours(Width::Bits8, &commitments, &changed), Err(RangeError::Point), "word {word}");
        assert!(!crate_accepts(Width::Bits8, &commitments, &changed));
    }
}

#[test]
fn encodings_that_are_not_canonical_are_named() {
    let (commitments, proof) = sample(Width::Bits8, 2, 9);
    // ℓ itself, and a scalar plus ℓ.
    let order: [u8; 32] = {
        let mut bytes = (-Scalar::ONE).to_bytes();
        bytes[0] += 1;
        bytes
    };
    let last = proof.len() / 32 - 1;
    for word in [4, 5, 6, last - 1, last] {
        let mut changed = proof.clone();
        changed[word * 32..][..32].copy_from_slice(&order);
        assert_eq!(ours(Width::Bits8, &commitments, &changed), Err(RangeError::Scalar));
    }
    let mut changed = proof.clone();
    changed[..32].fill(0xff);
    assert_eq!(ours(Width::Bits8, &commitments, &changed), Err(RangeError::Point));
    let mut bad = commitments;
    bad[1] = CompressedRistretto([0xff; 32]);
    assert_eq!(ours(Width::Bits8, &bad, &proof), Err(RangeError::Point));
}

#[test]
fn lengths_come_first() {
    let (commitments, proof) = sample(Width::Bits8, 2, 10);
    for length in (0..proof.len()).chain(proof.len() + 1..proof.len() + 70) {
        let mut changed = vec![0xff; length];
        let common = length.min(proof.len());
        changed[..common].copy_from_slice(&proof[..common]);
        let verdict = ours(Width::Bits8, &commitments, &changed);
        assert_eq!(verdict, Err(RangeError::Length { found: length, expected: proof.len() }));
    }
    assert_eq!(ours(Width::Bits8, &[], &proof), Err(RangeError::Empty));
    for width in Width::ALL {
        let (count, maximum) = (width.max_values() + 1, width.max_values());
        let many = vec![CompressedRistretto::identity(); count];
        assert_eq!(ours(width, &many, &proof), Err(RangeError::TooMany { count, maximum }));
    }
    assert_eq!(Width::Bits8.max_values(), MAX_VALUES);
}

#[test]
fn a_proof_is_bound_to_transcript_commitments_width_and_number() {
    let (commitments, proof) = sample(Width::Bits16, 4, 11);
    let other = verify(Width::Bits16, &commitments, &proof, &mut Transcript::new(b"elsewhere"));
    assert_eq!(other, Err(RangeError::Equation));
    let mut swapped = commitments.clone();
    swapped.swap(0, 1);
    assert_eq!(ours(Width::Bits16, &swapped, &proof), Err(RangeError::Equation));
    // Three of four: the length is that of four, the filler must be zero.
    assert_eq!(ours(Width::Bits16, &commitments[..3], &proof), Err(RangeError::Equation));
    // As many bits in all under other widths: the length is right.
    let eight: Vec<_> = commitments.iter().chain(&commitments).copied().collect();
    assert_eq!(ours(Width::Bits8, &eight, &proof), Err(RangeError::Equation));
    assert_eq!(ours(Width::Bits32, &commitments[..2], &proof), Err(RangeError::Equation));
}

#[test]
fn filler_that_is_not_zero_is_refused() {
    let (values, blindings, commitments) = openings(Width::Bits8, 4, &mut rng(12));
    // A proof for four, presented for three, fails unless the fourth is zero under zero blinding.
    let proof = prove(Width::Bits8, &values, &blindings, &mut transcript(), &mut rng(1)).unwrap();
    assert_eq!(ours(Width::Bits8, &commitments[..3], &proof), Err(RangeError::Equation));
    let (mut values, mut blindings) = (values, blindings);
    (values[3], blindings[3]) = (0, Scalar::ZERO);
    let proof = prove(Width::Bits8, &values, &blindings, &mut transcript(), &mut rng(1)).unwrap();
    assert_eq!(ours(Width::Bits8, &commitments[..3], &proof), Ok(()));
}

#[test]
fn the_prover_refuses_what_does_not_fit() {
    let attempt = |width, values: &[u64], blindings: usize| {
        prove(width, values, &vec![Scalar::ONE; blindings], &mut transcript(), &mut OsRng).unwrap_err()
    };
    assert_eq!(attempt(Width::Bits8, &[1, 256], 2), RangeError::ValueOutOfRange { index: 1, most: 255 });
    assert_eq!(
        attempt(Width::Bits32, &[1 << 32], 1),
        RangeError::ValueOutOfRange { index: 0, most: u64::from(u32::MAX) }
    );
    assert_eq!(attempt(Width::Bits8, &[1, 2], 1), RangeError::Mismatch { values: 2, blindings: 1 });
    assert_eq!(attempt(Width::Bits8, &[], 0), RangeError::Empty);
    assert!(matches!(attempt(Width::Bits64, &vec![0; 1025], 1025), RangeError::TooMany { .. }));
}

#[test]
fn negative_and_overflowing_values_have_no_proof() {
    // Whoever forces the prover's arithmetic still proves only the low bits: the commitment is to something else.
    let bases = PedersenGens::default();
    for value in [-Scalar::ONE, Scalar::from(256u64)] {
        let low = value.as_bytes()[0];
        let proof =
            prove(Width::Bits8, &[u64::from(low)], &[Scalar::ONE], &mut transcript(), &mut rng(13)).unwrap();
        let commitment = bases.commit(value, Scalar::ONE).compress();
        assert_eq!(ours(Width::Bits8, &[commitment], &proof), Err(RangeError::Equation));
    }
}

/// A generator that is broken: always the same bytes.
struct Broken;
impl CryptoRng for Broken {}
impl RngCore for Broken {
    fn next_u32(&mut self) -> u32 {
        4
    }
    fn next_u64(&mut self) -> u64 {
        4
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(4);
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

#[test]
fn a_broken_generator_does_not_repeat_a_and_s() {
    let prove = |value, blinding: u64, label: &'static [u8]| {
        prove(Width::Bits8, &[value], &[Scalar::from(blinding)], &mut Transcript::new(label), &mut Broken)
            .unwrap()
    };
    let first = prove(5, 6, b"one");
    assert_eq!(first, prove(5, 6, b"one"));
    for other in [prove(5, 6, b"two"), prove(5, 7, b"one"), prove(4, 6, b"one")] {
        assert_ne!(first[..32], other[..32]);
        assert_ne!(first[32..64], other[32..64]);
    }
}

#[test]
fn one_bad_proof_among_many_fails_the_check() {
    let widths = [Width::Bits8, Width::Bits64, Width::Bits8, Width::Bits32];
    let samples: Vec<_> = widths.iter().zip(1..).map(|(w, i)| (*w, sample(*w, i, i as u64))).collect();
    let joined = |change: Option<usize>| {
        let mut check = Check::new(&mut rng(14));
        for (i, (width, (commitments, proof))) in samples.iter().enumerate() {
            let mut proof = proof.clone();
            if change == Some(i) {
                let tau = Scalar::from_canonical_bytes(proof[160..192].try_into().unwrap()).unwrap();
                proof[160..192].copy_from_slice((tau + Scalar::ONE).as_bytes());
            }
            accumulate(*width, commitments, &proof, &mut transcript(), &mut check).unwrap();
        }
        check.finish()
    };
    assert_eq!(joined(None), Ok(()));
    for i in 0..samples.len() {
        assert_eq!(joined(Some(i)), Err(RangeError::Equation));
    }
}

/// Attack 10, as it is written: one bad proof among 1,000 good ones, in one multiplication.
#[test]
fn one_bad_proof_among_a_thousand_fails_the_check() {
    let samples: Vec<_> = (0..20).map(|seed| sample(Width::Bits8, 1, 100 + seed)).collect();
    let joined = |bad: Option<usize>| {
        let mut check = Check::new(&mut rng(17));
        for i in 0..1000 {
            let (commitments, proof) = &samples[i % samples.len()];
            let mut proof = proof.clone();
            if bad == Some(i) {
                let at = proof.len() - 32;
                let b = Scalar::from_canonical_bytes(proof[at..].try_into().unwrap()).unwrap();
                proof[at..].copy_from_slice((b + Scalar::ONE).as_bytes());
            }
            accumulate(Width::Bits8, commitments, &proof, &mut transcript(), &mut check).unwrap();
        }
        check.finish()
    };
    assert_eq!(joined(None), Ok(()));
    assert_eq!(joined(Some(617)), Err(RangeError::Equation));
}

#[test]
fn errors_that_would_cancel_do_not() {
    // The last scalars are free of the transcript: equal weights would let +1 in one proof pay for -1 in its twin.
    let (commitments, proof) = sample(Width::Bits8, 2, 15);
    for broken in [false, true] {
        let mut check = if broken { Check::new(&mut Broken) } else { Check::new(&mut OsRng) };
        for error in [Scalar::ONE, -Scalar::ONE] {
            let mut changed = proof.clone();
            let at = changed.len() - 64;
            let a = Scalar::from_canonical_bytes(changed[at..at + 32].try_into().unwrap()).unwrap();
            changed[at..at + 32].copy_from_slice((a + error).as_bytes());
            accumulate(Width::Bits8, &commitments, &changed, &mut transcript(), &mut check).unwrap();
        }
        assert_eq!(check.finish(), Err(RangeError::Equation));
    }
}

#[test]
fn a_refused_proof_leaves_the_check_as_it_was() {
    let (commitments, proof) = sample(Width::Bits8, 2, 16);
    let mut check = Check::new(&mut OsRng);
    accumulate(Width::Bits8, &commitments, &proof, &mut transcript(), &mut check).unwrap();
    let mut changed = proof.clone();
    changed[32..64].fill(0xff);
    assert!(accumulate(Width::Bits8, &commitments, &changed, &mut transcript(), &mut check).is_err());
    assert_eq!(check.finish(), Ok(()));
    assert_eq!(Check::new(&mut OsRng).finish(), Ok(()));
}

#[test]
fn widths() {
    for (max, width) in [
        (0, 8),
        (255, 8),
        (256, 16),
        (65_535, 16),
        (65_536, 32),
        (u64::from(u32::MAX), 32),
        (1 << 32, 64),
        (u64::MAX, 64),
    ] {
        assert_eq!(Width::smallest_for(max).bits(), width, "{max}");
    }
    assert_eq!(borsh::to_vec(&Width::ALL).unwrap(), [0, 1, 2, 3]);
}

/// As many values as one proof may have are still one proof's.
#[test]
fn the_most_values_are_not_too_many() {
    for width in Width::ALL {
        let maximum = width.max_values();
        assert_eq!(padded(width, maximum), Ok(maximum));
        assert_eq!(padded(width, maximum + 1), Err(RangeError::TooMany { count: maximum + 1, maximum }));
    }
}

//! What is public is in the transcript before a challenge is drawn: whatever is changed, the next challenge is another. An
//! honest prover would not notice the omission, since both sides omit the same (the "frozen heart" forgeries).

use super::*;
use crate::range::{Check, Layout, accumulate_packed, prove_packed};
use pieces::{absorb_proof, fork};

fn end(mut transcript: Transcript) -> Scalar {
    challenge_scalar(&mut transcript, b"end")
}

/// The bounds of a packed proof: the same proof read under others leads to other challenges.
#[test]
fn packed_ranges_absorb_their_bounds_and_number() {
    let prover = Layout::packed(vec![5, 9]).unwrap();
    let witness: (&[u64], &[Scalar]) = (&[1, 2], &[Scalar::ONE, Scalar::ONE]);
    let mut transcript = Transcript::new(b"test");
    let proof = prove_packed(NonZeroUsize::MIN, &prover, witness, &mut transcript, &mut OsRng).unwrap();
    let after = |bounds: Vec<u64>| {
        let (mut transcript, mut check) = (Transcript::new(b"test"), Check::new(&mut OsRng));
        let layout = Layout::packed(bounds).unwrap();
        accumulate_packed(&layout, &proof, &mut transcript, &mut check).unwrap();
        end(transcript)
    };
    assert_eq!(after(vec![5, 9]), after(vec![5, 9]));
    for other in [vec![9, 5], vec![5, 10], vec![5], vec![5, 9, 1]] {
        assert_ne!(after(vec![5, 9]), after(other.clone()), "{other:?}");
    }
}

#[test]
fn relations_absorb_bounds_and_quantities() {
    let [p, q] = [3u64, 4].map(|v| Element::from(&pedersen::value(&Scalar::from(v))));
    let after = |ranges: &[(u64, &Element)]| {
        let mut relation = Relation::new(Suite::Packed, b"test");
        for (most, element) in ranges {
            relation.in_range(Bound::Exactly(*most), &Committed::sealed((*element).clone()));
        }
        let mut transcript = Transcript::new(b"test");
        relation.absorb_ranges(&mut transcript);
        end(transcript)
    };
    let honest = after(&[(7, &p), (9, &q)]);
    assert_eq!(honest, after(&[(7, &p), (9, &q)]));
    for other in [after(&[(8, &p), (9, &q)]), after(&[(7, &p), (9, &p)]), after(&[(7, &p)])] {
        assert_ne!(honest, other);
    }
}

#[test]
fn pieces_have_transcripts_of_their_own_and_proofs_are_absorbed() {
    let transcript = Transcript::new(b"test");
    assert_ne!(end(fork(&transcript, 0)), end(fork(&transcript, 1)));
    assert_ne!(end(fork(&transcript, 0)), end(transcript.clone()));
    let after = |proof: &[u8]| {
        let mut transcript = transcript.clone();
        absorb_proof(&mut transcript, proof);
        end(transcript)
    };
    assert_ne!(after(b"one"), after(b"two"));
}

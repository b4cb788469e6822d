//! Tests.

mod binding;
mod merged;
mod rows;

use super::*;
use crate::{
    encoding,
    pedersen::{self, Opening},
    secret::SecretBytes,
    view_key::ViewKey,
};
use rand_core::OsRng;
use std::num::NonZeroUsize;

/// A small relation with all three kinds of requirement: `x = w·h`, `0 <= w <= 100`, `x < 2^32`, handles of `x`.
fn relation<W: Witness>(
    suite: Suite,
    quantities: &[Committed<W>],
    [viewer, handle]: [&Element; 2],
    transcript: &mut Transcript,
) -> Relation<W> {
    for q in quantities {
        transcript.append_message(b"q", q.encoded().as_bytes());
    }
    let [w, h, x] = [&quantities[0], &quantities[1], &quantities[2]];
    let mut relation = Relation::new(suite, b"test");
    relation.products(transcript, &[h], &[(w, vec![x.clone()])]);
    relation.handles(transcript, std::slice::from_ref(viewer), &[(x, std::slice::from_ref(handle))]);
    relation.in_range(Bound::Exactly(100), w);
    relation.in_range(Bound::Roughly(1 << 31), x);
    relation
}

struct Case {
    suite: Suite,
    quantities: Vec<Committed<Opening>>,
    viewer: Element,
    handle: Element,
}

impl Case {
    fn new(suite: Suite, w: u64, h: u64, x: u64) -> Self {
        let quantities: Vec<_> =
            [w, h, x].iter().map(|v| Committed::open(Opening::random(*v, &mut OsRng))).collect();
        let key = ViewKey::from_seed(&SecretBytes::random(&mut OsRng)).public();
        let handle = Element::from(&key.handle(&quantities[2].opening().blinding));
        Self { suite, quantities, viewer: Element::from(&key.point()), handle }
    }

    fn prove(&self) -> Result<Proofs, RelationError> {
        let mut transcript = Transcript::new(b"test");
        let relation = relation(self.suite, &self.quantities, [&self.viewer, &self.handle], &mut transcript);
        relation.prove(NonZeroUsize::MIN, &mut transcript, &mut OsRng)
    }

    fn sealed(&self) -> (Relation<()>, Transcript) {
        let sealed: Vec<_> =
            self.quantities.iter().map(|q| Committed::sealed(Element::from(&q.point()))).collect();
        let mut transcript = Transcript::new(b"test");
        let relation = relation(self.suite, &sealed, [&self.viewer, &self.handle], &mut transcript);
        (relation, transcript)
    }

    fn verify(&self, proofs: &Proofs) -> Result<(), RelationError> {
        let (relation, transcript) = self.sealed();
        relation.verify(&transcript, proofs, &mut OsRng)
    }
}

#[test]
fn a_true_relation_verifies() {
    for suite in Suite::ALL {
        let case = Case::new(suite, 30, 1_000, 30_000);
        assert_eq!(case.verify(&case.prove().unwrap()), Ok(()), "{suite:?}");
        let most = Case::new(suite, 100, 1_000, 100_000);
        assert_eq!(most.verify(&most.prove().unwrap()), Ok(()), "{suite:?}");
    }
}

#[test]
fn a_false_product_is_the_sigma_proofs_fault() {
    for suite in Suite::ALL {
        let case = Case::new(suite, 30, 1_000, 30_001);
        let refused = Err(RelationError::Sigma(ProofError::Equation));
        assert_eq!(case.verify(&case.prove().unwrap()), refused);
    }
}

#[test]
fn a_foreign_handle_is_the_sigma_proofs_fault() {
    for suite in Suite::ALL {
        let mut case = Case::new(suite, 30, 1_000, 30_000);
        case.handle = Element::from(&(case.handle.point() + pedersen::value_base()));
        let refused = Err(RelationError::Sigma(ProofError::Equation));
        assert_eq!(case.verify(&case.prove().unwrap()), refused);
    }
}

/// One above the bound has no proof; one that is made for the largest value does not verify for it.
#[test]
fn a_value_above_its_bound_cannot_be_proven() {
    for suite in Suite::ALL {
        let case = Case::new(suite, 101, 1_000, 101_000);
        let error = case.prove().unwrap_err();
        assert!(matches!(error, RelationError::Range(0, RangeError::ValueOutOfRange { .. })), "{error}");
        let mut transcript = Transcript::new(b"test");
        let relation = relation(suite, &case.quantities, [&case.viewer, &case.handle], &mut transcript);
        let sigma = relation.prove_sigma(&mut transcript, &mut OsRng);
        let nearest = |most: u64, opening: &Opening| Some(opening.amount().unwrap_or(0).min(most));
        let ranges = relation.prove_ranges(NonZeroUsize::MIN, &mut transcript, &mut OsRng, nearest).unwrap();
        assert_eq!(
            case.verify(&Proofs { sigma, ranges }),
            Err(RelationError::Range(0, RangeError::Equation)),
            "{suite:?}"
        );
    }
}

#[test]
fn proofs_of_another_relation_or_suite_are_refused() {
    for suite in Suite::ALL {
        let (a, b) = (Case::new(suite, 30, 1_000, 30_000), Case::new(suite, 30, 1_000, 30_000));
        let (proof_a, mut mixed) = (a.prove().unwrap(), b.prove().unwrap());
        assert_eq!(b.verify(&proof_a), Err(RelationError::Sigma(ProofError::Equation)));
        let last = mixed.ranges.len() - 1;
        mixed.ranges[last] = proof_a.ranges[last].clone();
        assert_eq!(b.verify(&mixed), Err(RelationError::Range(last, RangeError::Equation)));
        mixed.ranges.pop();
        assert_eq!(b.verify(&mixed), Err(RelationError::Count { found: last, expected: last + 1 }));
        let other = Suite::ALL.into_iter().find(|other| *other != suite).unwrap();
        let moved = Case { suite: other, ..a };
        assert!(moved.verify(&proof_a).is_err());
    }
}

/// Attack 10: one bad relation among many good ones is named, whatever is wrong with it, and the others stand.
#[test]
fn the_guilty_are_named_among_many() {
    let cases: Vec<_> = (0..12).map(|i| Case::new(Suite::ALL[i % 2], 30, 1_000, 30_000)).collect();
    let honest: Vec<_> = cases.iter().map(|case| case.prove().unwrap()).collect();
    let sealed: Vec<_> = cases.iter().map(Case::sealed).collect();
    let verdicts = |proofs: &[Proofs], threads: usize| {
        let claims: Vec<_> = sealed.iter().zip(proofs).map(|((r, t), p)| Claim::new(r, t, p)).collect();
        verify_all(NonZeroUsize::new(threads).unwrap(), &claims, &mut OsRng)
    };
    assert!(verdicts(&honest, 2).iter().all(Result::is_ok));
    assert!(verify_all(NonZeroUsize::MIN, &[], &mut OsRng).is_empty());
    for guilty in [vec![0], vec![11], vec![3, 4, 10]] {
        let mut proofs = honest.clone();
        for i in &guilty {
            // The last scalar: in no transcript, so only the equation can tell.
            let bytes = proofs[*i].ranges.last_mut().unwrap();
            let at = bytes.len() - 32;
            let b = encoding::scalar(bytes[at..].try_into().unwrap()).unwrap() + Scalar::ONE;
            bytes[at..].copy_from_slice(b.as_bytes());
        }
        proofs[7].sigma.pop();
        for threads in [1, 2, 5] {
            for (i, verdict) in verdicts(&proofs, threads).into_iter().enumerate() {
                let expected = match i {
                    7 => Err(RelationError::Sigma(ProofError::Length)),
                    i if guilty.contains(&i) => {
                        let last = honest[i].ranges.len() - 1;
                        Err(RelationError::Range(last, RangeError::Equation))
                    }
                    _ => Ok(()),
                };
                assert_eq!(verdict, expected, "{i} of {guilty:?} on {threads} threads");
            }
        }
    }
}

/// Many quantities of all sizes fill several pieces; a bound is kept to the unit in each.
#[test]
fn pieces_keep_every_bound() {
    let mosts: Vec<u64> = (0..700).map(|i| [1, 7, 100, 198, 5_000_000, 1 << 26, u64::MAX][i % 7]).collect();
    let build = |quantities: &[Committed<Opening>]| {
        let mut relation = Relation::new(Suite::Packed, b"many");
        quantities.iter().zip(&mosts).for_each(|(q, most)| relation.in_range(Bound::Exactly(*most), q));
        relation
    };
    let quantities: Vec<_> =
        mosts.iter().map(|most| Committed::open(Opening::random(*most, &mut OsRng))).collect();
    let relation = build(&quantities);
    assert!(relation.pieces().len() > 1);
    let covered: Vec<usize> = relation.pieces().into_iter().flat_map(|piece| piece.ranges).collect();
    assert!(covered.into_iter().eq(0..mosts.len()), "every range is in one piece, in order");
    let threads = NonZeroUsize::new(2).unwrap();
    let proofs = relation.prove(threads, &mut Transcript::new(b"test"), &mut OsRng).unwrap();
    let verify = |quantities: &[Committed<Opening>]| {
        let mut sealed = Relation::new(Suite::Packed, b"many");
        for (q, most) in quantities.iter().zip(&mosts) {
            sealed.in_range(Bound::Exactly(*most), &Committed::sealed(Element::from(&q.point())));
        }
        sealed.verify(&Transcript::new(b"test"), &proofs, &mut OsRng)
    };
    assert_eq!(verify(&quantities), Ok(()));
    let mut above = quantities.clone();
    // In the last piece.
    let last = &mut above[697];
    *last = last.plus(&Committed::constant(1));
    assert!(verify(&above).is_err());
}

/// A wrong length is seen before anything is decompressed, wherever it stands: here behind a point that is none.
#[test]
fn all_lengths_are_checked_before_any_point() {
    for suite in Suite::ALL {
        let case = Case::new(suite, 30, 1_000, 30_000);
        let mut proofs = case.prove().unwrap();
        proofs.sigma[..32].fill(0xff);
        assert_eq!(case.verify(&proofs), Err(RelationError::Sigma(ProofError::Encoding)), "{suite:?}");
        let last = proofs.ranges.len() - 1;
        let expected = proofs.ranges[last].len();
        for found in [0, expected - 32, expected + 64] {
            proofs.ranges[last].resize(found, 0);
            let refused = RelationError::Range(last, RangeError::Length { found, expected });
            assert_eq!(case.verify(&proofs), Err(refused), "{suite:?}");
        }
    }
}

/// 12,800 bits: a full piece, then what is left in pieces that waste little.
#[test]
fn pieces_are_filled() {
    let mut relation = Relation::<()>::new(Suite::Packed, b"many");
    for _ in 0..200 {
        relation.in_range(
            Bound::Roughly(u64::MAX),
            &Committed::sealed(Element::from(&crate::pedersen::value_base())),
        );
    }
    let sizes: Vec<_> = relation.pieces().iter().map(|piece| piece.ranges.len() * 64).collect();
    assert_eq!(sizes, [8_192, 4_096, 512]);
}

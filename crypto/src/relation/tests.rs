//! Tests.

use super::*;
use crate::{secret::SecretBytes, view_key::ViewKey};
use rand_core::OsRng;

/// A small relation with all three kinds of requirement: `x = w·h`, `0 <= w <= 100`, `x < 2^32`, handles of `x`.
fn relation<W: Witness>(
    quantities: &[Committed<W>],
    viewer: RistrettoPoint,
    handle: RistrettoPoint,
    transcript: &mut Transcript,
) -> Relation<W> {
    for q in quantities {
        transcript.append_message(b"q", q.encoded().as_bytes());
    }
    let [w, h, x] = [&quantities[0], &quantities[1], &quantities[2]];
    let mut relation = Relation::new(b"test");
    relation.products(transcript, [h], &[(w, [x.clone()])]);
    relation.handles(transcript, &[viewer], &[(x, &[handle])]);
    relation.between_zero_and(&Committed::constant(100), Width::Bits8, w);
    relation.in_range(Width::Bits32, x.clone());
    relation
}

struct Case {
    quantities: Vec<Committed<Opening>>,
    viewer: RistrettoPoint,
    handle: RistrettoPoint,
}

impl Case {
    fn new(w: u64, h: u64, x: u64) -> Self {
        let quantities: Vec<_> =
            [w, h, x].iter().map(|v| Committed::open(Opening::random(*v, &mut OsRng))).collect();
        let key = ViewKey::from_seed(&SecretBytes::random(&mut OsRng)).public();
        let handle = key.handle(&quantities[2].opening().blinding);
        Self { quantities, viewer: key.point(), handle }
    }

    fn prove(&self) -> Result<Proofs, RelationError> {
        let mut transcript = Transcript::new(b"test");
        let relation = relation(&self.quantities, self.viewer, self.handle, &mut transcript);
        relation.prove(&mut transcript, &mut OsRng)
    }

    fn verify(&self, proofs: &Proofs) -> Result<(), RelationError> {
        let sealed: Vec<_> = self.quantities.iter().map(|q| Committed::sealed(q.point())).collect();
        let mut transcript = Transcript::new(b"test");
        let relation = relation(&sealed, self.viewer, self.handle, &mut transcript);
        relation.verify(&transcript, proofs, &mut OsRng)
    }
}

#[test]
fn a_true_relation_verifies() {
    let case = Case::new(30, 1_000, 30_000);
    assert_eq!(case.verify(&case.prove().unwrap()), Ok(()));
}

#[test]
fn a_false_product_is_the_sigma_proofs_fault() {
    let case = Case::new(30, 1_000, 30_001);
    let refused = Err(RelationError::Sigma(ProofError::Equation));
    assert_eq!(case.verify(&case.prove().unwrap()), refused);
}

#[test]
fn a_foreign_handle_is_the_sigma_proofs_fault() {
    let mut case = Case::new(30, 1_000, 30_000);
    case.handle += pedersen::value_base();
    let refused = Err(RelationError::Sigma(ProofError::Equation));
    assert_eq!(case.verify(&case.prove().unwrap()), refused);
}

#[test]
fn a_value_out_of_range_cannot_be_proven() {
    let error = Case::new(101, 1_000, 101_000).prove().unwrap_err();
    assert!(
        matches!(error, RelationError::Range(Width::Bits8, RangeError::ValueOutOfRange { .. })),
        "{error}"
    );
}

#[test]
fn proofs_of_another_relation_are_refused() {
    let (a, b) = (Case::new(30, 1_000, 30_000), Case::new(30, 1_000, 30_000));
    let (proof_a, mut mixed) = (a.prove().unwrap(), b.prove().unwrap());
    assert_eq!(b.verify(&proof_a), Err(RelationError::Sigma(ProofError::Equation)));
    mixed.ranges[1] = proof_a.ranges[1].clone();
    assert_eq!(b.verify(&mixed), Err(RelationError::Range(Width::Bits32, RangeError::Equation)));
    mixed.ranges.pop();
    assert_eq!(b.verify(&mixed), Err(RelationError::Widths));
}

#[test]
fn multiples_by_doubling_are_multiples() {
    let p = RistrettoPoint::random(&mut OsRng);
    for factor in [0, 1, 2, 3, 100, 65_535, u64::MAX] {
        assert_eq!(multiple(p, factor), p * Scalar::from(factor));
    }
}

//! Rows, bases, viewers and owners: each of several is held to its equation, and a bound to its number of bits.

use super::*;

fn open(v: u64) -> Committed<Opening> {
    Committed::open(Opening::random(v, &mut OsRng))
}

fn seal(q: &Committed<Opening>) -> Committed<()> {
    Committed::sealed(Element::from(&q.point()))
}

fn view_key() -> Element {
    Element::from(&ViewKey::from_seed(&SecretBytes::random(&mut OsRng)).public().point())
}

/// The verdict on a relation that both sides build with `build`, given quantities of their own kind.
macro_rules! verdict {
    ($build:ident, $quantities:expr, $($argument:expr),*) => {{
        let quantities: Vec<Committed<Opening>> = $quantities;
        let sealed: Vec<Committed<()>> = quantities.iter().map(seal).collect();
        let mut transcript = Transcript::new(b"rows");
        let open = $build(&quantities, &mut transcript, $($argument),*);
        let mut theirs = transcript.clone();
        let proofs = open.prove(NonZeroUsize::MIN, &mut transcript, &mut OsRng).unwrap();
        let mut again = Transcript::new(b"rows");
        let closed = $build(&sealed, &mut again, $($argument),*);
        assert_eq!(challenge_scalar(&mut theirs, b"x"), challenge_scalar(&mut again.clone(), b"x"));
        closed.verify(&again, &proofs, &mut OsRng)
    }};
}

/// Quantities: two factors, two bases, then the images of the first row and of the second.
fn products<W: Witness>(q: &[Committed<W>], transcript: &mut Transcript) -> Relation<W> {
    let mut relation = Relation::new(Suite::Packed, b"rows");
    let rows = [(&q[0], vec![q[4].clone(), q[5].clone()]), (&q[1], vec![q[6].clone(), q[7].clone()])];
    relation.products(transcript, &[&q[2], &q[3]], &rows);
    relation
}

#[test]
fn every_image_of_every_row_is_held_to_its_product() {
    let values = [3, 4, 10, 100, 30, 300, 40, 400];
    assert_eq!(verdict!(products, values.map(open).to_vec(),), Ok(()));
    for at in 0..values.len() {
        let mut wrong = values;
        wrong[at] += 1;
        let refused = Err(RelationError::Sigma(ProofError::Equation));
        assert_eq!(verdict!(products, wrong.map(open).to_vec(),), refused, "quantity {at}");
    }
}

fn handles<W: Witness>(
    q: &[Committed<W>],
    transcript: &mut Transcript,
    viewers: &[Element],
    handles: &[[Element; 2]; 2],
) -> Relation<W> {
    let mut relation = Relation::new(Suite::Packed, b"rows");
    relation.handles(transcript, viewers, &[(&q[0], &handles[0]), (&q[1], &handles[1])]);
    relation
}

#[test]
fn every_handle_of_every_row_is_held_to_its_viewer() {
    let (quantities, viewers) = (vec![open(1), open(2)], [view_key(), view_key()]);
    let handle = |i: usize, j: usize| Element::from(&(viewers[j].point() * quantities[i].opening().blinding));
    let good = [[handle(0, 0), handle(0, 1)], [handle(1, 0), handle(1, 1)]];
    assert_eq!(verdict!(handles, quantities.clone(), &viewers, &good), Ok(()));
    for at in 0..4 {
        let mut bad = good.clone();
        let changed = bad[at / 2][at % 2].point() + viewers[at % 2].point();
        bad[at / 2][at % 2] = Element::from(&changed);
        let refused = Err(RelationError::Sigma(ProofError::Equation));
        assert_eq!(verdict!(handles, quantities.clone(), &viewers, &bad), refused, "handle {at}");
    }
}

/// The prover's relation takes the secrets, the verifier's none.
fn owner_verdict(
    viewer: &Element,
    keys: &[(Element, Element)],
    secrets: &[Scalar],
) -> Result<(), RelationError> {
    let mut transcript = Transcript::new(b"owners");
    let mut open = Relation::<Opening>::new(Suite::Packed, b"owners");
    open.owner_keys(&mut transcript, viewer, keys, secrets);
    let proofs = open.prove(NonZeroUsize::MIN, &mut transcript, &mut OsRng).unwrap();
    let mut again = Transcript::new(b"owners");
    let mut closed = Relation::<()>::new(Suite::Packed, b"owners");
    closed.owner_keys(&mut again, viewer, keys, &[]);
    closed.verify(&again, &proofs, &mut OsRng)
}

#[test]
fn every_owner_key_is_the_viewers() {
    let viewer = view_key();
    let secrets = [Scalar::random(&mut OsRng), Scalar::random(&mut OsRng)];
    let good = secrets.map(|t| (Element::from(&pedersen::blind(&t)), Element::from(&(viewer.point() * t))));
    assert_eq!(owner_verdict(&viewer, &good, &secrets), Ok(()));
    let refused = Err(RelationError::Sigma(ProofError::Equation));
    for i in 0..2 {
        let mut foreign = good.clone();
        foreign[i].1 = Element::from(&(view_key().point() * secrets[i]));
        assert_eq!(owner_verdict(&viewer, &foreign, &secrets), refused, "key {i}");
        let mut moved = good.clone();
        moved[i].0 = Element::from(&pedersen::blind(&(secrets[i] + Scalar::ONE)));
        assert_eq!(owner_verdict(&viewer, &moved, &secrets), refused, "base {i}");
    }
}

fn bounded<W: Witness>(q: &[Committed<W>], _: &mut Transcript, suite: Suite, bound: Bound) -> Relation<W> {
    let mut relation = Relation::new(suite, b"bounds");
    relation.in_range(bound, &q[0]);
    relation
}

/// A bound of zero has no bits; it must hold all the same.
#[test]
fn at_most_zero_is_zero() {
    for suite in Suite::ALL {
        assert_eq!(verdict!(bounded, vec![open(0)], suite, Bound::Exactly(0)), Ok(()), "{suite:?}");
        let relation = bounded(&[open(1)], &mut Transcript::new(b"rows"), suite, Bound::Exactly(0));
        let proven = relation.prove(NonZeroUsize::MIN, &mut Transcript::new(b"rows"), &mut OsRng);
        assert!(matches!(proven, Err(RelationError::Range(_, RangeError::ValueOutOfRange { .. }))));
    }
}

#[test]
fn a_bound_takes_the_bits_it_says() {
    use Bound::{Exactly, Roughly};
    for (suite, bound, bits) in [
        (Suite::Widths, Exactly(255), 8),
        (Suite::Widths, Exactly(254), 16),
        (Suite::Widths, Roughly(254), 8),
        (Suite::Packed, Exactly(255), 64),
        (Suite::Packed, Roughly(0), 64),
    ] {
        let relation = bounded(&[open(0)], &mut Transcript::new(b"rows"), suite, bound);
        assert_eq!(relation.proven_bits(), bits, "{suite:?} {bound:?}");
    }
}

#[test]
fn suites_keep_their_numbers() {
    assert_eq!(Suite::ALL.map(Suite::number), [1, 2]);
    assert_eq!(Suite::ALL.map(|suite| Suite::of_number(suite.number())), Suite::ALL.map(Some));
    assert_eq!((Suite::of_number(0), Suite::of_number(3)), (None, None));
}

/// Point and opening of a combination stay together.
#[test]
fn combinations_of_commitments_open_to_combinations_of_values() {
    let (a, b) = (open(7), open(5));
    for (combined, value) in [
        (a.plus(&b), Scalar::from(12u64)),
        (a.minus(&b), Scalar::from(2u64)),
        (a.times(3), Scalar::from(21u64)),
        (a.times(-3), -Scalar::from(21u64)),
        (a.times(0), Scalar::ZERO),
        (Committed::sum([&a, &b, &b]), Scalar::from(17u64)),
        (Committed::constant(9), Scalar::from(9u64)),
        (Committed::constant(0), Scalar::ZERO),
    ] {
        assert_eq!(combined.opening().value, value);
        assert_eq!(combined.point(), combined.opening().commit());
        assert_eq!(combined.encoded(), crate::encoding::Encoded::from(&combined.point()));
    }
}

/// One factor, three bases, three images.
fn three_bases<W: Witness>(q: &[Committed<W>], transcript: &mut Transcript) -> Relation<W> {
    let mut relation = Relation::new(Suite::Packed, b"rows");
    relation.products(transcript, &[&q[1], &q[2], &q[3]], &[(&q[0], q[4..7].to_vec())]);
    relation
}

/// Bases are combined under powers of the challenge: under multiples, errors of 1, −2 and 1 would cancel.
#[test]
fn errors_of_several_bases_do_not_cancel() {
    assert_eq!(verdict!(three_bases, [2, 10, 20, 30, 20, 40, 60].map(open).to_vec(),), Ok(()));
    let refused = Err(RelationError::Sigma(ProofError::Equation));
    assert_eq!(verdict!(three_bases, [2, 10, 20, 30, 21, 38, 61].map(open).to_vec(),), refused);
}

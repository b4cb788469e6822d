//! Tests.

use super::*;
use crate::pedersen::{Opening, blinding_base, value_base};

fn transcript() -> Transcript {
    Transcript::new(b"test")
}

/// `C = v·B + r·B~` and `D = r·V`: the handle opens what is committed.
fn validity(c: RistrettoPoint, keys_and_handles: &[(RistrettoPoint, RistrettoPoint)]) -> Statement {
    let mut s = Statement::new(b"test validity");
    let [v, r] = [s.secret(), s.secret()];
    let [b, b_blinding] = [s.point(&value_base()), s.point(&blinding_base())];
    s.require(&Element::from(&c).into(), &[(v, b), (r, b_blinding)]);
    for (key, handle) in keys_and_handles {
        let key = s.point(key);
        s.require(&Element::from(handle).into(), &[(r, key)]);
    }
    s
}

fn honest() -> (Opening, Vec<(RistrettoPoint, RistrettoPoint)>) {
    let opening = Opening::random(42, &mut OsRng);
    let keys = (0..2).map(|_| RistrettoPoint::random(&mut OsRng));
    let pairs = keys.map(|key| (key, key * opening.blinding)).collect();
    (opening, pairs)
}

#[test]
fn a_true_statement_verifies_and_binds_transcript_statement_and_witness() {
    let (opening, pairs) = honest();
    let witness = [opening.value, opening.blinding];
    let statement = validity(opening.commit(), &pairs);
    let proof = statement.prove(&mut transcript(), &witness, &mut OsRng);
    assert_eq!(statement.verify(&mut transcript(), &proof), Ok(()));
    let refused = Err(ProofError::Equation);
    assert_eq!(statement.verify(&mut Transcript::new(b"other"), &proof), refused);
    let mut false_pairs = pairs.clone();
    false_pairs[1].1 = false_pairs[1].1 + false_pairs[1].0;
    let false_statement = validity(opening.commit(), &false_pairs);
    assert_eq!(false_statement.verify(&mut transcript(), &proof), refused);
    let forged = false_statement.prove(&mut transcript(), &witness, &mut OsRng);
    assert_eq!(false_statement.verify(&mut transcript(), &forged), refused);
    let shorter = validity(opening.commit(), &pairs[..1]);
    assert_eq!(shorter.verify(&mut transcript(), &proof), Err(ProofError::Length));
}

#[test]
fn prover_and_verifier_end_with_the_same_transcript() {
    let (opening, pairs) = honest();
    let statement = validity(opening.commit(), &pairs);
    let (mut a, mut b) = (transcript(), transcript());
    let proof = statement.prove(&mut a, &[opening.value, opening.blinding], &mut OsRng);
    statement.verify(&mut b, &proof).unwrap();
    assert_eq!(challenge_scalar(&mut a, b"end"), challenge_scalar(&mut b, b"end"));
}

#[test]
fn every_flipped_bit_prefix_and_suffix_is_refused() {
    let (opening, pairs) = honest();
    let statement = validity(opening.commit(), &pairs[..1]);
    let bytes = statement.prove(&mut transcript(), &[opening.value, opening.blinding], &mut OsRng).to_bytes();
    let verdict =
        |b: &[u8]| Proof::from_bytes(&statement, b).and_then(|p| statement.verify(&mut transcript(), &p));
    assert_eq!(verdict(&bytes), Ok(()));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(verdict(&flipped).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert_eq!(verdict(&bytes[..length]), Err(ProofError::Length));
    }
    assert_eq!(verdict(&[bytes, vec![0; 32]].concat()), Err(ProofError::Length));
}

/// Attack 8: a response plus the group order is the same number in another form.
#[test]
fn a_response_that_is_not_reduced_is_refused() {
    let (opening, pairs) = honest();
    let statement = validity(opening.commit(), &pairs);
    let mut bytes =
        statement.prove(&mut transcript(), &[opening.value, opening.blinding], &mut OsRng).to_bytes();
    bytes.last_mut().map(|b| *b |= 0x80).unwrap();
    assert_eq!(Proof::from_bytes(&statement, &bytes), Err(ProofError::Encoding));
}

/// Attack 11: with the same generator state, another statement gets other nonces.
#[test]
fn nonces_are_hedged_against_a_repeating_generator() {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    let (opening, pairs) = honest();
    let witness = [opening.value, opening.blinding];
    let rng = || ChaCha20Rng::seed_from_u64(5);
    let a = validity(opening.commit(), &pairs).prove(&mut transcript(), &witness, &mut rng());
    let b = validity(opening.commit(), &pairs[..1]).prove(&mut transcript(), &witness, &mut rng());
    assert_ne!(a.commitments[0], b.commitments[0]);
}

/// A check whose generator repeats must still not let a false statement through: its weights have to depend on the statement.
/// Here responses and commitments are chosen first, then the images such that their errors cancel.
#[test]
fn a_known_generator_state_does_not_help_to_cancel_two_equations() {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    let known = || Check::new(&mut ChaCha20Rng::seed_from_u64(6));
    let z = Scalar::from(7u64);
    let (b, b_blinding) = (value_base(), blinding_base());
    let commitments = vec![(b * z).compress(), (b_blinding * z).compress()];
    let proof = Proof { commitments, responses: vec![z] };
    let mut foreseen = known();
    let [first, second] = [foreseen.weight(&proof.to_bytes()), foreseen.weight(&[])];
    // Claims `second·B = s·B` and `−first·B = s·B~` for one s: false, or a discrete logarithm.
    let mut statement = Statement::new(b"test cancelling");
    let s = statement.secret();
    let [p, q] = [statement.point(&b), statement.point(&b_blinding)];
    statement.require(&Element::from(&(b * second)).into(), &[(s, p)]);
    statement.require(&Element::from(&(b * -first)).into(), &[(s, q)]);
    let (mut check, mut sum) = (known(), statement.table.sum());
    statement.accumulate_apart(&mut transcript(), &proof, &mut check, &mut sum).unwrap();
    statement.table.finish(sum, &mut check);
    assert!(check.finish().is_err(), "a false statement verifies");
}

/// Whatever is public about a statement leads to another challenge: its name, its points, its shape.
#[test]
fn the_whole_statement_is_absorbed() {
    let [p, q] = [2u64, 3].map(|v| RistrettoPoint::mul_base(&Scalar::from(v)));
    let after = |name: &'static [u8], secrets: usize, point: RistrettoPoint, pick: [usize; 2]| {
        let mut s = Statement::new(name);
        let named: Vec<_> = (0..secrets).map(|_| s.secret()).collect();
        let points = [s.point(&point), s.point(&q)];
        s.require(&Element::from(&p).into(), &[(named[pick[0]], points[pick[1]])]);
        let mut transcript = transcript();
        s.absorb(&mut transcript);
        challenge_scalar(&mut transcript, b"end")
    };
    let honest = after(b"a", 2, p, [0, 0]);
    assert_eq!(honest, after(b"a", 2, p, [0, 0]));
    for other in [
        after(b"b", 2, p, [0, 0]),
        after(b"a", 3, p, [0, 0]),
        after(b"a", 2, p + q, [0, 0]),
        after(b"a", 2, p, [1, 0]),
        after(b"a", 2, p, [0, 1]),
    ] {
        assert_ne!(honest, other);
    }
}

/// What follows depends on the responses, too.
#[test]
fn responses_are_absorbed() {
    let after = |response: Scalar| {
        let mut transcript = transcript();
        absorb_responses(&mut transcript, &[response]);
        challenge_scalar(&mut transcript, b"end")
    };
    assert_ne!(after(Scalar::ONE), after(-Scalar::ONE));
}

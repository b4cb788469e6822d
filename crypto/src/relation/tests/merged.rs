//! Checks that were filled apart and merged. Bisection would hide a wrong merge behind a slow, right verdict, so it is
//! tested here alone.

use super::*;
use crate::range::{Check, accumulate, prove};

fn check() -> Check {
    Check::new(&mut OsRng)
}

fn merged(mut one: Check, other: Check) -> Result<(), RangeError> {
    one.merge(other);
    one.finish()
}

#[test]
fn the_bases_and_points_of_both_count() {
    type Add = fn(&mut Check, Scalar);
    let bases: [(Add, _); 2] =
        [(Check::value_base, pedersen::value_base()), (Check::blinding_base, pedersen::blinding_base())];
    for (add, base) in bases {
        for (sum, expected) in [(5u64, Ok(())), (6, Err(RangeError::Equation))] {
            let (mut one, mut other) = (check(), check());
            add(&mut one, Scalar::from(2u64));
            add(&mut other, Scalar::from(3u64));
            other.point(-Scalar::from(sum), base);
            assert_eq!(merged(one, other), expected);
        }
    }
}

/// The generators' vectors are as long as the longest proof of their side.
#[test]
fn proofs_of_all_lengths_on_either_side_hold_and_a_false_one_does_not() {
    let of = |values: &[u64], error: Scalar| {
        let blindings = vec![Scalar::ONE; values.len()];
        let commitments: Vec<_> =
            values.iter().map(|v| Opening::new(*v, Scalar::ONE).commit().compress()).collect();
        let mut transcript = Transcript::new(b"merged");
        let mut proof = prove(Width::Bits8, values, &blindings, &mut transcript, &mut OsRng).unwrap();
        let at = proof.len() - 32;
        let b = encoding::scalar(proof[at..].try_into().unwrap()).unwrap() + error;
        proof[at..].copy_from_slice(b.as_bytes());
        let mut check = check();
        let mut transcript = Transcript::new(b"merged");
        accumulate(Width::Bits8, &commitments, &proof, &mut transcript, &mut check).unwrap();
        check
    };
    let sizes: [&[u64]; 3] = [&[7], &[1, 2, 3, 4], &[5, 6]];
    for one in sizes {
        for other in sizes {
            assert_eq!(merged(of(one, Scalar::ZERO), of(other, Scalar::ZERO)), Ok(()));
            let refused = Err(RangeError::Equation);
            assert_eq!(merged(of(one, Scalar::ONE), of(other, Scalar::ZERO)), refused);
            assert_eq!(merged(of(one, Scalar::ZERO), of(other, Scalar::ONE)), refused);
        }
    }
}

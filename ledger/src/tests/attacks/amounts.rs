//! Attacks 1, 2 and 14: amounts that are negative, too large or fractional; more than is owed, reserved or allowed.

use super::forge::{add, changed, int, refusal, scene, set, value};
use crate::{rejection::Rejection, seal::Sketch};
use curve25519_dalek::scalar::Scalar;

/// Without a change the forger's batches are accepted: what is refused below is refused for its change.
#[test]
fn the_forger_can_seal_what_is_true() {
    for sketch in scene().all() {
        assert_eq!(refusal(sketch), None, "{:?}", sketch.header.kind);
        assert_eq!(refusal(&changed(sketch, Sketch::settle)), None, "{:?}", sketch.header.kind);
    }
}

/// Attack 1: a part of −5, with the others compensating so that sums, split equations and handles are all true.
#[test]
fn a_negative_movement_is_out_of_range() {
    let originate = changed(&scene().originate, |sketch| {
        let parts = &mut sketch.new_loans()[0].parts;
        let taken = value(&parts[1].principal.amount) + int(5);
        set(&mut parts[1].principal.amount, int(-5));
        add(&mut parts[0].principal.amount, taken);
        sketch.settle();
    });
    assert_eq!(refusal(&originate), Some(Rejection::Range));
    let repay = changed(&scene().repay, |sketch| {
        let parts = &mut sketch.repaid().parts;
        let taken = value(&parts[1].legs[1].movement.amount) + int(5);
        add(&mut parts[0].legs[1].movement.amount, taken);
        set(&mut parts[1].legs[1].movement.amount, int(-5));
        sketch.settle();
    });
    assert_eq!(refusal(&repay), Some(Rejection::Range));
}

/// Attack 1: `2^n` as one movement, and as the sum of two that fit.
#[test]
fn a_movement_of_the_width_is_out_of_range() {
    for amounts in [[1 << 32, 0], [(1 << 32) - 1, 1]] {
        let sketch = changed(&scene().originate, |sketch| {
            let parts = &mut sketch.new_loans()[0].parts;
            parts.iter_mut().for_each(|part| set(&mut part.principal.amount, Scalar::ZERO));
            amounts
                .iter()
                .zip(parts)
                .for_each(|(amount, part)| set(&mut part.principal.amount, int(*amount)));
            sketch.settle();
        });
        assert_eq!(refusal(&sketch), Some(Rejection::Range));
    }
}

/// Attack 1 for a top-up, which has nothing but its posting: 0 and `2^64 − 1` are amounts, −1 and `2^64` are not.
#[test]
fn a_top_up_is_an_amount() {
    let top = |value: Scalar| {
        refusal(&changed(&scene().fund, |sketch| set(&mut sketch.postings()[2].amount, value)))
    };
    assert_eq!(top(Scalar::ZERO), None);
    assert_eq!(top(Scalar::from(u64::MAX)), None);
    assert_eq!(top(Scalar::from(u64::MAX) + Scalar::ONE), Some(Rejection::Range));
    assert_eq!(top(int(-1)), Some(Rejection::Range));
}

/// Attack 2: `a_i = w_i·T/W` modulo the group order is perfectly fair, sums to `T`, and is no integer: with `h = T/W`, every
/// rest is zero and every slack `W − 1`. Nothing but the range of `h` is in the way.
#[test]
fn a_fractional_split_is_out_of_range() {
    let sketch = changed(&scene().originate, |sketch| {
        let loan = &mut sketch.new_loans()[0];
        let h = int(1_000_003) * int(100).invert();
        set(&mut loan.quotient, h);
        loan.parts.iter_mut().for_each(|part| set(&mut part.principal.amount, value(&part.share) * h));
        sketch.settle();
        let loan = &mut sketch.new_loans()[0];
        assert!(loan.parts.iter().all(|part| value(&part.split.rest) == Scalar::ZERO));
        assert!(loan.parts.iter().all(|part| value(&part.split.slack) == int(99)));
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Range));
    let interest = changed(&scene().repay, |sketch| {
        let loan = sketch.repaid();
        let h = int(1_234) * int(100).invert();
        set(&mut loan.quotients[1], h);
        loan.parts.iter_mut().for_each(|part| set(&mut part.legs[1].movement.amount, value(&part.share) * h));
        sketch.settle();
    });
    assert_eq!(refusal(&interest), Some(Rejection::Range));
}

/// Makes the first loan one of `total`, a multiple of 100, split exactly by `shares`.
pub(super) fn relend(sketch: &mut Sketch, total: i64, shares: [i64; 4]) {
    let loan = &mut sketch.new_loans()[0];
    set(&mut loan.quotient, int(total / 100));
    for (part, share) in loan.parts.iter_mut().zip(shares) {
        set(&mut part.share, int(share));
        set(&mut part.principal.amount, int(total / 100 * share));
    }
    sketch.settle();
}

/// The policy's cap, to the cent.
#[test]
fn a_principal_above_the_cap_is_out_of_range() {
    let lend = |total| refusal(&changed(&scene().originate, |sketch| relend(sketch, total, [50, 30, 20, 0])));
    assert_eq!(lend(6_000_000), None);
    assert_eq!(lend(6_000_100), Some(Rejection::Range));
}

/// Attack 14: everything is fair and whole, but the loan's balance afterwards is below zero.
#[test]
fn repaying_more_than_is_owed_is_out_of_range() {
    let repay_to = |left: i64| {
        refusal(&changed(&scene().repay, |sketch| {
            let loan = sketch.repaid();
            set(&mut loan.quotients[0], int((1_000_000 - left) / 100 - 1));
            for part in &mut loan.parts {
                let after = value(&part.share) * int(left / 100);
                set(&mut part.legs[0].movement.amount, value(&part.balance) - after);
            }
            sketch.settle();
        }))
    };
    assert_eq!(repay_to(0), None);
    assert_eq!(repay_to(100), None);
    assert_eq!(repay_to(-100), Some(Rejection::Range));
}

/// One part repays more than it is owed, another less: the loan's balance is right, the part's would be −1.
#[test]
fn a_part_that_repays_more_than_it_is_owed_is_out_of_range() {
    let sketch = changed(&scene().repay, |sketch| {
        let parts = &mut sketch.repaid().parts;
        let extra = value(&parts[1].balance) - value(&parts[1].legs[0].movement.amount) + Scalar::ONE;
        add(&mut parts[1].legs[0].movement.amount, extra);
        add(&mut parts[0].legs[0].movement.amount, -extra);
        sketch.settle();
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Range));
}

/// More interest than one repayment can carry: the quotient has 16 bits.
#[test]
fn interest_beyond_its_width_is_out_of_range() {
    let pay = |h: i64| {
        refusal(&changed(&scene().repay, |sketch| {
            let loan = sketch.repaid();
            set(&mut loan.quotients[1], int(h));
            loan.parts
                .iter_mut()
                .for_each(|part| set(&mut part.legs[1].movement.amount, value(&part.share) * int(h)));
            sketch.settle();
            if let crate::body::Body::Repay(crate::body::Touched { postings: [_, interest], .. }) =
                &mut sketch.body
            {
                interest.iter_mut().for_each(|posting| set(&mut posting.amount, Scalar::ZERO));
                set(&mut interest[0].amount, int(100 * h));
            }
        }))
    };
    assert_eq!(pay(65_535), None);
    assert_eq!(pay(65_536), Some(Rejection::Range));
}

/// Attack 14: two loans of 6,000,000 drawn on one reserve of 10,000,000.
#[test]
fn drawing_more_than_the_reserve_is_out_of_range() {
    let draw = |bank: usize, total: i64| {
        refusal(&changed(&scene().originate, |sketch| {
            relend(sketch, total, [50, 30, 20, 0]);
            let all: Scalar = sketch.postings().iter().map(|posting| value(&posting.amount)).sum();
            sketch.postings().iter_mut().for_each(|posting| set(&mut posting.amount, Scalar::ZERO));
            set(&mut sketch.postings()[bank].amount, all);
            if let crate::body::Body::Originate { reserves, .. } = &mut sketch.body {
                set(&mut reserves[bank], int(2_000_000));
            }
        }))
    };
    // The other loan of the batch is of 500,000. (Whether the named reserve is the present one is for the book to see.)
    assert_eq!(draw(2, 1_500_000), None);
    assert_eq!(draw(2, 1_500_100), Some(Rejection::Range));
}

//! Draw-downs and reschedulings: balances that rise above the cap, unfairly, by a fraction, or in part by a fall.

use super::forge::{C, add, changed, int, refusal, scene, set, value};
use crate::{body::TouchedPart, rejection::Rejection, seal::Sketch};
use counterfoil_crypto::encoding::Element;
use curve25519_dalek::scalar::Scalar;

/// Both kinds, from a loan of 1,000,000 by the shares 38, 50, 12.
fn both() -> [&'static Sketch; 2] {
    [&scene().draw, &scene().reschedule]
}

/// Raises every part by its exact share of `amount`, a multiple of 100.
fn raise_by(sketch: &mut Sketch, amount: i64) {
    let loan = sketch.raised();
    // One multiple less than would fit, as an honest servicer has it: what is beyond it is the share itself.
    set(&mut loan.quotients[0], int(amount / 100 - 1));
    for part in &mut loan.parts {
        let raise = value(&part.share) * int(amount / 100);
        set(&mut part.legs[0].movement.amount, raise);
    }
    sketch.post_to(0, 0);
    sketch.settle();
}

/// The part of a share, in units.
fn of_share(sketch: &mut Sketch, share: i64) -> &mut TouchedPart<C, Element, 1> {
    let mut parts = sketch.raised().parts.iter_mut();
    parts.find(|part| value(&part.share) == int(share)).unwrap()
}

/// The policy's cap holds of the balance after, to the cent.
#[test]
fn a_balance_raised_above_the_cap_is_out_of_range() {
    for sketch in both() {
        let raised = |amount| refusal(&changed(sketch, |sketch| raise_by(sketch, amount)));
        assert_eq!(raised(5_000_000), None);
        assert_eq!(raised(5_000_100), Some(Rejection::Range));
    }
}

/// So does what the servicer must keep of a loan: it cannot let the partners carry what is drawn. (The loan that the batch
/// names has the shares 29, 51, 20: everything is fair by them, and only the policy is against it.)
#[test]
fn a_draw_on_a_loan_of_which_the_servicer_keeps_too_little_is_out_of_range() {
    let draw = |shares: [i64; 4]| {
        refusal(&changed(&scene().draw, |sketch| {
            for (part, share) in sketch.raised().parts.iter_mut().zip(shares) {
                set(&mut part.share, int(share));
                set(&mut part.balance, int(10_000 * share));
            }
            raise_by(sketch, 10_000);
        }))
    };
    assert_eq!(draw([30, 50, 20, 0]), None);
    assert_eq!(draw([29, 51, 20, 0]), Some(Rejection::Range));
}

/// Attack 14: all of the draw-down from one bank's reserve, which is one short of it.
#[test]
fn a_draw_beyond_the_reserve_is_out_of_range() {
    let draw = |reserve: i64| {
        refusal(&changed(&scene().draw, |sketch| {
            sketch.post_to(0, 2);
            set(&mut sketch.reserves()[2], int(reserve));
        }))
    };
    assert_eq!(draw(333_333), None);
    assert_eq!(draw(333_332), Some(Rejection::Range));
}

#[test]
fn a_raise_that_favours_a_bank_by_two_cents_is_out_of_range() {
    for sketch in both() {
        for by in [2, -2] {
            let sketch = changed(sketch, |sketch| {
                let parts = &mut sketch.raised().parts;
                add(&mut parts[0].legs[0].movement.amount, int(by));
                add(&mut parts[1].legs[0].movement.amount, int(-by));
                sketch.settle();
            });
            assert_eq!(refusal(&sketch), Some(Rejection::Range));
        }
    }
}

/// Of 1,000,001 the part of 50 units may be 500,000 or 500,001: both are fair. A draw-down of nothing may not take it from
/// one to the other.
#[test]
fn a_part_that_falls_while_another_rises_is_out_of_range() {
    for sketch in both() {
        let moved = |by: i64| {
            refusal(&changed(sketch, |sketch| {
                for (share, balance, moved) in [(38, 380_000, by), (50, 500_001, -by), (12, 120_000, 0)] {
                    let part = of_share(sketch, share);
                    set(&mut part.balance, int(balance));
                    set(&mut part.legs[0].movement.amount, int(moved));
                }
                set(&mut sketch.raised().quotients[0], Scalar::ZERO);
                sketch.post_to(0, 0);
                sketch.settle();
                for share in [38, 50, 12] {
                    let slack = value(&of_share(sketch, share).legs[0].split.slack);
                    assert!((0..=198).any(|fair| slack == int(fair)), "fair all the same");
                }
            }))
        };
        assert_eq!(moved(0), None);
        assert_eq!(moved(1), Some(Rejection::Range));
    }
}

/// Everything falls, and fairly.
#[test]
fn a_negative_raise_is_out_of_range() {
    for sketch in both() {
        assert_eq!(refusal(&changed(sketch, |sketch| raise_by(sketch, 100))), None);
        assert_eq!(refusal(&changed(sketch, |sketch| raise_by(sketch, -100))), Some(Rejection::Range));
    }
}

/// Attack 2: with `h = T/W` modulo the group order every rest is zero and every slack `W − 1`.
#[test]
fn a_fractional_raise_is_out_of_range() {
    for sketch in both() {
        let sketch = changed(sketch, |sketch| {
            let loan = sketch.raised();
            let h = int(12_345) * int(100).invert();
            set(&mut loan.quotients[0], h);
            for part in &mut loan.parts {
                let amount = value(&part.share) * h;
                set(&mut part.legs[0].movement.amount, amount);
            }
            sketch.settle();
            let parts = &sketch.raised().parts;
            assert!(parts.iter().all(|part| value(&part.legs[0].split.rest) == Scalar::ZERO));
            assert!(parts.iter().all(|part| value(&part.legs[0].split.slack) == int(99)));
        });
        assert_eq!(refusal(&sketch), Some(Rejection::Range));
    }
}

/// A raise that no movement has, or no posting.
#[test]
fn a_raise_that_is_not_posted_is_unbalanced() {
    for sketch in both() {
        let moved = changed(sketch, |s| add(&mut s.raised().parts[0].legs[0].movement.amount, Scalar::ONE));
        let posted = changed(sketch, |sketch| add(&mut sketch.postings()[3].amount, Scalar::ONE));
        assert_eq!([moved, posted].map(|sketch| refusal(&sketch)), [Some(Rejection::Unbalanced); 2]);
    }
}

//! Recoveries and releases: negative, unfair, or beyond a bank's reserve.

use super::forge::{add, changed, int, refusal, scene, set, value};
use crate::{rejection::Rejection, seal::Sketch};
use curve25519_dalek::scalar::Scalar;

const PROCEEDS: usize = 0;
const COSTS: usize = 1;

/// Makes a leg one of `100·h`, split exactly.
fn recover(sketch: &mut Sketch, leg: usize, h: i64) {
    let loan = sketch.recovered();
    set(&mut loan.quotients[leg], int(h));
    for part in &mut loan.parts {
        let amount = value(&part.share) * int(h);
        set(&mut part.legs[leg].movement.amount, amount);
    }
    sketch.post_to(leg, 0);
    sketch.settle();
}

/// Attack 1: negative in one part, and in all of them: costs that would bring money in.
#[test]
fn a_negative_recovery_is_out_of_range() {
    for leg in [PROCEEDS, COSTS] {
        let of_part = changed(&scene().recover, |sketch| {
            let parts = &mut sketch.recovered().parts;
            let taken = value(&parts[1].legs[leg].movement.amount) + int(5);
            set(&mut parts[1].legs[leg].movement.amount, int(-5));
            add(&mut parts[0].legs[leg].movement.amount, taken);
            sketch.settle();
        });
        let of_all = |h| changed(&scene().recover, |sketch| recover(sketch, leg, h));
        assert_eq!(refusal(&of_part), Some(Rejection::Range));
        assert_eq!(refusal(&of_all(1)), None);
        assert_eq!(refusal(&of_all(-1)), Some(Rejection::Range));
    }
}

/// Attack 2.
#[test]
fn a_fractional_recovery_is_out_of_range() {
    for leg in [PROCEEDS, COSTS] {
        let sketch = changed(&scene().recover, |sketch| {
            let loan = sketch.recovered();
            let h = int(1_234) * int(100).invert();
            set(&mut loan.quotients[leg], h);
            for part in &mut loan.parts {
                let amount = value(&part.share) * h;
                set(&mut part.legs[leg].movement.amount, amount);
            }
            sketch.settle();
        });
        assert_eq!(refusal(&sketch), Some(Rejection::Range));
    }
}

/// The quotient of proceeds and of costs is bounded by the cap: by its 16 bits in the first suite, exactly in the second.
#[test]
fn a_recovery_beyond_its_width_is_out_of_range() {
    for leg in [PROCEEDS, COSTS] {
        let of = |h| refusal(&changed(&scene().recover, |sketch| recover(sketch, leg, h)));
        assert_eq!(of(60_000), None);
        assert_eq!(of(65_536), Some(Rejection::Range));
    }
}

#[test]
fn a_recovery_that_favours_a_bank_by_two_cents_is_out_of_range() {
    for (leg, by) in [(PROCEEDS, 2), (PROCEEDS, -2), (COSTS, 2), (COSTS, -2)] {
        let sketch = changed(&scene().recover, |sketch| {
            let parts = &mut sketch.recovered().parts;
            add(&mut parts[0].legs[leg].movement.amount, int(by));
            add(&mut parts[1].legs[leg].movement.amount, int(-by));
            sketch.settle();
        });
        assert_eq!(refusal(&sketch), Some(Rejection::Range));
    }
}

/// Proceeds do not pay for costs but through the reserve.
#[test]
fn costs_that_are_posted_as_proceeds_are_unbalanced() {
    let sketch = changed(&scene().recover, |sketch| {
        add(&mut sketch.lists()[PROCEEDS][1].amount, int(-1));
        add(&mut sketch.lists()[COSTS][1].amount, int(1));
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Unbalanced));
    let swapped = changed(&scene().recover, |sketch| sketch.lists().swap(PROCEEDS, COSTS));
    assert_eq!(refusal(&swapped), Some(Rejection::Unbalanced));
}

/// Attack 14: one bank bears all costs of 1,234, another has all proceeds. Then one bank has both, and needs nothing.
#[test]
fn costs_beyond_the_reserve_are_out_of_range() {
    let bear = |reserve: i64, proceeds_to: usize| {
        refusal(&changed(&scene().recover, |sketch| {
            sketch.post_to(PROCEEDS, proceeds_to);
            sketch.post_to(COSTS, 2);
            set(&mut sketch.reserves()[2], int(reserve));
        }))
    };
    assert_eq!(bear(1_234, 1), None);
    assert_eq!(bear(1_233, 1), Some(Rejection::Range));
    assert_eq!(bear(0, 2), None);
    assert_eq!(bear(1_234 - 100_003 - 1, 2), Some(Rejection::Range));
}

/// A release is an amount, and the reserve has it.
#[test]
fn a_release_beyond_the_reserve_is_out_of_range() {
    let release = |amount: Scalar, reserve: Scalar| {
        refusal(&changed(&scene().release, |sketch| {
            set(&mut sketch.postings()[1].amount, amount);
            set(&mut sketch.reserves()[1], reserve);
        }))
    };
    assert_eq!(release(int(77), int(77)), None);
    assert_eq!(release(int(77), int(76)), Some(Rejection::Range));
    assert_eq!(release(int(-1), int(77)), Some(Rejection::Range), "a top-up that nobody paid in");
    let most = Scalar::from(u64::MAX);
    assert_eq!(release(most, most), None);
    assert_eq!(release(most + Scalar::ONE, most + Scalar::ONE), Some(Rejection::Range));
}

/// Balanced over the banks, and yet not: there is no equation of sums in a release, so each reserve stands for itself.
#[test]
fn a_release_of_another_banks_reserve_is_out_of_range() {
    let sketch = changed(&scene().release, |sketch| {
        let reserve = value(&sketch.reserves()[2]);
        set(&mut sketch.postings()[1].amount, reserve + Scalar::ONE);
        set(&mut sketch.postings()[2].amount, int(-1));
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Range));
}

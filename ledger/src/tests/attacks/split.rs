//! Attack 3: splits that do not add up, or favour somebody; shares that are no shares; the servicer's least part.

use super::{
    amounts::relend,
    forge::{add, changed, int, refusal, scene, set},
};
use crate::{
    body::{Body, Touched},
    rejection::Rejection,
};
use counterfoil_crypto::{encoding::Element, pedersen::Opening, relation::Committed};
use curve25519_dalek::scalar::Scalar;

#[test]
fn parts_that_sum_to_one_more_than_is_posted_are_unbalanced() {
    let sketch = changed(&scene().originate, |sketch| {
        add(&mut sketch.new_loans()[0].parts[0].principal.amount, Scalar::ONE);
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Unbalanced));
    let interest = changed(&scene().repay, |sketch| {
        add(&mut sketch.repaid().parts[0].legs[1].movement.amount, Scalar::ONE);
    });
    assert_eq!(refusal(&interest), Some(Rejection::Unbalanced));
}

/// The books agree, but what shows the split is that of the true parts.
#[test]
fn parts_that_are_not_what_the_split_shows_fail_the_sigma_proof() {
    let sketch = changed(&scene().originate, |sketch| {
        add(&mut sketch.new_loans()[0].parts[0].principal.amount, Scalar::ONE);
        add(&mut sketch.postings()[0].amount, Scalar::ONE);
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Sigma));
}

/// Components do not pay for each other.
#[test]
fn interest_that_is_posted_as_principal_is_unbalanced() {
    let sketch = changed(&scene().repay, |sketch| {
        if let Body::Repay(Touched { postings: [principal, interest], .. }) = &mut sketch.body {
            add(&mut principal[0].amount, Scalar::ONE);
            add(&mut interest[0].amount, -Scalar::ONE);
        }
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Unbalanced));
}

/// Two cents moved from one bank to another: principal lent, principal repaid, interest.
#[test]
fn favouring_a_bank_by_two_cents_is_out_of_range() {
    let lent = changed(&scene().originate, |sketch| {
        let parts = &mut sketch.new_loans()[0].parts;
        add(&mut parts[0].principal.amount, int(-2));
        add(&mut parts[1].principal.amount, int(2));
        sketch.settle();
    });
    let repaid = changed(&scene().repay, |sketch| {
        let parts = &mut sketch.repaid().parts;
        add(&mut parts[0].legs[0].movement.amount, int(2));
        add(&mut parts[1].legs[0].movement.amount, int(-2));
        sketch.settle();
    });
    let interest = changed(&scene().repay, |sketch| {
        let parts = &mut sketch.repaid().parts;
        add(&mut parts[0].legs[1].movement.amount, int(2));
        add(&mut parts[1].legs[1].movement.amount, int(-2));
        sketch.settle();
    });
    for sketch in [lent, repaid, interest] {
        assert_eq!(refusal(&sketch), Some(Rejection::Range));
    }
}

/// Every split is fair by its shares; only the policy is against it.
#[test]
fn a_servicer_below_its_least_share_is_out_of_range() {
    let lend = |shares| refusal(&changed(&scene().originate, |sketch| relend(sketch, 1_000_000, shares)));
    assert_eq!(lend([30, 50, 10, 10]), None);
    assert_eq!(lend([29, 51, 10, 10]), Some(Rejection::Range));
}

#[test]
fn shares_that_do_not_sum_to_the_units_are_refused() {
    for shares in [[40, 30, 20, 9], [40, 30, 20, 11]] {
        let sketch = changed(&scene().originate, |sketch| relend(sketch, 1_000_000, shares));
        assert_eq!(refusal(&sketch), Some(Rejection::Shares));
    }
    // The right sum under blindings that do not cancel shows nothing.
    let sketch = changed(&scene().originate, |sketch| {
        let share = &mut sketch.new_loans()[0].parts[0].share;
        let Opening { value, blinding } = share.opening().clone();
        *share = Committed::open(Opening { value, blinding: blinding + Scalar::ONE });
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Shares));
}

#[test]
fn a_negative_share_is_out_of_range() {
    let sketch = changed(&scene().originate, |sketch| {
        relend(sketch, 100, [51, 50, -1, 0]);
        // The part itself is zero, and another a cent less: nothing but the share is negative.
        let parts = &mut sketch.new_loans()[0].parts;
        set(&mut parts[2].principal.amount, int(0));
        set(&mut parts[0].principal.amount, int(50));
        sketch.settle();
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Range));
}

/// Attack 10: two false rows whose errors cancel under equal weights.
#[test]
fn errors_that_cancel_fail_the_sigma_proof() {
    let sketch = changed(&scene().originate, |sketch| {
        let parts = &mut sketch.new_loans()[0].parts;
        add(&mut parts[0].split.rest, Scalar::ONE);
        add(&mut parts[1].split.rest, -Scalar::ONE);
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Sigma));
    let handles = changed(&scene().originate, |sketch| {
        let error = counterfoil_crypto::pedersen::value_base();
        let parts = &mut sketch.new_loans()[0].parts;
        for (part, error) in parts.iter_mut().zip([error, -error]) {
            let handle = &mut part.principal.handles[0];
            *handle = Element::from(&(handle.point() + error));
        }
    });
    assert_eq!(refusal(&handles), Some(Rejection::Sigma));
}

mod fewest_bits {
    //! Tries to break the argument of `crate::relation` that a rest of a few bits and one quotient per total do: random
    //! errors, whole and fractional, on the parts of a new loan. What is accepted must be fair, and what is fair accepted.

    use super::*;
    use proptest::prelude::*;

    const PRINCIPAL: i64 = 1_000_003;

    /// Whether parts are whole, not negative, and each within one unit of its share.
    fn is_fair(shares: [i64; 4], parts: [i64; 4]) -> bool {
        let exact = |(w, a): (i64, i64)| a >= 0 && (w * PRINCIPAL - 100 * a).abs() < 100;
        shares.into_iter().zip(parts).all(exact)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn accepted_is_fair(
            kept in 30i64..=90,
            moved in prop::collection::vec((0usize..4, 0usize..4, -3i64..=3), 0..3),
        ) {
            let shares = [kept, 100 - kept - 2, 2, 0];
            let mut parts = shares.map(|w| w * PRINCIPAL / 100);
            parts[0] += PRINCIPAL - parts.iter().sum::<i64>();
            for (from, to, by) in moved {
                parts[from] -= by;
                parts[to] += by;
            }
            let sketch = changed(&scene().originate, |sketch| {
                relend(sketch, PRINCIPAL, shares);
                for (part, amount) in sketch.new_loans()[0].parts.iter_mut().zip(parts) {
                    set(&mut part.principal.amount, int(amount));
                }
                sketch.settle();
            });
            // The policy allows the servicer's part what it may miss for rounding.
            let keeps = 10 * parts[0] + 9 >= 3 * PRINCIPAL;
            let expected = if is_fair(shares, parts) && keeps { None } else { Some(Rejection::Range) };
            prop_assert_eq!(refusal(&sketch), expected, "{:?} by {:?}", parts, shares);
        }

        /// `k/W` of a unit to and fro: every split equation holds modulo the group order, and no part is whole.
        #[test]
        fn fractions_are_refused(k in 1u64..100, from in 0usize..3, to in 0usize..3) {
            prop_assume!(from != to);
            let sketch = changed(&scene().originate, |sketch| {
                let fraction = Scalar::from(k) * Scalar::from(100u64).invert();
                let parts = &mut sketch.new_loans()[0].parts;
                add(&mut parts[from].principal.amount, fraction);
                add(&mut parts[to].principal.amount, -fraction);
                sketch.settle();
            });
            prop_assert_eq!(refusal(&sketch), Some(Rejection::Range));
        }
    }
}

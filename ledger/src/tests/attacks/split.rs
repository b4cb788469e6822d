//! Attack 3: splits that do not add up, or favour somebody; shares that are no shares; the servicer's least part.

use super::{
    amounts::relend,
    forge::{add, changed, int, refusal, scene, set},
};
use crate::{batch::Body, rejection::Rejection};
use counterfoil_crypto::{encoding::Element, pedersen::Opening, relation::Committed};
use curve25519_dalek::scalar::Scalar;

#[test]
fn parts_that_sum_to_one_more_than_is_posted_are_unbalanced() {
    let sketch = changed(&scene().originate, |sketch| {
        add(&mut sketch.new_loans()[0].parts[0].principal.amount, Scalar::ONE);
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Unbalanced));
    let interest = changed(&scene().repay, |sketch| {
        add(&mut sketch.repaid().parts[0].interest.amount, Scalar::ONE);
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
        if let Body::Repay { principal, interest, .. } = &mut sketch.body {
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
        add(&mut parts[0].principal.amount, int(2));
        add(&mut parts[1].principal.amount, int(-2));
        sketch.settle();
    });
    let interest = changed(&scene().repay, |sketch| {
        let parts = &mut sketch.repaid().parts;
        add(&mut parts[0].interest.amount, int(2));
        add(&mut parts[1].interest.amount, int(-2));
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

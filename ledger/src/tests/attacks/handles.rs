//! Attack 4: handles that open something else, for somebody else, or are not there. And attack 8's owner keys.

use super::forge::{changed, honest, refusal, refusal_of, resigned, scene};
use crate::{
    body::{Body, SealedBody, Touched},
    rejection::Rejection,
    seal::Sketch,
};
use counterfoil_crypto::encoding::Element;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};

fn view_key(member: usize) -> counterfoil_crypto::view_key::PublicViewKey {
    let consortium = &scene().wallet.consortium;
    consortium.peers().nth(member).unwrap().1.view_key.clone()
}

fn lend(change: impl FnOnce(&mut Sketch)) -> Option<Rejection> {
    refusal(&changed(&scene().originate, change))
}

#[test]
fn a_handle_to_another_key_fails_the_sigma_proof() {
    let movement = lend(|sketch| {
        let movement = &mut sketch.new_loans()[0].parts[1].principal;
        movement.handles[0] = Element::from(&view_key(0).handle(&movement.amount.opening().blinding));
    });
    let of_the_bank = lend(|sketch| {
        let posting = &mut sketch.postings()[1];
        posting.handles[0] = Element::from(&view_key(2).handle(&posting.amount.opening().blinding));
    });
    let of_the_auditor = lend(|sketch| {
        let posting = &mut sketch.postings()[1];
        posting.handles[1] = Element::from(&view_key(0).handle(&posting.amount.opening().blinding));
    });
    assert_eq!([movement, of_the_bank, of_the_auditor], [Some(Rejection::Sigma); 3]);
}

#[test]
fn a_handle_with_other_randomness_fails_the_sigma_proof() {
    let movement = lend(|sketch| {
        let movement = &mut sketch.new_loans()[1].parts[0].principal;
        movement.handles[0] =
            Element::from(&view_key(4).handle(&(movement.amount.opening().blinding + Scalar::ONE)));
    });
    let interest = refusal(&changed(&scene().repay, |sketch| {
        let Body::Repay(Touched { postings: [_, interest], .. }) = &mut sketch.body else { return };
        interest[3].handles[0] =
            Element::from(&view_key(3).handle(&(interest[3].amount.opening().blinding + Scalar::ONE)));
    }));
    let top_up = refusal(&changed(&scene().fund, |sketch| {
        let posting = &mut sketch.postings()[1];
        posting.handles[0] = Element::from(&view_key(1).handle(&Scalar::from(7u64)));
    }));
    assert_eq!([movement, interest, top_up], [Some(Rejection::Sigma); 3]);
}

#[test]
fn swapped_handles_fail_the_sigma_proof() {
    let within_a_loan = lend(|sketch| {
        let [a, b, ..] = sketch.new_loans()[0].parts.as_mut_slice() else { return };
        std::mem::swap(&mut a.principal.handles, &mut b.principal.handles);
    });
    let between_loans = lend(|sketch| {
        let [a, b] = sketch.new_loans().as_mut_slice() else { return };
        std::mem::swap(&mut a.parts[0].principal.handles, &mut b.parts[0].principal.handles);
    });
    let between_banks = lend(|sketch| {
        let [a, b, ..] = sketch.postings().as_mut_slice() else { return };
        std::mem::swap(&mut a.handles, &mut b.handles);
    });
    let the_auditors = lend(|sketch| {
        let [a, b, ..] = sketch.postings().as_mut_slice() else { return };
        std::mem::swap(&mut a.handles[1], &mut b.handles[1]);
    });
    let refused = [within_a_loan, between_loans, between_banks, the_auditors];
    assert_eq!(refused, [Some(Rejection::Sigma); 4]);
}

#[test]
fn a_missing_handle_is_a_wrong_shape() {
    type Change = fn(&mut SealedBody);
    let changes: [Change; 4] = [
        |body| {
            if let Body::Originate { loans, .. } = body {
                loans[1].parts[2].principal.handles.clear()
            }
        },
        |body| {
            if let Body::Originate { postings, .. } = body {
                postings[3].handles.truncate(1)
            }
        },
        |body| {
            if let Body::Originate { loans, .. } = body {
                let handle = loans[0].parts[0].principal.handles[0];
                loans[0].parts[0].principal.handles.push(handle);
            }
        },
        |body| {
            if let Body::Originate { postings, .. } = body {
                postings[0].handles.clear()
            }
        },
    ];
    for change in changes {
        let sealed =
            resigned(honest(|scene| &scene.originate), |sealed| change(&mut sealed.batch.content.body));
        assert_eq!(refusal_of(&sealed), Some(Rejection::Shape));
    }
}

/// Without blinding every amount would be in the open, and the handle is the identity.
#[test]
fn an_identity_handle_is_no_point_for_it() {
    let sketch = changed(&scene().fund, |sketch| {
        let posting = &mut sketch.postings()[0];
        let bare = counterfoil_crypto::pedersen::Opening::new(5, Scalar::ZERO);
        posting.amount = counterfoil_crypto::relation::Committed::open(bare);
        posting.handles.iter_mut().for_each(|handle| *handle = Element::from(&RistrettoPoint::default()));
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Point));
}

/// "The servicer keeps 30 %" must speak of the servicer: its part's owner key is shown to be its own.
#[test]
fn a_first_part_that_is_not_the_servicers_fails_the_sigma_proof() {
    let of_another = lend(|sketch| {
        let t = sketch.owner_secrets[0];
        sketch.new_loans()[0].parts[0].owner = view_key(1).owner_points(&t);
    });
    let swapped = lend(|sketch| {
        let [a, b, ..] = sketch.new_loans()[0].parts.as_mut_slice() else { return };
        std::mem::swap(&mut a.owner, &mut b.owner);
    });
    assert_eq!([of_another, swapped], [Some(Rejection::Sigma); 2]);
}

/// Attack 8: the identity as an owner key belongs to everybody.
#[test]
fn an_identity_owner_key_is_refused() {
    let identity = Element::from(&RistrettoPoint::default());
    let sketch = lend(|sketch| sketch.new_loans()[0].parts[1].owner = (identity.clone(), identity));
    assert_eq!(sketch, Some(Rejection::Point));
}

//! Write-offs: of another amount, twice, and what comes after them. Every proof holds; the books refuse, and stay as they were.

use super::forge::{
    C, add, changed, collection, forged, raise, recovery, refusal, scene, sketched, write_off,
};
use crate::{
    body::Body,
    draft::{Events, WriteOff},
    names::LoanId,
    rejection::Rejection,
    seal::Sketch,
    tests::world::{TEXT, World, repayment},
};
use counterfoil_crypto::{encoding::Element, pedersen::Opening};
use curve25519_dalek::scalar::Scalar;

fn lent(seed: u64, text: &str) -> (World, LoanId) {
    let mut world = World::funded_with(seed, text);
    let loan = world.lend("L1", 1_000_000, &[1, 3]);
    (world, loan)
}

/// Verifies and applies.
fn booked(world: &mut World, sketch: &Sketch) -> Result<(), Rejection> {
    let sealed = forged(&world.wallet, sketch);
    let verified = world.verify(&sealed)?;
    world.apply(&verified)
}

/// What the servicer's program seals when it takes a loan that was written off for one that was not.
fn forgetful(world: &World, loan: LoanId, events: Events) -> Sketch {
    let mut wallet = world.wallet.clone();
    wallet.loan_mut(loan).parts.iter_mut().for_each(|part| part.written_off = false);
    sketched(&wallet, events)
}

/// One more or one less than is outstanding; and the same under another blinding.
#[test]
fn a_write_off_is_of_the_whole_balance() {
    // Without auditors a movement has no handles, and every change of the balance can be proven.
    let (mut world, loan) = lent(170, &without_auditors());
    let honest = sketched(&world.wallet, Events::WriteOff(vec![write_off(loan, &[0, 1])]));
    for (more, blinding) in [(Scalar::ONE, 0u64), (-Scalar::ONE, 0), (Scalar::ZERO, 7)] {
        let sketch = changed(&honest, |sketch| {
            let balance = &mut sketch.written_off()[0].balance.amount;
            add(balance, more);
            blind(balance, blinding);
            sketch.settle();
            let posting = &mut sketch.postings()[0];
            blind(&mut posting.amount, blinding);
            let handle = world.keys[0].view.public().handle(&posting.amount.opening().blinding);
            posting.handles = vec![Element::from(&handle)];
        });
        assert_eq!(booked(&mut world, &sketch), Err(Rejection::Stale));
    }
    assert_eq!(booked(&mut world, &honest), Ok(()));
}

/// The same value under another blinding.
fn blind(quantity: &mut C, by: u64) {
    let Opening { value, blinding } = quantity.opening().clone();
    *quantity = C::open(Opening { value, blinding: blinding + Scalar::from(by) });
}

fn without_auditors() -> String {
    TEXT.replace(r#"["regulator"]"#, "[]")
}

/// With an auditor, a balance of another amount can be proven, too: handles depend on the blinding alone.
#[test]
fn a_write_off_that_an_auditor_opens_is_of_the_whole_balance() {
    let (mut world, loan) = lent(171, TEXT);
    let sketch =
        changed(&sketched(&world.wallet, Events::WriteOff(vec![write_off(loan, &[0, 1])])), |sketch| {
            add(&mut sketch.written_off()[0].balance.amount, -Scalar::ONE);
            sketch.settle();
        });
    assert_eq!(booked(&mut world, &sketch), Err(Rejection::Stale));
}

/// The two books of a write-off agree.
#[test]
fn a_write_off_that_is_not_posted_is_unbalanced() {
    let moved = changed(&scene().write_off, |s| add(&mut s.written_off()[0].balance.amount, Scalar::ONE));
    let posted = changed(&scene().write_off, |sketch| add(&mut sketch.postings()[3].amount, Scalar::ONE));
    assert_eq!([moved, posted].map(|sketch| refusal(&sketch)), [Some(Rejection::Unbalanced); 2]);
}

/// Nobody gains by a loss of another: a posting below zero, another above what it is by as much.
#[test]
fn a_negative_loss_is_out_of_range() {
    let sketch = changed(&scene().write_off, |sketch| {
        sketch.post_to(0, 1);
        add(&mut sketch.postings()[1].amount, Scalar::ONE);
        add(&mut sketch.postings()[2].amount, -Scalar::ONE);
    });
    assert_eq!(refusal(&sketch), Some(Rejection::Range));
}

/// A part is written off once, though what the customer owes of it stays.
#[test]
fn a_part_is_written_off_once() {
    let (mut world, loan) = lent(172, TEXT);
    world.book(Events::WriteOff(vec![write_off(loan, &[1])]));
    for banks in [&[1][..], &[0, 1, 3]] {
        let again = WriteOff { event: [9; 32], ..write_off(loan, banks) };
        let sketch = forgetful(&world, loan, Events::WriteOff(vec![again]));
        assert_eq!(booked(&mut world, &sketch), Err(Rejection::WrittenOff), "{banks:?}");
    }
}

/// Once one bank has written its part off, no kind moves balances but the one that says which parts are.
#[test]
fn nothing_moves_the_balance_of_what_is_written_off_in_silence() {
    let (mut world, loan) = lent(173, TEXT);
    world.book(Events::WriteOff(vec![write_off(loan, &[1])]));
    let events = [
        Events::Repay(vec![repayment(loan, 10_000, 1_000, 1)]),
        Events::Repay(vec![repayment(loan, 0, 1_000, 1)]),
        Events::Draw(vec![raise(loan, 10_000)]),
        Events::Reschedule(vec![raise(loan, 10_000)]),
        Events::Collect(vec![collection(loan, 10_000)]),
    ];
    for events in events {
        let sketch = forgetful(&world, loan, events);
        assert_eq!(booked(&mut world, &sketch), Err(Rejection::WrittenOff), "{:?}", sketch.header.kind);
    }
    world.book(Events::Collect(vec![collection(loan, 10_000)]));
    world.book(Events::Recover(vec![recovery(loan, 1_000, 10)]));
    world.reconcile();
}

/// Principal of a part that is on the books of its bank lowers its loans: a servicer that calls it a recovery is refused.
#[test]
fn a_part_that_is_not_written_off_is_not_recovered() {
    let (mut world, loan) = lent(174, TEXT);
    let mut wallet = world.wallet.clone();
    wallet.loan_mut(loan).parts.iter_mut().for_each(|part| part.written_off = true);
    let sketch = sketched(&wallet, Events::Collect(vec![collection(loan, 10_000)]));
    assert_eq!(booked(&mut world, &sketch), Err(Rejection::WrittenOff));
    world.book(Events::Collect(vec![collection(loan, 10_000)]));
    world.reconcile();
}

/// What is recovered is not what is repaid: the two lists of postings have movements of their own.
#[test]
fn what_is_recovered_is_not_posted_as_repaid() {
    let (mut world, loan) = lent(175, TEXT);
    world.book(Events::WriteOff(vec![write_off(loan, &[1])]));
    let honest = sketched(&world.wallet, Events::Collect(vec![collection(loan, 10_000)]));
    assert_eq!(booked(&mut world, &honest), Ok(()));
    let swapped = changed(&honest, |sketch| {
        let Body::Collect { touched, recovered, .. } = &mut sketch.body else { panic!("a collection") };
        std::mem::swap(&mut touched.postings[0], recovered);
    });
    assert_eq!(booked(&mut world, &swapped), Err(Rejection::Unbalanced));
    let flags = changed(&honest, |sketch| {
        let Body::Collect { written_off, .. } = &mut sketch.body else { panic!("a collection") };
        written_off[0] = 0;
    });
    assert_eq!(booked(&mut world, &flags), Err(Rejection::Unbalanced));
    let beyond = changed(&honest, |sketch| {
        let Body::Collect { written_off, .. } = &mut sketch.body else { panic!("a collection") };
        written_off[0] |= 1 << 4;
    });
    assert_eq!(booked(&mut world, &beyond), Err(Rejection::Shape));
}

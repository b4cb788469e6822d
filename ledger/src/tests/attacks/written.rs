//! Write-offs: of another amount, twice, and what comes after them. Every proof holds; the books refuse, and stay as they were.

use super::forge::{
    C, add, changed, forged, int, raise, recovery, refusal, scene, set, sketched, value, write_off,
};
use crate::{
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

/// One more or one less than is outstanding; and the same under another blinding, which no book could ever take to zero.
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

/// A part is written off once: not with the balance that it had, and not with that of zero that it has. The handles of a
/// commitment without blinding would be the identity, which is refused before any book is asked; so that the book is, the
/// product has no auditor.
#[test]
fn a_part_is_written_off_once() {
    for text in [TEXT, &without_auditors()] {
        let (mut world, loan) = lent(172, text);
        let with_its_balance = sketched(&world.wallet, Events::WriteOff(vec![write_off(loan, &[1])]));
        world.book(Events::WriteOff(vec![write_off(loan, &[1])]));
        let again = WriteOff { event: [9; 32], ..write_off(loan, &[1]) };
        let with_nothing = forgetful(&world, loan, Events::WriteOff(vec![again]));
        let stale = changed(&with_its_balance, |sketch| sketch.header = with_nothing.header.clone());
        assert_eq!(booked(&mut world, &stale), Err(Rejection::Stale));
        let expected = if text == TEXT { Rejection::Point } else { Rejection::WrittenOff };
        assert_eq!(booked(&mut world, &with_nothing), Err(expected));
    }
}

/// What is written off has no balance that could move. (Of a loan of which one bank has written off its part, no fair
/// repayment or draw-down exists; so here all have.)
#[test]
fn nothing_moves_the_balance_of_what_is_written_off() {
    let (mut world, loan) = lent(173, TEXT);
    world.book(Events::WriteOff(vec![write_off(loan, &[0, 1, 3])]));
    let events = [
        Events::Repay(vec![repayment(loan, 0, 1_000, 1)]),
        Events::Draw(vec![raise(loan, 100)]),
        Events::Reschedule(vec![raise(loan, 100)]),
    ];
    for events in events {
        let sketch = forgetful(&world, loan, events);
        assert_eq!(booked(&mut world, &sketch), Err(Rejection::WrittenOff), "{:?}", sketch.header.kind);
    }
    world.book(Events::Recover(vec![recovery(loan, 1_000, 10)]));
    world.reconcile();
}

/// With one bank's part written off, what is fair of the rest would have to come from nowhere: the proofs refuse it, before
/// any book does. Even where all that is left is repaid, no quotient serves: the part that pays nothing has a share.
#[test]
fn a_repayment_of_what_one_bank_has_written_off_is_out_of_range() {
    for quotient in [0, 3_799] {
        let sketch = changed(&scene().repay, |sketch| {
            let loan = sketch.repaid();
            set(&mut loan.quotients[0], int(quotient));
            for part in &mut loan.parts {
                if value(&part.share) == int(50) {
                    set(&mut part.balance, Scalar::ZERO);
                }
                let all = value(&part.balance);
                set(&mut part.legs[0].movement.amount, all);
            }
            sketch.settle();
        });
        assert_eq!(refusal(&sketch), Some(Rejection::Range));
    }
}

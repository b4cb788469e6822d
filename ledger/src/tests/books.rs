//! The books: what is booked is what is read, by everybody, to the cent.

use super::world::{PRODUCT, World, member, new_loan, repayment};
use crate::{
    draft::Events,
    names::AccountKind,
    rejection::Rejection,
    seal::{SealError, seal},
};

#[test]
fn a_loan_lives_and_everybody_agrees() {
    let mut world = World::funded(1);
    let loan = world.lend("L1", 1_000_001, &[1, 3]);
    world.book(Events::Repay(vec![repayment(loan, 333_333, 1_234, 1)]));
    world.book(Events::Repay(vec![repayment(loan, 0, 77, 2)]));
    world.reconcile();
    // Weights 30, 40, 10 make shares 38, 50, 12 (largest remainder of 37.5, 50, 12.5: the earlier bank gets the unit).
    let regulator = &world.views[4];
    let parts: Vec<_> = regulator.loans[&loan].parts.values().map(|part| part.share).collect();
    assert_eq!(parts, [38, 50, 12]);
    let outstanding: u64 = regulator.loans[&loan].parts.values().map(|part| part.outstanding).sum();
    assert_eq!(outstanding, 1_000_001 - 333_333);
    let interest: u64 = regulator.loans[&loan].parts.values().map(|part| part.interest).sum();
    assert_eq!(interest, 1_234 + 77);
    let reserve = |bank| world.views[4].totals[&(member(0), PRODUCT, member(bank), AccountKind::Reserve)];
    assert_eq!((0..4).map(reserve).sum::<u64>(), 40_000_000 - 1_000_001 + 333_333 + 1_234 + 77);
    // Each bank sees its own part and no other's.
    assert_eq!(world.views[1].loans[&loan].parts.keys().collect::<Vec<_>>(), [&member(1)]);
    assert_eq!(world.views[1].loans[&loan].reference.as_deref(), Some("L1"));
}

#[test]
fn a_loan_is_repaid_to_the_last_cent_in_any_steps() {
    let mut world = World::funded(2);
    let loan = world.lend("L1", 1_003, &[1, 2, 3]);
    for (event, principal) in [1, 1, 2, 3, 500, 1, 7, 488].into_iter().enumerate() {
        world.book(Events::Repay(vec![repayment(
            loan,
            principal,
            principal % 3,
            u8::try_from(event).unwrap(),
        )]));
    }
    assert_eq!(world.wallet.loans()[&loan].balance(), 0);
    world.reconcile();
}

#[test]
fn top_ups_wait_until_the_next_loan_batch_takes_them_up() {
    let mut world = World::funded(3);
    // Sealed before the top-up, applied after it: the top-up does not invalidate it.
    let sealed = world.seal(Events::Originate(vec![new_loan("L1", 100_000, &[1])]));
    let top_up = world.seal(Events::Fund(vec![(member(1), 55)]));
    for batch in [&top_up, &sealed] {
        let verified = world.verify(batch).unwrap();
        world.apply(&verified).unwrap();
        world.wallet.absorb(batch).unwrap();
        world.views.iter_mut().for_each(|view| view.read(batch));
    }
    let incoming =
        |world: &World| world.views[1].totals[&(member(0), PRODUCT, member(1), AccountKind::Incoming)];
    assert_eq!(incoming(&world), 55);
    world.reconcile();
    world.lend("L2", 1_000, &[1]);
    assert_eq!(incoming(&world), 0);
    world.reconcile();
}

#[test]
fn a_wallet_is_read_back_from_the_chain() {
    let mut world = World::new(4);
    let mut chain = vec![world.book(Events::Fund((0..4).map(|bank| (member(bank), 1_000_000)).collect()))];
    chain.push(
        world.book(Events::Originate(vec![new_loan("L1", 10_000, &[1]), new_loan("L2", 20_000, &[2, 3])])),
    );
    let loan = world.wallet.loan_of(PRODUCT, "L1").unwrap();
    chain.push(world.book(Events::Repay(vec![repayment(loan, 500, 20, 1)])));
    let mut read = crate::wallet::Wallet::new(world.consortium.clone(), member(0), world.keys[0].clone());
    chain.iter().for_each(|sealed| read.absorb(sealed).unwrap());
    world.wallet = read;
    assert!(world.wallet.is_booked(&[1; 32]));
    world.book(Events::Repay(vec![repayment(loan, 500, 20, 2)]));
    world.lend("L3", 30_000, &[1, 2, 3]);
    world.reconcile();
}

#[test]
fn drafts_that_cannot_be_booked_say_why() {
    let mut world = World::funded(5);
    let loan = world.lend("L1", 100_000, &[1]);
    world.book(Events::Repay(vec![repayment(loan, 1, 1, 1)]));
    let mut error = |events| seal(&world.wallet, &World::draft(events), &mut world.rng).unwrap_err();
    let originate = |loan| Events::Originate(vec![loan]);
    assert_eq!(error(Events::Repay(vec![])), SealError::Count { count: 0, most: 256 });
    assert!(matches!(error(originate(new_loan("L1", 1, &[1]))), SealError::Doubled(_)));
    assert!(matches!(error(originate(new_loan("L2", 0, &[1]))), SealError::Cap { .. }));
    assert!(matches!(error(originate(new_loan("L2", 6_000_001, &[1]))), SealError::Cap { .. }));
    assert!(matches!(error(originate(new_loan("L2", 1, &[4]))), SealError::Partners { .. }));
    let overpaid = SealError::Overpaid { loan, principal: 100_000, owed: 99_999 };
    assert_eq!(error(Events::Repay(vec![repayment(loan, 100_000, 1, 2)])), overpaid);
    assert!(matches!(error(Events::Repay(vec![repayment(loan, 1, 1, 1)])), SealError::Doubled(_)));
    assert!(matches!(
        error(Events::Repay(vec![repayment(loan, 1, u64::MAX, 2)])),
        SealError::Interest { .. }
    ));
    let many: Vec<_> = (0..5).map(|i| new_loan(&format!("M{i}"), 6_000_000, &[1])).collect();
    assert!(matches!(error(Events::Originate(many)), SealError::Reserve { .. }));
}

/// Attack 14: two batches that each fit but together do not; attack 13: replay, gap, fork.
#[test]
fn balances_and_sequences_are_compared_when_applied() {
    let mut world = World::funded(6);
    let first = world.seal(Events::Originate(vec![new_loan("L1", 6_000_000, &[1])]));
    let rival = world.seal(Events::Originate(vec![new_loan("L2", 6_000_000, &[1])]));
    let (first, rival) = (world.verify(&first).unwrap(), world.verify(&rival).unwrap());
    assert_eq!(world.apply(&first), Ok(()));
    assert_eq!(world.apply(&rival), Err(Rejection::Sequence), "a fork");
    assert_eq!(world.apply(&first), Err(Rejection::Sequence), "a replay");
    world.wallet.absorb(first.sealed()).unwrap();
    let loan = world.wallet.loan_of(PRODUCT, "L1").unwrap();
    // Two repayments of one balance: the wallet of the second does not know of the first.
    let early = world.wallet.clone();
    world.book(Events::Repay(vec![repayment(loan, 6_000_000, 0, 1)]));
    let later = std::mem::replace(&mut world.wallet, early);
    let head = later.lane(PRODUCT, crate::names::Lane::Loans);
    world.wallet.set_lane(PRODUCT, crate::names::Lane::Loans, head);
    let stale = world.seal(Events::Repay(vec![repayment(loan, 6_000_000, 0, 2)]));
    let stale = world.verify(&stale).unwrap();
    assert_eq!(world.apply(&stale), Err(Rejection::Stale));
    // And two drawings on one reserve, likewise.
    let stale = world.seal(Events::Originate(vec![new_loan("L3", 6_000_000, &[1])]));
    let stale = world.verify(&stale).unwrap();
    assert_eq!(world.apply(&stale), Err(Rejection::Stale));
}

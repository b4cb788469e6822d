//! Attacks 13, 14 and 17: batches whose every proof holds, refused by the books; the state is as it was.

use super::forge::{changed, forged, set, sketched, value};
use crate::{
    batch::{Batch, Sealed},
    body::{Body, Touched},
    book::MAX_WAITING,
    chain::Chain,
    draft::Events,
    names::{Lane, LoanId},
    rejection::Rejection,
    store::StateStore as _,
    tests::world::{PRODUCT, World, member, new_loan, repayment},
    transaction::Admitted,
    wallet::LaneHead,
};
use counterfoil_crypto::{pedersen::Opening, relation::Committed};
use curve25519_dalek::scalar::Scalar;
use std::sync::Arc;

/// Verifies, which must succeed, and applies.
fn booked(world: &mut World, sealed: &Sealed) -> Result<(), Rejection> {
    let verified = world.verify(sealed).unwrap();
    let before = world.store.meta().unwrap();
    let outcome = world.apply(&verified);
    assert_eq!(outcome.is_err(), world.store.meta().unwrap() == before);
    outcome
}

fn lent(seed: u64) -> (World, LoanId) {
    let mut world = World::funded(seed);
    let loan = world.lend("L1", 1_000_000, &[1, 3]);
    (world, loan)
}

/// Attack 13: replay, gap and fork.
#[test]
fn only_the_next_batch_of_a_lane_is_booked() {
    let (mut world, loan) = lent(110);
    let events = || Events::Repay(vec![repayment(loan, 1_000, 10, 1)]);
    let (next, rival) = (world.seal(events()), world.seal(events()));
    let head = world.wallet.lane(PRODUCT, Lane::Loans);
    world.wallet.set_lane(PRODUCT, Lane::Loans, LaneHead { sequence: head.sequence + 1, ..head });
    let gap = world.seal(events());
    world.wallet.set_lane(PRODUCT, Lane::Loans, LaneHead { last: [7; 32], ..head });
    let fork = world.seal(events());
    assert_eq!(booked(&mut world, &gap), Err(Rejection::Sequence));
    assert_eq!(booked(&mut world, &fork), Err(Rejection::Sequence));
    assert_eq!(booked(&mut world, &next), Ok(()));
    assert_eq!(booked(&mut world, &next), Err(Rejection::Sequence), "a replay");
    assert_eq!(booked(&mut world, &rival), Err(Rejection::Sequence), "a rival");
}

/// Attack 14: proofs over balances that are better than the present ones.
#[test]
fn a_batch_starts_from_the_present_balances() {
    let (mut world, loan) = lent(111);
    let richer = |quantity: &mut Committed<Opening>| {
        let value = value(quantity) + Scalar::from(1_000_000_000u64);
        *quantity = Committed::open(Opening { value, blinding: Scalar::from(7u64) });
    };
    let reserve =
        changed(&sketched(&world.wallet, Events::Originate(vec![new_loan("L2", 500_000, &[1])])), |sketch| {
            if let Body::Originate { reserves, .. } = &mut sketch.body {
                richer(&mut reserves[1]);
            }
        });
    let repay = sketched(&world.wallet, Events::Repay(vec![repayment(loan, 1_000, 10, 1)]));
    // A balance, then all shares, of the same values under other blindings: everything about them can be proven.
    let balance = changed(&repay, |sketch| {
        let part = &mut sketch.repaid().parts[0];
        part.balance = Committed::open(Opening { value: value(&part.balance), blinding: Scalar::from(7u64) });
    });
    let shares = changed(&repay, |sketch| {
        let loan = sketch.repaid();
        set(&mut loan.quotients[1], Scalar::ZERO);
        set(&mut loan.quotients[0], Scalar::ZERO);
        for part in &mut loan.parts {
            part.share = Committed::open(Opening { value: value(&part.share), blinding: Scalar::from(7u64) });
            set(&mut part.legs[0].movement.amount, Scalar::ZERO);
            set(&mut part.legs[1].movement.amount, Scalar::ZERO);
        }
        if let Body::Repay(Touched { postings: [principal, interest], .. }) = &mut sketch.body {
            principal.iter_mut().chain(interest).for_each(|posting| set(&mut posting.amount, Scalar::ZERO));
        }
        sketch.settle();
    });
    for sketch in [reserve, balance, shares] {
        let sealed = forged(&world.wallet, &sketch);
        assert_eq!(booked(&mut world, &sealed), Err(Rejection::Stale));
    }
}

#[test]
fn a_loan_that_does_not_exist_is_not_repaid() {
    let (mut world, loan) = lent(112);
    let repay = sketched(&world.wallet, Events::Repay(vec![repayment(loan, 1_000, 10, 1)]));
    let unknown = changed(&repay, |sketch| sketch.repaid().loan = LoanId([7; 32]));
    let sealed = forged(&world.wallet, &unknown);
    assert_eq!(booked(&mut world, &sealed), Err(Rejection::Loan));
}

/// Two banks in league: the second posts, with the first one's openings, a repayment of the first one's loan.
#[test]
fn a_loan_of_another_servicer_is_no_loan() {
    let (mut world, loan) = lent(113);
    let repay = sketched(&world.wallet, Events::Repay(vec![repayment(loan, 1_000, 10, 1)]));
    let foreign = changed(&repay, |sketch| {
        let header = &mut sketch.header;
        (header.servicer, header.sequence, header.previous, header.merged) = (member(1), 1, [0; 32], 0);
    });
    let Sealed { batch: Batch { content, proofs, .. }, records } = forged(&world.wallet, &foreign);
    let sealed = Sealed { batch: Batch::sign(content, proofs, &world.keys[1].identity), records };
    assert_eq!(booked(&mut world, &sealed), Err(Rejection::Loan));
}

/// Top-ups are taken up once, in order, and only when they are there.
#[test]
fn top_ups_that_are_not_waiting_are_not_taken_up() {
    let (mut world, loan) = lent(114);
    let repay = sketched(&world.wallet, Events::Repay(vec![repayment(loan, 1_000, 10, 1)]));
    assert_eq!(repay.header.merged, 1);
    for merged in [2, u64::MAX, 0] {
        let sealed = forged(&world.wallet, &changed(&repay, |sketch| sketch.header.merged = merged));
        assert_eq!(booked(&mut world, &sealed), Err(Rejection::Merge), "{merged}");
    }
    let honest = forged(&world.wallet, &repay);
    assert_eq!(booked(&mut world, &honest), Ok(()));
}

#[test]
fn no_more_top_ups_wait_than_may_wait() {
    let mut world = World::new(115);
    for _ in 0..MAX_WAITING {
        world.book(Events::Fund(vec![(member(0), 1)]));
    }
    let sealed = world.seal(Events::Fund(vec![(member(0), 1)]));
    assert_eq!(booked(&mut world, &sealed), Err(Rejection::Backlog));
    // A loan batch takes them up; then one more may come.
    world.lend("L1", 1, &[]);
    assert_eq!(booked(&mut world, &sealed), Ok(()));
}

/// Attack 17: of two that fit alone, the second is refused alone, and the block stands.
#[test]
fn a_batch_that_fails_after_another_is_refused_alone() {
    let mut world = World::new(116);
    let folder = tempfile::tempdir().unwrap();
    let (chain, ..) = Chain::open(folder.path(), world.consortium.clone()).unwrap();
    let fund = world.seal(Events::Fund(vec![(member(0), 10)]));
    let rival = world.seal(Events::Fund(vec![(member(2), 20)]));
    world.wallet.absorb(&fund).unwrap();
    let next = world.seal(Events::Fund(vec![(member(3), 30)]));
    let candidates: Vec<_> = [&fund, &rival, &next]
        .map(|sealed| Admitted::Batch(Arc::new(world.verify(sealed).unwrap())))
        .to_vec();
    // Each alone is what the chain would take.
    for alone in &candidates[..2] {
        assert_eq!(chain.propose(std::slice::from_ref(alone)).unwrap().1, []);
    }
    let (block, refused) = chain.propose(&candidates).unwrap();
    assert_eq!(refused, [(candidates[1].id(), Rejection::Sequence)]);
    assert_eq!(block.batches.len(), 2);
    // A proposer that leaves the refused one in changes nothing by it: the same state, the block stands.
    let mut stuffed = block.clone();
    stuffed.batches = candidates.iter().map(Admitted::to_bytes).collect();
    stuffed.header.batches = crate::block::batches_root(&stuffed.batches);
    let executed = chain.execute(&stuffed, &candidates).unwrap();
    assert_eq!(executed.outcomes(), [None, Some(Rejection::Sequence), None]);
    // One that claims another state is not followed.
    stuffed.header.state = crate::store::tree::EMPTY_ROOT;
    assert!(matches!(chain.execute(&stuffed, &candidates), Err(crate::chain::ChainError::State { .. })));
}

/// A batch taken in twice would count twice in the wallet, and every batch sealed after it would be refused.
#[test]
fn a_wallet_takes_a_batch_in_once() {
    use crate::wallet::AbsorbError;
    let mut world = World::new(117);
    let fund = world.book(Events::Fund(vec![(member(0), 1_000)]));
    assert_eq!(world.wallet.absorb(&fund), Err(AbsorbError::NotNext { sequence: 1 }));
    let mut empty = crate::wallet::Wallet::new(world.consortium.clone(), member(0), world.keys[0].clone());
    let top_up = world.book(Events::Fund(vec![(member(0), 1_000)]));
    assert_eq!(empty.absorb(&top_up), Err(AbsorbError::NotNext { sequence: 2 }));
}

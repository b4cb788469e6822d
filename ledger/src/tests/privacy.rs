//! What a bank outside a loan can tell: nothing, neither from contents nor from lengths, numbers or order.

use super::world::{World, member, new_loan, repayment};
use crate::{batch::Sealed, draft::Events};

/// Everything about a batch that can be seen without a key: lengths and counts of all that is stored.
fn silhouette(sealed: &Sealed) -> Vec<usize> {
    let sections =
        sealed.records.records.iter().flat_map(|r| r.shares.iter().chain(&r.identity).chain(&r.terms));
    let mut shape: Vec<_> = sections.flat_map(|s| [s.ciphertext.len(), s.wraps.len()]).collect();
    shape.push(sealed.records.envelopes.len());
    shape.extend(sealed.batch.content.body.postings().iter().map(|(_, postings)| postings.len()));
    shape.push(sealed.batch.proofs.sigma.len());
    shape.extend(sealed.batch.proofs.ranges.iter().map(Vec::len));
    shape.push(sealed.to_bytes().len());
    shape
}

#[test]
fn a_bank_outside_a_loan_opens_nothing_of_it() {
    let mut world = World::funded(10);
    let loan = world.lend("L1", 1_000_000, &[1]);
    world.book(Events::Repay(vec![repayment(loan, 1_000, 10, 1)]));
    for outside in [2, 3] {
        let view = &world.views[outside];
        assert!(view.loans.is_empty());
        // It opened its own top-up, and no other section of any batch.
        assert_eq!(view.openings, 1);
        // Three other banks' top-ups, four parts of the loan, four of the repayment.
        assert_eq!(view.closed, 3 + 4 + 4);
    }
    world.reconcile();
}

#[test]
fn stored_bytes_and_postings_look_the_same_whoever_takes_part() {
    let shapes: Vec<_> = [&[1u16][..], &[2], &[3], &[1, 2], &[1, 2, 3]]
        .iter()
        .map(|partners| {
            let mut world = World::funded(11);
            let loan = new_loan("L1", 1_000_000, partners);
            let opened = world.book(Events::Originate(vec![loan]));
            let id = world.wallet.loan_of(super::world::PRODUCT, "L1").unwrap();
            let repaid = world.book(Events::Repay(vec![repayment(id, 1_000, 10, 1)]));
            (silhouette(&opened), silhouette(&repaid))
        })
        .collect();
    assert!(shapes.iter().all(|shape| *shape == shapes[0]));
}

#[test]
fn owner_keys_are_recognised_by_their_owners_only() {
    let mut world = World::funded(12);
    let id = world.lend("L1", 1_000_000, &[2]);
    let loan = crate::book::Book::new(&world.store).loan(id).unwrap().unwrap();
    let owned = |bank: u16| {
        let key = &world.keys[usize::from(bank)].view;
        loan.positions.iter().filter(|position| key.owns(&position.owner)).count()
    };
    // The servicer owns its own part and the two empty ones.
    assert_eq!([0, 1, 2, 3].map(owned), [3, 0, 1, 0]);
    assert!(world.keys[0].view.owns(&loan.positions[0].owner));
    assert_eq!(world.wallet.loans()[&id].parts[0].owner, member(0));
}

/// Equal bytes would tell what is equal: the parts of one owner, empty ones above all.
#[test]
fn no_two_wraps_or_points_of_a_batch_are_equal() {
    use crate::body::Body;
    let mut world = World::funded(13);
    let sealed =
        world.book(Events::Originate(vec![new_loan("L1", 1_000_000, &[1]), new_loan("L2", 1_000_000, &[1])]));
    let sections =
        sealed.records.records.iter().flat_map(|r| r.shares.iter().chain(&r.identity).chain(&r.terms));
    let mut seen: Vec<Vec<u8>> = sections.flat_map(|s| s.wraps.iter().map(|wrap| wrap.to_vec())).collect();
    let Body::Originate { loans, postings, .. } = &sealed.batch.content.body else { panic!("no new loans") };
    let parts = loans.iter().flat_map(|loan| &loan.parts);
    let of_parts = parts.flat_map(|part| {
        let split = [part.split.rest, part.split.slack, part.share, part.principal.amount];
        [part.owner.0, part.owner.1].into_iter().chain(split).chain(part.principal.handles.clone())
    });
    let of_postings =
        postings.iter().flat_map(|posting| [posting.amount].into_iter().chain(posting.handles.clone()));
    seen.extend(of_parts.chain(of_postings).map(|point| point.as_bytes().to_vec()));
    let different: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(different.len(), seen.len());
}

//! Totals that nobody opened to the reader: what an account holds is found by the view key alone, whatever its size, and the
//! search has an end.

use super::world::{PRODUCT, World, member};
use crate::{
    book::Book,
    draft::Events,
    names::AccountKind::{self, Incoming, Settlement},
    view::{Effort, Finding, TOTAL_BITS},
};

const REGULATOR: usize = 4;
const FUNDED: u64 = 10_000_000;

/// Funds everybody as the regulator reads, then books a top-up that it is not shown; what its reconciliation finds.
fn found(read: u64, unread: &[(u16, u64)], effort: &Effort) -> Vec<(AccountKind, u16, u64, Option<u64>)> {
    let mut world = World::funded(40);
    world.book(Events::Fund((0..4).map(|bank| (member(bank), read)).collect()));
    let top_up = unread.iter().map(|(bank, amount)| (member(*bank), *amount)).collect();
    let sealed = world.seal(Events::Fund(top_up));
    let verified = world.verify(&sealed).unwrap();
    world.apply(&verified).unwrap();
    let regulator = &mut world.views[REGULATOR];
    regulator.reconcile_with(&Book::new(&world.store), effort).unwrap();
    let line = |finding: &Finding| match finding {
        Finding::Account { account: (servicer, product, bank, kind), expected, found } => {
            assert_eq!((*servicer, *product), (member(0), PRODUCT));
            (*kind, bank.0, *expected, *found)
        }
        other => panic!("{other:?}"),
    };
    regulator.findings.iter().map(line).collect()
}

#[test]
fn totals_of_milliards_are_found_without_an_opening() {
    let effort = Effort { bits: TOTAL_BITS, fruitless: 1 };
    let (read, unread) = (1, (1 << 38) + 123_456_789);
    let (expected, total) = (FUNDED + read, Some(FUNDED + read + unread));
    let findings = [(Settlement, 1, expected, total), (Incoming, 1, expected, total)];
    assert_eq!(found(read, &[(1, unread)], &effort), findings);
}

#[test]
fn a_total_of_any_size_is_found_near_what_is_expected() {
    let effort = Effort { bits: 24, fruitless: 1 };
    let (read, unread) = (1 << 62, 4_999);
    let (expected, total) = (FUNDED + read, Some(FUNDED + read + unread));
    let findings = [(Settlement, 2, expected, total), (Incoming, 2, expected, total)];
    assert_eq!(found(read, &[(2, unread)], &effort), findings);
}

#[test]
fn what_is_too_far_away_is_a_finding_all_the_same() {
    let effort = Effort { bits: 24, fruitless: 16 };
    let findings = found(1, &[(1, 1 << 23)], &effort);
    assert_eq!(findings, [(Settlement, 1, FUNDED + 1, None), (Incoming, 1, FUNDED + 1, None)]);
}

#[test]
fn fruitless_searches_are_counted() {
    let both = [(1, 1 << 50), (2, 7)];
    let found = |fruitless| -> Vec<_> {
        let findings = found(0, &both, &Effort { bits: 24, fruitless });
        findings.iter().map(|(_, bank, _, found)| (*bank, *found)).collect()
    };
    let (hidden, open) = ((1, None), (2, Some(FUNDED + 7)));
    assert_eq!(found(3), [hidden, hidden, open, open]);
    // Two searches for nothing are enough: what could be found is no longer searched for, and reported all the same.
    assert_eq!(found(2), [hidden, hidden, (2, None), (2, None)]);
}

//! Loan histories from files: nothing is booked that was not lent, nor twice, nor out of order.

use crate::input::Input;
use counterfoil::import::{Portfolio, auto};
use std::{collections::BTreeMap, fs};

/// A number of partners, the length of the file of loans (two bytes), that file, and the file of events; plain or gzip.
#[must_use]
pub fn any_tables(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (partners, length) = (input.byte() % 8, input.number());
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let [loans, events] = ["loans.csv", "events.csv"].map(|name| folder.path().join(name));
    fs::write(&loans, input.take(length)).expect("the folder is ours");
    fs::write(&events, input.rest()).expect("the folder is ours");
    let read = |limit| auto::read(&loans, &events, limit, partners);
    let Ok(portfolio) = read(None) else { return false };
    check(&portfolio, partners);
    let some = read(Some(1)).expect("a part of a good file is good");
    assert_eq!(some.openings[..], portfolio.openings[..1]);
    assert!(some.payments.iter().all(|payment| portfolio.payments.contains(payment)));
    true
}

fn check(portfolio: &Portfolio, partners: u8) {
    let mut owed = BTreeMap::new();
    for opening in &portfolio.openings {
        assert!(opening.principal > 0 && !opening.partners.is_empty());
        assert!(opening.partners.iter().all(|partner| *partner < partners), "{opening:?}");
        assert_eq!(owed.insert(&opening.loan, (opening.principal, opening.period)), None, "a loan twice");
    }
    assert!(portfolio.payments.is_sorted_by_key(|payment| payment.period), "payments out of order");
    for payment in &portfolio.payments {
        let (owed, first) = owed.get_mut(&payment.loan).expect("a payment is of a loan that was opened");
        assert!(payment.period >= *first, "{payment:?} comes before the loan");
        *owed = owed.checked_sub(payment.principal).expect("more is repaid than was lent");
        assert!(payment.principal > 0 || payment.interest > 0, "a payment of nothing");
    }
}

//! Loan histories from files: nothing is booked that was not lent, nor twice, nor out of order.

use crate::input::Input;
use counterfoil::import::{
    Portfolio, What,
    mapped::{Source, read},
    mapping::{AUTO, Mapping},
};
use std::{collections::BTreeMap, fs};

const PARTNERS: [&str; 8] = ["b", "c", "d", "e", "f", "g", "h", "i"];

/// A number of partners, the length of the file of loans (two bytes), that file, and the file of events; plain or gzip.
#[must_use]
pub fn any_tables(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (partners, length) = (usize::from(input.byte() % 8), input.number());
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let [loans, events] = ["loans.csv", "events.csv"].map(|name| folder.path().join(name));
    fs::write(&loans, input.take(length)).expect("the folder is ours");
    fs::write(&events, input.rest()).expect("the folder is ours");
    let mapping = Mapping::parse(AUTO).expect("the mapping is the program's own");
    let partners: Vec<_> = PARTNERS.iter().take(partners).map(|name| (*name).to_owned()).collect();
    let read = |limit| {
        let partners = (partners.as_slice(), 3);
        read(&Source { mapping: &mapping, loans: &loans, events: &events, limit, exponent: 2, partners })
    };
    let Ok(portfolio) = read(None) else { return false };
    check(&portfolio, &partners);
    let some = read(Some(1)).expect("a part of a good file is good");
    assert_eq!(some.openings[..], portfolio.openings[..1]);
    assert!(some.events.iter().all(|event| portfolio.events.contains(event)));
    true
}

fn check(portfolio: &Portfolio, partners: &[String]) {
    let mut owed = BTreeMap::new();
    for opening in &portfolio.openings {
        assert!(opening.principal > 0 && (1..=3).contains(&opening.partners.len()));
        assert!(opening.partners.iter().all(|partner| partners.contains(partner)), "{opening:?}");
        assert_eq!(owed.insert(&opening.loan, (opening.principal, opening.date)), None, "a loan twice");
    }
    assert!(portfolio.events.is_sorted_by_key(|event| event.date), "events out of order");
    for event in &portfolio.events {
        let (owed, first) = owed.get_mut(&event.loan).expect("an event is of a loan that was opened");
        assert!(event.date >= *first, "{event:?} comes before the loan");
        match event.what {
            What::Paid { principal, interest, .. } => {
                *owed = owed.checked_sub(principal).expect("more is repaid than was lent");
                assert!(principal > 0 || interest > 0, "a payment of nothing");
            }
            What::Raised { amount } => *owed = owed.checked_add(amount).expect("more than 64 bits are owed"),
            What::WrittenOff => *owed = 0,
            What::Recovered { proceeds, costs } => assert!(proceeds > 0 || costs > 0, "nothing recovered"),
        }
    }
}

//! Laws that hold for any two books, however hostile: nothing is lost, nothing counts twice, the order says nothing.

#![allow(clippy::arithmetic_side_effects, reason = "a test: small numbers")]

use super::{
    Period,
    date::Day,
    line::{Component, Currency, Event, Line, Names, Side},
    reconcile,
    report::Report,
};
use proptest::{collection::vec, prelude::*};

/// Lines of a world so small that most of them look alike.
fn line() -> impl Strategy<Value = Line> {
    let events = prop::sample::select(Event::ALL.map(|(event, _)| event).to_vec());
    let components = prop::sample::select(Component::ALL.map(|(component, _)| component).to_vec());
    let amounts = prop::sample::select(vec![1, 2, 100, 101, 10_000, 10_139, u64::MAX]);
    let texts = (0u8..3, prop::option::of(0u8..2), prop::option::of(0u8..2), prop::option::of(0u8..3));
    (events, components, any::<bool>(), amounts, 0i32..12, prop::option::of(0i32..3), texts).prop_map(
        |(event, component, is_debit, amount, value, booked, (loan, bucket, account, key))| {
            let mut names = names();
            let mut name = |kind: &str, number: u8| names.name(&format!("{kind}{number}"));
            Line {
                loan: name("L", loan),
                event,
                component,
                side: if is_debit { Side::Debit } else { Side::Credit },
                amount: if event == Event::Status { 0 } else { amount },
                currency: Currency::with_exponent("CNY").unwrap().0,
                value: Day(value),
                booked: booked.map(|days| Day(value + days)),
                key: key.map(|key| [key; 32]),
                bucket: bucket.map(|number| name("B", number)),
                account: account.map(|number| name("A", number)),
                customer: None,
                row: 0,
            }
        },
    )
}

fn names() -> Names {
    let mut names = Names::default();
    for kind in ["L", "B", "A"] {
        for number in 0..3 {
            names.name(&format!("{kind}{number}"));
        }
    }
    names
}

fn numbered(lines: &[Line]) -> Vec<Line> {
    (1..).zip(lines).map(|(row, line)| Line { row, ..*line }).collect()
}

fn compare(own: &[Line], rows: &[Line]) -> Report {
    let rows = numbered(rows);
    let count = rows.len() as u64;
    let all = |_: &mut Names, sink: &mut dyn FnMut(Line) -> Result<(), String>| {
        rows.iter().for_each(|row| sink(*row).unwrap());
        Ok(count)
    };
    reconcile(numbered(own), &mut names(), Period::default(), None, all).unwrap()
}

fn sum(lines: &[Line]) -> i128 {
    lines.iter().map(Line::signed).sum()
}

/// Whether the books differ in words alone.
fn is_in_words(cause: &str) -> bool {
    matches!(cause, "account" | "customer")
}

proptest! {
    #[test]
    fn an_extract_that_says_the_same_agrees_in_any_order(
        own in vec(line(), 0..40),
        order in vec(any::<prop::sample::Index>(), 40),
        keeps_keys: bool,
    ) {
        let mut rows: Vec<_> = own.iter().map(|own| Line { account: None, ..*own }).collect();
        for (place, other) in order.iter().enumerate().take(rows.len()) {
            let other = other.index(rows.len());
            rows.swap(place, other);
        }
        if !keeps_keys {
            rows.iter_mut().for_each(|row| row.key = None);
        }
        let report = compare(&own, &rows);
        prop_assert!(report.agrees(), "{}", report.to_text(9));
    }

    #[test]
    fn differences_add_up_and_every_line_is_somewhere(own in vec(line(), 0..40), rows in vec(line(), 0..40)) {
        let report = compare(&own, &rows);
        let breaks: Vec<_> = report.breaks.iter().filter(|item| !is_in_words(item.cause)).collect();
        let difference: i128 = breaks.iter().map(|item| item.difference).sum();
        prop_assert_eq!(difference, sum(&rows) - sum(&own));
        let on_ledger = breaks.iter().filter(|item| item.ledger.is_some()).count() as u64;
        let in_extract = breaks.iter().filter(|item| item.extract.is_some()).count() as u64;
        // Pairs that differ in nothing but a key have met without a break.
        let silent = report.lines.ledger - report.lines.agreed - on_ledger;
        prop_assert_eq!(silent, report.lines.extract - report.lines.agreed - in_extract);
        for item in &report.breaks {
            let head = item.follows.map(|number| &report.breaks[usize::try_from(number).unwrap() - 1]);
            prop_assert!(head.is_none_or(|head| head.follows.is_none() && head.followers > 0));
        }
    }

    #[test]
    fn the_order_of_rows_says_nothing(own in vec(line(), 0..12), rows in vec(line(), 0..12)) {
        let mut backwards = rows.clone();
        backwards.reverse();
        let said = |report: &Report| {
            let side = |entry: &Option<super::report::Entry>| entry.as_ref().map(|e| (e.amount, e.value_date.clone(), e.loan.clone()));
            let item = |item: &super::report::Item| (item.cause, item.loan.clone(), side(&item.ledger), side(&item.extract));
            let mut items: Vec<_> = report.breaks.iter().filter(|i| !is_in_words(i.cause)).map(item).collect();
            items.sort();
            (report.lines, items)
        };
        prop_assert_eq!(said(&compare(&own, &rows)), said(&compare(&own, &backwards)));
    }
}

//! Running balances loan by loan, and which break follows from which.

#![allow(clippy::arithmetic_side_effects, reason = "sums of at most 2^33 signed 64-bit amounts, in 128 bits")]

use super::{
    breaks::Break,
    cause::Cause,
    date::Day,
    line::{Component, Event, Line, Name},
    matching::Matcher,
};
use std::collections::BTreeMap;

/// What a line moves in the balance of its component.
fn moves(line: &Line) -> i128 {
    match line.event {
        Event::Suspense | Event::Status => 0,
        _ => line.signed(),
    }
}

/// The running balances at each break. Breaks are in order of loans.
pub(super) fn balances(breaks: &mut [Break], matcher: &Matcher) {
    for loan in breaks.chunk_by_mut(|a, b| a.line().map(|line| line.loan) == b.line().map(|line| line.loan)) {
        let Some(name) = loan.first().and_then(|found| found.line()).map(|line| line.loan) else { continue };
        let mut ledger: BTreeMap<Component, Vec<(Day, i128)>> = BTreeMap::new();
        for line in matcher.of_loan(name).filter_map(|place| matcher.own().get(place)) {
            ledger.entry(line.component).or_default().push((line.value, moves(line)));
        }
        let mut apart: BTreeMap<Component, Vec<(Day, i128)>> = BTreeMap::new();
        for found in loan.iter().filter(|found| !found.moves_nothing()) {
            for line in found.pair.own.iter() {
                apart.entry(line.component).or_default().push((line.value, -moves(line)));
            }
            // A row under another loan's name is not in this loan's balance.
            for line in found.pair.row.iter().filter(|line| line.loan == name) {
                apart.entry(line.component).or_default().push((line.value, moves(line)));
            }
        }
        ledger.values_mut().chain(apart.values_mut()).for_each(add_up);
        for found in loan.iter_mut() {
            let Some((component, day)) = found.line().map(|line| (line.component, line.value)) else {
                continue;
            };
            let mine = at(ledger.get(&component), day);
            found.balances = (mine, mine + at(apart.get(&component), day));
        }
    }
}

/// Movements by day → balances by day.
fn add_up(moves: &mut Vec<(Day, i128)>) {
    moves.sort_unstable_by_key(|(day, _)| *day);
    let mut sum = 0;
    for (_, amount) in moves {
        sum += *amount;
        *amount = sum;
    }
}

fn at(balances: Option<&Vec<(Day, i128)>>, day: Day) -> i128 {
    let Some(balances) = balances else { return 0 };
    let count = balances.partition_point(|(of, _)| *of <= day);
    count.checked_sub(1).and_then(|last| balances.get(last)).map_or(0, |(_, balance)| *balance)
}

/// In each loan, the first break of a cause is named and the others follow; and interest that is off while the principal is
/// off follows from the principal.
pub(super) fn followers(breaks: &mut [Break]) {
    let mut heads: BTreeMap<(Name, Cause), usize> = BTreeMap::new();
    let mut principal: Option<(Name, usize, Day, i128)> = None;
    for place in 0..breaks.len() {
        let Some(found) = breaks.get(place).filter(|found| found.follows.is_none()) else { continue };
        let Some(line) = found.line() else { continue };
        let (loan, component, value, cause) = (line.loan, line.component, line.value, found.cause);
        let difference = found.difference();
        let open = principal.filter(|open| open.0 == loan && open.3 != 0);
        let follows_balance = matches!(cause, Cause::Amount | Cause::Accrual | Cause::Cents)
            && component == Component::Interest
            && open.is_some_and(|open| open.2 < value);
        if component == Component::Principal {
            let open =
                principal.filter(|open| open.0 == loan && open.3 != 0).unwrap_or((loan, place, value, 0));
            principal = Some((open.0, open.1, open.2, open.3 + difference));
        }
        let head = match open {
            Some(open) if follows_balance => open.1,
            _ => *heads.entry((loan, cause)).or_insert(place),
        };
        if let Some(found) = breaks.get_mut(place) {
            found.follows = (head != place && cause != Cause::FileTwice).then_some(head);
        }
    }
    // A head may itself follow from another break: the first one stands for all.
    for place in 0..breaks.len() {
        let first = breaks.get(place).and_then(|found| found.follows);
        let above = first.and_then(|head| breaks.get(head)).and_then(|head| head.follows);
        if let (Some(above), Some(found)) = (above, breaks.get_mut(place)) {
            found.follows = Some(above);
        }
    }
}

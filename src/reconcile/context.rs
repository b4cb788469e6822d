//! Causes that no pair of lines shows alone: reversals and their originals, days that are cut elsewhere, the same money split
//! otherwise, files that were booked twice.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "sums of at most 2^33 signed 64-bit amounts, in 128 bits; counts"
)]

use super::{
    breaks::Break,
    cause::{CENTS, Cause},
    date::Day,
    line::{Component, Event, Line, Name, Side},
    matching::Matcher,
    pairing::NEAR_DAYS,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a reversal and its original share.
type Undone = (Name, Component, u64, Side);

fn undone(line: &Line) -> Undone {
    let side = if line.event == Event::Reversed { line.side.opposite() } else { line.side };
    (line.loan, line.component, line.amount, side)
}

/// Singles that are a reversal, or were reversed. A returned payout is the reversal of a draw-down.
pub(super) fn reversals(breaks: &mut [Break], matcher: &Matcher) {
    let is_open = |found: &Break| matches!(found.cause, Cause::Missing | Cause::Reversal);
    let singles = breaks.iter().filter(|found| is_open(found)).filter_map(Break::single);
    let wanted: BTreeSet<Undone> = singles.clone().map(undone).collect();
    let mut drawn: BTreeSet<Undone> = singles.filter(|line| line.event == Event::Drawn).map(undone).collect();
    let mut both: BTreeMap<Undone, Vec<(Day, i64)>> = BTreeMap::new();
    let loans: BTreeSet<Name> = wanted.iter().map(|undone| undone.0).collect();
    for loan in loans {
        for place in matcher.of_loan(loan) {
            let Some(line) = matcher.own().get(place).filter(|line| wanted.contains(&undone(line))) else {
                continue;
            };
            if line.event == Event::Drawn {
                drawn.insert(undone(line));
            }
            if matcher.is_taken(place) && line.event != Event::Suspense {
                let step = if line.event == Event::Reversed { 1 } else { -1 };
                both.entry(undone(line)).or_default().push((line.value, step));
            }
        }
    }
    let lone: BTreeMap<Undone, Day> =
        both.into_iter().filter_map(|(undone, steps)| Some((undone, lone(steps)?))).collect();
    let reversed: BTreeSet<(Undone, bool)> = breaks
        .iter()
        .filter(|found| found.single().is_some_and(|line| line.event == Event::Reversed))
        .filter_map(|found| Some((undone(found.single()?), found.is_row())))
        .collect();
    for found in breaks.iter_mut().filter(|found| is_open(found)) {
        let Some(line) = found.single() else { continue };
        let undone = undone(line);
        let is_reversal = line.event == Event::Reversed;
        let is_gone = reversed.contains(&(undone, found.is_row()));
        let is_lone = lone.get(&undone).is_some_and(|until| line.value <= *until);
        if !(is_reversal || is_gone || is_lone) {
            continue;
        }
        found.cause = if drawn.contains(&undone) { Cause::PayoutReturned } else { Cause::Reversal };
        let what = match (is_reversal, is_gone) {
            (true, _) => "the reversal is",
            (false, true) => "the original and its reversal are",
            (false, false) => "the original of a reversal is",
        };
        found.note = format!("{what} {}", found.note);
    }
}

/// The last day on which the lines that both sides have hold more reversals (+1) than originals (-1) up to then.
fn lone(mut steps: Vec<(Day, i64)>) -> Option<Day> {
    steps.sort_unstable();
    let mut more = 0;
    let days = steps.into_iter().filter_map(|(day, step)| {
        more += step;
        (more > 0).then_some(day)
    });
    days.last()
}

/// Singles just outside the days that the other side has: the next file, or the one before, has them.
pub(super) fn day_cuts(breaks: &mut [Break], matcher: &Matcher, rows: &BTreeMap<Day, u64>) {
    let days = matcher.own().iter().map(Line::day);
    let own = days.clone().min().zip(days.max());
    let seen = rows.keys().next().copied().zip(rows.keys().next_back().copied());
    let near = i64::try_from(NEAR_DAYS).unwrap_or(0);
    for found in breaks.iter_mut().filter(|found| found.cause == Cause::Missing) {
        let other = if found.is_row() { own } else { seen };
        let (Some(line), Some((first, last))) = (found.single(), other) else { continue };
        let (before, after) = (first.since(line.day()), line.day().since(last));
        if (1..=near).contains(&before) || (1..=near).contains(&after) {
            found.cause = Cause::DayCut;
            let which = if before > 0 {
                format!("before {first}, the first")
            } else {
                format!("after {last}, the last")
            };
            found.note = format!("{}: {which} day there", found.note);
        }
    }
}

/// Several differences of one loan and day that cancel: the same money, split otherwise; or net on one side and gross on
/// the other, when a fee stands against the rest.
pub(super) fn splits(breaks: &mut [Break]) {
    let mut days: BTreeMap<(Name, Day), Vec<usize>> = BTreeMap::new();
    for (place, found) in breaks.iter().enumerate() {
        let open =
            [Cause::Missing, Cause::Amount, Cause::Accrual, Cause::NetGross, Cause::Cents, Cause::Scale];
        let pays = [Event::Repaid, Event::Recovered, Event::Cost];
        if let Some(line) =
            found.line().filter(|line| open.contains(&found.cause) && pays.contains(&line.event))
        {
            days.entry((line.loan, line.value)).or_default().push(place);
        }
    }
    for places in days.values().filter(|places| places.len() > 1) {
        let all: Vec<&Break> = places.iter().filter_map(|place| breaks.get(*place)).collect();
        let differences = all.iter().map(|found| found.difference());
        let are_cents = differences.clone().all(|difference| difference.unsigned_abs() <= u128::from(CENTS));
        if differences.sum::<i128>() != 0 || are_cents {
            continue;
        }
        let is_fee = |line: &&Line| line.component == Component::Fee || line.event == Event::Cost;
        let fees: Vec<_> =
            all.iter().filter_map(|found| found.line()).filter(is_fee).map(|line| line.side).collect();
        let others = all.iter().filter_map(|found| found.line()).filter(|line| !is_fee(line));
        let is_against = others.clone().any(|line| fees.iter().any(|side| *side != line.side));
        let (cause, note) = if is_against {
            (Cause::NetGross, "one side has netted the fee; the sums agree")
        } else {
            (Cause::Allocation, "the sums agree, their components do not")
        };
        for place in places {
            if let Some(found) = breaks.get_mut(*place) {
                (found.cause, found.note) = (cause, note.into());
            }
        }
    }
}

/// Days of which the extract has almost everything twice. `rows`: how many rows it has of each day.
pub(super) fn files_twice(breaks: &mut [Break], rows: &BTreeMap<Day, u64>) {
    let is_double = |found: &&Break| found.cause == Cause::Doubled && found.is_row();
    let mut days: BTreeMap<Day, (u64, BTreeSet<Name>)> = BTreeMap::new();
    for line in breaks.iter().filter(is_double).filter_map(Break::line) {
        let day = days.entry(line.day()).or_default();
        day.0 += 1;
        day.1.insert(line.loan);
    }
    // Three quarters, since other breaks may sit in the same file; one loan alone is a retry.
    let is_file = |day: Day| {
        let all = rows.get(&day).copied().unwrap_or(0);
        let is_whole = |doubled: u64| doubled * 4 >= all.saturating_sub(doubled) * 3;
        days.get(&day).is_some_and(|(doubled, loans)| loans.len() > 1 && is_whole(*doubled))
    };
    let mut heads: BTreeMap<Day, usize> = BTreeMap::new();
    for place in 0..breaks.len() {
        let Some(found) = breaks.get_mut(place).filter(|found| is_double(&&**found)) else { continue };
        let Some(day) = found.line().map(Line::day).filter(|day| is_file(*day)) else { continue };
        found.cause = Cause::FileTwice;
        found.note = format!("all of {day} stands in the extract twice");
        let head = *heads.entry(day).or_insert(place);
        found.follows = (head != place).then_some(head);
    }
}

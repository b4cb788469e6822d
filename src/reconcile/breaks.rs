//! From pairs to breaks: causes that only several lines show, running balances, and which break follows from which.

#![allow(clippy::arithmetic_side_effects, reason = "sums of at most 2^33 signed 64-bit amounts, in 128 bits")]

use super::{
    cause::{self, CENTS, Cause},
    date::Day,
    line::{Component, Event, Line, Name, Names, Side},
    matching::Matcher,
    pairing::{NEAR_DAYS, Pair},
};
use std::collections::{BTreeMap, BTreeSet};

/// A difference between the books.
#[derive(Clone, Debug)]
pub(super) struct Break {
    pub(super) cause: Cause,
    pub(super) pair: Pair,
    /// What the cause was seen by.
    pub(super) note: String,
    /// The place of the break from which this one follows.
    pub(super) follows: Option<usize>,
    /// What the ledger and the extract have of this component of the loan after that day.
    pub(super) balances: (i128, i128),
}

impl Break {
    /// The line by which the break is placed.
    pub(super) fn line(&self) -> Option<&Line> {
        self.pair.line()
    }

    /// What the extract has more than the ledger, debits up.
    pub(super) fn difference(&self) -> i128 {
        if self.moves_nothing() {
            return 0;
        }
        signed(self.pair.row.as_ref()) - signed(self.pair.own.as_ref())
    }

    /// Whether the books differ in words alone.
    fn moves_nothing(&self) -> bool {
        matches!(self.cause, Cause::Account | Cause::Customer)
    }

    fn single(&self) -> Option<&Line> {
        match (&self.pair.own, &self.pair.row) {
            (Some(line), None) | (None, Some(line)) if !self.pair.is_double => Some(line),
            _ => None,
        }
    }

    fn is_row(&self) -> bool {
        self.pair.own.is_none()
    }
}

fn signed(line: Option<&Line>) -> i128 {
    line.map_or(0, Line::signed)
}

/// Gives every pair its cause, and puts the breaks in order: by loan, value date, event, component.
pub(super) fn of_pairs(
    pairs: Vec<Pair>,
    others: Vec<(Cause, Pair, String)>,
    matcher: &Matcher,
    seen: Option<(Day, Day)>,
    names: &Names,
) -> Vec<Break> {
    let mut breaks: Vec<_> = pairs.into_iter().map(|pair| first_guess(pair, names)).collect();
    let new = |(cause, pair, note)| Break { cause, pair, note, follows: None, balances: (0, 0) };
    breaks.extend(others.into_iter().map(new));
    breaks.sort_by_cached_key(|found| order(found, names));
    reversals(&mut breaks, matcher);
    day_cuts(&mut breaks, matcher, seen);
    splits(&mut breaks);
    files_twice(&mut breaks, matcher);
    balances(&mut breaks, matcher);
    followers(&mut breaks);
    breaks
}

fn first_guess(pair: Pair, names: &Names) -> Break {
    let (cause, note) = match (&pair.own, &pair.row) {
        (Some(own), Some(row)) => cause::of_pair(own, row, names),
        _ if pair.is_double => (Cause::Doubled, String::new()),
        (Some(_), None) => (cause::of_single(&pair), "not in the extract".into()),
        _ => (cause::of_single(&pair), "not on the ledger".into()),
    };
    Break { cause, pair, note, follows: None, balances: (0, 0) }
}

type Order = (String, Option<(Day, Event, Component, Side, u64, bool, u64)>, Cause);

fn order(found: &Break, names: &Names) -> Order {
    let line = found.line();
    let place = line.map(|l| (l.value, l.event, l.component, l.side, l.amount, found.is_row(), l.row));
    (line.map(|line| names.text(line.loan).to_owned()).unwrap_or_default(), place, found.cause)
}

/// What a reversal and its original share.
type Undone = (Name, Component, u64, Side);

fn undone(line: &Line) -> Undone {
    let side = if line.event == Event::Reversed { line.side.opposite() } else { line.side };
    (line.loan, line.component, line.amount, side)
}

/// Singles that are a reversal, or were reversed. A returned payout is the reversal of a draw-down.
fn reversals(breaks: &mut [Break], matcher: &Matcher) {
    let is_open = |found: &Break| matches!(found.cause, Cause::Missing | Cause::Reversal);
    let singles = breaks.iter().filter(|found| is_open(found)).filter_map(Break::single);
    let wanted: BTreeSet<Undone> = singles.clone().map(undone).collect();
    let mut drawn: BTreeSet<Undone> = singles.filter(|line| line.event == Event::Drawn).map(undone).collect();
    let mut both: BTreeMap<Undone, Vec<(Day, i64)>> = BTreeMap::new();
    let loans: BTreeSet<Name> = wanted.iter().map(|undone| undone.0).collect();
    for loan in loans {
        for place in of_loan(matcher, loan) {
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

/// The places of a loan's own lines.
fn of_loan(matcher: &Matcher, loan: Name) -> std::ops::Range<usize> {
    let own = matcher.own();
    let begin = own.partition_point(|line| line.loan < loan);
    begin..begin + own.get(begin..).map_or(0, |rest| rest.partition_point(|line| line.loan == loan))
}

/// Singles just outside the days that the other side has: the next file, or the one before, has them.
fn day_cuts(breaks: &mut [Break], matcher: &Matcher, seen: Option<(Day, Day)>) {
    let days = matcher.own().iter().map(Line::day);
    let own = days.clone().min().zip(days.max());
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
fn splits(breaks: &mut [Break]) {
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

/// Days of which the extract has almost everything twice.
fn files_twice(breaks: &mut [Break], matcher: &Matcher) {
    let mut days: BTreeMap<Day, (usize, BTreeSet<Name>)> = BTreeMap::new();
    for line in
        breaks.iter().filter(|found| found.cause == Cause::Doubled && found.is_row()).filter_map(Break::line)
    {
        let day = days.entry(line.day()).or_default();
        day.0 += 1;
        day.1.insert(line.loan);
    }
    let mut all: BTreeMap<Day, usize> = BTreeMap::new();
    for line in matcher.own().iter().filter(|line| days.contains_key(&line.day())) {
        *all.entry(line.day()).or_default() += 1;
    }
    // Three quarters, since other breaks may sit in the same file; one loan alone is a retry.
    let is_file = |day: Day| {
        let whole = all.get(&day).copied().unwrap_or(0);
        days.get(&day).is_some_and(|(doubled, loans)| loans.len() > 1 && doubled * 4 >= whole * 3)
    };
    let mut heads: BTreeMap<Day, usize> = BTreeMap::new();
    for place in 0..breaks.len() {
        let Some(found) = breaks.get_mut(place) else { continue };
        let Some(day) = found.line().map(Line::day) else { continue };
        if found.cause == Cause::Doubled && found.is_row() && is_file(day) {
            found.cause = Cause::FileTwice;
            found.note = format!("all of {day} stands in the extract twice");
            let head = *heads.entry(day).or_insert(place);
            found.follows = (head != place).then_some(head);
        }
    }
}

/// What a line moves in the balance of its component.
fn moves(line: &Line) -> i128 {
    match line.event {
        Event::Suspense | Event::Status => 0,
        _ => line.signed(),
    }
}

/// The running balances at each break. Breaks are in order of loans.
fn balances(breaks: &mut [Break], matcher: &Matcher) {
    for loan in breaks.chunk_by_mut(|a, b| a.line().map(|line| line.loan) == b.line().map(|line| line.loan)) {
        let Some(name) = loan.first().and_then(|found| found.line()).map(|line| line.loan) else { continue };
        let mut ledger: BTreeMap<Component, Vec<(Day, i128)>> = BTreeMap::new();
        for line in of_loan(matcher, name).filter_map(|place| matcher.own().get(place)) {
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
fn followers(breaks: &mut [Break]) {
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

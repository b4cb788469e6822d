//! Breaks of all eighteen kinds, put into books that agree; each says where it must be found.

use super::sample::{Books, LoanBook, Random};
use counterfoil::reconcile::{
    cause::Cause,
    date::Day,
    line::{Component, Event, Line, Names, Side},
};
use std::collections::BTreeSet;

/// Where a break must be found: loan, cause, event, component, value date, and the amount on the ledger and in the extract.
pub(crate) type Place = (String, &'static str, String, String, String, Option<u64>, Option<u64>);

/// What happens to the rows of a loan; `None` where the loan has nothing of the kind.
type Change = fn(&mut LoanBook, &mut Names, &mut Random) -> Option<(Option<Line>, Option<Line>)>;

/// The breaks of the rows of one loan.
const CHANGES: [(Cause, Change); 29] = [
    (Cause::DayCut, |l, _, _| moved(l, Event::Repaid, 0, 1)),
    (Cause::DayCut, |l, _, _| moved(l, Event::Repaid, 1, 1)),
    (Cause::DayCut, |l, _, _| moved(l, Event::Accrued, 2, 2)),
    (Cause::Missing, |l, _, _| removed(l, |line| line.event == Event::Repaid)),
    (Cause::Missing, |l, _, _| removed(l, |line| line.event == Event::ChargedOff)),
    (Cause::Missing, |l, _, random| strange(l, random)),
    (Cause::Doubled, |l, _, _| doubled(l, Event::Repaid)),
    (Cause::Doubled, |l, _, _| doubled(l, Event::Accrued)),
    (Cause::Cents, |l, _, _| other_amount(l, Event::Repaid, Component::Interest, |amount| amount + 1)),
    (Cause::Cents, |l, _, _| other_amount(l, Event::Repaid, Component::Principal, |amount| amount - 2)),
    (Cause::Allocation, |l, _, random| allocated(l, random)),
    (Cause::Accrual, |l, _, _| {
        other_amount(l, Event::Accrued, Component::Interest, |amount| (amount * 365 + 180) / 360)
    }),
    (Cause::Accrual, |l, _, _| {
        other_amount(l, Event::Repaid, Component::Interest, |amount| (amount * 31 + 15) / 30)
    }),
    (Cause::PayoutReturned, |l, _, _| payout(l, false)),
    (Cause::PayoutReturned, |l, _, _| payout(l, true)),
    (Cause::Reversal, |l, _, _| reversal(l, true)),
    (Cause::Reversal, |l, _, _| reversal(l, false)),
    (Cause::Status, |l, _, _| moved(l, Event::Status, 1, 1)),
    (Cause::Status, |l, names, _| other_bucket(l, names)),
    (Cause::LoanNumber, |l, names, _| renumbered(l, names, false)),
    (Cause::LoanNumber, |l, names, _| renumbered(l, names, true)),
    (Cause::Scale, |l, _, _| other_amount(l, Event::Repaid, Component::Principal, |amount| amount * 100)),
    (Cause::Scale, |l, _, _| other_amount(l, Event::Accrued, Component::Interest, |amount| amount / 100)),
    (Cause::NetGross, |l, _, _| netted(l)),
    (Cause::NetGross, |l, _, _| other_amount(l, Event::Repaid, Component::Fee, |amount| amount * 106 / 100)),
    (Cause::WriteOffDate, |l, _, _| moved(l, Event::ChargedOff, 17, 17)),
    (Cause::TransferDate, |l, _, _| moved(l, Event::Transferred, 6, 6)),
    (Cause::Suspense, |l, _, _| removed(l, |line| line.event == Event::Suspense && line.side == Side::Debit)),
    (Cause::Account, |l, names, _| renamed(l, |row| row.account = Some(names.name("CN-changed")))),
];

/// Puts every kind of break into the books, `times` each; returns where each must be found, and how many follow from others.
pub(crate) fn inject(books: &mut Books, seed: u64, times: usize) -> BTreeSet<Place> {
    let mut random = Random::new(seed);
    let mut found = BTreeSet::new();
    for nth in 0..times {
        found.insert(file_twice(books, nth));
    }
    found.insert(reserve(books));
    let customer: Change = |l, names, _| renamed(l, |row| row.customer = Some(names.name("C-merged")));
    for (cause, change) in CHANGES.into_iter().chain([(Cause::Customer, customer)]) {
        let mut left = times;
        let (loans, skipped) = (1..books.loans.len(), usize::try_from(random.between(0, 997)).unwrap());
        for place in loans.clone().cycle().skip(skipped).take(loans.len()) {
            if left == 0 {
                break;
            }
            let loan = &mut books.loans[place];
            if loan.is_marked {
                continue;
            }
            let first = loan.own[0];
            if let Some((own, row)) = change(loan, &mut books.names, &mut random) {
                loan.is_marked = true;
                let at = own.or(row).unwrap_or(first);
                found.insert(self::place(cause, &at, own, row, &books.names));
                left -= 1;
            }
        }
        assert_eq!(left, 0, "loans for {cause}");
    }
    found
}

fn place(cause: Cause, at: &Line, own: Option<Line>, row: Option<Line>, names: &Names) -> Place {
    let amount = |line: Option<Line>| line.map(|line| line.amount);
    let loan = names.text(at.loan).to_owned();
    let (event, component, value) = (at.event.to_string(), at.component.to_string(), at.value.to_string());
    (loan, cause.name(), event, component, value, amount(own), amount(row))
}

type Changed = Option<(Option<Line>, Option<Line>)>;

/// The place of the last line of a kind that has others before it.
fn find(loan: &LoanBook, wanted: impl Fn(&Line) -> bool) -> Option<usize> {
    loan.own.iter().rposition(wanted)
}

/// The last event of a kind, all its components, comes later in the extract by value and booking date.
fn moved(loan: &mut LoanBook, event: Event, value: i32, booked: i32) -> Changed {
    let day = loan.own[find(loan, |line| line.event == event)?].value;
    let at = loan.own.iter().position(|line| line.event == event && line.value == day)?;
    for row in loan.rows.iter_mut().filter(|row| row.event == event && row.value == day) {
        row.booked = row.booked.map(|day| Day(day.0 + booked));
        row.value = Day(day.0 + value);
    }
    Some((Some(loan.own[at]), Some(loan.rows[at])))
}

fn removed(loan: &mut LoanBook, wanted: impl Fn(&Line) -> bool) -> Changed {
    let at = find(loan, wanted)?;
    loan.rows.remove(at);
    Some((Some(loan.own[at]), None))
}

fn strange(loan: &mut LoanBook, random: &mut Random) -> Changed {
    let at = find(loan, |line| line.event == Event::Repaid)?;
    let row = Line { value: Day(loan.own[at].value.0 - 11), booked: None, key: None, ..loan.rows[at] };
    let row = Line { amount: random.between(100, 400), event: Event::Raised, side: Side::Debit, ..row };
    loan.rows.push(row);
    Some((None, Some(row)))
}

fn doubled(loan: &mut LoanBook, event: Event) -> Changed {
    let row = loan.rows[find(loan, |line| line.event == event)?];
    loan.rows.push(row);
    Some((None, Some(row)))
}

fn other_amount(loan: &mut LoanBook, event: Event, component: Component, other: fn(u64) -> u64) -> Changed {
    let at = find(loan, |line| line.event == event && line.component == component)?;
    loan.rows[at].amount = other(loan.rows[at].amount);
    Some((Some(loan.own[at]), Some(loan.rows[at])))
}

fn allocated(loan: &mut LoanBook, random: &mut Random) -> Changed {
    let at = find(loan, |line| line.event == Event::Repaid && line.component == Component::Principal)?;
    let shift = random.between(10, 2_000);
    loan.rows[at].amount -= shift;
    loan.rows[at + 1].amount += shift;
    Some((Some(loan.own[at]), Some(loan.rows[at])))
}

/// The extract does not know that the payout came back, or neither that it went out.
fn payout(loan: &mut LoanBook, is_both: bool) -> Changed {
    let at = find(loan, |line| line.event == Event::Reversed && line.side == Side::Credit)?;
    loan.rows.remove(at);
    if is_both {
        loan.rows.remove(at - 1);
        return Some((Some(loan.own[at - 1]), None));
    }
    Some((Some(loan.own[at]), None))
}

/// A payment that was reversed, without its reversal or without the payment itself, all components of it.
fn reversal(loan: &mut LoanBook, is_original: bool) -> Changed {
    let at = loan.own.iter().position(|line| line.event == Event::Reversed && line.side == Side::Debit)?;
    let count = loan.own[at..].iter().take_while(|line| line.event == Event::Reversed).count();
    let first = if is_original { at - count } else { at };
    loan.rows.drain(first..first + count);
    Some((Some(loan.own[first]), None))
}

fn other_bucket(loan: &mut LoanBook, names: &mut Names) -> Changed {
    let at = find(loan, |line| line.event == Event::Status)?;
    loan.rows[at].bucket = Some(names.name("31-60"));
    Some((Some(loan.own[at]), Some(loan.rows[at])))
}

fn renumbered(loan: &mut LoanBook, names: &mut Names, is_all: bool) -> Changed {
    let other = names.name(&format!("X{}", names.text(loan.own[0].loan).to_owned()));
    let at = if is_all { 0 } else { find(loan, |line| line.event == Event::Repaid)? };
    let until = if is_all { loan.rows.len() } else { at + 1 };
    loan.rows[at..until].iter_mut().for_each(|row| row.loan = other);
    Some((Some(loan.own[at]), Some(loan.rows[at])))
}

/// The cost is taken off the interest of the same day.
fn netted(loan: &mut LoanBook) -> Changed {
    let cost = find(loan, |line| line.event == Event::Cost)?;
    let is_interest = |line: &Line| line.event == Event::Repaid && line.component == Component::Interest;
    let at = loan.own.iter().position(|line| is_interest(line) && line.value == loan.own[cost].value)?;
    loan.rows[at].amount -= loan.own[cost].amount;
    let row = loan.rows[at];
    loan.rows.remove(cost);
    Some((Some(loan.own[at]), Some(row)))
}

fn renamed(loan: &mut LoanBook, mut rename: impl FnMut(&mut Line)) -> Changed {
    let from = loan.rows.len() - 4;
    loan.rows[from..].iter_mut().for_each(&mut rename);
    let day = loan.rows[from].value;
    let first = loan.rows[from..].iter().filter(|row| row.value == day).count();
    assert!(first >= 1);
    Some((Some(loan.own[from]), Some(loan.rows[from])))
}

/// The file of a day was booked a second time.
fn file_twice(books: &mut Books, nth: usize) -> Place {
    let day = Day(17_401 + i32::try_from(nth).unwrap() * 42);
    let (mut doubles, mut names) = (Vec::new(), BTreeSet::new());
    for loan in books.loans.iter_mut() {
        let rows: Vec<_> = loan.rows.iter().filter(|row| row.booked == Some(day)).copied().collect();
        loan.is_marked |= !rows.is_empty();
        names.extend(rows.iter().map(|row| books.names.text(row.loan).to_owned()));
        doubles.extend(rows.iter().copied());
        loan.rows.extend(rows);
    }
    assert!(names.len() > 1, "a day with several loans");
    let order =
        |row: &&Line| (books.names.text(row.loan).to_owned(), row.value, row.event, row.component, row.side);
    let first = doubles.iter().min_by_key(order).unwrap();
    place(Cause::FileTwice, first, None, Some(*first), &books.names)
}

/// Two top-ups came a day later in the bank's book; the second follows from the first.
fn reserve(books: &mut Books) -> Place {
    let reserve = &mut books.loans[0];
    for at in [80, 40] {
        let row = &mut reserve.rows[at];
        (row.value, row.booked) = (Day(row.value.0 + 1), row.booked.map(|day| Day(day.0 + 1)));
    }
    place(Cause::Reserve, &reserve.own[40], Some(reserve.own[40]), Some(reserve.rows[40]), &books.names)
}

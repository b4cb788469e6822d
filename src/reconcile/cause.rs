//! Why two books differ: the kinds of breaks that reconciliation teams know, and which one a pair of lines looks like.
//!
//! A cause is a likelihood, not a verdict: it says where to look first.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "products of a 64-bit amount and days below 400, in 128 bits; a difference of the larger less the smaller"
)]

use super::{
    line::{Component, Event, Line, Names},
    pairing::Pair,
};
use std::fmt;

/// The likely cause of a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// One side has no such line.
    Missing,
    /// One side has the line twice: a retry without a key.
    Doubled,
    /// A whole day stands in the extract twice: a file that was sent again was booked again.
    FileTwice,
    /// Cents, from rounding.
    Cents,
    /// The sides end the day at other times, or the file ended before the line.
    DayCut,
    /// The same payment went to other components, or was booked as another event.
    Allocation,
    /// Interest over other days, or another day count.
    Accrual,
    /// A payout came back after it was booked, and one side has not undone it.
    PayoutReturned,
    /// A reversal without its original, or an original whose reversal is not there.
    Reversal,
    /// Status or bucket differs, or changed on another day.
    Status,
    /// The same line stands under another loan.
    LoanNumber,
    /// Another currency, or another scale: units against cents.
    Scale,
    /// A fee or tax is booked gross by one and net by the other.
    NetGross,
    /// Written off on different days.
    WriteOffDate,
    /// A share changed hands on different days, or with other accrued interest.
    TransferDate,
    /// Money in suspense that one side has cleared and the other has not.
    Suspense,
    /// A movement of the reserve that one side booked at another time.
    Reserve,
    /// Settlement instructions changed: the account is another than in the rest of the loan.
    Account,
    /// The customer was renamed or merged: the reference is another than in the rest of the loan.
    Customer,
    /// Another amount, for none of these reasons.
    Amount,
}

impl Cause {
    /// The cause's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Doubled => "doubled",
            Self::FileTwice => "file-twice",
            Self::Cents => "cents",
            Self::DayCut => "day-cut",
            Self::Allocation => "allocation",
            Self::Accrual => "accrual",
            Self::PayoutReturned => "payout-returned",
            Self::Reversal => "reversal",
            Self::Status => "status",
            Self::LoanNumber => "loan-number",
            Self::Scale => "scale",
            Self::NetGross => "net-gross",
            Self::WriteOffDate => "write-off-date",
            Self::TransferDate => "transfer-date",
            Self::Suspense => "suspense",
            Self::Reserve => "reserve",
            Self::Account => "account",
            Self::Customer => "customer",
            Self::Amount => "amount",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Largest difference that is rounding, in minor units: each side rounds, and the split, and several parts may add up.
pub(super) const CENTS: u64 = 5;

/// Days of two conventions or calendars that are taken for one another.
const DAY_COUNTS: [(u64, u64); 14] = [
    (360, 365),
    (360, 366),
    (365, 366),
    (27, 28),
    (28, 29),
    (28, 30),
    (28, 31),
    (29, 30),
    (29, 31),
    (30, 31),
    (30, 32),
    (31, 32),
    (30, 33),
    (31, 33),
];

/// By how many days the two sides may date the same event, where nothing else differs.
pub(super) fn window(event: Event) -> u64 {
    match event {
        Event::ChargedOff => 400,
        Event::Transferred | Event::Suspense => 62,
        Event::Status => 31,
        Event::Funded | Event::Released => 10,
        _ => super::pairing::NEAR_DAYS,
    }
}

/// The power of ten by which the amounts differ, rounding aside: units for cents, thousands for units.
fn scale(own: &Line, row: &Line) -> Option<u64> {
    let (small, large) = (own.amount.min(row.amount), own.amount.max(row.amount));
    let fits = |factor: &u64| {
        let rest = large.abs_diff(small.saturating_mul(*factor));
        small > 0 && (rest == 0 || (rest < *factor && small >= 10))
    };
    [10, 100, 1000, 10_000].into_iter().find(fits)
}

/// Whether the amounts differ by a power of ten.
pub(super) fn is_scaled(own: &Line, row: &Line) -> bool {
    scale(own, row).is_some()
}

/// The days that, taken for one another, explain two amounts of interest.
fn day_count(own: &Line, row: &Line) -> Option<(u64, u64)> {
    let explains = |(a, b): &(u64, u64)| {
        let cross = u128::from(own.amount) * u128::from(*b);
        // Each amount was rounded to half a minor unit.
        cross.abs_diff(u128::from(row.amount) * u128::from(*a)) * 2 <= u128::from(*a + *b)
    };
    DAY_COUNTS.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]).find(explains)
}

/// The cause of a pair of lines, and what it was seen by.
pub(super) fn of_pair(own: &Line, row: &Line, names: &Names) -> (Cause, String) {
    if own.loan != row.loan {
        return (Cause::LoanNumber, format!("stands under {} in the extract", names.text(row.loan)));
    }
    if own.event != row.event {
        let note = format!("{} on the ledger, {} in the extract", own.event, row.event);
        let suspense = own.event == Event::Suspense || row.event == Event::Suspense;
        return (if suspense { Cause::Suspense } else { Cause::Allocation }, note);
    }
    if own.event == Event::Status {
        return (Cause::Status, of_status(own, row, names));
    }
    if own.currency != row.currency {
        return (Cause::Scale, format!("{} against {}", own.currency.code(), row.currency.code()));
    }
    if own.amount != row.amount || own.side != row.side {
        return of_amounts(own, row);
    }
    if own.bucket.zip(row.bucket).is_some_and(|(own, row)| own != row) {
        return (Cause::Status, of_status(own, row, names));
    }
    of_dates(own, row)
}

fn of_status(own: &Line, row: &Line, names: &Names) -> String {
    match (own.bucket, row.bucket) {
        (Some(mine), Some(theirs)) if mine != theirs => {
            format!("{} on the ledger, {} in the extract", names.text(mine), names.text(theirs))
        }
        _ => later(own, row),
    }
}

fn of_dates(own: &Line, row: &Line) -> (Cause, String) {
    let cause = match own.event {
        Event::ChargedOff => Cause::WriteOffDate,
        Event::Transferred => Cause::TransferDate,
        Event::Funded | Event::Released => Cause::Reserve,
        Event::Suspense => Cause::Suspense,
        _ => Cause::DayCut,
    };
    (cause, later(own, row))
}

/// How much later the row is, by value date or else by booking date.
fn later(own: &Line, row: &Line) -> String {
    let (days, which) = match row.value.since(own.value) {
        0 => (row.day().since(own.day()), "booked"),
        days => (days, "valued"),
    };
    match days {
        0 => "the dates agree".into(),
        1.. => format!("{which} {days} days later in the extract"),
        _ => format!("{which} {} days earlier in the extract", days.unsigned_abs()),
    }
}

fn of_amounts(own: &Line, row: &Line) -> (Cause, String) {
    let off = own.amount.abs_diff(row.amount);
    if own.side != row.side {
        return (Cause::Amount, format!("{} on the ledger, {} in the extract", own.side, row.side));
    }
    if off <= CENTS {
        return (Cause::Cents, format!("off by {off} of the smallest unit"));
    }
    if let Some(factor) = scale(own, row) {
        return (Cause::Scale, format!("a factor of {factor}"));
    }
    let days = || day_count(own, row).map(|(own, row)| format!("as {row} days to {own}"));
    match (own.event, own.component) {
        (Event::Accrued, _) => {
            (Cause::Accrual, days().unwrap_or_else(|| "other days, rate or balance".into()))
        }
        (Event::Transferred, Component::Interest) => (Cause::TransferDate, "other accrued interest".into()),
        (Event::Cost, _) | (_, Component::Fee) => (Cause::NetGross, percent(own, row)),
        (_, Component::Interest) => match days() {
            Some(days) => (Cause::Accrual, days),
            None => (Cause::Amount, String::new()),
        },
        _ => (Cause::Amount, String::new()),
    }
}

fn percent(own: &Line, row: &Line) -> String {
    let (small, large) = (own.amount.min(row.amount), own.amount.max(row.amount));
    let tenths = u128::from(large - small) * 1000 + u128::from(small / 2);
    let tenths = tenths.checked_div(u128::from(small)).unwrap_or(0);
    format!("one is {}.{} % above the other", tenths / 10, tenths % 10)
}

/// The cause of a line that the other side does not have, before anything else of its loan is looked at.
pub(super) fn of_single(pair: &Pair) -> Cause {
    match pair.line().map(|line| line.event) {
        _ if pair.twin.is_some() => Cause::Doubled,
        Some(Event::Suspense) => Cause::Suspense,
        Some(Event::Funded | Event::Released) => Cause::Reserve,
        Some(Event::Reversed) => Cause::Reversal,
        Some(Event::Status) => Cause::Status,
        _ => Cause::Missing,
    }
}

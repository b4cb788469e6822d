//! One line of a book, in the words that both sides speak: a loan, what happened, which component, debit or credit, how
//! much, when.
//!
//! Texts that repeat (loans, accounts, customers, buckets) are kept once, in [`Names`], and a line holds their numbers: a
//! line is a hundred bytes whatever a bank calls its loans.

use super::date::Day;
use std::{collections::HashMap, fmt, str::FromStr};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Money was placed in the reserve.
    Funded,
    /// Money was taken out of the reserve.
    Released,
    /// The loan was paid out.
    Drawn,
    /// The customer paid.
    Repaid,
    /// The balance went up otherwise: capitalised interest, a correction.
    Raised,
    /// Interest was accrued.
    Accrued,
    /// The bank wrote its part off.
    ChargedOff,
    /// Money came in after the write-off.
    Recovered,
    /// Recovery cost money.
    Cost,
    /// A share was sold or bought.
    Transferred,
    /// Money whose purpose is not known yet came (credit) or was cleared (debit).
    Suspense,
    /// An earlier event was undone, on the other side of the account.
    Reversed,
    /// The loan's status or ageing bucket changed; no amount.
    Status,
}

impl Event {
    /// All events with their names in files and reports.
    pub const ALL: [(Self, &str); 13] = [
        (Self::Funded, "funded"),
        (Self::Released, "released"),
        (Self::Drawn, "drawn"),
        (Self::Repaid, "repaid"),
        (Self::Raised, "raised"),
        (Self::Accrued, "accrued"),
        (Self::ChargedOff, "charged-off"),
        (Self::Recovered, "recovered"),
        (Self::Cost, "cost"),
        (Self::Transferred, "transferred"),
        (Self::Suspense, "suspense"),
        (Self::Reversed, "reversed"),
        (Self::Status, "status"),
    ];

    /// The side of the bank's loan or reserve account that the event usually stands on. A reversal has none: it stands
    /// opposite to what it undoes, so a file must say its side.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        match self {
            Self::Funded | Self::Drawn | Self::Raised | Self::Accrued => Some(Side::Debit),
            Self::Cost | Self::Transferred | Self::Status => Some(Side::Debit),
            Self::Released | Self::Repaid | Self::ChargedOff => Some(Side::Credit),
            Self::Recovered | Self::Suspense => Some(Side::Credit),
            Self::Reversed => None,
        }
    }
}

/// What part of a payment a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// Principal.
    Principal,
    /// Interest.
    Interest,
    /// Fees.
    Fee,
    /// Penalties for late payment.
    Penalty,
}

impl Component {
    /// All components with their names.
    pub const ALL: [(Self, &str); 4] = [
        (Self::Principal, "principal"),
        (Self::Interest, "interest"),
        (Self::Fee, "fee"),
        (Self::Penalty, "penalty"),
    ];
}

/// Debit or credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The account of the loan or reserve rises.
    Debit,
    /// It falls.
    Credit,
}

impl Side {
    /// Both sides with their names.
    pub const ALL: [(Self, &str); 2] = [(Self::Debit, "debit"), (Self::Credit, "credit")];

    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// A word that is none of those expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not one of {0}")]
pub struct UnknownWord(&'static str);

macro_rules! words {
    ($type:ty, $all:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let name = Self::ALL.iter().find(|(value, _)| value == self).map_or("?", |(_, name)| name);
                f.pad(name)
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let found = Self::ALL.iter().find(|(_, name)| *name == text);
                found.map(|(value, _)| *value).ok_or(UnknownWord($all))
            }
        }
    };
}

words!(
    Event,
    "funded, released, drawn, repaid, raised, accrued, charged-off, recovered, cost, transferred, suspense, reversed, status"
);
words!(Component, "principal, interest, fee, penalty");
words!(Side, "debit, credit");

/// A text that is kept once: its number in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u32);

/// The loan by which both sides call what moves the reserve and belongs to no loan.
pub const RESERVE: &str = "reserve";

/// Texts that repeat, each kept once.
#[derive(Clone, Debug, Default)]
pub struct Names {
    numbers: HashMap<Box<str>, Name>,
    texts: Vec<Box<str>>,
    bytes: usize,
}

impl Names {
    /// The number of a text.
    pub fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.numbers.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.bytes = self.bytes.saturating_add(text.len()).saturating_add(size_of::<(Box<str>, Name)>());
        self.texts.push(text.into());
        self.numbers.insert(text.into(), name);
        name
    }

    /// Lets a text stand for a name that is there already, unless it has a meaning of its own: a loan has a reference and
    /// an id.
    pub fn alias(&mut self, text: &str, name: Name) {
        self.numbers.entry(text.into()).or_insert(name);
    }

    /// How much they take, about, in bytes; each text is kept twice.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.saturating_mul(2)
    }

    /// The text of a name.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        let place = usize::try_from(name.0).unwrap_or(usize::MAX);
        self.texts.get(place).map_or("?", |text| text)
    }
}

/// A currency's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency with an ISO 4217 code, in capitals, and how many decimals it has. `None`: there is none, or it is no
    /// money (gold, test codes).
    #[must_use]
    pub fn with_exponent(code: &str) -> Option<(Self, u8)> {
        let known = iso_currency::Currency::from_code(code)?;
        let exponent = u8::try_from(known.exponent()?).ok()?;
        Some((Self(known.code().as_bytes().try_into().ok()?), exponent))
    }

    /// How many decimals it has.
    #[must_use]
    pub fn exponent(self) -> u8 {
        Self::with_exponent(self.code()).map_or(0, |(_, exponent)| exponent)
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("?")
    }
}

/// A line of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The loan, by whatever both sides call it.
    pub loan: Name,
    /// What happened.
    pub event: Event,
    /// Which part.
    pub component: Component,
    /// Debit or credit.
    pub side: Side,
    /// How much, in minor units; zero only for a status.
    pub amount: u64,
    /// In which currency.
    pub currency: Currency,
    /// The day from which interest runs.
    pub value: Day,
    /// The day on which it was booked, where the side says it.
    pub booked: Option<Day>,
    /// The event's key, the same for all its components, where the side says it.
    pub key: Option<[u8; 32]>,
    /// Status or ageing bucket.
    pub bucket: Option<Name>,
    /// Account to which or from which the money goes: standing settlement instructions.
    pub account: Option<Name>,
    /// The customer's pseudonym.
    pub customer: Option<Name>,
    /// Row of the file, or number in the own book, from 1.
    pub row: u64,
}

impl Line {
    /// The amount with its sign: debits up, credits down.
    #[must_use]
    pub fn signed(&self) -> i128 {
        match self.side {
            Side::Debit => i128::from(self.amount),
            Side::Credit => i128::from(self.amount).saturating_neg(),
        }
    }

    /// The day by which a period is cut: the booking day where it is known.
    #[must_use]
    pub fn day(&self) -> Day {
        self.booked.unwrap_or(self.value)
    }
}

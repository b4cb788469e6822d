//! Names of things: members, products, loans, batches; kinds, components and accounts; dates.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// A 32-byte hash that names something.
pub type Hash = [u8; 32];

/// A member of the consortium, by its place in the genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct MemberId(pub u16);

/// A product, by its place in the genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct ProductId(pub u16);

/// A loan. Says nothing: a hash over the batch that opened it and its place there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct LoanId(pub Hash);

impl fmt::Display for LoanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LoanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A calendar day, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Date(pub u32);

/// What a batch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum Kind {
    /// Banks top up their reserves with the servicer.
    Fund,
    /// Loans are paid out, each bank's part from its reserve.
    Originate,
    /// Customers repay principal and interest, each bank's part into its reserve.
    Repay,
    /// More is paid out on loans that are open, each bank's part from its reserve.
    Draw,
    /// Balances rise without money: unpaid interest and charges are added to the principal.
    Reschedule,
    /// Banks take the balances of parts off their books as lost; what the customer owes stays.
    WriteOff,
    /// Money from what was given up: proceeds less what it cost to get them.
    Recover,
    /// Banks take money back out of their reserves.
    Release,
    /// Customers repay with fees and penalties, or on loans of which parts are written off.
    Collect,
    /// Loans age, or are current again: their balances move from one bucket to another.
    Reclassify,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Fund,
        Self::Originate,
        Self::Repay,
        Self::Draw,
        Self::Reschedule,
        Self::WriteOff,
        Self::Recover,
        Self::Release,
        Self::Collect,
        Self::Reclassify,
    ];

    /// The lane whose sequence the batch stands in.
    #[must_use]
    pub fn lane(self) -> Lane {
        if self == Self::Fund { Lane::Reserve } else { Lane::Loans }
    }

    /// The kind's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fund => "fund",
            Self::Originate => "originate",
            Self::Repay => "repay",
            Self::Draw => "draw",
            Self::Reschedule => "reschedule",
            Self::WriteOff => "write-off",
            Self::Recover => "recover",
            Self::Release => "release",
            Self::Collect => "collect",
            Self::Reclassify => "reclassify",
        }
    }
}

/// A sequence of batches of one servicer and product. Top-ups have their own, so that one never takes the place in line, or
/// changes the balance, of a loan batch that is still being sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum Lane {
    /// Top-ups of reserves.
    Reserve,
    /// Everything that touches loans.
    Loans,
}

/// What part of an event a movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Component {
    /// Principal lent, repaid, raised or written off; money paid into or taken out of a reserve.
    Principal,
    /// Interest received.
    Interest,
    /// Proceeds of what was given up.
    Proceeds,
    /// What it cost to get them.
    Costs,
    /// Fees received.
    Fee,
    /// Penalties received.
    Penalty,
    /// Principal received on parts that are written off.
    Recovered,
}

impl Component {
    /// The component's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Interest => "interest",
            Self::Proceeds => "proceeds",
            Self::Costs => "costs",
            Self::Fee => "fee",
            Self::Penalty => "penalty",
            Self::Recovered => "recovered",
        }
    }
}

/// How late a loan is: days past due, counted from the oldest date on which something was due and is unpaid. Every member sees
/// it, and co-lenders must agree on it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Bucket {
    /// Nothing is late.
    #[default]
    Current,
    /// 1 to 30 days.
    To30,
    /// 31 to 60 days.
    To60,
    /// 61 to 90 days.
    To90,
    /// 91 to 180 days.
    To180,
    /// More than 180 days.
    Beyond,
}

impl Bucket {
    /// All buckets, by age.
    pub const ALL: [Self; 6] = [Self::Current, Self::To30, Self::To60, Self::To90, Self::To180, Self::Beyond];

    /// The bucket of a loan that is so many days late.
    #[must_use]
    pub const fn of_days(days: u32) -> Self {
        match days {
            0 => Self::Current,
            1..=30 => Self::To30,
            31..=60 => Self::To60,
            61..=90 => Self::To90,
            91..=180 => Self::To180,
            _ => Self::Beyond,
        }
    }

    /// The account on which its loans' principal stands.
    #[must_use]
    pub const fn account(self) -> AccountKind {
        match self {
            Self::Current => AccountKind::Loans,
            Self::To30 => AccountKind::Overdue30,
            Self::To60 => AccountKind::Overdue60,
            Self::To90 => AccountKind::Overdue90,
            Self::To180 => AccountKind::Overdue180,
            Self::Beyond => AccountKind::OverdueBeyond,
        }
    }
}

/// A control account of one bank with one servicer in one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum AccountKind {
    /// Money the bank has paid in; rises with credits.
    Settlement,
    /// Paid in, not yet taken up by the servicer; rises with debits.
    Incoming,
    /// Available for draw-downs; rises with debits, never below zero.
    Reserve,
    /// Principal outstanding of loans that are not late; rises with debits.
    Loans,
    /// Interest received or added to the principal; rises with credits.
    Income,
    /// Principal written off; rises with debits.
    Losses,
    /// Received on what was written off or given up; rises with credits.
    Recoveries,
    /// What that cost; rises with debits.
    Costs,
    /// Money taken back out; rises with debits.
    Released,
    /// Fees received; rises with credits.
    Fees,
    /// Penalties received; rises with credits.
    Penalties,
    /// Principal outstanding of loans 1 to 30 days late; rises with debits, as the next ones.
    Overdue30,
    /// 31 to 60 days.
    Overdue60,
    /// 61 to 90 days.
    Overdue90,
    /// 91 to 180 days.
    Overdue180,
    /// More than 180 days.
    OverdueBeyond,
}

impl AccountKind {
    /// All kinds.
    pub const ALL: [Self; 16] = [
        Self::Settlement,
        Self::Incoming,
        Self::Reserve,
        Self::Loans,
        Self::Income,
        Self::Losses,
        Self::Recoveries,
        Self::Costs,
        Self::Released,
        Self::Fees,
        Self::Penalties,
        Self::Overdue30,
        Self::Overdue60,
        Self::Overdue90,
        Self::Overdue180,
        Self::OverdueBeyond,
    ];

    /// The accounts of principal outstanding, by age.
    pub const OUTSTANDING: [Self; 6] = [
        Self::Loans,
        Self::Overdue30,
        Self::Overdue60,
        Self::Overdue90,
        Self::Overdue180,
        Self::OverdueBeyond,
    ];

    /// Whether the balance is debits less credits (an asset, a loss) or the other way round.
    #[must_use]
    pub fn rises_with_debits(self) -> bool {
        !matches!(self, Self::Settlement | Self::Income | Self::Recoveries | Self::Fees | Self::Penalties)
    }

    /// The account's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Settlement => "settlement",
            Self::Incoming => "incoming",
            Self::Reserve => "reserve",
            Self::Loans => "loans",
            Self::Income => "income",
            Self::Losses => "losses",
            Self::Recoveries => "recoveries",
            Self::Costs => "costs",
            Self::Released => "released",
            Self::Fees => "fees",
            Self::Penalties => "penalties",
            Self::Overdue30 => "overdue-30",
            Self::Overdue60 => "overdue-60",
            Self::Overdue90 => "overdue-90",
            Self::Overdue180 => "overdue-180",
            Self::OverdueBeyond => "overdue-beyond",
        }
    }
}

/// The account that a posting debits and the one that it credits: one commitment serves both, so it balances by
/// construction. Principal outstanding stands on the account of its loan's bucket, `loans` where nothing is late; a batch is of
/// loans of one bucket. See [`crate::body::Body::entry`].
///
/// | kind | component | debit | credit |
/// | --- | --- | --- | --- |
/// | fund | principal | incoming | settlement |
/// | originate, draw | principal | loans | reserve |
/// | repay, collect | principal | reserve | loans |
/// | | interest | reserve | income |
/// | collect | fee | reserve | fees |
/// | | penalty | reserve | penalties |
/// | | recovered | reserve | recoveries |
/// | reschedule | principal | loans | income |
/// | write-off | principal | losses | loans |
/// | recover | proceeds | reserve | recoveries |
/// | | costs | costs | reserve |
/// | release | principal | released | reserve |
/// | reclassify | principal | that of the new bucket | that of the old |
#[must_use]
pub fn entry(kind: Kind, component: Component) -> (AccountKind, AccountKind) {
    use AccountKind::{
        Costs, Fees, Income, Incoming, Loans, Losses, Penalties, Recoveries, Released, Reserve, Settlement,
    };
    match (kind, component) {
        (_, Component::Interest) => (Reserve, Income),
        (_, Component::Proceeds | Component::Recovered) => (Reserve, Recoveries),
        (_, Component::Fee) => (Reserve, Fees),
        (_, Component::Penalty) => (Reserve, Penalties),
        (_, Component::Costs) => (Costs, Reserve),
        (Kind::Fund, Component::Principal) => (Incoming, Settlement),
        (Kind::Originate | Kind::Draw, Component::Principal) => (Loans, Reserve),
        (Kind::Repay | Kind::Collect | Kind::Recover, Component::Principal) => (Reserve, Loans),
        (Kind::Reschedule, Component::Principal) => (Loans, Income),
        (Kind::WriteOff, Component::Principal) => (Losses, Loans),
        (Kind::Release, Component::Principal) => (Released, Reserve),
        (Kind::Reclassify, Component::Principal) => (Loans, Loans),
    }
}

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
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Fund,
        Self::Originate,
        Self::Repay,
        Self::Draw,
        Self::Reschedule,
        Self::WriteOff,
        Self::Recover,
        Self::Release,
        Self::Collect,
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

/// A control account of one bank with one servicer in one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum AccountKind {
    /// Money the bank has paid in; rises with credits.
    Settlement,
    /// Paid in, not yet taken up by the servicer; rises with debits.
    Incoming,
    /// Available for draw-downs; rises with debits, never below zero.
    Reserve,
    /// Principal outstanding; rises with debits.
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
}

impl AccountKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
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
        }
    }
}

/// The account that a posting debits and the one that it credits: one commitment serves both, so it balances by
/// construction.
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
    }
}

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
}

impl Kind {
    /// The lane whose sequence the batch stands in.
    #[must_use]
    pub fn lane(self) -> Lane {
        match self {
            Self::Fund => Lane::Reserve,
            Self::Originate | Self::Repay => Lane::Loans,
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

/// What part of a payment a movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Component {
    /// Principal lent or repaid.
    Principal,
    /// Interest received.
    Interest,
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
    /// Interest received; rises with credits.
    Income,
}

impl AccountKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Settlement, Self::Incoming, Self::Reserve, Self::Loans, Self::Income];

    /// Whether the balance is debits less credits (an asset) or the other way round.
    #[must_use]
    pub fn rises_with_debits(self) -> bool {
        matches!(self, Self::Incoming | Self::Reserve | Self::Loans)
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
        }
    }
}

/// The account that a posting debits and the one that it credits: one commitment serves both, so it balances by
/// construction.
#[must_use]
pub fn entry(kind: Kind, component: Component) -> (AccountKind, AccountKind) {
    match (kind, component) {
        (Kind::Fund, _) => (AccountKind::Incoming, AccountKind::Settlement),
        (Kind::Originate, _) => (AccountKind::Loans, AccountKind::Reserve),
        (Kind::Repay, Component::Principal) => (AccountKind::Reserve, AccountKind::Loans),
        (Kind::Repay, Component::Interest) => (AccountKind::Reserve, AccountKind::Income),
    }
}

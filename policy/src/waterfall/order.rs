//! The components of a due, amounts of them, and the order in which they are paid.

use borsh::BorshSerialize;

/// What a due is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub enum Component {
    /// Interest on arrears.
    Penalty,
    /// Fees.
    Fee,
    /// Interest.
    Interest,
    /// Principal.
    Principal,
}

/// An amount of each component, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Interest on arrears.
    pub penalty: u64,
    /// Fees.
    pub fee: u64,
    /// Interest.
    pub interest: u64,
    /// Principal.
    pub principal: u64,
}

/// Components in the order in which they are paid: each of the four once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Order([Component; 4]);

/// A component missing from an order, because another stands in it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order names `{}` twice or more; name penalty, fee, interest and principal once each", .0.name())]
pub struct OrderError(pub Component);

impl Order {
    /// An order of the four components.
    ///
    /// # Errors
    /// [`OrderError`] with a component that stands in it more than once.
    pub fn new(components: [Component; 4]) -> Result<Self, OrderError> {
        let count = |wanted| components.iter().filter(|&&component| component == wanted).count();
        match components.into_iter().find(|&component| count(component) > 1) {
            Some(twice) => Err(OrderError(twice)),
            None => Ok(Self(components)),
        }
    }

    /// The components, first paid first.
    #[must_use]
    pub fn components(self) -> [Component; 4] {
        self.0
    }
}

impl Default for Order {
    /// Penalty, fee, interest, principal.
    fn default() -> Self {
        Self(Component::ALL)
    }
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Penalty, Self::Fee, Self::Interest, Self::Principal];

    /// Its name in configuration and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Penalty => "penalty",
            Self::Fee => "fee",
            Self::Interest => "interest",
            Self::Principal => "principal",
        }
    }
}

impl Amounts {
    /// The amount of one component.
    #[must_use]
    pub fn of(&self, component: Component) -> u64 {
        match component {
            Component::Penalty => self.penalty,
            Component::Fee => self.fee,
            Component::Interest => self.interest,
            Component::Principal => self.principal,
        }
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> u128 {
        Component::ALL.into_iter().fold(0, |sum, component| sum.saturating_add(self.of(component).into()))
    }

    pub(super) fn of_mut(&mut self, component: Component) -> &mut u64 {
        match component {
            Component::Penalty => &mut self.penalty,
            Component::Fee => &mut self.fee,
            Component::Interest => &mut self.interest,
            Component::Principal => &mut self.principal,
        }
    }
}

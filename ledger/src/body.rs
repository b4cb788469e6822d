//! What a batch says: movements per position, postings per bank.
//!
//! The types are generic over what stands for a commitment (`C`) and for a handle (`P`): encoded bytes on the wire, decoded
//! points for the verifier, openings for the prover. So the relation that a batch proves is written over one shape.
//!
//! Every loan of a product has the same number of parts. A loan with fewer banks has parts of zero, owned by the servicer,
//! so neither the number of banks in a loan nor which they are can be told.
//!
//! Most kinds touch loans that are open, and differ only in their *legs*: how many amounts each part moves, and what each does
//! to the balance. [`legs`] is the whole difference; the relation, sealing, applying and opening are written once over it.

use crate::names::{AccountKind, Bucket, Component, Kind, LoanId, entry};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::encoding::Encoded;

/// What a movement does to the balance of its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is repaid.
    Lowers,
    /// More is lent.
    Raises,
    /// Nothing: money beside the principal.
    Leaves,
}

/// One amount of an event, split over the parts of its loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// What it is.
    pub component: Component,
    /// What it does to the balance.
    pub effect: Effect,
}

const REPAID: [Leg; 2] = [
    Leg { component: Component::Principal, effect: Effect::Lowers },
    Leg { component: Component::Interest, effect: Effect::Leaves },
];
const COLLECTED: [Leg; 4] = [
    Leg { component: Component::Principal, effect: Effect::Lowers },
    Leg { component: Component::Interest, effect: Effect::Leaves },
    Leg { component: Component::Fee, effect: Effect::Leaves },
    Leg { component: Component::Penalty, effect: Effect::Leaves },
];
const RAISED: [Leg; 1] = [Leg { component: Component::Principal, effect: Effect::Raises }];
const RECOVERED: [Leg; 2] = [
    Leg { component: Component::Proceeds, effect: Effect::Leaves },
    Leg { component: Component::Costs, effect: Effect::Leaves },
];

/// The legs of a kind that touches open loans; none for the others.
#[must_use]
pub const fn legs(kind: Kind) -> &'static [Leg] {
    match kind {
        Kind::Repay => &REPAID,
        Kind::Collect => &COLLECTED,
        Kind::Draw | Kind::Reschedule => &RAISED,
        Kind::Recover => &RECOVERED,
        Kind::Fund | Kind::Originate | Kind::WriteOff | Kind::Release | Kind::Reclassify => &[],
    }
}

/// A committed amount with one handle per auditor of the product.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Movement<C, P> {
    /// The amount.
    pub amount: C,
    /// One handle per auditor.
    pub handles: Vec<P>,
}

/// A control-account transfer of one bank: one commitment for debit and credit.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Posting<C, P> {
    /// The amount.
    pub amount: C,
    /// The bank's own handle, then one per auditor.
    pub handles: Vec<P>,
}

/// What shows that a part is the fair share of a total; see [`crate::relation`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Split<C> {
    /// `g = a − w·h`: what the part is beyond its share of whole multiples.
    pub rest: C,
    /// `e = w·T − W·a + W − 1`: between 0 and `2·W − 2`.
    pub slack: C,
}

/// One bank's part of a new loan.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NewPart<C, P> {
    /// One-time key of the owner.
    pub owner: (P, P),
    /// The part's share of the loan, in the product's units.
    pub share: C,
    /// The principal it funds.
    pub principal: Movement<C, P>,
    /// That the principal is its fair share.
    pub split: Split<C>,
}

/// A new loan.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NewLoan<C, P> {
    /// `h`: whole multiples of the share units in the principal.
    pub quotient: C,
    /// Parts; the servicer's first, the others in no order.
    pub parts: Vec<NewPart<C, P>>,
}

/// One bank's part of one leg.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Portion<C, P> {
    /// The amount.
    pub movement: Movement<C, P>,
    /// That it is fair: the amount itself, or, where it changes the balance, the balance after it.
    pub split: Split<C>,
}

/// One bank's part of an event on an open loan with `N` legs.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TouchedPart<C, P, const N: usize> {
    /// The balance that the event starts from.
    pub balance: C,
    /// The part's share.
    pub share: C,
    /// One per leg.
    pub legs: [Portion<C, P>; N],
}

/// An event on an open loan with `N` legs.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TouchedLoan<C, P, const N: usize> {
    /// The loan.
    pub loan: LoanId,
    /// `h` of each leg: whole multiples of the share units in its total.
    pub quotients: [C; N],
    /// Parts in the loan's order.
    pub parts: Vec<TouchedPart<C, P, N>>,
}

/// Events of one kind with `N` legs.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Touched<C, P, const N: usize> {
    /// The events; a loan at most once.
    pub loans: Vec<TouchedLoan<C, P, N>>,
    /// Per leg, the amounts per bank.
    pub postings: [Vec<Posting<C, P>>; N],
}

/// One part whose whole balance moves: off the books, or to another bucket.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WrittenPart<C, P> {
    /// Its place in the loan.
    pub part: u8,
    /// The balance, which is the movement: no proof is needed that they are equal.
    pub balance: Movement<C, P>,
}

/// Parts of one loan whose whole balances move.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WrittenLoan<C, P> {
    /// The loan.
    pub loan: LoanId,
    /// Its parts, at least one, in ascending order.
    pub parts: Vec<WrittenPart<C, P>>,
}

/// What a batch says. Postings stand for ALL banks in member order, with commitments to zero for those not in it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Body<C, P> {
    /// Top-ups.
    Fund {
        /// Paid in, per bank.
        postings: Vec<Posting<C, P>>,
    },
    /// New loans.
    Originate {
        /// The available reserves that the batch starts from, per bank.
        reserves: Vec<C>,
        /// The loans.
        loans: Vec<NewLoan<C, P>>,
        /// Principal, per bank.
        postings: Vec<Posting<C, P>>,
    },
    /// Repayments: principal and interest.
    Repay(Touched<C, P, 2>),
    /// Draw-downs on open loans.
    Draw {
        /// The available reserves that the batch starts from, per bank.
        reserves: Vec<C>,
        /// The draw-downs.
        touched: Touched<C, P, 1>,
    },
    /// Balances that rise without money.
    Reschedule(Touched<C, P, 1>),
    /// Balances taken off the books.
    WriteOff {
        /// The loans; a loan at most once.
        loans: Vec<WrittenLoan<C, P>>,
        /// Balances, per bank.
        postings: Vec<Posting<C, P>>,
    },
    /// Proceeds and costs.
    Recover {
        /// The available reserves that the batch starts from, per bank.
        reserves: Vec<C>,
        /// What came in and what it cost.
        touched: Touched<C, P, 2>,
    },
    /// Money taken back out.
    Release {
        /// The available reserves that the batch starts from, per bank.
        reserves: Vec<C>,
        /// Taken out, per bank.
        postings: Vec<Posting<C, P>>,
    },
    /// Repayments with fees and penalties, also of loans of which parts are written off.
    Collect {
        /// Per loan, which parts are written off: part i is bit i. Their principal is posted as recovered.
        written_off: Vec<u16>,
        /// The repayments.
        touched: Touched<C, P, 4>,
        /// Principal of parts that are written off, per bank.
        recovered: Vec<Posting<C, P>>,
    },
    /// Balances that move from one bucket to another.
    Reclassify {
        /// The bucket in which the loans are.
        from: Bucket,
        /// The bucket to which they move.
        to: Bucket,
        /// The loans, with all parts that are not written off; a loan at most once.
        loans: Vec<WrittenLoan<C, P>>,
        /// Balances, per bank.
        postings: Vec<Posting<C, P>>,
    },
}

/// The body as it travels.
pub type SealedBody = Body<Encoded, Encoded>;

impl<C, P> Body<C, P> {
    /// What it does.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Fund { .. } => Kind::Fund,
            Self::Originate { .. } => Kind::Originate,
            Self::Repay(_) => Kind::Repay,
            Self::Draw { .. } => Kind::Draw,
            Self::Reschedule(_) => Kind::Reschedule,
            Self::WriteOff { .. } => Kind::WriteOff,
            Self::Recover { .. } => Kind::Recover,
            Self::Release { .. } => Kind::Release,
            Self::Collect { .. } => Kind::Collect,
            Self::Reclassify { .. } => Kind::Reclassify,
        }
    }

    /// The postings with their components.
    #[must_use]
    pub fn postings(&self) -> Vec<(Component, &[Posting<C, P>])> {
        match self {
            Self::Fund { postings }
            | Self::Originate { postings, .. }
            | Self::WriteOff { postings, .. }
            | Self::Reclassify { postings, .. }
            | Self::Release { postings, .. } => vec![(Component::Principal, postings.as_slice())],
            Self::Repay(touched) | Self::Recover { touched, .. } => of_legs(self.kind(), &touched.postings),
            Self::Draw { touched, .. } | Self::Reschedule(touched) => of_legs(self.kind(), &touched.postings),
            Self::Collect { touched, recovered, .. } => {
                let mut postings = of_legs(self.kind(), &touched.postings);
                postings.push((Component::Recovered, recovered));
                postings
            }
        }
    }

    /// The account that a posting debits and the one that it credits, for loans of a bucket.
    #[must_use]
    pub fn entry(&self, component: Component, bucket: Bucket) -> (AccountKind, AccountKind) {
        let of_bucket = |kind| if kind == AccountKind::Loans { bucket.account() } else { kind };
        match self {
            Self::Reclassify { from, to, .. } => (to.account(), from.account()),
            other => {
                let (debit, credit) = entry(other.kind(), component);
                (of_bucket(debit), of_bucket(credit))
            }
        }
    }

    /// As what an amount of a part is posted: of a part that is written off, principal is recovered.
    #[must_use]
    pub fn posted_as(&self, (record, part): (usize, usize), component: Component) -> Component {
        match self {
            Self::Collect { written_off, .. }
                if component == Component::Principal && is_flagged(written_off, record, part) =>
            {
                Component::Recovered
            }
            _ => component,
        }
    }

    /// The movements that are posted as a component, in order of loans and parts.
    #[must_use]
    pub fn movements(&self, component: Component) -> Vec<&Movement<C, P>> {
        match self {
            Self::Fund { .. } | Self::Release { .. } => Vec::new(),
            Self::Originate { loans, .. } if component == Component::Principal => {
                loans.iter().flat_map(|loan| &loan.parts).map(|part| &part.principal).collect()
            }
            Self::WriteOff { loans, .. } | Self::Reclassify { loans, .. }
                if component == Component::Principal =>
            {
                loans.iter().flat_map(|loan| &loan.parts).map(|part| &part.balance).collect()
            }
            Self::Originate { .. } | Self::WriteOff { .. } | Self::Reclassify { .. } => Vec::new(),
            Self::Repay(touched) | Self::Recover { touched, .. } => touched.movements(self.kind(), component),
            Self::Draw { touched, .. } | Self::Reschedule(touched) => {
                touched.movements(self.kind(), component)
            }
            Self::Collect { written_off, touched, .. } => match component {
                Component::Principal => touched.principal(written_off, false),
                Component::Recovered => touched.principal(written_off, true),
                other => touched.movements(Kind::Collect, other),
            },
        }
    }

    /// The available reserves that the batch starts from, of kinds that draw on them.
    #[must_use]
    pub fn reserves(&self) -> Option<&[C]> {
        match self {
            Self::Originate { reserves, .. }
            | Self::Draw { reserves, .. }
            | Self::Recover { reserves, .. }
            | Self::Release { reserves, .. } => Some(reserves),
            Self::Fund { .. }
            | Self::Repay(_)
            | Self::Reschedule(_)
            | Self::WriteOff { .. }
            | Self::Collect { .. }
            | Self::Reclassify { .. } => None,
        }
    }

    /// The open loans that the batch touches, and the places of the parts that it touches of each. A new loan has no name yet.
    #[must_use]
    pub fn touched(&self) -> Vec<(LoanId, Vec<u16>)> {
        match self {
            Self::Fund { .. } | Self::Release { .. } | Self::Originate { .. } => Vec::new(),
            Self::Repay(touched) | Self::Recover { touched, .. } => touched.places(),
            Self::Draw { touched, .. } | Self::Reschedule(touched) => touched.places(),
            Self::Collect { touched, .. } => touched.places(),
            Self::WriteOff { loans, .. } | Self::Reclassify { loans, .. } => {
                let places =
                    |loan: &WrittenLoan<C, P>| loan.parts.iter().map(|p| u16::from(p.part)).collect();
                loans.iter().map(|loan| (loan.loan, places(loan))).collect()
            }
        }
    }

    /// How many loans the batch touches or opens.
    #[must_use]
    pub fn loan_count(&self) -> usize {
        match self {
            Self::Originate { loans, .. } => loans.len(),
            other => other.touched().len(),
        }
    }
}

impl<C, P, const N: usize> Touched<C, P, N> {
    fn movements(&self, kind: Kind, component: Component) -> Vec<&Movement<C, P>> {
        let Some(leg) = legs(kind).iter().position(|leg| leg.component == component) else {
            return Vec::new();
        };
        let parts = self.loans.iter().flat_map(|loan| &loan.parts);
        parts.filter_map(|part| part.legs.get(leg)).map(|portion| &portion.movement).collect()
    }

    /// The movements of the first leg, of parts that are written off or of those that are not.
    fn principal(&self, written_off: &[u16], wanted: bool) -> Vec<&Movement<C, P>> {
        let mut found = Vec::new();
        for (record, loan) in self.loans.iter().enumerate() {
            let parts = loan.parts.iter().enumerate();
            let wanted = parts.filter(|(part, _)| is_flagged(written_off, record, *part) == wanted);
            found.extend(wanted.filter_map(|(_, part)| part.legs.first()).map(|portion| &portion.movement));
        }
        found
    }

    fn places(&self) -> Vec<(LoanId, Vec<u16>)> {
        let places =
            |loan: &TouchedLoan<C, P, N>| (0u16..).zip(&loan.parts).map(|(place, _)| place).collect();
        self.loans.iter().map(|loan| (loan.loan, places(loan))).collect()
    }
}

/// Whether a part is marked as written off.
#[must_use]
pub fn is_flagged(written_off: &[u16], record: usize, part: usize) -> bool {
    let bit = u32::try_from(part).ok().and_then(|part| 1u16.checked_shl(part)).unwrap_or(0);
    written_off.get(record).is_some_and(|flags| flags & bit != 0)
}

fn of_legs<C, P, const N: usize>(
    kind: Kind,
    postings: &[Vec<Posting<C, P>>; N],
) -> Vec<(Component, &[Posting<C, P>])> {
    legs(kind).iter().zip(postings).map(|(leg, postings)| (leg.component, postings.as_slice())).collect()
}

//! What a batch proves, written once for the servicer who seals and for everybody who verifies.
//!
//! # The split
//!
//! A loan's parts have secret integer shares `w_i` that sum to the product's public `W` units. (Were they public, they
//! would name the banks.) A total `T` is split fairly when every part `a_i` is within one minor unit of its exact share:
//! `|w_i·T − W·a_i| < W`. For each part of each total the relation has
//!
//! ```text
//!     a_i − g_i           = w_i·h              h in [0, 2^n),  g_i in [0, 2^8)                                 (1)
//!     e_i + W·x_i − (W−1) = w_i·X              e_i in [0, 2W−2]                                                (2)
//! ```
//!
//! with `w_i` in `[0, 2^8)` and `Σ w_i = W` since the loan was opened. (1) makes `a_i = w_i·h + g_i` a non-negative *integer*:
//! a fraction `v/W` modulo the group order satisfies a split equation but not (1), and no range proof of the full width is
//! needed for every part (a quotient per total instead). (2) is the fairness of `x_i` in `X = Σ x_i`.
//!
//! - **New principal, interest, proceeds, costs**: `x = a`, so the movement itself is the fair share.
//! - **Repaid or raised principal**: `x = b'`, the part's balance *after* the event, and `X = B'` the loan's. So each bank's balance
//!   is always its share of the loan's balance to within one minor unit, however many payments there were, and the last
//!   one takes every balance to zero. Splitting each payment alone would let rounding pile up until a part no longer
//!   fits the balance it repays. Each movement is then within two minor units of its share of that payment.
//!
//! # Bounds
//!
//! Nothing wraps modulo the group order (about 2^252): shares are below 2^8 and quotients below 2^64, so `w·h + g < 2^73`, and
//! the terms of (2) are below 2^86. From those:
//! - `T <= cap` for a new loan by the policy's own rule, so every part is at most `cap`;
//! - repaid: `0 <= B'` by a range, and by (2) `b'_i > w_i·B'/W − 1 >= −1` is an integer, so `b'_i >= 0`: no part repays more
//!   than it is owed, and every balance stays at most `cap`;
//! - raised: `a_i >= 0` by (1), so no part falls, and `B' <= cap` by the policy's rules, which hold of the balances after;
//! - proceeds and costs: as repaid principal, at most `cap` and a little;
//! - reserves: what a batch draws on them, less what it adds, leaves each bank's in `[0, 2^64)`;
//! - written off or reclassified: the movement IS the balance, the same point, so nothing is to be proven but its handles;
//! - interest: below `2^n·W + 2^8·parts` with the quotient's `n` (16, or 32 for products of 64 bits), below the product's width.
//!
//! The servicer's part stands first, and a proof shows its owner key to be the servicer's, so that "the servicer keeps 30 %"
//! speaks of the servicer. What is not proven: that the other parts belong to the banks to which they are posted. Each bank
//! compares its parts with its postings itself.

#![allow(clippy::arithmetic_side_effects, reason = "small constants from a checked product")]

use crate::{
    body::{
        Body, Effect, Leg, NewLoan, NewPart, Portion, Posting, Split, Touched, TouchedLoan, TouchedPart, legs,
    },
    genesis::{Consortium, Terms},
    names::{AccountKind, Component, Kind, entry},
};
use counterfoil_crypto::{
    encoding::Element,
    pedersen::Opening,
    relation::{Bound, Committed, Relation, Suite, Witness},
};
use counterfoil_policy::{Product, Quantity};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;

/// A body whose commitments this side can compute with.
pub type LinkedBody<W> = Body<Committed<W>, Element>;

/// The keys that a batch's handles are made for.
pub struct Viewers {
    /// View key of the servicer.
    pub servicer: Element,
    /// View keys of the banks, in member order.
    pub banks: Vec<Element>,
    /// View keys of the product's auditors.
    pub auditors: Vec<Element>,
}

impl Viewers {
    /// The viewers of a batch: the verifier demands them, the servicer does not choose.
    #[must_use]
    pub fn of(consortium: &Consortium, terms: &Terms, servicer: crate::names::MemberId) -> Option<Self> {
        let key = |id| consortium.peer(id).map(|peer| Element::from(&peer.view_key.point()));
        Some(Self {
            servicer: key(servicer)?,
            banks: consortium.banks().iter().map(|id| key(*id)).collect::<Option<_>>()?,
            auditors: terms.auditors.iter().map(|id| key(*id)).collect::<Option<_>>()?,
        })
    }
}

/// The most that the quotient of a new or repaid principal may be.
fn most_principal_quotient(product: &Product) -> u64 {
    product.cap() / u64::from(product.share_units())
}

/// The most that the quotient of an interest payment may be; it bounds the interest of one repayment.
fn most_interest_quotient(product: &Product) -> u64 {
    if product.width() == 64 { u32::MAX.into() } else { u16::MAX.into() }
}

/// The most that the quotient of a leg may be.
fn most_quotient(product: &Product, leg: &Leg) -> u64 {
    match leg.component {
        Component::Interest | Component::Fee | Component::Penalty => most_interest_quotient(product),
        Component::Principal | Component::Recovered | Component::Proceeds | Component::Costs => {
            most_principal_quotient(product)
        }
    }
}

/// The most interest, fee or penalty of one repayment.
#[must_use]
pub fn most_interest(product: &Product) -> u64 {
    most_interest_quotient(product).saturating_mul(u64::from(product.share_units()))
}

/// The most proceeds, or costs, of one recovery.
#[must_use]
pub fn most_proceeds(product: &Product) -> u64 {
    most_principal_quotient(product).saturating_mul(u64::from(product.share_units()))
}

/// Builds the relation of a body. `transcript` has absorbed all of the batch's content; beside the body stand the prover's `t`
/// of the servicer's owner keys, none for the verifier.
pub fn relation<W: Witness>(
    suite: Suite,
    product: &Product,
    viewers: &Viewers,
    (body, owner_secrets): (&LinkedBody<W>, &[Scalar]),
    transcript: &mut Transcript,
) -> Relation<W> {
    let mut builder = Builder::new(suite, product, transcript);
    match body {
        Body::Fund { .. } | Body::WriteOff { .. } | Body::Release { .. } | Body::Reclassify { .. } => {}
        Body::Originate { loans, .. } => {
            loans.iter().for_each(|loan| builder.new_loan(loan));
            let keys: Vec<_> =
                loans.iter().filter_map(|loan| loan.parts.first()).map(|part| part.owner.clone()).collect();
            builder.relation.owner_keys(builder.transcript, &viewers.servicer, &keys, owner_secrets);
        }
        Body::Repay(touched) | Body::Recover { touched, .. } => builder.touched(body.kind(), touched),
        Body::Draw { touched, .. } | Body::Reschedule(touched) => builder.touched(body.kind(), touched),
        Body::Collect { touched, .. } => builder.touched(body.kind(), touched),
    }
    builder.reserves(body);
    builder.handles(viewers, body);
    builder.relation
}

struct Builder<'a, W> {
    product: &'a Product,
    transcript: &'a mut Transcript,
    relation: Relation<W>,
    /// `W`, and `W − 1` as a committed constant.
    units: u64,
    below_units: Committed<W>,
}

impl<'a, W: Witness> Builder<'a, W> {
    fn new(suite: Suite, product: &'a Product, transcript: &'a mut Transcript) -> Self {
        let units = u64::from(product.share_units());
        let relation = Relation::new(suite, b"counterfoil batch relation");
        Self { product, transcript, relation, units, below_units: Committed::constant(units - 1) }
    }

    /// The left side of (1).
    fn whole(amount: &Committed<W>, split: &Split<Committed<W>>) -> Committed<W> {
        amount.minus(&split.rest)
    }

    /// The left side of (2).
    fn fair(&self, x: &Committed<W>, split: &Split<Committed<W>>) -> Committed<W> {
        let units = i64::from(self.product.share_units());
        split.slack.plus(&x.times(units)).minus(&self.below_units)
    }

    fn split_ranges(&mut self, split: &Split<Committed<W>>, most_rest: u64) {
        self.relation.in_range(Bound::Roughly(most_rest), &split.rest);
        self.relation.in_range(Bound::Exactly(2 * self.units - 2), &split.slack);
    }

    fn new_loan(&mut self, loan: &NewLoan<Committed<W>, Element>) {
        let amount = |part: &NewPart<Committed<W>, Element>| part.principal.amount.clone();
        let amounts: Vec<_> = loan.parts.iter().map(amount).collect();
        let total = Committed::sum(&amounts);
        let images = |part: &NewPart<Committed<W>, Element>| {
            vec![
                Self::whole(&part.principal.amount, &part.split),
                self.fair(&part.principal.amount, &part.split),
            ]
        };
        let rows: Vec<_> = loan.parts.iter().map(|part| (&part.share, images(part))).collect();
        self.relation.products(self.transcript, &[&loan.quotient, &total], &rows);
        self.relation.in_range(Bound::Roughly(most_principal_quotient(self.product)), &loan.quotient);
        for part in &loan.parts {
            self.relation.in_range(Bound::Roughly(self.units), &part.share);
            self.split_ranges(&part.split, self.units);
        }
        self.rules(&amounts, &total);
    }

    /// The product's policy: each rule is a linear form of the loan's amounts that must not be negative.
    fn rules(&mut self, amounts: &[Committed<W>], total: &Committed<W>) {
        for rule in self.product.rules() {
            let constant = Committed::constant(rule.constant.unsigned_abs());
            let start = if rule.constant < 0 { constant.times(-1) } else { constant };
            let form = rule.terms.iter().fold(start, |form, (factor, quantity)| match quantity {
                Quantity::Principal => form.plus(&total.times(*factor)),
                Quantity::Share(slot) => match amounts.get(usize::from(*slot)) {
                    Some(amount) => form.plus(&amount.times(*factor)),
                    None => form,
                },
            });
            let (_, most) = rule.bounds(self.product.cap(), self.product.parts());
            // A product whose rules need more than 64 bits is refused when its text is read.
            self.relation.in_range(Bound::Roughly(u64::try_from(most).unwrap_or(u64::MAX)), &form);
        }
    }

    fn touched<const N: usize>(&mut self, kind: Kind, touched: &Touched<Committed<W>, Element, N>) {
        touched.loans.iter().for_each(|loan| self.touched_loan(legs(kind), loan));
    }

    fn touched_loan<const N: usize>(&mut self, legs: &[Leg], loan: &TouchedLoan<Committed<W>, Element, N>) {
        let after: Vec<_> = loan.parts.iter().map(|part| balance_after(legs, part)).collect();
        let balance = Committed::sum(&after);
        // What is fair of each leg: the balance after it, or the amount.
        let fair_total = |(leg, place): (&Leg, usize)| match leg.effect {
            Effect::Leaves => Committed::sum(
                loan.parts.iter().filter_map(|p| p.legs.get(place)).map(|p| &p.movement.amount),
            ),
            Effect::Lowers | Effect::Raises => balance.clone(),
        };
        let totals: Vec<_> = legs.iter().zip(0..).map(fair_total).collect();
        let images = |(part, after): (&TouchedPart<Committed<W>, Element, N>, &Committed<W>)| {
            let of_leg = |(leg, portion): (&Leg, &Portion<Committed<W>, Element>)| {
                let amount = &portion.movement.amount;
                let fair = if leg.effect == Effect::Leaves { amount } else { after };
                [Self::whole(amount, &portion.split), self.fair(fair, &portion.split)]
            };
            legs.iter().zip(&part.legs).flat_map(of_leg).collect::<Vec<_>>()
        };
        let rows: Vec<_> = loan.parts.iter().zip(&after).map(|both| (&both.0.share, images(both))).collect();
        let bases: Vec<_> =
            loan.quotients.iter().zip(&totals).flat_map(|(quotient, total)| [quotient, total]).collect();
        self.relation.products(self.transcript, &bases, &rows);
        for (leg, quotient) in legs.iter().zip(&loan.quotients) {
            self.relation.in_range(Bound::Roughly(most_quotient(self.product, leg)), quotient);
        }
        if legs.iter().any(|leg| leg.effect == Effect::Lowers) {
            self.relation.in_range(Bound::Roughly(self.product.cap()), &balance);
        }
        if legs.iter().any(|leg| leg.effect == Effect::Raises) {
            self.rules(&after, &balance);
        }
        for part in &loan.parts {
            for (leg, portion) in legs.iter().zip(&part.legs) {
                let fair_amount = leg.effect == Effect::Leaves;
                let most_rest = if fair_amount { self.units } else { most_changed_rest(self.units) };
                self.split_ranges(&portion.split, most_rest);
            }
        }
    }

    /// No bank's reserve falls below zero.
    fn reserves(&mut self, body: &LinkedBody<W>) {
        let Some(reserves) = body.reserves() else { return };
        let postings = body.postings();
        for (bank, reserve) in reserves.iter().enumerate() {
            let moved = postings.iter().filter_map(|(component, all)| Some((component, all.get(bank)?)));
            let after = moved.fold(reserve.clone(), |after, (component, posting)| {
                match entry(body.kind(), *component) {
                    (AccountKind::Reserve, _) => after.plus(&posting.amount),
                    (_, AccountKind::Reserve) => after.minus(&posting.amount),
                    _ => after,
                }
            });
            self.relation.in_range(Bound::Roughly(u64::MAX), &after);
        }
    }

    /// Handles of all movements, then postings and their handles bank by bank.
    fn handles(&mut self, viewers: &Viewers, body: &LinkedBody<W>) {
        let (postings, most) = (body.postings(), self.most_posting(body));
        let movements: Vec<_> =
            postings.iter().flat_map(|(component, _)| body.movements(*component)).collect();
        if !viewers.auditors.is_empty() && !movements.is_empty() {
            let rows: Vec<_> = movements.iter().map(|m| (&m.amount, m.handles.as_slice())).collect();
            self.relation.handles(self.transcript, &viewers.auditors, &rows);
        }
        for (index, bank) in viewers.banks.iter().enumerate() {
            let mine: Vec<&Posting<_, _>> = postings.iter().filter_map(|(_, all)| all.get(index)).collect();
            let rows: Vec<_> = mine.iter().map(|p| (&p.amount, p.handles.as_slice())).collect();
            let keys: Vec<_> = std::iter::once(bank).chain(&viewers.auditors).cloned().collect();
            self.relation.handles(self.transcript, &keys, &rows);
            mine.iter().for_each(|p| self.relation.in_range(Bound::Roughly(most), &p.amount));
        }
    }

    /// The most that a posting honestly is: all loans of the batch at the product's limits. What goes into a reserve or out of
    /// it is limited by nothing.
    fn most_posting(&self, body: &LinkedBody<W>) -> u64 {
        let per_loan = match body.kind() {
            Kind::Fund | Kind::Release => return u64::MAX,
            Kind::Originate | Kind::Draw | Kind::Reschedule | Kind::WriteOff | Kind::Reclassify => {
                self.product.cap()
            }
            Kind::Repay | Kind::Collect => self.product.cap().max(most_interest(self.product) + self.units),
            Kind::Recover => self.product.cap() + self.units,
        };
        per_loan.saturating_mul(body.loan_count() as u64)
    }
}

/// A part's balance after an event.
fn balance_after<W: Witness, const N: usize>(
    legs: &[Leg],
    part: &TouchedPart<Committed<W>, Element, N>,
) -> Committed<W> {
    legs.iter().zip(&part.legs).fold(part.balance.clone(), |balance, (leg, portion)| match leg.effect {
        Effect::Lowers => balance.minus(&portion.movement.amount),
        Effect::Raises => balance.plus(&portion.movement.amount),
        Effect::Leaves => balance,
    })
}

/// The most that the rest of a principal that changes the balance honestly is, for `W` units: the quotient is one less than
/// would fit, and the movement up to two units more than its share. At most 255, which also holds what the largest `W` needs.
fn most_changed_rest(units: u64) -> u64 {
    (2 * units + 2).min(255)
}

/// The commitment of an opening, as a body's leaf for the prover.
#[must_use]
pub fn open(opening: Opening) -> Committed<Opening> {
    Committed::open(opening)
}

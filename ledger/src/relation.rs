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
//! - **New principal and interest**: `x = a`, so the movement itself is the fair share (largest remainder).
//! - **Repaid principal**: `x = b'`, the part's balance *after* the repayment, and `X = B'` the loan's. So each bank's balance
//!   is always its share of the loan's balance to within one minor unit, however many payments there were, and the last
//!   one takes every balance to zero. Splitting each payment alone would let rounding pile up until a part no longer
//!   fits the balance it repays. Each movement is then within two minor units of its share of that payment.
//!
//! # Bounds
//!
//! Nothing wraps modulo the group order (about 2^252): shares are below 2^8 and quotients below 2^64, so `w·h + g < 2^73`, and
//! the terms of (2) are below 2^80. From those:
//! - `T <= cap` for a new loan by the policy's own rule, so every part is at most `cap`;
//! - repaid: `0 <= B'` by a range, and by (2) `b'_i > w_i·B'/W − 1 >= −1` is an integer, so `b'_i >= 0`: no part repays more
//!   than it is owed, and every balance stays at most `cap`;
//! - interest: below `2^n·W + 2^8·parts` with the quotient's `n` (16, or 32 for products of 64 bits), below the product's width.
//!
//! The servicer's part stands first, and a proof shows its owner key to be the servicer's, so that "the servicer keeps 30 %"
//! speaks of the servicer. What is not proven: that the other parts belong to the banks to which they are posted. Each bank
//! compares its parts with its postings itself.

#![allow(clippy::arithmetic_side_effects, reason = "small constants from a checked product")]

use crate::{
    batch::{Body, NewLoan, NewPart, Posting, RepaidLoan, RepaidPart, Split},
    genesis::{Consortium, Terms},
    names::Component,
};
use counterfoil_crypto::{
    pedersen::Opening,
    range::Width,
    relation::{Committed, Relation, Witness},
};
use counterfoil_policy::{Product, Quantity};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use merlin::Transcript;

/// A body whose commitments this side can compute with.
pub type LinkedBody<W> = Body<Committed<W>, RistrettoPoint>;

/// The keys that a batch's handles are made for.
pub struct Viewers {
    /// View key of the servicer.
    pub servicer: RistrettoPoint,
    /// View keys of the banks, in member order.
    pub banks: Vec<RistrettoPoint>,
    /// View keys of the product's auditors.
    pub auditors: Vec<RistrettoPoint>,
}

impl Viewers {
    /// The viewers of a batch: the verifier demands them, the servicer does not choose.
    #[must_use]
    pub fn of(consortium: &Consortium, terms: &Terms, servicer: crate::names::MemberId) -> Option<Self> {
        let key = |id| consortium.peer(id).map(|peer| peer.view_key.point());
        Some(Self {
            servicer: key(servicer)?,
            banks: consortium.banks().iter().map(|id| key(*id)).collect::<Option<_>>()?,
            auditors: terms.auditors.iter().map(|id| key(*id)).collect::<Option<_>>()?,
        })
    }
}

/// The width of a new or repaid principal's quotient.
#[must_use]
pub fn principal_quotient_width(product: &Product) -> Width {
    Width::smallest_for(product.cap() / u64::from(product.share_units()))
}

/// The width of an interest payment's quotient; it bounds the interest of one repayment.
#[must_use]
pub fn interest_quotient_width(product: &Product) -> Width {
    if product.width() == 64 { Width::Bits32 } else { Width::Bits16 }
}

/// Builds the relation of a body. `transcript` has absorbed all of the batch's content; `owner_secrets` are the prover's `t` of
/// the servicer's owner keys, none for the verifier.
pub fn relation<W: Witness>(
    product: &Product,
    viewers: &Viewers,
    body: &LinkedBody<W>,
    owner_secrets: &[Scalar],
    transcript: &mut Transcript,
) -> Relation<W> {
    let mut builder = Builder::new(product, transcript);
    match body {
        Body::Fund { .. } => {}
        Body::Originate { reserves, loans, postings } => {
            loans.iter().for_each(|loan| builder.new_loan(loan));
            let keys: Vec<_> =
                loans.iter().filter_map(|loan| loan.parts.first()).map(|part| part.owner).collect();
            builder.relation.owner_keys(builder.transcript, viewers.servicer, &keys, owner_secrets);
            for (reserve, posting) in reserves.iter().zip(postings) {
                builder.relation.in_range(Width::Bits64, reserve.minus(&posting.amount));
            }
        }
        Body::Repay { loans, .. } => loans.iter().for_each(|loan| builder.repaid_loan(loan)),
    }
    builder.handles(viewers, body);
    builder.relation
}

struct Builder<'a, W> {
    product: &'a Product,
    transcript: &'a mut Transcript,
    relation: Relation<W>,
    /// `W − 1` and `2·W − 2`, committed once.
    below_units: Committed<W>,
    most_slack: Committed<W>,
}

impl<'a, W: Witness> Builder<'a, W> {
    fn new(product: &'a Product, transcript: &'a mut Transcript) -> Self {
        let units = u64::from(product.share_units());
        Self {
            product,
            transcript,
            relation: Relation::new(b"counterfoil batch relation"),
            below_units: Committed::constant(units - 1),
            most_slack: Committed::constant(2 * units - 2),
        }
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

    fn split_ranges(&mut self, split: &Split<Committed<W>>) {
        self.relation.in_range(Width::Bits8, split.rest.clone());
        self.relation.between_zero_and(&self.most_slack, Width::Bits8, &split.slack);
    }

    fn new_loan(&mut self, loan: &NewLoan<Committed<W>, RistrettoPoint>) {
        let amount = |part: &NewPart<Committed<W>, RistrettoPoint>| part.principal.amount.clone();
        let amounts: Vec<_> = loan.parts.iter().map(amount).collect();
        let total = Committed::sum(&amounts);
        let images = |part: &NewPart<Committed<W>, RistrettoPoint>| {
            [Self::whole(&part.principal.amount, &part.split), self.fair(&part.principal.amount, &part.split)]
        };
        let rows: Vec<_> = loan.parts.iter().map(|part| (&part.share, images(part))).collect();
        self.relation.products(self.transcript, [&loan.quotient, &total], &rows);
        self.relation.in_range(principal_quotient_width(self.product), loan.quotient.clone());
        for part in &loan.parts {
            self.relation.in_range(Width::Bits8, part.share.clone());
            self.split_ranges(&part.split);
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
            self.relation
                .in_range(width_of(rule.bits(self.product.cap(), self.product.parts()).unwrap_or(64)), form);
        }
    }

    fn repaid_loan(&mut self, loan: &RepaidLoan<Committed<W>, RistrettoPoint>) {
        type Part<W> = RepaidPart<Committed<W>, RistrettoPoint>;
        let after: Vec<_> =
            loan.parts.iter().map(|part| part.balance.minus(&part.principal.amount)).collect();
        let balance = Committed::sum(&after);
        let interest = Committed::sum(loan.parts.iter().map(|part: &Part<W>| &part.interest.amount));
        let images = |(part, after): (&Part<W>, &Committed<W>)| {
            [
                Self::whole(&part.principal.amount, &part.principal_split),
                self.fair(after, &part.principal_split),
                Self::whole(&part.interest.amount, &part.interest_split),
                self.fair(&part.interest.amount, &part.interest_split),
            ]
        };
        let rows: Vec<_> = loan.parts.iter().zip(&after).map(|both| (&both.0.share, images(both))).collect();
        let bases = [&loan.principal_quotient, &balance, &loan.interest_quotient, &interest];
        self.relation.products(self.transcript, bases, &rows);
        self.relation.in_range(principal_quotient_width(self.product), loan.principal_quotient.clone());
        self.relation.in_range(interest_quotient_width(self.product), loan.interest_quotient.clone());
        self.relation.in_range(Width::smallest_for(self.product.cap()), balance.clone());
        for part in &loan.parts {
            self.split_ranges(&part.principal_split);
            self.split_ranges(&part.interest_split);
        }
    }

    /// Handles of all movements, then postings and their handles bank by bank.
    fn handles(&mut self, viewers: &Viewers, body: &LinkedBody<W>) {
        let components = [Component::Principal, Component::Interest];
        let movements: Vec<_> = components.iter().flat_map(|c| body.movements(*c)).collect();
        if !viewers.auditors.is_empty() && !movements.is_empty() {
            let rows: Vec<_> = movements.iter().map(|m| (&m.amount, m.handles.as_slice())).collect();
            self.relation.handles(self.transcript, &viewers.auditors, &rows);
        }
        let postings = body.postings();
        for (index, bank) in viewers.banks.iter().enumerate() {
            let mine: Vec<&Posting<_, _>> = postings.iter().filter_map(|(_, all)| all.get(index)).collect();
            let rows: Vec<_> = mine.iter().map(|p| (&p.amount, p.handles.as_slice())).collect();
            let keys: Vec<_> = std::iter::once(*bank).chain(viewers.auditors.iter().copied()).collect();
            self.relation.handles(self.transcript, &keys, &rows);
            mine.iter().for_each(|p| self.relation.in_range(Width::Bits64, p.amount.clone()));
        }
    }
}

fn width_of(bits: u8) -> Width {
    Width::ALL.into_iter().find(|w| w.bits() >= usize::from(bits)).unwrap_or(Width::Bits64)
}

/// The commitment of an opening, as a body's leaf for the prover.
#[must_use]
pub fn open(opening: Opening) -> Committed<Opening> {
    Committed::open(opening)
}

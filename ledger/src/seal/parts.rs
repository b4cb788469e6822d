//! What all kinds are made of: movements, splits, postings.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "scalars modulo the group order; amounts are checked or below the cap"
)]

use super::{SealError, Sealer, Slot};
use crate::{
    body::{Movement, Posting, Split},
    draft::NewLoan,
    names::MemberId,
    seed::Purpose,
    share::Revealed,
};
use counterfoil_crypto::{
    encoding::Element, pedersen::Opening, relation::Committed, view_key::PublicViewKey,
};
use curve25519_dalek::scalar::Scalar;

impl Sealer<'_> {
    pub(super) fn opening(&self, purpose: Purpose, record: u16, place: u16, amount: u64) -> Opening {
        Opening::new(amount, self.seed.scalar(purpose, record, place))
    }

    pub(super) fn movement(&self, opening: Opening) -> Movement<Committed<Opening>, Element> {
        let handles = self.auditors.iter().map(|key| handle(key, &opening)).collect();
        Movement { amount: Committed::open(opening), handles }
    }

    pub(super) fn split(
        &self,
        purposes: [Purpose; 2],
        record: u16,
        place: u16,
        piece: Piece,
    ) -> Split<Committed<Opening>> {
        let [rest, slack] = purposes;
        let (g, e) = (piece.rest(), piece.slack());
        Split {
            rest: Committed::open(Opening { value: g, blinding: self.seed.scalar(rest, record, place) }),
            slack: Committed::open(Opening { value: e, blinding: self.seed.scalar(slack, record, place) }),
        }
    }

    pub(super) fn postings(&self, openings: Vec<Opening>) -> Vec<Posting<Committed<Opening>, Element>> {
        let banks = self.consortium().banks().iter().filter_map(|id| self.view_key(*id));
        let post = |(opening, bank): (Opening, PublicViewKey)| {
            let viewers = std::iter::once(&bank).chain(&self.auditors);
            let handles = viewers.map(|key| handle(key, &opening)).collect();
            Posting { amount: Committed::open(opening), handles }
        };
        openings.into_iter().zip(banks).map(post).collect()
    }

    pub(super) fn view_key(&self, member: MemberId) -> Option<PublicViewKey> {
        self.consortium().peer(member).map(|peer| peer.view_key.clone())
    }

    pub(super) fn no_bank(&self, loan: &NewLoan) -> SealError {
        SealError::Partners { reference: loan.reference.clone(), why: "a partner is not a bank".into() }
    }
}

fn handle(key: &PublicViewKey, opening: &Opening) -> Element {
    Element::from(&key.handle(&opening.blinding))
}

/// One part of one total, for its split: see [`crate::relation`].
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) units: u64,
    pub(super) share: u32,
    pub(super) amount: u64,
    pub(super) quotient: u64,
    pub(super) fair: u64,
    pub(super) total: u64,
}

impl Piece {
    /// `g = a − w·h`.
    fn rest(&self) -> Scalar {
        Scalar::from(self.amount) - Scalar::from(self.share) * Scalar::from(self.quotient)
    }

    /// `e = w·X + W − 1 − W·x`.
    fn slack(&self) -> Scalar {
        let [units, share] = [Scalar::from(self.units), Scalar::from(self.share)];
        share * Scalar::from(self.total) + units - Scalar::ONE - units * Scalar::from(self.fair)
    }
}

/// Splits a total over slots. The rule sees the parts in the order of the banks (the servicer's first part, then members in
/// their order, parts of zero last), so that slot order, which is random, has no say in who gets a left-over unit.
pub(super) fn split_by_owner(slots: &[Slot], total: u64, rule: fn(u64, &[u32]) -> Vec<u64>) -> Vec<u64> {
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by_key(|i| slots.get(*i).map(|slot| (*i != 0, slot.share == 0, slot.owner)));
    let shares: Vec<u32> = order.iter().filter_map(|i| slots.get(*i)).map(|slot| slot.share).collect();
    let mut amounts = vec![0; slots.len()];
    for (i, amount) in order.into_iter().zip(rule(total, &shares)) {
        if let Some(place) = amounts.get_mut(i) {
            *place = amount;
        }
    }
    amounts
}

pub(super) fn revealed(opening: &Opening) -> Revealed {
    Revealed::new(opening.amount().unwrap_or_default(), &opening.blinding)
}

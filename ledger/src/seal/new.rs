//! What goes into the reserves and out of them, and new loans.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "scalars modulo the group order; amounts are checked or below the cap"
)]

use super::{
    Piece, Said, SealError, Sealer, Slot,
    parts::{revealed, split_by_owner},
};
use crate::{
    batch::{Record, most_loans},
    body::{self, Body, NewPart},
    draft::NewLoan,
    names::{Component, MemberId},
    seed::Purpose,
    share::{Revealed, Share},
    wallet::Postings,
};
use counterfoil_crypto::{encoding::Element, pedersen::Opening, relation::Committed, secret};
use curve25519_dalek::scalar::Scalar;

impl Sealer<'_> {
    pub(super) fn fund(&self, amounts: &[(MemberId, u64)]) -> Result<Said, SealError> {
        let (openings, records) = self.reserve_transfer(amounts, |amount| Share::Fund { amount })?;
        Ok((Body::Fund { postings: self.postings(openings) }, records))
    }

    pub(super) fn release(&self, amounts: &[(MemberId, u64)]) -> Result<Said, SealError> {
        let (openings, records) = self.reserve_transfer(amounts, |amount| Share::Released { amount })?;
        let (_, reserves) = self.wallet.reserves(self.header.product);
        self.enough(&reserves, &openings)?;
        let reserves = reserves.into_iter().map(Committed::open).collect();
        Ok((Body::Release { reserves, postings: self.postings(openings) }, records))
    }

    /// What goes into the reserves or out of them, per bank.
    fn reserve_transfer(
        &self,
        amounts: &[(MemberId, u64)],
        words: fn(Revealed) -> Share,
    ) -> Result<(Vec<Opening>, Vec<Record>), SealError> {
        let mut sums = Postings::new(self.consortium());
        for (place, (bank, amount)) in amounts.iter().enumerate() {
            let doubled = amounts.iter().skip(place + 1).any(|(other, _)| other == bank);
            let transfer = Opening::new(*amount, Scalar::ZERO);
            if doubled || sums.add(*bank, &transfer).is_none() {
                return Err(SealError::Doubled(format!("bank {}", self.consortium().name(*bank))));
            }
        }
        // There are no movements: every blinding is fresh.
        let openings: Vec<_> = (0u16..)
            .zip(sums.into_values())
            .map(|(bank, value)| Opening { value, blinding: self.seed.scalar(Purpose::TopUp, bank, 0) })
            .collect();
        let owners = self.consortium().banks().to_vec();
        let texts = openings.iter().map(|opening| words(revealed(opening)));
        let shares = self.share_sections(0, texts.zip(owners))?;
        Ok((openings, vec![Record { shares, identity: None, terms: None }]))
    }

    pub(super) fn originate(&mut self, loans: &[NewLoan]) -> Result<Said, SealError> {
        self.fits(loans.len())?;
        let mut funded = Postings::new(self.consortium());
        let (mut sealed, mut records) = (Vec::new(), Vec::new());
        for (record, loan) in (0u16..).zip(loans) {
            let twice =
                loans.iter().skip(usize::from(record) + 1).any(|other| other.reference == loan.reference);
            if twice || self.wallet.loan_of(self.header.product, &loan.reference).is_some() {
                return Err(SealError::Doubled(format!("loan {}", loan.reference)));
            }
            let (new, sections) = self.new_loan(record, loan, &mut funded)?;
            sealed.push(new);
            records.push(sections);
        }
        let postings = funded.seal(&self.seed, self.wallet.me, Component::Principal);
        let (_, reserves) = self.wallet.reserves(self.header.product);
        self.enough(&reserves, &postings)?;
        let reserves = reserves.into_iter().map(Committed::open).collect();
        Ok((Body::Originate { reserves, loans: sealed, postings: self.postings(postings) }, records))
    }

    pub(super) fn fits(&self, count: usize) -> Result<(), SealError> {
        let most = most_loans(self.terms.product.parts());
        if (1..=most).contains(&count) { Ok(()) } else { Err(SealError::Count { count, most }) }
    }

    pub(super) fn enough(&self, reserves: &[Opening], postings: &[Opening]) -> Result<(), SealError> {
        for (bank, (reserve, posting)) in self.consortium().banks().iter().zip(reserves.iter().zip(postings))
        {
            let (have, need) = (reserve.amount().unwrap_or(0), posting.amount().unwrap_or(u64::MAX));
            if need > have {
                let bank = self.consortium().name(*bank).to_owned();
                return Err(SealError::Reserve { bank, short: need - have });
            }
        }
        Ok(())
    }

    pub(super) fn new_loan(
        &mut self,
        record: u16,
        loan: &NewLoan,
        funded: &mut Postings,
    ) -> Result<(body::NewLoan<Committed<Opening>, Element>, Record), SealError> {
        let product = &self.terms.product;
        if loan.principal == 0 || loan.principal > product.cap() {
            let (reference, principal, cap) = (loan.reference.clone(), loan.principal, product.cap());
            return Err(SealError::Cap { reference, principal, cap });
        }
        let units = u64::from(product.share_units());
        let slots = self.slots(record, loan)?;
        let amounts = split_by_owner(&slots, loan.principal, counterfoil_policy::split_balance);
        let quotient = loan.principal / units;
        // The shares' blindings sum to zero: their total is public, and checked as an equality of points.
        let mut last = Scalar::ZERO;
        let (mut parts, mut texts) = (Vec::new(), Vec::new());
        for (place, (slot, amount)) in (0u16..).zip(slots.iter().zip(&amounts)) {
            let is_last = usize::from(place) + 1 == slots.len();
            let blinding = if is_last { -last } else { self.seed.scalar(Purpose::Share, record, place) };
            last += blinding;
            let share = Opening::new(u64::from(slot.share), blinding);
            let principal = self.opening(Purpose::Principal, record, place, *amount);
            funded.add(slot.owner, &principal).ok_or_else(|| self.no_bank(loan))?;
            let t = self.seed.scalar(Purpose::Owner, record, place);
            let view_key = self.view_key(slot.owner).ok_or_else(|| self.no_bank(loan))?;
            if place == 0 {
                secret::append(&mut self.owner_secrets, &[t]);
            }
            let owner = view_key.owner_points(&t);
            let piece = Piece {
                units,
                share: slot.share,
                amount: *amount,
                quotient,
                fair: *amount,
                total: loan.principal,
            };
            texts.push((
                Share::New { owner: slot.owner, share: revealed(&share), principal: revealed(&principal) },
                slot.owner,
            ));
            parts.push(NewPart {
                owner,
                share: Committed::open(share),
                principal: self.movement(principal),
                split: self.split([Purpose::PrincipalRest, Purpose::PrincipalSlack], record, place, piece),
            });
        }
        let owners: Vec<_> = slots.iter().map(|slot| slot.owner).collect();
        let quotient = Committed::open(self.opening(Purpose::PrincipalQuotient, record, 0, quotient));
        Ok((body::NewLoan { quotient, parts }, self.new_record(record, loan, &owners, texts)?))
    }

    /// Who stands in which part: the servicer first; the others, and parts of zero, in an order that says nothing.
    pub(super) fn slots(&self, record: u16, loan: &NewLoan) -> Result<Vec<Slot>, SealError> {
        let wrong = |why: String| SealError::Partners { reference: loan.reference.clone(), why };
        let mut owners = vec![self.wallet.me];
        let mut partners = loan.partners.clone();
        partners.sort_unstable();
        owners.extend(partners);
        let names: Vec<_> = owners.iter().map(|id| self.consortium().name(*id)).collect();
        let shares = self.terms.product.shares(&names).map_err(|e| wrong(e.to_string()))?;
        let parts = usize::from(self.terms.product.parts());
        if owners.len() > parts {
            return Err(wrong(format!("{} banks, but the product has {parts} parts", owners.len())));
        }
        let mut slots: Vec<_> =
            owners.into_iter().zip(shares).map(|(owner, share)| Slot { owner, share }).collect();
        slots.resize_with(parts, || Slot { owner: self.wallet.me, share: 0 });
        let mut keyed: Vec<_> = (0u16..)
            .zip(slots)
            .map(|(place, slot)| {
                let key = self.seed.scalar(Purpose::Order, record, place).to_bytes();
                ((place != 0, key), slot)
            })
            .collect();
        keyed.sort_by_key(|entry| entry.0);
        Ok(keyed.into_iter().map(|entry| entry.1).collect())
    }
}

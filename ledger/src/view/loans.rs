//! What a section says of a loan: which part it speaks of, and what that does to the loan as this viewer reads it.

use super::{LoanView, Scope, View};
use crate::{
    batch::{IDENTITY_SECTION, Sealed, TERMS_SECTION, loan_id, section_context},
    body::{Body, Portion, legs as legs_of},
    names::{Component, Kind, LoanId, MemberId},
    share::{IdentityText, Share, TermsText},
};
use counterfoil_crypto::encoding::Encoded;

impl View {
    /// Notes a part of a loan; returns which.
    pub(super) fn note(
        &mut self,
        sealed: &Sealed,
        scope: &Scope,
        place: (u16, u16),
        owner: MemberId,
        share: &Share,
    ) -> Option<LoanId> {
        let id = match share {
            Share::Fund { .. } | Share::Released { .. } => return None,
            Share::New { .. } => loan_id(&sealed.batch.content.header, place.0),
            _ => part_at(&sealed.batch.content.body, place)?.0,
        };
        let known = self.loans.contains_key(&id);
        let header = &sealed.batch.content.header;
        let mut view =
            self.loans.remove(&id).unwrap_or_else(|| LoanView::new(header.servicer, header.product));
        if !known {
            self.texts(sealed, scope, place, &mut view);
        }
        let part = view.parts.entry(owner).or_default();
        match share {
            Share::New { share, principal, .. } => {
                self.owners.insert((id, place.1), owner);
                part.share = part.share.saturating_add(share.amount);
                part.lent = part.lent.saturating_add(principal.amount);
                part.outstanding = part.outstanding.saturating_add(principal.amount);
            }
            Share::Repaid { principal, interest, .. } => {
                part.outstanding = part.outstanding.saturating_sub(principal.amount);
                part.interest = part.interest.saturating_add(interest.amount);
            }
            Share::Collected { amounts: [principal, interest, fee, penalty], .. } => {
                let at = (usize::from(place.0), usize::from(place.1));
                let recovered = sealed.batch.content.body.posted_as(at, Component::Principal);
                if recovered == Component::Recovered {
                    part.proceeds = part.proceeds.saturating_add(principal.amount);
                } else {
                    part.outstanding = part.outstanding.saturating_sub(principal.amount);
                }
                part.interest = part.interest.saturating_add(interest.amount);
                part.fees = part.fees.saturating_add(fee.amount).saturating_add(penalty.amount);
            }
            Share::Raised { principal, .. } => {
                let sum = if header.kind == Kind::Draw { &mut part.lent } else { &mut part.capitalised };
                *sum = sum.saturating_add(principal.amount);
                part.outstanding = part.outstanding.saturating_add(principal.amount);
            }
            Share::WrittenOff { principal, .. } => {
                part.written_off = part.written_off.saturating_add(principal.amount);
                part.outstanding = part.outstanding.saturating_sub(principal.amount);
            }
            Share::Recovered { proceeds, costs, .. } => {
                part.proceeds = part.proceeds.saturating_add(proceeds.amount);
                part.costs = part.costs.saturating_add(costs.amount);
            }
            Share::Fund { .. } | Share::Released { .. } | Share::Reclassified { .. } => {}
        }
        self.loans.insert(id, view);
        Some(id)
    }

    /// Reads `identity` and `terms` where this viewer may.
    fn texts(&self, sealed: &Sealed, scope: &Scope, place: (u16, u16), view: &mut LoanView) {
        let header = &sealed.batch.content.header;
        let Some(record) = sealed.records.records.get(usize::from(place.0)) else { return };
        let own_place = usize::from(place.1);
        if let (Some(section), None) = (&record.identity, scope.terms_place) {
            let context = section_context(header, place.0, IDENTITY_SECTION);
            let plain = scope.open(section, own_place, &context).ok();
            view.reference =
                plain.and_then(|p| borsh::from_slice::<IdentityText>(&p).ok()).map(|t| t.reference);
        }
        if let Some(section) = &record.terms {
            let context = section_context(header, place.0, TERMS_SECTION);
            let plain = scope.open(section, scope.terms_place.unwrap_or(own_place), &context).ok();
            view.terms = plain.and_then(|p| borsh::from_slice::<TermsText>(&p).ok()).map(|t| t.text);
        }
    }
}

/// The part of an open loan that a `share` section speaks of.
pub(super) fn part_at(body: &Body<Encoded, Encoded>, (record, section): (u16, u16)) -> Option<(LoanId, u16)> {
    let touched = body.touched();
    let (loan, places) = touched.get(usize::from(record))?;
    Some((*loan, *places.get(usize::from(section))?))
}

/// The commitment that a `share` section speaks of.
pub(super) fn commitment_at(
    body: &Body<Encoded, Encoded>,
    (record, section): (u16, u16),
    component: Component,
) -> Option<Encoded> {
    let place = usize::from(section);
    if let Body::Fund { postings } | Body::Release { postings, .. } = body {
        return postings.get(place).map(|posting| posting.amount);
    }
    let record = usize::from(record);
    let leg = |legs: &[Portion<Encoded, Encoded>]| {
        let leg = legs_of(body.kind())
            .iter()
            .position(|leg| body.posted_as((record, place), leg.component) == component);
        legs.get(leg?).map(|portion| portion.movement.amount)
    };
    match body {
        Body::Fund { .. } | Body::Release { .. } => None,
        Body::Originate { loans, .. } => {
            loans.get(record)?.parts.get(place).map(|part| part.principal.amount)
        }
        Body::WriteOff { loans, .. } | Body::Reclassify { loans, .. } => {
            loans.get(record)?.parts.get(place).map(|part| part.balance.amount)
        }
        Body::Repay(touched) | Body::Recover { touched, .. } => {
            leg(&touched.loans.get(record)?.parts.get(place)?.legs)
        }
        Body::Draw { touched, .. } | Body::Reschedule(touched) => {
            leg(&touched.loans.get(record)?.parts.get(place)?.legs)
        }
        Body::Collect { touched, .. } => leg(&touched.loans.get(record)?.parts.get(place)?.legs),
    }
}

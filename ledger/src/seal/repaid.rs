//! Repayments.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "scalars modulo the group order; amounts are checked or below the cap"
)]

use super::{
    Piece, Said, SealError, Sealer, Slot,
    parts::{revealed, split_by_owner},
};
use crate::{
    batch::{self, Body, Record, RepaidPart},
    draft::Repayment,
    relation::most_interest,
    seed::Purpose,
    share::Share,
    wallet::{HeldLoan, HeldPart, Postings},
};
use counterfoil_crypto::{encoding::Element, pedersen::Opening, relation::Committed};

impl Sealer<'_> {
    pub(super) fn repay(&self, repayments: &[Repayment]) -> Result<Said, SealError> {
        self.fits(repayments.len())?;
        let mut sums = [Postings::new(self.consortium()), Postings::new(self.consortium())];
        let (mut sealed, mut records) = (Vec::new(), Vec::new());
        for (record, repayment) in (0u16..).zip(repayments) {
            let held = self.wallet.loans().get(&repayment.loan).ok_or(SealError::Loan(repayment.loan))?;
            let later = repayments.iter().skip(usize::from(record) + 1);
            let twice = later.clone().any(|r| r.loan == repayment.loan || r.event == repayment.event);
            if twice || self.wallet.is_booked(&repayment.event) {
                return Err(SealError::Doubled(format!("an event of loan {}", held.reference)));
            }
            let (loan, sections) = self.repaid_loan(record, repayment, held, &mut sums)?;
            sealed.push(loan);
            records.push(sections);
        }
        let [principal, interest] = sums;
        let body = Body::Repay {
            loans: sealed,
            principal: self.postings(principal.seal(&self.seed, Purpose::PrincipalPosting)),
            interest: self.postings(interest.seal(&self.seed, Purpose::InterestPosting)),
        };
        Ok((body, records))
    }

    pub(super) fn repaid_loan(
        &self,
        record: u16,
        repayment: &Repayment,
        held: &HeldLoan,
        sums: &mut [Postings; 2],
    ) -> Result<(batch::RepaidLoan<Committed<Opening>, Element>, Record), SealError> {
        let Repayment { loan, principal, interest, event } = repayment;
        let product = &self.terms.product;
        let owed = held.balance();
        let left = owed.checked_sub(*principal);
        let left = left.ok_or(SealError::Overpaid { loan: *loan, principal: *principal, owed })?;
        let units = u64::from(product.share_units());
        let most = most_interest(product);
        if *interest > most {
            return Err(SealError::Interest { loan: *loan, interest: *interest, most });
        }
        let share_of = |part: &HeldPart| part.share.amount().and_then(|s| u32::try_from(s).ok()).unwrap_or(0);
        let slots: Vec<_> =
            held.parts.iter().map(|part| Slot { owner: part.owner, share: share_of(part) }).collect();
        let after = split_by_owner(&slots, left, counterfoil_policy::split_balance);
        let earned = split_by_owner(&slots, *interest, counterfoil_policy::split);
        // One multiple less than would fit, so that what is beyond it is never negative (see `crate::relation`).
        let quotients = [(principal / units).saturating_sub(1), interest / units];
        let [repaid_sums, earned_sums] = sums;
        let (mut parts, mut texts) = (Vec::new(), Vec::new());
        for (place, (part, (after, earned))) in (0u16..).zip(held.parts.iter().zip(after.iter().zip(&earned)))
        {
            let overpaid = SealError::Overpaid { loan: *loan, principal: *principal, owed };
            let repaid = part.amount().checked_sub(*after).ok_or(overpaid)?;
            let paid = self.opening(Purpose::Principal, record, place, repaid);
            let got = self.opening(Purpose::Interest, record, place, *earned);
            repaid_sums.add(part.owner, &paid).ok_or(SealError::Loan(*loan))?;
            earned_sums.add(part.owner, &got).ok_or(SealError::Loan(*loan))?;
            let share = share_of(part);
            let [p, i] = quotients;
            let of_principal = Piece { units, share, amount: repaid, quotient: p, fair: *after, total: left };
            let of_interest =
                Piece { units, share, amount: *earned, quotient: i, fair: *earned, total: *interest };
            let owner = part.owner;
            let (principal, interest) = (revealed(&paid), revealed(&got));
            texts.push((Share::Repaid { owner, principal, interest, event: *event }, owner));
            let principal_purposes = [Purpose::PrincipalRest, Purpose::PrincipalSlack];
            let interest_purposes = [Purpose::InterestRest, Purpose::InterestSlack];
            parts.push(RepaidPart {
                balance: Committed::open(part.balance.clone()),
                share: Committed::open(part.share.clone()),
                principal: self.movement(paid),
                principal_split: self.split(principal_purposes, record, place, of_principal),
                interest: self.movement(got),
                interest_split: self.split(interest_purposes, record, place, of_interest),
            });
        }
        let [p, i] = quotients;
        let sealed = batch::RepaidLoan {
            loan: *loan,
            principal_quotient: Committed::open(self.opening(Purpose::PrincipalQuotient, record, 0, p)),
            interest_quotient: Committed::open(self.opening(Purpose::InterestQuotient, record, 0, i)),
            parts,
        };
        let shares = self.share_sections(record, texts.into_iter())?;
        Ok((sealed, Record { shares, identity: None, terms: None }))
    }
}

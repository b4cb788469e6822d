//! What moves whole balances: write-offs, by which a part leaves the books of its bank, and changes of bucket.

#![allow(clippy::arithmetic_side_effects, reason = "a place among at most 256 loans, plus one")]

use super::{Said, SealError, Sealer, parts::revealed};
use crate::{
    batch::Record,
    body::{Body, WrittenLoan, WrittenPart},
    draft::WriteOff,
    names::{Bucket, Component, Hash, LoanId},
    share::Share,
    wallet::{HeldPart, Postings},
};
use counterfoil_crypto::{encoding::Element, pedersen::Opening, relation::Committed};

impl Sealer<'_> {
    pub(super) fn write_off(&self, write_offs: &[WriteOff]) -> Result<Said, SealError> {
        self.fits(write_offs.len())?;
        let mut sums = Postings::new(self.consortium());
        let (mut loans, mut records) = (Vec::new(), Vec::new());
        for (record, write_off) in (0u16..).zip(write_offs) {
            let mut later = write_offs.iter().skip(usize::from(record) + 1);
            let twice = later.any(|w| w.loan == write_off.loan || w.event == write_off.event);
            let (loan, sections) = self.written_loan(record, write_off, twice, &mut sums)?;
            loans.push(loan);
            records.push(sections);
        }
        self.one_bucket(write_offs.iter().map(|write_off| write_off.loan))?;
        let postings = sums.seal(&self.seed, self.wallet.me, Component::Principal);
        Ok((Body::WriteOff { loans, postings: self.postings(postings) }, records))
    }

    pub(super) fn reclassify(
        &self,
        (from, to): (Bucket, Bucket),
        moves: &[(LoanId, Hash)],
    ) -> Result<Said, SealError> {
        self.fits(moves.len())?;
        let mut sums = Postings::new(self.consortium());
        let (mut loans, mut records) = (Vec::new(), Vec::new());
        for (record, (loan, event)) in (0u16..).zip(moves) {
            let mut later = moves.iter().skip(usize::from(record) + 1);
            let held =
                self.untouched(*loan, event, later.any(|other| other.0 == *loan || other.1 == *event))?;
            if held.bucket != from || from == to {
                return Err(SealError::Bucket { loan: *loan });
            }
            let (mut parts, mut texts) = (Vec::new(), Vec::new());
            for (part, held) in (0u8..).zip(&held.parts).filter(|(_, part)| !part.written_off) {
                let (owner, balance) = (held.owner, held.balance.clone());
                sums.add(owner, &balance).ok_or(SealError::Loan(*loan))?;
                let principal = revealed(&balance);
                texts.push((Share::Reclassified { owner, principal, event: *event }, owner));
                parts.push(WrittenPart { part, balance: self.movement(balance) });
            }
            if parts.is_empty() {
                return Err(SealError::WrittenOff { loan: *loan });
            }
            let shares = self.share_sections(record, texts.into_iter())?;
            loans.push(WrittenLoan { loan: *loan, parts });
            records.push(Record { shares, identity: None, terms: None });
        }
        let postings = sums.seal(&self.seed, self.wallet.me, Component::Principal);
        Ok((Body::Reclassify { from, to, loans, postings: self.postings(postings) }, records))
    }

    fn written_loan(
        &self,
        record: u16,
        write_off: &WriteOff,
        twice: bool,
        sums: &mut Postings,
    ) -> Result<(WrittenLoan<Committed<Opening>, Element>, Record), SealError> {
        let held = self.untouched(write_off.loan, &write_off.event, twice)?;
        let (mut parts, mut texts) = (Vec::new(), Vec::new());
        let writes_off = |part: &HeldPart| write_off.banks.contains(&part.owner);
        // Empty parts, the servicer's, go when all others are gone: earlier, they would show how many banks share the loan.
        let is_last = held.parts.iter().all(|part| part.is_empty() || part.written_off || writes_off(part));
        let places = (0u8..).zip(&held.parts);
        for (place, part) in
            places.filter(|(_, part)| if part.is_empty() { is_last } else { writes_off(part) })
        {
            if part.written_off {
                return Err(SealError::WrittenOff { loan: write_off.loan });
            }
            let (owner, balance) = (part.owner, part.balance.clone());
            sums.add(owner, &balance).ok_or(SealError::Loan(write_off.loan))?;
            texts.push((
                Share::WrittenOff { owner, principal: revealed(&balance), event: write_off.event },
                owner,
            ));
            parts.push(WrittenPart { part: place, balance: self.movement(balance) });
        }
        if parts.is_empty() {
            return Err(SealError::NoPart { loan: write_off.loan });
        }
        let shares = self.share_sections(record, texts.into_iter())?;
        Ok((WrittenLoan { loan: write_off.loan, parts }, Record { shares, identity: None, terms: None }))
    }
}

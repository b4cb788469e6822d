//! Events on open loans: repayments, collections, draw-downs, reschedulings, recoveries. They differ in their legs.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "scalars modulo the group order; amounts are checked or below the cap"
)]

use super::{
    Piece, Said, SealError, Sealer, Slot,
    parts::{revealed, split_by_owner},
};
use crate::{
    batch::Record,
    body::{Body, Effect, Leg, Portion, Touched, TouchedLoan, TouchedPart, legs},
    draft::{Collection, Raise, Recovery, Repayment},
    names::{Component, Hash, Kind, LoanId, MemberId},
    relation::{most_interest, most_proceeds},
    seed::Purpose,
    share::{Revealed, Share},
    wallet::{HeldLoan, HeldPart, Postings},
};
use counterfoil_crypto::{
    encoding::Element,
    pedersen::Opening,
    relation::{Committed, Witness as _},
};
use curve25519_dalek::scalar::Scalar;

/// An event with `N` legs, whatever its kind.
pub(crate) struct Event<const N: usize> {
    pub(crate) loan: LoanId,
    pub(crate) amounts: [u64; N],
    pub(crate) key: Hash,
}

/// Events of a kind on their way into a batch: loans, and per leg what each bank's posting opens to.
struct Sketched<const N: usize> {
    loans: Vec<TouchedLoan<Committed<Opening>, Element, N>>,
    postings: [Vec<Opening>; N],
    /// What is posted as recovered.
    recovered: Vec<Opening>,
    records: Vec<Record>,
}

/// Sums per bank: of each leg, and of principal on parts that are written off.
pub(crate) struct Sums<const N: usize> {
    legs: [Postings; N],
    recovered: Postings,
}

/// One leg's total, split over the parts.
struct LegSplit {
    quotient: u64,
    amounts: Vec<u64>,
    /// What is fair: the amounts, or the balances after.
    fair: Vec<u64>,
    total: u64,
}

/// What the secret scalars of a leg are for.
struct Purposes {
    amount: Purpose,
    quotient: Purpose,
    split: [Purpose; 2],
}

const PURPOSES: [Purposes; 4] = [
    Purposes {
        amount: Purpose::Principal,
        quotient: Purpose::PrincipalQuotient,
        split: [Purpose::PrincipalRest, Purpose::PrincipalSlack],
    },
    Purposes {
        amount: Purpose::Interest,
        quotient: Purpose::InterestQuotient,
        split: [Purpose::InterestRest, Purpose::InterestSlack],
    },
    Purposes {
        amount: Purpose::Fee,
        quotient: Purpose::FeeQuotient,
        split: [Purpose::FeeRest, Purpose::FeeSlack],
    },
    Purposes {
        amount: Purpose::Penalty,
        quotient: Purpose::PenaltyQuotient,
        split: [Purpose::PenaltyRest, Purpose::PenaltySlack],
    },
];

impl Sealer<'_> {
    pub(super) fn repay(&self, repayments: &[Repayment]) -> Result<Said, SealError> {
        let most = most_interest(&self.terms.product);
        if let Some(r) = repayments.iter().find(|r| r.interest > most) {
            return Err(SealError::Interest { loan: r.loan, interest: r.interest, most });
        }
        let event = |r: &Repayment| Event { loan: r.loan, amounts: [r.principal, r.interest], key: r.event };
        let events: Vec<_> = repayments.iter().map(event).collect();
        let (touched, records) = self.touched(self.touch(Kind::Repay, &events)?);
        Ok((Body::Repay(touched), records))
    }

    pub(super) fn draw(&self, raises: &[Raise]) -> Result<Said, SealError> {
        let sketched = self.raise(Kind::Draw, raises)?;
        let (_, reserves) = self.wallet.reserves(self.header.product);
        self.enough(&reserves, &sketched.postings[0])?;
        let (touched, records) = self.touched(sketched);
        Ok((Body::Draw { reserves: committed(reserves), touched }, records))
    }

    pub(super) fn reschedule(&self, raises: &[Raise]) -> Result<Said, SealError> {
        let (touched, records) = self.touched(self.raise(Kind::Reschedule, raises)?);
        Ok((Body::Reschedule(touched), records))
    }

    pub(super) fn collect(&self, collections: &[Collection]) -> Result<Said, SealError> {
        let most = most_interest(&self.terms.product);
        let largest = |c: &Collection| c.interest.max(c.fee).max(c.penalty);
        if let Some(c) = collections.iter().find(|c| largest(c) > most) {
            return Err(SealError::Interest { loan: c.loan, interest: largest(c), most });
        }
        let event = |c: &Collection| Event {
            loan: c.loan,
            amounts: [c.principal, c.interest, c.fee, c.penalty],
            key: c.event,
        };
        let sketched = self.touch(Kind::Collect, &collections.iter().map(event).collect::<Vec<_>>())?;
        let flags = |c: &Collection| {
            let held = self.wallet.loans().get(&c.loan);
            let parts = held.map(|held| held.parts.as_slice()).unwrap_or_default().iter();
            (0u32..)
                .zip(parts)
                .filter(|(_, part)| part.written_off)
                .fold(0, |flags, (i, _)| flags | 1u16 << i)
        };
        let written_off = collections.iter().map(flags).collect();
        let recovered = self.postings(sketched.recovered.clone());
        let (touched, records) = self.touched(sketched);
        Ok((Body::Collect { written_off, touched, recovered }, records))
    }

    pub(super) fn recover(&self, recoveries: &[Recovery]) -> Result<Said, SealError> {
        let most = most_proceeds(&self.terms.product);
        if let Some(r) = recoveries.iter().find(|r| r.proceeds.max(r.costs) > most) {
            return Err(SealError::Recovery { loan: r.loan, amount: r.proceeds.max(r.costs), most });
        }
        let event = |r: &Recovery| Event { loan: r.loan, amounts: [r.proceeds, r.costs], key: r.event };
        let sketched = self.touch(Kind::Recover, &recoveries.iter().map(event).collect::<Vec<_>>())?;
        let (_, reserves) = self.wallet.reserves(self.header.product);
        // What a bank gets in the same batch counts towards what it must have.
        let [proceeds, costs] = &sketched.postings;
        let have: Vec<_> = reserves.iter().zip(proceeds).map(|(r, p)| r.plus(p, Scalar::ONE)).collect();
        self.enough(&have, costs)?;
        let (touched, records) = self.touched(sketched);
        Ok((Body::Recover { reserves: committed(reserves), touched }, records))
    }

    fn raise(&self, kind: Kind, raises: &[Raise]) -> Result<Sketched<1>, SealError> {
        let event = |r: &Raise| Event { loan: r.loan, amounts: [r.amount], key: r.event };
        self.touch(kind, &raises.iter().map(event).collect::<Vec<_>>())
    }

    fn touched<const N: usize>(
        &self,
        sketched: Sketched<N>,
    ) -> (Touched<Committed<Opening>, Element, N>, Vec<Record>) {
        let Sketched { loans, postings, records, .. } = sketched;
        (Touched { loans, postings: postings.map(|openings| self.postings(openings)) }, records)
    }

    fn touch<const N: usize>(&self, kind: Kind, events: &[Event<N>]) -> Result<Sketched<N>, SealError> {
        self.fits(events.len())?;
        let empty = || Postings::new(self.consortium());
        let mut sums = Sums { legs: std::array::from_fn(|_| empty()), recovered: empty() };
        let (mut loans, mut records) = (Vec::new(), Vec::new());
        for (record, event) in (0u16..).zip(events) {
            let mut later = events.iter().skip(usize::from(record) + 1);
            let twice = later.any(|other| other.loan == event.loan || other.key == event.key);
            let held = self.untouched(event.loan, &event.key, twice)?;
            if !matches!(kind, Kind::Recover | Kind::Collect)
                && held.parts.iter().any(|part| part.written_off)
            {
                return Err(SealError::WrittenOff { loan: event.loan });
            }
            let (loan, sections) = self.touched_loan((kind, record), event, held, &mut sums)?;
            loans.push(loan);
            records.push(sections);
        }
        self.one_bucket(events.iter().map(|event| event.loan))?;
        let mut legs = legs(kind).iter();
        let recovered = sums.recovered.seal(&self.seed, self.wallet.me, Component::Recovered);
        let postings = sums.legs.map(|sums| {
            let leg = legs.next().expect("a body has as many legs as its kind");
            sums.seal(&self.seed, self.wallet.me, leg.component)
        });
        Ok(Sketched { loans, postings, recovered, records })
    }

    /// All loans of a batch are in one bucket: its postings name one account of it.
    pub(super) fn one_bucket(&self, loans: impl Iterator<Item = LoanId>) -> Result<(), SealError> {
        let bucket = |loan: LoanId| Some((loan, self.wallet.loans().get(&loan)?.bucket));
        let mut buckets = loans.filter_map(bucket);
        let Some((_, first)) = buckets.next() else { return Ok(()) };
        buckets
            .find(|(_, bucket)| *bucket != first)
            .map_or(Ok(()), |(loan, _)| Err(SealError::Bucket { loan }))
    }

    /// A loan of this servicer, for an event that is not booked and not in the draft twice.
    pub(super) fn untouched(&self, loan: LoanId, event: &Hash, twice: bool) -> Result<&HeldLoan, SealError> {
        let held = self.wallet.loans().get(&loan).ok_or(SealError::Loan(loan))?;
        if twice || self.wallet.is_booked(event) {
            return Err(SealError::Doubled(format!("an event of loan {}", held.reference)));
        }
        Ok(held)
    }

    pub(crate) fn touched_loan<const N: usize>(
        &self,
        (kind, record): (Kind, u16),
        event: &Event<N>,
        held: &HeldLoan,
        sums: &mut Sums<N>,
    ) -> Result<(TouchedLoan<Committed<Opening>, Element, N>, Record), SealError> {
        let splits = self.split_legs(kind, event, held)?;
        let units = u64::from(self.terms.product.share_units());
        let (mut parts, mut texts) = (Vec::new(), Vec::new());
        for (place, part) in (0u16..).zip(&held.parts) {
            let (mut portions, mut amounts) = (Vec::with_capacity(N), Vec::with_capacity(N));
            for ((split, leg), purposes) in splits.iter().zip(&mut sums.legs).zip(&PURPOSES) {
                let piece = split.piece(usize::from(place), share_of(part), units);
                let opening = self.opening(purposes.amount, record, place, piece.amount);
                let recovered = kind == Kind::Collect && part.written_off && amounts.is_empty();
                let sum = if recovered { &mut sums.recovered } else { leg };
                sum.add(part.owner, &opening).ok_or(SealError::Loan(event.loan))?;
                amounts.push(revealed(&opening));
                let split = self.split(purposes.split, record, place, piece);
                portions.push(Portion { movement: self.movement(opening), split });
            }
            texts.push((words(kind, part.owner, amounts, event.key), part.owner));
            parts.push(TouchedPart {
                balance: Committed::open(part.balance.clone()),
                share: Committed::open(part.share.clone()),
                legs: portions.try_into().unwrap_or_else(|_| unreachable!("one portion per leg")),
            });
        }
        let mut of_legs = splits.iter().zip(&PURPOSES);
        let quotients = std::array::from_fn(|_| {
            let (split, purposes) = of_legs.next().expect("one split per leg");
            Committed::open(self.opening(purposes.quotient, record, 0, split.quotient))
        });
        let shares = self.share_sections(record, texts.into_iter())?;
        let sealed = TouchedLoan { loan: event.loan, quotients, parts };
        Ok((sealed, Record { shares, identity: None, terms: None }))
    }

    fn split_legs<const N: usize>(
        &self,
        kind: Kind,
        event: &Event<N>,
        held: &HeldLoan,
    ) -> Result<Vec<LegSplit>, SealError> {
        let split = |(leg, amount): (&Leg, &u64)| self.split_leg(leg, *amount, event.loan, held);
        legs(kind).iter().zip(&event.amounts).map(split).collect()
    }

    fn split_leg(
        &self,
        leg: &Leg,
        amount: u64,
        loan: LoanId,
        held: &HeldLoan,
    ) -> Result<LegSplit, SealError> {
        let slots: Vec<_> = held.parts.iter().map(|p| Slot { owner: p.owner, share: share_of(p) }).collect();
        let (owed, units) = (held.balance(), u64::from(self.terms.product.share_units()));
        let before = held.parts.iter().map(HeldPart::amount);
        // Where the balance changes, one multiple less than would fit: what is beyond it is never negative (see
        // `crate::relation`).
        let quotient = amount / units;
        let changed = |total, amounts: Option<Vec<u64>>, fair| {
            let overpaid = SealError::Overpaid { loan, principal: amount, owed };
            Ok(LegSplit {
                quotient: quotient.saturating_sub(1),
                amounts: amounts.ok_or(overpaid)?,
                fair,
                total,
            })
        };
        match leg.effect {
            Effect::Leaves => {
                let amounts = split_by_owner(&slots, amount, counterfoil_policy::split);
                Ok(LegSplit { quotient, fair: amounts.clone(), amounts, total: amount })
            }
            Effect::Lowers => {
                let overpaid = SealError::Overpaid { loan, principal: amount, owed };
                let left = owed.checked_sub(amount).ok_or(overpaid)?;
                let after = split_by_owner(&slots, left, counterfoil_policy::split_balance);
                let amounts = before.zip(&after).map(|(before, after)| before.checked_sub(*after)).collect();
                changed(left, amounts, after)
            }
            Effect::Raises => {
                let (reference, cap) = (held.reference.clone(), self.terms.product.cap());
                let total = owed.checked_add(amount).filter(|total| amount > 0 && *total <= cap);
                let principal = owed.saturating_add(amount);
                let total = total.ok_or(SealError::Cap { reference, principal, cap })?;
                let after = split_by_owner(&slots, total, counterfoil_policy::split_balance);
                let amounts = before.zip(&after).map(|(before, after)| after.checked_sub(before)).collect();
                changed(total, amounts, after)
            }
        }
    }
}

impl LegSplit {
    fn piece(&self, place: usize, share: u32, units: u64) -> Piece {
        let at = |all: &[u64]| all.get(place).copied().unwrap_or_default();
        let (amount, fair) = (at(&self.amounts), at(&self.fair));
        Piece { units, share, amount, quotient: self.quotient, fair, total: self.total }
    }
}

fn share_of(part: &HeldPart) -> u32 {
    part.share.amount().and_then(|share| u32::try_from(share).ok()).unwrap_or(0)
}

fn committed(openings: Vec<Opening>) -> Vec<Committed<Opening>> {
    openings.into_iter().map(Committed::open).collect()
}

/// What a bank's section says of its part.
fn words(kind: Kind, owner: MemberId, amounts: Vec<Revealed>, event: Hash) -> Share {
    let mut amounts = amounts.into_iter();
    let mut next = || amounts.next().expect("one amount per leg");
    match kind {
        Kind::Repay => Share::Repaid { owner, principal: next(), interest: next(), event },
        Kind::Collect => Share::Collected { owner, amounts: std::array::from_fn(|_| next()), event },
        Kind::Recover => Share::Recovered { owner, proceeds: next(), costs: next(), event },
        _ => Share::Raised { owner, principal: next(), event },
    }
}

//! From a portfolio to drafts: top-ups, new loans, then what happens to them, day by day and kind by kind, in batches that fill
//! their proofs.
//!
//! Booking is idempotent: a loan is known by its number, everything else by the key of its event; what is booked already is passed
//! over. So an import that broke off is run again.

use crate::{
    import::{Event, Opening, Portfolio, What},
    servicer::Servicer,
};
use anyhow::{Context as _, Result};
use counterfoil_ledger::{
    body::legs,
    draft::{Collection, Draft, Events, NewLoan, Raise, Recovery, Repayment, WriteOff},
    genesis::{Consortium, Terms},
    names::{Bucket, Date, Hash, Kind, LoanId, MemberId, ProductId},
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Most loans in a batch of this program (a product of many parts fits fewer): a compromise between cost per loan and time to seal.
const MOST: usize = 85;
/// Eight-bit ranges per part of an event: a new loan's (share, rest, two of slack), or per leg (rest, two of slack).
const fn ranges(kind: Kind) -> usize {
    match kind {
        Kind::Originate => 4,
        other => legs(other).len().saturating_mul(3),
    }
}

/// The kinds of what happens to open loans, in the order in which a day's are booked.
const ORDER: [Kind; 5] = [Kind::Repay, Kind::Collect, Kind::Reschedule, Kind::WriteOff, Kind::Recover];

/// What a booking did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Loans opened.
    pub loans: u64,
    /// Payments booked.
    pub payments: u64,
    /// Increases booked.
    pub raises: u64,
    /// Write-offs booked.
    pub write_offs: u64,
    /// Recoveries booked.
    pub recoveries: u64,
    /// Loans and events that were booked before.
    pub already: u64,
    /// Batches handed over.
    pub batches: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Summary {
    /// Loans and all that happened to them.
    #[must_use]
    pub fn events(&self) -> u64 {
        [self.loans, self.payments, self.raises, self.write_offs, self.recoveries].iter().sum()
    }

    fn count(&mut self, kind: Kind, count: usize) {
        let sum = match kind {
            Kind::Originate => &mut self.loans,
            Kind::Repay | Kind::Collect => &mut self.payments,
            Kind::Draw | Kind::Reschedule => &mut self.raises,
            Kind::WriteOff => &mut self.write_offs,
            Kind::Recover => &mut self.recoveries,
            Kind::Fund | Kind::Release | Kind::Reclassify => return,
        };
        *sum = sum.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
}

/// Called with the number of events of a batch when it is booked.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// Books a portfolio as the servicer of a product.
///
/// # Errors
/// When a draft cannot be booked or a batch is refused; what was booked before stays, and running again goes on.
pub async fn book(
    servicer: &mut Servicer,
    product: ProductId,
    portfolio: &Portfolio,
    progress: Progress,
) -> Result<Summary> {
    let mut booking = Booking::new(servicer, product, progress)?;
    let mut days: BTreeMap<Date, (Vec<&Opening>, Vec<&Event>)> = BTreeMap::new();
    for opening in &portfolio.openings {
        days.entry(opening.date).or_default().0.push(opening);
    }
    for event in &portfolio.events {
        days.entry(event.date).or_default().1.push(event);
    }
    booking.top_up(portfolio).await?;
    for (date, (openings, events)) in days {
        booking.open(date, &openings).await?;
        for kind in ORDER {
            let of_kind: Vec<_> =
                events.iter().copied().filter(|event| booking.kind_of(event) == kind).collect();
            booking.happen(date, kind, &of_kind).await?;
        }
    }
    booking.servicer.settle().await?;
    booking.summary.bytes = booking.servicer.bytes();
    Ok(booking.summary)
}

/// Names of the partners that a servicer has in a product, and how many of them a loan has room for.
///
/// # Errors
/// When there is no such product.
pub fn partners(consortium: &Consortium, product: ProductId, me: MemberId) -> Result<(Vec<String>, usize)> {
    let terms = consortium.terms(product).context("there is no such product")?;
    let names = consortium.banks().iter().filter(|id| **id != me).map(|id| consortium.name(*id));
    let partners =
        names.filter(|name| terms.product.weights().contains_key(*name)).map(str::to_owned).collect();
    Ok((partners, usize::from(terms.product.parts()).saturating_sub(1)))
}

struct Booking<'a> {
    servicer: &'a mut Servicer,
    product: ProductId,
    terms: Terms,
    progress: Progress,
    summary: Summary,
}

impl<'a> Booking<'a> {
    fn new(servicer: &'a mut Servicer, product: ProductId, progress: Progress) -> Result<Self> {
        let terms = servicer.me().consortium.terms(product).context("there is no such product")?.clone();
        Ok(Self { servicer, product, terms, progress, summary: Summary::default() })
    }

    /// Tops every bank's reserve up to what it must fund of the loans that are not open yet.
    async fn top_up(&mut self, portfolio: &Portfolio) -> Result<()> {
        let consortium = self.servicer.me().consortium.clone();
        let mut needed: BTreeMap<MemberId, u64> = BTreeMap::new();
        for opening in portfolio.openings.iter().filter(|o| self.loan(&o.loan).is_none()) {
            let mut banks = vec![self.servicer.me().id];
            banks.extend(self.partners_of(opening)?);
            let names: Vec<_> = banks.iter().map(|id| consortium.name(*id)).collect();
            let shares = self.terms.product.shares(&names)?;
            for (bank, part) in
                banks.iter().zip(counterfoil_policy::split_balance(opening.principal, &shares))
            {
                let sum = needed.entry(*bank).or_default();
                *sum = sum.saturating_add(part);
            }
        }
        let (_, reserves) = self.servicer.wallet().reserves(self.product);
        let short = consortium.banks().iter().zip(&reserves).filter_map(|(bank, reserve)| {
            let short = needed.get(bank)?.saturating_sub(reserve.amount().unwrap_or(0));
            (short > 0).then_some((*bank, short))
        });
        let amounts: Vec<_> = short.collect();
        if !amounts.is_empty() {
            self.post(Events::Fund(amounts), today(), 0).await?;
        }
        Ok(())
    }

    async fn open(&mut self, date: Date, openings: &[&Opening]) -> Result<()> {
        let (new, known): (Vec<_>, Vec<_>) = openings.iter().partition(|o| self.loan(&o.loan).is_none());
        self.pass_over(known.len());
        for chunk in self.chunks(new.len(), Kind::Originate).scan(0usize, take(&new)) {
            let loan = |opening: &&&Opening| {
                Ok(NewLoan {
                    reference: opening.loan.clone(),
                    terms: opening.terms.clone(),
                    principal: opening.principal,
                    partners: self.partners_of(opening)?,
                })
            };
            let loans = chunk.iter().map(loan).collect::<Result<Vec<_>>>()?;
            self.post(Events::Originate(loans), date, chunk.len()).await?;
        }
        Ok(())
    }

    /// Books what happened on a day, of one kind.
    async fn happen(&mut self, date: Date, kind: Kind, events: &[&Event]) -> Result<()> {
        let booked = |event: &&&Event| self.servicer.wallet().is_booked(&key(event));
        let (known, new): (Vec<_>, Vec<_>) = events.iter().partition(booked);
        self.pass_over(known.len());
        let mut buckets: BTreeMap<Bucket, Vec<&Event>> = BTreeMap::new();
        for event in new {
            buckets.entry(self.bucket(event)).or_default().push(event);
        }
        for new in buckets.values() {
            for chunk in self.chunks(new.len(), kind).scan(0usize, take(new)) {
                let drafted = self.draft(kind, chunk)?;
                self.post(drafted, date, chunk.len()).await?;
            }
        }
        Ok(())
    }

    /// How late the loan of an event is: a batch is of loans of one bucket.
    fn bucket(&self, event: &Event) -> Bucket {
        let held = self.loan(&event.loan).and_then(|loan| self.servicer.wallet().loans().get(&loan));
        held.map(|held| held.bucket).unwrap_or_default()
    }

    /// The kind of batch that books an event: a payment on a loan of which parts are written off is a collection.
    fn kind_of(&self, event: &Event) -> Kind {
        let held = self.loan(&event.loan).and_then(|loan| self.servicer.wallet().loans().get(&loan));
        match event.what.kind() {
            Kind::Repay if held.is_some_and(|held| held.parts.iter().any(|p| p.written_off)) => Kind::Collect,
            kind => kind,
        }
    }

    fn draft(&self, kind: Kind, events: &[&Event]) -> Result<Events> {
        let each = events.iter().map(|event| {
            let loan = self.loan(&event.loan);
            let loan = loan.with_context(|| format!("an event of loan {}, which is not open", event.loan))?;
            Ok((loan, key(event), event.what))
        });
        let each = each.collect::<Result<Vec<_>>>()?.into_iter();
        Ok(match kind {
            Kind::Reschedule => Events::Reschedule(
                each.filter_map(|(loan, event, what)| match what {
                    What::Raised { amount } => Some(Raise { loan, amount, event }),
                    _ => None,
                })
                .collect(),
            ),
            Kind::WriteOff => {
                let write_off = |(loan, event, _)| WriteOff { loan, banks: self.owners(&loan), event };
                Events::WriteOff(each.map(write_off).collect())
            }
            Kind::Recover => Events::Recover(
                each.filter_map(|(loan, event, what)| match what {
                    What::Recovered { proceeds, costs } => Some(Recovery { loan, proceeds, costs, event }),
                    _ => None,
                })
                .collect(),
            ),
            Kind::Collect => Events::Collect(
                each.filter_map(|(loan, event, what)| match what {
                    What::Paid { principal, interest, fee, penalty } => {
                        Some(Collection { loan, principal, interest, fee, penalty, event })
                    }
                    _ => None,
                })
                .collect(),
            ),
            _ => Events::Repay(
                each.filter_map(|(loan, event, what)| match what {
                    What::Paid { principal, interest, .. } => {
                        Some(Repayment { loan, principal, interest, event })
                    }
                    _ => None,
                })
                .collect(),
            ),
        })
    }

    /// Every bank that has a part of a loan.
    fn owners(&self, loan: &LoanId) -> Vec<MemberId> {
        let held = self.servicer.wallet().loans().get(loan);
        held.map(|held| held.parts.iter().map(|part| part.owner).collect()).unwrap_or_default()
    }

    fn chunks(&self, count: usize, kind: Kind) -> impl Iterator<Item = usize> + use<> {
        full(count, usize::from(self.terms.product.parts()), ranges(kind))
    }

    async fn post(&mut self, events: Events, value_date: Date, count: usize) -> Result<()> {
        self.summary.batches = self.summary.batches.saturating_add(1);
        self.summary.count(events.kind(), count);
        let draft = Draft { product: self.product, value_date, booking_date: today(), events };
        let (progress, count) = (self.progress.clone(), u64::try_from(count)?);
        self.servicer.post(draft, Box::new(move |_| progress(count))).await
    }

    fn pass_over(&mut self, known: usize) {
        let known = u64::try_from(known).unwrap_or(u64::MAX);
        self.summary.already = self.summary.already.saturating_add(known);
        (self.progress)(known);
    }

    fn loan(&self, reference: &str) -> Option<LoanId> {
        self.servicer.wallet().loan_of(self.product, reference)
    }

    fn partners_of(&self, opening: &Opening) -> Result<Vec<MemberId>> {
        let consortium = &self.servicer.me().consortium;
        let partner = |name: &String| {
            let id = consortium.banks().iter().copied().find(|id| consortium.name(*id) == name);
            id.with_context(|| format!("loan {}: `{name}` is not a bank of this consortium", opening.loan))
        };
        opening.partners.iter().map(partner).collect()
    }
}

/// Cuts `count` loans into batches whose eight-bit ranges fill a power of two as well as they can: the proof is padded to
/// one, and padding costs as much as ranges do. What is left for less than a quarter of a full batch goes into one: a
/// batch has costs of its own.
fn full(count: usize, parts: usize, ranges: usize) -> impl Iterator<Item = usize> {
    let per_loan = parts.saturating_mul(ranges).max(1);
    let most = MOST.min(counterfoil_ledger::batch::most_loans(u8::try_from(parts).unwrap_or(u8::MAX)));
    let fitting = (3u32..=13).rev().filter_map(|k| 1usize.checked_shl(k)?.checked_div(per_loan));
    let sizes: Vec<_> = fitting.filter(|size| (most.div_ceil(4)..=most).contains(size)).collect();
    let mut left = count;
    std::iter::from_fn(move || {
        let size = sizes.iter().copied().find(|size| *size <= left).unwrap_or(left.min(most));
        left = left.saturating_sub(size);
        (size > 0).then_some(size)
    })
}

/// Takes the next chunk of a slice.
fn take<'a, T>(items: &'a [T]) -> impl FnMut(&mut usize, usize) -> Option<&'a [T]> {
    |at, size| {
        let chunk = items.get(*at..at.saturating_add(size))?;
        *at = at.saturating_add(size);
        Some(chunk)
    }
}

/// The key of an event: a loan has each kind at most once a day.
fn key(event: &Event) -> Hash {
    let place = format!("{}\n{}\n{}", event.loan, event.date.0, event.what.kind().name());
    blake3::derive_key("counterfoil/1 event of an import", place.as_bytes())
}

fn today() -> Date {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
    Date(u32::try_from(seconds.div_euclid(86_400)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_fill_their_proofs() {
        let sizes = |n| full(n, 4, ranges(Kind::Repay)).collect::<Vec<_>>();
        assert_eq!(sizes(400), [85, 85, 85, 85, 42, 18]);
        assert_eq!(sizes(0), Vec::<usize>::new());
        assert_eq!(sizes(1), [1]);
        assert_eq!(full(100, 4, ranges(Kind::Originate)).collect::<Vec<_>>(), [64, 32, 4]);
        assert_eq!(full(50, 16, ranges(Kind::Repay)).collect::<Vec<_>>(), [42, 8]);
        for n in 0..500 {
            assert_eq!(sizes(n).iter().sum::<usize>(), n);
        }
    }
}

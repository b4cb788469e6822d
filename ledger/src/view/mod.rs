//! Open: what one viewer may read, compared with what everybody sees.
//!
//! A bank reads its own parts, an auditor all parts of its products. Nothing is believed: every opening must open the
//! commitment on the ledger, each bank's parts of a batch must sum to its posting (opened by the view key alone, so a
//! servicer that posts a share to the wrong bank is noticed at once), and the totals of all parts must open the control
//! accounts of the state. What does not agree is a [`Finding`].

#![allow(
    clippy::arithmetic_side_effects,
    reason = "arithmetic is on points and scalars; amounts are added saturating"
)]

mod accounts;
mod compare;
mod finding;
mod loans;

pub use accounts::Flows;
#[cfg(test)]
pub(crate) use compare::Effort;
pub use compare::TOTAL_BITS;
pub use finding::{AccountName, Finding, LoanView, PartView};

use crate::{
    batch::{Sealed, envelope_context, owner_key, section_context},
    body::Body,
    genesis::{Consortium, Keys},
    names::{AccountKind, Bucket, Component, Kind, LoanId, MemberId, ProductId},
    seed::Seed,
    share::{Revealed, Share},
};
use counterfoil_crypto::{
    encoding::Encoded,
    envelope::{Section, Unreadable},
    secret::SecretBytes,
};
use loans::{commitment_at, part_at};
use std::{collections::BTreeMap, sync::Arc};
use zeroize::Zeroizing;

/// What a viewer has read so far.
#[derive(Clone, Debug)]
pub struct View {
    consortium: Arc<Consortium>,
    me: MemberId,
    keys: Keys,
    /// Loans of which at least one part could be read.
    pub loans: BTreeMap<LoanId, LoanView>,
    /// Totals by account, from the openings, in minor units.
    pub totals: BTreeMap<AccountName, u64>,
    /// What does not agree.
    pub findings: Vec<Finding>,
    /// Batches looked at.
    pub batches: u64,
    /// Openings compared with commitments on the ledger.
    pub openings: u64,
    /// Sections that were tried and belong to somebody else.
    pub closed: u64,
    /// What the records say was paid in, lent and repaid, whoever it belongs to.
    pub flows: BTreeMap<(MemberId, ProductId), Flows>,
    owned: accounts::Owned,
    owners: BTreeMap<(LoanId, u16), MemberId>,
    /// How late loans are that were ever late: everybody sees it.
    buckets: BTreeMap<LoanId, Bucket>,
    waiting: BTreeMap<(MemberId, ProductId, u64), BTreeMap<MemberId, u64>>,
    merged: BTreeMap<(MemberId, ProductId), u64>,
}

/// Where this viewer stands in a product: which wrap and which handle is its own, and whose postings it can open.
struct Scope {
    /// `None` when the servicer sealed no readable envelope: postings are opened and compared all the same.
    viewer: Option<SecretBytes>,
    /// The batch's seed, if it is the viewer's own.
    seed: Option<Seed>,
    share_place: usize,
    terms_place: Option<usize>,
    handle: usize,
    banks: Vec<MemberId>,
}

impl Scope {
    fn open(
        &self,
        section: &Section,
        place: usize,
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        self.viewer.as_ref().ok_or(Unreadable).and_then(|viewer| section.open(viewer, place, context))
    }
}

impl View {
    /// Nothing read yet.
    #[must_use]
    pub fn new(consortium: Arc<Consortium>, me: MemberId, keys: Keys) -> Self {
        Self {
            consortium,
            me,
            keys,
            loans: BTreeMap::new(),
            totals: BTreeMap::new(),
            findings: Vec::new(),
            batches: 0,
            openings: 0,
            closed: 0,
            flows: BTreeMap::new(),
            owned: accounts::Owned::default(),
            owners: BTreeMap::new(),
            buckets: BTreeMap::new(),
            waiting: BTreeMap::new(),
            merged: BTreeMap::new(),
        }
    }

    /// Reads a batch that was applied.
    pub fn read(&mut self, sealed: &Sealed) {
        self.batches = self.batches.saturating_add(1);
        let Some(scope) = self.scope(sealed) else { return };
        let shares = self.open_shares(sealed, &scope);
        self.withheld(sealed, &shares);
        let sums = self.book(sealed, &scope, &shares);
        self.compare_postings(sealed, &scope, &sums);
        self.own_accounts(sealed, &scope, &shares, &sums);
        self.reclassified(&sealed.batch.content.body);
    }

    /// Notes the bucket to which loans move.
    fn reclassified(&mut self, body: &Body<Encoded, Encoded>) {
        let Body::Reclassify { to, loans, .. } = body else { return };
        for moved in loans {
            self.buckets.insert(moved.loan, *to);
            if let Some(loan) = self.loans.get_mut(&moved.loan) {
                loan.bucket = *to;
            }
        }
    }

    /// The bucket of the open loans that a batch touches: all are in one.
    fn bucket_of(&self, body: &Body<Encoded, Encoded>) -> Bucket {
        let first = body.touched().into_iter().next();
        first.and_then(|(loan, _)| self.buckets.get(&loan)).copied().unwrap_or_default()
    }

    fn scope(&self, sealed: &Sealed) -> Option<Scope> {
        let header = &sealed.batch.content.header;
        let terms = self.consortium.terms(header.product)?;
        let context = envelope_context(header, self.me);
        let envelope = sealed.records.envelopes.get(usize::from(self.me.0))?;
        let mut viewer = self.keys.envelope.open(&context, envelope).ok();
        let mut seed = None;
        if header.servicer == self.me {
            // The servicer's own envelope holds the seed, from which its viewer key follows.
            seed = viewer.map(Seed::new);
            viewer = seed.as_ref().map(|seed| seed.viewer_key(self.me));
        }
        if self.consortium.bank_index(self.me).is_some() {
            return Some(Scope {
                viewer,
                seed,
                share_place: 0,
                terms_place: None,
                handle: 0,
                banks: vec![self.me],
            });
        }
        let place = terms.auditors.iter().position(|id| *id == self.me)?;
        Some(Scope {
            viewer,
            seed,
            share_place: place + 1,
            terms_place: Some(usize::from(terms.product.parts()) + place),
            handle: place + 1,
            banks: self.consortium.banks().to_vec(),
        })
    }

    fn open_shares(&mut self, sealed: &Sealed, scope: &Scope) -> Vec<((u16, u16), Share)> {
        let header = &sealed.batch.content.header;
        let mut opened = Vec::new();
        for (record, sections) in (0u16..).zip(&sealed.records.records) {
            for (number, section) in (0u16..).zip(&sections.shares) {
                let context = section_context(header, record, number);
                match scope.open(section, scope.share_place, &context) {
                    Err(_) => self.closed = self.closed.saturating_add(1),
                    Ok(plain) => match borsh::from_slice(&plain) {
                        Ok(share) => opened.push(((record, number), share)),
                        Err(_) => self.false_opening(sealed, (record, number)),
                    },
                }
            }
        }
        opened
    }

    /// Books what was opened, after comparing it with the ledger; returns the sums per bank and component.
    fn book(
        &mut self,
        sealed: &Sealed,
        scope: &Scope,
        shares: &[((u16, u16), Share)],
    ) -> BTreeMap<(MemberId, Component), u64> {
        let mut sums = BTreeMap::new();
        let header = sealed.batch.content.header.clone();
        let mut repaid = std::collections::BTreeSet::new();
        for (place, share) in shares {
            let body = &sealed.batch.content.body;
            let at = (usize::from(place.0), usize::from(place.1));
            let posted = |(component, amount)| (body.posted_as(at, component), amount);
            let amounts: Vec<_> = share.amounts().into_iter().map(posted).collect();
            let Some(owner) = self.owner(share, place.1).filter(|owner| scope.banks.contains(owner)) else {
                self.false_opening(sealed, *place);
                continue;
            };
            let opens =
                amounts.iter().all(|(component, amount)| self.opens(sealed, *place, *component, amount));
            if opens {
                let flows = self.flows.entry((header.servicer, header.product)).or_default();
                amounts
                    .iter()
                    .for_each(|(component, amount)| flows.add(header.kind, *component, amount.amount));
            }
            if !opens || !self.is_owners(sealed, scope, *place, owner, share) {
                self.false_opening(sealed, *place);
                continue;
            }
            for (component, amount) in amounts {
                let sum: &mut u64 = sums.entry((owner, component)).or_default();
                *sum = sum.saturating_add(amount.amount);
            }
            if let Some(loan) = self.note(sealed, scope, *place, owner, share)
                && repaid.insert(loan)
                && matches!(header.kind, Kind::Repay | Kind::Collect)
                && let Some(view) = self.loans.get_mut(&loan)
            {
                view.repayments = view.repayments.saturating_add(1);
            }
        }
        self.post(sealed, scope, &sums);
        sums
    }

    fn owner(&self, share: &Share, section: u16) -> Option<MemberId> {
        match share {
            Share::Fund { .. } | Share::Released { .. } => {
                self.consortium.banks().get(usize::from(section)).copied()
            }
            other => other.owner(),
        }
    }

    /// Whether an opening opens the commitment that stands at its place.
    fn opens(&mut self, sealed: &Sealed, place: (u16, u16), component: Component, amount: &Revealed) -> bool {
        self.openings = self.openings.saturating_add(1);
        let commitment = commitment_at(&sealed.batch.content.body, place, component);
        amount.opening().map(|opening| Encoded::from(&opening.commit())) == commitment
    }

    /// Whether the part is this owner's. Of a new loan, its share must open the ledger's, and a bank must recognise its own
    /// one-time key; what touches an open loan goes to the owner that it was opened with.
    fn is_owners(
        &self,
        sealed: &Sealed,
        scope: &Scope,
        place: (u16, u16),
        owner: MemberId,
        share: &Share,
    ) -> bool {
        let (record, section) = (usize::from(place.0), usize::from(place.1));
        let body = &sealed.batch.content.body;
        if !share.stands_in(body.kind()) {
            return false;
        }
        match (share, body) {
            (Share::Fund { .. } | Share::Released { .. }, _) => true,
            (Share::New { share, .. }, Body::Originate { loans, .. }) => {
                let part = loans.get(record).and_then(|loan| loan.parts.get(section));
                let is_mine = |owner| scope.terms_place.is_some() || self.keys.view.owns(&owner_key(owner));
                let commits = share.opening().map(|opening| Encoded::from(&opening.commit()));
                part.is_some_and(|part| commits == Some(part.share) && is_mine(&part.owner))
            }
            (_, body) => part_at(body, place).and_then(|part| self.owners.get(&part)) == Some(&owner),
        }
    }

    /// What touches a part in scope comes with its section: a servicer that books it to somebody else would rather not
    /// show it (attack 15).
    fn withheld(&mut self, sealed: &Sealed, shares: &[((u16, u16), Share)]) {
        for (record, (loan, places)) in (0u16..).zip(sealed.batch.content.body.touched()) {
            for (section, part) in (0u16..).zip(places) {
                let place = (record, section);
                let is_known = self.owners.contains_key(&(loan, part));
                if is_known && !shares.iter().any(|(opened, _)| *opened == place) {
                    self.false_opening(sealed, place);
                }
            }
        }
    }

    /// Moves the totals as the batch's postings do, by what the openings say.
    fn post(&mut self, sealed: &Sealed, scope: &Scope, sums: &BTreeMap<(MemberId, Component), u64>) {
        let header = &sealed.batch.content.header;
        let place = (header.servicer, header.product);
        if header.kind == Kind::Fund {
            let waiting = sums.iter().map(|((bank, _), amount)| (*bank, *amount)).collect();
            self.waiting.insert((place.0, place.1, header.sequence), waiting);
        } else {
            let merged = self.merged.get(&place).copied().unwrap_or(0);
            for number in merged.saturating_add(1)..=header.merged {
                for (bank, amount) in self.waiting.remove(&(place.0, place.1, number)).unwrap_or_default() {
                    self.transfer(place, bank, (AccountKind::Reserve, AccountKind::Incoming), amount);
                }
            }
            self.merged.insert(place, header.merged.max(merged));
        }
        let body = &sealed.batch.content.body;
        let bucket = self.bucket_of(body);
        for ((bank, component), amount) in sums {
            self.transfer(place, *bank, body.entry(*component, bucket), *amount);
        }
        for bank in &scope.banks {
            for kind in AccountKind::ALL {
                self.totals.entry((place.0, place.1, *bank, kind)).or_default();
            }
        }
    }

    fn transfer(
        &mut self,
        (servicer, product): (MemberId, ProductId),
        bank: MemberId,
        (debit, credit): (AccountKind, AccountKind),
        amount: u64,
    ) {
        for (kind, up) in [(debit, debit.rises_with_debits()), (credit, !credit.rises_with_debits())] {
            let total = self.totals.entry((servicer, product, bank, kind)).or_default();
            *total = if up { total.saturating_add(amount) } else { total.saturating_sub(amount) };
        }
    }

    fn false_opening(&mut self, sealed: &Sealed, place: (u16, u16)) {
        let header = &sealed.batch.content.header;
        let (servicer, sequence, kind) = (header.servicer, header.sequence, header.kind);
        self.findings.push(Finding::FalseOpening { servicer, sequence, kind, place });
    }
}

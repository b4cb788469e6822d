//! The servicer's wallet: every opening that it must know to seal the next batch.
//!
//! A wallet is never stored: it is read from the chain with the servicer's keys, batch by batch ([`Wallet::absorb`]), and a batch
//! that was just sealed is taken in the same way. So there is one path, it is exercised all the time, and a lost wallet is
//! a replay.

#![allow(clippy::arithmetic_side_effects, reason = "arithmetic is on scalars, modulo the group order")]

mod postings;

pub(crate) use postings::{Postings, posting_openings};

use crate::{
    batch::{Content, Header, IDENTITY_SECTION, Records, Sealed, envelope_context, loan_id, section_context},
    body::{Effect, SealedBody, legs},
    genesis::{Consortium, Keys},
    names::{AccountKind, Bucket, Component, Hash, Kind, Lane, LoanId, MemberId, ProductId, entry},
    seed::Seed,
    share::{IdentityText, Share},
};
use counterfoil_crypto::{
    pedersen::Opening,
    relation::{Suite, Witness as _},
};
use curve25519_dalek::scalar::Scalar;
use postings::shares;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A loan as its servicer holds it.
#[derive(Clone, Debug)]
pub struct HeldLoan {
    /// Its product.
    pub product: ProductId,
    /// The servicer's number of it.
    pub reference: String,
    /// Parts in the loan's order.
    pub parts: Vec<HeldPart>,
    /// How late it is.
    pub bucket: Bucket,
}

impl HeldLoan {
    /// Principal outstanding over all parts, in minor units.
    #[must_use]
    pub fn balance(&self) -> u64 {
        self.parts.iter().map(HeldPart::amount).fold(0, u64::saturating_add)
    }
}

/// One part of a held loan.
#[derive(Clone, Debug)]
pub struct HeldPart {
    /// The bank whose part it is.
    pub owner: MemberId,
    /// Its share in the product's units, opened.
    pub share: Opening,
    /// What the customer owes of it, opened; it stays owed when its bank writes it off.
    pub balance: Opening,
    /// Whether its bank has written it off: then nothing is outstanding on the bank's books.
    pub written_off: bool,
}

impl HeldPart {
    /// Whether it is there only so that all loans have as many parts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.share.value == Scalar::ZERO
    }

    /// The balance in minor units.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.balance.amount().unwrap_or_default()
    }
}

/// Where a lane stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneHead {
    /// Number of its last batch; 0 before the first.
    pub sequence: u64,
    /// Id of its last batch; zero before the first.
    pub last: Hash,
}

/// A servicer's knowledge of its own books.
#[derive(Clone, Debug)]
pub struct Wallet {
    pub(crate) consortium: Arc<Consortium>,
    pub(crate) me: MemberId,
    pub(crate) keys: Keys,
    pub(crate) suite: Suite,
    lanes: BTreeMap<(ProductId, Lane), LaneHead>,
    merged: BTreeMap<ProductId, u64>,
    available: BTreeMap<ProductId, Vec<Opening>>,
    incoming: BTreeMap<(ProductId, u64), Vec<Opening>>,
    loans: BTreeMap<LoanId, HeldLoan>,
    references: BTreeMap<(ProductId, String), LoanId>,
    events: BTreeSet<Hash>,
}

/// Why a batch of this servicer cannot be taken in. The wallet is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbsorbError {
    /// It was taken in before, or batches before it are missing: taken in twice, its amounts would count twice.
    #[error("batch {sequence} of this servicer is not the next one; read the wallet from the chain again")]
    NotNext {
        /// Its number in its lane.
        sequence: u64,
    },
    /// It was sealed by another program, or is damaged.
    #[error("batch {sequence} of this servicer cannot be read back with its keys")]
    NotOurs {
        /// Its number in its lane.
        sequence: u64,
    },
}

impl Wallet {
    /// An empty wallet of a member.
    #[must_use]
    pub fn new(consortium: Arc<Consortium>, me: MemberId, keys: Keys) -> Self {
        Self {
            consortium,
            me,
            keys,
            suite: Suite::LATEST,
            lanes: BTreeMap::new(),
            merged: BTreeMap::new(),
            available: BTreeMap::new(),
            incoming: BTreeMap::new(),
            loans: BTreeMap::new(),
            references: BTreeMap::new(),
            events: BTreeSet::new(),
        }
    }

    /// Seals with another proof suite from now on: one that the consortium has not retired.
    #[must_use]
    pub fn with_suite(self, suite: Suite) -> Self {
        Self { suite, ..self }
    }

    /// The loans, by id.
    #[must_use]
    pub fn loans(&self) -> &BTreeMap<LoanId, HeldLoan> {
        &self.loans
    }

    /// The loan that has this number in this product.
    #[must_use]
    pub fn loan_of(&self, product: ProductId, reference: &str) -> Option<LoanId> {
        self.references.get(&(product, reference.to_owned())).copied()
    }

    /// Whether the event is booked.
    #[must_use]
    pub fn is_booked(&self, event: &Hash) -> bool {
        self.events.contains(event)
    }

    /// Where a lane stands.
    #[must_use]
    pub fn lane(&self, product: ProductId, lane: Lane) -> LaneHead {
        self.lanes.get(&(product, lane)).copied().unwrap_or_default()
    }

    /// Puts a lane elsewhere: for forgeries in tests.
    #[cfg(test)]
    pub(crate) fn set_lane(&mut self, product: ProductId, lane: Lane, head: LaneHead) {
        self.lanes.insert((product, lane), head);
    }

    /// A loan, to make a wallet believe something else: for forgeries in tests.
    #[cfg(test)]
    pub(crate) fn loan_mut(&mut self, loan: LoanId) -> &mut HeldLoan {
        self.loans.get_mut(&loan).expect("the test knows the loan")
    }

    /// The number of the last top-up, and the banks' available reserves once all of them are taken up.
    #[must_use]
    pub fn reserves(&self, product: ProductId) -> (u64, Vec<Opening>) {
        let through = self.lane(product, Lane::Reserve).sequence;
        let waiting = self.merged.get(&product).copied().unwrap_or(0).saturating_add(1)..=through;
        let mut reserves = self.available(product);
        for top_up in waiting.filter_map(|number| self.incoming.get(&(product, number))) {
            reserves.iter_mut().zip(top_up).for_each(|(r, t)| *r = r.plus(t, Scalar::ONE));
        }
        (through, reserves)
    }

    fn available(&self, product: ProductId) -> Vec<Opening> {
        let empty =
            || vec![Opening { value: Scalar::ZERO, blinding: Scalar::ZERO }; self.consortium.banks().len()];
        self.available.get(&product).cloned().unwrap_or_else(empty)
    }

    /// Takes in one of this servicer's own batches, from the chain or just sealed. Others are passed over.
    ///
    /// # Errors
    /// [`AbsorbError::NotNext`] when it does not follow the last one of its lane, [`AbsorbError::NotOurs`] when it is signed
    /// by this servicer and yet cannot be read with its keys.
    pub fn absorb(&mut self, sealed: &Sealed) -> Result<(), AbsorbError> {
        self.absorb_content(&sealed.batch.content, &sealed.records)
    }

    /// As [`Wallet::absorb`], of a batch whose proofs need not be made yet.
    ///
    /// # Errors
    /// As [`Wallet::absorb`].
    pub fn absorb_content(&mut self, content: &Content, records: &Records) -> Result<(), AbsorbError> {
        let header = &content.header;
        if header.servicer != self.me {
            return Ok(());
        }
        let sequence = header.sequence;
        let before = self.lane(header.product, header.kind.lane());
        if before.sequence.checked_add(1) != Some(sequence) || before.last != header.previous {
            return Err(AbsorbError::NotNext { sequence });
        }
        let not_ours = AbsorbError::NotOurs { sequence };
        let seed = self.seed_of(header, records).ok_or(not_ours)?;
        match header.kind {
            Kind::Fund => self.absorb_fund(header, records, &seed),
            Kind::Originate => self.absorb_new(header, records, &seed),
            Kind::Release => self.absorb_release(header, records),
            Kind::Repay
            | Kind::Collect
            | Kind::Draw
            | Kind::Reschedule
            | Kind::Recover
            | Kind::WriteOff
            | Kind::Reclassify => self.absorb_touched(content, records, &seed),
        }
        .ok_or(not_ours)?;
        let head = LaneHead { sequence, last: content.id() };
        self.lanes.insert((header.product, header.kind.lane()), head);
        Ok(())
    }

    fn seed_of(&self, header: &Header, records: &Records) -> Option<Seed> {
        let envelope = records.envelopes.get(usize::from(self.me.0))?;
        let context = envelope_context(header, self.me);
        self.keys.envelope.open(&context, envelope).ok().map(Seed::new)
    }

    fn absorb_fund(&mut self, header: &Header, records: &Records, seed: &Seed) -> Option<()> {
        let amounts = shares(header, records, seed, 0)?.into_iter().map(|share| match share {
            Share::Fund { amount } => amount.opening(),
            _ => None,
        });
        self.incoming.insert((header.product, header.sequence), amounts.collect::<Option<_>>()?);
        Some(())
    }

    fn absorb_new(&mut self, header: &Header, records: &Records, seed: &Seed) -> Option<()> {
        let (mut funded, mut opened) = (Postings::new(&self.consortium), Vec::new());
        for record in 0..u16::try_from(records.records.len()).ok()? {
            let mut parts = Vec::new();
            for share in shares(header, records, seed, record)? {
                let Share::New { owner, share, principal } = share else { return None };
                let balance = principal.opening()?;
                funded.add(owner, &balance)?;
                parts.push(HeldPart { owner, share: share.opening()?, balance, written_off: false });
            }
            let sealed_identity = records.records.get(usize::from(record))?.identity.as_ref()?;
            let key = seed.section_key(record, IDENTITY_SECTION);
            let context = section_context(header, record, IDENTITY_SECTION);
            let identity: IdentityText =
                borsh::from_slice(&sealed_identity.open_with(&key, &context).ok()?).ok()?;
            let loan = HeldLoan {
                product: header.product,
                reference: identity.reference,
                parts,
                bucket: Bucket::Current,
            };
            opened.push((loan_id(header, record), loan));
        }
        let postings = funded.seal(seed, self.me, Component::Principal);
        self.move_reserves(header, &[(Component::Principal, postings)]);
        for (id, loan) in opened {
            self.references.insert((header.product, loan.reference.clone()), id);
            self.loans.insert(id, loan);
        }
        Some(())
    }

    fn absorb_release(&mut self, header: &Header, records: &Records) -> Option<()> {
        let seed = self.seed_of(header, records)?;
        let amounts = shares(header, records, &seed, 0)?.into_iter().map(|share| match share {
            Share::Released { amount } => amount.opening(),
            _ => None,
        });
        let postings = amounts.collect::<Option<_>>()?;
        self.move_reserves(header, &[(Component::Principal, postings)]);
        Some(())
    }

    fn absorb_touched(&mut self, content: &Content, records: &Records, seed: &Seed) -> Option<()> {
        let Content { header, body, .. } = content;
        let (mut after, mut events) = (Vec::new(), Vec::new());
        for (record, (loan, places)) in (0u16..).zip(body.touched()) {
            let mut held = self.loans.get(&loan)?.clone();
            for (place, share) in places.into_iter().zip(shares(header, records, seed, record)?) {
                let part = held.parts.get_mut(usize::from(place))?;
                if !share.stands_in(header.kind) || share.owner() != Some(part.owner) {
                    return None;
                }
                part.touch(header.kind, &share)?;
                events.push(share.event()?);
            }
            if let SealedBody::Reclassify { to, .. } = body {
                held.bucket = *to;
            }
            after.push((loan, held));
        }
        let postings = posting_openings(&self.consortium, content, records, seed)?;
        self.move_reserves(header, &postings);
        self.loans.extend(after);
        self.events.extend(events);
        Some(())
    }

    /// Takes up the top-ups that the batch takes up, then moves the reserves by its postings.
    fn move_reserves(&mut self, header: &Header, postings: &[(Component, Vec<Opening>)]) {
        let product = header.product;
        let mut reserves = self.available(product);
        let merged = self.merged.entry(product).or_insert(0);
        for number in merged.saturating_add(1)..=header.merged {
            if let Some(top_up) = self.incoming.remove(&(product, number)) {
                reserves.iter_mut().zip(&top_up).for_each(|(r, t)| *r = r.plus(t, Scalar::ONE));
            }
        }
        *merged = header.merged.max(*merged);
        for (component, openings) in postings {
            let sign = match entry(header.kind, *component) {
                (AccountKind::Reserve, _) => Scalar::ONE,
                (_, AccountKind::Reserve) => -Scalar::ONE,
                _ => continue,
            };
            reserves.iter_mut().zip(openings).for_each(|(r, p)| *r = r.plus(p, sign));
        }
        self.available.insert(product, reserves);
    }
}

impl HeldPart {
    /// Does to the part what an event does; `None` when its words cannot be opened.
    fn touch(&mut self, kind: Kind, share: &Share) -> Option<()> {
        self.written_off |= kind == Kind::WriteOff;
        for (leg, (_, amount)) in legs(kind).iter().zip(share.amounts()) {
            let sign = match leg.effect {
                Effect::Lowers => -Scalar::ONE,
                Effect::Raises => Scalar::ONE,
                Effect::Leaves => continue,
            };
            self.balance = self.balance.plus(&amount.opening()?, sign);
        }
        Some(())
    }
}

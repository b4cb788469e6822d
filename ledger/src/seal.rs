//! Seal: from a draft in the clear to a batch that everybody can verify and only its viewers can read.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "scalars modulo the group order; amounts are checked or below the cap"
)]

use crate::{
    batch::{
        Batch, Body, Content, Header, IDENTITY_CLASS, IDENTITY_SECTION, MAX_LOANS, Movement, NewPart,
        Posting, Record, Records, RepaidPart, SHARE_CLASS, SUITE, Sealed, Split, TERMS_CLASS, TERMS_SECTION,
        VERSION, envelope_context, section_context,
    },
    draft::{Draft, Events, NewLoan, Repayment},
    form::Turn,
    genesis::{Consortium, Terms},
    names::{Hash, Kind, Lane, LoanId, MemberId},
    relation::{LinkedBody, Viewers, interest_quotient_width, relation},
    seed::{Hedged, Purpose, Seed},
    share::{IdentityText, Revealed, Share, TermsText},
    verify::transcript,
    wallet::{HeldLoan, Postings, Wallet},
};
use counterfoil_crypto::{
    encoding::Encoded,
    envelope::{Section, TooLong},
    labels,
    pedersen::Opening,
    relation::{Committed, Relation, RelationError},
    secret::SecretBytes,
    view_key::PublicViewKey,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use merlin::Transcript;
use rand_core::CryptoRngCore;
use std::convert::Infallible;
use zeroize::Zeroizing;

/// Why a draft cannot be sealed. Nothing was changed; each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The product does not exist.
    #[error("there is no such product in the genesis")]
    Product,
    /// Too few or too many events.
    #[error("a batch holds 1 to {MAX_LOANS} loans, this draft {0}; draft several batches")]
    Count(usize),
    /// The servicer or a partner has no weight in the product.
    #[error("loan {reference}: {why}")]
    Partners {
        /// The loan.
        reference: String,
        /// What is wrong with its banks.
        why: String,
    },
    /// The principal is zero or above the cap.
    #[error(
        "loan {reference}: principal {principal} is not between 1 and the product's cap {cap} (minor units)"
    )]
    Cap {
        /// The loan.
        reference: String,
        /// The principal in minor units.
        principal: u64,
        /// The cap in minor units.
        cap: u64,
    },
    /// A bank's reserve does not suffice.
    #[error("the reserve of {bank} is short by {short} minor units; book a top-up (`fund`) first")]
    Reserve {
        /// The bank.
        bank: String,
        /// What is missing.
        short: u64,
    },
    /// The loan is not in the wallet.
    #[error("loan {0} is not one of this servicer's")]
    Loan(LoanId),
    /// More is repaid than is owed.
    #[error("loan {loan}: {principal} is repaid, but only {owed} is owed (minor units)")]
    Overpaid {
        /// The loan.
        loan: LoanId,
        /// What is repaid.
        principal: u64,
        /// What is owed.
        owed: u64,
    },
    /// More interest than one repayment can carry.
    #[error(
        "loan {loan}: interest {interest} is above what one repayment can carry ({most} minor units); split it"
    )]
    Interest {
        /// The loan.
        loan: LoanId,
        /// The interest in minor units.
        interest: u64,
        /// The most that fits.
        most: u64,
    },
    /// An event is booked, or a loan or bank occurs, twice.
    #[error("{0} is booked already, or occurs twice in the draft")]
    Doubled(String),
    /// A text does not fit into its section.
    #[error("loan {reference}: {source}")]
    Text {
        /// The loan.
        reference: String,
        /// By how much.
        source: TooLong,
    },
    /// The policy does not allow it.
    #[error("the batch would break the product's policy or a range: {0}")]
    Policy(RelationError),
}

/// Seals a draft as the next batch of its lane. The wallet is not changed: it takes the batch in with [`Wallet::absorb`].
///
/// # Errors
/// [`SealError`] says what cannot be booked and what to do.
pub fn seal(wallet: &Wallet, draft: &Draft, rng: &mut impl CryptoRngCore) -> Result<Sealed, SealError> {
    let terms = wallet.consortium.terms(draft.product).ok_or(SealError::Product)?;
    let header = header(wallet, terms, draft);
    // Whatever the generator does: two different batches never share a blinding, a key or a nonce (attack 11).
    let inputs = borsh::to_vec(&(&header, draft)).unwrap_or_default();
    let rng = &mut Hedged::new(&wallet.keys.identity.to_seed(), &inputs, rng);
    sketch(wallet, header, draft, rng)?.finish(wallet, rng)
}

/// A batch before its proofs, as only its servicer knows it.
#[derive(Clone)]
pub(crate) struct Sketch {
    pub(crate) header: Header,
    pub(crate) body: LinkedBody<Opening>,
    pub(crate) records: Records,
    /// `t` of the servicer's owner keys.
    pub(crate) owner_secrets: Zeroizing<Vec<Scalar>>,
}

pub(crate) fn sketch(
    wallet: &Wallet,
    header: Header,
    draft: &Draft,
    rng: &mut impl CryptoRngCore,
) -> Result<Sketch, SealError> {
    let terms = wallet.consortium.terms(header.product).ok_or(SealError::Product)?;
    let entropy = SecretBytes::random(rng);
    let mut sealer = Sealer {
        wallet,
        terms,
        seed: Seed::new(entropy.clone()),
        header,
        auditors: wallet.consortium.auditor_keys(terms),
        owner_secrets: Zeroizing::default(),
    };
    let (body, records) = match &draft.events {
        Events::Fund(amounts) => sealer.fund(amounts)?,
        Events::Originate(loans) => sealer.originate(loans)?,
        Events::Repay(repayments) => sealer.repay(repayments)?,
    };
    let records = Records { envelopes: sealer.envelopes(&entropy, rng), records };
    let Sealer { header, owner_secrets, .. } = sealer;
    Ok(Sketch { header, body, records, owner_secrets })
}

impl Sketch {
    /// The wire form of what is proven.
    pub(crate) fn content(&self) -> Content {
        let Ok(body) = self.body.turn(&mut Encode);
        Content { header: self.header.clone(), body, records: self.records.root() }
    }

    /// What is proven, for a transcript that has absorbed the content.
    pub(crate) fn relation(
        &self,
        wallet: &Wallet,
        transcript: &mut Transcript,
    ) -> Result<Relation<Opening>, SealError> {
        let consortium = &wallet.consortium;
        let terms = consortium.terms(self.header.product).ok_or(SealError::Product)?;
        let viewers = Viewers::of(consortium, terms, self.header.servicer).ok_or(SealError::Product)?;
        Ok(relation(&terms.product, &viewers, &self.body, &self.owner_secrets, transcript))
    }

    fn finish(self, wallet: &Wallet, rng: &mut impl CryptoRngCore) -> Result<Sealed, SealError> {
        let content = self.content();
        let mut transcript = transcript(self.header.consortium, &content);
        let relation = self.relation(wallet, &mut transcript)?;
        let proofs = relation.prove(&mut transcript, rng).map_err(SealError::Policy)?;
        Ok(Sealed { batch: Batch::sign(content, proofs, &wallet.keys.identity), records: self.records })
    }
}

pub(crate) fn header(wallet: &Wallet, terms: &Terms, draft: &Draft) -> Header {
    let kind = match draft.events {
        Events::Fund(_) => Kind::Fund,
        Events::Originate(_) => Kind::Originate,
        Events::Repay(_) => Kind::Repay,
    };
    let head = wallet.lane(draft.product, kind.lane());
    Header {
        version: VERSION,
        suite: SUITE,
        consortium: wallet.consortium.id(),
        servicer: wallet.me,
        product: draft.product,
        policy: terms.policy,
        kind,
        sequence: head.sequence.saturating_add(1),
        previous: head.last,
        merged: if kind.lane() == Lane::Loans { wallet.reserves(draft.product).0 } else { 0 },
        value_date: draft.value_date,
        booking_date: draft.booking_date,
    }
}

/// What a batch says, and its sealed sections.
type Said = (LinkedBody<Opening>, Vec<Record>);

struct Sealer<'a> {
    wallet: &'a Wallet,
    terms: &'a Terms,
    seed: Seed,
    header: Header,
    auditors: Vec<PublicViewKey>,
    owner_secrets: Zeroizing<Vec<Scalar>>,
}

/// A part on its way into a batch: slot order, whole amounts.
struct Slot {
    owner: MemberId,
    share: u32,
}

impl Sealer<'_> {
    fn consortium(&self) -> &Consortium {
        &self.wallet.consortium
    }

    fn fund(&self, amounts: &[(MemberId, u64)]) -> Result<Said, SealError> {
        let mut sums = Postings::new(self.consortium());
        for (place, (bank, amount)) in amounts.iter().enumerate() {
            let doubled = amounts.iter().skip(place + 1).any(|(other, _)| other == bank);
            let top_up = Opening::new(*amount, Scalar::ZERO);
            if doubled || sums.add(*bank, &top_up).is_none() {
                return Err(SealError::Doubled(format!("bank {}", self.consortium().name(*bank))));
            }
        }
        // A top-up has no movements: every blinding is fresh.
        let openings: Vec<_> = (0u16..)
            .zip(sums.into_values())
            .map(|(bank, value)| Opening {
                value,
                blinding: self.seed.scalar(Purpose::PrincipalPosting, bank, 0),
            })
            .collect();
        let share = |opening: &Opening| Share::Fund { amount: revealed(opening) };
        let owners = self.consortium().banks().to_vec();
        let shares = self.share_sections(0, openings.iter().map(share).zip(owners))?;
        let body = Body::Fund { postings: self.postings(openings) };
        Ok((body, vec![Record { shares, identity: None, terms: None }]))
    }

    fn originate(&mut self, loans: &[NewLoan]) -> Result<Said, SealError> {
        let count = u16::try_from(loans.len()).ok().filter(|n| (1..=MAX_LOANS).contains(&usize::from(*n)));
        count.ok_or(SealError::Count(loans.len()))?;
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
        let postings = funded.seal(&self.seed, Purpose::PrincipalPosting);
        let (_, reserves) = self.wallet.reserves(self.header.product);
        self.enough(&reserves, &postings)?;
        let reserves = reserves.into_iter().map(Committed::open).collect();
        Ok((Body::Originate { reserves, loans: sealed, postings: self.postings(postings) }, records))
    }

    fn enough(&self, reserves: &[Opening], postings: &[Opening]) -> Result<(), SealError> {
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

    fn new_loan(
        &mut self,
        record: u16,
        loan: &NewLoan,
        funded: &mut Postings,
    ) -> Result<(crate::batch::NewLoan<Committed<Opening>, RistrettoPoint>, Record), SealError> {
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
                self.owner_secrets.push(t);
            }
            let owner = view_key.owner_key(&t);
            let decode = |e: Encoded| e.decode().unwrap_or_default();
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
                owner: (decode(owner.base), decode(owner.key)),
                share: Committed::open(share),
                principal: self.movement(principal),
                split: self.split([Purpose::PrincipalRest, Purpose::PrincipalSlack], record, place, piece),
            });
        }
        let owners: Vec<_> = slots.iter().map(|slot| slot.owner).collect();
        let quotient = Committed::open(self.opening(Purpose::PrincipalQuotient, record, 0, quotient));
        Ok((crate::batch::NewLoan { quotient, parts }, self.new_record(record, loan, &owners, texts)?))
    }

    /// Who stands in which part: the servicer first; the others, and parts of zero, in an order that says nothing.
    fn slots(&self, record: u16, loan: &NewLoan) -> Result<Vec<Slot>, SealError> {
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

    fn repay(&self, repayments: &[Repayment]) -> Result<Said, SealError> {
        if !(1..=MAX_LOANS).contains(&repayments.len()) {
            return Err(SealError::Count(repayments.len()));
        }
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

    fn repaid_loan(
        &self,
        record: u16,
        repayment: &Repayment,
        held: &HeldLoan,
        sums: &mut [Postings; 2],
    ) -> Result<(crate::batch::RepaidLoan<Committed<Opening>, RistrettoPoint>, Record), SealError> {
        let Repayment { loan, principal, interest, event } = repayment;
        let product = &self.terms.product;
        let owed = held.balance();
        let left = owed.checked_sub(*principal);
        let left = left.ok_or(SealError::Overpaid { loan: *loan, principal: *principal, owed })?;
        let units = u64::from(product.share_units());
        let most = interest_quotient_width(product).max().saturating_mul(units);
        if *interest > most {
            return Err(SealError::Interest { loan: *loan, interest: *interest, most });
        }
        let share_of = |part: &crate::wallet::HeldPart| {
            part.share.amount().and_then(|s| u32::try_from(s).ok()).unwrap_or(0)
        };
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
        let sealed = crate::batch::RepaidLoan {
            loan: *loan,
            principal_quotient: Committed::open(self.opening(Purpose::PrincipalQuotient, record, 0, p)),
            interest_quotient: Committed::open(self.opening(Purpose::InterestQuotient, record, 0, i)),
            parts,
        };
        let shares = self.share_sections(record, texts.into_iter())?;
        Ok((sealed, Record { shares, identity: None, terms: None }))
    }

    fn opening(&self, purpose: Purpose, record: u16, place: u16, amount: u64) -> Opening {
        Opening::new(amount, self.seed.scalar(purpose, record, place))
    }

    fn movement(&self, opening: Opening) -> Movement<Committed<Opening>, RistrettoPoint> {
        let handles = self.auditors.iter().map(|key| key.handle(&opening.blinding)).collect();
        Movement { amount: Committed::open(opening), handles }
    }

    fn split(
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

    fn postings(&self, openings: Vec<Opening>) -> Vec<Posting<Committed<Opening>, RistrettoPoint>> {
        let banks = self.consortium().banks().iter().filter_map(|id| self.view_key(*id));
        let post = |(opening, bank): (Opening, PublicViewKey)| {
            let viewers = std::iter::once(&bank).chain(&self.auditors);
            let handles = viewers.map(|key| key.handle(&opening.blinding)).collect();
            Posting { amount: Committed::open(opening), handles }
        };
        openings.into_iter().zip(banks).map(post).collect()
    }

    fn view_key(&self, member: MemberId) -> Option<PublicViewKey> {
        self.consortium().peer(member).map(|peer| peer.view_key.clone())
    }

    fn no_bank(&self, loan: &NewLoan) -> SealError {
        SealError::Partners { reference: loan.reference.clone(), why: "a partner is not a bank".into() }
    }

    fn share_sections(
        &self,
        record: u16,
        texts: impl Iterator<Item = (Share, MemberId)>,
    ) -> Result<Vec<Section>, SealError> {
        let one = |(number, (share, owner)): (u16, (Share, MemberId))| {
            self.section(record, number, &share, SHARE_CLASS, &[owner], true)
                .map_err(|source| SealError::Text { reference: String::new(), source })
        };
        (0u16..).zip(texts).map(one).collect()
    }

    fn new_record(
        &self,
        record: u16,
        loan: &NewLoan,
        owners: &[MemberId],
        texts: Vec<(Share, MemberId)>,
    ) -> Result<Record, SealError> {
        let text = |source| SealError::Text { reference: loan.reference.clone(), source };
        let shard = self.shard_id(&loan.reference);
        let identity = IdentityText { reference: loan.reference.clone(), shard };
        let terms = TermsText { principal: loan.principal, text: loan.terms.clone() };
        let identity =
            self.section(record, IDENTITY_SECTION, &identity, IDENTITY_CLASS, owners, false).map_err(text)?;
        let terms = self.section(record, TERMS_SECTION, &terms, TERMS_CLASS, owners, true).map_err(text)?;
        let shares = self.share_sections(record, texts.into_iter())?;
        Ok(Record { shares, identity: Some(identity), terms: Some(terms) })
    }

    /// The customer's shard: a pseudonym that only this servicer can make.
    fn shard_id(&self, reference: &str) -> Hash {
        let key = blake3::derive_key(labels::SHARD_ID_KDF, self.wallet.keys.identity.to_seed().expose());
        *blake3::keyed_hash(&key, reference.as_bytes()).as_bytes()
    }

    fn section(
        &self,
        record: u16,
        number: u16,
        text: &impl borsh::BorshSerialize,
        class: u16,
        owners: &[MemberId],
        audited: bool,
    ) -> Result<Section, TooLong> {
        let auditors = if audited { self.terms.auditors.as_slice() } else { &[] };
        let viewers: Vec<_> = owners.iter().chain(auditors).map(|id| self.seed.viewer_key(*id)).collect();
        let plain = Zeroizing::new(borsh::to_vec(text).unwrap_or_default());
        let context = section_context(&self.header, record, number);
        Section::seal(&self.seed.section_key(record, number), &context, &plain, class, &viewers)
    }

    /// One envelope per member: the servicer's holds the seed, the others' their viewer keys.
    fn envelopes(
        &self,
        entropy: &SecretBytes,
        rng: &mut impl CryptoRngCore,
    ) -> Vec<counterfoil_crypto::envelope::Envelope> {
        let seal = |(id, peer): (MemberId, &crate::genesis::Peer)| {
            let key = if id == self.wallet.me { entropy.clone() } else { self.seed.viewer_key(id) };
            let context = envelope_context(&self.header, id);
            peer.member
                .envelope_key
                .seal(&context, &key, rng)
                .expect("envelope keys were checked with the genesis")
        };
        self.consortium().peers().map(seal).collect()
    }
}

/// One part of one total, for its split: see [`crate::relation`].
#[derive(Clone, Copy)]
struct Piece {
    units: u64,
    share: u32,
    amount: u64,
    quotient: u64,
    fair: u64,
    total: u64,
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
fn split_by_owner(slots: &[Slot], total: u64, rule: fn(u64, &[u32]) -> Vec<u64>) -> Vec<u64> {
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

fn revealed(opening: &Opening) -> Revealed {
    Revealed::new(opening.amount().unwrap_or_default(), &opening.blinding)
}

/// Openings to wire bytes.
struct Encode;

impl Turn<Committed<Opening>, RistrettoPoint> for Encode {
    type C = Encoded;
    type P = Encoded;
    type Error = Infallible;

    fn commitment(&mut self, from: &Committed<Opening>) -> Result<Encoded, Infallible> {
        Ok(from.encoded())
    }

    fn handle(&mut self, from: &RistrettoPoint) -> Result<Encoded, Infallible> {
        Ok(Encoded::from(from))
    }
}

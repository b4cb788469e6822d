//! Verify: from bytes to a [`Verified`] batch, without any secret and without any state.
//!
//! Checks 1 to 6 of the protocol that need no balance. The proofs refer to balances that the batch itself names; whether
//! they are the present ones is for [`crate::book`] to compare. So verification runs in parallel, ahead of the order, once.

use crate::{
    batch::{Batch, IDENTITY_CLASS, MAX_LOANS, Record, Sealed, TERMS_CLASS, VERSION, share_class},
    body::{Body, SealedBody, Touched},
    form::Turn,
    genesis::{Consortium, Terms},
    names::{Hash, Kind, MemberId},
    rejection::Rejection,
    relation::{LinkedBody, Viewers, relation as statement},
};
use counterfoil_crypto::{
    encoding::{Element, Encoded},
    envelope::Section,
    labels, parallel,
    relation::{self, Claim, Committed, Relation, RelationError, Suite},
};
use curve25519_dalek::{ristretto::RistrettoPoint, traits::Identity as _};
use merlin::Transcript;
use rand_core::CryptoRngCore;
use std::{collections::BTreeSet, num::NonZeroUsize};

/// A batch whose every check that needs no state has passed. Only [`verify`] makes one (and [`Verified::recorded`], for what
/// this node verified before it wrote it down); only a `Verified` can be applied.
#[derive(Clone, Debug)]
pub struct Verified {
    id: Hash,
    sealed: Sealed,
    bytes: Vec<u8>,
}

impl Verified {
    /// A batch of this node's own log: it was verified before the block that holds it was voted for.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] when the bytes are not a batch.
    pub fn recorded(bytes: &[u8]) -> Result<Self, Rejection> {
        let sealed = Sealed::from_bytes(bytes)?;
        Ok(Self { id: sealed.batch.id(), sealed, bytes: bytes.to_vec() })
    }

    /// The batch's id.
    #[must_use]
    pub fn id(&self) -> Hash {
        self.id
    }

    /// The batch.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.sealed.batch
    }

    /// The batch with its records.
    #[must_use]
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// The canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A batch of which all was checked that costs little: form, membership, counts, records, and the servicer's signature. No
/// point of it was looked at. Whatever is wrong with it from here on, its servicer has signed.
#[derive(Clone, Debug)]
pub struct Signed {
    sealed: Sealed,
    bytes: Vec<u8>,
}

impl Signed {
    /// Reads a batch and checks what is cheap.
    ///
    /// # Errors
    /// The first [`Rejection`] in order of precedence, [`Rejection::Signature`] the last of them.
    pub fn read(consortium: &Consortium, bytes: &[u8]) -> Result<Self, Rejection> {
        let sealed = Sealed::from_bytes(bytes)?;
        let (_, terms) = context(consortium, &sealed.batch)?;
        shape(consortium, terms, &sealed)?;
        if sealed.records.root() != sealed.batch.content.records {
            return Err(Rejection::Records);
        }
        signature(consortium, &sealed.batch)?;
        Ok(Self { sealed, bytes: bytes.to_vec() })
    }

    /// Who has signed it.
    #[must_use]
    pub fn servicer(&self) -> MemberId {
        self.sealed.batch.content.header.servicer
    }

    /// The canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its proofs hold.
    fn proven(self) -> Verified {
        Verified { id: self.sealed.batch.id(), sealed: self.sealed, bytes: self.bytes }
    }
}

/// Verifies a batch.
///
/// # Errors
/// The first [`Rejection`] in order of precedence.
pub fn verify(
    consortium: &Consortium,
    bytes: &[u8],
    rng: &mut impl CryptoRngCore,
) -> Result<Verified, Rejection> {
    verify_all(NonZeroUsize::MIN, consortium, &[bytes], rng).remove(0)
}

/// Verifies batches together, the proofs of all in one multiscalar multiplication, on several threads. Each gets the verdict
/// that it would get alone; those at fault are found by bisection.
///
/// # Panics
/// Never: the proof layer gives one verdict per claim.
pub fn verify_all(
    threads: NonZeroUsize,
    consortium: &Consortium,
    batches: &[&[u8]],
    rng: &mut impl CryptoRngCore,
) -> Vec<Result<Verified, Rejection>> {
    let mut signed = Vec::with_capacity(batches.len());
    let read = parallel::map(threads, batches.len(), |i| Signed::read(consortium, batches[i]));
    let read: Vec<Result<(), Rejection>> =
        read.into_iter().map(|read| read.map(|batch| signed.push(batch))).collect();
    let mut verified = verify_signed(threads, consortium, signed, rng).into_iter();
    let mut next = |()| verified.next().expect("one verdict per signed batch");
    read.into_iter().map(|read| read.and_then(&mut next)).collect()
}

/// The dear part of [`verify_all`], for batches whose cheap checks have passed.
///
/// # Panics
/// Never: the proof layer gives one verdict per claim.
pub fn verify_signed(
    threads: NonZeroUsize,
    consortium: &Consortium,
    batches: Vec<Signed>,
    rng: &mut impl CryptoRngCore,
) -> Vec<Result<Verified, Rejection>> {
    let claimed = parallel::map(threads, batches.len(), |i| Claimed::of(consortium, &batches[i]));
    let claims: Vec<_> =
        claimed.iter().zip(&batches).filter_map(|(c, batch)| Some(c.as_ref().ok()?.claim(batch))).collect();
    let mut proven = relation::verify_all(threads, &claims, rng).into_iter();
    let verdicts: Vec<Result<(), Rejection>> = claimed
        .iter()
        .map(|claimed| match claimed {
            Ok(_) => proven.next().expect("one verdict per claim").map_err(refused),
            Err(rejection) => Err(*rejection),
        })
        .collect();
    batches.into_iter().zip(verdicts).map(|(batch, verdict)| verdict.map(|()| batch.proven())).collect()
}

/// What the proofs of a batch must prove; everything but the proofs was checked.
struct Claimed {
    relation: Relation<()>,
    transcript: Transcript,
}

impl Claimed {
    fn of(consortium: &Consortium, signed: &Signed) -> Result<Self, Rejection> {
        let batch = &signed.sealed.batch;
        let (suite, terms) = context(consortium, batch)?;
        let body = batch.content.body.turn(&mut Decode)?;
        balance(&body)?;
        shares(terms, &body)?;
        let viewers =
            Viewers::of(consortium, terms, batch.content.header.servicer).ok_or(Rejection::Member)?;
        let mut transcript = transcript(batch.content.header.consortium, &batch.content);
        let relation = statement(suite, &terms.product, &viewers, (&body, &[]), &mut transcript);
        Ok(Self { relation, transcript })
    }

    fn claim<'a>(&'a self, signed: &'a Signed) -> Claim<'a> {
        Claim::new(&self.relation, &self.transcript, &signed.sealed.batch.proofs)
    }
}

fn refused(error: RelationError) -> Rejection {
    match error {
        RelationError::Sigma(_) => Rejection::Sigma,
        RelationError::Count { .. } | RelationError::Range(..) | RelationError::Joint => Rejection::Range,
    }
}

/// Who, for whom, under which rules.
fn context<'a>(consortium: &'a Consortium, batch: &Batch) -> Result<(Suite, &'a Terms), Rejection> {
    let header = &batch.content.header;
    if header.version != VERSION {
        return Err(Rejection::Malformed);
    }
    if header.consortium != consortium.id() {
        return Err(Rejection::Consortium);
    }
    let suite = Suite::of_number(header.suite).ok_or(Rejection::Suite)?;
    if consortium.bank_index(header.servicer).is_none() {
        return Err(Rejection::Member);
    }
    let terms = consortium.terms(header.product).ok_or(Rejection::Product)?;
    if header.policy != terms.policy { Err(Rejection::Policy) } else { Ok((suite, terms)) }
}

/// Counts and sizes: all that a peer can send is bounded before anything is computed from it.
fn shape(consortium: &Consortium, terms: &Terms, sealed: &Sealed) -> Result<(), Rejection> {
    let content = &sealed.batch.content;
    let (banks, auditors) = (consortium.banks().len(), terms.auditors.len());
    let parts = usize::from(terms.product.parts());
    let kind = content.body.kind();
    let handles_ok = movements(&content.body).all(|handles| handles == auditors);
    let postings_ok = content.body.postings().iter().all(|(_, postings)| {
        postings.len() == banks && postings.iter().all(|p| p.handles.len() == auditors.saturating_add(1))
    });
    let reserves_ok = content.body.reserves().is_none_or(|reserves| reserves.len() == banks);
    let no_merge_of_itself = kind != Kind::Fund || content.header.merged == 0;
    let counts = kind == content.header.kind
        && loans_ok(&content.body)
        && parts_ok(&content.body, parts)
        && handles_ok
        && postings_ok
        && reserves_ok
        && no_merge_of_itself;
    let (records, sections) = sections(&content.body, banks);
    let records_ok = sealed.records.envelopes.len() == consortium.genesis().members.len()
        && sealed.records.records.len() == records
        && sealed
            .records
            .records
            .iter()
            .zip(sections)
            .all(|(record, sections)| record_shape(record, kind, sections, auditors));
    if counts && records_ok { Ok(()) } else { Err(Rejection::Shape) }
}

/// Between one loan and the most, none twice: a loan twice in one batch would start twice from one balance.
fn loans_ok(body: &SealedBody) -> bool {
    if matches!(body, Body::Fund { .. } | Body::Release { .. }) {
        return true;
    }
    let touched = body.touched();
    let different: BTreeSet<_> = touched.iter().map(|(loan, _)| loan).collect();
    (1..=MAX_LOANS).contains(&body.loan_count()) && different.len() == touched.len()
}

/// Every loan has the product's parts; of a write-off at least one, none twice.
fn parts_ok(body: &SealedBody, parts: usize) -> bool {
    fn all<const N: usize>(touched: &Touched<Encoded, Encoded, N>, parts: usize) -> bool {
        touched.loans.iter().all(|loan| loan.parts.len() == parts)
    }
    match body {
        Body::Fund { .. } | Body::Release { .. } => true,
        Body::Originate { loans, .. } => loans.iter().all(|loan| loan.parts.len() == parts),
        Body::Repay(touched) | Body::Recover { touched, .. } => all(touched, parts),
        Body::Draw { touched, .. } | Body::Reschedule(touched) => all(touched, parts),
        Body::Collect { written_off, touched, .. } => {
            let beyond =
                |flags: &u16| u32::try_from(parts).is_ok_and(|n| flags.checked_shr(n).unwrap_or(0) != 0);
            written_off.len() == touched.loans.len() && !written_off.iter().any(beyond) && all(touched, parts)
        }
        Body::WriteOff { loans, .. } | Body::Reclassify { loans, .. } => loans.iter().all(|loan| {
            let ascending = loan.parts.windows(2).all(|pair| pair[0].part < pair[1].part);
            ascending && loan.parts.last().is_some_and(|last| usize::from(last.part) < parts)
        }),
    }
}

/// How many records a body has, and how many `share` sections each.
fn sections(body: &SealedBody, banks: usize) -> (usize, Vec<usize>) {
    let counts: Vec<_> = match body {
        Body::Fund { .. } | Body::Release { .. } => vec![banks],
        Body::Originate { loans, .. } => loans.iter().map(|loan| loan.parts.len()).collect(),
        other => other.touched().iter().map(|(_, places)| places.len()).collect(),
    };
    (counts.len(), counts)
}

fn movements(body: &SealedBody) -> impl Iterator<Item = usize> {
    let components = body.postings().into_iter().map(|(component, _)| component);
    components.flat_map(|c| body.movements(c)).map(|movement| movement.handles.len())
}

/// Every section has the length and the number of wraps of its class, whoever it is for.
fn record_shape(record: &Record, kind: Kind, shares: usize, auditors: usize) -> bool {
    let is = |section: &Section, class, wraps| {
        section.ciphertext.len() == Section::ciphertext_len(class) && section.wraps.len() == wraps
    };
    let new = kind == Kind::Originate;
    record.shares.len() == shares
        && record.shares.iter().all(|s| is(s, share_class(kind), auditors.saturating_add(1)))
        && record.identity.is_some() == new
        && record.terms.is_some() == new
        && record.identity.iter().all(|s| is(s, IDENTITY_CLASS, shares))
        && record.terms.iter().all(|s| is(s, TERMS_CLASS, shares.saturating_add(auditors)))
}

fn signature(consortium: &Consortium, batch: &Batch) -> Result<(), Rejection> {
    let servicer = consortium.peer(batch.content.header.servicer).ok_or(Rejection::Member)?;
    let identity = servicer.member.identity;
    identity
        .verify(labels::BATCH_SIGNATURE, &batch.signed_bytes(), &batch.signature)
        .map_err(|_| Rejection::Signature)
}

/// Wire bytes to points. A handle that is the identity would mean no blinding at all: the amount in the open.
struct Decode;

impl Turn<Encoded, Encoded> for Decode {
    type C = Committed<()>;
    type P = Element;
    type Error = Rejection;

    fn commitment(&mut self, from: &Encoded) -> Result<Committed<()>, Rejection> {
        Element::try_from(*from).map(Committed::sealed).map_err(|_| Rejection::Point)
    }

    fn handle(&mut self, from: &Encoded) -> Result<Element, Rejection> {
        if from.is_identity() {
            Err(Rejection::Point)
        } else {
            Element::try_from(*from).map_err(|_| Rejection::Point)
        }
    }
}

/// The two books agree: per component, the sum of the movements IS the sum of the postings.
fn balance(body: &LinkedBody<()>) -> Result<(), Rejection> {
    // What goes into a reserve or out of it is no movement of any loan.
    if matches!(body, Body::Fund { .. } | Body::Release { .. }) {
        return Ok(());
    }
    let agree = body.postings().iter().all(|(component, postings)| {
        let movements = Committed::sum(body.movements(*component).iter().map(|m| &m.amount));
        movements.point() == Committed::sum(postings.iter().map(|p| &p.amount)).point()
    });
    if agree { Ok(()) } else { Err(Rejection::Unbalanced) }
}

/// The shares of every new loan sum to the product's units, with blindings that sum to zero.
fn shares(terms: &Terms, body: &LinkedBody<()>) -> Result<(), Rejection> {
    let Body::Originate { loans, .. } = body else { return Ok(()) };
    let units = Committed::<()>::constant(u64::from(terms.product.share_units())).point();
    let complete =
        loans.iter().all(|loan| Committed::sum(loan.parts.iter().map(|p| &p.share)).point() == units);
    if complete { Ok(()) } else { Err(Rejection::Shares) }
}

/// The one root transcript of a batch: consortium, then all of its content, then nothing but proofs.
pub(crate) fn transcript(consortium: Hash, content: &crate::batch::Content) -> Transcript {
    let mut transcript = Transcript::new(labels::BATCH_TRANSCRIPT);
    transcript.append_message(b"consortium", &consortium);
    transcript.append_message(b"content", &borsh::to_vec(content).unwrap_or_default());
    transcript
}

/// The identity, as the wire has it: the commitment of an empty account.
#[must_use]
pub fn zero() -> Encoded {
    Encoded::from(&RistrettoPoint::identity())
}

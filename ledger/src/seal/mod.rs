//! Seal: from a draft in the clear to a batch that everybody can verify and only its viewers can read.
//!
//! First the quick part, [`begin`]: amounts are split, committed to, and sealed for their viewers. Then the proofs.

mod error;
mod new;
mod parts;
mod sections;
pub(crate) mod touched;
mod written;

pub use error::SealError;

use crate::{
    batch::{Batch, Content, Header, Record, Records, Sealed, VERSION},
    draft::{Draft, Events},
    form::Turn,
    genesis::{Consortium, Terms},
    names::{Lane, MemberId},
    relation::{LinkedBody, Viewers, relation},
    seed::{Hedged, Seed},
    verify::transcript,
    wallet::Wallet,
};
use counterfoil_crypto::{
    encoding::{Element, Encoded},
    identity::Identity,
    pedersen::Opening,
    relation::{Committed, Relation, Suite},
    secret::SecretBytes,
    view_key::PublicViewKey,
};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use parts::Piece;
use rand_core::CryptoRngCore;
use std::{convert::Infallible, num::NonZeroUsize, sync::Arc};
use zeroize::Zeroizing;

/// Seals a draft as the next batch of its lane. The wallet is not changed: it takes the batch in with [`Wallet::absorb`].
///
/// # Errors
/// [`SealError`] says what cannot be booked and what to do.
pub fn seal(wallet: &Wallet, draft: &Draft, rng: &mut impl CryptoRngCore) -> Result<Sealed, SealError> {
    begin(wallet, draft, rng)?.prove(NonZeroUsize::MIN, rng)
}

/// The quick part of sealing: everything but the proofs. The wallet can take the content in at once
/// ([`Wallet::absorb_content`]) and the next draft be begun, while the proofs of several batches are made in parallel.
///
/// # Errors
/// [`SealError`] says what cannot be booked and what to do.
pub fn begin(wallet: &Wallet, draft: &Draft, rng: &mut impl CryptoRngCore) -> Result<Unproven, SealError> {
    let terms = wallet.consortium.terms(draft.product).ok_or(SealError::Product)?;
    let header = header(wallet, terms, draft);
    // Whatever the generator does: two different batches never share a blinding, a key or a nonce (attack 11).
    let inputs = borsh::to_vec(&(&header, draft)).unwrap_or_default();
    let mut rng = Hedged::new(&wallet.keys.identity.to_seed(), &inputs, rng);
    let sketch = sketch(wallet, header, draft, &mut rng)?;
    let content = sketch.content();
    Ok(Unproven {
        consortium: wallet.consortium.clone(),
        identity: wallet.keys.identity.clone(),
        sketch,
        content,
        rng,
    })
}

/// A batch that lacks its proofs and signature.
pub struct Unproven {
    consortium: Arc<Consortium>,
    identity: Identity,
    sketch: Sketch,
    content: Content,
    rng: Hedged,
}

impl Unproven {
    /// What the batch says.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Its sealed records.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.sketch.records
    }

    /// Makes the proofs, on as many threads as are given, and signs: seconds of computing for a full batch.
    ///
    /// # Errors
    /// [`SealError::Policy`] when the batch would break the product's policy.
    pub fn prove(mut self, threads: NonZeroUsize, rng: &mut impl CryptoRngCore) -> Result<Sealed, SealError> {
        let mut fresh =
            Hedged::new(&SecretBytes::random(&mut self.rng), self.sketch.header.consortium.as_slice(), rng);
        self.sketch.finish(&self.consortium, self.content, (threads, &self.identity), &mut fresh)
    }
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
        Events::Draw(raises) => sealer.draw(raises)?,
        Events::Reschedule(raises) => sealer.reschedule(raises)?,
        Events::WriteOff(write_offs) => sealer.write_off(write_offs)?,
        Events::Recover(recoveries) => sealer.recover(recoveries)?,
        Events::Release(amounts) => sealer.release(amounts)?,
        Events::Collect(collections) => sealer.collect(collections)?,
        Events::Reclassify { from, to, loans } => sealer.reclassify((*from, *to), loans)?,
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
        consortium: &Consortium,
        transcript: &mut Transcript,
    ) -> Result<Relation<Opening>, SealError> {
        let terms = consortium.terms(self.header.product).ok_or(SealError::Product)?;
        let viewers = Viewers::of(consortium, terms, self.header.servicer).ok_or(SealError::Product)?;
        let suite = Suite::of_number(self.header.suite).ok_or(SealError::Product)?;
        Ok(relation(suite, &terms.product, &viewers, (&self.body, &self.owner_secrets), transcript))
    }

    fn finish(
        self,
        consortium: &Consortium,
        content: Content,
        (threads, identity): (NonZeroUsize, &Identity),
        rng: &mut impl CryptoRngCore,
    ) -> Result<Sealed, SealError> {
        let mut transcript = transcript(self.header.consortium, &content);
        let relation = self.relation(consortium, &mut transcript)?;
        let proofs = relation.prove(threads, &mut transcript, rng).map_err(SealError::Policy)?;
        Ok(Sealed { batch: Batch::sign(content, proofs, identity), records: self.records })
    }
}

pub(crate) fn header(wallet: &Wallet, terms: &Terms, draft: &Draft) -> Header {
    let kind = draft.events.kind();
    let head = wallet.lane(draft.product, kind.lane());
    Header {
        version: VERSION,
        suite: wallet.suite.number(),
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
}

/// Openings to wire bytes.
struct Encode;

impl Turn<Committed<Opening>, Element> for Encode {
    type C = Encoded;
    type P = Encoded;
    type Error = Infallible;

    fn commitment(&mut self, from: &Committed<Opening>) -> Result<Encoded, Infallible> {
        Ok(from.encoded())
    }

    fn handle(&mut self, from: &Element) -> Result<Encoded, Infallible> {
        Ok(from.encoded())
    }
}

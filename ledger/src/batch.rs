//! The batch on the wire: header, body, records, proofs, signature.
//!
//! What the body says is in [`crate::body`].

use crate::{
    body::SealedBody,
    names::{Date, Hash, Kind, LoanId, MemberId, ProductId},
    rejection::Rejection,
};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{
    encoding::Encoded,
    envelope::{Envelope, Section},
    identity::{Identity, Signature},
    labels, merkle,
    range::MAX_VALUES,
    relation::{Proofs, Suite},
    view_key::OwnerKey,
};

/// Version of the encoding: the first byte of everything.
pub const VERSION: u8 = 1;
/// Numbers of the proof suites that this program knows, oldest first. A consortium retires one by decree; what was booked
/// under it stays verifiable.
pub const SUITES: &[u8] = &[Suite::Widths.number(), Suite::Packed.number()];
/// Most loans in a batch.
pub const MAX_LOANS: usize = 256;
/// Most loans in a batch of a product with so many parts per loan: the eight-bit ranges of a repayment (two splits of three
/// per part) must fit into one range proof.
#[must_use]
pub fn most_loans(parts: u8) -> usize {
    let per_loan = usize::from(parts.max(1)).saturating_mul(6);
    MAX_LOANS.min(MAX_VALUES.checked_div(per_loan).unwrap_or(MAX_LOANS))
}

/// Most bytes of a sealed batch; stops a peer from making others buffer more.
pub const MAX_BYTES: usize = 2 << 20;

/// Padding class of a `share` section, in bytes of plaintext.
pub const SHARE_CLASS: u16 = 144;
/// Padding class of a `share` section of a kind with four amounts.
pub const WIDE_SHARE_CLASS: u16 = 208;

/// Padding class of the `share` sections of a kind.
#[must_use]
pub const fn share_class(kind: Kind) -> u16 {
    match kind {
        Kind::Collect => WIDE_SHARE_CLASS,
        _ => SHARE_CLASS,
    }
}

/// Padding class of an `identity` section.
pub const IDENTITY_CLASS: u16 = 96;
/// Padding class of a `terms` section.
pub const TERMS_CLASS: u16 = 192;

/// What stands at the head of a batch.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Header {
    /// Version of the encoding.
    pub version: u8,
    /// Number of the proof suite ([`counterfoil_crypto::relation::Suite`]).
    pub suite: u8,
    /// The consortium's id.
    pub consortium: Hash,
    /// Who posts the batch.
    pub servicer: MemberId,
    /// The product of all its loans.
    pub product: ProductId,
    /// Hash of the product's policy.
    pub policy: Hash,
    /// What the batch does; its lane follows from it.
    pub kind: Kind,
    /// Number in its lane, from 1, without gaps.
    pub sequence: u64,
    /// Id of the batch before it in its lane; zero for the first.
    pub previous: Hash,
    /// Top-ups up to this number of the reserve lane are taken up before this batch; zero in that lane itself.
    pub merged: u64,
    /// The day from which interest runs.
    pub value_date: Date,
    /// The day on which the servicer booked.
    pub booking_date: Date,
}

/// The sealed sections of one loan's event, or, in a `Fund` batch, of the top-ups: one `share` per part (per bank), then, for a
/// new loan, `identity` and `terms`.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// One per part (or per bank).
    pub shares: Vec<Section>,
    /// Who the customer is; in new loans only.
    pub identity: Option<Section>,
    /// The contract; in new loans only.
    pub terms: Option<Section>,
}

/// What a batch commits to by a root and does not carry itself.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Records {
    /// One per member, in member order, for all members alike.
    pub envelopes: Vec<Envelope>,
    /// One per loan, in the body's order; one in a `Fund` batch.
    pub records: Vec<Record>,
}

impl Records {
    /// The Merkle root over all envelopes and sections.
    #[must_use]
    pub fn root(&self) -> Hash {
        let envelopes = self.envelopes.iter().map(leaf);
        let sections = self.records.iter().flat_map(|r| r.shares.iter().chain(&r.identity).chain(&r.terms));
        merkle::root(&envelopes.chain(sections.map(leaf)).collect::<Vec<_>>())
    }
}

fn leaf(part: &impl BorshSerialize) -> Hash {
    merkle::leaf(&borsh::to_vec(part).unwrap_or_default())
}

/// What a batch is, before its proofs: absorbed whole into their transcript.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Content {
    /// The head.
    pub header: Header,
    /// What it says.
    pub body: SealedBody,
    /// Root of the sealed records.
    pub records: Hash,
}

impl Content {
    /// The id of the batch that says this.
    #[must_use]
    pub fn id(&self) -> Hash {
        blake3::derive_key(labels::BATCH_HASH, &borsh::to_vec(self).unwrap_or_default())
    }
}

/// A sealed batch.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Batch {
    /// Header, body and records root.
    pub content: Content,
    /// Their proofs.
    pub proofs: Proofs,
    /// The servicer's, over all of the above.
    pub signature: Signature,
}

impl Batch {
    /// Signs content and proofs.
    #[must_use]
    pub fn sign(content: Content, proofs: Proofs, servicer: &Identity) -> Self {
        let mut batch = Self { content, proofs, signature: Signature::from_bytes([0; 64]) };
        batch.signature = servicer.sign(labels::BATCH_SIGNATURE, &batch.signed_bytes());
        batch
    }

    /// The batch's id: that of its content. Proofs do not change what a batch says, and the next batch of the lane can name
    /// this one before its proofs are made.
    #[must_use]
    pub fn id(&self) -> Hash {
        self.content.id()
    }

    /// What the servicer signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        borsh::to_vec(&(&self.content, &self.proofs)).unwrap_or_default()
    }
}

/// A batch with its records: what travels, is ordered and stored.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Sealed {
    /// The batch.
    pub batch: Batch,
    /// Its records.
    pub records: Records,
}

impl Sealed {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).unwrap_or_default()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for anything but the canonical encoding of this version, in full and nothing more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Rejection> {
        // The version is the first byte of the header, which is the first of everything.
        if bytes.len() > MAX_BYTES || bytes.first() != Some(&VERSION) {
            return Err(Rejection::Malformed);
        }
        borsh::from_slice(bytes).map_err(|_| Rejection::Malformed)
    }
}

/// The id of the loan at `index` of the batch that follows `previous` as number `sequence`: known before the batch is sealed.
#[must_use]
pub fn loan_id(header: &Header, index: u16) -> LoanId {
    let place = (header.consortium, header.servicer, header.product, header.sequence, index);
    LoanId(blake3::derive_key(labels::LOAN_HASH, &borsh::to_vec(&place).unwrap_or_default()))
}

/// What a section's encryption is bound to: the batch's place, the record and the section in it.
#[must_use]
pub fn section_context(header: &Header, record: u16, section: u16) -> Vec<u8> {
    let place =
        (header.consortium, header.servicer, header.product, header.kind, header.sequence, record, section);
    borsh::to_vec(&place).unwrap_or_default()
}

/// What an envelope is bound to: the batch's place and the member it is for.
#[must_use]
pub fn envelope_context(header: &Header, member: MemberId) -> Vec<u8> {
    let place = (header.consortium, header.servicer, header.product, header.kind, header.sequence, member);
    borsh::to_vec(&place).unwrap_or_default()
}

/// Section numbers of a record: `share` sections come first, from 0.
pub const IDENTITY_SECTION: u16 = u16::MAX - 1;
/// See [`IDENTITY_SECTION`].
pub const TERMS_SECTION: u16 = u16::MAX;

/// An owner key as the wire has it.
#[must_use]
pub fn owner_key(owner: &(Encoded, Encoded)) -> OwnerKey {
    OwnerKey { base: owner.0, key: owner.1 }
}

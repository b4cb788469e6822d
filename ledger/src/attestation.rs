//! Attestations: at the end of every epoch each bank signs what its control accounts hold.
//!
//! The accounts and their commitments stand in the open and are compared with the state by every peer. Their openings,
//! value and blinding, travel sealed to the auditors of each product: one envelope per auditor, one section per product.
//! What an auditor does with them stands in [`crate::turnstile`]. No proof is involved: a Pedersen commitment can be opened
//! in one way, and the bank signs that this is it.

use crate::{
    genesis::{Consortium, Keys, MAX_PAIRS},
    names::{AccountKind, Hash, MemberId, ProductId},
    rejection::Rejection,
    seed::Hedged,
};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{
    encoding::{self, Encoded},
    envelope::{Envelope, Section},
    identity::Signature,
    labels,
    pedersen::Opening,
    secret::SecretBytes,
};
use rand_core::CryptoRngCore;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Most accounts of one bank: of all kinds, with every servicer, in every product.
const MAX_ACCOUNTS: usize = AccountKind::ALL.len().saturating_mul(MAX_PAIRS);
/// Bytes of an opening in a section: a tag, value, blinding.
const OPENING_BYTES: usize = 65;

/// A control account of the bank that attests, with its balance as it stands in the state. In order of product, servicer, kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct AttestedAccount {
    /// The product.
    pub product: ProductId,
    /// Who services its loans.
    pub servicer: MemberId,
    /// Which account.
    pub kind: AccountKind,
    /// Its balance, committed.
    pub balance: Encoded,
}

impl AttestedAccount {
    fn name(&self) -> (ProductId, MemberId, AccountKind) {
        (self.product, self.servicer, self.kind)
    }
}

/// The hash of a bank's accounts: what the state keeps of an epoch's end.
#[must_use]
pub fn digest(bank: MemberId, accounts: &[AttestedAccount]) -> Hash {
    blake3::derive_key(labels::ACCOUNTS_HASH, &borsh::to_vec(&(bank, accounts)).unwrap_or_default())
}

/// An opening as an attestation carries it. The value is a scalar and not an amount: should the proof system ever have let a
/// negative balance through, an honest bank must be able to say so.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize, Zeroize, ZeroizeOnDrop)]
pub struct SignedOpening {
    value: [u8; 32],
    blinding: [u8; 32],
}

impl SignedOpening {
    /// The opening, or `None` when one of its scalars is not canonical.
    #[must_use]
    pub fn opening(&self) -> Option<Opening> {
        let (value, blinding) = (encoding::scalar(self.value).ok()?, encoding::scalar(self.blinding).ok()?);
        Some(Opening { value, blinding })
    }
}

impl From<&Opening> for SignedOpening {
    fn from(opening: &Opening) -> Self {
        Self { value: opening.value.to_bytes(), blinding: opening.blinding.to_bytes() }
    }
}

impl std::fmt::Debug for SignedOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedOpening(…)")
    }
}

/// What a bank attests.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Content {
    /// The consortium's id.
    pub consortium: Hash,
    /// The bank.
    pub bank: MemberId,
    /// The epoch, from 1.
    pub epoch: u64,
    /// Its accounts at the end of the epoch, all of them, in order.
    pub accounts: Vec<AttestedAccount>,
    /// A viewer key for each auditor of these products, in member order.
    pub envelopes: Vec<Envelope>,
    /// The openings, product by product, for the product's auditors.
    pub sections: Vec<Section>,
}

/// A signed attestation as it travels.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Attestation {
    /// What is attested.
    pub content: Content,
    /// The bank's, over the content.
    pub signature: Signature,
}

impl Attestation {
    /// Signs a content.
    #[must_use]
    pub fn sign(content: Content, keys: &Keys) -> Self {
        let signature = keys.identity.sign(labels::ATTESTATION_SIGNATURE, &signed_bytes(&content));
        Self { content, signature }
    }

    /// The attestation's id: that of its content.
    #[must_use]
    pub fn id(&self) -> Hash {
        blake3::derive_key(labels::ATTESTATION_HASH, &signed_bytes(&self.content))
    }

    /// What an auditor reads: per account its opening, or `None` where the bank has none. Accounts of products that it does not
    /// audit are left out, and so are those of a section that cannot be read.
    #[must_use]
    pub fn open(
        &self,
        consortium: &Consortium,
        auditor: MemberId,
        keys: &Keys,
    ) -> BTreeMap<AttestedAccount, Option<SignedOpening>> {
        let content = &self.content;
        let place = auditors(consortium, &content.accounts).position(|id| id == auditor);
        let envelope = place.and_then(|place| content.envelopes.get(place));
        let context = content.envelope_context(auditor);
        let Some(viewer) = envelope.and_then(|sealed| keys.envelope.open(&context, sealed).ok()) else {
            return BTreeMap::new();
        };
        let mut opened = BTreeMap::new();
        for ((product, accounts), section) in by_product(&content.accounts).into_iter().zip(&content.sections)
        {
            let auditors = consortium.terms(product).map(|terms| terms.auditors.as_slice());
            let Some(place) = auditors.and_then(|ids| ids.iter().position(|id| *id == auditor)) else {
                continue;
            };
            let plain = section.open(&viewer, place, &content.section_context(product)).ok();
            let openings = plain.and_then(|plain| borsh::from_slice::<Vec<_>>(&plain).ok());
            opened.extend(accounts.iter().copied().zip(openings.unwrap_or_default()));
        }
        opened
    }
}

impl Content {
    /// Seals the openings of a bank's accounts, which stand in order, for their auditors.
    ///
    /// # Errors
    /// [`Rejection::Shape`] when there are more accounts than an attestation holds.
    pub fn seal(
        consortium: &Consortium,
        keys: &Keys,
        (bank, epoch): (MemberId, u64),
        accounts: &[(AttestedAccount, Option<Opening>)],
        rng: &mut impl CryptoRngCore,
    ) -> Result<Self, Rejection> {
        let names: Vec<_> = accounts.iter().map(|(account, _)| *account).collect();
        let place = borsh::to_vec(&(consortium.id(), bank, epoch, &names)).unwrap_or_default();
        // Whatever the generator does, no two attestations share a key (attack 11).
        let mut rng =
            Hedged::under(labels::ATTESTATION_RANDOMNESS_KDF, &keys.identity.to_seed(), &place, rng);
        let viewers: BTreeMap<_, _> =
            auditors(consortium, &names).map(|id| (id, SecretBytes::random(&mut rng))).collect();
        let mut content = Self {
            consortium: consortium.id(),
            bank,
            epoch,
            accounts: names,
            envelopes: Vec::new(),
            sections: Vec::new(),
        };
        for (id, viewer) in &viewers {
            let peer = consortium.peer(*id).ok_or(Rejection::Shape)?;
            let context = content.envelope_context(*id);
            let envelope = peer.member.envelope_key.seal(&context, viewer, &mut rng);
            content.envelopes.push(envelope.map_err(|_| Rejection::Shape)?);
        }
        for (product, names) in by_product(&content.accounts) {
            let openings: Vec<Option<SignedOpening>> = accounts
                .iter()
                .filter(|(account, _)| account.product == product)
                .map(|(_, opening)| opening.as_ref().map(SignedOpening::from))
                .collect();
            // Room for all at once: a `Vec` that grows leaves copies of what it held.
            let length = openings.len().saturating_mul(OPENING_BYTES).saturating_add(4);
            let mut plain = Zeroizing::new(Vec::with_capacity(length));
            borsh::to_writer(&mut *plain, &openings).map_err(|_| Rejection::Shape)?;
            let terms = consortium.terms(product).ok_or(Rejection::Product)?;
            let of_product: Vec<_> =
                terms.auditors.iter().filter_map(|id| viewers.get(id)).cloned().collect();
            let (key, context) = (SecretBytes::random(&mut rng), content.section_context(product));
            let class = class(names.len()).ok_or(Rejection::Shape)?;
            let section = Section::seal(&key, &context, &plain, class, &of_product);
            content.sections.push(section.map_err(|_| Rejection::Shape)?);
        }
        Ok(content)
    }

    fn envelope_context(&self, auditor: MemberId) -> Vec<u8> {
        borsh::to_vec(&(self.consortium, self.bank, self.epoch, auditor)).unwrap_or_default()
    }

    fn section_context(&self, product: ProductId) -> Vec<u8> {
        let accounts = digest(self.bank, &self.accounts);
        borsh::to_vec(&(self.consortium, self.bank, self.epoch, product, accounts)).unwrap_or_default()
    }
}

/// An attestation whose every check that needs no state has passed. Only [`verify`] makes one, and [`SignedAttestation::recorded`]
/// of what this node wrote down; only it can be applied.
#[derive(Clone, Debug)]
pub struct SignedAttestation(Attestation);

impl SignedAttestation {
    /// An attestation of this node's own log.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] when the bytes are no attestation.
    pub fn recorded(bytes: &[u8]) -> Result<Self, Rejection> {
        borsh::from_slice(bytes).map(Self).map_err(|_| Rejection::Malformed)
    }

    /// The attestation.
    #[must_use]
    pub fn attestation(&self) -> &Attestation {
        &self.0
    }
}

/// Verifies an attestation.
///
/// # Errors
/// The first [`Rejection`] in order of precedence.
pub fn verify(consortium: &Consortium, bytes: &[u8]) -> Result<SignedAttestation, Rejection> {
    let attestation = SignedAttestation::recorded(bytes)?.0;
    let content = &attestation.content;
    if content.consortium != consortium.id() {
        return Err(Rejection::Consortium);
    }
    let bank = consortium.peer(content.bank).filter(|_| consortium.bank_index(content.bank).is_some());
    let bank = bank.ok_or(Rejection::Member)?;
    if content.accounts.iter().any(|account| consortium.terms(account.product).is_none()) {
        return Err(Rejection::Product);
    }
    shape(consortium, content)?;
    let message = signed_bytes(content);
    let signed = bank.member.identity.verify(labels::ATTESTATION_SIGNATURE, &message, &attestation.signature);
    signed.map_err(|_| Rejection::Signature)?;
    Ok(SignedAttestation(attestation))
}

/// Counts, lengths and order: one form for one content, so that nobody can make peers keep more than is needed.
fn shape(consortium: &Consortium, content: &Content) -> Result<(), Rejection> {
    let accounts = &content.accounts;
    let ascending =
        accounts.windows(2).all(|pair| pair.first().map(|a| a.name()) < pair.last().map(|a| a.name()));
    let products = by_product(accounts);
    let is = |(section, (product, accounts)): (&Section, &(ProductId, Vec<AttestedAccount>))| {
        let length = class(accounts.len()).map(Section::ciphertext_len);
        let wraps = consortium.terms(*product).map(|terms| terms.auditors.len());
        Some(section.ciphertext.len()) == length && Some(section.wraps.len()) == wraps
    };
    let good = (1..=MAX_ACCOUNTS).contains(&accounts.len())
        && ascending
        && content.envelopes.len() == auditors(consortium, accounts).count()
        && content.sections.len() == products.len()
        && content.sections.iter().zip(&products).all(is);
    if good { Ok(()) } else { Err(Rejection::Shape) }
}

fn signed_bytes(content: &Content) -> Vec<u8> {
    borsh::to_vec(content).unwrap_or_default()
}

/// Everybody who audits a product of these accounts, in member order.
fn auditors(consortium: &Consortium, accounts: &[AttestedAccount]) -> impl Iterator<Item = MemberId> {
    let products: BTreeSet<_> = accounts.iter().map(|account| account.product).collect();
    let all = products.into_iter().filter_map(|product| consortium.terms(product));
    all.flat_map(|terms| terms.auditors.iter().copied()).collect::<BTreeSet<_>>().into_iter()
}

fn by_product(accounts: &[AttestedAccount]) -> Vec<(ProductId, Vec<AttestedAccount>)> {
    let mut products: BTreeMap<ProductId, Vec<AttestedAccount>> = BTreeMap::new();
    accounts.iter().for_each(|account| products.entry(account.product).or_default().push(*account));
    products.into_iter().collect()
}

/// The padding class of a section of so many openings; the same whether or not they are known.
fn class(accounts: usize) -> Option<u16> {
    u16::try_from(accounts.checked_mul(OPENING_BYTES)?.checked_add(4)?).ok()
}

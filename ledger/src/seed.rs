//! A batch's seed: everything random in a batch, expanded from 32 secret bytes.
//!
//! The servicer keeps nothing beside its keys: the seed travels in its own envelope, so it can always read its batches again
//! from the chain, and with them every opening it must know. Each value is expanded under its own purpose and place.

use crate::names::{Component, MemberId};
use counterfoil_crypto::{labels, secret::SecretBytes};
use curve25519_dalek::scalar::Scalar;
use rand_core::{CryptoRng, CryptoRngCore, RngCore};
use zeroize::Zeroizing;

/// What a secret scalar of a batch is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Owner,
    Share,
    Principal,
    Interest,
    PrincipalQuotient,
    InterestQuotient,
    PrincipalRest,
    PrincipalSlack,
    InterestRest,
    InterestSlack,
    TopUp,
    Order,
    Fee,
    FeeQuotient,
    FeeRest,
    FeeSlack,
    Penalty,
    PenaltyQuotient,
    PenaltyRest,
    PenaltySlack,
}

/// A batch's seed. Erased when dropped, never printed.
#[derive(Clone, Debug)]
pub(crate) struct Seed(SecretBytes);

impl Seed {
    pub(crate) fn new(bytes: SecretBytes) -> Self {
        Self(SecretBytes::new(blake3::derive_key(labels::BATCH_SEED_KDF, bytes.expose())))
    }

    /// The secret scalar of a purpose at a place: uniform, since 64 bytes are reduced.
    pub(crate) fn scalar(&self, purpose: Purpose, record: u16, part: u16) -> Scalar {
        let mut wide = Zeroizing::new([0; 64]);
        self.expand(b's', purpose as u8, record, part).fill(&mut *wide);
        Scalar::from_bytes_mod_order_wide(&wide)
    }

    /// The key of a section.
    pub(crate) fn section_key(&self, record: u16, section: u16) -> SecretBytes {
        self.bytes(b'k', record, section)
    }

    /// The key under which a member finds the sections that it may read.
    pub(crate) fn viewer_key(&self, member: MemberId) -> SecretBytes {
        self.bytes(b'v', member.0, 0)
    }

    fn bytes(&self, class: u8, a: u16, b: u16) -> SecretBytes {
        let mut bytes = Zeroizing::new([0; 32]);
        self.expand(class, 0, a, b).fill(&mut *bytes);
        SecretBytes::new(*bytes)
    }

    fn expand(&self, class: u8, purpose: u8, a: u16, b: u16) -> blake3::OutputReader {
        let [a0, a1] = a.to_le_bytes();
        let [b0, b1] = b.to_le_bytes();
        let mut hasher = blake3::Hasher::new_keyed(self.0.expose());
        hasher.update(&[class, purpose, a0, a1, b0, b1]);
        hasher.finalize_xof()
    }
}

/// The blinding of a bank's posting, from the bank's viewer key of the batch: so the bank can open its postings, and with
/// them its control accounts, without being told. The servicer's own posting is the exception: it takes what makes all
/// blindings sum to those of the movements.
pub(crate) fn posting_blinding(viewer: &SecretBytes, component: Component) -> Scalar {
    let key = Zeroizing::new(blake3::derive_key(labels::POSTING_BLINDING_KDF, viewer.expose()));
    let mut wide = Zeroizing::new([0; 64]);
    blake3::Hasher::new_keyed(&key).update(&[component as u8]).finalize_xof().fill(&mut *wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// The generator of one batch: fresh random bytes mixed with a secret key and with all that goes into the batch. Should
/// the machine's generator repeat itself (a restored snapshot, a broken driver), two batches still have nothing in common,
/// and without the key none of it can be predicted.
pub(crate) struct Hedged(blake3::OutputReader);

impl Hedged {
    pub(crate) fn new(key: &SecretBytes, inputs: &[u8], rng: &mut impl CryptoRngCore) -> Self {
        Self::under(labels::BATCH_RANDOMNESS_KDF, key, inputs, rng)
    }

    /// The same under a label of its own, for what is no batch.
    pub(crate) fn under(
        label: &'static str,
        key: &SecretBytes,
        inputs: &[u8],
        rng: &mut impl CryptoRngCore,
    ) -> Self {
        let key = SecretBytes::new(blake3::derive_key(label, key.expose()));
        let mut hasher = blake3::Hasher::new_keyed(key.expose());
        hasher.update(SecretBytes::random(rng).expose()).update(inputs);
        Self(hasher.finalize_xof())
    }
}

impl RngCore for Hedged {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }
    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(dest);
        Ok(())
    }
}

impl CryptoRng for Hedged {}

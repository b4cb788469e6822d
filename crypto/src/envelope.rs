//! Envelopes and sealed sections: who may read what.
//!
//! A batch carries one *envelope* per member, the same number for all, whether or not a member takes part: a 32-byte
//! viewer key sealed with HPKE (RFC 9180, base mode, DHKEM(X25519), HKDF-SHA256, ChaCha20-Poly1305). Each *section* is
//! encrypted under a key of its own (ChaCha20-Poly1305, RFC 8439), and that key is wrapped under the viewer keys of
//! whoever may read it. A wrap does not say for whom it is: a viewer tries those of its place.
//!
//! Every key is random or derived from a batch's random seed and used for one message, so nonces are zero. No key is
//! ever derived from anything that a guess of an amount would reveal (attack 12).

use crate::{labels, secret::SecretBytes};
use borsh::{BorshDeserialize, BorshSerialize};
use chacha20poly1305::{
    ChaCha20Poly1305, Key, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305 as HpkeAead,
    kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use rand_core::CryptoRngCore;
use std::fmt;
use zeroize::Zeroizing;

/// The secret half of an envelope key. Erased when dropped, never printed.
#[derive(Clone)]
pub struct EnvelopeKey(SecretBytes);

impl EnvelopeKey {
    /// The envelope key of a 32-byte seed (`DeriveKeyPair` of RFC 9180, section 7.1.3).
    #[must_use]
    pub fn from_seed(seed: &SecretBytes) -> Self {
        Self(seed.clone())
    }

    fn pair(
        &self,
    ) -> (<X25519HkdfSha256 as hpke::Kem>::PrivateKey, <X25519HkdfSha256 as hpke::Kem>::PublicKey) {
        X25519HkdfSha256::derive_keypair(self.0.expose())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicEnvelopeKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&self.pair().1.to_bytes());
        PublicEnvelopeKey(bytes)
    }

    /// Opens an envelope addressed to this key in this `context`.
    ///
    /// # Errors
    /// [`Unreadable`] when it is for another key or context, or was changed.
    pub fn open(&self, context: &[u8], envelope: &Envelope) -> Result<SecretBytes, Unreadable> {
        let encapsulated = <X25519HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(&envelope.encapsulated)
            .map_err(|_| Unreadable)?;
        let plain = hpke::single_shot_open::<HpkeAead, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.pair().0,
            &encapsulated,
            labels::ENVELOPE_INFO,
            &envelope.ciphertext,
            context,
        )
        .map_err(|_| Unreadable)?;
        secret(Zeroizing::new(plain))
    }
}

impl fmt::Debug for EnvelopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvelopeKey(secret)")
    }
}

/// The public half of an envelope key: an X25519 point, 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct PublicEnvelopeKey([u8; 32]);

impl PublicEnvelopeKey {
    /// Checks and takes an encoded key.
    ///
    /// # Errors
    /// [`Unreadable`] for a key whose Diffie–Hellman is zero with everybody: what is sealed to it, all can read.
    pub fn from_bytes(bytes: [u8; 32], rng: &mut impl CryptoRngCore) -> Result<Self, Unreadable> {
        let key = Self(bytes);
        key.seal(b"", &SecretBytes::new([0; 32]), rng).map(|_| key)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a 32-byte key to the holder, bound to `context`.
    ///
    /// # Errors
    /// [`Unreadable`] when the key is of small order.
    pub fn seal(
        &self,
        context: &[u8],
        key: &SecretBytes,
        rng: &mut impl CryptoRngCore,
    ) -> Result<Envelope, Unreadable> {
        let public =
            <X25519HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&self.0).map_err(|_| Unreadable)?;
        let (encapsulated, sealed) = hpke::single_shot_seal::<HpkeAead, HkdfSha256, X25519HkdfSha256, _>(
            &OpModeS::Base,
            &public,
            labels::ENVELOPE_INFO,
            key.expose(),
            context,
            &mut Forwarded(rng),
        )
        .map_err(|_| Unreadable)?;
        let mut envelope = Envelope { encapsulated: [0; 32], ciphertext: [0; 48] };
        envelope.encapsulated.copy_from_slice(&encapsulated.to_bytes());
        envelope.ciphertext.copy_from_slice(sealed.get(..48).ok_or(Unreadable)?);
        Ok(envelope)
    }
}

/// A viewer key sealed to one member: 80 bytes that do not say to whom.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Envelope {
    encapsulated: [u8; 32],
    ciphertext: [u8; 48],
}

/// A section's key, wrapped for one viewer.
pub type Wrap = [u8; 48];

/// One encrypted piece of a record, with its key wrapped for each permitted viewer.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Section {
    /// Padded plaintext and 16 bytes of tag.
    pub ciphertext: Vec<u8>,
    /// One wrap per place; their number does not depend on who may read.
    pub wraps: Vec<Wrap>,
}

impl Section {
    /// Encrypts `plain`, padded to `class` bytes so that its length says nothing, and wraps `key` for the viewers.
    ///
    /// # Errors
    /// [`TooLong`] when `plain` does not fit into the class.
    pub fn seal(
        key: &SecretBytes,
        context: &[u8],
        plain: &[u8],
        class: u16,
        viewers: &[SecretBytes],
    ) -> Result<Self, TooLong> {
        let too_long = TooLong { length: plain.len(), class };
        let length = u16::try_from(plain.len()).map_err(|_| too_long)?;
        let mut padded = Zeroizing::new(vec![0; usize::from(class).saturating_add(2)]);
        let body = padded.get_mut(2..).and_then(|b| b.get_mut(..plain.len())).ok_or(too_long)?;
        body.copy_from_slice(plain);
        if let Some(prefix) = padded.first_chunk_mut::<2>() {
            *prefix = length.to_le_bytes();
        }
        let ciphertext = encrypt(key, context, &padded);
        let wraps = (0u32..).zip(viewers).map(|(place, viewer)| wrap(viewer, place, context, key)).collect();
        Ok(Self { ciphertext, wraps })
    }

    /// The length of the ciphertext of a section of this class.
    #[must_use]
    pub const fn ciphertext_len(class: u16) -> usize {
        // Two bytes of length, 16 of tag: far from overflow for any u16.
        (class as usize).saturating_add(18)
    }

    /// Opens the section with the key of one of its viewers, whose wrap stands at `place`.
    ///
    /// # Errors
    /// [`Unreadable`] when it is not for this viewer, or was changed.
    pub fn open(
        &self,
        viewer: &SecretBytes,
        place: usize,
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let wrapped = self.wraps.get(place).ok_or(Unreadable)?;
        let place = u32::try_from(place).map_err(|_| Unreadable)?;
        let key = secret(decrypt(&wrapping_key(viewer, place, context), context, wrapped)?)?;
        self.open_with(&key, context)
    }

    /// Opens the section with its own key, as handed over by somebody who could.
    ///
    /// # Errors
    /// [`Unreadable`] when it is another section's key, or the section was changed.
    pub fn open_with(&self, key: &SecretBytes, context: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let padded = decrypt(key, context, &self.ciphertext)?;
        let (length, body) = padded.split_first_chunk::<2>().ok_or(Unreadable)?;
        let plain = body.get(..usize::from(u16::from_le_bytes(*length))).ok_or(Unreadable)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Section({} bytes, {} wraps)", self.ciphertext.len(), self.wraps.len())
    }
}

/// It is not for this key, or was changed: which of the two cannot be told, and must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not readable with this key")]
pub struct Unreadable;

/// A plaintext that does not fit into its padding class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes do not fit into a section of {class}; shorten the text")]
pub struct TooLong {
    /// Length of the plaintext in bytes.
    pub length: usize,
    /// The class in bytes.
    pub class: u16,
}

/// The viewer key is one per batch and nonces are zero, so the key of a wrap takes in the section's context and the wrap's
/// place. Without the place, two wraps of a section for one viewer would be the same bytes, and tell everybody which parts
/// of a loan have one owner.
fn wrapping_key(viewer: &SecretBytes, place: u32, context: &[u8]) -> SecretBytes {
    let key = Zeroizing::new(blake3::derive_key(labels::SECTION_WRAP_KDF, viewer.expose()));
    let mut hasher = blake3::Hasher::new_keyed(&key);
    hasher.update(&place.to_le_bytes()).update(context);
    SecretBytes::new(*hasher.finalize().as_bytes())
}

fn wrap(viewer: &SecretBytes, place: u32, context: &[u8], key: &SecretBytes) -> Wrap {
    let sealed = encrypt(&wrapping_key(viewer, place, context), context, key.expose());
    let mut wrap = [0; 48];
    wrap.iter_mut().zip(sealed).for_each(|(to, from)| *to = from);
    wrap
}

fn encrypt(key: &SecretBytes, aad: &[u8], msg: &[u8]) -> Vec<u8> {
    ChaCha20Poly1305::new(Key::from_slice(key.expose()))
        .encrypt(&Nonce::default(), Payload { msg, aad })
        .expect("a message in memory is shorter than the cipher's limit of 256 GiB")
}

fn decrypt(key: &SecretBytes, aad: &[u8], msg: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let plain =
        ChaCha20Poly1305::new(Key::from_slice(key.expose())).decrypt(&Nonce::default(), Payload { msg, aad });
    plain.map(Zeroizing::new).map_err(|_| Unreadable)
}

fn secret(bytes: Zeroizing<Vec<u8>>) -> Result<SecretBytes, Unreadable> {
    <[u8; 32]>::try_from(bytes.as_slice()).map(SecretBytes::new).map_err(|_| Unreadable)
}

/// Lends a generator behind a reference to a library that wants to own one.
struct Forwarded<'a, R>(&'a mut R);

impl<R: rand_core::RngCore> rand_core::RngCore for Forwarded<'_, R> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.try_fill_bytes(dest)
    }
}

impl<R: rand_core::CryptoRng> rand_core::CryptoRng for Forwarded<'_, R> {}

#[cfg(test)]
mod tests;

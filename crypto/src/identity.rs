//! Identities: the ed25519 keys (RFC 8032) that name a member in TLS, in signatures and in votes.
//!
//! Every signature is made under a label of [`crate::labels`], so that a vote is never a batch signature.
//! Verification is the strict one: small-order keys and non-canonical encodings are refused, so that one signature
//! has one key and one form.

use crate::secret::SecretBytes;
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey, pkcs8::EncodePrivateKey as _};
use rand_core::CryptoRngCore;
use std::fmt;
use zeroize::Zeroizing;

/// A member's secret signing key. Erased from memory when dropped, never printed.
#[derive(Clone)]
pub struct Identity(SigningKey);

impl Identity {
    /// A fresh identity.
    pub fn generate(rng: &mut impl CryptoRngCore) -> Self {
        Self::from_seed(&SecretBytes::random(rng))
    }

    /// The identity of a 32-byte RFC 8032 seed.
    #[must_use]
    pub fn from_seed(seed: &SecretBytes) -> Self {
        Self(SigningKey::from_bytes(seed.expose()))
    }

    /// The 32-byte seed, to be stored in a file that only its owner can read.
    #[must_use]
    pub fn to_seed(&self) -> SecretBytes {
        SecretBytes::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicIdentity {
        PublicIdentity(self.0.verifying_key().to_bytes())
    }

    /// Signs `message` under a label of [`crate::labels`].
    #[must_use]
    pub fn sign(&self, label: &'static [u8], message: &[u8]) -> Signature {
        Signature(self.0.sign(&labelled(label, message)).to_bytes())
    }

    /// PKCS #8 DER of the key (RFC 8410), the form in which the TLS library takes it.
    ///
    /// # Panics
    /// Never: a 32-byte seed always has a PKCS #8 form.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        let der = self.0.to_pkcs8_der().expect("a 32-byte seed always has a PKCS #8 form");
        Zeroizing::new(der.as_bytes().to_vec())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?}, secret)", self.public())
    }
}

/// A member's public identity: 32 bytes, a canonical ed25519 point that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct PublicIdentity([u8; 32]);

impl PublicIdentity {
    /// Checks and takes an encoded key.
    ///
    /// # Errors
    /// [`IdentityError::Key`] when the bytes are no point, not in canonical form, or of small order. A small-order
    /// key would make signatures that verify for any message.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, IdentityError> {
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| IdentityError::Key)?;
        // The decoder reduces coordinates: only the encoding it would itself write is canonical.
        let canonical = key.to_edwards().compress().to_bytes() == bytes;
        if key.is_weak() || !canonical { Err(IdentityError::Key) } else { Ok(Self(bytes)) }
    }

    /// The 32 encoded bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Verifies a signature made by [`Identity::sign`] under the same label.
    ///
    /// # Errors
    /// [`IdentityError::Signature`] when it was not made by this key for this label and message.
    pub fn verify(
        &self,
        label: &'static [u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| IdentityError::Key)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(&labelled(label, message), &signature).map_err(|_| IdentityError::Signature)
    }
}

impl fmt::Debug for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..6]))
    }
}

impl fmt::Display for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl BorshDeserialize for PublicIdentity {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        Self::from_bytes(<[u8; 32]>::deserialize_reader(reader)?).map_err(std::io::Error::other)
    }
}

/// An ed25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Takes 64 bytes; whether they are a signature shows when they are verified.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", hex::encode(&self.0[..4]))
    }
}

/// Why a key or a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The key is no canonical ed25519 point, or is of small order.
    #[error("not a valid ed25519 public key (malformed, not canonical, or of small order)")]
    Key,
    /// The signature does not verify.
    #[error("the signature was not made by this key for this message")]
    Signature,
}

fn labelled(label: &'static [u8], message: &[u8]) -> Vec<u8> {
    // Labels are of one list in which none is a prefix of another with its length in front.
    let length = u8::try_from(label.len()).unwrap_or(u8::MAX);
    [&[length], label, message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels;
    use rand_core::OsRng;

    #[test]
    fn a_signature_is_bound_to_key_label_and_message() {
        let (a, b) = (Identity::generate(&mut OsRng), Identity::generate(&mut OsRng));
        let signature = a.sign(labels::VOTE_SIGNATURE, b"yes");
        assert_eq!(a.public().verify(labels::VOTE_SIGNATURE, b"yes", &signature), Ok(()));
        let refused = Err(IdentityError::Signature);
        assert_eq!(a.public().verify(labels::VOTE_SIGNATURE, b"no", &signature), refused);
        assert_eq!(a.public().verify(labels::PROPOSAL_SIGNATURE, b"yes", &signature), refused);
        assert_eq!(b.public().verify(labels::VOTE_SIGNATURE, b"yes", &signature), refused);
    }

    #[test]
    fn weak_and_malformed_keys_are_refused() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        let mut off_curve = [0; 32];
        off_curve[0] = 2;
        for key in [identity_point, [0; 32], off_curve, [0xff; 32]] {
            assert_eq!(PublicIdentity::from_bytes(key), Err(IdentityError::Key), "{key:?}");
        }
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let identity = Identity::from_seed(&SecretBytes::new([0x5a; 32]));
        assert!(!format!("{identity:?}").contains("5a5a"));
    }

    #[test]
    fn a_key_survives_its_forms() {
        let identity = Identity::from_seed(&SecretBytes::new([0x5a; 32]));
        assert_eq!(identity.to_seed().expose(), &[0x5a; 32]);
        // RFC 8410: the seed is an octet string inside an octet string.
        assert!(identity.to_pkcs8_der().windows(34).any(|w| w[..2] == [4, 32] && w[2..] == [0x5a; 32]));
        let public = identity.public();
        assert_eq!(public.to_string(), hex::encode(public.as_bytes()));
        assert_eq!(borsh::from_slice::<PublicIdentity>(public.as_bytes()).unwrap(), public);
        assert!(borsh::from_slice::<PublicIdentity>(&[0; 32]).is_err(), "of small order");
        let signature = identity.sign(labels::VOTE_SIGNATURE, b"yes");
        assert_eq!(Signature::from_bytes(*signature.as_bytes()), signature);
    }
}

//! View keys and handles: twisted `ElGamal` over Pedersen commitments.
//!
//! Secret `k`, public `V = k⁻¹·B~`. Beside a commitment `C = v·B + r·B~` stands a handle `D = r·V`, and
//! `C − k·D = v·B`: the holder of `k` finds `v` by a bounded discrete logarithm. Handles add up like commitments, so one
//! multiplication opens a total. Source: Chen, Ma, Tang, Au, *PGC: decentralized confidential payment system with
//! auditability* (ESORICS 2020), section 4.
//!
//! A [`OwnerKey`] is a view key re-randomised, `(t·B~, t·V)`: its owner recognises it with `k`, to everybody else it is
//! a pair of random points (decisional Diffie–Hellman).

#![allow(clippy::arithmetic_side_effects, reason = "group and field arithmetic does not overflow")]

use crate::{
    encoding::{Element, Encoded, NotCanonical},
    labels,
    pedersen::{blind, blinding_base},
    secret::SecretBytes,
    statement::{Proof, Statement},
};
use borsh::{BorshDeserialize, BorshSerialize};
use curve25519_dalek::{
    ristretto::{RistrettoBasepointTable, RistrettoPoint},
    scalar::Scalar,
};
use merlin::Transcript;
use rand_core::CryptoRngCore;
use std::{fmt, sync::Arc};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The secret half of a view key, never zero. Erased when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ViewKey(Scalar);

impl ViewKey {
    /// The view key of 32 secret bytes (expanded to 64 and reduced, so that no value is favoured).
    ///
    /// # Panics
    /// Never in practice: the expansion would have to be a multiple of the group order.
    #[must_use]
    pub fn from_seed(seed: &SecretBytes) -> Self {
        let mut wide = [0; 64];
        blake3::Hasher::new_keyed(seed.expose())
            .update(labels::VIEW_KEY_POSSESSION)
            .finalize_xof()
            .fill(&mut wide);
        let scalar = Scalar::from_bytes_mod_order_wide(&wide);
        wide.zeroize();
        assert!(scalar != Scalar::ZERO, "a hash is no multiple of the group order");
        Self(scalar)
    }

    /// The public half, `k⁻¹·B~`.
    #[must_use]
    pub fn public(&self) -> PublicViewKey {
        PublicViewKey::from_point(blind(&self.0.invert()))
    }

    /// `v·B` of what `commitment` holds, given its handle to this key.
    #[must_use]
    pub fn strip(&self, commitment: &RistrettoPoint, handle: &RistrettoPoint) -> RistrettoPoint {
        commitment - self.0 * handle
    }

    /// Whether the one-time key is of this view key.
    #[must_use]
    pub fn owns(&self, key: &OwnerKey) -> bool {
        match (key.base.decode_nonzero(), key.key.decode_nonzero()) {
            (Ok(base), Ok(point)) => self.0 * point == base,
            _ => false,
        }
    }

    /// Proves knowledge of `k` with `B~ = k·V`, bound to `context` (consortium name and member).
    ///
    /// Without it a member could register `V' = V − V_other` and cancel another's key out of a sum of handles.
    pub fn prove_possession(&self, context: &[u8], rng: &mut impl CryptoRngCore) -> Vec<u8> {
        let mut transcript = possession_transcript(context);
        possession(&self.public()).prove(&mut transcript, &[self.0], rng).to_bytes()
    }
}

impl fmt::Debug for ViewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewKey(secret)")
    }
}

/// The public half of a view key: never the identity. Carries a table, since every batch multiplies by it.
#[derive(Clone)]
pub struct PublicViewKey {
    encoded: Encoded,
    table: Arc<RistrettoBasepointTable>,
}

impl PublicViewKey {
    /// Checks and takes an encoded key.
    ///
    /// # Errors
    /// [`NotCanonical`] when it is no point, not canonical, or the identity, to which every handle would be zero.
    pub fn decode(encoded: Encoded) -> Result<Self, NotCanonical> {
        Ok(Self::from_point(encoded.decode_nonzero()?))
    }

    fn from_point(point: RistrettoPoint) -> Self {
        Self { encoded: Encoded::from(&point), table: Arc::new(RistrettoBasepointTable::create(&point)) }
    }

    /// The 32 encoded bytes.
    #[must_use]
    pub fn encoded(&self) -> Encoded {
        self.encoded
    }

    /// The point `V`.
    #[must_use]
    pub fn point(&self) -> RistrettoPoint {
        self.table.basepoint()
    }

    /// The handle `r·V` of a commitment with blinding `r`, in constant time.
    #[must_use]
    pub fn handle(&self, blinding: &Scalar) -> RistrettoPoint {
        &*self.table * blinding
    }

    /// A one-time key of this view key's owner.
    #[must_use]
    pub fn owner_key(&self, t: &Scalar) -> OwnerKey {
        let (base, key) = self.owner_points(t);
        OwnerKey { base: base.encoded(), key: key.encoded() }
    }

    /// The two points of [`PublicViewKey::owner_key`].
    #[must_use]
    pub fn owner_points(&self, t: &Scalar) -> (Element, Element) {
        (Element::from(&blind(t)), Element::from(&self.handle(t)))
    }

    /// Checks a proof made by [`ViewKey::prove_possession`].
    ///
    /// # Errors
    /// [`NotCanonical`] when the proof is malformed or does not hold.
    pub fn verify_possession(&self, context: &[u8], proof: &[u8]) -> Result<(), NotCanonical> {
        let statement = possession(self);
        let proof = Proof::from_bytes(&statement, proof).map_err(|_| NotCanonical)?;
        statement.verify(&mut possession_transcript(context), &proof).map_err(|_| NotCanonical)
    }
}

impl PartialEq for PublicViewKey {
    fn eq(&self, other: &Self) -> bool {
        self.encoded == other.encoded
    }
}

impl Eq for PublicViewKey {}

impl fmt::Debug for PublicViewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicViewKey({:?})", self.encoded)
    }
}

/// A position's owner: `(t·B~, t·V)`, recognised by the holder of `k` alone, who can also sign for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OwnerKey {
    /// `t·B~`.
    pub base: Encoded,
    /// `t·V`.
    pub key: Encoded,
}

/// `B~ = k·V`. What it does not prove: that `k` is kept, or kept secret.
fn possession(key: &PublicViewKey) -> Statement {
    let mut s = Statement::new(labels::VIEW_KEY_POSSESSION);
    let k = s.secret();
    let v = s.point(&key.point());
    s.require(&Element::from(&blinding_base()).into(), &[(k, v)]);
    s
}

fn possession_transcript(context: &[u8]) -> Transcript {
    let mut transcript = Transcript::new(labels::VIEW_KEY_POSSESSION);
    transcript.append_message(b"context", context);
    transcript
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pedersen::{Opening, value};
    use curve25519_dalek::traits::Identity as _;
    use rand_core::OsRng;

    fn key() -> ViewKey {
        ViewKey::from_seed(&SecretBytes::random(&mut OsRng))
    }

    #[test]
    fn a_handle_opens_what_is_committed_for_its_key_only() {
        let (mine, other) = (key(), key());
        let opening = Opening::random(1234, &mut OsRng);
        let handle = mine.public().handle(&opening.blinding);
        assert_eq!(mine.strip(&opening.commit(), &handle), value(&Scalar::from(1234u64)));
        assert_ne!(other.strip(&opening.commit(), &handle), value(&Scalar::from(1234u64)));
    }

    #[test]
    fn an_owner_key_is_recognised_by_its_owner_only() {
        let (mine, other) = (key(), key());
        let one_time = mine.public().owner_key(&Scalar::random(&mut OsRng));
        assert!(mine.owns(&one_time));
        assert!(!other.owns(&one_time));
        let zero = Encoded::from(&RistrettoPoint::identity());
        assert!(!mine.owns(&OwnerKey { base: zero, key: zero }));
    }

    /// Attack 9: `V' = V_other − V_mine` can be written down but not proven.
    #[test]
    fn possession_is_proven_for_ones_own_key_and_context() {
        let mine = key();
        let proof = mine.prove_possession(b"bank-a", &mut OsRng);
        assert_eq!(mine.public().verify_possession(b"bank-a", &proof), Ok(()));
        assert_eq!(mine.public().verify_possession(b"bank-b", &proof), Err(NotCanonical));
        let rogue = PublicViewKey::from_point(key().public().point() - mine.public().point());
        assert_eq!(rogue.verify_possession(b"bank-a", &proof), Err(NotCanonical));
    }

    /// Attack 8: the identity as a key.
    #[test]
    fn the_identity_is_no_key() {
        assert!(PublicViewKey::decode(Encoded::from(&RistrettoPoint::identity())).is_err());
    }

    #[test]
    fn public_keys_are_equal_when_their_points_are() {
        let (mine, other) = (key().public(), key().public());
        assert_eq!(PublicViewKey::decode(mine.encoded()).unwrap(), mine);
        assert_ne!(mine, other);
        assert_eq!(Encoded::from(&mine.point()), mine.encoded());
    }
}

//! Points, scalars, keys, signatures, envelopes and sections: the smallest decoders.

use crate::{
    chain::canonical,
    input::{Input, second_form},
    world::{NAMES, rng, world},
};
use counterfoil_crypto::{
    encoding::{self, Encoded},
    envelope::{Envelope, PublicEnvelopeKey, Section},
    identity::{PublicIdentity, Signature},
    labels,
    secret::SecretBytes,
    view_key::{OwnerKey, PublicViewKey},
};

/// What the seeds sign.
pub const MESSAGE: &[u8] = b"message";
/// What the seeds' envelopes and sections are bound to.
pub const CONTEXT: &[u8] = b"context";

/// The key under which the seeds' sections are sealed.
#[must_use]
pub fn section_key() -> SecretBytes {
    SecretBytes::new([7; 32])
}

/// The first byte says which decoder; the rest is for it.
#[must_use]
pub fn any_bytes(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    match input.byte() % 8 {
        0 => point(word(&mut input)),
        1 => scalar(word(&mut input)),
        2 => signature(word(&mut input), word(&mut input), word(&mut input)),
        3 => view_key(word(&mut input), input.rest()),
        4 => envelope_key(word(&mut input)),
        5 => envelope(input.rest()),
        6 => section(input.rest()),
        _ => owner_key(input.rest()),
    }
}

fn word(input: &mut Input<'_>) -> [u8; 32] {
    let mut word = [0; 32];
    word.iter_mut().zip(input.take(32)).for_each(|(to, from)| *to = *from);
    word
}

fn point(bytes: [u8; 32]) -> bool {
    let encoded = Encoded::from_bytes(bytes);
    let Ok(point) = encoded.decode() else { return false };
    assert_eq!(Encoded::from(&point), encoded, "two forms of one point");
    assert_eq!(encoded.decode_nonzero().is_err(), bytes == [0; 32], "only the identity is zero");
    true
}

fn scalar(bytes: [u8; 32]) -> bool {
    let Ok(scalar) = encoding::scalar(bytes) else { return false };
    assert_eq!(scalar.to_bytes(), bytes, "two forms of one scalar");
    true
}

/// A key that is taken is canonical, and a signature has no second form, however the fuzzer came by it.
fn signature(key: [u8; 32], r: [u8; 32], s: [u8; 32]) -> bool {
    let Ok(identity) = PublicIdentity::from_bytes(key) else { return false };
    assert_eq!(canonical::<PublicIdentity>(&key), Some(identity));
    let verifies = |s: [u8; 32]| {
        let mut bytes = [0; 64];
        bytes.iter_mut().zip(r.iter().chain(&s)).for_each(|(to, from)| *to = *from);
        identity.verify(labels::VOTE_SIGNATURE, MESSAGE, &Signature::from_bytes(bytes)).is_ok()
    };
    assert!(!verifies(second_form(&s)), "the group order added to a signature");
    verifies(s)
}

/// A view key with a proof that somebody possesses it.
fn view_key(key: [u8; 32], proof: &[u8]) -> bool {
    let Ok(key) = PublicViewKey::decode(Encoded::from_bytes(key)) else { return false };
    let member = &world().consortium.genesis().members[0];
    let context = [NAMES[0].as_bytes(), &[0], member.identity.as_bytes()].concat();
    let possessed = key.verify_possession(&context, proof).is_ok();
    let registered = key.encoded() == member.view_key && *proof == member.possession;
    assert_eq!(possessed, registered, "a proof of possession that its member did not make");
    possessed
}

fn envelope_key(bytes: [u8; 32]) -> bool {
    let Ok(key) = PublicEnvelopeKey::from_bytes(bytes, &mut rng(1)) else { return false };
    assert_eq!(canonical::<PublicEnvelopeKey>(&bytes), Some(key));
    true
}

/// Whoever opens an envelope has been sent it: no neighbour of a good one opens.
fn envelope(bytes: &[u8]) -> bool {
    let Some(envelope) = canonical::<Envelope>(bytes) else { return false };
    let opened = world().keys[0].envelope.open(CONTEXT, &envelope);
    assert_eq!(opened.is_ok(), envelope == good_envelope(), "a forged envelope");
    opened.is_ok()
}

fn section(bytes: &[u8]) -> bool {
    let Some(section) = canonical::<Section>(bytes) else { return false };
    let good = good_section();
    let by_key = section.open_with(&section_key(), CONTEXT);
    assert_eq!(by_key.is_ok(), section.ciphertext == good.ciphertext, "a forged section");
    for place in 0..3 {
        let opened = section.open(&section_key(), place, CONTEXT).is_ok();
        let wrapped = section.wraps.get(place).is_some_and(|wrap| good.wraps.get(place) == Some(wrap));
        assert_eq!(opened, wrapped && by_key.is_ok(), "a forged wrap at place {place}");
    }
    by_key.is_ok()
}

fn owner_key(bytes: &[u8]) -> bool {
    let Some(owner) = canonical::<OwnerKey>(bytes) else { return false };
    let owners = world().keys.iter().filter(|keys| keys.view.owns(&owner)).count();
    assert!(owners <= 1, "a one-time key of two members");
    owners == 1
}

/// An envelope to `bank-a`, for seeds.
#[must_use]
pub fn good_envelope() -> Envelope {
    let key = world().keys[0].envelope.public();
    key.seal(CONTEXT, &section_key(), &mut rng(4)).expect("the key is good")
}

/// A section with two wraps, for seeds.
#[must_use]
pub fn good_section() -> Section {
    let viewers = [section_key(), section_key()];
    Section::seal(&section_key(), CONTEXT, MESSAGE, 16, &viewers).expect("the message fits")
}

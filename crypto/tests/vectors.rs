//! Stored vectors (`crypto/vectors`): bytes that were made once and must stay valid for ever.
//!
//! **If one of these tests fails**, the code no longer reads what members have signed and stored. Mend the code. A new form
//! of proof or message gets a new suite, version or label and new vectors beside the old ones; a vector is never changed,
//! and never made again. (`crypto/examples/crypto_vectors.rs` makes those that are missing and says how.)

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test that meets the unexpected should stop"
)]

mod stored;

use counterfoil_crypto::{
    encoding::{Element, Encoded},
    envelope::{Envelope, EnvelopeKey, Section},
    form::Form,
    identity::{Identity, PublicIdentity, Signature},
    labels, merkle,
    pedersen::{self, Opening},
    quorum::Certificate,
    range::{self, RangeError, Width},
    relation::{Bound, Committed, Proofs, Relation, RelationError, Suite},
    secret::SecretBytes,
    statement::{Proof, Statement},
    view_key::{OwnerKey, PublicViewKey, ViewKey},
};
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar};
use merlin::Transcript;
use rand_core::OsRng;
use serde_json::Value;
use stored::{FAILED, array, bytes, list, vector};

fn secret(value: &Value) -> SecretBytes {
    SecretBytes::new(array(value))
}

#[test]
fn transcripts() {
    let v = vector("transcript");
    let mut transcript = Transcript::new(b"test protocol");
    for step in list(&v["steps"]) {
        // The crate takes labels that live as long as the program.
        let label = |name: &str| match step[name].as_str() {
            Some("some label") => &b"some label"[..],
            Some("challenge") => b"challenge",
            Some("long") => b"long",
            Some("number") => b"number",
            Some("long challenge") => b"long challenge",
            Some("") => b"",
            other => panic!("{other:?}"),
        };
        if step["absorb"].is_string() {
            transcript.append_message(label("absorb"), &bytes(&step["message"]));
        } else {
            let mut drawn = vec![0; bytes(&step["bytes"]).len()];
            transcript.challenge_bytes(label("draw"), &mut drawn);
            assert_eq!(drawn, bytes(&step["bytes"]), "{FAILED}");
        }
    }
}

#[test]
fn hashes() {
    let v = vector("hashes");
    for case in list(&v["cases"]) {
        let message: Vec<u8> = (0..case["length"].as_u64().unwrap()).map(|i| (i % 251) as u8).collect();
        for (mode, hasher) in [
            ("hash", blake3::Hasher::new()),
            ("keyed_hash", blake3::Hasher::new_keyed(&array(&v["key"]))),
            ("derive_key", blake3::Hasher::new_derive_key(v["context"].as_str().unwrap())),
        ] {
            let mut out = [0; 100];
            hasher.clone().update(&message).finalize_xof().fill(&mut out);
            assert_eq!(out, array(&case[mode]), "{mode}: {FAILED}");
        }
    }
}

#[test]
fn points() {
    let v = vector("group");
    let encoded = |point| *Encoded::from(&point).as_bytes();
    assert_eq!(encoded(pedersen::value_base()), array(&v["value_base"]), "{FAILED}");
    assert_eq!(encoded(pedersen::blinding_base()), array(&v["blinding_base"]), "{FAILED}");
    for no_point in list(&v["no_points"]) {
        assert!(Encoded::from_bytes(array(no_point)).decode().is_err(), "{no_point}: {FAILED}");
    }
    let crates = bulletproofs::BulletproofGens::new(64, 301);
    for (points, value) in list(&v["g"]).zip([0, 300]) {
        for (point, expected) in list(points).zip(crates.share(value).G(2)) {
            assert_eq!(array(point), encoded(*expected), "{FAILED}");
        }
    }
}

#[test]
fn merkle_roots() {
    for case in list(&vector("merkle")["cases"]) {
        let leaves: Vec<_> = list(&case["leaves"]).map(|leaf| merkle::leaf(&bytes(leaf))).collect();
        assert_eq!(merkle::root(&leaves), array(&case["root"]), "{FAILED}");
    }
}

#[test]
fn signatures() {
    let v = vector("signature");
    let key = PublicIdentity::from_bytes(array(&v["key"])).unwrap();
    assert_eq!(Identity::from_seed(&secret(&v["seed"])).public(), key, "{FAILED}");
    let verdict = |signature| {
        let signature = Signature::from_bytes(array(&v[signature]));
        key.verify(labels::BATCH_SIGNATURE, &bytes(&v["message"]), &signature)
    };
    assert_eq!(v["label"].as_str().unwrap().as_bytes(), labels::BATCH_SIGNATURE, "{FAILED}");
    assert!(verdict("signature").is_ok(), "{FAILED}");
    assert!(verdict("refused_signature").is_err(), "{FAILED}");
    for key in list(&v["refused_keys"]) {
        assert!(PublicIdentity::from_bytes(array(key)).is_err(), "{key}: {FAILED}");
    }
}

#[test]
fn certificates() {
    let v = vector("certificate");
    let validators: Vec<_> =
        list(&v["validators"]).map(|key| PublicIdentity::from_bytes(array(key)).unwrap()).collect();
    let verdict = |certificate| {
        let certificate: Certificate = borsh::from_slice(&bytes(certificate)).unwrap();
        certificate.verify(array(&v["consortium"]), &validators)
    };
    assert_eq!(verdict(&v["certificate"]), Ok(()), "{FAILED}");
    for (why, certificate) in v["refused"].as_object().unwrap() {
        assert!(verdict(certificate).is_err(), "{why}: {FAILED}");
    }
}

#[test]
fn view_keys() {
    let v = vector("view-key");
    let scalar = |name| Scalar::from_canonical_bytes(array(&v[name])).unwrap();
    let key = ViewKey::from_seed(&secret(&v["seed"]));
    let public = PublicViewKey::decode(Encoded::from_bytes(array(&v["public"]))).unwrap();
    assert_eq!(key.public(), public, "{FAILED}");
    let opening = Opening::new(v["amount"].as_u64().unwrap(), scalar("blinding"));
    assert_eq!(Encoded::from(&opening.commit()).as_bytes(), &array(&v["commitment"]), "{FAILED}");
    let handle = public.handle(&opening.blinding);
    assert_eq!(Encoded::from(&handle).as_bytes(), &array(&v["handle"]), "{FAILED}");
    assert_eq!(key.strip(&opening.commit(), &handle), pedersen::value(&opening.value), "{FAILED}");
    let owner: OwnerKey = borsh::from_slice(&bytes(&v["owner_key"])).unwrap();
    assert_eq!(public.owner_key(&scalar("t")), owner, "{FAILED}");
    assert!(key.owns(&owner), "{FAILED}");
    let mut context = bytes(&v["context"]);
    assert_eq!(public.verify_possession(&context, &bytes(&v["possession"])), Ok(()), "{FAILED}");
    context.push(0);
    assert!(public.verify_possession(&context, &bytes(&v["possession"])).is_err(), "{FAILED}");
}

#[test]
fn envelopes() {
    let v = vector("envelope");
    let recipient = EnvelopeKey::from_seed(&secret(&v["seed"]));
    assert_eq!(recipient.public().as_bytes(), &array(&v["public"]), "{FAILED}");
    let envelope: Envelope = borsh::from_slice(&bytes(&v["envelope"])).unwrap();
    assert_eq!(recipient.open(&bytes(&v["context"]), &envelope).unwrap(), secret(&v["key"]), "{FAILED}");
    assert!(recipient.open(b"another place", &envelope).is_err(), "{FAILED}");
}

#[test]
fn sections() {
    let v = vector("section");
    let (section, context): (Section, _) =
        (borsh::from_slice(&bytes(&v["section"])).unwrap(), bytes(&v["context"]));
    let viewers: Vec<_> = list(&v["viewers"]).map(secret).collect();
    for (place, viewer) in viewers.iter().enumerate() {
        assert_eq!(*section.open(viewer, place, &context).unwrap(), bytes(&v["plain"]), "{FAILED}");
    }
    // Nothing in a section is random but its keys: sealed again, it is the same.
    let class = u16::try_from(v["class"].as_u64().unwrap()).unwrap();
    let again = Section::seal(&secret(&v["key"]), &context, &bytes(&v["plain"]), class, &viewers).unwrap();
    assert_eq!(again, section, "{FAILED}");
}

#[test]
fn sigma_proofs() {
    let v = vector("sigma");
    let element = |encoded| Element::try_from(Encoded::from_bytes(array(encoded))).unwrap();
    let elements: Vec<_> = list(&v["elements"]).map(element).collect();
    let form = |terms: &Value| {
        let mut form = Form::default();
        for term in list(terms) {
            let [number, coefficient] = [0, 1].map(|i| term[i].as_u64().unwrap());
            let element = elements[usize::try_from(number).unwrap()].clone();
            form.add(&element.into(), &Scalar::from(coefficient));
        }
        form
    };
    let forms: Vec<_> = list(&v["points"]).map(form).collect();
    let mut statement = Statement::new(b"a handle opens what is committed");
    let [value, blinding, doubled] = [statement.secret(), statement.secret(), statement.secret()];
    let [b, b_blinding] = [statement.form(&forms[0]), statement.form(&forms[1])];
    statement.require(&forms[2], &[(value, b), (blinding, b_blinding)]);
    let key = statement.form(&forms[3]);
    statement.require(&forms[4], &[(doubled, key)]);
    let proof = Proof::from_bytes(&statement, &bytes(&v["proof"])).unwrap();
    let mut transcript = Transcript::new(b"vectors");
    assert_eq!(statement.verify(&mut transcript, &proof), Ok(()), "{FAILED}");
    let mut after = [0; 32];
    transcript.challenge_bytes(b"after", &mut after);
    assert_eq!(after, array(&v["after"]), "{FAILED}");
    assert!(statement.verify(&mut Transcript::new(b"other"), &proof).is_err(), "{FAILED}");
}

#[test]
fn range_proofs() {
    for (name, width) in ["range-8", "range-16", "range-32", "range-64"].into_iter().zip(Width::ALL) {
        let v = vector(name);
        let commitments: Vec<_> = list(&v["commitments"]).map(|c| CompressedRistretto(array(c))).collect();
        let verdict =
            |label, proof: &[u8]| range::verify(width, &commitments, proof, &mut Transcript::new(label));
        let proof = bytes(&v["proof"]);
        assert_eq!(verdict(b"vectors", &proof), Ok(()), "{name}: {FAILED}");
        assert!(verdict(b"other", &proof).is_err(), "{name}: {FAILED}");
        for word in (0..proof.len()).step_by(32) {
            let mut changed = proof.clone();
            changed[word] ^= 1;
            assert!(verdict(b"vectors", &changed).is_err(), "{name}, word {}: {FAILED}", word / 32);
        }
    }
}

#[test]
fn packed_range_proofs() {
    let v = vector("range-packed");
    let verdict = |case: &Value| {
        let mut relation = Relation::new(Suite::Packed, b"three ranges");
        for (commitment, bound) in list(&case["commitments"]).zip(list(&v["bounds"])) {
            let element = Element::try_from(Encoded::from_bytes(array(commitment))).unwrap();
            relation.in_range(Bound::Exactly(bound.as_u64().unwrap()), &Committed::sealed(element));
        }
        let proofs: Proofs = borsh::from_slice(&bytes(&case["proofs"])).unwrap();
        relation.verify(&Transcript::new(b"vectors"), &proofs, &mut OsRng)
    };
    assert_eq!(verdict(&v["true"]), Ok(()), "{FAILED}");
    assert_eq!(verdict(&v["false"]), Err(RelationError::Range(0, RangeError::Equation)), "{FAILED}");
}

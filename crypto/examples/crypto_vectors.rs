//! Makes the stored vectors that are missing from a folder: `cargo run --release -p counterfoil-crypto --example crypto_vectors -- crypto/vectors`.
//!
//! A vector is made once and kept for ever: a file that exists is never written again. Each has a seed of its own, so that a
//! new one changes no other. All keys in them are known to everybody.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a tool of the developers")]

use counterfoil_crypto::{
    encoding::{Element, Encoded},
    envelope::{EnvelopeKey, Section},
    form::Form,
    identity::{Identity, PublicIdentity},
    labels, merkle,
    pedersen::{self, Opening},
    quorum::{Ballot, Certificate, VoteKind},
    range::{self, Width},
    relation::{Bound, Committed, Proofs, Relation, Suite},
    secret::SecretBytes,
    statement::Statement,
    view_key::ViewKey,
};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use serde_json::{Value, json};
use std::{fs, num::NonZeroUsize, path::PathBuf};

type Maker = fn(&mut ChaCha20Rng) -> Value;

const VECTORS: [(&str, Maker); 15] = [
    ("transcript", transcript),
    ("hashes", hashes),
    ("group", group),
    ("merkle", merkle_roots),
    ("signature", signature),
    ("certificate", certificate),
    ("view-key", view_key),
    ("envelope", envelope),
    ("section", section),
    ("sigma", sigma),
    ("range-8", |rng| range_proof(Width::Bits8, &[0, 255, 7], rng)),
    ("range-16", |rng| range_proof(Width::Bits16, &[65_535], rng)),
    ("range-32", |rng| range_proof(Width::Bits32, &[1, u64::from(u32::MAX)], rng)),
    ("range-packed", packed_ranges),
    ("range-64", |rng| range_proof(Width::Bits64, &[u64::MAX], rng)),
];

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: vectors FOLDER"));
    for (name, make) in VECTORS {
        let path = folder.join(format!("{name}.json"));
        if path.exists() {
            continue;
        }
        let mut rng = ChaCha20Rng::from_seed(blake3::derive_key("counterfoil/1 vectors", name.as_bytes()));
        fs::write(&path, serde_json::to_string_pretty(&make(&mut rng)).unwrap() + "\n").unwrap();
        println!("made {}", path.display());
    }
}

fn secret(rng: &mut ChaCha20Rng) -> (SecretBytes, String) {
    let bytes = SecretBytes::random(rng);
    let text = hex::encode(bytes.expose());
    (bytes, text)
}

fn transcript(_: &mut ChaCha20Rng) -> Value {
    let mut t = Transcript::new(b"test protocol");
    t.append_message(b"some label", b"some data");
    let mut first = [0; 32];
    t.challenge_bytes(b"challenge", &mut first);
    t.append_message(b"long", &[0x5a; 1000]);
    t.append_u64(b"number", 0x0102_0304_0506_0708);
    t.append_message(b"", b"");
    let mut second = [0; 200];
    t.challenge_bytes(b"long challenge", &mut second);
    json!({
        "what": "a Merlin transcript: what is absorbed and drawn, in order",
        "label": "test protocol",
        "steps": [
            {"absorb": "some label", "message": hex::encode(b"some data")},
            {"draw": "challenge", "bytes": hex::encode(first)},
            {"absorb": "long", "message": "5a".repeat(1000)},
            {"absorb": "number", "message": "0807060504030201"},
            {"absorb": "", "message": ""},
            {"draw": "long challenge", "bytes": hex::encode(second)},
        ],
    })
}

fn hashes(_: &mut ChaCha20Rng) -> Value {
    let key = *b"whats the Elvish word for friend";
    let context = "BLAKE3 2019-12-27 16:29:52 test vectors context";
    let of = |length: usize| {
        let message: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let hash = |hasher: blake3::Hasher| {
            let mut out = [0; 100];
            hasher.clone().update(&message).finalize_xof().fill(&mut out);
            hex::encode(out)
        };
        json!({
            "length": length,
            "hash": hash(blake3::Hasher::new()),
            "keyed_hash": hash(blake3::Hasher::new_keyed(&key)),
            "derive_key": hash(blake3::Hasher::new_derive_key(context)),
        })
    };
    let cases = [0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 3073, 8193].map(of);
    json!({
        "what": "BLAKE3 of the bytes 0, 1, ..., 250, 0, 1, ... of each length, 100 bytes of output",
        "key": hex::encode(key),
        "context": context,
        "cases": cases,
    })
}

fn group(_: &mut ChaCha20Rng) -> Value {
    let chain = |letter: u8, value: u32| {
        use sha3::digest::{ExtendableOutput as _, Update as _, XofReader as _};
        let mut shake = sha3::Shake256::default();
        shake.update(&[b"GeneratorsChain", &[letter][..], &value.to_le_bytes()].concat());
        let mut reader = shake.finalize_xof();
        let points: Vec<_> = (0..2)
            .map(|_| {
                let mut wide = [0; 64];
                reader.read(&mut wide);
                let point = curve25519_dalek::ristretto::RistrettoPoint::from_uniform_bytes(&wide);
                hex::encode(point.compress().as_bytes())
            })
            .collect();
        points
    };
    json!({
        "what": "bases, the first two generators of values 0 and 300, and bytes that are no canonical point",
        "value_base": hex::encode(Encoded::from(&pedersen::value_base()).as_bytes()),
        "blinding_base": hex::encode(Encoded::from(&pedersen::blinding_base()).as_bytes()),
        "g": [chain(b'G', 0), chain(b'G', 300)],
        "h": [chain(b'H', 0), chain(b'H', 300)],
        "no_points": [
            "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
        ],
    })
}

fn merkle_roots(_: &mut ChaCha20Rng) -> Value {
    let leaf = |i: usize| vec![i as u8; i];
    let root = |n: usize| {
        let leaves: Vec<_> = (0..n).map(|i| merkle::leaf(&leaf(i))).collect();
        json!({
            "leaves": (0..n).map(|i| hex::encode(leaf(i))).collect::<Vec<_>>(),
            "root": hex::encode(merkle::root(&leaves)),
        })
    };
    let cases = [0, 1, 2, 3, 5, 8, 9].map(root);
    json!({"what": "Merkle roots", "cases": cases})
}

fn signature(rng: &mut ChaCha20Rng) -> Value {
    let (seed, seed_text) = secret(rng);
    let identity = Identity::from_seed(&seed);
    let message = b"a batch's bytes";
    let signature = identity.sign(labels::BATCH_SIGNATURE, message);
    // The same number in another form: s plus the group order.
    let mut larger = *signature.as_bytes();
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    larger[32..].iter_mut().zip(order).fold(0u16, |carry, (byte, other)| {
        let sum = u16::from(*byte) + u16::from(other) + carry;
        *byte = sum as u8;
        sum >> 8
    });
    let weak = [[1; 1], [0; 1]].map(|first| hex::encode([&first[..], &[0; 31]].concat()));
    json!({
        "what": "an Ed25519 signature under a label; its other form; keys that are refused",
        "seed": seed_text,
        "key": hex::encode(identity.public().as_bytes()),
        "label": String::from_utf8(labels::BATCH_SIGNATURE.to_vec()).unwrap(),
        "message": hex::encode(message),
        "signature": hex::encode(signature.as_bytes()),
        "refused_signature": hex::encode(larger),
        "refused_keys": [
            weak[0], weak[1],
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "0200000000000000000000000000000000000000000000000000000000000000",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ],
    })
}

fn certificate(rng: &mut ChaCha20Rng) -> Value {
    let keys: Vec<_> = (0..4).map(|_| Identity::generate(rng)).collect();
    let validators: Vec<PublicIdentity> = keys.iter().map(Identity::public).collect();
    let (consortium, block) = ([1; 32], [7; 32]);
    let kind = VoteKind::Precommit;
    let ballot = Ballot { consortium, kind, height: 9, round: 2, block: Some(block) }.to_bytes();
    let vote = |i: u16| (i, keys[usize::from(i)].sign(labels::VOTE_SIGNATURE, &ballot));
    let of = |votes: &[u16]| {
        let votes = votes.iter().map(|i| vote(*i)).collect();
        hex::encode(borsh::to_vec(&Certificate { height: 9, round: 2, block, votes }).unwrap())
    };
    json!({
        "what": "a certificate of three of four validators, and some that are refused",
        "consortium": hex::encode(consortium),
        "validators": validators.iter().map(|key| hex::encode(key.as_bytes())).collect::<Vec<_>>(),
        "ballot": hex::encode(&ballot),
        "certificate": of(&[0, 2, 3]),
        "refused": {"too few": of(&[0, 2]), "doubled": of(&[0, 2, 2]), "out of order": of(&[2, 0, 3])},
    })
}

fn view_key(rng: &mut ChaCha20Rng) -> Value {
    let (seed, seed_text) = secret(rng);
    let key = ViewKey::from_seed(&seed);
    let opening = Opening::random(123_456, rng);
    let t = Scalar::random(rng);
    let owner = key.public().owner_key(&t);
    let context = b"bank-a\0and its identity";
    json!({
        "what": "a view key; a commitment with its handle; a one-time key; a proof of possession",
        "seed": seed_text,
        "public": hex::encode(key.public().encoded().as_bytes()),
        "amount": 123_456,
        "blinding": hex::encode(opening.blinding.as_bytes()),
        "commitment": hex::encode(Encoded::from(&opening.commit()).as_bytes()),
        "handle": hex::encode(Encoded::from(&key.public().handle(&opening.blinding)).as_bytes()),
        "t": hex::encode(t.as_bytes()),
        "owner_key": hex::encode(borsh::to_vec(&owner).unwrap()),
        "context": hex::encode(context),
        "possession": hex::encode(key.prove_possession(context, rng)),
    })
}

fn envelope(rng: &mut ChaCha20Rng) -> Value {
    let ((seed, seed_text), (key, key_text)) = (secret(rng), secret(rng));
    let recipient = EnvelopeKey::from_seed(&seed);
    let envelope = recipient.public().seal(b"the batch's place", &key, rng).unwrap();
    json!({
        "what": "a 32-byte key in an envelope",
        "seed": seed_text,
        "public": hex::encode(recipient.public().as_bytes()),
        "context": hex::encode(b"the batch's place"),
        "envelope": hex::encode(borsh::to_vec(&envelope).unwrap()),
        "key": key_text,
    })
}

fn section(rng: &mut ChaCha20Rng) -> Value {
    let ((key, key_text), (a, a_text), (b, b_text)) = (secret(rng), secret(rng), secret(rng));
    let plain = b"30000 of principal";
    let section = Section::seal(&key, b"the section's place", plain, 64, &[a, b]).unwrap();
    json!({
        "what": "a sealed section, its key wrapped for two viewers",
        "key": key_text,
        "context": hex::encode(b"the section's place"),
        "class": 64,
        "plain": hex::encode(plain),
        "viewers": [a_text, b_text],
        "section": hex::encode(borsh::to_vec(&section).unwrap()),
    })
}

/// Three secrets, two equations, a point that takes part twice, a point that is a combination.
fn sigma(rng: &mut ChaCha20Rng) -> Value {
    let opening = Opening::random(42, rng);
    let viewer = ViewKey::from_seed(&SecretBytes::random(rng)).public();
    let (commitment, handle) = (opening.commit(), viewer.handle(&opening.blinding));
    let mut statement = Statement::new(b"a handle opens what is committed");
    let [v, r, doubled] = [statement.secret(), statement.secret(), statement.secret()];
    let [b, b_blinding] = [pedersen::value_base(), pedersen::blinding_base()].map(|p| statement.point(&p));
    let form = |point| Form::from(Element::from(point));
    statement.require(&form(&commitment), &[(v, b), (r, b_blinding)]);
    // The same equation of handle and key, twice the handle and three times the key on one side and the other.
    let mut twice = Form::of(Element::from(&handle), Scalar::from(2u64));
    twice.add(&form(&viewer.point()), &Scalar::from(3u64));
    let key = statement.point(&viewer.point());
    statement.require(&twice, &[(doubled, key)]);
    let mut transcript = Transcript::new(b"vectors");
    let [two, three] = [2u64, 3].map(Scalar::from);
    let witness = [opening.value, opening.blinding, two * opening.blinding + three];
    let proof = statement.prove(&mut transcript, &witness, rng).to_bytes();
    let mut after = [0; 32];
    transcript.challenge_bytes(b"after", &mut after);
    let elements = [pedersen::value_base(), pedersen::blinding_base(), commitment, viewer.point(), handle]
        .map(|point| hex::encode(Encoded::from(&point).as_bytes()));
    json!({
        "what": "a sigma proof: points (terms of element and coefficient), equations (image, terms of secret and point), and what is drawn after it",
        "transcript": "vectors",
        "name": "a handle opens what is committed",
        "secrets": 3,
        "elements": elements,
        "points": [[[0, 1]], [[1, 1]], [[2, 1]], [[3, 1]], [[4, 2], [3, 3]]],
        "equations": [{"image": 2, "terms": [[0, 0], [1, 1]]}, {"image": 4, "terms": [[2, 3]]}],
        "proof": hex::encode(proof),
        "after": hex::encode(after),
    })
}

fn range_proof(width: Width, values: &[u64], rng: &mut ChaCha20Rng) -> Value {
    let openings: Vec<_> = values.iter().map(|v| Opening::random(*v, rng)).collect();
    let blindings: Vec<_> = openings.iter().map(|opening| opening.blinding).collect();
    let mut transcript = Transcript::new(b"vectors");
    let proof = range::prove(width, values, &blindings, &mut transcript, rng).unwrap();
    let commitments = openings.iter().map(|opening| hex::encode(Encoded::from(&opening.commit()).as_bytes()));
    json!({
        "what": "an aggregated range proof",
        "transcript": "vectors",
        "bits": width.bits(),
        "values": values,
        "commitments": commitments.collect::<Vec<_>>(),
        "proof": hex::encode(proof),
    })
}

/// A relation of three ranges and nothing else; and a forgery whose second value is one above its bound, proven as if it were
/// the bound: of its equations only that over the commitments is false.
fn packed_ranges(rng: &mut ChaCha20Rng) -> Value {
    let bounds = [1, 200, u64::MAX];
    let mut proven = |values: [u64; 3]| {
        let openings = values.map(|value| Opening::random(value, rng));
        let mut relation = Relation::new(Suite::Packed, b"three ranges");
        for (opening, bound) in openings.iter().zip(bounds) {
            relation.in_range(Bound::Exactly(bound), &Committed::open(opening.clone()));
        }
        let mut transcript = Transcript::new(b"vectors");
        let sigma = relation.prove_sigma(&mut transcript, rng);
        let nearest = |bound: u64, opening: &Opening| opening.amount().map(|amount| amount.min(bound));
        let ranges = relation.prove_ranges(NonZeroUsize::MIN, &mut transcript, rng, nearest).unwrap();
        json!({
            "commitments": openings.map(|opening| hex::encode(Encoded::from(&opening.commit()).as_bytes())).to_vec(),
            "proofs": hex::encode(borsh::to_vec(&Proofs { sigma, ranges }).unwrap()),
        })
    };
    json!({
        "what": "a relation of suite 2 with three ranges and no equation: commitments and proofs; the same of a value too large",
        "transcript": "vectors",
        "name": "three ranges",
        "bounds": bounds,
        "true": proven([1, 200, 12_345]),
        "false": proven([1, 201, 12_345]),
    })
}

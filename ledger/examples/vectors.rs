//! Makes the stored vectors that are missing from a folder: `cargo run --release -p counterfoil-ledger --example vectors -- ledger/vectors`.
//!
//! A vector is made once and kept for ever: a file that exists is never written again. Each has a seed of its own, so that a
//! new one changes no other. All keys in them are known to everybody.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a tool of the developers")]

use counterfoil_crypto::{
    labels, quorum::Ballot, quorum::Certificate, quorum::VoteKind, secret::SecretBytes,
};
use counterfoil_ledger::{
    block::{Block, BlockHeader, VERSION, batches_root},
    genesis::{Consortium, Genesis, Keys, Role},
};
use counterfoil_policy::Product;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

const NAMES: [&str; 4] = ["bank-a", "bank-b", "bank-c", "regulator"];

/// Two products: three parts and an auditor; two parts, 64 bits, nobody to audit and nothing that the servicer must keep.
const PRODUCTS: [&str; 2] = [
    r#"name = "micro-loan"
currency = "CNY"
width = 32
cap = "60000.00"
parts = 3
share_units = 100
min_servicer_share = 30
auditors = ["regulator"]

[weights]
bank-a = 30
bank-b = 40
bank-c = 20
"#,
    r#"# A comment, other spellings: the same product has the same hash.
name = 'bridge'
currency = 'JPY'
width = 64
cap = '900000000000'
parts = 2
share_units = 0x60
min_servicer_share = 0
auditors = []
weights = { bank-c = 1, bank-a = 2 }
"#,
];

type Maker = fn(&mut ChaCha20Rng) -> Value;

const VECTORS: [(&str, Maker); 2] = [("genesis", genesis), ("block", block)];

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: vectors FOLDER"));
    for (name, make) in VECTORS {
        let path = folder.join(format!("{name}.json"));
        if path.exists() {
            continue;
        }
        let value = make(&mut rng(name));
        fs::write(&path, serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
        println!("made {}", path.display());
    }
}

fn rng(name: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(blake3::derive_key("counterfoil/1 ledger vectors", name.as_bytes()))
}

/// The members' seeds and the genesis of all vectors.
fn founded() -> (Vec<SecretBytes>, Genesis) {
    let mut rng = rng("genesis");
    let seeds: Vec<_> = NAMES.iter().map(|_| SecretBytes::random(&mut rng)).collect();
    let member = |(name, seed): (&&str, &SecretBytes)| {
        let role = if *name == "regulator" { Role::Regulator } else { Role::Bank };
        Keys::from_seed(seed).register(name, role, &mut rng)
    };
    let members = NAMES.iter().zip(&seeds).map(member).collect();
    let products = PRODUCTS.map(str::to_owned).to_vec();
    (seeds, Genesis { version: 1, name: "vectors".into(), members, products })
}

fn genesis(_: &mut ChaCha20Rng) -> Value {
    let (seeds, genesis) = founded();
    let consortium = Consortium::found(genesis.clone()).unwrap();
    let policies: Vec<_> = consortium.products().map(|(_, terms)| hex::encode(terms.policy)).collect();
    let canonical: Vec<_> =
        PRODUCTS.iter().map(|text| hex::encode(Product::parse(text).unwrap().to_bytes())).collect();
    json!({
        "what": "a consortium of three banks and a regulator with two products",
        "seeds": seeds.iter().map(|seed| hex::encode(seed.expose())).collect::<Vec<_>>(),
        "genesis": hex::encode(borsh::to_vec(&genesis).unwrap()),
        "id": hex::encode(consortium.id()),
        "products": canonical,
        "policies": policies,
    })
}

fn block(_: &mut ChaCha20Rng) -> Value {
    let (seeds, genesis) = founded();
    let consortium = Consortium::found(genesis).unwrap();
    let batches = vec![b"the first batch".to_vec(), b"the second".to_vec(), Vec::new()];
    let header = BlockHeader {
        version: VERSION,
        consortium: consortium.id(),
        height: 2,
        previous: [0x11; 32],
        batches: batches_root(&batches),
        state: [0x22; 32],
    };
    let block = header.id();
    let kind = VoteKind::Precommit;
    let ballot = Ballot { consortium: consortium.id(), kind, height: 2, round: 0, block: Some(block) };
    let vote = |(index, seed): (u16, &SecretBytes)| {
        (index, Keys::from_seed(seed).identity.sign(labels::VOTE_SIGNATURE, &ballot.to_bytes()))
    };
    let votes = (0..3).zip(&seeds).map(vote).collect();
    json!({
        "what": "a block (its batches are opaque to it) with the certificate of all three banks of genesis.json",
        "header": hex::encode(borsh::to_vec(&header).unwrap()),
        "id": hex::encode(block),
        "block": hex::encode(Block { header, batches }.to_bytes()),
        "certificate": hex::encode(borsh::to_vec(&Certificate { height: 2, round: 0, block, votes }).unwrap()),
    })
}

//! Stored vectors (`ledger/vectors`): bytes that were made once and must stay valid for ever.
//!
//! **If one of these tests fails**, the code no longer reads what members have signed and stored. Mend the code. A new form
//! gets a new suite or version and new vectors beside the old ones; a vector is never changed, and never made again.
//! (`ledger/examples/vectors.rs` makes those that are missing and says how.)

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test that meets the unexpected should stop"
)]

#[path = "../../crypto/tests/stored/mod.rs"]
mod stored;

use counterfoil_crypto::{encoding::Encoded, quorum::Certificate, secret::SecretBytes};
use counterfoil_ledger::{
    attestation::digest,
    batch::Sealed,
    block::{Block, BlockHeader},
    genesis::{Consortium, Genesis, Keys},
    names::MemberId,
    rejection::Rejection,
    transaction::{Transaction, admit},
    verify::verify,
};
use counterfoil_policy::Product;
use rand_core::OsRng;
use serde_json::Value;
use std::{fs, path::Path};
use stored::{FAILED, array, bytes, list, vector};

/// How many batches are stored. One more is counted here; there are never fewer.
const BATCHES: usize = 43;

/// The names of all stored batches.
fn batch_names() -> Vec<String> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let batches = names.filter(|name| name.starts_with("suite-") && !name.ends_with(".refused.json"));
    let names: Vec<_> = batches.map(|name| name.trim_end_matches(".json").to_owned()).collect();
    assert_eq!(names.len(), BATCHES, "a stored batch was removed, or one was added and not counted");
    names
}

/// Reads bytes and shows that they are the one encoding of what they say.
fn decoded<T: borsh::BorshSerialize + borsh::BorshDeserialize>(bytes: &[u8]) -> T {
    let value = borsh::from_slice(bytes).unwrap();
    assert_eq!(borsh::to_vec(&value).unwrap(), bytes, "{FAILED}");
    value
}

fn consortium() -> Consortium {
    Consortium::found(decoded(&bytes(&vector("genesis")["genesis"]))).unwrap()
}

#[test]
fn genesis() {
    let v = vector("genesis");
    let genesis: Genesis = decoded(&bytes(&v["genesis"]));
    let consortium = Consortium::found(genesis.clone()).unwrap();
    assert_eq!(consortium.id(), array(&v["id"]), "{FAILED}");
    for (member, seed) in genesis.members.iter().zip(list(&v["seeds"])) {
        let keys = Keys::from_seed(&SecretBytes::new(array(seed)));
        assert_eq!(keys.identity.public(), member.identity, "{FAILED}");
        assert_eq!(keys.view.public().encoded(), member.view_key, "{FAILED}");
        assert_eq!(keys.envelope.public(), member.envelope_key, "{FAILED}");
    }
    assert_eq!(genesis.products.len(), 3);
    for (text, (canonical, policy)) in
        genesis.products.iter().zip(list(&v["products"]).zip(list(&v["policies"])))
    {
        let product = Product::parse(text).unwrap();
        assert_eq!(product.to_bytes(), bytes(canonical), "{FAILED}");
        assert_eq!(product.hash(), array(policy), "{FAILED}");
    }
}

#[test]
fn blocks() {
    let v = vector("block");
    let header: BlockHeader = decoded(&bytes(&v["header"]));
    assert_eq!(header.id(), array(&v["id"]), "{FAILED}");
    let block = Block::from_bytes(&bytes(&v["block"])).unwrap();
    assert_eq!(block.header, header, "{FAILED}");
    assert_eq!(block.to_bytes(), bytes(&v["block"]), "{FAILED}");
    let (consortium, certificate) = (consortium(), decoded::<Certificate>(&bytes(&v["certificate"])));
    assert_eq!(certificate.block, header.id(), "{FAILED}");
    assert_eq!(certificate.verify(consortium.id(), &consortium.validators()), Ok(()), "{FAILED}");
}

/// Every batch that was ever stored, whatever its suite, still verifies.
#[test]
fn batches() {
    let consortium = consortium();
    for name in batch_names() {
        let v = vector(&name);
        let sealed: Sealed = decoded(&bytes(&v["sealed"]));
        assert_eq!(sealed.batch.id(), array(&v["id"]), "{name}: {FAILED}");
        let verified = verify(&consortium, &sealed.to_bytes(), &mut OsRng);
        assert_eq!(verified.map(|v| v.id()), Ok(sealed.batch.id()), "{name}: {FAILED}");
    }
}

/// Forgeries of every stored batch, by somebody who has the servicer's key: each is refused for its own reason.
#[test]
fn forgeries() {
    let consortium = consortium();
    for name in batch_names() {
        let (data, forgeries) = (bytes(&vector(&name)["sealed"]), vector(&format!("{name}.refused")));
        for forgery in list(&forgeries["forgeries"]) {
            let mut forged = data.clone();
            for piece in list(&forgery["pieces"]).rev() {
                let at = |i: usize| usize::try_from(piece[i].as_u64().unwrap()).unwrap();
                forged.splice(at(0)..at(1), bytes(&piece[2]));
            }
            let refusal =
                verify(&consortium, &forged, &mut OsRng).err().map(|refusal| format!("{refusal:?}"));
            assert_eq!(
                refusal.as_deref(),
                forgery["refusal"].as_str(),
                "{name}: {}: {FAILED}",
                forgery["what"]
            );
        }
    }
}

/// Reads a stored transaction, shows that its encoding is the one there is, and that its forgeries are refused.
fn transaction(consortium: &Consortium, v: &Value) -> Transaction {
    let data = bytes(&v["transaction"]);
    let read = Transaction::from_bytes(&data).unwrap();
    assert_eq!(read.to_bytes(), data, "{FAILED}");
    let admitted = admit(consortium, &data, &mut OsRng);
    assert_eq!(admitted.map(|admitted| admitted.id()), Ok(array(&v["id"])), "{FAILED}");
    assert!(list(&v["refused"]).count() >= 10);
    for forgery in list(&v["refused"]) {
        let refusal = admit(consortium, &bytes(&forgery["transaction"]), &mut OsRng).err();
        let refusal = refusal.map(|refusal| format!("{refusal:?}"));
        assert_eq!(refusal.as_deref(), forgery["refusal"].as_str(), "{}: {FAILED}", forgery["what"]);
    }
    read
}

/// Signed by its bank, hashed as the state hashes it, and opened by its auditors: each sees its products' accounts.
#[test]
fn attestations() {
    let (consortium, v) = (consortium(), vector("attestation"));
    let Transaction::Attestation(attestation) = transaction(&consortium, &v) else { panic!("{FAILED}") };
    let (content, genesis) = (&attestation.content, vector("genesis"));
    assert_eq!(digest(content.bank, &content.accounts), array(&v["accounts_hash"]), "{FAILED}");
    let keys = |member: usize| Keys::from_seed(&SecretBytes::new(array(&genesis["seeds"][member])));
    let read = |member: u16| attestation.open(&consortium, MemberId(member), &keys(usize::from(member)));
    let (regulator, bank_b) = (read(3), read(1));
    assert_eq!([regulator.len(), bank_b.len(), read(0).len(), read(2).len()], [5, 1, 0, 0], "{FAILED}");
    assert!(bank_b.iter().all(|(account, opening)| regulator.get(account) == Some(opening)), "{FAILED}");
    for (account, expected) in content.accounts.iter().zip(list(&v["accounts"])) {
        assert_eq!(*account.balance.as_bytes(), array(&expected["balance"]), "{FAILED}");
        let Some(opened) = regulator.get(account) else {
            assert_eq!(expected["product"], 1, "{FAILED}");
            continue;
        };
        let opening = opened.as_ref().map(|opening| opening.opening().unwrap());
        assert_eq!(opening.is_none(), expected["value"].is_null(), "{FAILED}");
        if let Some(opening) = opening {
            assert_eq!(opening.value.to_bytes(), array(&expected["value"]), "{FAILED}");
            assert_eq!(opening.blinding.to_bytes(), array(&expected["blinding"]), "{FAILED}");
            assert_eq!(Encoded::from(&opening.commit()), account.balance, "{FAILED}");
        }
    }
}

#[test]
fn decrees() {
    let v = vector("decree");
    let Transaction::Decree(decree) = transaction(&consortium(), &v) else { panic!("{FAILED}") };
    assert_eq!(decree.retirement.suite, v["suite"], "{FAILED}");
    assert_eq!(decree.retirement.from, v["from"], "{FAILED}");
    assert_eq!(decree.votes.len(), 3, "{FAILED}");
}

/// Numbers of refusals are a promise: the specification lists all of them.
#[test]
fn refusals() {
    // Line breaks may fall anywhere.
    let words: Vec<_> = include_str!("../docs/SPECIFICATION.md").split_whitespace().collect();
    let specification = words.join(" ");
    let refusals: Vec<Rejection> = (0..=u8::MAX).map_while(|code| borsh::from_slice(&[code]).ok()).collect();
    assert!(refusals.len() >= 20, "{refusals:?}");
    for refusal in refusals {
        let (code, name) = (refusal.code(), format!("`{refusal:?}`"));
        let listed = [format!("| {code} | {name} |"), format!(" {code} {name}")];
        assert!(
            listed.iter().any(|row| specification.contains(row)),
            "{code} {name} is not in the specification"
        );
    }
}

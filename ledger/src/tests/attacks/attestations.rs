//! Attestations that must be refused, each for its stated reason.

use crate::{
    attestation::{AttestedAccount, Content},
    draft::Events,
    genesis::Consortium,
    names::{AccountKind, ProductId},
    rejection::Rejection,
    tests::{
        blocks::Blocks,
        world::{PRODUCT, member},
    },
    transaction::{Admitted, MAX_BYTES, Wire, admit},
};
use counterfoil_crypto::encoding::Encoded;
use rand_core::OsRng;

fn top_up() -> Events {
    Events::Fund(vec![(member(1), 5)])
}

/// An epoch has ended, nobody has attested.
fn ended(seed: u64) -> Blocks {
    let mut blocks = Blocks::new(seed);
    blocks.book(top_up());
    blocks.book(top_up());
    blocks
}

/// What becomes of bank-b's attestation when it is changed before bank-b signs it.
fn changed(blocks: &mut Blocks, change: impl FnOnce(&mut Content)) -> Option<Rejection> {
    let mut content = blocks.content(1);
    change(&mut content);
    let bytes = blocks.signed(1, content);
    blocks.fate(&bytes)
}

#[test]
fn an_attestation_is_taken_once() {
    let mut blocks = ended(150);
    let bytes = blocks.signed(1, blocks.content(1));
    assert_eq!(blocks.fate(&bytes), None);
    assert_eq!(blocks.fate(&bytes), Some(Rejection::Attested), "a replay");
    assert_eq!(changed(&mut blocks, |_| ()), Some(Rejection::Attested), "sealed again");
    // Two in one block: the first stands.
    let two = [2, 2].map(|bank| blocks.admit(&blocks.signed(bank, blocks.content(bank))).unwrap());
    assert_eq!(blocks.decide(&two), [None, Some(Rejection::Attested)]);
}

#[test]
fn an_attestation_is_signed_by_its_bank() {
    let mut blocks = ended(151);
    let content = blocks.content(1);
    let by_another = blocks.signed(2, content);
    assert_eq!(blocks.fate(&by_another), Some(Rejection::Signature));
    assert_eq!(changed(&mut blocks, |content| content.bank = member(2)), Some(Rejection::Signature));
    assert_eq!(changed(&mut blocks, |content| content.bank = member(4)), Some(Rejection::Member));
    assert_eq!(changed(&mut blocks, |content| content.bank = member(9)), Some(Rejection::Member));
}

#[test]
fn an_attestation_is_of_this_consortium() {
    let mut blocks = ended(152);
    assert_eq!(changed(&mut blocks, |content| content.consortium = [7; 32]), Some(Rejection::Consortium));
    let mut genesis = blocks.world.consortium.genesis().clone();
    genesis.name = "twin".into();
    let twin = Consortium::found(genesis).unwrap();
    let bytes = blocks.signed(1, blocks.content(1));
    assert_eq!(admit(&twin, &bytes, &mut OsRng).err(), Some(Rejection::Consortium));
}

#[test]
fn an_attestation_is_of_the_epoch_that_ended_last() {
    let mut blocks = Blocks::new(153);
    blocks.book(top_up());
    assert_eq!(changed(&mut blocks, |content| content.epoch = 1), Some(Rejection::Epoch), "none has ended");
    blocks.book(top_up());
    assert_eq!(changed(&mut blocks, |content| content.epoch = 2), Some(Rejection::Epoch), "not yet");
    assert_eq!(changed(&mut blocks, |content| content.epoch = 0), Some(Rejection::Epoch));
    let late = blocks.signed(1, blocks.content(1));
    blocks.book(top_up());
    blocks.book(top_up());
    assert_eq!(blocks.fate(&late), Some(Rejection::Epoch), "too late");
    // The accounts of the epoch before, under the number of the last.
    assert_eq!(blocks.snapshot().unwrap().epoch, 2);
    let (now, then) = (blocks.content(1), blocks.admit(&late).unwrap());
    let Admitted::Attestation(then) = then else { panic!("an attestation") };
    let accounts = then.attestation().content.accounts.clone();
    assert_ne!(now.accounts, accounts);
    assert_eq!(changed(&mut blocks, |content| content.accounts = accounts), Some(Rejection::Accounts));
}

#[test]
fn an_attestation_names_the_accounts_as_they_stood() {
    type Change = fn(&mut Content);
    let changes: [Change; 3] = [
        |content| content.accounts[0].balance = crate::verify::zero(),
        |content| content.accounts[0].balance = Encoded::from_bytes([0xff; 32]),
        |content| content.accounts.swap(0, 1),
    ];
    let mut blocks = ended(154);
    let refused: Vec<_> = changes.map(|change| changed(&mut blocks, change)).to_vec();
    assert_eq!(refused, [Some(Rejection::Accounts), Some(Rejection::Accounts), Some(Rejection::Shape)]);
    // Honest accounts, of now and not of the epoch's end.
    blocks.book(top_up());
    assert_eq!(changed(&mut blocks, |_| ()), Some(Rejection::Accounts));
}

#[test]
fn counts_that_differ_are_a_wrong_shape() {
    type Change = fn(&mut Content);
    let changes: [Change; 8] = [
        |content| content.accounts.clear(),
        |content| content.accounts.truncate(1),
        |content| content.accounts.extend(content.accounts.last().copied()),
        |content| content.envelopes.clear(),
        |content| content.envelopes.extend(content.envelopes.last().cloned()),
        |content| content.sections.clear(),
        |content| content.sections[0].ciphertext.push(0),
        |content| content.sections[0].wraps.clear(),
    ];
    let mut blocks = ended(155);
    for (number, change) in changes.into_iter().enumerate() {
        assert_eq!(changed(&mut blocks, change), Some(Rejection::Shape), "change {number}");
    }
    let unknown = AttestedAccount {
        product: ProductId(PRODUCT.0 + 1),
        servicer: member(0),
        kind: AccountKind::Loans,
        balance: crate::verify::zero(),
    };
    assert_eq!(changed(&mut blocks, |content| content.accounts.push(unknown)), Some(Rejection::Product));
}

#[test]
fn every_prefix_and_every_trailing_byte_is_malformed() {
    let blocks = ended(156);
    let bytes = blocks.signed(1, blocks.content(1));
    for length in 0..bytes.len() {
        assert_eq!(blocks.admit(&bytes[..length]).err(), Some(Rejection::Malformed), "{length} bytes");
    }
    for trailing in [&[0][..], &[1], &bytes] {
        assert_eq!(blocks.admit(&[&bytes, trailing].concat()).err(), Some(Rejection::Malformed));
    }
    for (at, byte) in [(0, 2), (1, 3), (1, 0), (1, 2)] {
        let mut other = bytes.clone();
        other[at] = byte;
        assert_eq!(blocks.admit(&other).err(), Some(Rejection::Malformed), "byte {at} is {byte}");
    }
    // The length of the accounts claims 4 GiB: after version, tag, consortium, bank, epoch.
    let mut long = bytes.clone();
    long[2 + 32 + 2 + 8..][..4].fill(0xff);
    assert_eq!(blocks.admit(&long).err(), Some(Rejection::Malformed));
    assert_eq!(Wire::of(&vec![1; MAX_BYTES + 1]), Err(Rejection::Malformed));
}

/// Every bit of an attestation that is flipped is refused: what is not signed is the signature.
#[test]
fn no_flipped_bit_is_accepted() {
    let blocks = ended(157);
    let bytes = blocks.signed(1, blocks.content(1));
    for bit in (0..bytes.len() * 8).step_by(13) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(blocks.admit(&flipped).is_err(), "bit {bit}");
    }
}

/// Sealed to its auditors: nobody else reads it, and two attestations of the same have nothing in common.
#[test]
fn an_attestation_is_read_by_its_auditors_alone() {
    let blocks = ended(158);
    let (one, two) = (blocks.content(1), blocks.content(1));
    assert_ne!(one.sections[0].ciphertext, two.sections[0].ciphertext);
    let attestation = crate::attestation::Attestation::sign(one, &blocks.world.keys[1]);
    let read = |reader: u16, keys: u16| {
        let keys = &blocks.world.keys[usize::from(keys)];
        attestation.open(&blocks.world.consortium, member(reader), keys).len()
    };
    assert_eq!([(4, 4), (4, 2), (2, 2), (1, 1)].map(|(reader, keys)| read(reader, keys)), [2, 0, 0, 0]);
}

//! Attack 6: bits flipped, bytes cut off or added, vectors too long, entries doubled.

use super::forge::{honest, refusal_of, resigned, scene};
use crate::{
    batch::{MAX_BYTES, MAX_LOANS, Sealed},
    body::{Body, Touched},
    rejection::Rejection,
    verify::verify,
};
use rand_core::OsRng;

fn refusal_of_bytes(bytes: &[u8]) -> Option<Rejection> {
    verify(&scene().wallet.consortium, bytes, &mut OsRng).err()
}

/// A stride that is prime to 8, so that every bit of a byte has its turn.
#[test]
fn no_flipped_bit_is_accepted() {
    let bytes = honest(|scene| &scene.repay).to_bytes();
    for bit in (0..bytes.len() * 8).step_by(97) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(refusal_of_bytes(&flipped).is_some(), "bit {bit}");
    }
}

/// The same by the servicer itself, who signs again what it changed.
#[test]
fn no_flipped_bit_is_accepted_when_signed_again() {
    let sealed = honest(|scene| &scene.repay);
    let bytes = borsh::to_vec(&(&sealed.batch.content, &sealed.batch.proofs)).unwrap();
    let mut reached_the_proofs = 0;
    for bit in (0..bytes.len() * 8).step_by(131) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let Ok((content, proofs)) = borsh::from_slice(&flipped) else { continue };
        let signed = resigned(sealed.clone(), |sealed| {
            sealed.batch.content = content;
            sealed.batch.proofs = proofs;
        });
        if signed.batch.content == sealed.batch.content && signed.batch.proofs == sealed.batch.proofs {
            continue; // The root of the records was flipped, and put right again.
        }
        let refusal = refusal_of(&signed);
        assert!(refusal.is_some(), "bit {bit}");
        reached_the_proofs += usize::from(refusal >= Some(Rejection::Sigma));
    }
    assert!(reached_the_proofs > 100, "{reached_the_proofs}");
}

#[test]
fn prefixes_and_trailing_bytes_are_malformed() {
    let bytes = honest(|scene| &scene.repay).to_bytes();
    for length in (0..bytes.len()).step_by(53) {
        assert_eq!(refusal_of_bytes(&bytes[..length]), Some(Rejection::Malformed), "{length} bytes");
    }
    for trailing in [&[0][..], &[1], &bytes] {
        assert_eq!(refusal_of_bytes(&[&bytes, trailing].concat()), Some(Rejection::Malformed));
    }
    assert_eq!(refusal_of_bytes(&vec![1; MAX_BYTES + 1]), Some(Rejection::Malformed));
    let other_version = [&[2], &bytes[1..]].concat();
    assert_eq!(refusal_of_bytes(&other_version), Some(Rejection::Malformed));
}

/// A length of 4 GiB anywhere is refused before anything of that size is allocated.
#[test]
fn lengths_beyond_the_bytes_are_refused() {
    let bytes = honest(|scene| &scene.repay).to_bytes();
    let sampled = (0..bytes.len() - 4).step_by(101);
    // And where the first vector's length stands: after the header and the tag of the body.
    let header = borsh::to_vec(&scene().repay.header).unwrap().len();
    for at in sampled.chain([header + 1]) {
        let mut long = bytes.clone();
        long[at..at + 4].fill(0xff);
        assert!(long == bytes || refusal_of_bytes(&long).is_some(), "at {at}");
    }
    let mut long = bytes;
    long[header + 1..header + 5].fill(0xff);
    assert_eq!(refusal_of_bytes(&long), Some(Rejection::Malformed));
}

/// Every count is the one that product and consortium ask for.
#[test]
fn counts_that_differ_are_a_wrong_shape() {
    type Change = fn(&mut Sealed);
    fn doubled<T: Clone>(items: &mut Vec<T>) {
        items.extend(items.last().cloned());
    }
    fn lent(
        sealed: &mut Sealed,
    ) -> &mut Body<counterfoil_crypto::encoding::Encoded, counterfoil_crypto::encoding::Encoded> {
        &mut sealed.batch.content.body
    }
    let changes: [Change; 16] = [
        |s| {
            if let Body::Originate { loans, .. } = lent(s) {
                loans.clear()
            }
        },
        |s| {
            if let Body::Originate { loans, .. } = lent(s) {
                doubled(loans)
            }
        },
        |s| {
            if let Body::Originate { loans, .. } = lent(s) {
                doubled(&mut loans[0].parts)
            }
        },
        |s| {
            if let Body::Originate { loans, .. } = lent(s) {
                drop(loans[1].parts.pop())
            }
        },
        |s| {
            if let Body::Originate { reserves, .. } = lent(s) {
                doubled(reserves)
            }
        },
        |s| {
            if let Body::Originate { reserves, .. } = lent(s) {
                reserves.clear()
            }
        },
        |s| {
            if let Body::Originate { postings, .. } = lent(s) {
                doubled(postings)
            }
        },
        |s| {
            if let Body::Originate { postings, .. } = lent(s) {
                drop(postings.pop())
            }
        },
        |s| doubled(&mut s.records.envelopes),
        |s| doubled(&mut s.records.records),
        |s| doubled(&mut s.records.records[0].shares),
        |s| doubled(&mut s.records.records[0].shares[0].wraps),
        |s| doubled(&mut s.records.records[1].shares[0].ciphertext),
        |s| s.records.records[0].identity = None,
        |s| doubled(&mut s.records.records[0].identity.as_mut().unwrap().wraps),
        |s| s.records.records[0].terms.as_mut().unwrap().wraps.truncate(4),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let sealed = resigned(honest(|scene| &scene.originate), change);
        assert_eq!(refusal_of(&sealed), Some(Rejection::Shape), "change {number}");
    }
    let many = resigned(honest(|scene| &scene.originate), |sealed| {
        if let Body::Originate { loans, .. } = &mut sealed.batch.content.body {
            loans.resize(MAX_LOANS + 1, loans[0].clone());
            let record = sealed.records.records[0].clone();
            sealed.records.records.resize(MAX_LOANS + 1, record);
        }
    });
    let too_large = many.to_bytes().len() > MAX_BYTES;
    assert_eq!(refusal_of(&many), Some(if too_large { Rejection::Malformed } else { Rejection::Shape }));
}

/// A loan twice in one batch would start twice from one balance.
#[test]
fn a_loan_twice_in_one_batch_is_a_wrong_shape() {
    let sealed = resigned(honest(|scene| &scene.repay), |sealed| {
        if let Body::Repay(Touched { loans, .. }) = &mut sealed.batch.content.body {
            loans.extend(loans.last().cloned());
            sealed.records.records.extend(sealed.records.records.last().cloned());
        }
    });
    assert_eq!(refusal_of(&sealed), Some(Rejection::Shape));
}

/// A top-up takes nothing up.
#[test]
fn a_top_up_that_merges_is_a_wrong_shape() {
    let sealed = resigned(honest(|scene| &scene.fund), |sealed| sealed.batch.content.header.merged = 1);
    assert_eq!(refusal_of(&sealed), Some(Rejection::Shape));
}

//! Attack 5: proofs made for something else. Attack 13: signatures of somebody else.

use super::forge::{forged, honest, refusal_of, resigned, scene, sketched, verdict};
use crate::{
    batch::{Batch, Header, Sealed},
    body::{Body, Touched},
    draft::Events,
    genesis::{Consortium, Keys},
    names::{Date, Kind, LoanId, MemberId, ProductId},
    rejection::Rejection,
    tests::world::{World, member},
    wallet::Wallet,
};
use counterfoil_crypto::{identity::Signature, secret::SecretBytes};
use rand_core::OsRng;
use std::sync::Arc;

/// Another header over the proofs of an honest batch.
fn under(change: impl FnOnce(&mut Header)) -> Option<Rejection> {
    let sealed = honest(|scene| &scene.repay);
    refusal_of(&resigned(sealed, |sealed| change(&mut sealed.batch.content.header)))
}

#[test]
fn a_header_is_what_the_proofs_were_made_under() {
    type Change = fn(&mut Header);
    let cases: [(Change, Rejection); 14] = [
        (|h| h.consortium = [7; 32], Rejection::Consortium),
        (|h| h.suite = 0, Rejection::Suite),
        (|h| h.suite = 3, Rejection::Suite),
        // A suite that is in use, but not the one of these proofs.
        (|h| h.suite = 1, Rejection::Range),
        (|h| h.servicer = member(4), Rejection::Member),
        (|h| h.servicer = member(9), Rejection::Member),
        (|h| h.product = ProductId(1), Rejection::Product),
        (|h| h.policy = [7; 32], Rejection::Policy),
        (|h| h.kind = Kind::Originate, Rejection::Shape),
        (|h| h.sequence += 1, Rejection::Sigma),
        (|h| h.previous = [7; 32], Rejection::Sigma),
        (|h| h.merged = 0, Rejection::Sigma),
        (|h| h.value_date = Date(1), Rejection::Sigma),
        (|h| h.booking_date = Date(1), Rejection::Sigma),
    ];
    for (change, rejection) in cases {
        assert_eq!(under(change), Some(rejection));
    }
}

/// The same members and products under another name are another consortium, product by product.
#[test]
fn proofs_do_not_travel_to_a_twin_consortium() {
    let mut genesis = scene().wallet.consortium.genesis().clone();
    genesis.name = "twin".into();
    let twin = Consortium::found(genesis).unwrap();
    let sealed = honest(|scene| &scene.repay);
    assert_eq!(verdict(&twin, &sealed).err(), Some(Rejection::Consortium));
    let moved = resigned(sealed, |sealed| sealed.batch.content.header.consortium = twin.id());
    assert_eq!(verdict(&twin, &moved).err(), Some(Rejection::Sigma));
}

#[test]
fn proofs_do_not_travel_to_another_product() {
    let mut genesis = scene().wallet.consortium.genesis().clone();
    genesis.products.push(genesis.products[0].replace("micro-loan", "farm-loan"));
    let both = Arc::new(Consortium::found(genesis).unwrap());
    let wallet = Wallet::new(both.clone(), member(0), scene().wallet.keys.clone());
    let sealed = forged(&wallet, &sketched(&wallet, Events::Fund(vec![(member(1), 5)])));
    assert_eq!(verdict(&both, &sealed).err(), None);
    let to_product = |change: fn(&mut Header, &Consortium)| {
        let moved = resigned(sealed.clone(), |sealed| change(&mut sealed.batch.content.header, &both));
        verdict(&both, &moved).err()
    };
    assert_eq!(to_product(|header, _| header.product = ProductId(1)), Some(Rejection::Policy));
    let with_its_policy = |header: &mut Header, both: &Consortium| {
        header.product = ProductId(1);
        header.policy = both.terms(ProductId(1)).unwrap().policy;
    };
    assert_eq!(to_product(with_its_policy), Some(Rejection::Sigma));
}

#[test]
fn proofs_do_not_survive_another_order_or_other_loans() {
    type Change = fn(&mut Sealed);
    let lent: [Change; 3] = [
        |sealed| {
            let Body::Originate { loans, .. } = &mut sealed.batch.content.body else { return };
            loans.swap(0, 1);
            sealed.records.records.swap(0, 1);
        },
        |sealed| {
            let Body::Originate { loans, .. } = &mut sealed.batch.content.body else { return };
            loans[0].parts.swap(1, 2);
        },
        |sealed| {
            let Body::Originate { postings, .. } = &mut sealed.batch.content.body else { return };
            postings.swap(0, 1);
        },
    ];
    for change in lent {
        let sealed = resigned(honest(|scene| &scene.originate), change);
        assert_eq!(refusal_of(&sealed), Some(Rejection::Sigma));
    }
    let other_loan = resigned(honest(|scene| &scene.repay), |sealed| {
        let Body::Repay(Touched { loans, .. }) = &mut sealed.batch.content.body else { return };
        loans[0].loan = LoanId([7; 32]);
    });
    assert_eq!(refusal_of(&other_loan), Some(Rejection::Sigma));
}

/// Attack 11: two proofs of one batch are both good, and neither half goes with the other.
#[test]
fn halves_of_two_proofs_do_not_make_one() {
    let (a, b) = (honest(|scene| &scene.repay), honest(|scene| &scene.repay));
    assert_eq!([refusal_of(&a), refusal_of(&b)], [None, None]);
    let (sigma, ranges) = (b.batch.proofs.sigma.clone(), b.batch.proofs.ranges.clone());
    let mixed = resigned(a.clone(), |sealed| sealed.batch.proofs.sigma = sigma);
    // The sigma proof is good; the range proofs were made after another one.
    assert_eq!(refusal_of(&mixed), Some(Rejection::Range));
    assert_eq!(
        refusal_of(&resigned(a, |sealed| sealed.batch.proofs.ranges = ranges)),
        Some(Rejection::Range)
    );
}

#[test]
fn a_batch_is_signed_by_its_servicer() {
    let sealed = honest(|scene| &scene.repay);
    let Batch { content, proofs, .. } = sealed.batch.clone();
    let stranger = Keys::from_seed(&SecretBytes::random(&mut OsRng));
    let by_another = Batch::sign(content, proofs, &stranger.identity);
    let unsigned = Batch { signature: Signature::from_bytes([0; 64]), ..sealed.batch.clone() };
    for batch in [by_another, unsigned] {
        let forged = Sealed { batch, records: sealed.records.clone() };
        assert_eq!(refusal_of(&forged), Some(Rejection::Signature));
    }
    // In the name of another bank: its key is not the forger's.
    let in_the_name_of_another = under(|header| header.servicer = member(1));
    assert_eq!(in_the_name_of_another, Some(Rejection::Signature));
}

/// Attack 11: a generator that repeats itself makes no two batches with one seed.
#[test]
fn a_repeating_generator_does_not_repeat_blindings() {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
    let wallet = &scene().wallet;
    let batch = |amount: u64| {
        let draft = World::draft(Events::Fund(vec![(MemberId(1), amount)]));
        crate::seal::seal(wallet, &draft, &mut ChaCha20Rng::seed_from_u64(5)).unwrap()
    };
    let (a, b) = (batch(1), batch(2));
    assert_eq!(a, batch(1));
    // With equal blindings, the commitments to zero of the other banks would be equal.
    let (a, b) = (a.batch.content.body, b.batch.content.body);
    let (Body::Fund { postings: a }, Body::Fund { postings: b }) = (a, b) else { panic!("top-ups") };
    assert!(a.iter().zip(&b).all(|(a, b)| a.amount != b.amount));
}

/// What a batch opens stays closed to a forger's change of the records.
#[test]
fn records_are_those_that_the_batch_commits_to() {
    type Change = fn(&mut Sealed);
    let changes: [Change; 5] = [
        |sealed| sealed.records.records.swap(0, 1),
        |sealed| sealed.records.envelopes.swap(0, 1),
        |sealed| sealed.records.records[0].shares.swap(0, 1),
        |sealed| sealed.records.records[0].shares[0].ciphertext[9] ^= 1,
        |sealed| sealed.records.records[1].terms.as_mut().unwrap().wraps.swap(0, 3),
    ];
    for change in changes {
        let mut sealed = honest(|scene| &scene.originate);
        change(&mut sealed);
        assert_eq!(refusal_of(&sealed), Some(Rejection::Records));
    }
    let rerooted = resigned(honest(|scene| &scene.originate), |sealed| sealed.records.envelopes.swap(0, 1));
    // Signed again, the root is new, and the proofs are those of the old one.
    assert_eq!(refusal_of(&rerooted), Some(Rejection::Sigma));
}

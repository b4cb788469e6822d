//! Attack 8: points and scalars in a second form. Attack 7: proofs of other widths and counts. (Filler that is not zero is
//! tried where range proofs are made.)

use super::forge::{changed, forged, honest, refusal_of, resigned, scene, sketched};
use crate::{
    batch::Sealed,
    body::{Body, NewLoan},
    draft::Events,
    rejection::Rejection,
    tests::world::new_loan,
};
use counterfoil_crypto::{encoding::Encoded, relation::Suite};

fn lent(change: impl FnOnce(&mut Sealed)) -> Option<Rejection> {
    refusal_of(&resigned(honest(|scene| &scene.originate), change))
}

/// `p + 1` is 1 in another form, all ones is above the field, and 1 itself is a negative field element: no encodings.
fn not_canonical() -> [Encoded; 3] {
    let mut p_plus_1 = [0xff; 32];
    (p_plus_1[0], p_plus_1[31]) = (0xee, 0x7f);
    let mut one = [0; 32];
    one[0] = 1;
    [p_plus_1, [0xff; 32], one].map(Encoded::from_bytes)
}

#[test]
fn points_that_are_not_canonical_are_refused() {
    for point in not_canonical() {
        let places: [fn(&mut Sealed) -> &mut Encoded; 7] = [
            |s| &mut loans(s)[0].quotient,
            |s| &mut loans(s)[0].parts[0].share,
            |s| &mut loans(s)[0].parts[1].owner.0,
            |s| &mut loans(s)[0].parts[1].owner.1,
            |s| &mut loans(s)[1].parts[3].principal.amount,
            |s| &mut loans(s)[1].parts[3].principal.handles[0],
            |s| &mut loans(s)[1].parts[2].split.slack,
        ];
        for place in places {
            assert_eq!(lent(|sealed| *place(sealed) = point), Some(Rejection::Point));
        }
    }
}

fn loans(sealed: &mut Sealed) -> &mut Vec<NewLoan<Encoded, Encoded>> {
    match &mut sealed.batch.content.body {
        Body::Originate { loans, .. } => loans,
        _ => panic!("no new loans"),
    }
}

#[test]
fn scalars_that_are_not_canonical_are_refused() {
    let sigma = lent(|sealed| *sealed.batch.proofs.sigma.last_mut().unwrap() |= 0x80);
    assert_eq!(sigma, Some(Rejection::Sigma));
    // A range proof ends with two scalars.
    let range = lent(|sealed| *sealed.batch.proofs.ranges[0].last_mut().unwrap() |= 0x80);
    assert_eq!(range, Some(Rejection::Range));
}

/// In the suite with one proof per width: a new loan's 8, 16, 32 and 64 bits.
#[test]
fn proofs_of_other_widths_are_refused() {
    let by_width = changed(&scene().originate, |sketch| sketch.header.suite = Suite::Widths.number());
    let by_width = forged(&scene().wallet, &by_width);
    assert_eq!(by_width.batch.proofs.ranges.len(), 4);
    let lent = |change: fn(&mut Vec<Vec<u8>>)| {
        refusal_of(&resigned(by_width.clone(), |sealed| change(&mut sealed.batch.proofs.ranges)))
    };
    assert_eq!(lent(|_| {}), None);
    let missing = lent(|ranges| drop(ranges.pop()));
    let exchanged = lent(|ranges| ranges.swap(0, 1));
    let doubled = lent(|ranges| ranges.insert(0, ranges[0].clone()));
    let instead = lent(|ranges| ranges[1] = ranges[0].clone());
    assert_eq!([missing, exchanged, doubled, instead], [Some(Rejection::Range); 4]);
}

/// In the packed suite: the pieces of a batch of fifteen loans.
#[test]
fn pieces_in_another_order_or_number_are_refused() {
    let wallet = &scene().wallet;
    let loans = (0..15).map(|i| new_loan(&format!("P{i}"), 1_000_003, &[1, 2])).collect();
    let sealed = forged(wallet, &sketched(wallet, Events::Originate(loans)));
    assert!(sealed.batch.proofs.ranges.len() > 1);
    let lent = |change: fn(&mut Vec<Vec<u8>>)| {
        refusal_of(&resigned(sealed.clone(), |sealed| change(&mut sealed.batch.proofs.ranges)))
    };
    assert_eq!(lent(|_| {}), None);
    let missing = lent(|ranges| drop(ranges.pop()));
    let none = lent(Vec::clear);
    let exchanged = lent(|ranges| ranges.swap(0, 1));
    let doubled = lent(|ranges| ranges.push(ranges[0].clone()));
    let instead = lent(|ranges| ranges[1] = ranges[0].clone());
    assert_eq!([missing, none, exchanged, doubled, instead], [Some(Rejection::Range); 5]);
}

/// Attack 7: proofs for the values of two loans, presented for one of them; and the other way round.
#[test]
fn range_proofs_for_another_number_of_values_are_refused() {
    let wallet = &scene().wallet;
    let one = sketched(wallet, Events::Originate(vec![new_loan("L2", 1_000_003, &[1, 2])]));
    let (one, two) = (forged(wallet, &one), honest(|scene| &scene.originate));
    assert_eq!(refusal_of(&one), None);
    let (few, many) = (one.batch.proofs.ranges.clone(), two.batch.proofs.ranges.clone());
    assert_eq!(
        refusal_of(&resigned(one, |sealed| sealed.batch.proofs.ranges = many)),
        Some(Rejection::Range)
    );
    assert_eq!(refusal_of(&resigned(two, |sealed| sealed.batch.proofs.ranges = few)), Some(Rejection::Range));
}

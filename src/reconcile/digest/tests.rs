#![allow(clippy::arithmetic_side_effects, reason = "a test: small numbers")]

use super::*;
use crate::reconcile::{
    date::Day,
    line::{Component, Currency, Event, Side},
};
use counterfoil_crypto::secret::SecretBytes;
use proptest::{collection::vec, prelude::*};

const ABOUT: About = About { consortium: [7; 32], epoch: 3, servicer: 0, partner: 2 };

fn line(day: i32, amount: u64, key: Option<u8>) -> Line {
    Line {
        loan: Names::default().name("L1"),
        event: Event::Repaid,
        component: Component::Interest,
        side: Side::Credit,
        amount,
        currency: Currency::with_exponent("CNY").unwrap().0,
        value: Day(day),
        booked: None,
        key: key.map(|key| [key; 32]),
        bucket: None,
        account: None,
        customer: None,
        row: 0,
    }
}

/// Lines of these days and amounts.
fn shown(lines: &[(i32, u64)]) -> Vec<Shown> {
    let mut names = Names::default();
    names.name("L1");
    let key = |day: i32| u8::try_from(day.rem_euclid(251)).ok();
    lines.iter().map(|(day, amount)| Shown::new(&ABOUT, &line(*day, *amount, key(*day)), &names)).collect()
}

/// Where the descent ends, with the other's leaf and the number of questions; `None`: no difference.
fn descend(mine: &Tree, other: &Tree) -> Option<(u32, Hash, usize)> {
    let mut asking = Asking::new(mine, ABOUT, &other.digest(ABOUT)).unwrap()?;
    let mut answering = Answering::new(other);
    let mut questions = 0;
    while let Some(place) = asking.question() {
        asking.answer(answering.children(place).unwrap()).unwrap();
        questions += 1;
    }
    asking.found().map(|(index, leaf)| (index, leaf, questions))
}

#[test]
fn the_first_difference_is_found_in_as_many_questions_as_the_tree_is_high() {
    let lines: Vec<_> = (0..100_000).map(|day| (day, 1000)).collect();
    let mine = Tree::new(shown(&lines)).unwrap();
    for changed in [0, 1, 65_535, 65_536, 77_777, 99_999] {
        let mut others = lines.clone();
        others[changed].1 = 1001;
        let expected = shown(&others[changed..=changed])[0].leaf();
        let found = descend(&mine, &Tree::new(shown(&others)).unwrap());
        assert_eq!(found, Some((u32::try_from(changed).unwrap(), expected, 17)));
        others.remove(changed);
        let found = descend(&mine, &Tree::new(shown(&others)).unwrap()).unwrap();
        assert_eq!(found.0, u32::try_from(changed).unwrap());
    }
    assert_eq!(descend(&mine, &mine), None);
}

#[test]
fn a_lie_and_a_question_off_the_path_are_refused() {
    let (mine, other) =
        (Tree::new(shown(&[(1, 1), (2, 2), (3, 3)])).unwrap(), Tree::new(shown(&[(1, 1), (2, 9)])).unwrap());
    let mut asking = Asking::new(&mine, ABOUT, &other.digest(ABOUT)).unwrap().unwrap();
    assert_eq!(asking.answer([[1; 32], [2; 32]]), Err(DescentError::Lie));
    // Its own, equal children would end the descent nowhere.
    let root = asking.question().unwrap();
    let equal = Answering::new(&mine).children(root).unwrap();
    assert_eq!(asking.answer(equal), Err(DescentError::Lie));

    let mut answering = Answering::new(&mine);
    assert_eq!(answering.children(Place { level: 1, index: 0 }), Err(DescentError::Strays));
    assert_eq!(answering.children(Place { level: 33, index: 0 }), Err(DescentError::Strays));
    answering.children(Place { level: 2, index: 0 }).unwrap();
    answering.children(Place { level: 1, index: 1 }).unwrap();
    assert_eq!(answering.children(Place { level: 1, index: 0 }), Err(DescentError::Strays));
    assert_eq!(answering.children(Place { level: 0, index: 2 }), Err(DescentError::Ended));

    let unrelated = Digest { about: About { epoch: 4, ..ABOUT }, ..other.digest(ABOUT) };
    assert_eq!(Asking::new(&mine, ABOUT, &unrelated).unwrap_err(), DescentError::Unrelated);
}

#[test]
fn a_leaf_cannot_be_guessed_without_the_events_key() {
    let mut names = Names::default();
    names.name("L1");
    let leaf = |about: &About, key| Shown::new(about, &line(1, 5, key), &names).leaf();
    let mine = leaf(&ABOUT, Some(1));
    assert_ne!(mine, leaf(&ABOUT, Some(2)));
    assert_ne!(mine, leaf(&ABOUT, None));
    // Nor does the same line look the same in another epoch.
    assert_ne!(mine, leaf(&About { epoch: 4, ..ABOUT }, Some(1)));
}

#[test]
fn digests_bind_count_and_order_is_that_of_the_lines() {
    let digest = |lines: &[(i32, u64)]| Tree::new(shown(lines)).unwrap().digest(ABOUT);
    assert_eq!(digest(&[(1, 1), (2, 2)]), digest(&[(2, 2), (1, 1)]));
    assert_ne!(digest(&[]), digest(&[(1, 1)]));
    assert_eq!((digest(&[]).count, digest(&[(1, 1)]).count), (0, 1));
    let empty = Tree::new(Vec::new()).unwrap();
    let one = Tree::new(shown(&[(1, 1)])).unwrap();
    assert_eq!(descend(&one, &empty).map(|found| (found.0, found.1)), Some((0, [0; 32])));
    assert_eq!(descend(&empty, &one).map(|found| found.0), Some(0));
}

#[test]
fn a_digest_is_signed_by_its_bank_and_no_other() {
    let [mine, other] = [1, 2].map(|seed| Identity::from_seed(&SecretBytes::new([seed; 32])));
    let digest = Tree::new(shown(&[(1, 1)])).unwrap().digest(ABOUT);
    let signature = digest.sign(&mine);
    assert_eq!(digest.verify(&mine.public(), &signature), Ok(()));
    assert!(digest.verify(&other.public(), &signature).is_err());
    let later = Digest { about: About { epoch: 4, ..ABOUT }, ..digest };
    assert!(later.verify(&mine.public(), &signature).is_err());
}

proptest! {
    #[test]
    fn the_descent_ends_at_the_first_line_that_differs(
        mine in vec((0i32..6, 0u64..3), 0..40),
        other in vec((0i32..6, 0u64..3), 0..40),
        same: bool,
    ) {
        let other = if same { mine.clone() } else { other };
        let (mut sorted, mut others) = (shown(&mine), shown(&other));
        sorted.sort();
        others.sort();
        let longest = sorted.len().max(others.len());
        let expected = (0..longest).find(|place| sorted.get(*place) != others.get(*place));
        let found = descend(&Tree::new(shown(&mine)).unwrap(), &Tree::new(shown(&other)).unwrap());
        prop_assert_eq!(found.map(|found| found.0 as usize), expected);
        if let Some((index, leaf, _)) = found {
            prop_assert_eq!(others.get(index as usize).map_or([0; 32], Shown::leaf), leaf);
        }
    }
}

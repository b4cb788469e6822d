//! Decrees: who may retire a suite, when, and what it does to batches before and after.

use crate::{
    chain::{Chain, History},
    decree::{Decree, Retirement},
    draft::Events,
    genesis::Consortium,
    rejection::Rejection,
    tests::{
        blocks::Blocks,
        recovery,
        world::{World, member},
    },
    transaction::{Admitted, Transaction, admit},
};
use counterfoil_crypto::relation::Suite;
use rand_core::OsRng;
use std::sync::Arc;

/// The suite of all batches here.
const SUITE: u8 = Suite::Packed.number();
/// The one that stays.
const OTHER: u8 = Suite::Widths.number();

fn retirement(world: &World, suite: u8, from: u64) -> Retirement {
    Retirement { consortium: world.consortium.id(), suite, from }
}

fn decree(world: &World, retirement: Retirement, banks: &[u16]) -> Decree {
    let vote = |bank: &u16| (member(*bank), retirement.vote(&world.keys[usize::from(*bank)]));
    Decree { retirement, votes: banks.iter().map(vote).collect() }
}

fn bytes(decree: Decree) -> Vec<u8> {
    Transaction::Decree(decree).to_bytes()
}

fn retire(world: &World, suite: u8, from: u64) -> Vec<u8> {
    bytes(decree(world, retirement(world, suite, from), &[0, 1, 3]))
}

fn top_up(blocks: &mut Blocks) -> Admitted {
    let sealed = blocks.world.seal(Events::Fund(vec![(member(1), 5)]));
    Admitted::Batch(Arc::new(blocks.world.verify(&sealed).unwrap()))
}

fn absorb(blocks: &mut Blocks, batch: &Admitted) {
    let Admitted::Batch(verified) = batch else { panic!("a batch") };
    blocks.world.wallet.absorb(verified.sealed()).unwrap();
}

#[test]
fn a_retired_suite_ends_at_its_height() {
    let mut blocks = Blocks::new(160);
    let fate = retire(&blocks.world, SUITE, 4);
    assert_eq!(blocks.fate(&fate), None, "height 1");
    for height in [2, 3] {
        let batch = top_up(&mut blocks);
        assert_eq!(blocks.decide(std::slice::from_ref(&batch)), [None], "height {height}, before");
        absorb(&mut blocks, &batch);
    }
    let batch = top_up(&mut blocks);
    for height in [4, 5] {
        assert_eq!(blocks.decide(std::slice::from_ref(&batch)), [Some(Rejection::Suite)], "height {height}");
    }
}

#[test]
fn a_decree_takes_more_than_two_thirds_of_the_banks_once_each() {
    let blocks = Blocks::new(161);
    let world = &blocks.world;
    let it = retirement(world, SUITE, 9);
    let cases = [
        (decree(world, it, &[0, 1, 2]), None),
        (decree(world, it, &[0, 1, 2, 3]), None),
        (decree(world, it, &[]), Some(Rejection::TooFew)),
        (decree(world, it, &[0, 1]), Some(Rejection::TooFew)),
        (decree(world, it, &[0, 1, 1]), Some(Rejection::Votes)),
        (decree(world, it, &[1, 0, 2]), Some(Rejection::Votes)),
        (decree(world, it, &[0, 1, 4]), Some(Rejection::Votes)),
        (
            Decree { retirement: retirement(world, SUITE, 10), ..decree(world, it, &[0, 1, 2]) },
            Some(Rejection::Signature),
        ),
        (
            Decree { retirement: retirement(world, OTHER, 9), ..decree(world, it, &[0, 1, 2]) },
            Some(Rejection::Signature),
        ),
        (decree(world, retirement(world, 9, 9), &[0, 1, 2]), Some(Rejection::Suite)),
    ];
    for (number, (decree, rejection)) in cases.into_iter().enumerate() {
        assert_eq!(blocks.admit(&bytes(decree)).err(), rejection, "case {number}");
    }
    // One bank's vote under another's name.
    let mut lent = decree(world, it, &[0, 1, 2]);
    lent.votes[2].0 = member(3);
    assert_eq!(blocks.admit(&bytes(lent)).err(), Some(Rejection::Signature));
    let nobody = Decree { votes: vec![(member(9), it.vote(&world.keys[0]))], retirement: it };
    assert_eq!(blocks.admit(&bytes(nobody)).err(), Some(Rejection::Votes));
}

#[test]
fn a_decree_is_of_this_consortium() {
    let blocks = Blocks::new(162);
    let mut genesis = blocks.world.consortium.genesis().clone();
    genesis.name = "twin".into();
    let twin = Consortium::found(genesis).unwrap();
    let here = decree(&blocks.world, retirement(&blocks.world, SUITE, 9), &[0, 1, 2]);
    assert_eq!(admit(&twin, &bytes(here.clone()), &mut OsRng).err(), Some(Rejection::Consortium));
    // The same votes under the twin's id are votes for nothing.
    let moved = Decree { retirement: Retirement { consortium: twin.id(), ..here.retirement }, ..here };
    assert_eq!(admit(&twin, &bytes(moved), &mut OsRng).err(), Some(Rejection::Signature));
}

#[test]
fn a_retirement_lies_in_the_future_is_not_moved_and_leaves_a_suite() {
    let mut blocks = Blocks::new(163);
    for from in [0, 1] {
        let past = retire(&blocks.world, SUITE, from);
        let height = blocks.height() + 1;
        assert_eq!(blocks.fate(&past), Some(Rejection::Past), "from {from} at {height}");
    }
    let first = retire(&blocks.world, SUITE, 100);
    assert_eq!(blocks.fate(&first), None);
    assert_eq!(blocks.fate(&first), Some(Rejection::Retired), "a replay");
    let later = retire(&blocks.world, SUITE, 200);
    assert_eq!(blocks.fate(&later), Some(Rejection::Retired), "moved");
    let last = retire(&blocks.world, OTHER, 300);
    assert_eq!(blocks.fate(&last), Some(Rejection::LastSuite));
    // Both in one block, in the other order: the first stands.
    let mut fresh = Blocks::new(164);
    let both = [OTHER, SUITE].map(|suite| fresh.admit(&retire(&fresh.world, suite, 50)).unwrap());
    assert_eq!(fresh.decide(&both), [None, Some(Rejection::LastSuite)]);
}

#[test]
fn trailing_bytes_and_prefixes_are_malformed() {
    let blocks = Blocks::new(165);
    let whole = retire(&blocks.world, SUITE, 9);
    for length in 0..whole.len() {
        assert_eq!(blocks.admit(&whole[..length]).err(), Some(Rejection::Malformed), "{length} bytes");
    }
    assert_eq!(blocks.admit(&[&whole[..], &[0]].concat()).err(), Some(Rejection::Malformed));
}

/// A chain with a retired suite is replayed: what was booked before stays booked, what was refused stays refused.
#[test]
fn a_replay_meets_the_decree_where_it_was_booked() {
    let (mut world, folder) = (World::new(166), tempfile::tempdir().unwrap());
    let (mut chain, ..) = Chain::open(folder.path(), world.consortium.clone()).unwrap();
    recovery::decide(&mut world, &mut chain, 10);
    let decree = admit(&world.consortium, &retire(&world, SUITE, 4), &mut OsRng).unwrap();
    recovery::decide_all(&world, &mut chain, &[decree]);
    recovery::decide(&mut world, &mut chain, 20);
    let late = world.seal(Events::Fund(vec![(member(1), 30)]));
    let late = Admitted::Batch(Arc::new(world.verify(&late).unwrap()));
    let (block, refused) = chain.propose(std::slice::from_ref(&late)).unwrap();
    assert_eq!((block.batches.len(), refused), (0, vec![(late.id(), Rejection::Suite)]));
    let root = chain.state_root().unwrap();
    drop(chain);
    let mut history = History::open(folder.path(), world.consortium.clone()).unwrap();
    while history.next_block().unwrap().is_some() {}
    assert_eq!(history.height().unwrap(), 3);
    assert_eq!(history.book().retired_from(SUITE).unwrap(), Some(4));
    assert_eq!(history.book().retired_from(OTHER).unwrap(), None);
    // An index that is gone is rebuilt to the same state, the retirement in it.
    std::fs::remove_dir_all(folder.path().join("index")).unwrap();
    let (chain, ..) = Chain::open(folder.path(), world.consortium.clone()).unwrap();
    assert_eq!(chain.state_root().unwrap(), root);
    assert_eq!(chain.propose(std::slice::from_ref(&late)).unwrap().1, [(late.id(), Rejection::Suite)]);
}

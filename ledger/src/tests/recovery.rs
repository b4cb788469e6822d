//! A chain that comes back: what was decided is there, and an index that is not the log's is rebuilt from it.

use super::world::{World, member};
use crate::{
    chain::{Chain, History},
    draft::Events,
    store::{Start, tree},
    transaction::Admitted,
};
use counterfoil_crypto::{
    labels,
    quorum::{Ballot, Certificate, VoteKind},
};
use std::{path::Path, sync::Arc};

/// Decides one block of the given top-ups.
pub(super) fn decide(world: &mut World, chain: &mut Chain, amount: u64) {
    let sealed = world.seal(Events::Fund(vec![(member(1), amount)]));
    world.wallet.absorb(&sealed).unwrap();
    let batches = vec![Admitted::Batch(Arc::new(world.verify(&sealed).unwrap()))];
    decide_all(world, chain, &batches);
}

/// Decides one block of transactions.
pub(super) fn decide_all(world: &World, chain: &mut Chain, transactions: &[Admitted]) {
    let (block, _) = chain.propose(transactions).unwrap();
    let executed = chain.execute(&block, transactions).unwrap();
    let (height, id) = (block.header.height, block.header.id());
    let consortium = world.consortium.id();
    let ballot = Ballot { consortium, kind: VoteKind::Precommit, height, round: 0, block: Some(id) };
    let vote = |i: u16| {
        let identity = &world.keys[usize::from(i)].identity;
        (i, identity.sign(labels::VOTE_SIGNATURE, &ballot.to_bytes()))
    };
    let certificate = Certificate { height, round: 0, block: id, votes: (0..3).map(vote).collect() };
    chain.commit(block, certificate, executed).unwrap();
}

fn open(folder: &Path, world: &World) -> (Chain, Start) {
    let (chain, _, start) = Chain::open(folder, world.consortium.clone()).unwrap();
    (chain, start)
}

#[test]
fn a_chain_is_reopened_where_it_was() {
    let (mut world, folder) = (World::new(30), tempfile::tempdir().unwrap());
    let (mut chain, _) = open(folder.path(), &world);
    decide(&mut world, &mut chain, 10);
    decide(&mut world, &mut chain, 20);
    let root = chain.state_root().unwrap();
    drop(chain);
    let (chain, start) = open(folder.path(), &world);
    assert!(matches!(start, Start::Level));
    assert_eq!((chain.height(), chain.state_root().unwrap()), (2, root));
    // Readers without the index come to the same state.
    let mut history = History::open(folder.path(), world.consortium.clone()).unwrap();
    while history.next_block().unwrap().is_some() {}
    assert_eq!(history.height().unwrap(), 2);
}

/// The store's own checks pass: one value is simply gone, as sled can lose it in a power cut. Only the tree shows it.
#[test]
fn an_index_that_lost_a_value_is_rebuilt_from_the_log() {
    let (mut world, folder) = (World::new(31), tempfile::tempdir().unwrap());
    let (mut chain, _) = open(folder.path(), &world);
    decide(&mut world, &mut chain, 10);
    let root = chain.state_root().unwrap();
    drop(chain);
    let db = sled::open(folder.path().join("index")).unwrap();
    let lost = db.scan_prefix(tree::STATE).next().unwrap().unwrap().0;
    db.remove(lost).unwrap().unwrap();
    db.flush().unwrap();
    drop(db);
    let (mut chain, start) = open(folder.path(), &world);
    assert!(matches!(start, Start::Rebuilt { .. }), "{start:?}");
    assert_eq!(chain.state_root().unwrap(), root);
    decide(&mut world, &mut chain, 20);
    assert_eq!(chain.height(), 2);
}

/// Attack 25: a certificate with too few or doubled votes decides nothing, and the log stays as it was.
#[test]
fn a_block_without_a_quorum_is_not_written() {
    let (mut world, folder) = (World::new(32), tempfile::tempdir().unwrap());
    let (mut chain, _) = open(folder.path(), &world);
    let sealed = world.seal(Events::Fund(vec![(member(1), 5)]));
    let batches = vec![Admitted::Batch(Arc::new(world.verify(&sealed).unwrap()))];
    let (block, _) = chain.propose(&batches).unwrap();
    let executed = chain.execute(&block, &batches).unwrap();
    let certificate = Certificate { height: 1, round: 0, block: block.header.id(), votes: Vec::new() };
    assert!(chain.commit(block, certificate, executed).is_err());
    assert_eq!(chain.height(), 0);
}

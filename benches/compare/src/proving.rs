//! The second table: proving, on one thread and on two.
//!
//! From openings to the bytes of proofs. Everybody computes the commitments on the way: our prover and that of the
//! `bulletproofs` crate by themselves, the others want them as an input.

use crate::{
    bulletproofs_crate::Crate,
    contest::{Contestant, contest},
    ours::Ours,
    peer::{Opening, Peer, Sealed, openings, tells_good_from_bad},
    report::Table,
    solana::{self, Solana},
    tari::newest,
};
use anyhow::{Context as _, Result};
use std::{hint::black_box, thread};

/// Values per proof.
const VALUES: usize = 64;

/// Measures it.
pub(crate) fn table(rounds: u32) -> Result<Table> {
    let openings = openings(2 * VALUES);
    let (one, two) = (&openings[..VALUES], &openings[..]);
    let crates = Crate::new(VALUES);
    let tari = newest::Tari::new(VALUES)?;

    let contestants = vec![
        prover("counterfoil", &Ours::ONE_CHECK, one, (VALUES, 1))?,
        prover("counterfoil, two threads on one proof", &Ours::TWO_THREADS, one, (VALUES, 2))?,
        prover("counterfoil, two threads, a proof each", &Ours::ONE_CHECK, two, (VALUES, 2))?,
        prover("bulletproofs 5", &crates, one, (VALUES, 1))?,
        prover("bulletproofs 5, two threads, a proof each", &crates, two, (VALUES, 2))?,
        prover("tari_bulletproofs_plus 0.5", &tari, one, (VALUES, 1))?,
        prover("solana-zk-sdk 8", &Solana, one, (solana::VALUES, 1))?,
    ];
    eprintln!("proving: {rounds} rounds ...");
    Ok(Table { title: "proving of 32-bit values", rounds, lines: contest(rounds, contestants)? })
}

/// A contestant that proves `openings`, some per proof, once its proofs have been verified and one of them refused for
/// another commitment. Of two threads, either there are two proofs and each has its own, or the peer is told to use them.
fn prover<'a>(
    name: &'static str,
    peer: &'a dyn Peer,
    openings: &'a [Opening],
    (per_proof, threads): (usize, usize),
) -> Result<Contestant<'a>> {
    let lists: Vec<_> = openings.chunks(per_proof).collect();
    let sealed: Vec<_> = lists
        .iter()
        .map(|list| Ok(Sealed { commitments: peer.commit(list)?, proof: peer.prove(list)? }))
        .collect::<Result<_>>()?;
    tells_good_from_bad(peer, &sealed).context(name)?;
    let shape = (lists.len(), per_proof);
    let apart = threads == lists.len() && threads > 1;
    Ok(Contestant {
        name,
        shape,
        threads,
        proof_bytes: sealed.iter().map(|sealed| sealed.proof.len()).sum(),
        work: Box::new(move || if apart { at_once(peer, &lists) } else { in_turn(peer, &lists) }),
    })
}

fn in_turn(peer: &dyn Peer, lists: &[&[Opening]]) -> Result<()> {
    lists.iter().try_for_each(|list| peer.prove(list).map(|proof| drop(black_box(proof))))
}

/// A thread for each list.
fn at_once(peer: &dyn Peer, lists: &[&[Opening]]) -> Result<()> {
    thread::scope(|scope| {
        let handles: Vec<_> = lists.iter().map(|list| scope.spawn(|| peer.prove(list))).collect();
        handles.into_iter().try_for_each(|handle| {
            handle.join().expect("provers do not panic").map(|proof| drop(black_box(proof)))
        })
    })
}

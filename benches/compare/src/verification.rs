//! The first table: verification, on one thread.
//!
//! As many values for all that can join them; those who verify proof by proof get fewer, in runs of comparable length.

use crate::{
    bulletproofs_crate::Crate,
    contest::{Contestant, contest},
    ours::Ours,
    peer::{Peer, Sealed, openings, seal, tells_good_from_bad},
    report::Table,
    solana::{self, Solana},
    tari::{newest, on_our_curve},
};
use anyhow::{Context as _, Result};

/// Proofs per check, and values per proof.
const SHAPE: (usize, usize) = (64, 256);

/// As many values, in the shape in which Tari's verifier is fastest: of 1024 x 16 to 64 x 256 this was the best, by a little.
const TARI_SHAPE: (usize, usize) = (128, 128);

/// Values that are verified by single or small proofs.
const FEW: usize = 256;

/// Measures it.
pub(crate) fn table(rounds: u32) -> Result<Table> {
    eprintln!("verification: generators and proofs ...");
    let openings = openings(SHAPE.0 * SHAPE.1);
    let crates = Crate::new(SHAPE.1);
    let tari = [newest::Tari::new(SHAPE.1)?, newest::Tari::new(TARI_SHAPE.1)?];
    let older = on_our_curve::Tari::new(SHAPE.1)?;

    let ours = seal(&Ours::ONE_CHECK, &openings, SHAPE.1)?;
    let singles = seal(&crates, &openings[..FEW], 1)?;
    let small = seal(&Solana, &openings[..FEW], solana::VALUES)?;
    let plus = [seal(&tari[0], &openings, SHAPE.1)?, seal(&tari[1], &openings, TARI_SHAPE.1)?];
    let older_plus = seal(&older, &openings, SHAPE.1)?;

    let contestants = vec![
        verifier("counterfoil, all proofs in one check", &Ours::ONE_CHECK, &ours)?,
        verifier("counterfoil, each proof alone", &Ours::EACH_ALONE, &ours[..4])?,
        verifier("bulletproofs 5, single proofs", &crates, &singles)?,
        verifier("bulletproofs 5, aggregated (our proofs)", &crates, &ours[..4])?,
        verifier("tari_bulletproofs_plus 0.5, batch", &tari[0], &plus[0])?,
        verifier("tari_bulletproofs_plus 0.5, its best batch", &tari[1], &plus[1])?,
        verifier("tari_bulletproofs_plus 0.4, batch", &older, &older_plus)?,
        verifier("solana-zk-sdk 8, aggregated", &Solana, &small)?,
    ];
    eprintln!("verification: {rounds} rounds ...");
    Ok(Table {
        title: "verification of 32-bit values, one thread",
        rounds,
        lines: contest(rounds, contestants)?,
    })
}

/// A contestant that verifies `sealed`, once it has shown that it can tell good from bad.
fn verifier<'a>(name: &'static str, peer: &'a dyn Peer, sealed: &'a [Sealed]) -> Result<Contestant<'a>> {
    tells_good_from_bad(peer, sealed).context(name)?;
    Ok(Contestant {
        name,
        shape: (sealed.len(), sealed[0].commitments.len()),
        threads: 1,
        proof_bytes: sealed.iter().map(|sealed| sealed.proof.len()).sum(),
        work: peer.verifier(sealed)?,
    })
}

//! The range proofs of `counterfoil-crypto` next to those of the named peers: one program, one run, one machine.
//!
//! ```console
//! $ cargo run --release --manifest-path benches/compare/Cargo.toml              # two tables
//! $ cargo run --release --manifest-path benches/compare/Cargo.toml -- --json    # the same for programs
//! ```
//!
//! **What is compared.** Values of 32 bits, the same values and blindings for everybody, in the shape in which each is
//! used or is at its best:
//!
//! | peer | protocol | what it can do |
//! | --- | --- | --- |
//! | `counterfoil-crypto` | Bulletproofs | any number of proofs of many values each in one joint check |
//! | `bulletproofs` 5 | Bulletproofs | one proof at a time, of one or many values; the same bytes as ours |
//! | `tari_bulletproofs_plus` 0.5 | Bulletproofs+ | up to 256 proofs of many values each in one check |
//! | the same, 0.4 | Bulletproofs+ | the same, by the last version on the curve crate of all others here |
//! | `solana-zk-sdk` 8 | Bulletproofs | one proof at a time, at most 256 bits: 8 values of 32 |
//!
//! **Why it is fair.**
//!
//! - A verifier starts from what travels: bytes of commitments and of proofs. Decompression is in everybody's time.
//! - What does not depend on the proofs is there before the clock starts: generators, tables over them, and a peer's own
//!   copies of them. Every contestant has run, untimed, before the first round.
//! - Contestants take turns within a round, and each round begins with another of them. The figure is the median over the
//!   rounds, so a disturbance of the machine meets all alike. Two times are given: by the clock, and by the processors
//!   (of the whole process, so that hidden threads would show). Where they differ on one thread, something else was
//!   running. On a busy machine trust the ratios of processor time, and the lines with two threads not at all.
//! - Before anything is timed it is shown to work: every contestant accepts its proofs, and refuses them all when one
//!   commitment among them is replaced.
//! - All proofs in a run are distinct. Those that verify proof by proof get fewer of them.
//! - Batching is what we do and most peers do not. That is the point of the first table, and why it has lines in which
//!   each proof is verified alone. Those of the `bulletproofs` crate for many values are over our own proofs: the bytes are
//!   the same.
//!
//! **What it does not say.** Bulletproofs+ is another protocol, its proofs are three elements shorter. Provers differ in
//! what they protect: ours and that of the `bulletproofs` crate multiply by bits and masks in constant time, Tari's do
//! so in variable time.

mod contest;
mod peer;
mod report;

mod bulletproofs_crate;
mod ours;
mod solana;
mod tari;

mod proving;
mod verification;

use anyhow::Result;
use clap::{Parser, ValueEnum};

/// Counterfoil's range proofs next to the peers', medians over rounds in which all take turns.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Rounds; the figures are medians over them.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Print JSON in place of the tables.
    #[arg(long)]
    json: bool,
    /// Only one of the two tables.
    #[arg(long)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Verify,
    Prove,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let mut tables = Vec::new();
    if wanted(Part::Verify) {
        tables.push(verification::table(options.rounds)?);
    }
    if wanted(Part::Prove) {
        tables.push(proving::table(options.rounds)?);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&tables)?);
    } else {
        tables.iter().for_each(|table| println!("{table}"));
    }
    Ok(())
}

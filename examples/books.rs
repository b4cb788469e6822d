//! Writes a bank's own lines and an extract with breaks of all kinds, to try `counterfoil reconcile` on:
//! `cargo run --release --example books -- OWN.CSV CORE.CSV [LINES]`.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "it should stop at the unexpected")]

#[path = "../tests/reconcile/inject.rs"]
mod inject;
#[path = "../tests/reconcile/sample.rs"]
mod sample;

use counterfoil::reconcile::{export, line::Line};
use sample::{Books, Random};
use std::fs::File;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(own), Some(core)) = (arguments.next(), arguments.next()) else {
        eprintln!("write: books OWN.CSV CORE.CSV [LINES]");
        std::process::exit(2);
    };
    let lines = arguments.next().map_or(200_000, |lines| lines.parse().unwrap());
    let mut books = Books::generate(1, lines);
    let expected = inject::inject(&mut books, 2, 6);
    let ledger: Vec<Line> = books.loans.iter().flat_map(|loan| loan.own.iter().copied()).collect();
    let mut rows: Vec<Line> = books.loans.iter().flat_map(|loan| loan.rows.iter().copied()).collect();
    Random::new(3).shuffle(&mut rows);
    export::write(File::create(own).unwrap(), &ledger, &books.names).unwrap();
    export::write(File::create(core).unwrap(), &rows, &books.names).unwrap();
    println!("{} own lines, {} rows, {} breaks to be found", ledger.len(), rows.len(), expected.len());
}

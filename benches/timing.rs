//! Does the time of what handles secrets depend on the secrets? A statistical test in the manner of dudect (Reparaz, Balasch
//! and Verbauwhede, *Dude, is my code constant time?*, DATE 2017).
//!
//! `cargo bench --bench timing [-- FILTER] [SECONDS]`, by hand only, on a quiet machine; `SECONDS` for each path, 10 unless
//! said otherwise. Every path runs with a *fixed* secret and with *random* ones, in random order, everything else drawn
//! alike. Welch's t-test then compares the two sets of times. A |t| of 4.5 and more is a leak. Less is no evidence of one,
//! and no proof that there is none: the last column says which difference of means would have been seen.
//!
//! The first two lines are controls. The test must see the leak of a multiplication in variable time, and must not see
//! one between two sets of the same kind; otherwise the run is worth nothing and fails.
//!
//! The test itself is 60 lines in `timing/welch.rs`: the `dudect-bencher` crate brings an argument parser with two
//! unmaintained dependencies, and has neither a verdict nor an exit code.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a bench counts small things, with inputs of its own making"
)]

#[path = "timing/paths.rs"]
mod paths;
#[path = "timing/welch.rs"]
mod welch;

use std::process::ExitCode;
use welch::{Outcome, THRESHOLD};

/// What a path's outcome should be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A control: the run is worth nothing if this is not seen.
    Leak,
    /// Written down where the path is listed; shown, and no failure.
    Known,
    Quiet,
}

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        println!("skipped; `cargo bench --bench timing` runs it");
        return ExitCode::SUCCESS;
    }
    let words = || args.iter().filter(|arg| !arg.starts_with("--"));
    let seconds = words().find_map(|word| word.parse().ok()).unwrap_or(10);
    let filter = words().find(|word| word.parse::<u64>().is_err()).map_or("", String::as_str);
    println!(
        "{:44} {:>8} {:>10} {:>10} {:>8} {:>10}",
        "path", "samples", "mean, µs", "fixed, +ns", "t", "seen, ns"
    );
    let mut failed = false;
    for (name, expect, run) in paths::ALL {
        // Without its controls a run says nothing.
        if name.contains(filter) || name.starts_with("control") {
            failed |= !report(name, expect, &run(seconds));
        }
    }
    println!("\nthreshold: |t| < {THRESHOLD} is no evidence of a leak");
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints a line; whether the outcome is the one expected.
fn report(name: &str, expect: Expect, outcome: &Outcome) -> bool {
    let leaks = outcome.t.abs() >= THRESHOLD;
    let verdict = match (expect, leaks) {
        (Expect::Quiet | Expect::Known, false) => "no evidence of a leak",
        (Expect::Known, true) => "leaks, as is known",
        (Expect::Quiet, true) => "LEAKS",
        (Expect::Leak, true) => "leaks, as it must",
        (Expect::Leak, false) => "LEAK NOT SEEN: this run is worth nothing",
    };
    let Outcome { samples, mean, difference, t, visible } = outcome;
    println!("{name:44} {samples:8} {:10.2} {difference:10.1} {t:8.2} {visible:10.1}  {verdict}", mean / 1e3);
    match expect {
        Expect::Leak => leaks,
        Expect::Known => true,
        Expect::Quiet => !leaks,
    }
}

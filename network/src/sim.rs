//! A whole consortium in one thread, on virtual time, by seed: loss, duplication, reordering, partitions, crashes
//! that lose what was not flushed, and a member that contradicts itself. Same seed, same trace.

mod net;
mod parts;

use net::{Faults, Sim};
pub(crate) use parts::Ledger;
use std::time::Duration;

/// Runs one seed until all items are in all chains, then looks whether the consortium falls silent.
fn run(seed: u64, n: usize, faults: Faults) -> blake3::Hash {
    let mut sim = Sim::new(seed, n, faults);
    sim.offer_items(30);
    let done = sim.run_until(Duration::from_secs(900), Sim::all_items_are_everywhere);
    assert!(done, "seed {seed}, n {n}: stalled, heights {:?}", sim.heights());
    sim.run_until(Duration::from_secs(930), |_| false);
    let heights = sim.heights();
    sim.run_until(Duration::from_secs(990), |_| false);
    assert_eq!(sim.heights(), heights, "seed {seed}, n {n}: blocks without a reason");
    sim.trace()
}

/// Seeds to run: as many as `COUNTERFOIL_SEEDS` says, for long runs.
fn seeds(first: u64, count: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("COUNTERFOIL_SEEDS").ok().and_then(|count| count.parse().ok());
    first..first + asked.unwrap_or(count)
}

#[test]
fn four_members_agree_whatever_the_network_does() {
    for seed in seeds(0, 25) {
        // Every other seed has a member that contradicts itself.
        run(seed, 4, Faults { liar: seed % 2 == 0, ..Faults::default() });
    }
}

#[test]
fn seven_members_agree_whatever_the_network_does() {
    for seed in seeds(1000, 5) {
        run(seed, 7, Faults { liar: seed % 2 == 0, ..Faults::default() });
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let trace = |seed| run(seed, 4, Faults { liar: true, ..Faults::default() });
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}

#[test]
fn a_contradiction_is_seen_and_only_the_liar_is_accused() {
    let mut sim = Sim::new(3, 4, Faults { liar: true, ..Faults::none() });
    sim.offer_items(10);
    assert!(sim.run_until(Duration::from_secs(300), Sim::all_items_are_everywhere));
    assert!(sim.accusations() > 0);
}

#[test]
fn judging_a_block_for_longer_than_a_round_does_not_stop_the_chain() {
    let judging = Duration::from_secs(5);
    let mut sim = Sim::new(5, 4, Faults { judging, ..Faults::none() });
    sim.offer_items(3);
    assert!(sim.run_until(Duration::from_secs(120), Sim::all_items_are_everywhere), "{:?}", sim.heights());
    assert!(sim.highest_round() <= 4, "round {}", sim.highest_round());
}

#[test]
fn a_member_that_was_away_catches_up() {
    let mut sim = Sim::new(6, 4, Faults::none());
    sim.crash(2);
    sim.offer_items(40);
    assert!(sim.run_until(Duration::from_secs(300), |sim| sim.heights()[0] >= 20));
    sim.restart(2);
    assert!(sim.run_until(Duration::from_secs(400), Sim::all_items_are_everywhere), "{:?}", sim.heights());
}

#[test]
fn an_observer_follows_and_never_votes() {
    let mut sim = Sim::new(9, 4, Faults { observers: 1, ..Faults::none() });
    sim.offer_items(10);
    assert!(sim.run_until(Duration::from_secs(300), Sim::all_items_are_everywhere));
    assert_eq!(sim.spoken_by(4), 0);
}

#[test]
fn after_a_crash_no_second_proposal_is_made_in_the_same_round() {
    // Crashes every member in turn right after it has proposed; `Sim` checks that nobody contradicts itself.
    let mut sim = Sim::new(11, 4, Faults { crash_proposers: true, ..Faults::none() });
    sim.offer_items(12);
    assert!(sim.run_until(Duration::from_secs(600), Sim::all_items_are_everywhere), "{:?}", sim.heights());
    assert!(sim.crashes() > 4);
}

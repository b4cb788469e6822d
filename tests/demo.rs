//! The demonstration ends well and says what it proved.

use crate::support::{BANKS, json, number, text};
use counterfoil_ledger::chain::Recorded;

#[test]
fn the_demonstration_shows_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let shown =
        json(&["demo", "--exit", "--json", "--loans", "12", "--seed", "7", "--dir", text(dir.path())]);
    assert_eq!(number(&shown, "loans"), 12);
    let banks = shown["banks"].as_array().unwrap();
    let regulator = &shown["regulator"];
    assert_eq!(banks.len(), 4);
    for report in banks.iter().chain([regulator]) {
        assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{}", report["member"]);
    }
    // The regulator's line of each bank is the bank's own line.
    let own: Vec<_> = banks.iter().flat_map(|bank| bank["lines"].as_array().unwrap()).collect();
    assert_eq!(own, regulator["lines"].as_array().unwrap().iter().collect::<Vec<_>>());
    assert_eq!(number(&shown["outside"], "parts_outside"), 0);
    assert_eq!(number(&shown["outside"], "parts_inside"), 1);
    // The chain is quiet when there is nothing to order: no block without a batch, but for a rare race.
    let attestations = number(&shown["verified"], "attestations");
    assert!(number(&shown, "height") <= number(&shown, "batches") + attestations + 3, "empty blocks");
    // An epoch is 8 blocks with batches; every bank has attested each that is over, or still can, and all of it adds up.
    let totals = shown["totals"].as_array().unwrap();
    assert!(totals.iter().all(|line| line["alarms"].as_array().unwrap().is_empty()), "{totals:?}");
    let attested: usize = totals.iter().map(|line| line["attested"].as_array().unwrap().len()).sum();
    assert_eq!(u64::try_from(attested).unwrap(), attestations);
    assert!(attestations > 0, "no epoch has ended");
    let events = number(&shown, "loans") + number(&shown, "payments");
    assert_eq!(number(&shown["verified"], "events"), events);
    assert_eq!(shown["verified"]["state"], shown["state"]);

    // Whoever takes part in a loan or not: every bank stores the same blocks, byte for byte, in the same order.
    let blocks = |bank: &str| {
        let chain = Recorded::open(&dir.path().join(bank).join("chain")).unwrap();
        let blocks: Vec<_> = chain.from(1).map(|decided| decided.unwrap().block.to_bytes()).collect();
        assert!(!blocks.is_empty());
        blocks
    };
    let first = blocks(BANKS[0]);
    assert!(BANKS.iter().all(|bank| blocks(bank) == first));
}

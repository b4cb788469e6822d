//! Ends of epochs while nodes are killed: every bank attests exactly once, and a bank that stays away is an alarm.

use crate::support::{BANKS, PROGRAM, json, run, text};
use counterfoil::{
    cluster::{Cluster, EPOCH_BLOCKS},
    control::{self, Status},
    demo::{MEMBERS, PRODUCT},
    servicer::Servicer,
};
use counterfoil_ledger::{
    chain::Recorded,
    draft::{Draft, Events},
    names::{Date, MemberId, ProductId},
    transaction::Transaction,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(120);
const ALL: [&str; 5] = ["bank-a", "bank-b", "bank-c", "bank-d", "regulator"];

async fn running(dir: &Path) -> Cluster {
    let mut cluster = Cluster::found(dir, Path::new(PROGRAM), &MEMBERS, &[PRODUCT]).unwrap();
    cluster.start_all().unwrap();
    cluster.ready(&ALL, 3, PATIENCE).await.unwrap();
    cluster
}

/// Books top-ups, each in a block of its own.
async fn book(servicer: &mut Servicer, count: u32) {
    for _ in 0..count {
        let events = Events::Fund(vec![(MemberId(1), 500)]);
        let date = Date(20_000);
        let draft = Draft { product: ProductId(0), value_date: date, booking_date: date, events };
        servicer.post(draft, Box::new(|_| ())).await.unwrap();
        servicer.settle().await.unwrap();
    }
}

/// Waits until a node says so.
async fn until(cluster: &Cluster, name: &str, what: impl Fn(&Status) -> bool) -> Status {
    let (socket, begin) = (cluster.home(name).unwrap().socket(), Instant::now());
    loop {
        let status = control::status(&socket).await;
        match status {
            Ok(status) if what(&status) => return status,
            other => assert!(begin.elapsed() < PATIENCE, "{name} stands at {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How often each bank's attestation of each epoch is booked.
fn attestations(chain: &Path) -> BTreeMap<(u64, u16), u32> {
    let mut counts = BTreeMap::new();
    for decided in Recorded::open(chain).unwrap().from(1) {
        for bytes in decided.unwrap().applied() {
            if let Transaction::Attestation(attestation) = Transaction::from_bytes(bytes).unwrap() {
                let content = &attestation.content;
                *counts.entry((content.epoch, content.bank.0)).or_default() += 1;
            }
        }
    }
    counts
}

/// bank-b is killed before an epoch's last block, when it has seen it, when the others have, and when it has attested.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_is_killed_at_the_end_of_an_epoch_attests_exactly_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = running(dir.path()).await;
    let mut servicer = Servicer::open(cluster.home("bank-a").unwrap()).unwrap();
    for epoch in 1..=4 {
        book(&mut servicer, EPOCH_BLOCKS - 1).await;
        if epoch == 1 {
            cluster.kill("bank-b").unwrap();
        }
        book(&mut servicer, 1).await;
        match epoch {
            2 => drop(until(&cluster, "bank-b", |status| status.epoch == epoch).await),
            4 => {
                let attested = |status: &Status| status.attested.iter().any(|bank| bank == "bank-b");
                until(&cluster, "bank-a", |status| status.epoch == epoch && attested(status)).await;
            }
            _ => {}
        }
        if epoch != 1 {
            cluster.kill("bank-b").unwrap();
        }
        cluster.start("bank-b").unwrap();
        until(&cluster, "bank-a", |status| status.epoch == epoch && status.attested == BANKS).await;
    }
    cluster.agree(&ALL, 1, PATIENCE).await.unwrap();
    let once = (1..=4).flat_map(|epoch| (0..4).map(move |bank| ((epoch, bank), 1))).collect();
    for bank in BANKS {
        assert_eq!(attestations(&cluster.home(bank).unwrap().chain()), once, "{bank}");
    }
    let totals = json(&["totals", "--home", text(cluster.home("regulator").unwrap().path()), "--json"]);
    let lines = totals.as_array().unwrap();
    assert!(lines.len() == 4 && lines.iter().all(|line| line["alarms"] == Value::Array(Vec::new())));
    cluster.stop().await.unwrap();
}

/// A bank that stays down is named, with what the chain shows: from where to where it could have attested.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_does_not_attest_is_an_alarm() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = running(dir.path()).await;
    cluster.kill("bank-d").unwrap();
    let mut servicer = Servicer::open(cluster.home("bank-a").unwrap()).unwrap();
    book(&mut servicer, EPOCH_BLOCKS).await;
    until(&cluster, "bank-a", |status| status.attested == BANKS[..3]).await;
    book(&mut servicer, EPOCH_BLOCKS).await;
    let status = until(&cluster, "regulator", |status| !status.alarms.is_empty()).await;
    assert_eq!(status.alarms.len(), 1, "{:?}", status.alarms);

    let regulator = cluster.home("regulator").unwrap();
    let output = run(&["totals", "--home", text(regulator.path()), "--json"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("adds up"));
    let totals: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (first, second) = (&totals[0], &totals[1]);
    let alarm = first["alarms"][0].as_str().unwrap();
    let height = first["height"].as_u64().unwrap();
    assert!(
        alarm.contains("bank-d did not attest") && alarm.contains(&format!("height {height}")),
        "{alarm}"
    );
    assert_eq!(
        (first["attested"].as_array().unwrap().len(), first["alarms"].as_array().unwrap().len()),
        (3, 1)
    );
    assert_eq!(second["alarms"].as_array().unwrap().len(), 0, "it still can");
    assert_eq!(status.alarms[0], format!("epoch 1: {alarm}"));

    let file = regulator.alarms().join("epoch-000001-bank-d-any-any-accounts.json");
    let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(
        (&file["bank"], &file["height"], &file["alarm"]),
        (&"bank-d".into(), &height.into(), &alarm.into())
    );
    let log = std::fs::read_to_string(regulator.path().join("node.log")).unwrap();
    assert!(log.contains("the control totals do not add up") && log.contains("bank-d did not attest"));

    // Back again, it attests what it still can.
    cluster.start("bank-d").unwrap();
    until(&cluster, "bank-a", |status| status.attested == BANKS).await;
    cluster.stop().await.unwrap();
}

//! Real loans: the first 500 auto loans with all their months over four processes, against an independent computation.
//!
//! The computation below shares no code with the program: it reads the files itself, makes the shares and splits every
//! amount by its own plain implementation of the documented rules, and adds up.

use crate::support::{BANKS, PROGRAM, json, line, number, real_loans, text};
use counterfoil::cluster::Cluster;
use counterfoil_ledger::genesis::Role;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(180);
/// Only so that a stalled import ends the test: how fast a shared machine books is not what is tested.
const STALLED: Duration = Duration::from_secs(900);
const LOANS: usize = 500;
const PRODUCT: &str = r#"
name = "auto-loan"
currency = "USD"
width = 32
cap = "100000.00"
parts = 4
share_units = 100
min_servicer_share = 30
auditors = ["regulator"]
[weights]
bank-a = 30
bank-b = 40
bank-c = 20
bank-d = 10
"#;

/// What a bank should have, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Expected {
    lent: u64,
    outstanding: u64,
    interest: u64,
    reserve: u64,
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut plain = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut plain).unwrap();
    let mut lines = plain.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    // None of the columns that are used is ever quoted.
    lines.map(|line| names.iter().cloned().zip(line.split(',').map(str::to_owned)).collect()).collect()
}

/// Shares in percent: largest remainder of the weights of those who take part.
fn shares(mask: u64) -> Vec<(usize, u64)> {
    let weights = [(0, 30u64), (1, 40), (2, 20), (3, 10)];
    let inside: Vec<_> =
        weights.into_iter().filter(|(bank, _)| *bank == 0 || mask >> (bank - 1) & 1 == 1).collect();
    let whole: u64 = inside.iter().map(|(_, weight)| weight).sum();
    let amounts = largest_remainder(100, &inside.iter().map(|(_, w)| *w).collect::<Vec<_>>(), whole);
    inside.iter().map(|(bank, _)| *bank).zip(amounts).collect()
}

fn largest_remainder(total: u64, weights: &[u64], whole: u64) -> Vec<u64> {
    let mut parts: Vec<_> = weights.iter().map(|w| total * w / whole).collect();
    let mut order: Vec<_> = (0..weights.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(total * weights[*i] % whole));
    let left = total - parts.iter().sum::<u64>();
    for i in order.into_iter().take(usize::try_from(left).unwrap()) {
        parts[i] += 1;
    }
    parts
}

/// A balance by shares: cent by cent, each to the bank whose next cent is allowed and due first.
fn balance_split(total: u64, shares: &[u64]) -> Vec<u64> {
    let mut parts: Vec<_> = shares.iter().map(|share| total / 100 * share).collect();
    let mut given = vec![0u64; shares.len()];
    for step in 1..=total % 100 {
        let allowed = |i: &usize| given[*i] * 100 / shares[*i] < step;
        let due = |i: &usize| ((given[*i] + 1) * 100).div_ceil(shares[*i]);
        let next = (0..shares.len()).filter(allowed).min_by_key(due).unwrap();
        given[next] += 1;
        parts[next] += 1;
    }
    parts
}

/// Every bank's totals from the files alone; the second is the number of payments.
fn compute(data: &Path) -> ([Expected; 4], u64) {
    let loans: Vec<_> = rows(&data.join("auto/auto_loans_cents.csv.gz")).into_iter().take(LOANS).collect();
    let known: BTreeSet<_> = loans.iter().map(|row| row["loan_id"].clone()).collect();
    let (mut expected, mut payments) = ([Expected::default(); 4], 0);
    let mut events: BTreeMap<String, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    for row in rows(&data.join("auto/auto_events_cents.csv.gz")) {
        if known.contains(&row["loan_id"]) {
            events.entry(row["loan_id"].clone()).or_default().push(row);
        }
    }
    for loan in &loans {
        let id: u64 = loan["loan_id"].parse().unwrap();
        let (banks, shares): (Vec<_>, Vec<_>) = shares(1 + id % 7).into_iter().unzip();
        let mut balance: u64 = loan["first_begin_bal_c"].parse().unwrap();
        let mut parts = balance_split(balance, &shares);
        for (bank, part) in banks.iter().zip(&parts) {
            expected[*bank].lent += part;
        }
        let mut months = events.remove(&loan["loan_id"]).unwrap_or_default();
        months.sort_by(|a, b| a["period"].cmp(&b["period"]));
        for row in months {
            if !["payment", "payoff", "interest_only_or_partial"].contains(&row["kind"].as_str()) {
                continue;
            }
            let (principal, paid): (u64, u64) =
                (row["principal_c"].parse().unwrap(), row["payment_c"].parse().unwrap());
            // A balance increase that was left out leaves later payments larger than what is booked as owed.
            if principal > balance || paid == 0 {
                continue;
            }
            balance -= principal;
            payments += 1;
            let after = balance_split(balance, &shares);
            let interest = largest_remainder(paid - principal, &shares, 100);
            assert_eq!(interest.iter().sum::<u64>(), paid - principal);
            for (i, bank) in banks.iter().enumerate() {
                expected[*bank].reserve += parts[i] - after[i] + interest[i];
                expected[*bank].interest += interest[i];
            }
            parts = after;
            assert_eq!(parts.iter().sum::<u64>(), balance, "the parts add up in every month");
        }
        for (bank, part) in banks.iter().zip(parts) {
            expected[*bank].outstanding += part;
        }
    }
    (expected, payments)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_real_loans_agree_to_the_cent() {
    let Some(data) = real_loans() else { return };
    let (expected, payments) = compute(&data);
    let dir = tempfile::tempdir().unwrap();
    let mut members: Vec<_> = BANKS.iter().map(|bank| (*bank, Role::Bank)).collect();
    members.push(("regulator", Role::Regulator));
    let mut cluster = Cluster::found(dir.path(), Path::new(PROGRAM), &members, &[PRODUCT]).unwrap();
    for bank in BANKS {
        cluster.start(bank).unwrap();
    }
    cluster.ready(&BANKS, 3, PATIENCE).await.unwrap();

    let (loans, events) =
        (data.join("auto/auto_loans_cents.csv.gz"), data.join("auto/auto_events_cents.csv.gz"));
    let lead = cluster.home("bank-a").unwrap().path().to_owned();
    let import = Command::new(PROGRAM)
        .args(["import", "auto", "--home", text(&lead), "--loans", text(&loans), "--events", text(&events)])
        .args(["--limit", &LOANS.to_string(), "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();

    // One of the four is killed during the import and comes back: the others go on meanwhile.
    let height_of = |name: &'static str| {
        let socket = cluster.home(name).unwrap().socket();
        async move { counterfoil::control::status(&socket).await.map_or(0, |status| status.height) }
    };
    let begin = std::time::Instant::now();
    while height_of("bank-b").await < 30 {
        assert!(begin.elapsed() < STALLED, "the import does not begin");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    cluster.kill("bank-c").unwrap();
    let height_of = |name: &'static str| {
        let socket = cluster.home(name).unwrap().socket();
        async move { counterfoil::control::status(&socket).await.map_or(0, |status| status.height) }
    };
    let killed_at = height_of("bank-b").await;
    let begin = std::time::Instant::now();
    while height_of("bank-b").await < killed_at + 20 {
        assert!(begin.elapsed() < STALLED, "three of four do not go on");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    cluster.start("bank-c").unwrap();

    let output = tokio::task::spawn_blocking(move || import.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(number(&summary, "loans"), u64::try_from(LOANS).unwrap());
    assert_eq!(number(&summary, "payments"), payments);
    let left_out = &summary["left_out"];
    for (kind, count) in
        [("capitalise_or_reversal", 11), ("chargeoff", 12), ("recovery", 3), ("no_payment", 1_390)]
    {
        assert_eq!(number(left_out, kind), count, "{left_out}");
    }
    cluster.agree(&BANKS, 1, PATIENCE).await.unwrap();
    println!("import: {} s for {} events", summary["seconds"], payments + 500);

    let mut views = Vec::new();
    for (bank, expected) in BANKS.iter().zip(&expected) {
        let view = json(&["view", "--home", text(cluster.home(bank).unwrap().path()), "--json"]);
        assert_eq!(&totals(line(&view, bank)), expected, "{bank}");
        assert_eq!(view["lines"].as_array().unwrap().len(), 1, "{bank} reads its own line and no other");
        views.push(view);
    }
    // The regulator audits another node's copy of the chain, with its own keys.
    let home = cluster.home("regulator").unwrap().path().to_owned();
    let chain = cluster.home("bank-d").unwrap().chain();
    let audit = json(&["audit", "--home", text(&home), "--chain", text(&chain), "--loans", "--json"]);
    for (bank, view) in BANKS.iter().zip(&views) {
        assert_eq!(line(&audit, bank), line(view, bank));
    }
    assert_eq!(audit["findings"].as_array().unwrap().len(), 0);
    let parts = audit["parts"].as_array().unwrap();
    let sum: u64 = parts.iter().map(|part| number(part, "outstanding")).sum();
    assert_eq!(sum, expected.iter().map(|bank| bank.outstanding).sum::<u64>());
    cluster.stop().await.unwrap();
}

fn totals(line: &serde_json::Value) -> Expected {
    Expected {
        lent: number(line, "lent"),
        outstanding: number(line, "outstanding"),
        interest: number(line, "interest"),
        reserve: number(line, "reserve"),
    }
}

//! Real loans: the first 500 auto loans with all that happened to them, over four processes, against an independent computation.
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
    losses: u64,
    recoveries: u64,
    costs: u64,
    reserve: i128,
}

/// What the files say happened, by the kind of batch that books it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    payments: u64,
    raises: u64,
    write_offs: u64,
    recoveries: u64,
}

/// A loan under way.
struct Held {
    banks: Vec<usize>,
    shares: Vec<u64>,
    balance: u64,
    parts: Vec<u64>,
}

impl Held {
    /// Splits an amount that stands beside the balance.
    fn split(&self, amount: u64) -> impl Iterator<Item = (usize, u64)> {
        self.banks.clone().into_iter().zip(largest_remainder(amount, &self.shares, 100))
    }

    /// Moves the balance; returns what each bank's part becomes, and what it was.
    fn rebalance(&mut self, balance: u64) -> Vec<(usize, u64, u64)> {
        let after = balance_split(balance, &self.shares);
        let before = std::mem::replace(&mut self.parts, after.clone());
        self.balance = balance;
        assert_eq!(after.iter().sum::<u64>(), balance, "the parts add up in every month");
        self.banks
            .iter()
            .copied()
            .zip(after.into_iter().zip(before))
            .map(|(bank, (a, b))| (bank, a, b))
            .collect()
    }
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

/// Every bank's totals from the files alone.
fn compute(data: &Path) -> ([Expected; 4], Counts) {
    let loans: Vec<_> = rows(&data.join("auto/auto_loans_cents.csv.gz")).into_iter().take(LOANS).collect();
    let known: BTreeSet<_> = loans.iter().map(|row| row["loan_id"].clone()).collect();
    let (mut expected, mut counts) = ([Expected::default(); 4], Counts::default());
    let mut events: BTreeMap<String, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    for row in rows(&data.join("auto/auto_events_cents.csv.gz")) {
        if known.contains(&row["loan_id"]) {
            events.entry(row["loan_id"].clone()).or_default().push(row);
        }
    }
    for loan in &loans {
        let id: u64 = loan["loan_id"].parse().unwrap();
        let (banks, shares): (Vec<_>, Vec<_>) = shares(1 + id % 7).into_iter().unzip();
        let balance: u64 = loan["first_begin_bal_c"].parse().unwrap();
        let parts = balance_split(balance, &shares);
        for (bank, part) in banks.iter().zip(&parts) {
            expected[*bank].lent += part;
            expected[*bank].reserve -= i128::from(*part);
        }
        let mut held = Held { banks, shares, balance, parts };
        let mut months = events.remove(&loan["loan_id"]).unwrap_or_default();
        months.sort_by(|a, b| a["period"].cmp(&b["period"]));
        for row in months {
            month(&row, &mut held, &mut expected, &mut counts);
        }
        for (bank, part) in held.banks.iter().zip(held.parts) {
            expected[*bank].outstanding += part;
        }
    }
    (expected, counts)
}

/// What a row does to the banks.
fn month(row: &BTreeMap<String, String>, held: &mut Held, expected: &mut [Expected; 4], counts: &mut Counts) {
    let cents = |column: &str| row[column].parse::<i64>().unwrap_or(0);
    let owed = |column: &str| u64::try_from(cents(column).max(0)).unwrap();
    let (kind, after) = (row["kind"].as_str(), owed("end_c"));
    // What is paid beyond what is owed is the customer's.
    let (principal, interest) = match kind {
        "payment" | "payoff" | "interest_only_or_partial" => {
            (owed("begin_c") - after, owed("payment_c") - owed("principal_c"))
        }
        _ => (0, owed("payment_c")),
    };
    if principal > 0 || interest > 0 {
        counts.payments += 1;
        for (bank, after, before) in held.rebalance(held.balance - principal) {
            expected[bank].reserve += i128::from(before - after);
        }
        for (bank, part) in held.split(interest) {
            expected[bank].interest += part;
            expected[bank].reserve += i128::from(part);
        }
    }
    if kind == "capitalise_or_reversal" && after > held.balance {
        counts.raises += 1;
        for (bank, after, before) in held.rebalance(after) {
            expected[bank].interest += after - before;
        }
    }
    if kind == "chargeoff" {
        counts.write_offs += 1;
        for (bank, _, before) in held.rebalance(0) {
            expected[bank].losses += before;
        }
    }
    let beside = [cents("recovery_c"), cents("repo_proceeds_c")];
    let sum = |sign: i64| beside.iter().map(|c| u64::try_from((c * sign).max(0)).unwrap()).sum::<u64>();
    let (proceeds, costs) = (sum(1), sum(-1));
    counts.recoveries += u64::from(proceeds > 0 || costs > 0);
    for (bank, part) in held.split(proceeds) {
        expected[bank].recoveries += part;
        expected[bank].reserve += i128::from(part);
    }
    for (bank, part) in held.split(costs) {
        expected[bank].costs += part;
        expected[bank].reserve -= i128::from(part);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_real_loans_agree_to_the_cent() {
    let Some(data) = real_loans() else { return };
    let (expected, counts) = compute(&data);
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
    let booked = |name: &str| number(&summary, name);
    let booked = Counts {
        payments: booked("payments"),
        raises: booked("raises"),
        write_offs: booked("write_offs"),
        recoveries: booked("recoveries"),
    };
    assert_eq!(booked, counts);
    assert_eq!((booked.raises, booked.write_offs), (11, 12), "all increases and charge-offs of these loans");
    cluster.agree(&BANKS, 1, PATIENCE).await.unwrap();
    println!("import: {} s, {booked:?} and {LOANS} loans", summary["seconds"]);

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
        losses: number(line, "losses"),
        recoveries: number(line, "recoveries"),
        costs: number(line, "costs"),
        // What was paid in is lent in full: the rest is what came back.
        reserve: i128::from(number(line, "reserve")) - i128::from(number(line, "settlement")),
    }
}

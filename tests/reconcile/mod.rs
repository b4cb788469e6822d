//! Reconciliation of large books: every kind of break is found, named and placed, and nothing else is.

mod inject;
mod sample;

use crate::support::{PROGRAM, json, number, run, text};
use counterfoil::reconcile::{
    Period, export,
    line::Line,
    reconcile,
    report::{Item, Report},
};
use inject::{Place, inject};
use sample::{Books, Random};
use std::{collections::BTreeSet, fs::File};

/// Both sides' lines; the rows shuffled by `seed`.
fn lines(books: &Books, seed: u64) -> (Vec<Line>, Vec<Line>) {
    let own = books.loans.iter().flat_map(|loan| loan.own.iter().copied()).collect();
    let mut rows: Vec<_> = books.loans.iter().flat_map(|loan| loan.rows.iter().copied()).collect();
    Random::new(seed).shuffle(&mut rows);
    for (row, number) in rows.iter_mut().zip(2..) {
        row.row = number;
    }
    (own, rows)
}

fn compare(books: &mut Books, seed: u64) -> Report {
    let (own, rows) = lines(books, seed);
    let count = rows.len() as u64;
    let all = |_: &mut _, sink: &mut dyn FnMut(Line) -> Result<(), String>| {
        rows.into_iter().for_each(|row| sink(row).unwrap());
        Ok(count)
    };
    reconcile(own, &mut books.names, Period::default(), None, all).unwrap()
}

fn place(item: &Item) -> Place {
    let amount =
        |entry: &Option<_>| entry.as_ref().map(|entry: &counterfoil::reconcile::report::Entry| entry.amount);
    let at = item.ledger.as_ref().or(item.extract.as_ref()).unwrap();
    let (loan, event, component) = (item.loan.clone(), item.event.clone(), item.component.clone());
    (loan, item.cause, event, component, at.value_date.clone(), amount(&item.ledger), amount(&item.extract))
}

fn assert_same(report: &Report, expected: &BTreeSet<Place>) {
    let found: BTreeSet<_> = report.heads().map(place).collect();
    let (missed, alarms): (Vec<_>, Vec<_>) =
        (expected.difference(&found).collect(), found.difference(expected).collect());
    assert!(missed.is_empty() && alarms.is_empty(), "missed: {missed:#?}\nfalse alarms: {alarms:#?}");
}

#[test]
fn eighteen_kinds_of_breaks_are_found_in_200_000_lines() {
    let mut books = Books::generate(1, 200_000);
    let expected = inject(&mut books, 2, 6);
    let report = compare(&mut books, 3);
    assert_same(&report, &expected);
    let causes: BTreeSet<_> = report.heads().map(|item| item.cause).collect();
    assert_eq!(causes.len(), 19, "eighteen kinds, missing and doubled apart: {causes:?}");
    assert!(report.lines.ledger >= 200_000);
}

#[test]
fn any_order_and_any_seed_give_the_same_breaks() {
    for seed in 10..20 {
        let mut books = Books::generate(seed, 20_000);
        let expected = inject(&mut books, seed, 2);
        for order in 0..2 {
            assert_same(&compare(&mut books, order), &expected);
        }
    }
}

#[test]
fn an_untouched_extract_agrees_in_any_order() {
    for seed in 0..20 {
        let mut books = Books::generate(seed, 3_000);
        let report = compare(&mut books, seed);
        assert!(report.agrees(), "{}", report.to_text(5));
        assert_eq!(report.lines.agreed, report.lines.ledger);
    }
}

#[test]
fn the_command_reads_files_and_ends_with_its_code() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mut books = Books::generate(4, 5_000);
    let write = |name: &str, lines: &[Line], books: &Books| {
        export::write(File::create(at(name)).unwrap(), lines, &books.names).unwrap();
    };
    let (own, rows) = lines(&books, 5);
    write("own.csv", &own, &books);
    write("agrees.csv", &rows, &books);
    let expected = inject(&mut books, 6, 1);
    write("differs.csv", &lines(&books, 5).1, &books);

    let command = |file: &str, more: &[&str]| {
        let (own, file) = (at("own.csv"), at(file));
        run(&[&["reconcile", "--ledger", text(&own), "--file", text(&file)], more].concat())
    };
    let agrees = command("agrees.csv", &[]);
    assert_eq!(agrees.status.code(), Some(0), "{}", String::from_utf8_lossy(&agrees.stderr));
    assert!(String::from_utf8_lossy(&agrees.stdout).contains("no breaks"));

    let breaks = at("breaks.csv");
    let differs = command("differs.csv", &["--json", "--breaks", text(&breaks)]);
    assert_eq!(differs.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&differs.stdout).unwrap();
    let items = report["breaks"].as_array().unwrap();
    let heads = items.iter().filter(|item| item.get("follows").is_none()).count();
    assert_eq!(heads, expected.len());
    let written: Vec<_> =
        csv::Reader::from_path(&breaks).unwrap().into_records().map(Result::unwrap).collect();
    assert_eq!(written.len(), items.len());

    let people = command("differs.csv", &["--limit", "2"]);
    let people = String::from_utf8(people.stdout).unwrap();
    assert!(people.contains("loan-number") && people.contains("--limit shows more"), "{people}");

    let missing = command("nothing.csv", &[]);
    assert_eq!(missing.status.code(), Some(2));
    let said = String::from_utf8(missing.stderr).unwrap();
    assert!(said.contains("cannot be opened"), "{said}");
    let usage = std::process::Command::new(PROGRAM).arg("reconcile").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn a_bank_finds_a_changed_cent_in_its_own_chain() {
    let dir = tempfile::tempdir().unwrap();
    json(&["demo", "--exit", "--json", "--loans", "3", "--seed", "7", "--dir", text(dir.path())]);
    let at = |name: &str| dir.path().join(name);
    let (bank, own, core) = (at("bank-b"), at("own.csv"), at("core.csv"));
    let exported = run(&["reconcile", "--bank", text(&bank), "--export", text(&own)]);
    assert_eq!(exported.status.code(), Some(0), "{}", String::from_utf8_lossy(&exported.stderr));

    // The lines add up to what the bank's view says.
    let view = json(&["view", "--home", text(&bank), "--json"]);
    let total = &view["lines"][0];
    let (mut lent, mut repaid, mut interest, mut funded) = (0, 0, 0, 0);
    for row in csv::Reader::from_path(&own).unwrap().records().map(Result::unwrap) {
        let sum = match (&row[1], &row[2]) {
            ("drawn", "principal") => &mut lent,
            ("repaid", "principal") => &mut repaid,
            ("repaid", "interest") => &mut interest,
            ("funded", "principal") => &mut funded,
            other => panic!("{other:?}"),
        };
        *sum += row[4].replace('.', "").parse::<u64>().unwrap();
    }
    assert!(lent > 0 && interest > 0);
    assert_eq!(
        [lent, lent - repaid, interest, funded],
        ["lent", "outstanding", "interest", "settlement"].map(|name| number(total, name))
    );

    let reconcile =
        |file: &std::path::Path| run(&["reconcile", "--bank", text(&bank), "--file", text(file), "--json"]);
    assert_eq!(reconcile(&own).status.code(), Some(0));
    let lines = std::fs::read_to_string(&own).unwrap();
    let line = lines.lines().rfind(|line| line.contains("repaid,interest")).unwrap();
    let amount = line.split(',').nth(4).unwrap();
    let cents = amount.replace('.', "").parse::<u64>().unwrap() + 1;
    let other = line.replace(amount, &format!("{}.{:02}", cents / 100, cents % 100));
    std::fs::write(&core, lines.replace(line, &other)).unwrap();
    let found = reconcile(&core);
    assert_eq!(found.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let breaks = report["breaks"].as_array().unwrap();
    assert_eq!(breaks.len(), 1);
    assert_eq!((breaks[0]["cause"].as_str(), breaks[0]["difference"].as_i64()), (Some("cents"), Some(-1)));
    assert_eq!(breaks[0]["loan"], line.split(',').next().unwrap());

    let regulator = run(&["reconcile", "--bank", text(&at("regulator")), "--file", text(&core)]);
    assert_eq!(regulator.status.code(), Some(2));
}

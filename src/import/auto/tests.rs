//! Tests.

use super::*;
use flate2::{Compression, write::GzEncoder};
use std::{fs, io::Write as _, path::PathBuf};

const LOAN_FILE: &str = "loan_id,pool,rate,term_m,first_period,first_begin_bal_c\n\
    7,p,0.073,74,2017-05,1000\n8,p,0.1,60,2017-06,500\n";
const EVENT_FILE: &str = "loan_id,period,begin_c,principal_c,payment_c,end_c,repo_proceeds_c,kind\n\
    7,2017-05,1000,100,130,900,0,payment\n\
    7,2017-06,900,0,0,900,0,no_payment\n\
    7,2017-07,900,900,910,0,0,payoff\n\
    8,2017-06,500,0,20,500,0,interest_only_or_partial\n";

fn import(loans: &[u8], events: &[u8], limit: Option<usize>) -> Result<Portfolio, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let (loan_path, event_path) = (folder.path().join("loans.csv"), folder.path().join("events.csv"));
    fs::write(&loan_path, loans).unwrap();
    fs::write(&event_path, events).unwrap();
    read(&loan_path, &event_path, limit, 3)
}

fn example() -> Portfolio {
    import(LOAN_FILE.as_bytes(), EVENT_FILE.as_bytes(), None).unwrap()
}

fn counts(portfolio: &Portfolio) -> Vec<(&str, u64)> {
    portfolio.left_out.iter().map(|(name, left)| (name.as_str(), left.count)).collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn reads_openings_and_payments() {
    let portfolio = example();
    let openings: Vec<_> =
        portfolio.openings.iter().map(|o| (o.loan.as_str(), o.period.to_string(), o.principal)).collect();
    assert_eq!(openings, [("7", "2017-05".into(), 1000), ("8", "2017-06".into(), 500)]);
    assert_eq!(portfolio.openings[0].partners, [0]); // 1 + 7 mod 7
    assert_eq!(portfolio.openings[1].partners, [1]);
    assert_eq!(portfolio.openings[0].terms, "7.30 % a year, 74 months");
    let payments: Vec<_> = portfolio
        .payments
        .iter()
        .map(|p| (p.period.to_string(), &*p.loan, p.principal, p.interest))
        .collect();
    let expected = [("2017-05", "7", 100, 30), ("2017-06", "8", 0, 20), ("2017-07", "7", 900, 10)];
    assert_eq!(payments, expected.map(|(month, loan, p, i)| (month.to_owned(), loan, p, i)));
    assert_eq!(counts(&portfolio), [("no_payment", 1)]);
}

#[test]
fn spelling_does_not_matter() {
    let quoted = LOAN_FILE.replace("0.073", "\"0.073\"").replace(",p,", ",\"a, b\",");
    for (loans, events) in [
        (format!("\u{feff}{LOAN_FILE}").into_bytes(), format!("\u{feff}{EVENT_FILE}").into_bytes()),
        (LOAN_FILE.replace('\n', "\r\n").into_bytes(), EVENT_FILE.replace('\n', "\r\n").into_bytes()),
        (quoted.into_bytes(), EVENT_FILE.trim_end().as_bytes().to_vec()),
        (packed(LOAN_FILE), packed(EVENT_FILE)),
    ] {
        assert_eq!(import(&loans, &events, None).unwrap(), example());
    }
}

#[test]
fn a_limit_skips_other_loans() {
    let portfolio = import(LOAN_FILE.as_bytes(), EVENT_FILE.as_bytes(), Some(1)).unwrap();
    assert_eq!((portfolio.openings.len(), portfolio.payments.len()), (1, 2));
}

#[test]
fn a_loan_without_events_opens_and_is_counted() {
    let events = EVENT_FILE.lines().take(4).collect::<Vec<_>>().join("\n");
    let portfolio = import(LOAN_FILE.as_bytes(), events.as_bytes(), None).unwrap();
    assert_eq!(portfolio.openings.len(), 2);
    assert_eq!(counts(&portfolio), [("loan without events", 1), ("no_payment", 1)]);
}

/// Each line: rows of loan 7 from balance 1000 on, principal booked, what is left out.
#[test]
fn nothing_is_bent() {
    type Line = (&'static str, &'static [u64], &'static [(&'static str, u64)]);
    let table: &[Line] = &[
        (
            "7,2017-05,1000,0,0,1200,0,capitalise_or_reversal\n7,2017-06,1200,900,950,300,0,payment\n\
             7,2017-07,300,300,310,0,0,payoff\n",
            &[900],
            &[("capitalise_or_reversal", 1), ("exceeds booked balance", 1)],
        ),
        (
            "7,2017-05,1000,400,400,600,0,payment\n7,2017-06,600,0,0,0,250,chargeoff\n7,2017-09,,0,,,0,recovery\n",
            &[400],
            &[("chargeoff", 1), ("recovery", 1)],
        ),
        (
            "7,2017-05,1000,1000,1010,-5,0,payment\n7,2017-06,-5,0,0,0,0,capitalise_or_reversal\n",
            &[1000],
            &[("capitalise_or_reversal", 1), ("overpaid", 1)],
        ),
        (
            "7,2017-05,990,90,90,900,0,payment\n7,2017-06,900,100,100,800,0,payment\n",
            &[100],
            &[("does not chain", 1)],
        ),
        ("7,2017-05,1000,0,0,1000,0,payment\n", &[], &[("nothing paid", 1)]),
        ("7,2017-05,1000,0,0,1000,-30,no_payment\n", &[], &[("no_payment", 1), ("repossession proceeds", 1)]),
    ];
    let header = EVENT_FILE.lines().next().unwrap();
    for (rows, principals, left) in table {
        let events = format!("{header}\n{rows}");
        let portfolio = import(LOAN_FILE.as_bytes(), events.as_bytes(), Some(1)).unwrap();
        let booked: Vec<u64> = portfolio.payments.iter().map(|p| p.principal).collect();
        assert_eq!((&booked[..], &counts(&portfolio)[..]), (*principals, *left), "{rows}");
    }
}

/// Each line: whether the loans file is changed, what by what, what the error says.
#[test]
fn refuses_with_row_column_and_remedy() {
    let table: &[(bool, &str, &str, &[&str])] = &[
        (true, "7,2017", "7,2017", &[]),
        (
            true,
            "2017-05,1000",
            "2017-05,\"1,000\"",
            &["loans.csv, row 2, column first_begin_bal_c: `1,000`", "separator"],
        ),
        (true, "2017-05,1000", "2017-05,1000.125", &["row 2", "`1000.125` has decimals", "whole cents"]),
        (true, "2017-05,1000", "2017-05,-0", &["row 2", "`-0` is a negative zero"]),
        (true, "2017-05,1000", "2017-05,-1000", &["negative"]),
        (true, "2017-05,1000", "2017-05,18446744073709551616", &["row 2", "too large"]),
        (true, "2017-05,1000", "2017-05,9223372036854775808", &["too large"]),
        (true, "2017-05,1000", "2017-05,1e3", &["not a number"]),
        (true, "2017-05,1000", "2017-05,10\r00", &["row 2", "`10\\r00` is not a number"]),
        (true, "2017-05,1000", "2017-05,", &["`` is empty"]),
        (true, "2017-05,1000", "2017-05,0", &["nothing to open a loan with"]),
        (true, "2017-05,1000", "2017-05,1000,9", &["row 2: has 7 values, but there are 6 columns"]),
        (true, "2017-05,1000", "2017-5,1000", &["row 2, column first_period: `2017-5` is not a month"]),
        (true, "\n8,", "\n7,", &["row 3, column loan_id: `7` is there twice"]),
        (true, "p,0.1", "p,0.1%", &["row 3, column rate"]),
        (true, "0.073", "7.3 %", &["column rate: `7.3 %` is not a rate"]),
        (true, "rate,", "interest,", &["row 1: column `rate` is missing"]),
        (true, "pool,", "rate,", &["row 1: column `rate` is there twice"]),
        (true, ",p,0.073", ",\"p,0.073", &["row 2: has 2 values"]),
        (
            false,
            "\n8,2017",
            "\n9,2017",
            &["events.csv, row 5, column loan_id: `9` is not in the file of loans"],
        ),
        (false, "7,2017-06,900", "7,2017-05,900", &["row 3, column period: `2017-05` is there twice"]),
        (
            false,
            "7,2017-07",
            "7,2017-04",
            &["row 4, column period: `2017-04` is before the loan's first month"],
        ),
        (false, "7,2017-06,900", "7,2017-08,900", &["row 4", "comes after the row of 2017-08; sort"]),
        (false, "payoff", "payed", &["row 4, column kind: `payed` is not a kind"]),
        (false, "100,130", "100,99", &["row 2, column payment_c: `99` is less than the principal 100"]),
        (false, "100,130,900", "100,130,901", &["row 2, column end_c: `901` is not 1000 less"]),
        (false, "100,130,900", "-100,130,1100", &["column principal_c: `-100` is negative"]),
        (false, "100,130,900", "1100,1130,-100", &["exceeds what was owed"]),
        (false, "0,0,900,0,no", "0,5,900,0,no", &["row 3, column kind", "stands beside an amount"]),
        (false, "1000,100,130", ",100,130", &["does not chain"]),
    ];
    for (of_loans, old, new, said) in table {
        let change =
            |text: &str, wanted: bool| if wanted { text.replacen(old, new, 1) } else { text.to_owned() };
        let (loans, events) = (change(LOAN_FILE, *of_loans), change(EVENT_FILE, !of_loans));
        match import(loans.as_bytes(), events.as_bytes(), None) {
            Ok(portfolio) if said.is_empty() => assert_eq!(portfolio, example()),
            Ok(portfolio) => {
                assert!(counts(&portfolio).iter().any(|(name, _)| name == &said[0]), "{new}")
            }
            Err(error) => {
                for words in *said {
                    assert!(error.to_string().contains(words), "{new}: {error}");
                }
            }
        }
    }
}

#[test]
fn rows_count_as_in_an_editor() {
    for ending in ["\n", "\r\n"] {
        let events = EVENT_FILE.replace("900,900,910", "900,900,x").replace('\n', ending);
        let error = import(LOAN_FILE.as_bytes(), events.as_bytes(), None).unwrap_err().to_string();
        assert!(error.contains("row 4, column payment_c: `x`"), "{error}");
    }
}

#[test]
fn refuses_empty_and_cut_files() {
    let refused = |loans: &[u8], events: &[u8]| import(loans, events, None).unwrap_err().to_string();
    assert!(refused(b"", EVENT_FILE.as_bytes()).contains("loans.csv: the file is empty"));
    assert!(refused(LOAN_FILE.as_bytes(), b"").contains("events.csv: the file is empty"));
    assert!(refused(&packed(""), b"").contains("loans.csv: the file is empty"));
    let header = LOAN_FILE.lines().next().unwrap();
    assert!(refused(header.as_bytes(), b"").contains("there are no loans"));
    let events = packed(EVENT_FILE);
    let cut = refused(LOAN_FILE.as_bytes(), &events[..events.len() - 12]);
    assert!(cut.contains("events.csv, row") && cut.contains("damaged or cut off"), "{cut}");
    assert!(refused(&[LOAN_FILE.as_bytes(), b"\xff,"].concat(), b"").contains("row 4"));
}

/// A row without end, plain and as a small gzip that unpacks to it: refused after 64 KiB.
#[test]
fn refuses_an_endless_row() {
    for filler in ["9".repeat(20_000_000), format!("\"{}", "9\n".repeat(5_000_000)), "9,".repeat(5_000_000)] {
        let events = format!("{EVENT_FILE}{filler}");
        for bytes in [events.clone().into_bytes(), packed(&events)] {
            let error = import(LOAN_FILE.as_bytes(), &bytes, None).unwrap_err().to_string();
            assert!(error.contains("events.csv, row 6: longer than 64 KiB"), "{error}");
        }
    }
    let just_so = LOAN_FILE.replacen(",p,", &format!(",{},", "p".repeat(64 * 1024 - 100)), 1);
    assert!(import(just_so.as_bytes(), EVENT_FILE.as_bytes(), None).is_ok());
}

#[test]
fn a_missing_file_has_a_remedy() {
    let error = read(Path::new("/nowhere/loans.csv"), Path::new("/nowhere/events.csv"), None, 3).unwrap_err();
    assert!(error.to_string().contains("/nowhere/loans.csv: cannot be opened"), "{error}");
    assert!(error.to_string().contains("generate a portfolio from a seed"), "{error}");
    for partners in [0, 7] {
        let error = read(Path::new("x"), Path::new("y"), None, partners).unwrap_err();
        assert!(matches!(error, ImportError::Partners { .. }));
    }
}

/// The real files, where they are: every loan chains down, and nothing is lost between booked and left out.
#[test]
fn the_real_files_add_up() {
    let data =
        std::env::var_os("COUNTERFOIL_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let (loans, events) =
        (data.join("auto/auto_loans_cents.csv.gz"), data.join("auto/auto_events_cents.csv.gz"));
    if !loans.exists() || !events.exists() {
        eprintln!("SKIPPED: no real loan data in {}; set COUNTERFOIL_DATA", data.display());
        return;
    }
    for (limit, loan_count, rows) in [(Some(500), 500, None), (None, 6_408, Some(202_598))] {
        let portfolio = read(&loans, &events, limit, 3).unwrap();
        assert_eq!(portfolio.openings.len(), loan_count);
        let mut owed: BTreeMap<_, _> = portfolio.openings.iter().map(|o| (&o.loan, o.principal)).collect();
        for payment in &portfolio.payments {
            let owed = owed.get_mut(&payment.loan).unwrap();
            *owed = owed.checked_sub(payment.principal).expect("never more than is owed");
        }
        assert!(portfolio.payments.is_sorted_by_key(|p| p.period));
        let beside = ["overpaid", "repossession proceeds", "loan without events"];
        let left: u64 =
            counts(&portfolio).iter().filter(|(name, _)| !beside.contains(name)).map(|(_, n)| n).sum();
        let total = portfolio.payments.len() as u64 + left;
        assert!(rows.is_none_or(|rows| rows == total), "{total} rows");
        let open = owed.values().filter(|&&owed| owed > 0).count();
        println!(
            "{loan_count} loans: {} payments, {open} still open, {:?}",
            portfolio.payments.len(),
            counts(&portfolio)
        );
    }
}

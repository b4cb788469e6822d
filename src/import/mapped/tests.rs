//! Tests.

use super::{super::mapping::AUTO, *};
use flate2::{Compression, write::GzEncoder};
use std::{fs, io::Write as _, path::PathBuf};

const LOAN_FILE: &str = "loan_id,pool,rate,term_m,first_period,first_begin_bal_c\n\
    7,p,0.073,74,2017-05,1000\n8,p,0.1,60,2017-06,500\n";
const EVENT_FILE: &str = "loan_id,period,begin_c,principal_c,payment_c,end_c,recovery_c,repo_proceeds_c,kind\n\
    7,2017-05,1000,100,130,900,,0,payment\n\
    7,2017-06,900,0,0,900,,0,no_payment\n\
    7,2017-07,900,900,910,0,,0,payoff\n\
    8,2017-06,500,0,20,500,,0,interest_only_or_partial\n";

const MAY: Date = Date(17_317);
const JUNE: Date = Date(17_347);
const JULY: Date = Date(17_378);

fn import(loans: &[u8], events: &[u8], limit: Option<usize>) -> Result<Portfolio, ImportError> {
    mapped(AUTO, loans, events, limit)
}

fn mapped(
    mapping: &str,
    loans: &[u8],
    events: &[u8],
    limit: Option<usize>,
) -> Result<Portfolio, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let (loan_path, event_path) = (folder.path().join("loans.csv"), folder.path().join("events.csv"));
    fs::write(&loan_path, loans).unwrap();
    fs::write(&event_path, events).unwrap();
    let mapping = Mapping::parse(mapping).unwrap();
    let partners = ["b", "c", "d"].map(String::from);
    read(&Source {
        mapping: &mapping,
        loans: &loan_path,
        events: &event_path,
        limit,
        exponent: 2,
        partners: (&partners, 3),
    })
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
        portfolio.openings.iter().map(|o| (o.loan.as_str(), o.date, o.principal)).collect();
    assert_eq!(openings, [("7", MAY, 1000), ("8", JUNE, 500)]);
    assert_eq!(portfolio.openings[0].partners, ["b"]); // 1 + 7 mod 7
    assert_eq!(portfolio.openings[1].partners, ["c"]);
    assert_eq!(portfolio.openings[0].terms, "7.30 % a year, 74 months");
    let paid = |principal, interest| What::Paid { principal, interest, fee: 0, penalty: 0 };
    let events: Vec<_> = portfolio.events.iter().map(|e| (e.date, &*e.loan, e.what)).collect();
    assert_eq!(events, [(MAY, "7", paid(100, 30)), (JUNE, "8", paid(0, 20)), (JULY, "7", paid(900, 10))]);
    assert_eq!(counts(&portfolio), [("nothing paid", 1)]);
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
    assert_eq!((portfolio.openings.len(), portfolio.events.len()), (1, 2));
}

#[test]
fn a_loan_without_events_opens_and_is_counted() {
    let events = EVENT_FILE.lines().take(4).collect::<Vec<_>>().join("\n");
    let portfolio = import(LOAN_FILE.as_bytes(), events.as_bytes(), None).unwrap();
    assert_eq!(portfolio.openings.len(), 2);
    assert_eq!(counts(&portfolio), [("loan without events", 1), ("nothing paid", 1)]);
}

/// Each line: rows of loan 7 from balance 1000 on, what is booked, what is left out.
#[test]
fn rows_become_what_they_say() {
    const fn paid(principal: u64, interest: u64) -> What {
        What::Paid { principal, interest, fee: 0, penalty: 0 }
    }
    type Line<'a> = (&'a str, &'a [What], &'a [(&'a str, u64)]);
    let table: &[Line] = &[
        (
            "7,2017-05,1000,0,25,1200,,0,capitalise_or_reversal\n7,2017-06,1200,900,950,300,,0,payment\n\
             7,2017-07,300,300,310,0,,0,payoff\n",
            &[paid(0, 25), What::Raised { amount: 200 }, paid(900, 50), paid(300, 10)],
            &[],
        ),
        (
            "7,2017-05,1000,400,400,600,,0,payment\n7,2017-06,600,0,7,0,,250,chargeoff\n\
             7,2017-09,,0,,,50,-30,recovery\n7,2017-10,,0,,,,-30,recovery\n7,2017-11,,0,,,,0,recovery\n",
            &[
                paid(400, 0),
                paid(0, 7),
                What::WrittenOff,
                What::Recovered { proceeds: 250, costs: 0 },
                What::Recovered { proceeds: 50, costs: 30 },
                What::Recovered { proceeds: 0, costs: 30 },
            ],
            &[("nothing recovered", 1)],
        ),
        // More is paid than is owed, and given back.
        (
            "7,2017-05,1000,1000,1010,-5,,0,payment\n7,2017-06,-5,0,0,0,,0,capitalise_or_reversal\n",
            &[paid(1000, 10)],
            &[("credit", 1), ("credit given back", 1)],
        ),
        (
            "7,2017-05,1000,1100,1130,-100,,0,payment\n7,2017-06,-100,-100,0,40,,0,capitalise_or_reversal\n",
            &[paid(1000, 30), What::Raised { amount: 40 }],
            &[("credit", 1), ("credit given back", 1)],
        ),
        ("7,2017-05,1000,0,0,1000,,0,payment\n", &[], &[("nothing paid", 1)]),
        ("7,2017-05,1000,0,0,1000,,-30,no_payment\n", &[What::Recovered { proceeds: 0, costs: 30 }], &[]),
    ];
    let header = EVENT_FILE.lines().next().unwrap();
    for (rows, expected, left) in table {
        let events = format!("{header}\n{rows}");
        let portfolio = import(LOAN_FILE.as_bytes(), events.as_bytes(), Some(1)).unwrap();
        let booked: Vec<_> = portfolio.events.iter().map(|e| e.what).collect();
        assert_eq!((&booked[..], &counts(&portfolio)[..]), (*expected, *left), "{rows}");
    }
}

#[test]
fn fees_and_penalties_have_columns_of_their_own() {
    let charges = "paid = \"payment_c\"\nfee = \"recovery_c\"\npenalty = \"late\"";
    let mapping = AUTO.replace("paid = \"payment_c\"", charges);
    let mapping = mapping.replace("[\"recovery_c\", \"repo_proceeds_c\"]", "[]");
    let events = EVENT_FILE.replace(",kind", ",late,kind").replace("900,,0,payment", "900,7,0,3,payment");
    let events = [",no_payment", ",payoff", ",interest_only"]
        .iter()
        .fold(events, |events, kind| events.replace(kind, &format!(",{kind}")));
    let read = |events: &str| mapped(&mapping, LOAN_FILE.as_bytes(), events.as_bytes(), None);
    let paid = What::Paid { principal: 100, interest: 20, fee: 7, penalty: 3 };
    assert_eq!(read(&events).unwrap().events[0].what, paid);
    let error = read(&events.replace("900,7,0,3,payment", "900,27,0,4,payment")).unwrap_err().to_string();
    assert!(
        error.contains("column payment_c: `130` is less than the principal 100 and the charges"),
        "{error}"
    );
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
        (
            false,
            "7,2017-06,900,0,0,900,,0,no_payment",
            "7,2017-05,900,0,0,900,,0,payment",
            &["row 3, column period: `2017-05` is there twice"],
        ),
        (false, "7,2017-07", "7,2017-04", &["row 4, column period: `2017-04` is before the loan opens"]),
        (false, "7,2017-06,900", "7,2017-08,900", &["row 4", "comes after a later row; sort"]),
        (
            false,
            "payoff",
            "payed",
            &["row 4, column kind: `payed` is not a kind of the mapping; use capitalise_or_reversal"],
        ),
        (
            false,
            "100,130",
            "100,99",
            &["row 2, column payment_c: `99` is less than the principal 100 and the charges"],
        ),
        (false, "100,130,900", "100,130,901", &["row 2, column end_c: `901` is not 1000 less"]),
        (false, "100,130,900", "-100,130,1100", &["column principal_c: `-100` is negative"]),
        (false, "0,0,900,,0,no", "0,5,900,,0,no", &["row 3, column kind", "stands beside an amount"]),
        (false, "1000,100,130", ",100,130", &["row 2, column begin_c: `` is empty"]),
        (
            false,
            "1000,100,130",
            "1001,100,130",
            &["row 2, column begin_c: `1001` is not the 1000 owed before"],
        ),
        (
            false,
            "7,2017-07,900,900,910,0,,0,payoff",
            "7,2017-07,900,0,0,1,,0,chargeoff",
            &["row 4, column end_c: `1` is not 0"],
        ),
        (
            false,
            "7,2017-07,900,900,910,0,,0,payoff",
            "7,2017-07,900,0,0,900,,0,capitalise_or_reversal",
            &["is not above 900"],
        ),
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
    let error = read(&Source {
        mapping: &Mapping::parse(AUTO).unwrap(),
        loans: Path::new("/nowhere/loans.csv"),
        events: Path::new("/nowhere/events.csv"),
        limit: None,
        exponent: 2,
        partners: (&["b".into()], 1),
    })
    .unwrap_err();
    assert!(error.to_string().contains("/nowhere/loans.csv: cannot be opened"), "{error}");
    assert!(error.to_string().contains("generate a portfolio from a seed"), "{error}");
}

/// The real files, where they are: every row becomes something or is left out by name, and what is booked as owed is what the
/// file says.
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
    let (mapping, partners) = (Mapping::parse(AUTO).unwrap(), ["b".to_owned()]);
    let source = Source {
        mapping: &mapping,
        loans: &loans,
        events: &events,
        limit: None,
        exponent: 2,
        partners: (&partners, 1),
    };
    let (mut rows, mut kinds) = (0, BTreeMap::new());
    let portfolio = read_each(&source, &mut |explained| {
        rows += 1;
        assert!(!explained.booked.is_empty() || !explained.left_out.is_empty(), "{explained:?}");
        for what in &explained.booked {
            *kinds.entry((explained.kind.clone(), what.kind().name())).or_insert(0) += 1;
        }
    })
    .unwrap();
    assert_eq!((rows, portfolio.openings.len()), (202_598, 6_408));
    let of = |kind: &str, booked: &str| kinds.get(&(kind.to_owned(), booked)).copied().unwrap_or(0);
    let left = |name: &str| portfolio.left_out.get(name).map_or(0, |left| left.count);
    // All 259 increases: 235 of a balance, 24 give back what a customer had paid too much.
    assert_eq!(of("capitalise_or_reversal", "reschedule"), 235);
    assert_eq!((left("credit"), left("credit given back")), (27, 24));
    assert_eq!(of("chargeoff", "write-off"), 196);
    assert_eq!(of("recovery", "recover"), 142);
    assert_eq!(
        portfolio.events.iter().filter(|e| matches!(e.what, What::Recovered { costs: 1.., .. })).count(),
        105 + 2
    );
    let mut owed: BTreeMap<_, _> = portfolio.openings.iter().map(|o| (&o.loan, o.principal)).collect();
    for event in &portfolio.events {
        let owed = owed.get_mut(&event.loan).unwrap();
        match event.what {
            What::Paid { principal, .. } => {
                *owed = owed.checked_sub(principal).expect("never more than is owed")
            }
            What::Raised { amount } => *owed += amount,
            What::WrittenOff => *owed = 0,
            What::Recovered { .. } => {}
        }
    }
    assert!(portfolio.events.is_sorted_by_key(|event| event.date));
    let open = owed.values().filter(|owed| **owed > 0).count();
    println!(
        "{} events, {open} loans still open, {kinds:?}, {:?}",
        portfolio.events.len(),
        counts(&portfolio)
    );
}

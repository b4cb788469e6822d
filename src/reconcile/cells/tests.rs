use super::*;

const GOOD: [(Column, &str); 6] = [
    (Column::Loan, "L1"),
    (Column::Event, "repaid"),
    (Column::Component, "interest"),
    (Column::Amount, "12.34"),
    (Column::Currency, "CNY"),
    (Column::Value, "2017-05-31"),
];

/// The line of the good cells with others in their place.
fn line(mapping: &Mapping, others: &[(Column, &str)]) -> Result<Option<Line>, Refusal> {
    let said =
        |column| others.iter().chain(&GOOD).find(|(of, _)| *of == column).map_or("", |(_, text)| *text);
    Cells::new(said).line(mapping, &mut Names::default(), 7)
}

fn good(others: &[(Column, &str)]) -> Line {
    line(&Mapping::default(), others).unwrap().unwrap()
}

#[test]
fn a_row_is_a_line() {
    let line = good(&[(Column::Booked, "2017-06-01"), (Column::Key, &"0a".repeat(32))]);
    assert_eq!((line.event, line.component, line.side), (Event::Repaid, Component::Interest, Side::Credit));
    assert_eq!((line.amount, line.currency.code(), line.row), (1234, "CNY", 7));
    assert_eq!(
        (line.value.to_string(), line.booked.unwrap().to_string()),
        ("2017-05-31".into(), "2017-06-01".into())
    );
    assert_eq!(line.key, Some([10; 32]));
    assert_eq!((line.bucket, line.account, line.customer), (None, None, None));
}

#[test]
fn the_side_is_said_or_usual() {
    let side = |others: &[(Column, &str)]| good(others).side;
    assert_eq!(side(&[]), Side::Credit);
    assert_eq!(side(&[(Column::Amount, "-12.34")]), Side::Debit);
    assert_eq!(side(&[(Column::Amount, "12.34-")]), Side::Debit);
    assert_eq!(side(&[(Column::Event, "drawn")]), Side::Debit);
    assert_eq!(side(&[(Column::Side, "Debit")]), Side::Debit);
    assert_eq!(side(&[(Column::Amount, ""), (Column::Debit, "1")]), Side::Debit);
    assert_eq!(side(&[(Column::Amount, ""), (Column::Credit, "1")]), Side::Credit);
    let debit = Mapping::read("positive = 'debit'").unwrap();
    assert_eq!(line(&debit, &[]).unwrap().unwrap().side, Side::Debit);
}

#[test]
fn nothing_moved_is_no_line_and_a_status_moves_nothing() {
    assert_eq!(line(&Mapping::default(), &[(Column::Amount, "0.00")]), Ok(None));
    let status = good(&[(Column::Event, "status"), (Column::Amount, ""), (Column::Bucket, "1-30")]);
    assert_eq!((status.amount, status.bucket.is_some()), (0, true));
    let top_up = good(&[(Column::Event, "funded"), (Column::Loan, "")]);
    assert_eq!(Names::default().name(RESERVE), top_up.loan);
    assert_eq!(good(&[(Column::Value, ""), (Column::Booked, "2017-06-01")]).value.to_string(), "2017-06-01");
}

#[test]
fn spellings_are_those_of_the_mapping() {
    let amount = |toml: &str, text: &str| {
        let mapping = Mapping::read(toml).unwrap();
        line(&mapping, &[(Column::Amount, text)]).map(|line| line.map(|line| line.amount))
    };
    let german = "decimal = ','\nthousands = '.'";
    for (toml, text, minor) in [
        (german, "1.234.567,89", 123_456_789),
        (german, "567,8", 56_780),
        (german, "1234", 123_400),
        ("thousands = ','", "1,234.50", 123_450),
        ("thousands = \"'\"", "1'234", 123_400),
        ("units = 'minor'", "1234", 1234),
        ("", "184467440737095516.15", u64::MAX),
    ] {
        assert_eq!(amount(toml, text), Ok(Some(minor)), "{toml} {text}");
    }
    for (toml, text, said) in [
        (german, "12.34", "grouped by thousands"),
        (german, ".234", "grouped by thousands"),
        ("decimal = ','", "1.234", "point"),
        ("units = 'minor'", "12.34", "decimals"),
        ("", "1,234.50", "separator"),
        ("", "1 234", "separator"),
    ] {
        let problem = amount(toml, text).unwrap_err().problem;
        assert!(problem.contains(said), "{toml} {text}: {problem}");
    }
}

#[test]
fn cells_that_cannot_be_are_named() {
    let long = "x".repeat(300);
    for (column, text, said) in [
        (Column::Amount, "12.345", "3 decimals"),
        (Column::Amount, "-0.00", "negative zero"),
        (Column::Amount, "0-", "negative zero"),
        (Column::Amount, "184467440737095516.16", "too large"),
        (Column::Amount, "", "empty"),
        (Column::Amount, "--1", "negative"),
        (Column::Amount, "1e3", "not an amount"),
        (Column::Amount, "NaN", "not an amount"),
        (Column::Currency, "XXY", "ISO 4217"),
        (Column::Currency, "cny", "ISO 4217"),
        (Column::Currency, "", "empty"),
        (Column::Event, "paid", "[events]"),
        (Column::Component, "principle", "[components]"),
        (Column::Side, "left", "[sides]"),
        (Column::Value, "2017-02-29", "YYYY-MM-DD"),
        (Column::Value, "", "no booking date"),
        (Column::Loan, "", "belongs to a loan"),
        (Column::Loan, &long, "longer than 256"),
    ] {
        let refusal = line(&Mapping::default(), &[(column, text)]).unwrap_err();
        assert_eq!(refusal.column, column, "{text}");
        assert!(refusal.problem.contains(said), "{text}: {}", refusal.problem);
    }
    let refused = |others: &[(Column, &str)]| line(&Mapping::default(), others).unwrap_err();
    let both = refused(&[(Column::Debit, "1"), (Column::Credit, "1")]);
    assert_eq!(both.column, Column::Credit);
    let twice = refused(&[(Column::Side, "debit"), (Column::Amount, "-1")]);
    assert!(twice.problem.contains("side is said already"), "{twice:?}");
    let reversal = refused(&[(Column::Event, "reversed")]);
    assert_eq!(reversal.column, Column::Side);
    let status = refused(&[(Column::Event, "status")]);
    assert!(status.problem.contains("moves nothing"), "{status:?}");
}

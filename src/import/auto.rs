//! Real loan histories: one file of loans and one of their months, as in the public filings of auto receivables trusts.
//!
//! | file | columns that are read, amounts in whole cents |
//! | --- | --- |
//! | loans | `loan_id`, `term_m`, `rate`, `first_period`, `first_begin_bal_c` |
//! | events | `loan_id`, `period`, `begin_c`, `principal_c`, `payment_c`, `end_c`, `repo_proceeds_c`, `kind` |
//!
//! A loan opens in `first_period` with `first_begin_bal_c`. A month of kind `payment`, `payoff` or
//! `interest_only_or_partial` is booked: its principal, and what was paid beyond it as interest. Everything else is left
//! out, counted and named.
//!
//! **After something was left out.** A capitalisation or a reversal raises the balance in the file, not in the book; from
//! then on the book owes less than the file. Later payments of that loan are booked while their principal fits into what
//! is booked as owed; one that does not fit is left out whole, under its own name. So no booked amount differs from the
//! file's, nothing is repaid that was not lent, and the loan ends with a booked balance that the counts explain. A
//! charge-off is left out too: the booked balance then stays open.
//!
//! Files that contradict themselves (a month twice, a payment below its own principal, a balance that does not foot) are
//! refused as a whole, with row and column.
//!
//! In 24 months of the real files more principal is paid than the file itself says was owed, which a later row mostly
//! reverses; they are left out under a name of their own. A month whose payment clears the balance and ends below zero is
//! booked; the customer's credit is not.

pub use super::table::ImportError;
use super::table::Table;
use super::{Opening, Payment, Period, Portfolio, choose_partners};
use counterfoil_policy::{format_amount, parse_amount};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
};

const LOANS: [&str; 5] = ["loan_id", "term_m", "rate", "first_period", "first_begin_bal_c"];
const EVENTS: [&str; 8] =
    ["loan_id", "period", "begin_c", "principal_c", "payment_c", "end_c", "repo_proceeds_c", "kind"];

// Places in the two lists above.
const LOAN: usize = 0;
const TERM: usize = 1;
const RATE: usize = 2;
const FIRST_PERIOD: usize = 3;
const FIRST_BALANCE: usize = 4;
const PERIOD: usize = 1;
const BEGIN: usize = 2;
const PRINCIPAL: usize = 3;
const PAID: usize = 4;
const END: usize = 5;
const PROCEEDS: usize = 6;
const KIND: usize = 7;

/// Reads both files, or the first `limit` loans and their events; `partners` is how many partners the lead has, 1 to 6.
/// Which of them take part in a loan follows from its id: at least one, all patterns alike.
///
/// # Errors
/// [`ImportError`] with file, row, column, value and remedy. Nothing is imported then.
pub fn read(
    loans: &Path,
    events: &Path,
    limit: Option<usize>,
    partners: u8,
) -> Result<Portfolio, ImportError> {
    if !(1..=6).contains(&partners) {
        return Err(ImportError::Partners { count: partners });
    }
    let mut book = Book::default();
    book.read_loans(Table::open(loans, LOANS)?, limit, partners)?;
    book.read_events(Table::open(events, EVENTS)?, limit.is_some())?;
    Ok(book.close())
}

/// A loan while its months are read.
struct Loan {
    /// Its place among the openings.
    order: usize,
    /// What is booked as owed.
    booked: u64,
    /// What the file says is owed, where it does.
    end: Option<i64>,
    /// Its first month.
    first: Period,
    /// The last month read.
    last: Option<Period>,
}

#[derive(Default)]
struct Book {
    portfolio: Portfolio,
    loans: BTreeMap<u64, Loan>,
    payments: Vec<(Period, usize, Payment)>,
}

impl Book {
    fn read_loans(
        &mut self,
        mut table: Table<5>,
        limit: Option<usize>,
        partners: u8,
    ) -> Result<(), ImportError> {
        while limit.is_none_or(|limit| self.portfolio.openings.len() < limit) && table.advance()? {
            let id = table.natural(LOAN)?;
            let period: Period = month(&table, FIRST_PERIOD)?;
            let principal = table.natural(FIRST_BALANCE)?;
            if principal == 0 {
                return Err(table.cell(FIRST_BALANCE, "is nothing to open a loan with; leave the loan out"));
            }
            let order = self.portfolio.openings.len();
            let Entry::Vacant(place) = self.loans.entry(id) else {
                return Err(table.cell(LOAN, "is there twice; every loan has one row"));
            };
            let end = i64::try_from(principal).ok();
            place.insert(Loan { order, booked: principal, end, first: period, last: None });
            let partners = choose_partners(id, partners);
            self.portfolio.openings.push(Opening {
                loan: id.to_string(),
                period,
                principal,
                partners,
                terms: terms(&table)?,
            });
        }
        if self.loans.is_empty() {
            Err(table.refuse("there are no loans; add a row for each"))
        } else {
            Ok(())
        }
    }

    fn read_events(&mut self, mut table: Table<8>, some_only: bool) -> Result<(), ImportError> {
        while table.advance()? {
            let id = table.natural(LOAN)?;
            match self.loans.get_mut(&id) {
                Some(loan) => {
                    in_order(&table, loan)?;
                    match event(&table, id, loan)? {
                        Event::Book(payment) => self.payments.push((payment.period, loan.order, payment)),
                        Event::LeaveOut(name, reason) => self.portfolio.leave_out(name, reason),
                        Event::Both(payment, name, reason) => {
                            self.payments.push((payment.period, loan.order, payment));
                            self.portfolio.leave_out(name, reason);
                        }
                    }
                    self.proceeds(&table)?;
                }
                None if some_only => {}
                None => {
                    return Err(
                        table.cell(LOAN, "is not in the file of loans; add it there or remove its rows")
                    );
                }
            }
        }
        Ok(())
    }

    /// Proceeds of a repossession stand beside a month, whatever its kind; the book has no word for them.
    fn proceeds(&mut self, table: &Table<8>) -> Result<(), ImportError> {
        let own_kind = matches!(table.text(KIND), "chargeoff" | "recovery");
        if !own_kind && table.integer(PROCEEDS)?.is_some_and(|proceeds| proceeds != 0) {
            self.portfolio
                .leave_out("repossession proceeds", "beside a month without charge-off; not a payment");
        }
        Ok(())
    }

    fn close(mut self) -> Portfolio {
        for _ in self.loans.values().filter(|loan| loan.last.is_none()) {
            self.portfolio.leave_out(
                "loan without events",
                "the loan is opened; the file of events has no month of it",
            );
        }
        self.payments.sort_by_key(|&(period, order, _)| (period, order));
        self.portfolio.payments = self.payments.into_iter().map(|(_, _, payment)| payment).collect();
        self.portfolio
    }
}

/// What becomes of a row.
enum Event {
    Book(Payment),
    LeaveOut(&'static str, &'static str),
    /// The payment is booked, something beside it is not.
    Both(Payment, &'static str, &'static str),
}

/// Months of a loan ascend, from its first on.
fn in_order(table: &Table<8>, loan: &mut Loan) -> Result<(), ImportError> {
    let period = month(table, PERIOD)?;
    if period < loan.first {
        return Err(table
            .cell(PERIOD, format!("is before the loan's first month {}; correct one of them", loan.first)));
    }
    match loan.last.replace(period) {
        Some(last) if period == last => {
            Err(table.cell(PERIOD, "is there twice for this loan; remove one row"))
        }
        Some(last) if period < last => {
            Err(table.cell(PERIOD, format!("comes after the row of {last}; sort each loan's rows by month")))
        }
        _ => Ok(()),
    }
}

fn event(table: &Table<8>, id: u64, loan: &mut Loan) -> Result<Event, ImportError> {
    let end = table.integer(END)?;
    let former = std::mem::replace(&mut loan.end, end);
    let kind = table.text(KIND);
    let chained = former.is_none() || table.integer(BEGIN)? == former;
    let event = match kind {
        "payment" | "payoff" | "interest_only_or_partial" | "no_payment" if !chained => Event::LeaveOut(
            "does not chain",
            "it does not begin with the balance that the month before ended with",
        ),
        "payment" | "payoff" | "interest_only_or_partial" => payment(table, id, loan)?,
        "no_payment" => {
            if table.natural(PRINCIPAL)? != 0 || table.natural(PAID)? != 0 {
                return Err(table.cell(KIND, "stands beside an amount; correct the kind or the amounts"));
            }
            Event::LeaveOut("no_payment", "nothing was paid, there is nothing to book")
        }
        "capitalise_or_reversal" => {
            Event::LeaveOut("capitalise_or_reversal", "the balance rises or falls without a payment")
        }
        "chargeoff" => Event::LeaveOut("chargeoff", "a loss, not a payment; the booked balance stays open"),
        "recovery" => Event::LeaveOut("recovery", "money after a charge-off that was left out"),
        _ => {
            return Err(table.cell(
                KIND,
                "is not a kind; use payment, payoff, interest_only_or_partial, no_payment, capitalise_or_reversal, \
                 chargeoff or recovery",
            ));
        }
    };
    Ok(event)
}

fn payment(table: &Table<8>, id: u64, loan: &mut Loan) -> Result<Event, ImportError> {
    let principal = table.natural(PRINCIPAL)?;
    let paid = table.natural(PAID)?;
    let overpaid = overpaid(table, principal)?;
    let interest = paid.checked_sub(principal).ok_or_else(|| {
        table.cell(PAID, format!("is less than the principal {principal} in it; correct one of them"))
    })?;
    if paid == 0 {
        return Ok(Event::LeaveOut("nothing paid", "a payment of zero, there is nothing to book"));
    }
    if table.integer(BEGIN)?.is_some_and(|begin| i128::from(begin) < i128::from(principal)) {
        return Ok(Event::LeaveOut(
            "exceeds what was owed",
            "its principal is more than the file itself says was owed",
        ));
    }
    let Some(left) = loan.booked.checked_sub(principal) else {
        return Ok(Event::LeaveOut(
            "exceeds booked balance",
            "its principal is more than what is booked as owed, because an earlier increase was left out",
        ));
    };
    loan.booked = left;
    let payment = Payment { loan: id.to_string(), period: month(table, PERIOD)?, principal, interest };
    Ok(if overpaid {
        Event::Both(
            payment,
            "overpaid",
            "the payment is booked; the customer's credit balance in the file is not",
        )
    } else {
        Event::Book(payment)
    })
}

/// Whether the row ends below zero after the whole balance was paid; a row that does not foot otherwise is refused.
fn overpaid(table: &Table<8>, principal: u64) -> Result<bool, ImportError> {
    let begin = table.integer(BEGIN)?.ok_or_else(|| table.cell(BEGIN, "is empty; a payment needs it"))?;
    let end = table.integer(END)?.ok_or_else(|| table.cell(END, "is empty; a payment needs it"))?;
    let left = i128::from(begin).saturating_sub(i128::from(principal));
    if left == i128::from(end) {
        return Ok(false);
    }
    if left == 0 && end < 0 {
        return Ok(true);
    }
    Err(table.cell(END, format!("is not {begin} less the principal {principal}; correct the row")))
}

fn month<const N: usize>(table: &Table<N>, column: usize) -> Result<Period, ImportError> {
    table.text(column).parse().map_err(|_| table.cell(column, "is not a month; write it as in 2017-05"))
}

/// Rate and term, `7.29 % a year, 74 months`. The file has the rate as a fraction of one.
fn terms(table: &Table<5>) -> Result<String, ImportError> {
    let millionths = parse_amount(table.text(RATE), 6).map_err(|_| {
        table.cell(RATE, "is not a rate; write a fraction such as 0.0729, at most six decimals")
    })?;
    let percent = format_amount(millionths, 4);
    let shorter = percent.strip_suffix("00").or_else(|| percent.strip_suffix('0')).unwrap_or(&percent);
    Ok(format!("{shorter} % a year, {} months", table.natural(TERM)?))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests {
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
            (
                "7,2017-05,1000,0,0,1000,-30,no_payment\n",
                &[],
                &[("no_payment", 1), ("repossession proceeds", 1)],
            ),
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
        for filler in
            ["9".repeat(20_000_000), format!("\"{}", "9\n".repeat(5_000_000)), "9,".repeat(5_000_000)]
        {
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
        let error =
            read(Path::new("/nowhere/loans.csv"), Path::new("/nowhere/events.csv"), None, 3).unwrap_err();
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
        let data = std::env::var_os("COUNTERFOIL_DATA")
            .map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
        let (loans, events) =
            (data.join("auto/auto_loans_cents.csv.gz"), data.join("auto/auto_events_cents.csv.gz"));
        if !loans.exists() || !events.exists() {
            eprintln!("SKIPPED: no real loan data in {}; set COUNTERFOIL_DATA", data.display());
            return;
        }
        for (limit, loan_count, rows) in [(Some(500), 500, None), (None, 6_408, Some(202_598))] {
            let portfolio = read(&loans, &events, limit, 3).unwrap();
            assert_eq!(portfolio.openings.len(), loan_count);
            let mut owed: BTreeMap<_, _> =
                portfolio.openings.iter().map(|o| (&o.loan, o.principal)).collect();
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
}

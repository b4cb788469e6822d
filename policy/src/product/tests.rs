use super::*;
use crate::{error::Problem, split_balance};
use proptest::prelude::*;

const MICRO_LOAN: &str = r#"name = "micro-loan"
currency = "CNY"
width = 32
cap = "50000.00"
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

fn micro_loan() -> Product {
    Product::parse(MICRO_LOAN).unwrap()
}

#[test]
fn reads_the_example() {
    let product = micro_loan();
    assert_eq!(product.name(), "micro-loan");
    assert_eq!((product.currency(), product.exponent()), ("CNY", 2));
    assert_eq!((product.width(), product.cap(), product.parts()), (32, 5_000_000, 4));
    assert_eq!((product.share_units(), product.min_servicer_share()), (100, 30));
    assert_eq!(product.auditors(), ["regulator"]);
    assert_eq!(product.weights()["bank-b"], 40);
    assert_eq!(product.print(), MICRO_LOAN);
}

/// Each line: what to replace in the example, by what, where the error points, what it must say.
#[test]
fn refuses_with_line_column_and_remedy() {
    let table: &[(&str, &str, usize, usize, &[&str])] = &[
        ("width = 32", "widht = 32", 3, 1, &["unknown key `widht`", "did you mean `width`?"]),
        ("width = 32", "width = 32\ncolour = 1", 4, 1, &["unknown key `colour`", "remove it"]),
        ("width = 32\n", "", 1, 1, &["`width` is missing", "width = 32"]),
        ("width = 32", "width = 16", 3, 9, &["16", "32 (micro-loans) or 64"]),
        ("width = 32", "width = 32\nwidth = 64", 4, 1, &["duplicate key", "width"]),
        ("width = 32", "width = \"32\"", 3, 9, &["is text but must be a whole number"]),
        ("width = 32", "width = 32.0", 3, 9, &["is a number with decimals"]),
        ("name = \"micro-loan\"", "name = \"Micro Loan\"", 1, 8, &["`Micro Loan` cannot be a name", "a-z"]),
        ("name = \"micro-loan\"", "name = \"\"", 1, 8, &["cannot be a name"]),
        ("name = \"micro-loan\"", "name = 7", 1, 8, &["is a whole number but must be text"]),
        ("\"CNY\"", "\"RMB\"", 2, 12, &["`RMB` is not an ISO 4217 currency"]),
        ("\"CNY\"", "\"XAU\"", 2, 12, &["`XAU` is not an ISO 4217 currency with minor units"]),
        ("\"CNY\"", "\"cny\"", 2, 12, &["three capital letters"]),
        ("\"CNY\"", "\"JPY\"", 4, 7, &["`50000.00` has 2 decimals", "the currency has 0"]),
        ("\"50000.00\"", "\"50000.001\"", 4, 7, &["3 decimals"]),
        ("\"50000.00\"", "\"50,000.00\"", 4, 7, &["separator `,`"]),
        ("\"50000.00\"", "\"-0\"", 4, 7, &["negative"]),
        ("\"50000.00\"", "\"0.00\"", 4, 7, &["zero"]),
        ("\"50000.00\"", "50000.00", 4, 7, &["must be text", "\"50000.00\""]),
        ("\"50000.00\"", "\"42949672.96\"", 4, 7, &["do not fit in 32 bits", "width = 64"]),
        ("\"50000.00\"", "\"42949672.95\"", 4, 1, &[]), // the largest for 32 bits, see below
        ("parts = 4", "parts = 5", 5, 1, &["`parts` is 5 but only 4 banks", "add banks"]),
        ("parts = 4", "parts = 0", 5, 9, &["`parts` is 0", "from 1 to 16"]),
        ("parts = 4", "parts = 17", 5, 9, &["from 1 to 16"]),
        ("parts = 4", "parts = -4", 5, 9, &["-4", "from 1 to 16"]),
        ("share_units = 100", "share_units = 101", 6, 15, &["from 1 to 100"]),
        ("min_servicer_share = 30", "min_servicer_share = 101", 7, 22, &["from 0 to 100"]),
        ("min_servicer_share = 30", "min_servicer_share = 81", 10, 2, &["81 %", "80 of 100", "lower"]),
        ("[\"regulator\"]", "\"regulator\"", 8, 12, &["is text but must be a list"]),
        ("[\"regulator\"]", "[\"regulator\", \"regulator\"]", 8, 26, &["`regulator` is listed twice"]),
        ("[\"regulator\"]", "[\"regulator\", 3]", 8, 26, &["must be a list of names"]),
        ("[\"regulator\"]", "[\"Regulator\"]", 8, 13, &["cannot be a name"]),
        ("bank-a = 30", "bank-a = 0", 11, 10, &["`bank-a` is 0", "from 1 to"]),
        ("bank-a = 30", "bank-a = 4294967296", 11, 10, &["from 1 to 4294967295"]),
        ("bank-a = 30", "bank-a = 1.5", 11, 10, &["must be a whole number"]),
        ("bank-a = 30", "bank-b = 30", 12, 1, &["duplicate key"]),
        ("bank-a = 30", "\"Bank A\" = 30", 11, 1, &["`Bank A` cannot be a name"]),
        ("bank-a = 30", "bank-a == 30", 11, 9, &["the file is TOML"]),
        ("bank-a = 30\nbank-b = 40\nbank-c = 20\nbank-d = 10\n", "", 10, 2, &["`weights` is empty"]),
    ];
    for (old, new, line, column, said) in table {
        assert!(MICRO_LOAN.contains(old));
        let text = MICRO_LOAN.replacen(old, new, 1);
        if said.is_empty() {
            Product::parse(&text).unwrap();
            continue;
        }
        let error = Product::parse(&text).unwrap_err();
        for words in *said {
            assert!(error.to_string().contains(words), "{new}: {error}");
        }
        assert_eq!((error.line, error.column), (*line, *column), "{new}: {error}");
    }
}

#[test]
fn refuses_what_could_exceed_64_bits() {
    let wide = MICRO_LOAN.replace("width = 32", "width = 64");
    let with = |cap: &str| Product::parse(&wide.replace("50000.00", cap));
    let error = with("92233720368547758.08").unwrap_err(); // 2^63
    assert!(error.to_string().contains("do not fit in 63 bits"), "{error}");
    let error = with("92233720368547758.07").unwrap_err();
    assert!(error.to_string().contains("`servicer keeps 30 %` could exceed 64 bits"), "{error}");
    // 7·cap + 9 < 2^64
    let largest = with("26352491533870788.00").unwrap();
    assert_eq!(largest.rules()[1].bits(largest.cap(), largest.parts()), Some(64));
    assert!(with("26352491533870788.01").is_err());
}

#[test]
fn refuses_too_much_text_and_too_many_names() {
    let long = format!("{MICRO_LOAN}#{}", " ".repeat(70_000));
    assert!(matches!(Product::parse(&long).unwrap_err().problem, Problem::TooLong { .. }));
    let banks: String = (0..300).map(|i| format!("b{i} = 1\n")).collect();
    let error = Product::parse(&format!("{MICRO_LOAN}{banks}")).unwrap_err();
    assert!(matches!(error.problem, Problem::TooMany { key: "weights", count: 304, .. }));
    let auditors: Vec<String> = (0..17).map(|i| format!("\"a{i}\"")).collect();
    let error = Product::parse(&MICRO_LOAN.replace("\"regulator\"", &auditors.join(", "))).unwrap_err();
    assert!(matches!(error.problem, Problem::TooMany { key: "auditors", count: 17, .. }));
}

#[test]
fn the_servicer_keeps_30_percent_by_default() {
    let text = MICRO_LOAN.replace("min_servicer_share = 30\n", "");
    assert_eq!(Product::parse(&text).unwrap(), micro_loan());
}

#[test]
fn spelling_does_not_change_the_hash_and_every_value_does() {
    let loose = "weights = { bank-d = 10, bank-c = 0x14, bank-b = 40, bank-a = 30 }\r\n# a comment\r\n\
                 auditors = ['regulator']\r\nparts=4\r\nshare_units=100\r\ncap='50000'\r\nwidth=32\r\n\
                 currency='CNY'\r\nname='micro-loan'\r\n";
    assert_eq!(Product::parse(loose).unwrap().hash(), micro_loan().hash());
    for (old, new) in [
        ("micro-loan", "micro-lean"),
        ("CNY", "EUR"),
        ("width = 32", "width = 64"),
        ("50000.00", "50000.01"),
        ("parts = 4", "parts = 3"),
        ("share_units = 100", "share_units = 99"),
        ("min_servicer_share = 30", "min_servicer_share = 29"),
        ("\"regulator\"", "\"regulator\", \"second\""),
        ("bank-a = 30", "bank-a = 31"),
    ] {
        let other = Product::parse(&MICRO_LOAN.replacen(old, new, 1)).unwrap();
        assert_ne!(other.hash(), micro_loan().hash(), "{new}");
    }
}

/// Pinned: a change here changes every consortium's policy hash.
#[test]
fn bytes_are_pinned() {
    let bytes = micro_loan().to_bytes();
    assert_eq!(bytes[0], 1);
    assert_eq!(bytes.len(), 113);
    let hex: String = micro_loan().hash().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "179eb4531f292b1f1f5db7e3bbfe0124e4fe5569e2a8bd09219db0962c9e498f");
}

#[test]
fn shares_of_a_loan() {
    let product = micro_loan();
    for (banks, shares) in [
        (&["bank-a", "bank-b", "bank-c", "bank-d"][..], &[30, 40, 20, 10][..]),
        (&["bank-a", "bank-b"], &[43, 57]),
        (&["bank-a", "bank-c", "bank-d"], &[50, 33, 17]),
        (&["bank-a", "bank-d"], &[75, 25]),
        (&["bank-d"], &[100]),
    ] {
        assert_eq!(product.shares(banks).unwrap(), shares, "{banks:?}");
    }
    let even = Product::parse(&MICRO_LOAN.replace("= 40", "= 30").replace("= 20", "= 30")).unwrap();
    assert_eq!(even.shares(&["bank-c", "bank-a", "bank-b"]).unwrap(), [34, 33, 33], "ties go to the earlier");
    for (banks, said) in [
        (&[][..], "nobody takes part"),
        (&["bank-a", "bank-x"], "`bank-x` has no weight"),
        (&["bank-a", "bank-b", "bank-a"], "`bank-a` is named twice"),
        (&["bank-a", "bank-b", "bank-c", "bank-d", "bank-a"], "5 banks take part"),
        (&["bank-d", "bank-b"], "`bank-d` services the loan and must fund 30 %, but gets 20 of 100"),
    ] {
        let error = product.shares(banks).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let skewed = Product::parse(&MICRO_LOAN.replace("bank-a = 30", "bank-a = 30000")).unwrap();
    let error = skewed.shares(&["bank-a", "bank-d"]).unwrap_err();
    assert_eq!(error, ShareError::Nothing { name: "bank-d".into() });
}

#[test]
fn rules_of_the_example() {
    let product = micro_loan();
    let [cap, servicer] = &product.rules()[..] else { panic!("two rules") };
    assert_eq!((cap.terms.as_slice(), cap.constant), (&[(-1, Quantity::Principal)][..], 5_000_000));
    let terms = [(10, Quantity::Share(0)), (-3, Quantity::Principal)];
    assert_eq!((servicer.terms.as_slice(), servicer.constant), (&terms[..], 9));
    assert_eq!((cap.bits(product.cap(), 4), servicer.bits(product.cap(), 4)), (Some(32), Some(32)));
    for (percent, expected) in [(100, (1, -1, 0)), (50, (2, -1, 1)), (33, (100, -33, 99)), (1, (100, -1, 99))]
    {
        let share = format!("min_servicer_share = {percent}");
        let text = MICRO_LOAN.replace("min_servicer_share = 30", &share).replace("parts = 4", "parts = 1");
        let rules = Product::parse(&text).unwrap().rules();
        assert_eq!((rules[1].terms[0].0, rules[1].terms[1].0, rules[1].constant), expected);
    }
    let none = Product::parse(&MICRO_LOAN.replace("_share = 30", "_share = 0")).unwrap();
    assert_eq!(none.rules().len(), 1);
}

fn products() -> impl Strategy<Value = Product> {
    let names = proptest::collection::btree_map("[a-z0-9-]{1,32}", 1u32.., 2..20);
    let auditors = proptest::collection::btree_set("[a-z0-9-]{1,32}", 0..5);
    let currency = proptest::sample::select(vec![("CNY", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)]);
    let figures = (any::<bool>(), 1u64..=u64::from(u32::MAX), 1u8..=16, 1u16..=100, 0u8..=50);
    ("[a-z0-9-]{1,32}", currency, figures, auditors, names).prop_filter_map(
        "contradicts itself",
        |(name, (currency, exponent), (wide, cap, parts, share_units, min), auditors, weights)| {
            let product = Product {
                name,
                currency: currency.into(),
                exponent,
                width: if wide { 64 } else { 32 },
                cap,
                parts: parts.min(u8::try_from(weights.len()).ok()?),
                share_units,
                min_servicer_share: min,
                auditors: auditors.into_iter().rev().collect(),
                weights,
                terms: None,
            };
            product.check_servicer().is_ok().then_some(product)
        },
    )
}

proptest! {
    #[test]
    fn reading_undoes_printing(product in products()) {
        let again = Product::parse(&product.print()).unwrap();
        prop_assert_eq!(again.hash(), product.hash());
        prop_assert_eq!(again.print(), product.print());
        prop_assert_eq!(again, product);
    }

    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        let _ = Product::parse(&text);
    }

    #[test]
    fn no_mutation_of_the_example_panics(at in 0usize..200, with in ".{0,3}") {
        let (head, tail) = MICRO_LOAN.split_at(at.min(MICRO_LOAN.len()));
        let _ = Product::parse(&format!("{head}{with}{}", tail.get(1..).unwrap_or("")));
    }

    /// Whatever the weights: the shares sum, and every split of a loan by them keeps the rules.
    #[test]
    fn splits_keep_the_rules(product in products(), pick in any::<prop::sample::Index>(), count in 1usize..5, part in 0u64..) {
        let names: Vec<&str> = product.weights().keys().map(String::as_str).collect();
        let first = pick.index(names.len());
        let banks: Vec<&str> =
            names.iter().cycle().skip(first).take(count.min(names.len()).min(product.parts().into())).copied().collect();
        if let Ok(shares) = product.shares(&banks) {
            prop_assert_eq!(shares.iter().sum::<u32>(), u32::from(product.share_units()));
            let principal = part % product.cap().saturating_add(1);
            for parts in [split(principal, &shares), split_balance(principal, &shares)] {
                for rule in product.rules() {
                    let value = rule.evaluate(&parts);
                    let bits = rule.bits(product.cap(), product.parts()).unwrap();
                    prop_assert!((0..1i128 << bits).contains(&value), "{} is {}", rule.name, value);
                }
            }
        }
    }
}

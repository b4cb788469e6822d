use super::*;
use crate::{
    Product,
    calendar::Roll,
    day::MonthEnd,
    day_count::{DayCount, Rounding},
    schedule::{AccrueTo, Kind},
    waterfall::{Component, Direction},
};
use proptest::prelude::*;

const PRODUCT: &str = "name = \"micro-loan\"\ncurrency = \"CNY\"\nwidth = 32\ncap = \"50000.00\"\nparts = 2\n\
                       share_units = 100\nmin_servicer_share = 30\nauditors = []\n\n[weights]\nbank-a = 30\nbank-b = 70\n";

const TERMS: &str = r#"
[terms]
schedule = "annuity"
day_count = "ACT/365F"
rounding = "half-even"
roll = "modified-following"
accrue_to = "nominal-date"
month_end = "last-day"
buckets = [0, 30, 60, 90, 180]
classes = [0, 90, 270, 360]

[terms.waterfall]
direction = "horizontal"
past_due = ["penalty", "fee", "interest", "principal"]
due = ["fee", "penalty", "interest", "principal"]
in_advance = ["principal", "penalty", "fee", "interest"]

[terms.waterfall.non_accrual]
direction = "vertical"
past_due = ["principal", "interest", "fee", "penalty"]
due = ["principal", "interest", "fee", "penalty"]
"#;

fn product(terms: &str) -> Product {
    Product::parse(&format!("{PRODUCT}{terms}")).unwrap()
}

fn order(components: [Component; 4]) -> Order {
    Order::new(components).unwrap()
}

#[test]
fn reads_every_key() {
    use Component::{Fee, Interest, Penalty, Principal};
    let product = product(TERMS);
    let terms = product.terms().unwrap();
    let method = Method {
        kind: Kind::Annuity,
        day_count: DayCount::Act365Fixed,
        rounding: Rounding::HalfEven,
        roll: Roll::ModifiedFollowing,
        accrue_to: AccrueTo::NominalDate,
        month_end: MonthEnd::LastDay,
    };
    assert_eq!(terms.method, method);
    let backwards = order([Principal, Interest, Fee, Penalty]);
    let accruing = Rules {
        direction: Direction::Horizontal,
        past_due: Order::default(),
        due: order([Fee, Penalty, Interest, Principal]),
        in_advance: Some(order([Principal, Penalty, Fee, Interest])),
    };
    let non_accrual =
        Rules { direction: Direction::Vertical, past_due: backwards, due: backwards, in_advance: None };
    assert_eq!(terms.waterfall, Waterfall { accruing, non_accrual: Some(non_accrual) });
    assert_eq!((&terms.buckets, terms.classes), (&Buckets::default(), Classes::default()));
    assert_eq!(product.print(), format!("{PRODUCT}{TERMS}"));
}

#[test]
fn what_is_left_out_has_its_default() {
    let short = product("[terms]\nday_count = 'ACT/360'\nschedule = 'bullet'\n");
    let long = "\n[terms]\nschedule = \"bullet\"\nday_count = \"ACT/360\"\nrounding = \"half-up\"\nroll = \"unadjusted\"\n\
                accrue_to = \"due-date\"\nmonth_end = \"same-day\"\nbuckets = [0, 30, 60, 90, 180]\n\
                classes = [0, 90, 270, 360]\n\n[terms.waterfall]\ndirection = \"vertical\"\n\
                past_due = [\"penalty\", \"fee\", \"interest\", \"principal\"]\n\
                due = [\"penalty\", \"fee\", \"interest\", \"principal\"]\n";
    assert_eq!(short.print(), format!("{PRODUCT}{long}"));
    assert_eq!(short.hash(), product(long).hash());
}

/// Each line: what to replace, by what, where the error points, what it must say.
#[test]
fn refuses_with_line_column_and_remedy() {
    let table: &[(&str, &str, usize, usize, &[&str])] = &[
        ("rounding =", "ronding =", 17, 1, &["unknown key `ronding`", "did you mean `rounding`?"]),
        ("schedule = \"annuity\"\n", "", 14, 1, &["`schedule` is missing", "schedule = \"annuity\""]),
        ("day_count = \"ACT/365F\"\n", "", 14, 1, &["`day_count` is missing"]),
        (
            "\"annuity\"",
            "\"anuity\"",
            15,
            12,
            &["`schedule` is `anuity`", "annuity, equal-principal, interest-only, bullet"],
        ),
        ("\"ACT/365F\"", "\"act/365f\"", 16, 13, &["ACT/360, ACT/365F, 30E/360, ACT/ACT"]),
        ("\"half-even\"", "2", 17, 12, &["`rounding` is a whole number but must be a word"]),
        (
            "\"modified-following\"",
            "\"next\"",
            18,
            8,
            &["unadjusted, following, modified-following, preceding"],
        ),
        ("\"nominal-date\"", "\"\"", 19, 13, &["due-date, nominal-date"]),
        ("\"last-day\"", "\"end\"", 20, 13, &["same-day, last-day"]),
        ("[0, 30, 60, 90, 180]", "[0, 30, 30]", 21, 11, &["`buckets`: 30 days come after 30"]),
        ("[0, 30, 60, 90, 180]", "[]", 21, 11, &["0 bounds; name from 1 to 15"]),
        ("[0, 30, 60, 90, 180]", "[0, 65536]", 21, 15, &["from 0 to 65535"]),
        ("[0, 30, 60, 90, 180]", "[0, -1]", 21, 15, &["`buckets` is -1"]),
        ("[0, 30, 60, 90, 180]", "30", 21, 11, &["must be a list of days"]),
        ("[0, 90, 270, 360]", "[0, 90, 270]", 22, 11, &["`classes` has 3 entries; it needs 4"]),
        ("[0, 90, 270, 360]", "[0, 90, 60, 360]", 22, 11, &["`classes`: 60 days come after 90"]),
        ("\"horizontal\"", "\"diagonal\"", 25, 13, &["vertical, horizontal"]),
        (
            "due = [\"fee\", \"penalty\"",
            "due = [\"fee\", \"fee\"",
            27,
            7,
            &["names `fee` twice", "once each"],
        ),
        ("due = [\"fee\", \"penalty\",", "due = [\"fee\",", 27, 7, &["`due` has 3 entries; it needs 4"]),
        ("due = [\"fee\"", "due = [\"fees\"", 27, 8, &["penalty, fee, interest, principal"]),
        ("in_advance = [", "inadvance = [", 28, 1, &["did you mean `in_advance`?"]),
        ("non_accrual]\n", "non_accrual]\nnon_accrual = 1\n", 31, 1, &["unknown key `non_accrual`"]),
        (
            "[terms.waterfall.non_accrual]",
            "[terms.waterfall.accrual]",
            30,
            18,
            &["did you mean `non_accrual`?"],
        ),
    ];
    for (old, new, line, column, said) in table {
        assert!(TERMS.contains(old), "{old}");
        let error = Product::parse(&format!("{PRODUCT}{}", TERMS.replacen(old, new, 1))).unwrap_err();
        for words in *said {
            assert!(error.to_string().contains(words), "{new}: {error}");
        }
        assert_eq!((error.line, error.column), (*line, *column), "{new}: {error}");
    }
    let error = Product::parse(&format!("terms = 3\n{PRODUCT}")).unwrap_err().to_string();
    assert!(error.contains("`terms` is a whole number but must be a table"), "{error}");
}

/// Pinned: products without terms have the bytes of version 1, and terms change bytes and hash.
#[test]
fn bytes_are_pinned() {
    let (plain, with) = (product(""), product(TERMS));
    assert_eq!(plain.terms(), None);
    let (plain_bytes, bytes) = (plain.to_bytes(), with.to_bytes());
    assert_eq!((plain_bytes[0], bytes[0]), (1, 2));
    assert_eq!(bytes[1..plain_bytes.len()], plain_bytes[1..], "the terms follow the rest");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    // kind, day count, rounding, roll, accrue to, month end; direction and orders; bounds.
    let terms = "000101020101\
                 01000102030100020301030001020100030201000302010000\
                 0500000000001e003c005a00b400\
                 00005a000e016801";
    assert_eq!(hex(&bytes[plain_bytes.len()..]), terms);
}

#[test]
fn every_value_changes_the_hash() {
    let all = product(TERMS).hash();
    for (old, new) in [
        ("annuity", "equal-principal"),
        ("ACT/365F", "ACT/360"),
        ("half-even", "down"),
        ("modified-following", "following"),
        ("nominal-date", "due-date"),
        ("last-day", "same-day"),
        ("[0, 30, 60, 90, 180]", "[0, 30, 60, 90]"),
        ("[0, 90, 270, 360]", "[0, 90, 270, 361]"),
        ("horizontal", "vertical"),
        ("past_due = [\"penalty\", \"fee\"", "past_due = [\"fee\", \"penalty\""),
        ("\ndue = [\"fee\", \"penalty\"", "\ndue = [\"penalty\", \"fee\""),
        ("in_advance = [\"principal\", \"penalty\"", "in_advance = [\"penalty\", \"principal\""),
        ("in_advance = [\"principal\", \"penalty\", \"fee\", \"interest\"]\n", ""),
        ("[\"principal\", \"interest\"", "[\"interest\", \"principal\""),
    ] {
        assert!(TERMS.contains(old), "{old}");
        assert_ne!(product(&TERMS.replacen(old, new, 1)).hash(), all, "{new}");
    }
    let (accruing, _) = TERMS.split_once("\n[terms.waterfall.non_accrual]").unwrap();
    assert_ne!(product(accruing).hash(), all);
}

fn rules() -> impl Strategy<Value = Rules> {
    let orders = || Just(Component::ALL).prop_shuffle().prop_map(order);
    (prop::sample::select(Direction::ALL.to_vec()), orders(), orders(), prop::option::of(orders()))
        .prop_map(|(direction, past_due, due, in_advance)| Rules { direction, past_due, due, in_advance })
}

fn terms() -> impl Strategy<Value = Terms> {
    let method = (
        prop::sample::select(Kind::ALL.to_vec()),
        prop::sample::select(DayCount::ALL.to_vec()),
        prop::sample::select(Rounding::ALL.to_vec()),
        prop::sample::select(Roll::ALL.to_vec()),
        prop::sample::select(AccrueTo::ALL.to_vec()),
        prop::sample::select(MonthEnd::ALL.to_vec()),
    )
        .prop_map(|(kind, day_count, rounding, roll, accrue_to, month_end)| Method {
            kind,
            day_count,
            rounding,
            roll,
            accrue_to,
            month_end,
        });
    let waterfall = (rules(), prop::option::of(rules()))
        .prop_map(|(accruing, non_accrual)| Waterfall { accruing, non_accrual });
    let buckets = prop::collection::btree_set(any::<u16>(), 1..crate::ageing::MAX_BUCKETS)
        .prop_map(|bounds| Buckets::new(&bounds.into_iter().collect::<Vec<_>>()).unwrap());
    let classes = prop::collection::btree_set(any::<u16>(), 4)
        .prop_map(|bounds| Classes::new(bounds.into_iter().collect::<Vec<_>>().try_into().unwrap()).unwrap());
    (method, waterfall, buckets, classes).prop_map(|(method, waterfall, buckets, classes)| Terms {
        method,
        waterfall,
        buckets,
        classes,
    })
}

proptest! {
    #[test]
    fn reading_undoes_printing(terms in terms()) {
        let text = format!("{PRODUCT}{}", terms.print());
        let read = Product::parse(&text).unwrap();
        prop_assert_eq!(read.terms(), Some(&terms));
        prop_assert_eq!(read.print(), text);
    }

    #[test]
    fn no_mutation_of_the_example_panics(at in 0usize..800, with in ".{0,3}") {
        let (head, tail) = TERMS.split_at(at.min(TERMS.len()));
        let _ = Product::parse(&format!("{PRODUCT}{head}{with}{}", tail.get(1..).unwrap_or("")));
    }
}

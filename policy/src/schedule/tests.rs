use super::*;
use crate::day_count::MAX_RATE_PPM;
use proptest::prelude::*;

mod prepaid;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Equal months: 30E/360, from the 15th to the 15th.
fn method(kind: Kind) -> Method {
    Method {
        kind,
        day_count: DayCount::ThirtyE360,
        rounding: Rounding::HalfUp,
        roll: Roll::Unadjusted,
        accrue_to: AccrueTo::DueDate,
        month_end: MonthEnd::SameDay,
    }
}

fn loan(principal: u64, rate_ppm: u32, count: u16) -> Loan {
    let (start, first_due) = (day("2024-01-15"), day("2024-02-15"));
    Loan { principal, rate_ppm, start, first_due, every: Every::Months(1), count, each: None }
}

fn plan(kind: Kind, loan: &Loan) -> Schedule {
    Schedule::new(method(kind), loan, &Calendar::always_open()).unwrap()
}

/// Interest, principal and balance of each row.
fn rows(plan: &Schedule) -> Vec<(u64, u64, u64)> {
    plan.instalments().iter().map(|row| (row.interest, row.principal, row.balance)).collect()
}

/// Instalments that any loan calculator prints; the last line is the million at 4.9 % over thirty years by which Chinese
/// mortgages are compared.
#[test]
fn annuities_of_the_textbook() {
    for (principal, rate_ppm, count, instalment) in [
        (1_000_000, 120_000, 12, 88_849),
        (10_000_000, 60_000, 360, 59_955),
        (20_000_000, 65_000, 360, 126_414),
        (100_000_000, 49_000, 360, 530_727),
    ] {
        let plan = plan(Kind::Annuity, &loan(principal, rate_ppm, count));
        assert_eq!(plan.each(), instalment);
        assert_eq!(plan.instalments().len(), usize::from(count));
        let (last, before) = plan.instalments().split_last().unwrap();
        assert!(before.iter().all(|row| row.amount() == u128::from(instalment)));
        // One unit more or less each month is worth up to 1107 at the end (360 months at 6.5 %): at most half of that.
        assert!(last.amount().abs_diff(u128::from(instalment)) <= 554, "{last:?}");
    }
}

#[test]
fn four_kinds_of_the_same_loan() {
    let three = loan(100_000, 120_000, 3);
    let annuity = plan(Kind::Annuity, &three);
    assert_eq!(annuity.each(), 34_002);
    assert_eq!(rows(&annuity), [(1000, 33_002, 66_998), (670, 33_332, 33_666), (337, 33_666, 0)]);
    let equal = plan(Kind::EqualPrincipal, &three);
    assert_eq!(rows(&equal), [(1000, 33_333, 66_667), (667, 33_333, 33_334), (333, 33_334, 0)]);
    let interest_only = plan(Kind::InterestOnly, &three);
    assert_eq!(rows(&interest_only), [(1000, 0, 100_000), (1000, 0, 100_000), (1000, 100_000, 0)]);
    let at_once = Loan { first_due: day("2024-04-15"), count: 1, ..three };
    assert_eq!(rows(&plan(Kind::Bullet, &at_once)), [(3000, 100_000, 0)]);
}

/// A million at 4.9 % over thirty years by equal principal: 6,861.11 first, 11.34 less every month, 737,041.67 in all before rounding.
#[test]
fn equal_principal_of_the_textbook() {
    let plan = plan(Kind::EqualPrincipal, &loan(100_000_000, 49_000, 360));
    let amounts: Vec<u128> = plan.instalments().iter().map(Instalment::amount).collect();
    assert_eq!(amounts[..3], [686_111, 684_977, 683_843]);
    // The principal part is a third of a fen more than exact, so every month costs a little less.
    assert_eq!(plan.total_interest(), 73_704_108);
}

#[test]
fn days_decide_where_the_convention_counts_them() {
    let february = |day_count| {
        let method = Method { day_count, ..method(Kind::Annuity) };
        let loan = loan(1_200_000, 182_500, 12);
        Schedule::new(method, &loan, &Calendar::always_open()).unwrap().instalments()[1].interest
    };
    // 29 days of 11,084.36 and of 11,085.49, which the annuities of 1,101.64 and 1,103.09 left.
    assert_eq!(february(DayCount::Act365Fixed), 16_072);
    assert_eq!(february(DayCount::Act360), 16_297);
}

#[test]
fn due_dates_roll_and_interest_runs_to_one_or_the_other() {
    let loan = Loan { start: day("2024-04-30"), first_due: day("2024-05-31"), ..loan(100_000, 120_000, 3) };
    let dates = |accrue_to| {
        let method = Method {
            roll: Roll::ModifiedFollowing,
            day_count: DayCount::Act360,
            accrue_to,
            ..method(Kind::InterestOnly)
        };
        let plan = Schedule::new(method, &loan, &Calendar::weekends()).unwrap();
        let row = |row: &Instalment| (row.due.to_string(), row.to.to_string(), row.interest);
        plan.instalments().iter().map(row).collect::<Vec<_>>()
    };
    let expected =
        |rows: [(&str, &str, u64); 3]| rows.map(|(due, to, i)| (due.into(), to.into(), i)).to_vec();
    // 30 June 2024 is a Sunday and the end of its month: back to Friday the 28th.
    let to_due = [
        ("2024-05-31", "2024-05-31", 1033),
        ("2024-06-28", "2024-06-28", 933),
        ("2024-07-31", "2024-07-31", 1100),
    ];
    assert_eq!(dates(AccrueTo::DueDate), expected(to_due));
    let to_nominal = [
        ("2024-05-31", "2024-05-31", 1033),
        ("2024-06-28", "2024-06-30", 1000),
        ("2024-07-31", "2024-07-31", 1033),
    ];
    assert_eq!(dates(AccrueTo::NominalDate), expected(to_nominal));
}

#[test]
fn the_instalment_of_the_contract() {
    let named = |each| Loan { each: Some(each), ..loan(100_000, 120_000, 3) };
    // Less than the annuity leaves a balloon, more ends sooner.
    let less = plan(Kind::Annuity, &named(20_000));
    assert_eq!(rows(&less), [(1000, 19_000, 81_000), (810, 19_190, 61_810), (618, 61_810, 0)]);
    let more = plan(Kind::Annuity, &named(60_000));
    assert_eq!(rows(&more), [(1000, 59_000, 41_000), (410, 41_000, 0)]);
    let covers = plan(Kind::Annuity, &named(1000));
    assert_eq!(rows(&covers), [(1000, 0, 100_000), (1000, 0, 100_000), (1000, 100_000, 0)]);
    let error = Schedule::new(method(Kind::Annuity), &named(999), &Calendar::always_open()).unwrap_err();
    assert_eq!(error, ScheduleError::NotCovered { number: 1, each: 999, interest: 1000 });
    assert!(
        error.to_string().contains("instalment 1 of 999 minor units does not cover its interest of 1000")
    );
    let parts = plan(Kind::EqualPrincipal, &named(40_000));
    assert_eq!(rows(&parts), [(1000, 40_000, 60_000), (600, 40_000, 20_000), (200, 20_000, 0)]);
}

/// Thirty years at 18.25 %: an instalment is 764 or so, the interest of an average month 760.42, of 33 days 825.00.
#[test]
fn months_that_are_too_long_for_the_annuity_are_refused() {
    let loan = loan(5_000_000, 182_500, 360);
    let days = Method { day_count: DayCount::Act365Fixed, roll: Roll::Following, ..method(Kind::Annuity) };
    let error = Schedule::new(days, &loan, &Calendar::weekends()).unwrap_err();
    assert!(matches!(error, ScheduleError::NotCovered { each: 76_000..77_000, .. }), "{error}");
    assert!(error.to_string().contains("choose fewer instalments"), "{error}");
    let fewer = Loan { count: 120, ..loan };
    assert_eq!(Schedule::new(days, &fewer, &Calendar::weekends()).unwrap().instalments().len(), 120);
}

#[test]
fn tiny_loans_end_when_they_are_repaid() {
    assert_eq!(
        rows(&plan(Kind::Annuity, &loan(5, 0, 10))),
        [(0, 1, 4), (0, 1, 3), (0, 1, 2), (0, 1, 1), (0, 1, 0)]
    );
    assert_eq!(rows(&plan(Kind::Annuity, &loan(1, 10_000, 12))), [(0, 1, 0)]);
    assert_eq!(rows(&plan(Kind::EqualPrincipal, &loan(2, 0, 5))).len(), 5);
}

#[test]
fn refuses() {
    let base = loan(100_000, 120_000, 3);
    let first = Loan { first_due: day("2024-01-15"), ..base };
    let daily = Loan { every: Every::Days(1), first_due: day("2024-02-16"), ..base }; // Friday, Saturday, Sunday
    let weekends = Calendar::weekends();
    let sunday = Loan { first_due: day("2024-01-21"), start: day("2024-01-20"), ..base };
    let moved = Loan { first_due: day("2024-01-20"), start: day("2024-01-20"), ..base }; // a Saturday
    use Kind::{Annuity, Bullet, EqualPrincipal, InterestOnly};
    for (kind, roll, loan, said) in [
        (Annuity, Roll::Unadjusted, Loan { principal: 0, ..base }, "principal is zero"),
        (Annuity, Roll::Unadjusted, Loan { count: 0, ..base }, "0 instalments; choose from 1 to 600"),
        (Annuity, Roll::Unadjusted, Loan { count: 601, ..base }, "601 instalments"),
        (Bullet, Roll::Unadjusted, base, "a bullet is repaid at once but has 3 instalments"),
        (Annuity, Roll::Unadjusted, Loan { every: Every::Months(0), ..base }, "choose at least 1"),
        (Annuity, Roll::Unadjusted, Loan { every: Every::Days(0), ..base }, "choose at least 1"),
        (Annuity, Roll::Unadjusted, first, "due date 2024-01-15 is not after the payout on 2024-01-15"),
        (Annuity, Roll::Preceding, sunday, "due date 2024-01-19 is not after the payout on 2024-01-20"),
        (Annuity, Roll::Following, moved, "due date 2024-01-20 is not after the payout on 2024-01-20"),
        (InterestOnly, Roll::Following, daily, "instalment 3 falls on 2024-02-19, not after the one before"),
        (Annuity, Roll::Unadjusted, Loan { each: Some(0), ..base }, "the sum per instalment is zero"),
        (InterestOnly, Roll::Unadjusted, Loan { each: Some(9), ..base }, "no equal sum per instalment"),
        (Annuity, Roll::Unadjusted, Loan { rate_ppm: MAX_RATE_PPM + 1, ..base }, "above 1000 % a year"),
        (Annuity, Roll::Unadjusted, Loan { principal: u64::MAX, ..base }, "does not fit in 64 bits"),
        (EqualPrincipal, Roll::Unadjusted, Loan { principal: u64::MAX, count: 1, ..base }, "does not fit"),
        (
            Annuity,
            Roll::Unadjusted,
            Loan { first_due: Day::MAX, ..base },
            "between 1970-01-01 and 9999-12-31",
        ),
        // A first period of three years costs more than an instalment brings.
        (
            Annuity,
            Roll::Unadjusted,
            Loan { first_due: day("2027-01-15"), count: 60, ..base },
            "a nearer first due date",
        ),
    ] {
        for accrue_to in AccrueTo::ALL {
            let method = Method { roll, accrue_to, ..method(kind) };
            let error = Schedule::new(method, &loan, &weekends).unwrap_err().to_string();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}

fn methods() -> impl Strategy<Value = Method> {
    let kinds = prop::sample::select(Kind::ALL.to_vec());
    (
        kinds,
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
        })
}

fn loans() -> impl Strategy<Value = Loan> {
    let every = prop_oneof![(1u8..=12).prop_map(Every::Months), (7u16..100).prop_map(Every::Days)];
    (0u32..40_000, 4u32..45, every, prop_oneof![1u64..1000, 1u64..1 << 40], 0u32..400_000, 1u16..60).prop_map(
        |(start, first, every, principal, rate_ppm, count)| {
            let start = Day::new(start).unwrap();
            let first_due = start.plus_days(first).unwrap();
            Loan { principal, rate_ppm, start, first_due, every, count, each: None }
        },
    )
}

/// What holds of every plan, prepaid or not.
fn check_invariants(plan: &Schedule) -> Result<(), TestCaseError> {
    let mut balance = plan.principal();
    for (index, row) in plan.instalments().iter().enumerate() {
        prop_assert!(row.from <= row.to && (row.from < row.to || row.prepaid));
        prop_assert!(
            index == 0 || plan.instalments()[index - 1].to == row.from,
            "a gap before row {}",
            index
        );
        prop_assert_eq!(row.interest, plan.interest(balance, row.from, row.to).unwrap());
        prop_assert!(row.principal <= balance);
        balance -= row.principal;
        prop_assert_eq!(row.balance, balance);
    }
    prop_assert_eq!(balance, 0, "the principals sum to the principal");
    Ok(())
}

/// The formula says 724.99, of which the first month's interest is 724.50: 725 would repay nothing for years.
#[test]
fn an_instalment_that_barely_covers_the_interest() {
    assert_eq!(plan(Kind::Annuity, &loan(25_914, 335_495, 265)).each(), 726);
}

proptest! {
    #[test]
    fn plans_repay_exactly_the_principal(method in methods(), loan in loans()) {
        let loan = if method.kind == Kind::Bullet { Loan { count: 1, ..loan } } else { loan };
        match Schedule::new(method, &loan, &Calendar::weekends()) {
            Ok(plan) => {
                check_invariants(&plan)?;
                prop_assert!(plan.instalments().len() <= usize::from(loan.count));
                prop_assert!(plan.instalments().iter().all(|row| !row.prepaid));
                if method.kind == Kind::Annuity {
                    let (_, before) = plan.instalments().split_last().unwrap();
                    prop_assert!(before.iter().all(|row| row.amount() == u128::from(plan.each())));
                }
            }
            // Every other reason is excluded by the ranges.
            Err(ScheduleError::NotCovered { each, interest, .. }) => prop_assert!(each < interest),
            Err(error) => prop_assert!(matches!(error, ScheduleError::FirstDue { .. }), "{}", error),
        }
    }

    /// No other sum makes the last instalment differ less from the others.
    #[test]
    fn the_annuity_is_the_best(loan in loans(), nudge in 1u64..100, up: bool) {
        let Ok(best) = Schedule::new(method(Kind::Annuity), &loan, &Calendar::always_open()) else { return Ok(()) };
        let each = if up { best.each() + nudge } else { best.each().saturating_sub(nudge).max(1) };
        let Ok(other) = Schedule::new(method(Kind::Annuity), &Loan { each: Some(each), ..loan }, &Calendar::always_open())
        else { return Ok(()) };
        let off = |plan: &Schedule| {
            let last = plan.instalments().get(usize::from(loan.count) - 1).map_or(0, Instalment::amount);
            last.abs_diff(u128::from(plan.each()))
        };
        prop_assert!(off(&best) <= off(&other), "{:?} {:?}", off(&best), off(&other));
    }

    /// Equal months: the textbook's formula, in real numbers, is less than two minor units away. Half a unit by choosing a whole
    /// number, half by rounding the interest every month, and one where the nearest would not cover the interest.
    #[test]
    fn the_annuity_is_the_formula(principal in 1u32..100_000_000, rate_ppm in 1_000u32..400_000, count in 2u16..360) {
        let plan = plan(Kind::Annuity, &loan(principal.into(), rate_ppm, count));
        let monthly = f64::from(rate_ppm) / 12e6;
        let formula = f64::from(principal) * monthly / (1.0 - (1.0 + monthly).powi(-i32::from(count)));
        prop_assert!((plan.each() as f64 - formula).abs() < 2.0, "{} {}", plan.each(), formula);
    }
}

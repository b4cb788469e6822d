use super::*;
use proptest::prelude::*;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn numerator(day_count: DayCount, from: &str, to: &str) -> u32 {
    day_count.fraction(day(from), day(to)).unwrap().numerator
}

/// ISDA, *EMU and Market Conventions: Recent Developments* (1998), the examples: days in common years, days in leap years.
#[test]
fn isda_paper_on_actual_actual() {
    for (from, to, common, leap) in [
        ("2003-11-01", "2004-05-01", 61, 121),
        ("1999-02-01", "1999-07-01", 150, 0),
        ("1999-07-01", "2000-07-01", 184, 182),
        ("2002-08-15", "2003-07-15", 334, 0),
        ("2003-07-15", "2004-01-15", 170, 14),
        ("1999-07-30", "2000-01-30", 155, 29),
        ("2000-01-30", "2000-06-30", 0, 152),
        ("1999-11-30", "2000-04-30", 32, 120),
    ] {
        assert_eq!(numerator(DayCount::ActActIsda, from, to), common * 366 + leap * 365, "{from} to {to}");
    }
}

/// ISDA's worked examples of the 30/360 family (2008), the column 30E/360.
#[test]
fn isda_examples_of_thirty_days() {
    for (from, to, days) in [
        ("2006-08-20", "2007-02-20", 180),
        ("2006-08-31", "2007-02-28", 178),
        ("2007-02-28", "2007-08-31", 182),
        ("2007-08-31", "2008-02-29", 179),
        ("2008-02-29", "2008-08-31", 181),
        ("2006-01-31", "2006-02-28", 28),
        ("2006-02-28", "2006-03-03", 5),
        ("2006-02-14", "2006-02-28", 14),
        ("2006-09-30", "2006-10-31", 30),
        ("2006-10-31", "2006-11-28", 28),
        ("2007-08-31", "2008-02-28", 178),
        ("2008-02-28", "2008-08-31", 182),
        ("2007-02-26", "2008-02-29", 363),
        ("2008-02-29", "2009-02-28", 359),
        ("2008-02-28", "2008-03-31", 32),
        ("2024-01-30", "2024-01-31", 0),
    ] {
        assert_eq!(numerator(DayCount::ThirtyE360, from, to), days, "{from} to {to}");
    }
}

/// 240 periods, half of them at ends of months, counted by `QuantLib` (`policy/oracle`).
#[test]
fn agrees_with_quantlib() {
    let rows: Vec<&str> =
        include_str!("../../oracle/day_count.csv").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows.len(), 240);
    for row in rows {
        let [from, to, actual, thirty, isda] = row.split(',').collect::<Vec<_>>()[..] else {
            panic!("five columns: {row}")
        };
        let count = |day_count| numerator(day_count, from, to);
        let [actual, thirty] = [actual, thirty].map(|text| text.parse::<u32>().unwrap());
        assert_eq!((count(DayCount::Act360), count(DayCount::Act365Fixed)), (actual, actual), "{row}");
        assert_eq!(count(DayCount::ThirtyE360), thirty, "{row}");
        let ours = u128::from(count(DayCount::ActActIsda)) * 1_000_000_000_000 / (365 * 366);
        assert!(ours.abs_diff(isda.parse().unwrap()) <= 1, "{row}: {ours}");
    }
}

#[test]
fn leap_days_and_years() {
    for (day_count, from, to, expected) in [
        (DayCount::Act360, "2024-02-28", "2024-03-01", (2, 360)),
        (DayCount::Act365Fixed, "2023-02-28", "2023-03-01", (1, 365)),
        (DayCount::Act365Fixed, "2024-01-01", "2025-01-01", (366, 365)),
        (DayCount::ThirtyE360, "2024-02-28", "2024-03-01", (3, 360)),
        (DayCount::ActActIsda, "2024-01-01", "2025-01-01", (133_590, 133_590)),
        (DayCount::ActActIsda, "2023-01-01", "2024-01-01", (133_590, 133_590)),
        (DayCount::ActActIsda, "1970-01-01", "9999-01-01", (8029 * 133_590, 133_590)),
        (DayCount::ActActIsda, "2100-01-01", "2101-01-01", (133_590, 133_590)), // not a leap year
    ] {
        let fraction = day_count.fraction(day(from), day(to)).unwrap();
        assert_eq!((fraction.numerator, fraction.denominator), expected, "{day_count} {from} {to}");
    }
    for day_count in DayCount::ALL {
        assert!(day_count.fraction(Day::MIN, Day::MAX).unwrap().numerator < 1 << 31);
    }
}

#[test]
fn rounds_halves_by_rule() {
    for (numerator, denominator, half_up, half_even, down) in [
        (0, 7, 0, 0, 0),
        (1, 2, 1, 0, 0),
        (3, 2, 2, 2, 1),
        (5, 2, 3, 2, 2),
        (7, 3, 2, 2, 2),
        (8, 3, 3, 3, 2),
        (u128::MAX, 1, u128::MAX, u128::MAX, u128::MAX),
        (u128::MAX, u128::MAX, 1, 1, 1),
        (u128::MAX / 2 + 1, u128::MAX, 1, 1, 0),
        (u128::MAX / 2, u128::MAX, 0, 0, 0),
    ] {
        let divide = |rounding: Rounding| rounding.divide(numerator, denominator);
        let all = Rounding::ALL.map(divide);
        assert_eq!(all, [half_up, half_even, down], "{numerator}/{denominator}");
    }
}

/// 10,000.00 at 0.05 % a day, 18.25 % a year of 365 days: 5.00 a day.
#[test]
fn interest_of_a_micro_loan() {
    let month = |day_count| {
        let accrual = Accrual::new(day_count);
        accrual.add(1_000_000, 182_500, day("2024-02-01"), day("2024-03-01")).unwrap()
    };
    let interest = |day_count| month(day_count).round(Rounding::HalfUp).unwrap();
    assert_eq!(interest(DayCount::Act365Fixed), 29 * 500);
    assert_eq!(interest(DayCount::Act360), 14_701); // 29/360 of 182,500 = 14,701.38…
    assert_eq!(interest(DayCount::ThirtyE360), 15_208); // 30/360 = 15,208.33…
    assert_eq!(interest(DayCount::ActActIsda), 14_460); // 29/366 = 14,460.38…
}

#[test]
fn refuses() {
    let accrual = Accrual::new(DayCount::Act360);
    let (early, late) = (day("2024-01-01"), day("2024-01-02"));
    let error = accrual.add(1, 1, late, early).unwrap_err();
    assert_eq!(error.to_string(), "interest from 2024-01-02 to 2024-01-01 runs backwards; swap the days");
    let error = accrual.add(1, MAX_RATE_PPM + 1, early, late).unwrap_err();
    assert!(error.to_string().contains("18.25 % is 182500"), "{error}");
    let most = accrual.add(u64::MAX, MAX_RATE_PPM, Day::MIN, Day::MAX).unwrap();
    assert_eq!(most.round(Rounding::HalfUp), Err(InterestError::TooLarge));
    let mut sum = Accrual::new(DayCount::ActActIsda);
    let overflow = (0..100_000)
        .find_map(|_| sum.add(u64::MAX, MAX_RATE_PPM, Day::MIN, Day::MAX).map(|next| sum = next).err());
    assert_eq!(overflow, Some(InterestError::TooLarge));
}

fn days() -> impl Strategy<Value = Day> {
    (0u32..60_000).prop_map(|days| Day::new(days).unwrap())
}

proptest! {
    /// Cutting a period anywhere changes neither the fraction nor the interest.
    #[test]
    fn adjoining_periods_add_up(a in days(), b in days(), c in days(), principal in any::<u64>(), rate in 0..=MAX_RATE_PPM) {
        let mut cut = [a, b, c];
        cut.sort_unstable();
        let [from, middle, to] = cut;
        for day_count in DayCount::ALL {
            let part = |from, to| day_count.fraction(from, to).unwrap().numerator;
            prop_assert_eq!(part(from, middle) + part(middle, to), part(from, to));
            let none = Accrual::new(day_count);
            let whole = none.add(principal, rate, from, to);
            let cut = none.add(principal, rate, from, middle).and_then(|half| half.add(principal, rate, middle, to));
            prop_assert_eq!(whole, cut);
        }
    }

    /// No more than half a minor unit lies between the rounded and the exact interest, and `Down` never favours the bank.
    #[test]
    fn rounding_is_close(numerator in any::<u64>(), denominator in 1u64..) {
        let (n, d) = (u128::from(numerator), u128::from(denominator));
        for rounding in [Rounding::HalfUp, Rounding::HalfEven] {
            prop_assert!((rounding.divide(n, d) * d).abs_diff(n) * 2 <= d);
        }
        prop_assert_eq!(Rounding::Down.divide(n, d), n / d);
    }

    /// More principal, a higher rate or a longer period never costs less.
    #[test]
    fn interest_is_monotone(
        principal in 0u64..1 << 40, more in 0u64..1 << 20, rate in 0u32..1_000_000, higher in 0u32..1000,
        from in days(), length in 0u32..4000, longer in 0u32..40,
    ) {
        let to = from.plus_days(length).unwrap();
        let later = to.plus_days(longer).unwrap();
        for (day_count, rounding) in DayCount::ALL.into_iter().zip(Rounding::ALL.into_iter().cycle()) {
            let cost = |principal, rate, to| {
                Accrual::new(day_count).add(principal, rate, from, to).unwrap().round(rounding).unwrap()
            };
            let base = cost(principal, rate, to);
            prop_assert!(base <= cost(principal + more, rate, to));
            prop_assert!(base <= cost(principal, rate + higher, to));
            prop_assert!(base <= cost(principal, rate, later));
        }
    }
}

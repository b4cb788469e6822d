use super::*;
use proptest::prelude::*;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn days_have_known_numbers() {
    for (text, days, weekday) in [
        ("1970-01-01", 0, 3),
        ("1999-12-31", 10_956, 4),
        ("2000-02-29", 11_016, 1),
        ("2024-02-29", 19_782, 3),
        ("2038-01-19", 24_855, 1),
        ("9999-12-31", 2_932_896, 4),
    ] {
        assert_eq!((day(text).days(), day(text).weekday()), (days, weekday), "{text}");
        assert_eq!(day(text).to_string(), text);
    }
    assert_eq!((Day::MIN, Day::MAX), (day("1970-01-01"), day("9999-12-31")));
}

#[test]
fn refuses() {
    for (text, said) in [
        ("2023-02-29", "2023-02-29 is not a day of the calendar"),
        ("2100-02-29", "not a day of the calendar"),
        ("2024-13-01", "2024-13-01 is not a day"),
        ("2024-00-01", "not a day of the calendar"),
        ("2024-01-00", "not a day of the calendar"),
        ("1969-12-31", "between 1970-01-01 and 9999-12-31"),
        ("2024-1-01", "write year, month and day as 2024-02-29"),
        ("2024/01/01", "`2024/01/01` is not a day;"),
        ("+024-01-01", "is not a day;"),
        ("2024-01-01 ", "is not a day;"),
        ("20240101", "is not a day;"),
        ("２024-01-0", "is not a day;"),
        ("", "`` is not a day;"),
    ] {
        let error = text.parse::<Day>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    assert_eq!(Day::new(LAST + 1), Err(DayError::Range));
    assert_eq!(Day::MAX.plus_days(1), Err(DayError::Range));
    assert_eq!(Day::MAX.plus_months(1, MonthEnd::SameDay), Err(DayError::Range));
    assert_eq!(Day::MIN.plus_months(u32::MAX, MonthEnd::SameDay), Err(DayError::Range));
}

#[test]
fn months_are_counted_from_the_anchor() {
    for (anchor, months, same_day, last_day) in [
        ("2023-01-31", 1, "2023-02-28", "2023-02-28"),
        ("2023-01-31", 2, "2023-03-31", "2023-03-31"),
        ("2023-01-31", 3, "2023-04-30", "2023-04-30"),
        ("2023-01-31", 13, "2024-02-29", "2024-02-29"),
        ("2023-02-28", 1, "2023-03-28", "2023-03-31"),
        ("2024-02-28", 1, "2024-03-28", "2024-03-28"),
        ("2024-02-29", 12, "2025-02-28", "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29", "2028-02-29"),
        ("2024-04-30", 1, "2024-05-30", "2024-05-31"),
        ("2024-11-15", 2, "2025-01-15", "2025-01-15"),
        ("2024-12-31", 0, "2024-12-31", "2024-12-31"),
    ] {
        let moved = |end| day(anchor).plus_months(months, end).unwrap();
        assert_eq!(moved(MonthEnd::SameDay), day(same_day), "{anchor} + {months}");
        assert_eq!(moved(MonthEnd::LastDay), day(last_day), "{anchor} + {months}, last day");
    }
}

#[test]
fn bytes_beyond_the_last_day_are_refused() {
    assert_eq!(borsh::from_slice::<Day>(&LAST.to_le_bytes()).unwrap(), Day::MAX);
    let error = borsh::from_slice::<Day>(&(LAST + 1).to_le_bytes()).unwrap_err();
    assert!(error.to_string().contains("9999-12-31"), "{error}");
    assert!(borsh::from_slice::<Day>(&[0; 5]).is_err(), "trailing byte");
}

proptest! {
    #[test]
    fn conversions_undo_each_other(days in 0..=LAST) {
        let day = Day::new(days).unwrap();
        let (year, month, of_month) = day.year_month_day();
        prop_assert_eq!(Day::of(year, month, of_month), Ok(day));
        prop_assert_eq!(day.to_string().parse::<Day>(), Ok(day));
        prop_assert_eq!(borsh::from_slice::<Day>(&borsh::to_vec(&day).unwrap()).unwrap(), day);
        prop_assert_eq!(u32::from(day.weekday()), (days + 3) % 7, "1970-01-01 was a Thursday");
    }

    /// A month later lies in the month after, on the same day of the month or on its last.
    #[test]
    fn adding_months_keeps_the_day_or_the_end(days in 0..2_000_000u32, months in 0..1_200u32) {
        let anchor = Day::new(days).unwrap();
        for end in [MonthEnd::SameDay, MonthEnd::LastDay] {
            let moved = anchor.plus_months(months, end).unwrap();
            let ((y, m, d), (year, month, of_month)) = (anchor.year_month_day(), moved.year_month_day());
            let index = |y: u16, m: u8| u32::from(y) * 12 + u32::from(m);
            prop_assert_eq!(index(year, month), index(y, m) + months);
            prop_assert!(of_month == d || moved.is_month_end());
            if end == MonthEnd::LastDay && anchor.is_month_end() {
                prop_assert!(moved.is_month_end());
            }
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,12}") {
        let _ = text.parse::<Day>();
    }
}

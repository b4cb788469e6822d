use super::*;
use crate::day::MonthEnd;
use proptest::prelude::*;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// China around the spring festival of 2024: closed 10 to 17 February, open on Sunday the 4th and Sunday the 18th
/// (State Council notice of 25 October 2023).
fn spring_festival() -> Calendar {
    let holidays: Vec<Day> = (10..=17).map(|d| Day::of(2024, 2, d).unwrap()).collect();
    Calendar::new(&[5, 6], &holidays, &[day("2024-02-04"), day("2024-02-18")]).unwrap()
}

#[test]
fn rolls() {
    let calendar = spring_festival();
    for (date, following, modified, preceding) in [
        ("2024-02-09", "2024-02-09", "2024-02-09", "2024-02-09"), // a Friday
        ("2024-02-10", "2024-02-18", "2024-02-18", "2024-02-09"), // the festival; the 18th is a worked Sunday
        ("2024-02-04", "2024-02-04", "2024-02-04", "2024-02-04"), // a worked Sunday
        ("2024-02-03", "2024-02-04", "2024-02-04", "2024-02-02"),
        ("2024-03-30", "2024-04-01", "2024-03-29", "2024-03-29"), // a Saturday at the end of a month
        ("2024-03-31", "2024-04-01", "2024-03-29", "2024-03-29"),
        ("2024-06-01", "2024-06-03", "2024-06-03", "2024-05-31"), // a Saturday at the beginning of one
        ("2022-12-31", "2023-01-02", "2022-12-30", "2022-12-30"), // and of a year
    ] {
        let rolled = |roll| calendar.roll(day(date), roll).unwrap();
        assert_eq!(rolled(Roll::Following), day(following), "{date} following");
        assert_eq!(rolled(Roll::ModifiedFollowing), day(modified), "{date} modified following");
        assert_eq!(rolled(Roll::Preceding), day(preceding), "{date} preceding");
        assert_eq!(rolled(Roll::Unadjusted), day(date));
    }
}

/// 240 days, half of them at ends of months, moved by `QuantLib` (`policy/oracle`): by months, and off weekends.
#[test]
fn agrees_with_quantlib() {
    let rows: Vec<&str> =
        include_str!("../../oracle/calendar.csv").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows.len(), 240);
    let calendar = Calendar::weekends();
    for row in rows {
        let [date, months, same_day, last_day, following, modified, preceding] =
            row.split(',').collect::<Vec<_>>()[..]
        else {
            panic!("seven columns: {row}")
        };
        let (date, months) = (day(date), months.parse().unwrap());
        assert_eq!(date.plus_months(months, MonthEnd::SameDay), Ok(day(same_day)), "{row}");
        assert_eq!(date.plus_months(months, MonthEnd::LastDay), Ok(day(last_day)), "{row}");
        assert_eq!(calendar.roll(date, Roll::Following), Ok(day(following)), "{row}");
        assert_eq!(calendar.roll(date, Roll::ModifiedFollowing), Ok(day(modified)), "{row}");
        assert_eq!(calendar.roll(date, Roll::Preceding), Ok(day(preceding)), "{row}");
    }
}

#[test]
fn refuses() {
    let (one, two) = (day("2024-05-01"), day("2024-05-02"));
    let error = Calendar::new(&[7], &[], &[]).unwrap_err();
    assert!(error.to_string().contains("weekday 7 does not exist"), "{error}");
    let error = Calendar::new(&[], &[one, two], &[two]).unwrap_err();
    assert_eq!(error, CalendarError::Contradiction { day: two });
    let error = Calendar::new(&[], &vec![one; MAX_EXCEPTIONS + 1], &[]).unwrap_err();
    assert!(error.to_string().contains("4097 exceptions"), "{error}");
    Calendar::new(&[], &vec![one; MAX_EXCEPTIONS], &[]).unwrap();
    let closed = |days| {
        let holidays: Vec<Day> = (0..days).map(|n| one.plus_days(n).unwrap()).collect();
        Calendar::new(&[], &holidays, &[]).unwrap().roll(one, Roll::Following)
    };
    assert_eq!(closed(30), Ok(day("2024-05-31")));
    assert_eq!(closed(31), Err(CalendarError::Closed { day: one }));
    let never = Calendar::new(&[0, 1, 2, 3, 4, 5, 6], &[], &[]).unwrap();
    for roll in [Roll::Following, Roll::ModifiedFollowing, Roll::Preceding] {
        assert_eq!(never.roll(one, roll), Err(CalendarError::Closed { day: one }));
    }
    let at_the_end = Calendar::new(&[4, 5, 6], &[], &[]).unwrap(); // 9999-12-31 is a Friday
    assert_eq!(at_the_end.roll(Day::MAX, Roll::Following), Err(CalendarError::Day(DayError::Range)));
    assert_eq!(at_the_end.roll(Day::MAX, Roll::ModifiedFollowing), Ok(day("9999-12-30")));
    let at_the_start = Calendar::new(&[3], &[], &[]).unwrap(); // 1970-01-01 is a Thursday
    assert_eq!(at_the_start.roll(Day::MIN, Roll::Preceding), Err(CalendarError::Day(DayError::Range)));
}

proptest! {
    /// Rolled dates are business days, in the rule's direction, with nothing open in between; rolling again changes nothing.
    #[test]
    fn rolling_finds_the_nearest(
        date in 100u32..30_000, weekend in proptest::collection::btree_set(0u8..7, 0..5),
        closed in proptest::collection::btree_set(0u32..40, 0..15),
    ) {
        let date = Day::new(date).unwrap();
        let weekend: Vec<u8> = weekend.into_iter().collect();
        let holidays: Vec<Day> = closed.iter().map(|n| Day::new(date.days() - 20 + n).unwrap()).collect();
        let calendar = Calendar::new(&weekend, &holidays, &[]).unwrap();
        let (next, last) = (calendar.roll(date, Roll::Following), calendar.roll(date, Roll::Preceding));
        let (Ok(next), Ok(last)) = (next, last) else { return Ok(()) };
        prop_assert!(last <= date && date <= next);
        let open: Vec<u32> = (last.days()..=next.days())
            .filter(|&n| calendar.is_business_day(Day::new(n).unwrap()))
            .collect();
        prop_assert!(open.iter().all(|&n| n == last.days() || n == next.days()));
        let modified = calendar.roll(date, Roll::ModifiedFollowing).unwrap();
        let expected = if same_month(next, date) { next } else { last };
        prop_assert_eq!(modified, expected);
        for roll in [Roll::Following, Roll::ModifiedFollowing, Roll::Preceding] {
            let once = calendar.roll(date, roll).unwrap();
            prop_assert!(calendar.is_business_day(once));
            prop_assert_eq!(calendar.roll(once, roll), Ok(once));
        }
    }
}

use super::*;
use crate::waterfall::Amounts;
use proptest::prelude::*;

fn due(day: u32, principal: u64) -> Due {
    Due { on: Day::new(day).unwrap(), open: Amounts { principal, ..Amounts::default() } }
}

#[test]
fn days_count_from_the_oldest_unpaid_due_date() {
    let on = Day::new(400).unwrap();
    for (dues, days) in [
        (vec![], 0),
        (vec![due(300, 0)], 0),
        (vec![due(300, 0), due(370, 1), due(340, 1)], 60),
        (vec![due(400, 1)], 0),
        (vec![due(399, 1)], 1),
        (vec![due(430, 1)], 0),
    ] {
        assert_eq!(days_past_due(oldest_unpaid(&dues), on), days, "{dues:?}");
    }
    let only_a_fee = Due { open: Amounts { fee: 1, ..Amounts::default() }, ..due(350, 0) };
    assert_eq!(days_past_due(oldest_unpaid(&[only_a_fee]), on), 50);
}

/// Each line: days past due, the bucket's name, the class.
#[test]
fn buckets_and_classes() {
    let (buckets, classes) = (Buckets::default(), Classes::default());
    for (days, label, class, non_performing) in [
        (0, "current", Class::Normal, false),
        (1, "1-30", Class::SpecialMention, false),
        (30, "1-30", Class::SpecialMention, false),
        (31, "31-60", Class::SpecialMention, false),
        (60, "31-60", Class::SpecialMention, false),
        (61, "61-90", Class::SpecialMention, false),
        (90, "61-90", Class::SpecialMention, false),
        (91, "91-180", Class::Substandard, true),
        (180, "91-180", Class::Substandard, true),
        (181, "over 180", Class::Substandard, true),
        (270, "over 180", Class::Substandard, true),
        (271, "over 180", Class::Doubtful, true),
        (360, "over 180", Class::Doubtful, true),
        (361, "over 180", Class::Loss, true),
        (u32::MAX, "over 180", Class::Loss, true),
    ] {
        assert_eq!(buckets.label(buckets.bucket(days)), label, "{days}");
        assert_eq!(classes.floor(days), class, "{days}");
        assert_eq!(class.is_non_performing(), non_performing, "{}", class.name());
    }
    assert_eq!(classes.class(0, Class::Doubtful), Class::Doubtful, "the bank judges worse");
    assert_eq!(classes.class(91, Class::Normal), Class::Substandard, "the floor holds");
    let grace = Buckets::new(&[3, 30]).unwrap();
    assert_eq!([0, 1, 2, 99].map(|bucket| grace.label(bucket)), ["0-3", "4-30", "over 30", "over 30"]);
    assert_eq!(grace.count(), 3);
}

#[test]
fn refuses() {
    for (bounds, said) in [
        (&[][..], "0 bounds; name from 1 to 15"),
        (&[0; 16], "16 bounds"),
        (&[0, 30, 30], "30 days come after 30"),
        (&[0, 60, 30], "30 days come after 60"),
    ] {
        let error = Buckets::new(bounds).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(Classes::new([0, 90, 90, 360]), Err(AgeingError::Order { before: 90, bound: 90 }));
}

proptest! {
    /// Later is never a better bucket or class, and every bucket is reached.
    #[test]
    fn lateness_only_rises(bounds in prop::collection::btree_set(0u16..800, 1..MAX_BUCKETS)) {
        let bounds: Vec<u16> = bounds.into_iter().collect();
        let buckets = Buckets::new(&bounds).unwrap();
        let reached: Vec<usize> = (0..=800).map(|days| buckets.bucket(days)).collect();
        prop_assert!(reached.is_sorted());
        prop_assert_eq!(*reached.last().unwrap(), buckets.count() - 1);
        for (index, &bound) in bounds.iter().enumerate() {
            prop_assert_eq!((buckets.bucket(bound.into()), buckets.bucket(u32::from(bound) + 1)), (index, index + 1));
        }
        prop_assert!((0..=800).map(|days| Classes::default().floor(days)).is_sorted());
    }
}

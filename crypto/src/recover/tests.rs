//! Every value of a range is found, nothing beyond it, on any number of threads.

use super::*;
use proptest::prelude::*;

fn point(v: u64) -> RistrettoPoint {
    pedersen::value(&Scalar::from(v))
}

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// A table of 2^10, built on two threads.
fn small() -> &'static Table {
    static SMALL: OnceLock<Table> = OnceLock::new();
    SMALL.get_or_init(|| Table::build(10, threads(2)).unwrap())
}

#[test]
fn every_multiple_of_a_table_is_found_in_it() {
    // 2^10 shared by 3 threads and by strides of 512 has ragged ends.
    let table = Table::build(10, threads(3)).unwrap();
    let (encodings, _) = doubles(point(0), &pedersen::value_base(), table.len());
    for (i, encoding) in (0..).zip(&encodings) {
        assert!(table.candidates(encoding).any(|candidate| candidate == i), "{i}");
    }
}

#[test]
fn a_table_takes_the_memory_it_says_however_many_threads_build_it() {
    for bits in [8, 10, 16] {
        let tables = [1, 2, 3, 300].map(|count| Table::build(bits, threads(count)).unwrap());
        for table in &tables {
            let words = table.starts.len() + table.entries.len();
            assert_eq!(4 * words as u64, Table::bytes(bits));
            assert_eq!((&table.starts, &table.entries), (&tables[0].starts, &tables[0].entries));
        }
    }
    assert_eq!(Table::bytes(16), 288 * 1024 + 4);
    assert_eq!(Table::bytes(20), 4608 * 1024 + 4);
}

#[test]
fn tables_of_no_such_size_are_refused() {
    for bits in [0, Table::MIN_TABLE_BITS - 1, Table::MAX_TABLE_BITS + 1, 64, u32::MAX] {
        assert_eq!(Table::build(bits, threads(1)).unwrap_err(), TableSize { bits });
    }
}

#[test]
fn the_edges_of_the_bound() {
    for bits in [0, 1, 9, 10, 11, 12, 20, 21, 22] {
        let (end, table) = (1u64 << bits, small());
        for count in [1, 2, 5] {
            let find = |p: &RistrettoPoint| table.find(p, bits, threads(count));
            for v in [0, 1, end / 2, end - 1].into_iter().filter(|v| *v < end) {
                assert_eq!(find(&point(v)), Ok(v), "{v} of {bits} bits on {count}");
            }
            let none = Err(RecoverError::NotFound { bits });
            for beyond in [point(end), point(end + 1), -point(1), -point(end), pedersen::blinding_base()] {
                assert_eq!(find(&beyond), none);
            }
        }
    }
}

#[test]
fn the_edges_of_a_window() {
    for bits in [0, 1, 9, 10, 11, 12, 20, 21] {
        let (half, table) = ((1u64 << bits) / 2, small());
        for expected in [half, 1 << 40, u64::MAX - half] {
            let find = |p: &RistrettoPoint| table.find_near(p, expected, bits, threads(2));
            let last = expected - half + ((1 << bits) - 1);
            for v in [expected - half, expected, last] {
                assert_eq!(find(&point(v)), Ok(v), "{v} near {expected}, {bits} bits");
            }
            let beyond = pedersen::value(&(Scalar::from(last) + Scalar::ONE));
            assert_eq!(find(&beyond), Err(RecoverError::NotFound { bits }));
            let before = pedersen::value(&(Scalar::from(expected - half) - Scalar::ONE));
            assert_eq!(find(&before), Err(RecoverError::NotFound { bits }));
        }
    }
}

#[test]
fn a_window_ends_where_amounts_do() {
    let none = Err(RecoverError::NotFound { bits: 20 });
    assert_eq!(small().find_near(&-point(1), 0, 20, threads(2)), none);
    let above = pedersen::value(&Scalar::from(1u128 << 64));
    assert_eq!(small().find_near(&above, u64::MAX, 20, threads(2)), none);
    assert_eq!(small().find_near(&point(u64::MAX), u64::MAX, 20, threads(2)), Ok(u64::MAX));
}

#[test]
fn a_search_that_would_not_end_is_refused() {
    let table = small();
    assert_eq!((table.most_bits(), table.steps(34), table.steps(20)), (34, Ok(1 << 24), Ok(1 << 10)));
    for bits in [35, 63, 64, u32::MAX] {
        let refused = RecoverError::TooWide { bits, most: 34 };
        assert_eq!(table.steps(bits), Err(refused));
        assert_eq!(table.find(&point(5), bits, threads(1)), Err(refused));
        assert_eq!(table.find_near(&point(5), 5, bits, threads(1)), Err(refused));
    }
    assert_eq!(discrete_log(&point(5), 41), Err(RecoverError::TooWide { bits: 41, most: 40 }));
}

#[test]
fn the_shared_table_finds_totals() {
    for v in [0, 1, 65_535, 65_536, 65_537, (1 << 26) - 1, 123_456_789] {
        assert_eq!(discrete_log(&point(v), 27), Ok(v));
    }
    // Early in the widest search: it ends at the hit.
    assert_eq!(discrete_log(&point(1 << 27), 40), Ok(1 << 27));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_below_the_bound_is_found_and_nothing_else(
        v in 0u64..1 << 22, bits in 0u32..22, size in 8u32..12, count in 1usize..4
    ) {
        let table = Table::build(size, threads(2)).unwrap();
        let expected = if v >> bits == 0 { Ok(v) } else { Err(RecoverError::NotFound { bits }) };
        prop_assert_eq!(table.find(&point(v), bits, threads(count)), expected);
    }

    #[test]
    fn what_is_in_the_window_is_found_and_nothing_else(
        expected: u64, offset in -1i64 << 21..1 << 21, bits in 1u32..22, count in 1usize..4
    ) {
        let half = 1i64 << (bits - 1);
        let value = pedersen::value(&(Scalar::from(expected) + signed(offset)));
        let v = expected.checked_add_signed(offset).filter(|_| (-half..half).contains(&offset));
        let found = small().find_near(&value, expected, bits, threads(count));
        prop_assert_eq!(found, v.ok_or(RecoverError::NotFound { bits }));
    }
}

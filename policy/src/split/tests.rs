use super::*;
use proptest::prelude::*;

/// `Σ a_i = T` and `|w_i·T − W·a_i| < W`.
fn fair(total: u64, shares: &[u32], parts: &[u64]) -> bool {
    let whole: i128 = shares.iter().map(|&w| i128::from(w)).sum();
    let exact = parts.iter().map(|&a| u128::from(a)).sum::<u128>() == u128::from(total);
    exact
        && shares
            .iter()
            .zip(parts)
            .all(|(&w, &a)| (i128::from(w) * i128::from(total) - whole * i128::from(a)).abs() < whole)
}

/// 2 to 16 shares, each at least 1, that sum to 100.
fn percents() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::btree_set(1u32..100, 1..=15).prop_map(|cuts| {
        let ends: Vec<u32> = cuts.into_iter().chain([100]).collect();
        let starts = [0].into_iter().chain(ends.clone());
        ends.iter().zip(starts).map(|(end, start)| end - start).collect()
    })
}

/// Small, own and deterministic: only for the long walks below.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn random_percents(state: &mut u64) -> Vec<u32> {
    let banks = 2 + (next(state) % 15) as usize;
    let mut shares = vec![1u32; banks];
    let skew = 1 + next(state) % banks as u64;
    for _ in banks..100 {
        let i = next(state) % (1 + next(state) % skew);
        shares[i as usize] += 1;
    }
    shares
}

#[test]
fn by_hand() {
    type Line = (u64, &'static [u32], &'static [u64], &'static [u64]);
    let table: &[Line] = &[
        // total, shares, split, split_balance
        (0, &[30, 70], &[0, 0], &[0, 0]),
        (1, &[30, 70], &[0, 1], &[0, 1]),
        (1, &[50, 50], &[1, 0], &[1, 0]),
        (100, &[1, 1, 1], &[34, 33, 33], &[34, 33, 33]),
        (10, &[6, 6, 2], &[4, 4, 2], &[5, 4, 1]),
        (11, &[6, 6, 2], &[5, 5, 1], &[5, 5, 1]), // Alabama: the third bank has less of more
        (7, &[100, 0, 0, 0], &[7, 0, 0, 0], &[7, 0, 0, 0]),
        (u64::MAX, &[1], &[u64::MAX], &[u64::MAX]),
    ];
    for (total, shares, remainder, nested) in table {
        assert_eq!(&split(*total, shares), remainder, "split {total} {shares:?}");
        assert_eq!(&split_balance(*total, shares), nested, "split_balance {total} {shares:?}");
    }
}

#[test]
fn below_respects_ceilings() {
    assert_eq!(split_below(10, &[6, 6, 2], &[5, 5, 1]), Some(vec![5, 4, 1]));
    assert_eq!(split_below(10, &[6, 6, 2], &[4, 5, 2]), Some(vec![4, 4, 2]));
    assert_eq!(split_below(10, &[6, 6, 2], &[4, 4, 1]), None, "the ceilings sum to less");
    assert_eq!(split_below(10, &[6, 6, 2], &[3, 9, 9]), None, "a floor is above its ceiling");
    assert_eq!(split_below(10, &[6, 6], &[5, 5, 5]), None, "the lengths differ");
    assert_eq!(split_below(0, &[0, 0], &[0, 0]), None, "no shares");
    assert_eq!(split_below(0, &[1, 1], &[0, 0]), Some(vec![0, 0]));
}

#[test]
#[should_panic(expected = "shares sum to zero")]
fn no_shares_is_a_programming_error() {
    let _ = split(1, &[0, 0]);
}

/// A payment of two out of 137: the remainder split leaves no fair continuation at all, the nested one does.
#[test]
fn the_case_that_the_remainder_rule_cannot_do() {
    let shares = [1, 1, 1, 20, 77];
    let opened = split(137, &shares);
    assert_eq!(opened, [1, 1, 1, 28, 106]);
    // Of 135 the exact parts are 1.35, 1.35, 1.35, 27 and 103.95: rounded up where there is room, they sum to 134.
    assert_eq!(split_below(135, &shares, &opened), None);
    for (before, after) in (0..400u64).flat_map(|before| (0..=before).map(move |after| (before, after))) {
        let nested = split_below(after, &shares, &split_balance(before, &shares));
        assert_eq!(nested, Some(split_balance(after, &shares)), "{before} to {after}");
    }
}

/// Steps spread over a whole period are fair and nested, for the ways to share 100 among up to four banks.
#[test]
fn nested_and_fair_for_every_share_vector_of_up_to_four() {
    for a in 0..=100u32 {
        for b in 0..=(100 - a).min(a) {
            for c in 0..=(100 - a - b).min(b) {
                one_period(&[a, b, c, 100 - a - b - c]);
            }
        }
    }
}

/// Sixteen totals of one period, each nested in the next; the next period repeats it.
fn one_period(shares: &[u32]) {
    let mut previous = vec![0; shares.len()];
    for total in [1, 2, 3, 5, 8, 13, 21, 33, 34, 50, 51, 67, 79, 98, 99, 100] {
        let parts = split_balance(total, shares);
        assert!(fair(total, shares, &parts), "{total} {shares:?} {parts:?}");
        assert!(previous.iter().zip(&parts).all(|(less, more)| less <= more), "{total} {shares:?}");
        previous = parts;
    }
    assert!(previous.iter().zip(shares).all(|(&part, &share)| part == u64::from(share)));
}

/// Loans of 2 to 16 banks repaid down to zero in payments of every size: half a million payments of one unit,
/// half a million of up to 300, all from `split_balance`.
#[test]
fn repayments_never_get_stuck() {
    let mut state = 0x5eed_u64;
    for limit in [1, 300] {
        let mut payments = 0u32;
        while payments < 500_000 {
            let shares = random_percents(&mut state);
            let mut total = next(&mut state) % (1_000 * limit);
            let mut parts = split_balance(total, &shares);
            while total > 0 {
                total -= (1 + next(&mut state) % limit).min(total);
                let left = split_below(total, &shares, &parts);
                parts = left.unwrap_or_else(|| panic!("stuck at {total} of {shares:?} with {parts:?}"));
                payments += 1;
            }
            assert!(parts.iter().all(|&part| part == 0));
        }
    }
}

proptest! {
    #[test]
    fn exact_and_fair(total: u64, shares in proptest::collection::vec(any::<u32>(), 1..=16)) {
        prop_assume!(shares.iter().any(|&w| w > 0));
        prop_assert!(fair(total, &shares, &split(total, &shares)));
    }

    #[test]
    fn balances_are_fair_and_nested(total: u64, paid: u64, shares in percents()) {
        let below = total.saturating_sub(paid % 1000);
        let (more, less) = (split_balance(total, &shares), split_balance(below, &shares));
        prop_assert!(fair(total, &shares, &more) && fair(below, &shares, &less));
        prop_assert!(less.iter().zip(&more).all(|(less, more)| less <= more));
        prop_assert_eq!(split_below(below, &shares, &more), Some(less));
    }

    #[test]
    fn common_factors_do_not_matter(total: u64, shares in percents(), factor in 1u32..1_000_000) {
        let scaled: Vec<u32> = shares.iter().map(|w| w * factor).collect();
        prop_assert_eq!(split(total, &shares), split(total, &scaled));
        prop_assert_eq!(split_balance(total, &shares), split_balance(total, &scaled));
    }

    #[test]
    fn below_is_fair_and_below_or_nothing(
        total in 0u64..5_000, shares in percents(), ceilings in proptest::collection::vec(0u64..3_000, 16),
    ) {
        let ceilings = &ceilings[..shares.len()];
        if let Some(parts) = split_below(total, &shares, ceilings) {
            prop_assert!(fair(total, &shares, &parts));
            prop_assert!(parts.iter().zip(ceilings).all(|(part, ceiling)| part <= ceiling));
        }
    }

    /// With two, three and four banks even a loan opened by largest remainder can always be repaid.
    #[test]
    fn small_loans_can_start_from_the_remainder_split(
        cuts in [0u32..=100, 0u32..=100, 0u32..=100], start in 1u64..100_000,
        payments in proptest::collection::vec(1u64..200, 1..100),
    ) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let shares = [cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1], 100 - cuts[2]];
        let (mut total, mut parts) = (start, split(start, &shares));
        for paid in payments {
            total = total.saturating_sub(paid);
            let left = split_below(total, &shares, &parts);
            prop_assert!(left.is_some(), "stuck at {total} of {shares:?} with {parts:?}");
            parts = left.unwrap();
        }
    }
}

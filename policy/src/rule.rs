//! What must hold of every loan, as linear inequalities with whole coefficients: `Σ c·quantity + constant >= 0`.
//!
//! A rule is a number in clear for the servicer ([`Rule::evaluate`]) and a derived commitment for everybody else: the
//! same combination of the loan's commitments, shown to lie in `[0, 2^bits)` by the batch's range proof.
//!
//! **Why that is sound.** A range proof speaks of a number modulo the group order, about 2^252. That it lies in
//! `[0, 2^bits)` *as an integer* follows only because every input of the combination is itself proven to lie in
//! `[0, 2^width)` and the combination of such inputs stays far below the group order in absolute value
//! ([`Rule::reach`], a checked computation that must fit in 127 bits): it cannot wrap. A rule over inputs without proven
//! bounds shows nothing.

/// A quantity of one loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// The sum of all shares.
    Principal,
    /// The share in this slot, in minor units; slot 0 is the servicer's.
    Share(u8),
}

/// One inequality: the sum of `coefficient · quantity` over all terms, plus the constant, is at least zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// For people.
    pub name: String,
    /// Coefficients and what they multiply.
    pub terms: Vec<(i64, Quantity)>,
    /// Added to the sum.
    pub constant: i64,
}

impl Rule {
    /// The form's value for these shares; the rule holds when it is at least zero. A slot that is not there counts as
    /// an empty position.
    #[must_use]
    pub fn evaluate(&self, shares: &[u64]) -> i128 {
        let principal = shares.iter().fold(0i128, |sum, &share| sum.saturating_add(i128::from(share)));
        self.terms.iter().fold(i128::from(self.constant), |sum, &(coefficient, quantity)| {
            let value = match quantity {
                Quantity::Principal => principal,
                Quantity::Share(slot) => shares.get(usize::from(slot)).map_or(0, |&share| i128::from(share)),
            };
            // A saturated value is far outside of every width, and so is the true one.
            sum.saturating_add(i128::from(coefficient).saturating_mul(value))
        })
    }

    /// The least and the largest value of the form when every share is in `[0, cap]` and so is their sum, the principal.
    ///
    /// The form is linear, and those shares are the convex hull of "nothing" and "one bank holds the whole cap", so its
    /// extremes are among these `parts + 1` corners.
    #[must_use]
    pub fn bounds(&self, cap: u64, parts: u8) -> (i128, i128) {
        let nothing = i128::from(self.constant);
        (0..parts)
            .map(|slot| self.weight(slot).saturating_mul(i128::from(cap)).saturating_add(nothing))
            .fold((nothing, nothing), |(least, largest), corner| (least.min(corner), largest.max(corner)))
    }

    /// The width of the range proof that the form needs: the smallest of 8, 16, 32 and 64 bits that holds its largest
    /// honest value; `None` when 64 bits do not.
    #[must_use]
    pub fn bits(&self, cap: u64, parts: u8) -> Option<u8> {
        let (_, largest) = self.bounds(cap, parts);
        [8u8, 16, 32, 64].into_iter().find(|&bits| largest < 1i128 << bits)
    }

    /// A bound on the form's absolute value for *whatever* a range proof of `width` bits lets through as a share, above
    /// the cap too; `None` when it does not fit in 127 bits, where the argument that nothing wraps would need more care.
    #[must_use]
    pub fn reach(&self, width: u8, parts: u8) -> Option<u128> {
        let share = 1u128.checked_shl(u32::from(width))?;
        let slots = (0..parts).try_fold(0u128, |sum, slot| {
            sum.checked_add(self.weight(slot).unsigned_abs().checked_mul(share)?)
        })?;
        slots.checked_add(u128::from(self.constant.unsigned_abs())).filter(|&reach| reach < 1 << 127)
    }

    /// By how much the form grows per unit in this slot: the principal grows with it.
    fn weight(&self, slot: u8) -> i128 {
        self.terms
            .iter()
            .filter(|(_, quantity)| {
                matches!(quantity, Quantity::Principal) || *quantity == Quantity::Share(slot)
            })
            .fold(0, |sum, &(coefficient, _)| sum.saturating_add(i128::from(coefficient)))
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn servicer_keeps_30() -> Rule {
        Rule {
            name: "servicer keeps 30 %".into(),
            terms: vec![(10, Quantity::Share(0)), (-3, Quantity::Principal)],
            constant: 9,
        }
    }

    #[test]
    fn in_clear() {
        let rule = servicer_keeps_30();
        for (shares, value) in [
            (&[30u64, 70][..], 9),
            (&[29, 71], -1),
            (&[31, 70], 16),
            (&[30, 71], 6), // 30 % of 101 is 30.3: less than a minor unit short is allowed
            (&[0, 0, 0, 0], 9),
            (&[], 9),
        ] {
            assert_eq!(rule.evaluate(shares), value, "{shares:?}");
        }
    }

    #[test]
    fn widths() {
        let rule = servicer_keeps_30();
        assert_eq!(rule.bounds(5_000_000, 4), (-14_999_991, 35_000_009));
        assert_eq!(rule.bits(5_000_000, 4), Some(32));
        assert_eq!(rule.bits(35, 4), Some(8)); // 7·35 + 9 = 254
        assert_eq!(rule.bits(36, 4), Some(16)); // 261
        assert_eq!(rule.bits(u64::MAX, 4), None);
        assert_eq!(rule.reach(64, 4), Some((7 + 3 + 3 + 3) * (1 << 64) + 9));
        let wild = Rule { terms: vec![(i64::MAX, Quantity::Principal)], ..rule };
        assert_eq!(wild.reach(64, 16), None);
        assert_eq!(wild.bits(u64::MAX, 16), None);
    }

    proptest! {
        #[test]
        fn values_stay_within_bounds(
            cuts in proptest::collection::vec(0u64..=1_000_000, 4),
            terms in proptest::collection::vec((-1000i64..1000, 0u8..5), 1..5),
            constant in -1000i64..1000,
        ) {
            let quantity = |q| if q == 4 { Quantity::Principal } else { Quantity::Share(q) };
            let terms: Vec<_> = terms.into_iter().map(|(c, q)| (c, quantity(q))).collect();
            let rule = Rule { name: String::new(), terms, constant };
            let shares = below_cap(cuts);
            let value = rule.evaluate(&shares);
            let (least, largest) = rule.bounds(1_000_000, 4);
            prop_assert!(least <= value && value <= largest);
            prop_assert!(rule.bits(1_000_000, 4).is_none_or(|bits| value < 1i128 << bits));
            prop_assert!(value.unsigned_abs() <= rule.reach(32, 4).unwrap());
        }

        #[test]
        fn bounds_are_attained(slot in 0usize..4, cap in 1u64..1_000_000_000) {
            let rule = servicer_keeps_30();
            let mut shares = [0u64; 4];
            shares[slot] = cap;
            let (least, largest) = rule.bounds(cap, 4);
            prop_assert_eq!(rule.evaluate(&shares), if slot == 0 { largest } else { least });
        }
    }

    /// Four shares whose sum is at most a million, from four cuts of it.
    fn below_cap(mut cuts: Vec<u64>) -> Vec<u64> {
        cuts.sort_unstable();
        let starts: Vec<u64> = [0].into_iter().chain(cuts.iter().copied()).collect();
        cuts.iter().zip(starts).map(|(end, start)| end - start).collect()
    }
}

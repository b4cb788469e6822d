//! Micro-loans made up from a seed: the same seed gives the same portfolio on every machine.
//!
//! All loans open in December 2025 for twelve months: 1,000.00 to 30,000.00 at 7 to 18 % a year, repaid in equal
//! instalments. Some customers pay everything back early, some pay part of a month, some miss one; what a missed month
//! owes in interest is asked for in the next, without interest on it. Interest is rounded to the cent once per
//! instalment, and the last instalment takes the difference.

use super::{Event, Opening, Period, Portfolio, What, choose_partners};
use counterfoil_ledger::names::Date;
use counterfoil_policy::format_amount;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore as _, SeedableRng as _};

/// The month in which every loan opens.
const OPENS: Period = Period { year: 2025, month: 12 };
/// Instalments of a loan.
const TERM: u8 = 12;
/// Smallest and largest principal, in cents.
const PRINCIPAL: (u64, u64) = (100_000, 3_000_000);
/// Smallest and largest rate a year, in hundredths of a percent.
const RATE: (u64, u64) = (700, 1_800);
/// Hundredths of a percent of a year in one month: 100 % a year is 120,000 of them.
const RATE_UNIT: u128 = 120_000;
/// One, in the fixed-point arithmetic of the growth factor.
const ONE: u128 = 1_000_000_000_000;

/// Chances in a thousand, each month: paid back early, missed, paid in part.
const EARLY: u64 = 8;
const MISSED: u64 = 20;
const PARTIAL: u64 = 30;

/// A portfolio of `loans` loans and the payments of `months` months after they open. No principal exceeds `cap`; a cap
/// below the usual smallest loan gives loans of that size or less. `partners` are the partners the lead has,
/// and `most` how many of them a loan has room for.
#[must_use]
pub fn generate(
    seed: u64,
    loans: u32,
    months: u8,
    cap: u64,
    (partners, most): (&[String], usize),
) -> Portfolio {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut borrowers: Vec<Borrower> =
        (1..=loans).map(|number| Borrower::new(&mut random, number, cap, (partners, most))).collect();
    let openings = borrowers.iter().map(|borrower| borrower.opening.clone()).collect();
    let mut portfolio = Portfolio { openings, ..Portfolio::default() };
    let mut period = OPENS;
    for month in 1..=months {
        period = period.next();
        let paid = borrowers.iter_mut().filter_map(|borrower| borrower.pay(&mut random, month, period));
        portfolio.events.extend(paid);
    }
    portfolio
}

struct Borrower {
    opening: Opening,
    /// Hundredths of a percent a year.
    rate: u64,
    instalment: u64,
    /// Principal still owed.
    owed: u64,
    /// Interest asked for and not paid.
    due: u64,
}

impl Borrower {
    fn new(
        random: &mut ChaCha8Rng,
        number: u32,
        cap: u64,
        (partners, most_partners): (&[String], usize),
    ) -> Self {
        let most = PRINCIPAL.1.min(cap).max(1);
        let least = PRINCIPAL.0.min(most);
        let drawn = between(random, least, most);
        // People ask for round sums, where there is room for them.
        let rounded = drawn.saturating_sub(drawn.checked_rem(10_000).unwrap_or(0));
        let principal = if rounded >= least { rounded } else { drawn };
        let rate = between(random, RATE.0, RATE.1);
        let opening = Opening {
            loan: format!("L{number:06}"),
            date: day(OPENS),
            principal,
            partners: choose_partners(random.next_u64(), partners, most_partners),
            terms: format!("{} % a year, {TERM} months", format_amount(rate, 2)),
        };
        Self { opening, rate, instalment: instalment(principal, rate), owed: principal, due: 0 }
    }

    /// What this month brings: nothing once all is paid, or when the month is missed.
    fn pay(&mut self, random: &mut ChaCha8Rng, month: u8, period: Period) -> Option<Event> {
        let chance = between(random, 0, 999); // drawn for every loan, paid back or not: months do not shift
        let share = between(random, 10, 90);
        if self.owed == 0 {
            return None;
        }
        self.due = self.due.saturating_add(interest(self.owed, self.rate));
        let everything = self.owed.saturating_add(self.due);
        let regular = if month >= TERM { everything } else { self.instalment.min(everything) };
        let [early, missed, partial] = [EARLY, EARLY + MISSED, EARLY + MISSED + PARTIAL];
        let amount = match chance {
            c if c < early => everything,
            c if c < missed => return None,
            c if c < partial => regular.saturating_mul(share).div_euclid(100).max(1),
            _ => regular,
        };
        let interest = self.due.min(amount);
        let principal = amount.saturating_sub(interest).min(self.owed);
        self.due = self.due.saturating_sub(interest);
        self.owed = self.owed.saturating_sub(principal);
        Some(Event {
            loan: self.opening.loan.clone(),
            date: day(period),
            what: What::Paid { principal, interest, fee: 0, penalty: 0 },
        })
    }
}

fn day(period: Period) -> Date {
    Date(u32::try_from(period.days()).unwrap_or(0))
}

/// One month's interest on a balance, rounded half up to the cent.
fn interest(owed: u64, rate: u64) -> u64 {
    let exact = u128::from(owed).saturating_mul(u128::from(rate));
    rounded(exact, RATE_UNIT)
}

/// The equal instalment of an annuity, `P·r·g/(g − 1)` with the monthly rate r and the growth `g = (1 + r)^12`, rounded
/// half up to the cent. g is a fixed-point number with twelve decimals: at most 1.2·10^12, so no product exceeds 10^25.
fn instalment(principal: u64, rate: u64) -> u64 {
    let month = ONE.saturating_add(rounded_wide(ONE.saturating_mul(u128::from(rate)), RATE_UNIT));
    let growth = (0..TERM).fold(ONE, |growth, _| rounded_wide(growth.saturating_mul(month), ONE));
    let above = u128::from(principal).saturating_mul(u128::from(rate)).saturating_mul(growth);
    rounded(above, RATE_UNIT.saturating_mul(growth.saturating_sub(ONE)))
}

fn rounded(above: u128, below: u128) -> u64 {
    u64::try_from(rounded_wide(above, below)).unwrap_or(u64::MAX)
}

fn rounded_wide(above: u128, below: u128) -> u128 {
    above.saturating_add(below.div_euclid(2)).checked_div(below).unwrap_or(0)
}

/// A number from `least` to `most`, both included. The bias of at most 2^-40 matters to nobody here.
fn between(random: &mut ChaCha8Rng, least: u64, most: u64) -> u64 {
    let count = u128::from(most.saturating_sub(least)).saturating_add(1);
    let scaled = u128::from(random.next_u64()).saturating_mul(count) >> 64;
    least.saturating_add(u64::try_from(scaled).unwrap_or(0))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn partners() -> Vec<String> {
        ["b", "c", "d"].map(String::from).to_vec()
    }

    #[test]
    fn the_annuity_reproduces_known_instalments() {
        // 10,000.00 over twelve months at 12 %, 7 % and 18 %: the textbook's 888.49, 865.27 and 916.80.
        assert_eq!(instalment(1_000_000, 1_200), 88_849);
        assert_eq!(instalment(1_000_000, 700), 86_527);
        assert_eq!(instalment(1_000_000, 1_800), 91_680);
        assert_eq!(interest(1_000_000, 1_200), 10_000);
        assert_eq!(interest(50, 1_200), 1); // half a cent
        assert_eq!(interest(49, 1_200), 0);
    }

    #[test]
    fn a_seed_is_a_portfolio() {
        assert_eq!(
            generate(7, 200, 12, 5_000_000, (&partners(), 3)),
            generate(7, 200, 12, 5_000_000, (&partners(), 3))
        );
        assert_ne!(
            generate(7, 200, 12, 5_000_000, (&partners(), 3)),
            generate(8, 200, 12, 5_000_000, (&partners(), 3))
        );
        let (short, long) = (
            generate(7, 50, 3, 5_000_000, (&partners(), 3)),
            generate(7, 50, 12, 5_000_000, (&partners(), 3)),
        );
        assert_eq!(short.openings, long.openings);
        assert_eq!(short.events, long.events[..short.events.len()], "a longer run continues a shorter one");
    }

    #[test]
    fn loans_are_within_their_limits() {
        let portfolio = generate(1, 2_000, 0, 5_000_000, (&partners(), 3));
        assert!(portfolio.events.is_empty() && portfolio.left_out.is_empty());
        let mut seen = BTreeMap::new();
        for opening in &portfolio.openings {
            assert!((100_000..=3_000_000).contains(&opening.principal), "{opening:?}");
            assert_eq!(opening.date, day(OPENS));
            *seen.entry(opening.partners.clone()).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 7, "every set of partners occurs");
        assert_eq!(portfolio.openings[0].loan, "L000001");
        for cap in [0, 1, 99_999, 100_000, 250_000] {
            assert!(
                generate(1, 500, 0, cap, (&partners()[..1], 1))
                    .openings
                    .iter()
                    .all(|o| (1..=cap.max(1)).contains(&o.principal))
            );
        }
    }

    #[test]
    fn every_loan_is_repaid_to_the_cent() {
        let portfolio = generate(42, 3_000, 24, 5_000_000, (&partners(), 3));
        let mut owed: BTreeMap<_, _> = portfolio.openings.iter().map(|o| (&o.loan, o.principal)).collect();
        for event in &portfolio.events {
            let What::Paid { principal, interest, .. } = event.what else { panic!("{event:?}") };
            assert!(principal + interest > 0);
            let owed = owed.get_mut(&event.loan).unwrap();
            *owed = owed.checked_sub(principal).unwrap();
        }
        assert!(owed.values().all(|&owed| owed == 0));
        assert!(portfolio.events.is_sorted_by_key(|e| (e.date, e.loan.clone())));
    }

    /// All three irregularities happen, and most months are regular.
    #[test]
    fn life_happens() {
        let portfolio = generate(3, 1_000, 12, 5_000_000, (&partners(), 3));
        let months: BTreeMap<&str, usize> =
            portfolio.events.iter().fold(BTreeMap::new(), |mut months, event| {
                *months.entry(event.loan.as_str()).or_default() += 1;
                months
            });
        let (mut fewer, mut twelve) = (0, 0);
        for count in months.values() {
            if *count == 12 { twelve += 1 } else { fewer += 1 }
        }
        assert!(twelve > 600 && fewer > 150, "{twelve} {fewer}");
        assert!(
            portfolio.events.iter().any(|e| matches!(e.what, What::Paid { principal: 0, .. })),
            "a part of a month that only covers interest"
        );
    }
}

//! Whatever a product allows can be sealed, and what is sealed verifies: in both suites, at the limits and in between.

use super::world::{NAMES, PRODUCT, World, found, member, new_loan, repayment};
use crate::{
    draft::Events, relation::most_interest, seal::seal, store::MemoryIndex, view::View, wallet::Wallet,
};
use counterfoil_crypto::relation::Suite;
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

/// A world of one product. Its cap is in minor units.
fn world(seed: u64, suite: Suite, (width, cap, parts, units, min): (u8, u64, u8, u16, u8)) -> World {
    let text = format!(
        "name = \"p\"\ncurrency = \"JPY\"\nwidth = {width}\ncap = \"{cap}\"\nparts = {parts}\nshare_units = {units}\n\
         min_servicer_share = {min}\nauditors = [\"regulator\"]\n[weights]\nbank-a = 40\nbank-b = 30\nbank-c = 20\nbank-d = 10\n"
    );
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let (consortium, keys) = found(&mut rng, &text);
    let views = (0..NAMES.len()).map(|i| View::new(consortium.clone(), member(i as u16), keys[i].clone()));
    World {
        wallet: Wallet::new(consortium.clone(), member(0), keys[0].clone()).with_suite(suite),
        views: views.collect(),
        store: MemoryIndex::new(),
        consortium,
        keys,
        rng,
    }
}

/// Lends, repays in steps down to nothing, each with interest; false when the product does not share so finely.
fn lives(world: &mut World, principal: u64, partners: &[u16], steps: &[(u64, u64)]) -> bool {
    let reserve = principal.max(1);
    world.book(Events::Fund((0..4).map(|bank| (member(bank), reserve)).collect()));
    let lend = Events::Originate(vec![new_loan("L", principal, partners)]);
    if let Err(error) = seal(&world.wallet, &World::draft(lend.clone()), &mut world.rng) {
        assert!(matches!(error, crate::seal::SealError::Partners { .. }), "{principal}: {error}");
        return false;
    }
    world.book(lend);
    let loan = world.wallet.loan_of(PRODUCT, "L").unwrap();
    let most = most_interest(&world.consortium.terms(PRODUCT).unwrap().product);
    for (event, (pay, interest)) in (0u8..).zip(steps.iter().copied().chain([(u64::MAX, most), (0, 0)])) {
        let pay = pay.min(world.wallet.loans()[&loan].balance());
        world.book(Events::Repay(vec![repayment(loan, pay, interest.min(most), event)]));
    }
    assert_eq!(world.wallet.loans()[&loan].balance(), 0);
    true
}

#[test]
fn the_limits_of_every_product_can_be_sealed() {
    for suite in Suite::ALL {
        for units in [1, 3, 100] {
            for (width, cap) in [(32, 1), (32, 99), (32, u64::from(u32::MAX)), (64, i64::MAX as u64)] {
                for min in [0, 100] {
                    let partners: &[u16] = if min == 100 || units < 3 { &[] } else { &[1, 2] };
                    let mut world = world(7, suite, (width, cap, if min == 100 { 1 } else { 4 }, units, min));
                    assert!(
                        lives(&mut world, cap, partners, &[(0, 0), (1, 1), (cap / 2, u64::MAX)]) || units < 4
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn what_a_product_allows_is_sealed_and_verifies(
        seed: u64,
        packed: bool,
        units in 1u16..=100,
        parts in 1u8..=4,
        (cap_bits, cap) in (1u32..=59, any::<u64>()),
        principal: u64,
        steps in prop::collection::vec((any::<u64>(), any::<u64>(), 0u32..64, 0u32..64), 0..4),
    ) {
        let cap = (cap >> (64 - cap_bits)).max(1);
        let width = if cap > u64::from(u32::MAX) { 64 } else { 32 };
        let suite = if packed { Suite::Packed } else { Suite::Widths };
        let mut world = world(seed, suite, (width, cap, parts, units, 30));
        let partners: Vec<u16> = (1..u16::from(parts)).collect();
        let steps: Vec<_> = steps.into_iter().map(|(p, i, a, b)| (p >> a, i >> b)).collect();
        lives(&mut world, principal % cap + 1, &partners, &steps);
    }
}

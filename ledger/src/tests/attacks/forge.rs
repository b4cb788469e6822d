//! The forger: it has the wallet, the keys and the seed, changes what it likes, then proves as well as can be and signs.
//!
//! Its sigma proof speaks of the forged openings. Where a forged value is no amount, its range proof takes the nearest that
//! is, under the same blinding: whatever else were wrong would show first, since a range is the last thing checked.

use super::super::world::{PRODUCT, World, member, new_loan, repayment};
use crate::{
    batch::{Batch, Sealed},
    body::{Body, NewLoan, Posting, Split, Touched, TouchedLoan, TouchedPart},
    draft::{Draft, Events},
    genesis::Consortium,
    rejection::Rejection,
    seal::{Sketch, header, sketch},
    verify::{Verified, transcript, verify},
    wallet::Wallet,
};
use counterfoil_crypto::{
    encoding::Element,
    pedersen::Opening,
    relation::{Committed, Proofs, Suite},
};
use curve25519_dalek::scalar::Scalar;
use rand_core::OsRng;
use std::{num::NonZeroUsize, sync::OnceLock};

pub(super) type C = Committed<Opening>;
pub(super) type P = Element;

/// What all attacks start from; made once.
pub(super) struct Scene {
    pub(super) wallet: Wallet,
    /// Two new loans.
    pub(super) originate: Sketch,
    /// A repayment of one loan of 1,000,000 by the shares 38, 50, 12.
    pub(super) repay: Sketch,
    /// A top-up.
    pub(super) fund: Sketch,
}

pub(super) fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let mut world = World::funded(100);
        let loan = world.lend("L1", 1_000_000, &[1, 3]);
        let new = vec![new_loan("L2", 1_000_003, &[1, 2]), new_loan("L3", 500_000, &[3])];
        Scene {
            originate: sketched(&world.wallet, Events::Originate(new)),
            repay: sketched(&world.wallet, Events::Repay(vec![repayment(loan, 333_333, 1_234, 1)])),
            fund: sketched(&world.wallet, Events::Fund(vec![(member(1), 77)])),
            wallet: world.wallet,
        }
    })
}

pub(super) fn sketched(wallet: &Wallet, events: Events) -> Sketch {
    let draft: Draft = World::draft(events);
    let header = header(wallet, wallet.consortium.terms(PRODUCT).unwrap(), &draft);
    sketch(wallet, header, &draft, &mut OsRng).unwrap()
}

/// Proves and signs whatever the sketch says.
pub(super) fn forged(wallet: &Wallet, sketch: &Sketch) -> Sealed {
    let content = sketch.content();
    let mut transcript = transcript(sketch.header.consortium, &content);
    let relation = sketch.relation(&wallet.consortium, &mut transcript).unwrap();
    let sigma = relation.prove_sigma(&mut transcript, &mut OsRng);
    let nearest = |most, opening: &Opening| Some(nearest(most, opening));
    let ranges = relation.prove_ranges(NonZeroUsize::MIN, &mut transcript, &mut OsRng, nearest);
    let proofs = Proofs { sigma, ranges: ranges.unwrap() };
    Sealed { batch: Batch::sign(content, proofs, &wallet.keys.identity), records: sketch.records.clone() }
}

/// The value where it fits; else the largest that fits for one that is too large, 0 for a negative one or a fraction.
fn nearest(most: u64, opening: &Opening) -> u64 {
    let is_whole = opening.value.as_bytes()[16..].iter().all(|byte| *byte == 0);
    let whole = if is_whole { most } else { 0 };
    opening.amount().unwrap_or(whole).min(most)
}

/// Signs a changed batch again, with the proofs it has.
pub(super) fn resigned(mut sealed: Sealed, change: impl FnOnce(&mut Sealed)) -> Sealed {
    change(&mut sealed);
    sealed.batch.content.records = sealed.records.root();
    let Batch { content, proofs, .. } = sealed.batch;
    let batch = Batch::sign(content, proofs, &scene().wallet.keys.identity);
    Sealed { batch, records: sealed.records }
}

pub(super) fn verdict(consortium: &Consortium, sealed: &Sealed) -> Result<Verified, Rejection> {
    verify(consortium, &sealed.to_bytes(), &mut OsRng)
}

/// What becomes of a forged sketch: `None` when it is accepted. Every suite must say the same.
pub(super) fn refusal(sketch: &Sketch) -> Option<Rejection> {
    let wallet = &scene().wallet;
    let [one, other] = Suite::ALL.map(|suite| {
        let sketch = changed(sketch, |sketch| sketch.header.suite = suite.number());
        verdict(&wallet.consortium, &forged(wallet, &sketch)).err()
    });
    assert_eq!(one, other, "a suite refuses what the other lets through, or for another reason");
    one
}

/// What becomes of sealed bytes.
pub(super) fn refusal_of(sealed: &Sealed) -> Option<Rejection> {
    verdict(&scene().wallet.consortium, sealed).err()
}

/// The honest batches, sealed once.
pub(super) fn honest(which: fn(&Scene) -> &Sketch) -> Sealed {
    forged(&scene().wallet, which(scene()))
}

pub(super) fn changed(sketch: &Sketch, change: impl FnOnce(&mut Sketch)) -> Sketch {
    let mut sketch = sketch.clone();
    change(&mut sketch);
    sketch
}

/// A signed number as a scalar.
pub(super) fn int(value: i64) -> Scalar {
    let magnitude = Scalar::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// Another value under the same blinding, so that every handle stays true.
pub(super) fn set(quantity: &mut C, value: Scalar) {
    *quantity = C::open(Opening { value, blinding: quantity.opening().blinding });
}

pub(super) fn add(quantity: &mut C, delta: Scalar) {
    let value = value(quantity) + delta;
    set(quantity, value);
}

pub(super) fn value(quantity: &C) -> Scalar {
    quantity.opening().value
}

impl Sketch {
    pub(super) fn new_loans(&mut self) -> &mut Vec<NewLoan<C, P>> {
        match &mut self.body {
            Body::Originate { loans, .. } => loans,
            _ => panic!("no new loans"),
        }
    }

    pub(super) fn repaid(&mut self) -> &mut TouchedLoan<C, P, 2> {
        match &mut self.body {
            Body::Repay(Touched { loans, .. }) => &mut loans[0],
            _ => panic!("no repayment"),
        }
    }

    pub(super) fn postings(&mut self) -> &mut Vec<Posting<C, P>> {
        match &mut self.body {
            Body::Fund { postings }
            | Body::Originate { postings, .. }
            | Body::WriteOff { postings, .. }
            | Body::Reclassify { postings, .. }
            | Body::Release { postings, .. } => postings,
            Body::Repay(Touched { postings, .. })
            | Body::Recover { touched: Touched { postings, .. }, .. } => &mut postings[0],
            Body::Draw { touched: Touched { postings, .. }, .. }
            | Body::Reschedule(Touched { postings, .. }) => &mut postings[0],
            Body::Collect { touched: Touched { postings, .. }, .. } => &mut postings[0],
        }
    }

    /// Makes the first posting take up what the movements have more, and every split equation hold modulo the group order.
    pub(super) fn settle(&mut self) {
        let units = Scalar::from(100u64);
        let mut delta = Scalar::ZERO;
        if let Body::Originate { loans, .. } = &mut self.body {
            for loan in loans {
                let total: Scalar = loan.parts.iter().map(|part| value(&part.principal.amount)).sum();
                for part in &mut loan.parts {
                    let (w, a) = (value(&part.share), value(&part.principal.amount));
                    solve(&mut part.split, units, w, a, value(&loan.quotient), a, total);
                }
                delta += total;
            }
        }
        if let Body::Repay(Touched { loans, .. }) = &mut self.body {
            for loan in loans {
                let left =
                    |part: &TouchedPart<C, P, 2>| value(&part.balance) - value(&part.legs[0].movement.amount);
                let balance: Scalar = loan.parts.iter().map(left).sum();
                let earned: Scalar = loan.parts.iter().map(|part| value(&part.legs[1].movement.amount)).sum();
                let [of_principal, of_interest] = loan.quotients.each_ref().map(value);
                for part in &mut loan.parts {
                    let (w, x) = (value(&part.share), left(part));
                    let [principal, interest] = &mut part.legs;
                    let [a, i] = [&principal, &interest].map(|portion| value(&portion.movement.amount));
                    solve(&mut principal.split, units, w, a, of_principal, x, balance);
                    solve(&mut interest.split, units, w, i, of_interest, i, earned);
                    delta += a;
                }
            }
        }
        let posted: Scalar = self.postings().iter().map(|posting| value(&posting.amount)).sum();
        add(&mut self.postings()[0].amount, delta - posted);
    }
}

/// `g = a − w·h` and `e = w·X + W − 1 − W·x`, modulo the group order.
fn solve(split: &mut Split<C>, units: Scalar, w: Scalar, a: Scalar, h: Scalar, x: Scalar, total: Scalar) {
    set(&mut split.rest, a - w * h);
    set(&mut split.slack, w * total + units - Scalar::ONE - units * x);
}

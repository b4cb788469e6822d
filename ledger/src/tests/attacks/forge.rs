//! The forger: it has the wallet, the keys and the seed, changes what it likes, then proves as well as can be and signs.
//!
//! Its sigma proof speaks of the forged openings. Where a forged value is no amount, its range proof takes the nearest that
//! is, under the same blinding: whatever else were wrong would show first, since a range is the last thing checked.

use super::super::world::{PRODUCT, World, member, new_loan, repayment};
use crate::{
    batch::{Batch, Sealed},
    body::{
        Body, Effect, Leg, NewLoan, Posting, Split, Touched, TouchedLoan, TouchedPart, WrittenPart, legs,
    },
    draft::{Collection, Draft, Events, Raise, Recovery, WriteOff},
    genesis::Consortium,
    names::{Kind, LoanId},
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
    /// A draw-down of 333,333 on the same loan.
    pub(super) draw: Sketch,
    /// 12,345 more that the customer owes.
    pub(super) reschedule: Sketch,
    /// All parts of it written off.
    pub(super) write_off: Sketch,
    /// Proceeds of 100,003 at a cost of 1,234.
    pub(super) recover: Sketch,
    /// 77 out of the reserve of bank-b.
    pub(super) release: Sketch,
    /// A repayment of 20,003 with interest, fee and penalty.
    pub(super) collect: Sketch,
}

impl Scene {
    /// Every sketch.
    pub(super) fn all(&self) -> [&Sketch; 9] {
        let Self { originate, repay, fund, draw, reschedule, write_off, recover, release, collect, .. } =
            self;
        [originate, repay, fund, draw, reschedule, write_off, recover, release, collect]
    }
}

pub(super) fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let mut world = World::funded(100);
        let loan = world.lend("L1", 1_000_000, &[1, 3]);
        let new = vec![new_loan("L2", 1_000_003, &[1, 2]), new_loan("L3", 500_000, &[3])];
        let sketch = |events| sketched(&world.wallet, events);
        Scene {
            originate: sketch(Events::Originate(new)),
            repay: sketch(Events::Repay(vec![repayment(loan, 333_333, 1_234, 1)])),
            fund: sketch(Events::Fund(vec![(member(1), 77)])),
            draw: sketch(Events::Draw(vec![raise(loan, 333_333)])),
            reschedule: sketch(Events::Reschedule(vec![raise(loan, 12_345)])),
            write_off: sketch(Events::WriteOff(vec![write_off(loan, &[0, 1, 3])])),
            recover: sketch(Events::Recover(vec![recovery(loan, 100_003, 1_234)])),
            release: sketch(Events::Release(vec![(member(1), 77)])),
            collect: sketch(Events::Collect(vec![collection(loan, 20_003)])),
            wallet: world.wallet,
        }
    })
}

pub(super) fn raise(loan: LoanId, amount: u64) -> Raise {
    Raise { loan, amount, event: [2; 32] }
}

pub(super) fn recovery(loan: LoanId, proceeds: u64, costs: u64) -> Recovery {
    Recovery { loan, proceeds, costs, event: [3; 32] }
}

pub(super) fn collection(loan: LoanId, principal: u64) -> Collection {
    Collection { loan, principal, interest: 1_234, fee: 56, penalty: 7, event: [5; 32] }
}

pub(super) fn write_off(loan: LoanId, banks: &[u16]) -> WriteOff {
    WriteOff { loan, banks: banks.iter().map(|bank| member(*bank)).collect(), event: [4; 32] }
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

    pub(super) fn recovered(&mut self) -> &mut TouchedLoan<C, P, 2> {
        match &mut self.body {
            Body::Recover { touched, .. } => &mut touched.loans[0],
            _ => panic!("no recovery"),
        }
    }

    /// What is drawn or rescheduled.
    pub(super) fn raised(&mut self) -> &mut TouchedLoan<C, P, 1> {
        match &mut self.body {
            Body::Draw { touched, .. } | Body::Reschedule(touched) => &mut touched.loans[0],
            _ => panic!("nothing is raised"),
        }
    }

    pub(super) fn written_off(&mut self) -> &mut Vec<WrittenPart<C, P>> {
        match &mut self.body {
            Body::WriteOff { loans, .. } => &mut loans[0].parts,
            _ => panic!("nothing is written off"),
        }
    }

    pub(super) fn reserves(&mut self) -> &mut Vec<C> {
        match &mut self.body {
            Body::Originate { reserves, .. }
            | Body::Draw { reserves, .. }
            | Body::Recover { reserves, .. }
            | Body::Release { reserves, .. } => reserves,
            _ => panic!("no reserves"),
        }
    }

    /// The lists of postings, one per component; not what is recovered.
    pub(super) fn lists(&mut self) -> &mut [Vec<Posting<C, P>>] {
        match &mut self.body {
            Body::Fund { postings }
            | Body::Originate { postings, .. }
            | Body::WriteOff { postings, .. }
            | Body::Reclassify { postings, .. }
            | Body::Release { postings, .. } => std::slice::from_mut(postings),
            Body::Repay(Touched { postings, .. })
            | Body::Recover { touched: Touched { postings, .. }, .. } => postings,
            Body::Draw { touched: Touched { postings, .. }, .. }
            | Body::Reschedule(Touched { postings, .. }) => postings,
            Body::Collect { touched: Touched { postings, .. }, .. } => postings,
        }
    }

    pub(super) fn postings(&mut self) -> &mut Vec<Posting<C, P>> {
        &mut self.lists()[0]
    }

    /// Posts the whole of a component to one bank; what is posted is what was.
    pub(super) fn post_to(&mut self, component: usize, bank: usize) {
        let postings = &mut self.lists()[component];
        let all: Scalar = postings.iter().map(|posting| value(&posting.amount)).sum();
        postings.iter_mut().for_each(|posting| set(&mut posting.amount, Scalar::ZERO));
        set(&mut postings[bank].amount, all);
    }

    /// Makes the first posting of each component take up what the movements have more, and every split equation hold modulo
    /// the group order. (Of collections, where no part is written off.)
    pub(super) fn settle(&mut self) {
        let kind = self.body.kind();
        let moved = match &mut self.body {
            Body::Originate { loans, .. } => vec![loans.iter_mut().map(settle_new).sum()],
            Body::Repay(touched) | Body::Recover { touched, .. } => settle_touched(kind, touched),
            Body::Draw { touched, .. } | Body::Reschedule(touched) => settle_touched(kind, touched),
            Body::Collect { touched, .. } => settle_touched(kind, touched),
            Body::WriteOff { loans, .. } | Body::Reclassify { loans, .. } => {
                vec![loans.iter().flat_map(|loan| &loan.parts).map(|part| value(&part.balance.amount)).sum()]
            }
            Body::Fund { .. } | Body::Release { .. } => return,
        };
        for (postings, moved) in self.lists().iter_mut().zip(moved) {
            let posted: Scalar = postings.iter().map(|posting| value(&posting.amount)).sum();
            add(&mut postings[0].amount, moved - posted);
        }
    }
}

/// Solves the splits of a new loan; returns its principal.
fn settle_new(loan: &mut NewLoan<C, P>) -> Scalar {
    let total: Scalar = loan.parts.iter().map(|part| value(&part.principal.amount)).sum();
    for part in &mut loan.parts {
        let (w, a) = (value(&part.share), value(&part.principal.amount));
        solve(&mut part.split, w, [a, value(&loan.quotient), a, total]);
    }
    total
}

/// Solves the splits of events on open loans; returns what each leg moves in all.
fn settle_touched<const N: usize>(kind: Kind, touched: &mut Touched<C, P, N>) -> Vec<Scalar> {
    let mut moved = vec![Scalar::ZERO; N];
    for loan in &mut touched.loans {
        let after: Vec<_> = loan.parts.iter().map(|part| balance_after(legs(kind), part)).collect();
        let balance: Scalar = after.iter().sum();
        for (place, leg) in legs(kind).iter().enumerate() {
            let amounts = loan.parts.iter().map(|part| value(&part.legs[place].movement.amount));
            let of_leg: Scalar = amounts.sum();
            moved[place] += of_leg;
            for (part, after) in loan.parts.iter_mut().zip(&after) {
                let (w, portion) = (value(&part.share), &mut part.legs[place]);
                let (a, h) = (value(&portion.movement.amount), value(&loan.quotients[place]));
                let (x, total) = match leg.effect {
                    Effect::Leaves => (a, of_leg),
                    Effect::Lowers | Effect::Raises => (*after, balance),
                };
                solve(&mut portion.split, w, [a, h, x, total]);
            }
        }
    }
    moved
}

fn balance_after<const N: usize>(legs: &[Leg], part: &TouchedPart<C, P, N>) -> Scalar {
    let amounts = part.legs.iter().map(|portion| value(&portion.movement.amount));
    legs.iter().zip(amounts).fold(value(&part.balance), |balance, (leg, amount)| match leg.effect {
        Effect::Lowers => balance - amount,
        Effect::Raises => balance + amount,
        Effect::Leaves => balance,
    })
}

/// `g = a − w·h` and `e = w·X + W − 1 − W·x`, modulo the group order, for `[a, h, x, X]`.
fn solve(split: &mut Split<C>, w: Scalar, [a, h, x, total]: [Scalar; 4]) {
    let units = Scalar::from(100u64);
    set(&mut split.rest, a - w * h);
    set(&mut split.slack, w * total + units - Scalar::ONE - units * x);
}

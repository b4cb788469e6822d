//! If the proof system had a hole: forged batches that nobody verifies still do not pass the turnstile, and the alarm names
//! the bank and the account. An honest run stays silent.

use super::forge::{add, changed, int, set, sketched, value};
use crate::{
    batch::{Batch, Sealed},
    body::{Body, Touched},
    draft::Events,
    names::AccountKind,
    seal::Sketch,
    tests::{
        blocks::Blocks,
        world::{PRODUCT, member, new_loan, repayment},
    },
    transaction::Transaction,
    turnstile::Fault,
};
use counterfoil_crypto::{pedersen::Opening, relation::Proofs};
use curve25519_dalek::scalar::Scalar;

const BANKS: [u16; 4] = [0, 1, 2, 3];

/// A batch without proofs: as if the verifier took anything.
fn unproven(blocks: &Blocks, sketch: &Sketch) -> Sealed {
    let proofs = Proofs { sigma: Vec::new(), ranges: Vec::new() };
    let batch = Batch::sign(sketch.content(), proofs, &blocks.world.keys[0].identity);
    Sealed { batch, records: sketch.records.clone() }
}

fn top_ups(amount: u64) -> Events {
    Events::Fund(BANKS.map(|bank| (member(bank), amount)).to_vec())
}

/// The accounts of a bank over which there is an alarm, with the fault.
fn faults(blocks: &Blocks, bank: u16) -> Vec<(Option<AccountKind>, Fault)> {
    blocks.alarms_of(bank).iter().map(|alarm| (alarm.kind, alarm.fault.clone())).collect()
}

#[test]
fn an_honest_run_stays_silent() {
    let mut blocks = Blocks::new(140);
    blocks.book(top_ups(10_000_000));
    assert_eq!(blocks.snapshot(), None);
    blocks.book(Events::Originate(vec![new_loan("L1", 1_000_001, &[1, 3]), new_loan("L2", 7, &[2])]));
    blocks.attest(&BANKS);
    let loan = blocks.world.wallet.loan_of(PRODUCT, "L1").unwrap();
    blocks.book(Events::Repay(vec![repayment(loan, 333_333, 1_234, 1)]));
    // A top-up that is waiting when the epoch ends.
    blocks.book(Events::Fund(vec![(member(2), 55)]));
    blocks.attest(&[3, 2, 1, 0]);
    assert_eq!(blocks.alarms, []);
    let epochs: Vec<_> = blocks.turnstile.epochs().iter().map(|e| (e.epoch, e.height, e.openings)).collect();
    // Four accounts a bank in the first epoch, income as well in the second; attestations end no epoch.
    assert_eq!(epochs, [(1, 2, 16), (2, 8, 20)]);
    let flows = blocks.turnstile.epochs()[1].flows[&(member(0), PRODUCT)];
    let sums = (flows.funded, flows.originated, flows.repaid, flows.interest);
    assert_eq!(sums, (40_000_055, 1_000_008, 333_333, 1_234));
}

#[test]
fn a_negative_movement_balanced_by_another_bank_is_seen() {
    let mut blocks = Blocks::new(141);
    blocks.book(top_ups(10_000_000));
    let lending = sketched(&blocks.world.wallet, Events::Originate(vec![new_loan("L1", 1_000, &[1])]));
    let forged = changed(&lending, |sketch| {
        let part = value(&sketch.postings()[1].amount);
        let place =
            sketch.new_loans()[0].parts.iter().skip(1).position(|p| value(&p.principal.amount) == part);
        let parts = &mut sketch.new_loans()[0].parts;
        // bank-b lends less than nothing, and bank-a what that brings.
        set(&mut parts[place.unwrap() + 1].principal.amount, int(-5));
        add(&mut parts[0].principal.amount, part + int(5));
        let postings = sketch.postings();
        set(&mut postings[1].amount, int(-5));
        add(&mut postings[0].amount, part + int(5));
    });
    blocks.book_unproven(&unproven(&blocks, &forged));
    blocks.attest(&BANKS);
    let no_amount = Fault::NoAmount { signed: int(-5).to_bytes() };
    let of_b = faults(&blocks, 1);
    assert!(of_b.contains(&(Some(AccountKind::Loans), no_amount)), "{of_b:?}");
    // What bank-b was made to have more than it paid in.
    let more = Fault::Differs { signed: 10_000_005, expected: 10_000_000 };
    assert!(of_b.contains(&(Some(AccountKind::Reserve), more)), "{of_b:?}");
    assert!(faults(&blocks, 0).iter().any(|(kind, _)| *kind == Some(AccountKind::Loans)));
    assert_eq!((faults(&blocks, 2), faults(&blocks, 3)), (vec![], vec![]));
}

#[test]
fn an_inflated_origination_is_seen() {
    let mut blocks = Blocks::new(142);
    blocks.book(top_ups(10_000_000));
    let lending = sketched(&blocks.world.wallet, Events::Originate(vec![new_loan("L1", 1_000, &[1])]));
    // More is drawn from bank-b than its section says.
    let mut drawn = Scalar::ZERO;
    let forged = changed(&lending, |sketch| {
        let part = value(&sketch.postings()[1].amount);
        let parts = &mut sketch.new_loans()[0].parts;
        let owned = parts.iter_mut().skip(1).find(|p| value(&p.principal.amount) == part).unwrap();
        add(&mut owned.principal.amount, int(40));
        add(&mut sketch.postings()[1].amount, int(40));
        drawn = part + int(40);
    });
    let signed = Opening { value: drawn, blinding: Scalar::ZERO }.amount().unwrap();
    blocks.book_unproven(&unproven(&blocks, &forged));
    blocks.attest(&BANKS);
    let of_b = faults(&blocks, 1);
    assert!(of_b.contains(&(Some(AccountKind::Loans), Fault::Differs { signed, expected: 0 })), "{of_b:?}");
    // Over all banks, too: more was lent than the records can show.
    assert!(blocks.alarms.iter().any(|alarm| alarm.bank.is_none() && alarm.kind == Some(AccountKind::Loans)));
    assert_eq!((faults(&blocks, 0), faults(&blocks, 2)), (vec![], vec![]));
}

#[test]
fn money_that_was_never_paid_in_is_seen() {
    let mut blocks = Blocks::new(143);
    let funding = sketched(&blocks.world.wallet, top_ups(1_000));
    let forged = changed(&funding, |sketch| add(&mut sketch.postings()[2].amount, int(500)));
    let sealed = unproven(&blocks, &forged);
    blocks.book_unproven(&sealed);
    blocks.world.wallet.absorb(&sealed).unwrap();
    blocks.book(Events::Fund(vec![(member(0), 1)]));
    blocks.attest(&BANKS);
    // bank-c's record opens nothing on the ledger, and counts for nothing.
    let fault = Fault::Differs { signed: 1_500, expected: 0 };
    let seen = [AccountKind::Settlement, AccountKind::Incoming].map(|kind| (Some(kind), fault.clone()));
    assert_eq!(faults(&blocks, 2), seen);
    assert_eq!((faults(&blocks, 0), faults(&blocks, 1), faults(&blocks, 3)), (vec![], vec![], vec![]));
}

/// Interest posted to nobody's record: the two books of the batch do not even agree.
#[test]
fn interest_out_of_nothing_is_seen() {
    let mut blocks = Blocks::new(144);
    blocks.book(top_ups(10_000_000));
    blocks.book(Events::Originate(vec![new_loan("L1", 1_000, &[1])]));
    blocks.attest(&BANKS);
    let loan = blocks.world.wallet.loan_of(PRODUCT, "L1").unwrap();
    let repaying = sketched(&blocks.world.wallet, Events::Repay(vec![repayment(loan, 100, 10, 1)]));
    let forged = changed(&repaying, |sketch| {
        let Body::Repay(Touched { postings: [_, interest], .. }) = &mut sketch.body else {
            panic!("a repayment")
        };
        add(&mut interest[3].amount, int(77));
    });
    blocks.book_unproven(&unproven(&blocks, &forged));
    blocks.book(Events::Fund(vec![(member(0), 1)]));
    blocks.attest(&BANKS);
    let of_d = faults(&blocks, 3);
    let income = (Some(AccountKind::Income), Fault::Differs { signed: 77, expected: 0 });
    assert!(of_d.contains(&income), "{of_d:?}");
    assert!(
        blocks.alarms.iter().any(|alarm| alarm.bank.is_none() && alarm.kind == Some(AccountKind::Income))
    );
    assert_eq!(faults(&blocks, 1), []);
}

/// A bank that signs a false total: the signature is its own, and the commitment says otherwise.
#[test]
fn a_false_total_is_caught_and_attributed() {
    let mut blocks = Blocks::new(145);
    blocks.book(top_ups(10_000));
    blocks.book(top_ups(10_000));
    blocks.attest(&[0, 2, 3]);
    let (keys, view) = (&blocks.world.keys[1], &blocks.world.views[1]);
    let mut accounts = view.opened_accounts();
    for (account, opening) in &mut accounts {
        match (account.kind, opening) {
            (AccountKind::Settlement, Some(opening)) => opening.value += Scalar::ONE,
            (_, opening) => *opening = None,
        }
    }
    let place = (member(1), 1);
    let content = crate::attestation::Content::seal(
        &blocks.world.consortium,
        keys,
        place,
        &accounts,
        &mut rand_core::OsRng,
    );
    let bytes = blocks.signed(1, content.unwrap());
    assert_eq!(blocks.fate(&bytes), None);
    let expected = [
        (Some(AccountKind::Settlement), Fault::FalseOpening),
        (Some(AccountKind::Incoming), Fault::NotOpened),
    ];
    assert_eq!(faults(&blocks, 1), expected);
    assert_eq!(blocks.alarms.len(), 2);
    // The evidence is the transaction as it stands on the chain: a third party reads who signed, and what it had to open.
    let evidence = blocks.alarms[0].evidence.clone().unwrap();
    assert_eq!((evidence.height, evidence.place), (blocks.height(), 0));
    let Ok(Transaction::Attestation(shown)) = Transaction::from_bytes(&evidence.bytes) else {
        panic!("evidence")
    };
    assert_eq!(shown.content.bank, member(1));
    assert!(blocks.admit(&evidence.bytes).is_ok(), "its signature holds");
    let balances: Vec<_> = shown.content.accounts.iter().map(|account| Some(account.balance)).collect();
    assert!(blocks.alarms.iter().all(|alarm| balances.contains(&alarm.balance)));
}

#[test]
fn a_bank_that_does_not_attest_is_missing() {
    let mut blocks = Blocks::new(146);
    blocks.book(top_ups(1));
    blocks.book(top_ups(1));
    blocks.attest(&[0, 1, 2]);
    assert_eq!(blocks.alarms, []);
    blocks.book(top_ups(1));
    assert_eq!(blocks.alarms, [], "there is time until the next epoch has ended");
    blocks.book(top_ups(1));
    let missing: Vec<_> = blocks.alarms.iter().map(|a| (a.epoch, a.bank, a.fault.clone())).collect();
    assert_eq!(missing, [(1, Some(member(3)), Fault::Missing)]);
    blocks.attest(&BANKS);
    assert_eq!(blocks.alarms.len(), 1);
}

/// A servicer that blinds a posting otherwise: its bank cannot open the account any more, says so, and is not silent.
#[test]
fn a_bank_that_cannot_open_its_account_says_so() {
    let mut blocks = Blocks::new(147);
    blocks.book(top_ups(10_000));
    let lending = sketched(&blocks.world.wallet, Events::Originate(vec![new_loan("L1", 1_000, &[1])]));
    let forged = changed(&lending, |sketch| {
        let postings = sketch.postings();
        for (place, sign) in [(1, Scalar::ONE), (0, -Scalar::ONE)] {
            let Opening { value, blinding } = postings[place].amount.opening().clone();
            let other = Opening { value, blinding: blinding + sign * int(3) };
            postings[place].amount = super::forge::C::open(other);
        }
    });
    blocks.book_unproven(&unproven(&blocks, &forged));
    blocks.attest(&BANKS);
    let not_opened = [AccountKind::Reserve, AccountKind::Loans].map(|kind| (Some(kind), Fault::NotOpened));
    assert_eq!(faults(&blocks, 1), not_opened);
}

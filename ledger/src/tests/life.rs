//! The whole life of a loan as a table: one line per event, the last column what comes of it. After every line the books must
//! agree: each bank's debits are its credits, its loans account is the sum of its parts, the parts are the whole, what the
//! servicer owes a bank is what the bank has with the servicer, and every total opens its control account.

use super::world::{PRODUCT, World, member, new_loan, repayment};
use crate::{
    draft::{Collection, Events, Raise, Recovery, WriteOff},
    names::{AccountKind, Bucket, Hash, LoanId, MemberId},
    seal::seal,
};
use std::collections::BTreeMap;

const BANKS: [u16; 4] = [0, 1, 2, 3];

/// A table under way.
struct Life {
    world: World,
    line: u8,
}

impl Life {
    fn new(seed: u64) -> Self {
        Self { world: World::new(seed), line: 0 }
    }

    /// Books every line of a table, and checks what comes of it.
    fn run(&mut self, table: &str) {
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (event, expected) = line.split_once('|').unwrap();
            assert_eq!(self.book(event), expected.trim(), "{line}");
            self.identities(line);
        }
    }

    fn book(&mut self, event: &str) -> String {
        self.line += 1;
        let events = self.events(&event.split_whitespace().collect::<Vec<_>>());
        match seal(&self.world.wallet, &World::draft(events.clone()), &mut self.world.rng) {
            Err(error) => {
                let name = format!("{error:?}");
                name.split([' ', '(', '{']).next().unwrap().to_owned()
            }
            Ok(_) => {
                self.world.book(events);
                "booked".to_owned()
            }
        }
    }

    fn events(&self, words: &[&str]) -> Events {
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        let event: Hash = [self.line; 32];
        let loan = || self.loan(words[1]);
        let raise = || vec![Raise { loan: loan(), amount: number(2), event }];
        let amounts =
            || words[1..].chunks(2).map(|pair| (bank(pair[0]), pair[1].parse().unwrap())).collect::<Vec<_>>();
        match words[0] {
            "fund" => Events::Fund(amounts()),
            "release" => Events::Release(amounts()),
            "originate" => {
                let partners: Vec<_> = words[3..].iter().map(|name| bank(name).0).collect();
                Events::Originate(vec![new_loan(words[1], number(2), &partners)])
            }
            "repay" => Events::Repay(vec![repayment(loan(), number(2), number(3), self.line)]),
            "draw" => Events::Draw(raise()),
            "reschedule" => Events::Reschedule(raise()),
            "collect" => {
                let [principal, interest, fee, penalty] = [2, 3, 4, 5].map(number);
                let loan = loan();
                Events::Collect(vec![Collection { loan, principal, interest, fee, penalty, event }])
            }
            "reclassify" => {
                let bucket = |at: usize| Bucket::of_days(words[at].parse().unwrap());
                let loans = words[3..].iter().zip(0u8..);
                let loans = loans.map(|(name, n)| (self.loan(name), [self.line ^ n << 7; 32])).collect();
                Events::Reclassify { from: bucket(1), to: bucket(2), loans }
            }
            "write-off" => {
                let banks = words[2..].iter().map(|name| bank(name)).collect();
                Events::WriteOff(vec![WriteOff { loan: loan(), banks, event }])
            }
            "recover" => {
                Events::Recover(vec![Recovery { loan: loan(), proceeds: number(2), costs: number(3), event }])
            }
            other => panic!("{other}"),
        }
    }

    fn loan(&self, reference: &str) -> LoanId {
        self.world.wallet.loan_of(PRODUCT, reference).unwrap_or(LoanId([0; 32]))
    }

    fn total(&self, viewer: usize, bank: u16, kind: AccountKind) -> u64 {
        let name = (member(0), PRODUCT, member(bank), kind);
        self.world.views[viewer].totals.get(&name).copied().unwrap_or_default()
    }

    fn identities(&mut self, line: &str) {
        self.world.reconcile();
        for bank in BANKS {
            let sum = |debits: bool| {
                let side = AccountKind::ALL.into_iter().filter(|kind| kind.rises_with_debits() == debits);
                side.map(|kind| self.total(4, bank, kind)).sum::<u64>()
            };
            assert_eq!(sum(true), sum(false), "{line}: debits and credits of bank {bank}");
            for kind in AccountKind::ALL {
                let (own, seen) = (self.total(usize::from(bank), bank, kind), self.total(4, bank, kind));
                assert_eq!(own, seen, "{line}: {} of bank {bank}, its own and the regulator's", kind.name());
            }
            let parts = |view: usize| {
                let loans = self.world.views[view].loans.values();
                loans
                    .filter_map(|loan| loan.parts.get(&member(bank)))
                    .map(|part| part.outstanding)
                    .sum::<u64>()
            };
            let outstanding =
                AccountKind::OUTSTANDING.map(|kind| self.total(4, bank, kind)).iter().sum::<u64>();
            assert_eq!(parts(usize::from(bank)), outstanding, "{line}: bank {bank}");
        }
        let (_, reserves) = self.world.wallet.reserves(PRODUCT);
        for (bank, reserve) in BANKS.into_iter().zip(reserves) {
            let due = self.total(usize::from(bank), bank, AccountKind::Reserve)
                + self.total(usize::from(bank), bank, AccountKind::Incoming);
            assert_eq!(reserve.amount(), Some(due), "{line}: due to and due from bank {bank}");
        }
        for (id, held) in self.world.wallet.loans() {
            let parts: BTreeMap<_, _> = self.world.views[4].loans[id].parts.clone();
            let whole = parts.values().map(|part| part.outstanding).sum::<u64>();
            let on_books =
                held.parts.iter().filter(|part| !part.written_off).map(|part| part.amount()).sum::<u64>();
            assert_eq!(whole, on_books, "{line}: the parts of loan {} are the whole", held.reference);
        }
    }
}

fn bank(name: &str) -> MemberId {
    member(u16::try_from(["a", "b", "c", "d", "regulator"].iter().position(|n| *n == name).unwrap()).unwrap())
}

#[test]
fn every_kind_of_event() {
    let mut life = Life::new(60);
    life.run(
        "
        originate  L1 1000001 b d              | Reserve
        fund       a 5000000 b 5000000 d 77    | booked
        originate  L1 1000001 b d              | Reserve
        fund       d 1000000                   | booked
        originate  L1 1000001 b d              | booked
        originate  L1 1000001 b d              | Doubled
        originate  L2 7 c                      | Reserve
        repay      L1 333333 1234              | booked
        repay      L1 0 77                     | booked
        repay      L1 666669 0                 | Overpaid
        draw       L1 1                        | booked
        draw       L1 0                        | Cap
        draw       L1 6000000                  | Cap
        draw       L1 3000000                  | booked
        draw       L9 1                        | Loan
        reschedule L1 12345                    | booked
        reschedule L1 6000000                  | Cap
        repay      L1 999999 5                 | booked
        recover    L1 250 14                   | booked
        collect    L1 100 20 3 1               | booked
        collect    L1 9999999 0 0 0            | Overpaid
        collect    L1 0 0 6553501 0            | Interest
        write-off  L1 c                        | NoPart
        write-off  L1 b                        | booked
        write-off  L1 b d                      | WrittenOff
        repay      L1 1 0                      | WrittenOff
        draw       L1 1                        | WrittenOff
        reschedule L1 1                        | WrittenOff
        collect    L1 1000 50 0 7              | booked
        write-off  L1 a d                      | booked
        collect    L1 10 0 5 0                 | booked
        recover    L1 100000 1400              | booked
        recover    L1 0 30000                  | booked
        recover    L1 0 6000001                | Recovery
        release    b 50 d 3                    | booked
        release    b 99999999                  | Reserve
        release    b 1 b 1                     | Doubled
        ",
    );
    let loan = life.loan("L1");
    let parts = &life.world.views[4].loans[&loan].parts;
    let sum = |of: fn(&crate::view::PartView) -> u64| parts.values().map(of).sum::<u64>();
    assert_eq!(sum(|part| part.lent), 1_000_001 + 1 + 3_000_000);
    assert_eq!(sum(|part| part.capitalised), 12_345);
    // What bank-b's part brought after it was written off is a recovery; the others' part of it was still outstanding.
    let owed_before: u64 = 1_000_001 + 3_000_001 + 12_345 - 333_333 - 999_999 - 100;
    let recovered = sum(|part| part.proceeds) - 100_250 - 10;
    assert_eq!(sum(|part| part.written_off), owed_before - (1_000 - recovered));
    assert!((490..=510).contains(&recovered), "{recovered} of 1000 for a share of 50 %");
    assert_eq!((sum(|part| part.outstanding), sum(|part| part.interest)), (0, 1_234 + 77 + 5 + 20 + 50));
    assert_eq!((sum(|part| part.fees), sum(|part| part.costs)), (3 + 1 + 7 + 5, 31_414));
    assert_eq!(
        life.world.wallet.loans()[&loan].balance(),
        owed_before - 1_000 - 10,
        "what the customer owes"
    );
}

/// Proceeds of a batch count towards the costs in it; beyond that a bank's reserve must do.
#[test]
fn costs_are_paid_from_the_reserve() {
    let mut life = Life::new(61);
    life.run(
        "
        fund       a 1000 b 1100               | booked
        originate  L1 2000 b                   | Reserve
        originate  L1 1500 b                   | booked
        recover    L1 0 600                    | Reserve
        recover    L1 200 600                  | booked
        recover    L1 0 600                    | Reserve
        ",
    );
}

/// Every balance stays its share of the loan's balance to within one minor unit, up and down.
#[test]
fn balances_stay_fair_in_any_order() {
    let mut life = Life::new(62);
    life.run("fund a 900000 b 900000 c 900000 d 900000 | booked\noriginate L1 1003 b c d | booked");
    for (kind, amount) in
        [("repay", 1), ("draw", 1), ("draw", 2), ("repay", 502), ("reschedule", 3), ("draw", 997)]
    {
        let tail = if kind == "repay" { " 1" } else { "" };
        life.run(&format!("{kind} L1 {amount}{tail} | booked"));
        let held = &life.world.wallet.loans()[&life.loan("L1")];
        for part in &held.parts {
            let (exact, share) = (u128::from(held.balance()), part.share.amount().unwrap());
            let off = (exact * u128::from(share)).abs_diff(u128::from(part.amount()) * 100);
            assert!(off < 100, "{kind} {amount}");
        }
    }
}

/// Balances stand on the account of their loan's bucket, whatever happens to them there.
#[test]
fn loans_age_and_recover() {
    let mut life = Life::new(63);
    life.run(
        "
        fund       a 900000 b 900000 c 900000 d 900000 | booked
        originate  L1 100003 b c               | booked
        originate  L2 50001 d                  | booked
        originate  L3 70007 b                  | booked
        reclassify 0 12 L1 L2                  | booked
        reclassify 0 12 L1                     | Bucket
        reclassify 12 30 L1                    | Bucket
        reclassify 12 45 L1                    | booked
        repay      L1 1003 77                  | booked
        collect    L1 10 5 3 2                 | booked
        draw       L1 500                      | booked
        reschedule L2 17                       | booked
        reclassify 45 200 L1                   | booked
        recover    L1 30 4                     | booked
        write-off  L1 b                        | booked
        reclassify 200 100 L1                  | booked
        collect    L1 1000 0 0 0               | booked
        reclassify 100 0 L1                    | booked
        write-off  L1 a c                      | booked
        reclassify 0 1 L1                      | WrittenOff
        reclassify 12 0 L2                     | booked
        ",
    );
    let on = |bank, kind| life.total(4, bank, kind);
    assert!((0..4).all(|bank| AccountKind::OUTSTANDING[1..].iter().all(|kind| on(bank, *kind) == 0)));
    let loan = life.loan("L1");
    assert_eq!(life.world.views[1].loans[&loan].bucket, Bucket::Current);
}

mod any_order {
    //! Whatever happens in whatever order: it is booked and the books agree, or it is refused for a reason that a servicer can
    //! understand, and they agree as well.

    use super::*;
    use proptest::prelude::*;

    const REFUSALS: [&str; 7] = ["Reserve", "Overpaid", "Cap", "WrittenOff", "NoPart", "Doubled", "Bucket"];

    /// A line of a table: what, of how much, on which loan, and by which banks.
    fn line((kind, amount, loan, who): (usize, u64, usize, usize)) -> String {
        let (loan, name) = (["L1", "L2"][loan], ["a", "b", "c", "d"][who]);
        match kind {
            0 => format!("fund {name} {amount}"),
            1 => format!("release {name} {amount}"),
            2 => format!("originate {loan}-{amount} {} {}", amount + 1, ["", "b", "c d", "b c d"][who]),
            3 => format!("repay {loan} {amount} {}", amount / 7),
            4 => format!("collect {loan} {amount} {} {} {who}", amount / 7, amount % 13),
            5 => format!("draw {loan} {amount}"),
            6 => format!("reschedule {loan} {}", amount / 5),
            7 => format!("recover {loan} {amount} {}", (amount * 37) % 3_001),
            8 => format!("write-off {loan} {name}"),
            9 => format!("write-off {loan} a b c d"),
            _ => format!("reclassify {} {} {loan}", [0, 12, 45, 200][who], [0, 12, 45][amount as usize % 3]),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

        #[test]
        fn the_books_agree(
            seed in 70u64..1_000,
            events in prop::collection::vec((0usize..12, 0u64..4_000, 0usize..2, 0usize..4), 12..20),
        ) {
            let mut life = Life::new(seed);
            life.run("fund a 9000 b 9000 c 9000 d 9000 | booked");
            life.run("originate L1 10007 b c | booked\noriginate L2 777 d | booked");
            for event in events {
                let event = line(event);
                let outcome = life.book(&event);
                prop_assert!(outcome == "booked" || REFUSALS.contains(&outcome.as_str()), "{event}: {outcome}");
                life.identities(&event);
            }
        }
    }
}

//! One loan that two lenders really share: 15 million as notes of 10 and 5 million, reported month by month to the public. As filed,
//! the notes do not add up to the loan in some months, by a cent or two. Here the same payments are booked and split 2 : 1, and
//! what the two banks read adds up in every month.

use crate::support::real_loans;
use counterfoil_crypto::secret::SecretBytes;
use counterfoil_ledger::{
    batch::Sealed,
    book::Book,
    draft::{Draft, Events, NewLoan, Repayment},
    genesis::{Consortium, Genesis, Keys, Role},
    names::{Date, MemberId, ProductId},
    seal::seal,
    store::{MemoryIndex, StateStore as _},
    verify::verify,
    view::{PartView, View},
    wallet::Wallet,
};
use rand_core::OsRng;
use std::{collections::BTreeMap, path::Path, sync::Arc};

const PRODUCT: &str = r#"
name = "commercial-mortgage"
currency = "USD"
width = 64
cap = "20000000.00"
parts = 2
share_units = 3
min_servicer_share = 30
auditors = []
[weights]
lender-a = 2
lender-b = 1
"#;

/// A month of the loan or of a note, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Month {
    interest: u64,
    principal: u64,
    balance: u64,
}

/// Months by date, of the loan (`10`) and its notes (`10A`, `10B`).
fn filed(data: &Path) -> BTreeMap<String, [Month; 3]> {
    let text = std::fs::read_to_string(data.join("cmbs/cmbs_paripassu_loan10.csv")).unwrap();
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').collect();
    let place = |name: &str| names.iter().position(|n| *n == name).unwrap();
    let [note, date, interest, scheduled, unscheduled, balance] = [
        "n",
        "reportingPeriodEndDate",
        "scheduledInterestAmount",
        "scheduledPrincipalAmount",
        "unscheduledPrincipalCollectedAmount",
        "reportPeriodEndScheduledLoanBalanceAmount",
    ]
    .map(place);
    let mut months: BTreeMap<String, [Month; 3]> = BTreeMap::new();
    for line in lines {
        // Only the servicer's name, behind these columns, is ever quoted.
        let cells: Vec<_> = line.split(',').collect();
        let row = ["10", "10A", "10B"].iter().position(|n| *n == cells[note]).unwrap();
        months.entry(cells[date].to_owned()).or_default()[row] = Month {
            interest: cents(cells[interest]),
            principal: cents(cells[scheduled]) + cents(cells[unscheduled]),
            balance: cents(cells[balance]),
        };
    }
    months
}

/// `59162.5` in cents.
fn cents(text: &str) -> u64 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    assert!(decimals.len() <= 2, "{text}");
    whole.parse::<u64>().unwrap() * 100 + format!("{decimals:0<2}").parse::<u64>().unwrap()
}

/// Two lenders, the first of which services, with all that they know.
struct Lenders {
    consortium: Arc<Consortium>,
    wallet: Wallet,
    views: [View; 2],
    state: MemoryIndex,
    height: u64,
}

impl Lenders {
    fn new() -> Self {
        let keys: Vec<_> = (0..2).map(|_| Keys::from_seed(&SecretBytes::random(&mut OsRng))).collect();
        let register = |(name, keys): (&str, &Keys)| keys.register(name, Role::Bank, &mut OsRng);
        let members = ["lender-a", "lender-b"].into_iter().zip(&keys).map(register).collect();
        let (name, products) = ("co-lent".into(), vec![PRODUCT.into()]);
        let genesis = Genesis { version: 1, name, members, products, epoch_blocks: 1_000 };
        let consortium = Arc::new(Consortium::found(genesis).unwrap());
        let view = |i: u16| View::new(consortium.clone(), MemberId(i), keys[usize::from(i)].clone());
        let wallet = Wallet::new(consortium.clone(), MemberId(0), keys[0].clone());
        Self { wallet, views: [view(0), view(1)], state: MemoryIndex::new(), height: 0, consortium }
    }

    /// The whole way: sealed, verified, applied, read by both.
    fn book(&mut self, events: Events) {
        let date = Date(17_358 + u32::try_from(self.height).unwrap());
        let draft = Draft { product: ProductId(0), value_date: date, booking_date: date, events };
        let sealed: Sealed = seal(&self.wallet, &draft, &mut OsRng).unwrap();
        let verified = verify(&self.consortium, &sealed.to_bytes(), &mut OsRng).unwrap();
        let mut book = Book::new(&self.state);
        book.apply(&self.consortium, &verified).unwrap();
        let changes = book.into_changes();
        self.height += 1;
        self.state.apply(self.height, [0; 32], &changes).unwrap();
        self.wallet.absorb(&sealed).unwrap();
        self.views.iter_mut().for_each(|view| view.read(&sealed));
    }

    /// What each lender reads of its own part.
    fn parts(&self) -> [PartView; 2] {
        [0, 1].map(|i| {
            let loan = self.views[i].loans.values().next().unwrap();
            loan.parts[&MemberId(u16::try_from(i).unwrap())]
        })
    }
}

#[test]
fn the_co_lent_loan_adds_up_in_every_month() {
    let Some(data) = real_loans() else { return };
    let months = filed(&data);
    assert_eq!(months.len(), 105);
    let mut lenders = Lenders::new();
    let principal = 1_500_000_000;
    lenders.book(Events::Fund(vec![(MemberId(0), principal), (MemberId(1), principal)]));
    let partners = vec![MemberId(1)];
    let (reference, terms) = ("10".to_owned(), "4.733 % a year, two notes".to_owned());
    lenders.book(Events::Originate(vec![NewLoan { reference, terms, principal, partners }]));
    let loan = lenders.wallet.loan_of(ProductId(0), "10").unwrap();

    let (mut interest_off, mut principal_off, mut balance) = (Vec::new(), Vec::new(), principal);
    for (number, (date, [whole, a, b])) in (0u8..).zip(&months) {
        if a.interest + b.interest != whole.interest {
            interest_off.push(date.as_str());
        }
        if a.principal + b.principal != whole.principal {
            principal_off.push(date.as_str());
        }
        let before = lenders.parts();
        let Month { interest, principal, .. } = *whole;
        lenders.book(Events::Repay(vec![Repayment { loan, principal, interest, event: [number; 32] }]));
        balance -= principal;
        let after = lenders.parts();
        let [first, second] = [0, 1].map(|i| (&before[i], &after[i]));
        let sum = |of: fn(&PartView, &PartView) -> u64| of(first.0, first.1) + of(second.0, second.1);
        assert_eq!(sum(|before, after| after.interest - before.interest), interest, "{date}");
        assert_eq!(sum(|before, after| before.outstanding - after.outstanding), principal, "{date}");
        assert_eq!(sum(|_, after| after.outstanding), balance, "{date}");
        // Fair to the cent: two thirds of the loan and of its interest.
        assert!((after[0].outstanding * 3).abs_diff(balance * 2) < 3, "{date}");
    }
    println!("parts as filed do not add up: interest in {}: {}", interest_off.len(), interest_off.join(" "));
    println!("principal in {}: {}", principal_off.len(), principal_off.join(" "));
    assert_eq!((interest_off.len(), principal_off.len()), (12, 34));
    let book = Book::new(&lenders.state);
    for view in &mut lenders.views {
        view.reconcile(&book).unwrap();
        assert_eq!(view.findings, []);
    }
}

//! A consortium of four banks and a regulator, seeded: the servicer's wallet, the state, everybody's view.

use crate::{
    batch::Sealed,
    book::{ApplyError, Book},
    draft::{Draft, Events, NewLoan, Repayment},
    genesis::{Consortium, Genesis, Keys, Role},
    names::{Date, LoanId, MemberId, ProductId},
    rejection::Rejection,
    seal::seal,
    store::{MemoryIndex, StateStore as _},
    verify::{Verified, verify},
    view::View,
    wallet::Wallet,
};
use counterfoil_crypto::secret::SecretBytes;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use std::sync::Arc;

pub(super) const PRODUCT: ProductId = ProductId(0);
pub(super) const TEXT: &str = r#"
name = "micro-loan"
currency = "CNY"
width = 32
cap = "60000.00"
parts = 4
share_units = 100
min_servicer_share = 30
auditors = ["regulator"]
[weights]
bank-a = 30
bank-b = 40
bank-c = 20
bank-d = 10
"#;
pub(super) const NAMES: [&str; 5] = ["bank-a", "bank-b", "bank-c", "bank-d", "regulator"];

pub(super) struct World {
    pub(super) consortium: Arc<Consortium>,
    pub(super) keys: Vec<Keys>,
    pub(super) wallet: Wallet,
    pub(super) store: MemoryIndex,
    pub(super) views: Vec<View>,
    pub(super) rng: ChaCha20Rng,
}

pub(super) fn member(n: u16) -> MemberId {
    MemberId(n)
}

pub(super) fn found(rng: &mut ChaCha20Rng, text: &str) -> (Arc<Consortium>, Vec<Keys>) {
    let keys: Vec<_> = NAMES.iter().map(|_| Keys::from_seed(&SecretBytes::random(rng))).collect();
    let role = |name: &str| if name == "regulator" { Role::Regulator } else { Role::Bank };
    let members = NAMES.iter().zip(&keys).map(|(name, keys)| keys.register(name, role(name), rng)).collect();
    let genesis =
        Genesis { version: 1, name: "test".into(), members, products: vec![text.into()], epoch_blocks: 2 };
    (Arc::new(Consortium::found(genesis).unwrap()), keys)
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self::with(seed, TEXT)
    }

    /// A world of another product.
    pub(super) fn with(seed: u64, text: &str) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (consortium, keys) = found(&mut rng, text);
        let view = |i: u16| View::new(consortium.clone(), member(i), keys[usize::from(i)].clone());
        Self {
            wallet: Wallet::new(consortium.clone(), member(0), keys[0].clone()),
            views: (0..5).map(view).collect(),
            store: MemoryIndex::new(),
            consortium,
            keys,
            rng,
        }
    }

    /// A world with funded reserves.
    pub(super) fn funded(seed: u64) -> Self {
        Self::funded_with(seed, TEXT)
    }

    /// A world of another product with funded reserves.
    pub(super) fn funded_with(seed: u64, text: &str) -> Self {
        let mut world = Self::with(seed, text);
        world.book(Events::Fund((0..4).map(|bank| (member(bank), 10_000_000)).collect()));
        world
    }

    pub(super) fn draft(events: Events) -> Draft {
        Draft { product: PRODUCT, value_date: Date(20_000), booking_date: Date(20_001), events }
    }

    pub(super) fn seal(&mut self, events: Events) -> Sealed {
        seal(&self.wallet, &Self::draft(events), &mut self.rng).unwrap()
    }

    pub(super) fn verify(&mut self, sealed: &Sealed) -> Result<Verified, Rejection> {
        verify(&self.consortium, &sealed.to_bytes(), &mut self.rng)
    }

    /// Applies a batch to the state; a refused one leaves it as it was.
    pub(super) fn apply(&mut self, verified: &Verified) -> Result<(), Rejection> {
        let mut book = Book::new(&self.store);
        match book.apply(&self.consortium, verified) {
            Ok(()) => {}
            Err(ApplyError::Rejected(rejection)) => {
                assert!(book.into_changes().is_empty(), "a refused batch changes nothing");
                return Err(rejection);
            }
            Err(ApplyError::Store(error)) => panic!("{error}"),
        }
        let changes = book.into_changes();
        let height = self.store.meta().unwrap().map_or(1, |(height, _)| height + 1);
        self.store.apply(height, [0; 32], &changes).unwrap();
        Ok(())
    }

    /// Seals, verifies, applies, and lets everybody read.
    pub(super) fn book(&mut self, events: Events) -> Sealed {
        let sealed = self.seal(events);
        let verified = self.verify(&sealed).unwrap();
        self.apply(&verified).unwrap();
        self.wallet.absorb(&sealed).unwrap();
        self.views.iter_mut().for_each(|view| view.read(&sealed));
        sealed
    }

    /// Opens a loan of the servicer with the given partners.
    pub(super) fn lend(&mut self, reference: &str, principal: u64, partners: &[u16]) -> LoanId {
        self.book(Events::Originate(vec![new_loan(reference, principal, partners)]));
        self.wallet.loan_of(PRODUCT, reference).unwrap()
    }

    pub(super) fn reconcile(&mut self) {
        let book = Book::new(&self.store);
        for view in &mut self.views {
            view.reconcile(&book).unwrap();
            assert_eq!(view.findings, vec![]);
        }
    }
}

pub(super) fn new_loan(reference: &str, principal: u64, partners: &[u16]) -> NewLoan {
    let partners = partners.iter().map(|n| member(*n)).collect();
    NewLoan { reference: reference.into(), terms: "12 months, 10 %".into(), principal, partners }
}

pub(super) fn repayment(loan: LoanId, principal: u64, interest: u64, event: u8) -> Repayment {
    Repayment { loan, principal, interest, event: [event; 32] }
}

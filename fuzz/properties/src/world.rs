//! A small consortium, the same every time: two banks and a regulator, one loan, and good batches of every kind.

use counterfoil_crypto::secret::SecretBytes;
use counterfoil_ledger::{
    batch::Sealed,
    book::Book,
    draft::{Collection, Draft, Events, NewLoan, Raise, Recovery, Repayment, WriteOff},
    genesis::{Consortium, Genesis, Keys, Role},
    names::{Date, MemberId, ProductId},
    seal::seal,
    store::{MemoryIndex, StateStore as _},
    verify::verify,
    view::View,
    wallet::Wallet,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use std::sync::{Arc, LazyLock};

/// The product's text.
pub const PRODUCT: &str = "name = \"micro-loan\"\ncurrency = \"CNY\"\nwidth = 32\ncap = \"600.00\"\nparts = 2\n\
    share_units = 10\nmin_servicer_share = 30\nauditors = [\"regulator\"]\n\n[weights]\nbank-a = 4\nbank-b = 6\n";
/// Its members; the last is no bank.
pub const NAMES: [&str; 3] = ["bank-a", "bank-b", "regulator"];

/// The consortium, its keys, and what the servicer `bank-a` has posted.
pub struct World {
    /// The consortium.
    pub consortium: Arc<Consortium>,
    /// The members' keys, in member order.
    pub keys: Vec<Keys>,
    /// One batch of every kind, in the order in which they are applied.
    pub batches: Vec<Sealed>,
    /// Of each batch: the state before it.
    pub states: Vec<MemoryIndex>,
    /// Of each batch: what the regulator had read before it.
    pub views: Vec<View>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::make);

/// The world, made once.
#[must_use]
pub fn world() -> &'static World {
    &WORLD
}

/// A generator with a seed: properties are functions of their bytes.
#[must_use]
pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

impl World {
    fn make() -> Self {
        let (consortium, keys) = found(&mut rng(1));
        let mut wallet = Wallet::new(consortium.clone(), MemberId(0), keys[0].clone());
        let view = View::new(consortium.clone(), MemberId(2), keys[2].clone());
        let mut world = Self {
            consortium,
            keys,
            batches: Vec::new(),
            states: vec![MemoryIndex::new()],
            views: vec![view],
        };
        world.post(&mut wallet, Events::Fund(vec![(MemberId(0), 50_000), (MemberId(1), 50_000)]));
        let (reference, terms) = ("loan 1".to_owned(), "12 months, 10 %".to_owned());
        let loan = NewLoan { reference, terms, principal: 12_345, partners: vec![MemberId(1)] };
        world.post(&mut wallet, Events::Originate(vec![loan]));
        let loan = *wallet.loans().keys().next().expect("the loan was just opened");
        let repayment = Repayment { loan, principal: 1_111, interest: 222, event: [7; 32] };
        world.post(&mut wallet, Events::Repay(vec![repayment]));
        world.post(&mut wallet, Events::Draw(vec![Raise { loan, amount: 3_333, event: [8; 32] }]));
        world.post(&mut wallet, Events::Reschedule(vec![Raise { loan, amount: 77, event: [9; 32] }]));
        world.post(&mut wallet, Events::Release(vec![(MemberId(1), 5_000)]));
        let write_off = WriteOff { loan, banks: vec![MemberId(1)], event: [10; 32] };
        world.post(&mut wallet, Events::WriteOff(vec![write_off]));
        let recovery = Recovery { loan, proceeds: 500, costs: 701, event: [11; 32] };
        world.post(&mut wallet, Events::Recover(vec![recovery]));
        let (principal, event) = (1_000, [12; 32]);
        let collection = Collection { loan, principal, interest: 100, fee: 20, penalty: 3, event };
        world.post(&mut wallet, Events::Collect(vec![collection]));
        world
    }

    fn post(&mut self, wallet: &mut Wallet, events: Events) {
        let draft =
            Draft { product: ProductId(0), value_date: Date(20_000), booking_date: Date(20_001), events };
        let sealed = seal(wallet, &draft, &mut rng(2)).expect("the draft is good");
        wallet.absorb(&sealed).expect("the wallet reads what it has sealed");
        let verified = verify(&self.consortium, &sealed.to_bytes(), &mut rng(3)).expect("the batch is good");
        let (mut book, after) =
            (Book::new(self.states.last().expect("there is a first")), MemoryIndex::new());
        book.apply(&self.consortium, &verified).expect("the batch follows");
        let mut changes = book.into_changes();
        for pair in self.states.last().expect("there is a first").scan(b"") {
            let (key, value) = pair.expect("memory does not fail");
            changes.entry(key).or_insert(Some(value));
        }
        after.apply(1, [0; 32], &changes).expect("memory does not fail");
        let mut view = self.views.last().expect("there is a first").clone();
        view.read(&sealed);
        assert_eq!(view.findings, []);
        self.states.push(after);
        self.views.push(view);
        self.batches.push(sealed);
    }
}

fn found(rng: &mut ChaCha20Rng) -> (Arc<Consortium>, Vec<Keys>) {
    let keys: Vec<_> = NAMES.iter().map(|_| Keys::from_seed(&SecretBytes::random(rng))).collect();
    let role = |name: &str| if name == "regulator" { Role::Regulator } else { Role::Bank };
    let members = NAMES.iter().zip(&keys).map(|(name, keys)| keys.register(name, role(name), rng)).collect();
    let genesis =
        Genesis { version: 1, name: "fuzz".into(), members, products: vec![PRODUCT.into()], epoch_blocks: 8 };
    (Arc::new(Consortium::found(genesis).expect("the genesis is good")), keys)
}

use super::*;
use counterfoil_crypto::secret::SecretBytes;
use counterfoil_ledger::{
    batch::{Batch, Sealed},
    draft::{Draft, Events},
    genesis::{Genesis, Keys, Role},
    names::{Date, MemberId, ProductId},
    seal::seal,
    wallet::Wallet,
};

const PRODUCT: &str = "name = \"micro-loan\"\ncurrency = \"CNY\"\nwidth = 32\ncap = \"600.00\"\nparts = 2\n\
    share_units = 10\nmin_servicer_share = 30\nauditors = [\"regulator\"]\n\n[weights]\nbank-a = 4\nbank-b = 6\n";
const NAMES: [&str; 3] = ["bank-a", "bank-b", "regulator"];
const A: u16 = 0;
const B: u16 = 1;

struct World {
    consortium: Arc<Consortium>,
    keys: Vec<Keys>,
}

impl World {
    fn new() -> Self {
        let keys: Vec<_> = NAMES.iter().map(|_| Keys::from_seed(&SecretBytes::random(&mut OsRng))).collect();
        let role = |name: &str| if name == "regulator" { Role::Regulator } else { Role::Bank };
        let members =
            NAMES.iter().zip(&keys).map(|(name, keys)| keys.register(name, role(name), &mut OsRng)).collect();
        let products = vec![PRODUCT.into()];
        let genesis = Genesis { version: 1, name: "test".into(), members, products, epoch_blocks: 8 };
        Self { consortium: Arc::new(Consortium::found(genesis).unwrap()), keys }
    }

    /// A servicer's top-up, a new one at every call.
    fn good(&self, servicer: u16) -> Sealed {
        let keys = self.keys[usize::from(servicer)].clone();
        let wallet = Wallet::new(self.consortium.clone(), MemberId(servicer), keys);
        let events = Events::Fund(vec![(MemberId(A), 500), (MemberId(B), 700)]);
        let date = Date(20_000);
        let draft = Draft { product: ProductId(0), value_date: date, booking_date: date, events };
        seal(&wallet, &draft, &mut OsRng).unwrap()
    }

    /// One with another's proofs, signed by its servicer all the same.
    fn bad(&self, servicer: u16) -> Sealed {
        let Sealed { batch, records } = self.good(servicer);
        let proofs = self.good(servicer).batch.proofs;
        Sealed {
            batch: Batch::sign(batch.content, proofs, &self.keys[usize::from(servicer)].identity),
            records,
        }
    }
}

fn bytes(batches: &[Sealed]) -> Vec<Vec<u8>> {
    batches.iter().map(Sealed::to_bytes).collect()
}

fn slices(batches: &[Vec<u8>]) -> Vec<&[u8]> {
    batches.iter().map(Vec::as_slice).collect()
}

impl Verdicts {
    /// How many of these have a verdict that is remembered.
    fn known(&self, batches: &[Vec<u8>]) -> usize {
        let desk = self.lock();
        batches.iter().filter(|bytes| desk.verdict(blake3::hash(bytes).as_bytes()).is_some()).count()
    }
}

#[test]
fn verdicts_come_in_order_and_are_remembered() {
    let (world, verdicts) = (World::new(), Verdicts::default());
    let batches = bytes(&[world.good(A), world.good(B), world.good(A)]);
    let twice: Vec<&[u8]> = slices(&batches).into_iter().chain([batches[0].as_slice()]).collect();
    let verified = verdicts.verify_all(&world.consortium, &twice).unwrap();
    assert!(verified.iter().map(|batch| batch.bytes()).eq(twice));
    assert_eq!(verdicts.known(&batches), 3);
    verdicts.forget(batches.iter().map(Vec::as_slice));
    assert_eq!(verdicts.known(&batches), 0);
}

/// A stranger can make as many as it likes: they displace no verdict, and nobody is blamed for them.
#[test]
fn what_its_servicer_did_not_sign_takes_no_place() {
    let (world, verdicts) = (World::new(), Verdicts::default());
    let mut forged = world.good(A);
    forged.batch = Batch::sign(forged.batch.content, forged.batch.proofs, &world.keys[1].identity);
    let batches = bytes(&[world.good(B), forged]);
    let refused = verdicts.verify_all(&world.consortium, &slices(&batches)).unwrap_err();
    assert_eq!(refused, Rejection::Signature);
    assert_eq!(verdicts.verify(&world.consortium, &[1, 2, 3]).unwrap_err(), Rejection::Malformed);
    assert_eq!((verdicts.known(&batches), verdicts.lock().waiting.len()), (0, 0));
}

/// Once caught, a servicer is verified one by one, every other turn; the others go on together.
#[test]
fn a_servicer_that_signs_bad_proofs_slows_down_itself_alone() {
    let (world, verdicts) = (World::new(), Verdicts::default());
    let bad = world.bad(A).to_bytes();
    assert_eq!(verdicts.verify(&world.consortium, &bad).unwrap_err(), Rejection::Sigma);
    let mut desk = verdicts.lock();
    let ticket = desk.ticket();
    for servicer in [A, A, A, B, B, B] {
        let batch = world.good(servicer).to_bytes();
        let signed = Signed::read(&world.consortium, &batch).unwrap();
        desk.ask(*blake3::hash(&batch).as_bytes(), signed, ticket);
    }
    let mut turns = Vec::new();
    while !desk.waiting.is_empty() {
        turns.push(desk.begin().iter().map(|(_, signed)| signed.servicer().0).collect::<Vec<_>>());
        desk.end();
    }
    assert_eq!(turns, [vec![A], vec![B, B, B], vec![A], vec![A]]);
}

/// A block of nothing but bad batches: one of them is looked at, and the rest leaves the desk with the block.
#[test]
fn the_first_bad_batch_of_a_block_ends_its_verification() {
    let (world, verdicts) = (World::new(), Verdicts::default());
    let caught = world.bad(A).to_bytes();
    assert_eq!(verdicts.verify(&world.consortium, &caught).unwrap_err(), Rejection::Sigma);
    let block = bytes(&(0..6).map(|_| world.bad(A)).collect::<Vec<_>>());
    assert_eq!(verdicts.verify_all(&world.consortium, &slices(&block)).unwrap_err(), Rejection::Sigma);
    assert_eq!((verdicts.known(&block), verdicts.lock().waiting.len()), (1, 0));
}

#[test]
fn what_somebody_else_still_asks_for_stays() {
    let (world, verdicts) = (World::new(), Verdicts::default());
    let (mut desk, batches) = (verdicts.lock(), bytes(&[world.good(A), world.good(B)]));
    let (one, other) = (desk.ticket(), desk.ticket());
    for batch in &batches {
        let signed = Signed::read(&world.consortium, batch).unwrap();
        desk.ask(*blake3::hash(batch).as_bytes(), signed, one);
    }
    assert!(desk.join(blake3::hash(&batches[1]).as_bytes(), other));
    desk.leave(one);
    let left: Vec<_> = desk.begin().into_iter().map(|(_, signed)| signed.servicer()).collect();
    assert_eq!(left, [MemberId(B)]);
}

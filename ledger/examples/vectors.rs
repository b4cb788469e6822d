//! Makes the stored vectors that are missing from a folder: `cargo run --release -p counterfoil-ledger --example vectors -- ledger/vectors`.
//!
//! A vector is made once and kept for ever: a file that exists is never written again. Each has a seed of its own, so that a
//! new one changes no other. All keys in them are known to everybody.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a tool of the developers")]

use counterfoil_crypto::{
    encoding::Encoded,
    identity::Signature,
    labels,
    pedersen::Opening,
    quorum::{Ballot, Certificate, VoteKind},
    relation::Suite,
    secret::SecretBytes,
};
use counterfoil_ledger::{
    attestation::{self as attested, Attestation, AttestedAccount},
    block::{Block, BlockHeader, VERSION, batches_root},
    decree::{Decree, Retirement},
    draft::{Collection, Draft, Events, NewLoan, Raise, Recovery, Repayment, WriteOff},
    genesis::{Consortium, EPOCH_BLOCKS, Genesis, Keys, Role},
    names::{AccountKind, Bucket, Date, Hash, LoanId, MemberId, ProductId},
    seal::seal,
    transaction::Transaction,
    wallet::Wallet,
};
use counterfoil_policy::Product;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

const NAMES: [&str; 4] = ["bank-a", "bank-b", "bank-c", "regulator"];

/// Three parts and an auditor; two parts, 64 bits, nobody to audit and nothing that the servicer must keep; one part, one unit
/// of share, two auditors, all of it the servicer's.
const PRODUCTS: [&str; 3] = [
    r#"name = "micro-loan"
currency = "CNY"
width = 32
cap = "60000.00"
parts = 3
share_units = 100
min_servicer_share = 30
auditors = ["regulator"]

[weights]
bank-a = 30
bank-b = 40
bank-c = 20
"#,
    r#"# A comment, other spellings: the same product has the same hash.
name = 'bridge'
currency = 'JPY'
width = 64
cap = '900000000000'
parts = 2
share_units = 0x60
min_servicer_share = 0
auditors = []
weights = { bank-c = 1, bank-a = 2 }
"#,
    r#"name = "single"
currency = "KWD"
width = 32
cap = "999.5"
parts = 1
share_units = 1
min_servicer_share = 100
auditors = ["regulator", "bank-b"]
weights = { bank-a = 7 }
"#,
];

/// A batch: suite, product, its story, how many loans.
type Wanted = (Suite, u16, &'static [Step], u16);

/// One batch of a story.
#[derive(Clone, Copy)]
enum Step {
    Fund,
    Originate,
    Repay,
    Draw,
    Reschedule,
    /// All parts of every loan.
    WriteOff,
    /// The part of bank-c alone.
    WriteOffOne,
    /// All loans are 31 to 60 days late.
    Reclassify,
    /// Costs above proceeds.
    Recover,
    Release,
    /// Repayments with fees and penalties.
    Collect,
}

use Step::{
    Collect, Draw, Fund, Originate, Reclassify, Recover, Release, Repay, Reschedule, WriteOff as Write,
    WriteOffOne,
};

const FUNDED: &[Step] = &[Fund];
const LENT: &[Step] = &[Fund, Originate];
const REPAID: &[Step] = &[Fund, Originate, Repay];
const DRAWN: &[Step] = &[Fund, Originate, Draw];
const RESCHEDULED: &[Step] = &[Fund, Originate, Repay, Reschedule];
const WRITTEN_OFF: &[Step] = &[Fund, Originate, Repay, Write];
const WRITTEN_OFF_BY_ONE: &[Step] = &[Fund, Originate, Repay, WriteOffOne];
const RECOVERED: &[Step] = &[Fund, Originate, WriteOffOne, Recover];
const RELEASED: &[Step] = &[Fund, Originate, Release];
const RECLASSIFIED: &[Step] = &[Fund, Originate, WriteOffOne, Reclassify];
const COLLECTED: &[Step] = &[Fund, Originate, Collect];
const COLLECTED_FROM_ONE: &[Step] = &[Fund, Originate, WriteOffOne, Collect];

const BATCHES: [(&str, Wanted); 43] = [
    ("suite-1-fund", (Suite::Widths, 0, FUNDED, 0)),
    ("suite-1-originate", (Suite::Widths, 0, LENT, 2)),
    ("suite-1-repay", (Suite::Widths, 0, REPAID, 2)),
    ("suite-1-originate-wide", (Suite::Widths, 1, LENT, 1)),
    ("suite-1-repay-wide", (Suite::Widths, 1, REPAID, 1)),
    ("suite-2-fund", (Suite::Packed, 0, FUNDED, 0)),
    ("suite-2-originate", (Suite::Packed, 0, LENT, 2)),
    ("suite-2-repay", (Suite::Packed, 0, REPAID, 2)),
    ("suite-2-originate-wide", (Suite::Packed, 1, LENT, 1)),
    ("suite-2-repay-wide", (Suite::Packed, 1, REPAID, 1)),
    ("suite-1-originate-single", (Suite::Widths, 2, LENT, 2)),
    ("suite-1-repay-single", (Suite::Widths, 2, REPAID, 1)),
    ("suite-2-originate-single", (Suite::Packed, 2, LENT, 2)),
    ("suite-2-repay-single", (Suite::Packed, 2, REPAID, 1)),
    // More than 1,024 proven bits: two pieces of the second suite.
    ("suite-2-repay-many", (Suite::Packed, 1, REPAID, 5)),
    ("suite-1-draw", (Suite::Widths, 0, DRAWN, 2)),
    ("suite-1-reschedule", (Suite::Widths, 0, RESCHEDULED, 2)),
    ("suite-1-write-off", (Suite::Widths, 0, WRITTEN_OFF, 2)),
    ("suite-1-write-off-one", (Suite::Widths, 0, WRITTEN_OFF_BY_ONE, 2)),
    ("suite-1-recover", (Suite::Widths, 0, RECOVERED, 2)),
    ("suite-1-release", (Suite::Widths, 0, RELEASED, 2)),
    ("suite-2-draw", (Suite::Packed, 0, DRAWN, 2)),
    ("suite-2-reschedule", (Suite::Packed, 0, RESCHEDULED, 2)),
    ("suite-2-write-off", (Suite::Packed, 0, WRITTEN_OFF, 2)),
    ("suite-2-write-off-one", (Suite::Packed, 0, WRITTEN_OFF_BY_ONE, 2)),
    ("suite-2-recover", (Suite::Packed, 0, RECOVERED, 2)),
    ("suite-2-release", (Suite::Packed, 0, RELEASED, 2)),
    ("suite-1-draw-wide", (Suite::Widths, 1, DRAWN, 1)),
    ("suite-1-write-off-wide", (Suite::Widths, 1, WRITTEN_OFF, 1)),
    ("suite-1-recover-wide", (Suite::Widths, 1, RECOVERED, 1)),
    ("suite-2-draw-wide", (Suite::Packed, 1, DRAWN, 1)),
    ("suite-2-write-off-wide", (Suite::Packed, 1, WRITTEN_OFF, 1)),
    ("suite-2-recover-wide", (Suite::Packed, 1, RECOVERED, 1)),
    ("suite-2-reschedule-single", (Suite::Packed, 2, RESCHEDULED, 1)),
    ("suite-1-collect", (Suite::Widths, 0, COLLECTED_FROM_ONE, 2)),
    ("suite-2-collect", (Suite::Packed, 0, COLLECTED_FROM_ONE, 2)),
    ("suite-1-collect-wide", (Suite::Widths, 1, COLLECTED, 1)),
    ("suite-2-collect-wide", (Suite::Packed, 1, COLLECTED_FROM_ONE, 1)),
    ("suite-2-collect-single", (Suite::Packed, 2, COLLECTED, 1)),
    ("suite-1-reclassify", (Suite::Widths, 0, RECLASSIFIED, 2)),
    ("suite-2-reclassify", (Suite::Packed, 0, RECLASSIFIED, 2)),
    ("suite-2-reclassify-wide", (Suite::Packed, 1, &[Fund, Originate, Reclassify], 1)),
    ("suite-2-recover-single", (Suite::Packed, 2, &[Fund, Originate, Write, Recover], 1)),
];

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: vectors FOLDER"));
    make(&folder, "genesis", |_| genesis());
    make(&folder, "block", |_| block());
    make(&folder, "attestation", attestation);
    make(&folder, "decree", |_| decree());
    for (name, wanted) in BATCHES {
        make(&folder, name, |rng| batch(wanted, rng));
    }
}

fn make(folder: &Path, name: &str, maker: impl FnOnce(&mut ChaCha20Rng) -> Value) {
    let path = folder.join(format!("{name}.json"));
    if path.exists() {
        return;
    }
    let value = maker(&mut rng(name));
    fs::write(&path, serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
    println!("made {}", path.display());
}

fn rng(name: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(blake3::derive_key("counterfoil/1 ledger vectors", name.as_bytes()))
}

/// The members' seeds and the genesis of all vectors.
fn founded() -> (Vec<SecretBytes>, Genesis) {
    let mut rng = rng("genesis");
    let seeds: Vec<_> = NAMES.iter().map(|_| SecretBytes::random(&mut rng)).collect();
    let member = |(name, seed): (&&str, &SecretBytes)| {
        let role = if *name == "regulator" { Role::Regulator } else { Role::Bank };
        Keys::from_seed(seed).register(name, role, &mut rng)
    };
    let members = NAMES.iter().zip(&seeds).map(member).collect();
    let products = PRODUCTS.map(str::to_owned).to_vec();
    (seeds, Genesis { version: 1, name: "vectors".into(), members, products, epoch_blocks: EPOCH_BLOCKS })
}

fn genesis() -> Value {
    let (seeds, genesis) = founded();
    let consortium = Consortium::found(genesis.clone()).unwrap();
    let policies: Vec<_> = consortium.products().map(|(_, terms)| hex::encode(terms.policy)).collect();
    let canonical: Vec<_> =
        PRODUCTS.iter().map(|text| hex::encode(Product::parse(text).unwrap().to_bytes())).collect();
    json!({
        "what": "a consortium of three banks and a regulator with two products",
        "seeds": seeds.iter().map(|seed| hex::encode(seed.expose())).collect::<Vec<_>>(),
        "genesis": hex::encode(borsh::to_vec(&genesis).unwrap()),
        "id": hex::encode(consortium.id()),
        "products": canonical,
        "policies": policies,
    })
}

fn block() -> Value {
    let (seeds, genesis) = founded();
    let consortium = Consortium::found(genesis).unwrap();
    let batches = vec![b"the first batch".to_vec(), b"the second".to_vec(), Vec::new()];
    let header = BlockHeader {
        version: VERSION,
        consortium: consortium.id(),
        height: 2,
        previous: [0x11; 32],
        batches: batches_root(&batches),
        state: [0x22; 32],
    };
    let block = header.id();
    let kind = VoteKind::Precommit;
    let ballot = Ballot { consortium: consortium.id(), kind, height: 2, round: 0, block: Some(block) };
    let vote = |(index, seed): (u16, &SecretBytes)| {
        (index, Keys::from_seed(seed).identity.sign(labels::VOTE_SIGNATURE, &ballot.to_bytes()))
    };
    let votes = (0..3).zip(&seeds).map(vote).collect();
    json!({
        "what": "a block (its batches are opaque to it) with the certificate of all three banks of genesis.json",
        "header": hex::encode(borsh::to_vec(&header).unwrap()),
        "id": hex::encode(block),
        "block": hex::encode(Block { header, batches }.to_bytes()),
        "certificate": hex::encode(borsh::to_vec(&Certificate { height: 2, round: 0, block, votes }).unwrap()),
    })
}

/// What a transaction is called that must be refused, and why.
type Refused = (&'static str, &'static str, Vec<u8>);

fn refused(forgeries: Vec<Refused>) -> Vec<Value> {
    let each = |(what, refusal, bytes): &Refused| json!({ "what": what, "refusal": refusal, "transaction": hex::encode(bytes) });
    forgeries.iter().map(each).collect()
}

/// The third bank attests six accounts in three products, of which one has no auditor and one has two; one it cannot open.
fn attestation(rng: &mut ChaCha20Rng) -> Value {
    let (seeds, genesis) = founded();
    let consortium = Consortium::found(genesis).unwrap();
    let keys: Vec<_> = seeds.iter().map(Keys::from_seed).collect();
    let account = |(product, servicer, kind, amount): (u16, u16, AccountKind, u64)| {
        let opening = Opening::random(amount, rng);
        let balance = Encoded::from(&opening.commit());
        let (product, servicer) = (ProductId(product), MemberId(servicer));
        (AttestedAccount { product, servicer, kind, balance }, Some(opening))
    };
    let names = [
        (0, 0, AccountKind::Settlement, 900_000),
        (0, 0, AccountKind::Reserve, 400_000),
        (0, 0, AccountKind::Loans, 500_000),
        (0, 1, AccountKind::Reserve, 0),
        (1, 0, AccountKind::Loans, u64::MAX),
        (2, 0, AccountKind::Income, 7),
    ];
    let mut accounts: Vec<_> = names.into_iter().map(account).collect();
    accounts[3].1 = None;
    let content = attested::Content::seal(&consortium, &keys[2], (MemberId(2), 3), &accounts, rng).unwrap();
    let signed = |by: usize, change: fn(&mut attested::Content)| {
        let mut content = content.clone();
        change(&mut content);
        Transaction::Attestation(Box::new(Attestation::sign(content, &keys[by]))).to_bytes()
    };
    let transaction = signed(2, |_| ());
    let forgeries = vec![
        ("a byte too many", "Malformed", [&transaction[..], &[0]].concat()),
        ("another consortium", "Consortium", signed(2, |content| content.consortium[0] ^= 1)),
        ("a regulator attests", "Member", signed(3, |content| content.bank = MemberId(3))),
        ("a product that is none", "Product", signed(2, |content| content.accounts[5].product.0 = 3)),
        ("two accounts changed over", "Shape", signed(2, |content| content.accounts.swap(0, 1))),
        (
            "an account left out",
            "Shape",
            signed(2, |content| content.accounts.retain(|account| account.kind != AccountKind::Income)),
        ),
        ("no envelopes", "Shape", signed(2, |content| content.envelopes.clear())),
        ("a section too long", "Shape", signed(2, |content| content.sections[1].ciphertext.push(0))),
        ("a wrap too many", "Shape", signed(2, |content| content.sections[1].wraps.push([0; 48]))),
        ("signed by another bank", "Signature", signed(1, |_| ())),
    ];
    let opened = accounts.iter().map(|(account, opening)| {
        json!({
            "product": account.product.0, "servicer": account.servicer.0, "kind": account.kind as u8,
            "balance": hex::encode(account.balance.as_bytes()),
            "value": opening.as_ref().map(|opening| hex::encode(opening.value.to_bytes())),
            "blinding": opening.as_ref().map(|opening| hex::encode(opening.blinding.to_bytes())),
        })
    });
    json!({
        "what": "bank-c's attestation of epoch 3 in the consortium of genesis.json, as a transaction; what it opens to; forgeries",
        "transaction": hex::encode(&transaction),
        "id": hex::encode(Attestation::sign(content.clone(), &keys[2]).id()),
        "accounts_hash": hex::encode(attested::digest(MemberId(2), &content.accounts)),
        "accounts": opened.collect::<Vec<_>>(),
        "refused": refused(forgeries),
    })
}

/// All three banks retire the first suite.
fn decree() -> Value {
    let (seeds, genesis) = founded();
    let consortium = Consortium::found(genesis).unwrap();
    let retirement = Retirement { consortium: consortium.id(), suite: 1, from: 5_000 };
    let vote = |member: u16, for_what: Retirement| {
        (MemberId(member), for_what.vote(&Keys::from_seed(&seeds[usize::from(member)])))
    };
    let voted = |retirement: Retirement, votes: Vec<(MemberId, Signature)>| {
        Transaction::Decree(Decree { retirement, votes }).to_bytes()
    };
    let by =
        |members: &[u16], what: Retirement| voted(what, members.iter().map(|m| vote(*m, what)).collect());
    let [mut later, mut unknown, mut elsewhere] = [retirement; 3];
    later.from += 1;
    unknown.suite = 9;
    elsewhere.consortium[0] ^= 1;
    let transaction = by(&[0, 1, 2], retirement);
    let forgeries = vec![
        ("cut off", "Malformed", transaction[..transaction.len() - 1].to_vec()),
        ("another consortium", "Consortium", by(&[0, 1, 2], elsewhere)),
        ("a suite that is none", "Suite", by(&[0, 1, 2], unknown)),
        ("a vote twice", "Votes", by(&[0, 1, 1], retirement)),
        ("votes out of order", "Votes", by(&[0, 2, 1], retirement)),
        ("a regulator's vote", "Votes", by(&[0, 1, 2, 3], retirement)),
        ("a vote of nobody", "Votes", {
            let votes = vec![vote(0, retirement), vote(1, retirement), (MemberId(9), vote(2, retirement).1)];
            voted(retirement, votes)
        }),
        ("a vote for another height", "Signature", {
            voted(retirement, vec![vote(0, retirement), vote(1, later), vote(2, retirement)])
        }),
        ("two of three banks", "TooFew", by(&[0, 2], retirement)),
        ("nobody", "TooFew", by(&[], retirement)),
    ];
    json!({
        "what": "a decree of all three banks of genesis.json, as a transaction: suite 1 is retired from height 5000; forgeries",
        "transaction": hex::encode(&transaction),
        "id": hex::encode(Decree { retirement, votes: Vec::new() }.id()),
        "suite": retirement.suite,
        "from": retirement.from,
        "refused": refused(forgeries),
    })
}

/// The batch that ends a story over `count` loans, told by the first bank in a product; every step is of all loans.
fn batch((suite, product, story, count): Wanted, rng: &mut ChaCha20Rng) -> Value {
    let (seeds, genesis) = founded();
    let consortium = Arc::new(Consortium::found(genesis).unwrap());
    let mut wallet = Wallet::new(consortium, MemberId(0), Keys::from_seed(&seeds[0])).with_suite(suite);
    let mut last = None;
    for step in story {
        let events = events(&wallet, *step, product, count);
        let (product, value_date, booking_date) = (ProductId(product), Date(20_000), Date(20_001));
        let sealed = seal(&wallet, &Draft { product, value_date, booking_date, events }, rng).unwrap();
        wallet.absorb(&sealed).unwrap();
        last = Some(sealed);
    }
    let sealed = last.unwrap();
    json!({
        "what": format!("a batch of the consortium of genesis.json, sealed under proof suite {}", suite.number()),
        "id": hex::encode(sealed.batch.id()),
        "sealed": hex::encode(sealed.to_bytes()),
    })
}

/// What happens to so many loans in one step.
fn events(wallet: &Wallet, step: Step, product: u16, count: u16) -> Events {
    let scale = [1, 10_000, 1][usize::from(product)];
    let amounts = |amount: u64| (0..3).map(|bank| (MemberId(bank), amount * scale)).collect();
    let loans = || (0..count).map(|number| loan_of(wallet, product, number));
    let raise =
        |amount: u64| loans().map(|(loan, event)| Raise { loan, amount: amount * scale, event }).collect();
    let write_off = |banks: &[u16]| {
        let banks: Vec<_> = banks.iter().map(|bank| MemberId(*bank)).collect();
        Events::WriteOff(
            loans().map(|(loan, event)| WriteOff { loan, banks: banks.clone(), event }).collect(),
        )
    };
    match step {
        Fund => Events::Fund(amounts(1_000_000)),
        Originate => Events::Originate((0..count).map(|number| loan(product, number, scale)).collect()),
        Repay => {
            let of =
                |(loan, event)| Repayment { loan, principal: 33_333 * scale, interest: 1_234 * scale, event };
            Events::Repay(loans().map(of).collect())
        }
        Draw => Events::Draw(raise(44_441)),
        Reschedule => Events::Reschedule(raise(1_237)),
        Write => write_off(&[0, 1, 2]),
        WriteOffOne => write_off(&[2]),
        Reclassify => {
            Events::Reclassify { from: Bucket::Current, to: Bucket::To60, loans: loans().collect() }
        }
        Recover => {
            let of = |(loan, event)| Recovery { loan, proceeds: 2_501 * scale, costs: 7_003 * scale, event };
            Events::Recover(loans().map(of).collect())
        }
        Collect => {
            let of = |(loan, event)| {
                let [interest, fee, penalty] = [1_234 * scale, 56 * scale, 7];
                Collection { loan, principal: 33_333 * scale, interest, fee, penalty, event }
            };
            Events::Collect(loans().map(of).collect())
        }
        Release => Events::Release(vec![(MemberId(0), 17), (MemberId(2), 500_000 * scale)]),
    }
}

/// A loan by its number, and a key of an event on it that no step of the story has used.
fn loan_of(wallet: &Wallet, product: u16, number: u16) -> (LoanId, Hash) {
    let loan = wallet.loan_of(ProductId(product), &reference(number)).unwrap();
    let mut event: Hash = blake3::hash(&number.to_le_bytes()).into();
    while wallet.is_booked(&event) {
        event = blake3::hash(&event).into();
    }
    (loan, event)
}

fn reference(number: u16) -> String {
    format!("L-{number}")
}

fn loan(product: u16, number: u16, scale: u64) -> NewLoan {
    let partners: &[u16] = match (product, number) {
        (0, 0) => &[1, 2],
        (2, _) => &[],
        _ => &[2],
    };
    let partners = partners.iter().map(|n| MemberId(*n)).collect();
    let principal = if number == 0 { 900_003 } else { 77_777 + u64::from(number) } * scale;
    NewLoan { reference: reference(number), terms: "12 months, 10 %".into(), principal, partners }
}

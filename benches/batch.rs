//! Sealing and verifying a batch of new loans, next to the same ranges proven and verified one by one with the plain
//! `bulletproofs` calls, in one run.
//!
//! `cargo bench` prints milliseconds; each group's throughput is loans per second. Bytes per loan are printed once per size.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    reason = "a bench counts small things; its macros make items"
)]

use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use counterfoil_crypto::secret::SecretBytes;
use counterfoil_ledger::{
    draft::{Draft, Events, NewLoan},
    genesis::{Consortium, Genesis, Keys, Role},
    names::{Date, MemberId, ProductId},
    seal::{begin, seal},
    verify::{verify, verify_all},
    wallet::Wallet,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use std::{num::NonZeroUsize, sync::Arc};

const SIZES: [usize; 3] = [1, 16, 256];
const PARTS: usize = 3;
const PRODUCT: &str = r#"
name = "bench-loan"
currency = "CNY"
width = 32
cap = "50000.00"
parts = 3
share_units = 100
min_servicer_share = 30
auditors = ["regulator"]
[weights]
bank-a = 30
bank-b = 40
bank-c = 30
"#;

/// A servicer with funded reserves.
fn servicer(rng: &mut ChaCha20Rng) -> (Arc<Consortium>, Wallet) {
    let names = [
        ("bank-a", Role::Bank),
        ("bank-b", Role::Bank),
        ("bank-c", Role::Bank),
        ("regulator", Role::Regulator),
    ];
    let keys: Vec<_> = names.iter().map(|_| Keys::from_seed(&SecretBytes::random(rng))).collect();
    let members =
        names.iter().zip(&keys).map(|((name, role), keys)| keys.register(name, *role, rng)).collect();
    let genesis = Genesis {
        version: 1,
        name: "bench".into(),
        members,
        products: vec![PRODUCT.into()],
        epoch_blocks: 256,
    };
    let consortium = Arc::new(Consortium::found(genesis).expect("a valid genesis"));
    let mut wallet = Wallet::new(consortium.clone(), MemberId(0), keys[0].clone());
    let fund = draft(Events::Fund((0..3).map(|bank| (MemberId(bank), 1 << 40)).collect()));
    wallet.absorb(&seal(&wallet, &fund, rng).expect("a top-up")).expect("our own batch");
    (consortium, wallet)
}

fn draft(events: Events) -> Draft {
    Draft { product: ProductId(0), value_date: Date(20_000), booking_date: Date(20_000), events }
}

fn loans(count: usize) -> Draft {
    let loan = |i: usize| NewLoan {
        reference: format!("L{i}"),
        terms: "12 months, 10 %".into(),
        principal: 1_000_000 + i as u64,
        partners: vec![MemberId(1), MemberId(2)],
    };
    draft(Events::Originate((0..count).map(loan).collect()))
}

/// What the same loans cost with one plain 32-bit range proof per part, per total and per policy rule.
const PLAIN_RANGES: usize = PARTS + 2;

fn batches(criterion: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (consortium, wallet) = servicer(&mut rng);
    let mut group = criterion.benchmark_group("originate, 3 parts");
    group.sample_size(10);
    for size in SIZES {
        let draft = loans(size);
        let sealed = seal(&wallet, &draft, &mut rng).expect("a batch");
        let bytes = sealed.to_bytes();
        let ledger = bytes.len() - borsh::to_vec(&sealed.records).expect("memory takes all").len();
        println!(
            "{size} loans: {} bytes per loan on the ledger, {} with its sealed records",
            ledger / size,
            bytes.len() / size
        );
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::new("seal", size), &draft, |b, draft| {
            b.iter(|| seal(&wallet, draft, &mut rng).expect("a batch"));
        });
        group.bench_with_input(BenchmarkId::new("verify", size), &bytes, |b, bytes| {
            b.iter(|| verify(&consortium, bytes, &mut rng).expect("a good batch"));
        });
    }
    group.finish();
    together(criterion, (&consortium, &wallet), &mut rng);
}

/// Full batches verified together, as a pool or a whole chain is, on one core and on two; and one sealed on two.
fn together(criterion: &mut Criterion, (consortium, wallet): (&Consortium, &Wallet), rng: &mut ChaCha20Rng) {
    const TOGETHER: usize = 16;
    let draft = loans(256);
    let batches: Vec<_> =
        (0..TOGETHER).map(|_| seal(wallet, &draft, rng).expect("a batch").to_bytes()).collect();
    let batches: Vec<&[u8]> = batches.iter().map(Vec::as_slice).collect();
    let mut group = criterion.benchmark_group("originate, 3 parts, 16 batches of 256 together");
    group.sample_size(10);
    group.throughput(Throughput::Elements((TOGETHER * 256) as u64));
    for threads in [1, 2].map(|n| NonZeroUsize::new(n).expect("not zero")) {
        group.bench_function(BenchmarkId::new("verify, threads", threads), |b| {
            b.iter(|| {
                let verdicts = verify_all(threads, consortium, &batches, rng);
                assert!(verdicts.iter().all(Result::is_ok));
            });
        });
    }
    group.throughput(Throughput::Elements(256));
    for threads in [1, 2].map(|n| NonZeroUsize::new(n).expect("not zero")) {
        group.bench_function(BenchmarkId::new("seal one, threads", threads), |b| {
            b.iter(|| begin(wallet, &draft, rng).expect("a draft").prove(threads, rng).expect("a batch"));
        });
    }
    group.finish();
}

fn plain(criterion: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (generators, bases) = (BulletproofGens::new(32, 1), PedersenGens::default());
    let mut group = criterion.benchmark_group("plain bulletproofs, 5 ranges of 32 bits, one by one");
    group.sample_size(10);
    group.throughput(Throughput::Elements(1));
    let blinding = Scalar::random(&mut rng);
    let mut prove = || {
        let mut transcript = Transcript::new(b"bench");
        RangeProof::prove_single_with_rng(
            &generators,
            &bases,
            &mut transcript,
            1_000_000,
            &blinding,
            32,
            &mut rng,
        )
        .expect("in range")
    };
    let (proof, commitment) = prove();
    group.bench_function("prove, 1 loan", |b| b.iter(|| (0..PLAIN_RANGES).for_each(|_| drop(prove()))));
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    group.bench_function("verify, 1 loan", |b| {
        b.iter(|| {
            for _ in 0..PLAIN_RANGES {
                let mut transcript = Transcript::new(b"bench");
                let verdict = proof.verify_single_with_rng(
                    &generators,
                    &bases,
                    &mut transcript,
                    &commitment,
                    32,
                    &mut rng,
                );
                verdict.expect("a good proof");
            }
        });
    });
    println!("plain: {} bytes of range proofs per loan", proof.to_bytes().len() * PLAIN_RANGES);
    group.finish();
}

criterion_group!(benches, batches, plain);
criterion_main!(benches);

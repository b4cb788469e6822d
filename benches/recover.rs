//! Recovering a total from its handle alone: how long a table takes to build, what memory it takes, and how long the
//! worst search takes, one that finds nothing.
//!
//! `cargo bench --bench recover`. All cores are used. The longest search, 40 bits with the small table, is timed once.

#![allow(missing_docs, clippy::arithmetic_side_effects, reason = "macros make items; a point is negated")]

use counterfoil_crypto::{
    pedersen,
    recover::{RecoverError, Table, cores},
};
use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use std::{hint::black_box, num::NonZeroUsize, time::Instant};

const TABLES: [u32; 2] = [Table::DEFAULT_BITS, Table::AUDIT_BITS];
const KIB: u64 = 1 << 10;

/// A search to its end: what is searched for is negative.
fn worst(table: &Table, bits: u32, threads: NonZeroUsize) {
    let nothing = -pedersen::value_base();
    let found = table.find(black_box(&nothing), bits, threads);
    assert_eq!(found, Err(RecoverError::NotFound { bits }));
}

fn build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build a table");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for bits in TABLES {
        println!("2^{bits}: {} KiB", Table::bytes(bits) / KIB);
        group.bench_function(BenchmarkId::from_parameter(format!("2^{bits}")), |b| {
            b.iter(|| Table::build(bits, cores()));
        });
    }
    group.finish();
}

fn search(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("worst search");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for size in TABLES {
        let table = Table::build(size, cores()).expect("a size that exists");
        for bits in [32, 40] {
            let steps = table.steps(bits).expect("a search that ends");
            let name = format!("{bits} bits, table 2^{size}, {steps} steps");
            if steps == 1 << counterfoil_crypto::recover::MAX_STEP_BITS {
                let start = Instant::now();
                worst(&table, bits, cores());
                println!("worst search/{name}: {:.2} s, once", start.elapsed().as_secs_f64());
                continue;
            }
            group.bench_function(&name, |b| b.iter(|| worst(&table, bits, cores())));
            if steps <= 1 << 16 {
                let one = NonZeroUsize::MIN;
                group.bench_function(format!("{name}, one core"), |b| b.iter(|| worst(&table, bits, one)));
            }
        }
    }
    group.finish();
}

criterion_group!(benches, build, search);
criterion_main!(benches);

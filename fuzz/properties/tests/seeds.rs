//! Every kept seed through its property, and a little further: no cargo-fuzz needed.

#![allow(clippy::unwrap_used, reason = "a test")]

use counterfoil_properties::{TARGETS, world::rng};
use rand_core::RngCore as _;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// How many changes are tried of each seed.
const CHANGES: usize = 12;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../seeds")
}

/// Name and bytes of a target's seeds, by name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder().join(target)).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut seeds: Vec<_> = entries.map(|path| (name(&path), fs::read(&path).unwrap())).collect();
    seeds.sort();
    seeds
}

/// A property that accepts nothing shows nothing: each target has good seeds, and they are accepted.
#[test]
fn every_seed_holds_and_the_good_ones_are_accepted() {
    for (target, property) in TARGETS {
        let seeds = seeds(target);
        assert!(seeds.iter().any(|(name, _)| name.starts_with("good")), "{target} has no good seed");
        for (name, bytes) in seeds {
            assert_eq!(property(&bytes), name.starts_with("good"), "{target}/{name}");
        }
    }
}

/// The same changes every time: a first look where no fuzzer runs.
#[test]
fn what_is_near_a_seed_holds() {
    let mut random = rng(1);
    for (target, property) in TARGETS {
        for (_, bytes) in seeds(target) {
            for _ in 0..CHANGES {
                let mut changed = bytes.clone();
                let at = random.next_u32() as usize % changed.len().max(1);
                match random.next_u32() % 3 {
                    0 => changed.insert(at, random.next_u32().to_le_bytes()[0]),
                    1 => changed.truncate(at),
                    _ => changed
                        .iter_mut()
                        .skip(at)
                        .take(1)
                        .for_each(|byte| *byte ^= 1 << (random.next_u32() % 8)),
                }
                let _ = property(&changed);
            }
        }
    }
}

/// Every target can be run by cargo-fuzz, and no folder of seeds is left over.
#[test]
fn targets_binaries_and_folders_are_the_same() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let within = |folder: PathBuf| -> BTreeSet<String> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(within(folder()), names);
    assert_eq!(within(folder().join("../fuzz_targets")), names);
}

//! The state tree against a naive recomputation, and its proofs.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::super::state::Changes;
use super::super::tree::{self, EMPTY_ROOT, ProofError, STATE, TreeError};
use super::super::{Index, MemoryIndex, Root, StateStore};

fn key(number: u8) -> Vec<u8> {
    [STATE, &[number]].concat()
}

fn advance(store: &dyn StateStore, height: u64, changes: &Changes) -> Root {
    let (root, nodes) = tree::commit(store, height, changes).unwrap();
    let mut all = changes.clone();
    all.extend(nodes);
    store.apply(height, root, &all).unwrap();
    root
}

fn flat(store: &dyn StateStore) -> Changes {
    store.scan(STATE).map(|pair| pair.map(|(key, value)| (key, Some(value))).unwrap()).collect()
}

/// Few keys and many deletions, so that subtrees grow and collapse.
fn heights() -> impl Strategy<Value = Vec<Changes>> {
    // Half of the heights delete next to nothing: the engine has another way when nothing is deleted.
    let changes = prop_oneof![Just(0.6), Just(0.9999)].prop_flat_map(|kept| {
        let value = prop::option::weighted(kept, vec(any::<u8>(), 0..40));
        btree_map((0..50_u8).prop_map(key), value, 0..20)
    });
    vec(changes, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_root_is_that_of_the_flat_values_and_no_node_is_left_over(heights in heights()) {
        let store = MemoryIndex::new();
        for (height, changes) in (1..).zip(&heights) {
            advance(&store, height, changes);
            // Recomputes the root naively and accounts for every node.
            let keys = tree::audit(&store).unwrap();
            prop_assert_eq!(keys, u64::try_from(flat(&store).len()).unwrap());
            prop_assert_eq!(tree::root(&store).unwrap(), store.meta().unwrap().unwrap().1);
        }
    }

    #[test]
    fn the_root_does_not_depend_on_how_the_state_came_about(heights in heights()) {
        let (grown, at_once) = (MemoryIndex::new(), MemoryIndex::new());
        let mut root = EMPTY_ROOT;
        for (height, changes) in (1..).zip(&heights) {
            root = advance(&grown, height, changes);
        }
        prop_assert_eq!(advance(&at_once, 1, &flat(&grown)), root);
        let everything_gone: Changes = flat(&grown).into_keys().map(|key| (key, None)).collect();
        prop_assert_eq!(advance(&at_once, 2, &everything_gone), EMPTY_ROOT);
        prop_assert_eq!(tree::audit(&at_once).unwrap(), 0);
    }

    #[test]
    fn proofs_show_what_is_there_and_nothing_else(heights in heights(), flip in any::<prop::sample::Index>()) {
        let store = MemoryIndex::new();
        let mut root = EMPTY_ROOT;
        for (height, changes) in (1..).zip(&heights) {
            root = advance(&store, height, changes);
        }
        let height = store.meta().unwrap().unwrap().0;
        for number in 0..50 {
            let key = key(number);
            let proven = tree::prove(&store, height, &key).unwrap();
            let value = proven.value.as_deref();
            prop_assert_eq!(&proven.value, &store.get(&key).unwrap());
            prop_assert_eq!(tree::verify(&root, &key, value, &proven.proof), Ok(()));

            // Another value, another key, another root, other bytes.
            let other = if value.is_some() { None } else { Some(b"not there".as_slice()) };
            prop_assert!(tree::verify(&root, &key, other, &proven.proof).is_err());
            let longer = [value.unwrap_or_default(), b"x"].concat();
            prop_assert!(tree::verify(&root, &key, Some(&longer), &proven.proof).is_err());
            if value.is_some() {
                prop_assert!(tree::verify(&root, b"s/other", value, &proven.proof).is_err());
            }
            prop_assert!(tree::verify(&[1; 32], &key, value, &proven.proof).is_err());
            let mut mutated = proven.proof.clone();
            let at = flip.index(mutated.len() * 8);
            mutated[at / 8] ^= 1 << (at % 8);
            prop_assert!(tree::verify(&root, &key, value, &mutated).is_err(), "bit {}", at);
            mutated = [proven.proof.as_slice(), &[0]].concat();
            prop_assert_eq!(tree::verify(&root, &key, value, &mutated), Err(ProofError::Malformed));
        }
    }

    #[test]
    fn any_bytes_are_refused_as_a_proof(bytes in vec(any::<u8>(), 0..300), root in any::<Root>()) {
        prop_assert!(tree::verify(&root, b"s/key", None, &bytes).is_err());
        let versioned = [&[1], bytes.as_slice()].concat();
        prop_assert!(tree::verify(&root, b"s/key", Some(b"value"), &versioned).is_err());
    }
}

#[test]
fn the_store_on_disk_and_the_one_in_memory_lead_to_the_same_roots() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("index");
    let memory = MemoryIndex::new();
    let mut height = 0;
    for _ in 0..3 {
        let disk = Index::open(&dir).unwrap();
        for _ in 0..4 {
            height += 1;
            let number = u8::try_from(height).unwrap();
            let changes: Changes = (0..200_u8)
                .filter(|key| key % number != 1)
                .map(|byte| (key(byte), (byte % 7 != number % 7).then(|| vec![number; 3])))
                .collect();
            assert_eq!(advance(&disk, height, &changes), advance(&memory, height, &changes));
        }
        assert_eq!(flat(&disk), flat(&memory));
        assert_eq!(tree::audit(&disk).unwrap(), tree::audit(&memory).unwrap());
    }
}

#[test]
fn roots_are_pinned() {
    let store = MemoryIndex::new();
    assert_eq!(tree::root(&store).unwrap(), EMPTY_ROOT);
    assert_eq!(advance(&store, 0, &Changes::new()), EMPTY_ROOT);
    let changes: Changes = (0..20).map(|number| (key(number), Some(vec![number]))).collect();
    let root = blake3::Hash::from(advance(&store, 1, &changes));
    assert_eq!(root.to_hex().as_str(), "76d713c67012ba260762e730e3dc8846109e9aa717264c04f2e33eedb69f5c0e");
    assert_eq!(advance(&store, 2, &Changes::new()), *root.as_bytes());
    tree::audit(&store).unwrap();
}

#[test]
fn what_the_tree_cannot_serve_is_refused() {
    let store = MemoryIndex::new();
    let one: Changes = BTreeMap::from([(key(1), Some(vec![1]))]);
    assert!(matches!(tree::commit(&store, 2, &one), Err(TreeError::Height { applied: None, asked: 2 })));
    advance(&store, 1, &one);
    assert!(matches!(tree::commit(&store, 1, &one), Err(TreeError::Height { .. })));
    assert!(matches!(tree::prove(&store, 2, &key(1)), Err(TreeError::Height { applied: Some(1), asked: 2 })));
    let foreign = BTreeMap::from([(b"i/1".to_vec(), Some(vec![1]))]);
    assert!(matches!(tree::commit(&store, 2, &foreign), Err(TreeError::NotState { .. })));
    assert!(matches!(tree::prove(&store, 1, b"i/1"), Err(TreeError::NotState { .. })));
}

#[test]
fn a_damaged_tree_is_an_error_and_not_a_panic() {
    let (mut served, mut found) = (0, 0);
    for number in 0..60 {
        let store = MemoryIndex::new();
        let changes: Changes = (0..100).map(|number| (key(number), Some(vec![number]))).collect();
        advance(&store, 1, &changes);
        let nodes: Vec<_> = store.scan(b"\xffn/").map(|pair| pair.unwrap()).collect();
        let mut seed = super::super::testing::Seed(number);
        let (path, mut bytes) = nodes[seed.below(nodes.len())].clone();
        let at = seed.below(bytes.len());
        bytes[at] ^= 1 << seed.below(8);
        let lost = seed.below(3) == 0;
        let (root, mut nodes) = tree::commit(&store, 2, &Changes::new()).unwrap();
        nodes.insert(path, (!lost).then_some(bytes));
        store.apply(2, root, &nodes).unwrap();
        // Counts in a node are not hashed; on disk the value's checksum covers them.
        found += usize::from(tree::audit(&store).is_err());
        for number in 0..100 {
            if let Ok(proven) = tree::prove(&store, 2, &key(number)) {
                assert_eq!(proven.value, Some(vec![number]));
                served += 1;
            }
        }
        drop(tree::commit(&store, 3, &changes));
    }
    assert!(served > 1000, "damage in one place must not hide the rest: {served} served");
    assert!(found > 40, "{found} of 60 found");
}

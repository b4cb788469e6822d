//! The index beside the log: behind, ahead, damaged; it is brought level or rebuilt, and never wrong.

use std::fs;
use std::path::Path;

use super::super::testing::Seed;
use super::super::*;

/// Replays payloads whose meaning is their height.
#[derive(Default)]
struct Heights {
    applied: Vec<u64>,
}

#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("another root")]
    Root,
}

fn key(number: u64) -> Vec<u8> {
    [tree::STATE, &number.to_be_bytes()].concat()
}

/// Each height writes some keys over and deletes one.
fn changes(height: u64) -> Changes {
    let mut seed = Seed(height);
    let mut changes: Changes = (0..6)
        .map(|_| (key(seed.next() % 40), Some(vec![height.to_le_bytes()[0]; seed.below(300)])))
        .collect();
    changes.insert(key(seed.next() % 40), None);
    changes
}

fn advance(index: &dyn StateStore, height: u64) -> Result<(), TreeError> {
    let mut changes = changes(height);
    let (root, nodes) = tree::commit(index, height, &changes)?;
    changes.extend(nodes);
    Ok(index.apply(height, root, &changes)?)
}

/// The state after a height, computed in memory.
fn expected(height: u64) -> MemoryIndex {
    let index = MemoryIndex::new();
    (1..=height).for_each(|height| advance(&index, height).unwrap());
    index
}

impl Replay for Heights {
    type Error = Wrong;

    fn begin(&mut self, _: &Index) -> Result<(), Wrong> {
        self.applied.clear();
        Ok(())
    }

    fn check(&mut self, index: &Index, height: u64, root: &Root, _: &[u8]) -> Result<(), Wrong> {
        if expected(height).meta()?.map(|(_, root)| root) != Some(*root) {
            return Err(Wrong::Root);
        }
        tree::audit(index)?;
        Ok(())
    }

    fn apply(&mut self, index: &Index, height: u64, payload: Vec<u8>) -> Result<(), Wrong> {
        assert_eq!(payload, height.to_le_bytes());
        self.applied.push(height);
        Ok(advance(index, height)?)
    }
}

fn log(dir: &Path, height: u64) -> Log {
    let (mut log, _) = Log::open(&dir.join("log")).unwrap();
    for height in log.height() + 1..=height {
        log.append(height, &height.to_le_bytes()).unwrap();
    }
    log
}

fn open(log: &Log, dir: &Path) -> (Index, Start, Vec<u64>) {
    let mut replay = Heights::default();
    let (index, start) = open_or_rebuild(log, &dir.join("index"), &mut replay).unwrap();
    (index, start, replay.applied)
}

fn pairs(store: &dyn StateStore, prefix: &[u8]) -> Vec<Pair> {
    store.scan(prefix).map(|pair| pair.unwrap()).collect()
}

fn assert_level(index: &Index, height: u64) {
    let expected = expected(height);
    assert_eq!(index.meta().unwrap(), expected.meta().unwrap());
    assert_eq!(pairs(index, tree::STATE), pairs(&expected, tree::STATE));
    assert_eq!(tree::audit(index).unwrap(), u64::try_from(pairs(&expected, tree::STATE).len()).unwrap());
}

#[test]
fn an_index_behind_the_log_is_replayed_and_a_level_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (index, start, applied) = open(&log(dir, 20), dir);
    assert!(matches!(start, Start::Behind(0)) && applied.len() == 20, "{start:?}");
    assert_level(&index, 20);
    drop(index);

    let (index, start, applied) = open(&log(dir, 25), dir);
    assert!(matches!(start, Start::Behind(20)), "{start:?}");
    assert_eq!(applied, [21, 22, 23, 24, 25]);
    drop(index);

    let (index, start, applied) = open(&log(dir, 25), dir);
    assert!(matches!(start, Start::Level) && applied.is_empty(), "{start:?}");
    assert_level(&index, 25);
}

#[test]
fn an_index_ahead_of_the_log_is_quarantined_and_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    drop(open(&log(dir, 9), dir));
    fs::remove_dir_all(dir.join("log")).unwrap();
    for number in 1..=2 {
        let (index, start, _) = open(&log(dir, 5), dir);
        let Start::Rebuilt { reason, quarantine: Some(quarantine) } = start else { panic!("{start:?}") };
        assert!(reason.contains("the log ends at 5"), "{reason}");
        assert_eq!(quarantine, dir.join("quarantine").join(number.to_string()));
        assert!(quarantine.join("db").exists(), "nothing is deleted");
        assert_level(&index, 5);
        advance(&index, 6).unwrap();
    }
}

#[test]
fn an_index_with_another_root_is_quarantined_and_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let index = Index::open(&dir.join("index")).unwrap();
    index.apply(1, [7; 32], &Changes::new()).unwrap();
    drop(index);
    let (index, start, _) = open(&log(dir, 3), dir);
    assert!(matches!(&start, Start::Rebuilt { reason, .. } if reason.contains("another root")), "{start:?}");
    assert_level(&index, 3);
}

#[test]
fn a_reader_of_the_log_may_not_touch_the_index() {
    let folder = tempfile::tempdir().unwrap();
    drop(log(folder.path(), 3));
    let log = Log::read_only(&folder.path().join("log")).unwrap();
    let opened = open_or_rebuild(&log, &folder.path().join("index"), &mut Heights::default());
    assert!(matches!(opened, Err(OpenError::ReadOnly)));
}

#[test]
fn a_half_written_snapshot_is_removed_before_opening() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    drop(open(&log(dir, 12), dir));
    fs::write(dir.join("index/snap.0000000000000001.generating"), [1, 2, 3]).unwrap();
    let (index, start, _) = open(&log(dir, 12), dir);
    assert!(matches!(start, Start::Level), "{start:?}");
    assert_level(&index, 12);
}

#[test]
fn a_damaged_index_never_panics_and_never_serves_wrong_values() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    drop(open(&log(dir, 30), dir));
    let healthy = dir.join("index");
    let log = log(dir, 30);
    let mut rebuilt = 0;
    for number in 0..40 {
        let mut seed = Seed(number);
        let case = tempfile::tempdir().unwrap();
        copy(&healthy, &case.path().join("index"));
        damage(&case.path().join("index"), &mut seed);
        let (index, start, _) = open(&log, case.path());
        rebuilt += usize::from(matches!(start, Start::Rebuilt { .. }));
        assert_level(&index, 30);
    }
    assert!(rebuilt >= 10, "the damage was too tame: {rebuilt} of 40 rebuilt");
}

/// Without the log beside it: an error, or the right value, or one that the audit disowns.
#[test]
fn a_damaged_value_is_an_error_and_a_lost_or_older_one_is_found_by_the_audit() {
    let stale = |with: &dyn Fn(&MemoryIndex, &mut Changes)| {
        let index = expected(10);
        let mut changes = Changes::new();
        with(&index, &mut changes);
        let (_, root) = index.meta().unwrap().unwrap();
        // Written behind the tree's back.
        index.apply(11, root, &changes).unwrap();
        assert!(matches!(tree::audit(&index), Err(TreeError::Damaged { .. })));
    };
    let first = |index: &MemoryIndex, prefix: &[u8]| pairs(index, prefix)[0].clone();
    stale(&|index, changes| drop(changes.insert(first(index, tree::STATE).0, None)));
    stale(&|index, changes| drop(changes.insert(first(index, tree::STATE).0, Some(b"older".to_vec()))));
    stale(&|_, changes| drop(changes.insert(key(1000), Some(b"from nowhere".to_vec()))));
    for position in 0..5 {
        stale(&|index, changes| drop(changes.insert(pairs(index, b"\xffn/")[position].0.clone(), None)));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Flips bits, zeroes a block or cuts one of sled's files.
fn damage(index: &Path, seed: &mut Seed) {
    let files = fs::read_dir(index).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
    files.sort();
    let file = &files[seed.below(files.len())];
    let mut bytes = fs::read(file).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
    let at = seed.below(written);
    match seed.below(4) {
        0 => bytes.truncate(at),
        1 => bytes.iter_mut().skip(at).take(512).for_each(|byte| *byte = 0),
        _ => (0..8).for_each(|_| bytes[seed.below(written)] ^= 1 << seed.below(8)),
    }
    fs::write(file, bytes).unwrap();
}

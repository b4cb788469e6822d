//! Power loss at every kind of moment, by seed.

use std::sync::Arc;

use super::super::log::{Log, LogError, Options};
use super::super::testing::{MemoryFiles, Seed};

/// Small segments, so that many seeds meet a roll.
pub(super) const SMALL: Options = Options { segment_bytes: 2500 };

/// The payload of a height: its own length and bytes, so that no record can stand for another.
pub(super) fn payload(height: u64) -> Vec<u8> {
    let mut seed = Seed(height);
    let length = seed.below(1500);
    std::iter::repeat_with(|| seed.next().to_le_bytes()[0]).take(length).collect()
}

pub(super) fn assert_records(log: &Log, seed: u64) {
    let entries: Vec<(u64, Vec<u8>)> = log.iter(1).map(|entry| entry.unwrap()).collect();
    assert_eq!(u64::try_from(entries.len()).unwrap(), log.height(), "seed {seed}");
    for (position, (height, bytes)) in (1..).zip(&entries) {
        assert_eq!(*height, position, "seed {seed}");
        assert!(*bytes == payload(position), "seed {seed}: height {height} is another record");
    }
}

/// Starts, appends until the power goes, and returns how many appends were acknowledged in all.
fn run_until_power_loss(files: &MemoryFiles, acknowledged: u64, seed: u64) -> u64 {
    let Ok((mut log, recovery)) = Log::open_with(Arc::new(files.clone()), SMALL) else {
        // The power went during recovery.
        return acknowledged;
    };
    assert!(recovery.height >= acknowledged, "seed {seed}: {acknowledged} acknowledged, {recovery:?}");
    let mut last = log.height();
    assert_records(&log, seed);
    while log.append(last + 1, &payload(last + 1)).is_ok() {
        last += 1;
    }
    assert_eq!(log.height(), last, "seed {seed}");
    last
}

#[test]
fn after_any_power_loss_every_acknowledged_record_is_there_whole_and_none_is_half_there() {
    let (mut torn, mut complete, mut height) = (0, 0, 0);
    for number in 0..1500 {
        let mut seed = Seed(number);
        let mut files = MemoryFiles::default();
        let mut acknowledged = 0;
        for _ in 0..4 {
            files.lose_power_after(seed.below(60));
            acknowledged = run_until_power_loss(&files, acknowledged, number);
            files = files.after_power_loss(&mut seed);

            let reader = Log::read_only_with(Arc::new(files.clone())).unwrap();
            assert!(reader.height() >= acknowledged, "seed {number}");
            assert_records(&reader, number);
            let probe = MemoryFiles::holding(&files.contents());
            let (log, recovery) = Log::open_with(Arc::new(probe), SMALL)
                .unwrap_or_else(|error| panic!("seed {number}: {error}"));
            assert_eq!(log.height(), reader.height(), "seed {number}");
            assert!(log.height() >= acknowledged, "seed {number}: {recovery:?}");
            torn += usize::from(recovery.torn.is_some());
            complete += usize::from(recovery.torn.is_some_and(|torn| torn.complete));
            height = log.height().max(height);
        }
    }
    assert!(
        torn > 500 && complete > 20 && height > 20,
        "too tame: {torn} torn, {complete} complete, {height}"
    );
}

#[test]
fn a_killed_process_loses_nothing_that_it_wrote() {
    for number in 0..200 {
        let files = MemoryFiles::default();
        files.lose_power_after(Seed(number).below(80));
        let acknowledged = run_until_power_loss(&files, 0, number);
        // The kernel lives on: all writes are there, synced or not.
        let files = MemoryFiles::holding(&files.contents());
        let (log, _) = Log::open_with(Arc::new(files), SMALL).unwrap();
        assert!(log.height() >= acknowledged, "seed {number}");
        assert_records(&log, number);
    }
}

#[test]
fn a_full_disk_says_so_and_leaves_the_log_as_it_was() {
    for capacity in 0..5000 {
        let files = MemoryFiles::default();
        let (mut log, _) = Log::open_with(Arc::new(files.clone()), SMALL).unwrap();
        files.set_capacity(Some(capacity));
        let mut height = 0;
        let error = loop {
            match log.append(height + 1, &payload(height + 1)) {
                Ok(()) => height += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, LogError::Full { .. }), "{capacity}: {error}");
        assert_eq!(log.height(), height);
        assert_records(&log, 0);
        files.set_capacity(None);
        log.append(height + 1, &payload(height + 1)).unwrap();
        drop(log);
        let (log, recovery) = Log::open_with(Arc::new(files), SMALL).unwrap();
        assert_eq!((log.height(), recovery.torn), (height + 1, None), "{capacity}");
        assert_records(&log, 0);
    }
}

#[test]
fn after_a_failed_sync_the_log_stops_until_it_is_opened_again() {
    let files = MemoryFiles::default();
    let (mut log, _) = Log::open_with(Arc::new(files.clone()), SMALL).unwrap();
    log.append(1, b"one").unwrap();
    // The write goes through, its sync does not.
    files.lose_power_after(1);
    assert!(matches!(log.append(2, b"two"), Err(LogError::Io { operation: "sync", .. })));
    files.lose_power_after(usize::MAX);
    assert!(matches!(log.append(2, b"two"), Err(LogError::Stopped)));
    assert_eq!(log.height(), 1);
    drop(log);
    let (log, recovery) = Log::open_with(Arc::new(files), SMALL).unwrap();
    assert_eq!((recovery.height, log.read(2).unwrap().as_deref()), (2, Some(b"two".as_slice())));
}

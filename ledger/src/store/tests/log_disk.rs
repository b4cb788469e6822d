//! The log on a real file system.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::super::log::{Log, LogError, MAX_PAYLOAD, Options};
use super::super::{DiskFiles, scan};
use super::log_crash::{assert_records, payload};

#[test]
fn what_was_appended_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("log");
    let small = Options { segment_bytes: 4000 };
    let files = || std::sync::Arc::new(DiskFiles::new(&dir).unwrap());
    for round in 0..4 {
        let (mut log, recovery) = Log::open_with(files(), small).unwrap();
        assert_eq!((recovery.height, recovery.torn), (round * 5, None));
        for height in round * 5 + 1..=round * 5 + 5 {
            log.append(height, &payload(height)).unwrap();
        }
        assert_records(&log, 0);
    }
    let (log, _) = Log::open(&dir).unwrap();
    assert_records(&log, 0);
    assert_eq!(log.read(0).unwrap(), None);
    assert_eq!(log.read(21).unwrap(), None);
    assert_eq!(log.iter(18).count(), 3);
    for entry in fs::read_dir(&dir).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "readable by others");
    }
}

#[test]
fn a_second_writer_is_refused_and_a_reader_beside_the_writer_sees_whole_records() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path()).unwrap();
    log.append(1, b"one").unwrap();
    assert!(matches!(Log::open(folder.path()), Err(LogError::Locked { .. })));

    let mut reader = Log::read_only(folder.path()).unwrap();
    assert_eq!(reader.height(), 1);
    assert!(matches!(reader.append(2, b"two"), Err(LogError::ReadOnly)));
    log.append(2, b"two").unwrap();
    // Half of a third record, as a reader may see it.
    let name = folder.path().join(scan::segment_name(1));
    let mut bytes = fs::read(&name).unwrap();
    bytes.extend_from_slice(&bytes.clone()[56..90]);
    let whole = bytes.len() - 34;
    fs::write(&name, &bytes).unwrap();
    assert_eq!(reader.refresh().unwrap(), 2);
    assert_eq!(reader.read(2).unwrap().as_deref(), Some(b"two".as_slice()));
    assert_eq!(Log::read_only(folder.path()).unwrap().height(), 2);
    fs::OpenOptions::new().write(true).open(&name).unwrap().set_len(u64::try_from(whole).unwrap()).unwrap();

    drop(log);
    assert_eq!(Log::open(folder.path()).unwrap().1.height, 2);
}

#[test]
fn heights_and_lengths_out_of_bounds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path()).unwrap();
    assert!(matches!(log.append(0, b""), Err(LogError::Height { last: 0, given: 0 })));
    assert!(matches!(log.append(2, b""), Err(LogError::Height { last: 0, given: 2 })));
    let long = vec![0; MAX_PAYLOAD + 1];
    assert!(matches!(log.append(1, &long), Err(LogError::TooLong { .. })));
    log.append(1, b"").unwrap();
    assert!(matches!(log.append(1, b""), Err(LogError::Height { last: 1, given: 1 })));
    assert_eq!(log.read(1).unwrap(), Some(Vec::new()));
}

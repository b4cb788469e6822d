//! Damage to a log at rest: an error that names the place, or a loud recovery, never other data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::log::{Log, LogError, Recovery};
use super::super::record::{RECORD_HEADER, RecordHeader};
use super::super::testing::{MemoryFiles, Seed};
use super::log_crash::{SMALL, assert_records, payload};

type Contents = BTreeMap<String, Vec<u8>>;

const HEIGHT: u64 = 8;

fn contents(height: u64) -> Contents {
    let files = MemoryFiles::default();
    let (mut log, _) = Log::open_with(Arc::new(files.clone()), SMALL).unwrap();
    for height in 1..=height {
        log.append(height, &payload(height)).unwrap();
    }
    drop(log);
    files.contents()
}

fn segments(contents: &Contents) -> Vec<String> {
    contents.keys().filter(|name| name.ends_with(".log")).cloned().collect()
}

fn open(contents: &Contents) -> (MemoryFiles, Result<(Log, Recovery), LogError>) {
    let files = MemoryFiles::holding(contents);
    let opened = Log::open_with(Arc::new(files.clone()), SMALL);
    (files, opened)
}

/// A closed log knows what it acknowledged: nothing may be cut, and a refusal changes nothing.
fn assert_refused(contents: &Contents, what: &str) {
    let (files, opened) = open(contents);
    match opened {
        Err(error @ LogError::Damaged { .. }) => {
            assert!(error.to_string().contains("restore this segment from a peer or a backup"), "{error}");
        }
        other => panic!("{what}: {other:?}"),
    }
    assert!(files.contents() == *contents, "{what}: files were changed");
    assert!(matches!(Log::read_only_with(Arc::new(files)), Err(LogError::Damaged { .. })), "{what}");
}

/// Without the note of what was acknowledged, the last record may be cut, loudly, and nothing else.
fn assert_refused_or_last_cut(contents: &Contents, what: &str) {
    match open(contents).1 {
        Err(LogError::Damaged { .. }) => {}
        Err(error) => panic!("{what}: {error}"),
        Ok((log, recovery)) => {
            let torn = recovery.torn.unwrap_or_else(|| panic!("{what}: damage was not reported"));
            assert_eq!((log.height(), torn.height), (HEIGHT - 1, HEIGHT), "{what}");
            assert!(torn.to_string().contains("height 8"), "{torn}");
            assert_records(&log, 0);
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_found_at_open() {
    let whole = contents(HEIGHT);
    let mut forgotten = whole.clone();
    forgotten.remove("acknowledged");
    assert!(segments(&whole).len() >= 3);
    let mut seed = Seed(1);
    for name in segments(&whole) {
        for at in 0..whole[&name].len() {
            let flip = 1 << seed.below(8);
            for (contents, known) in [(&whole, true), (&forgotten, false)] {
                let mut damaged = contents.clone();
                damaged.get_mut(&name).unwrap()[at] ^= flip;
                let what = format!("{name} at {at}");
                if known {
                    assert_refused(&damaged, &what)
                } else {
                    assert_refused_or_last_cut(&damaged, &what)
                }
            }
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_found_at_open() {
    let whole = contents(HEIGHT);
    let mut forgotten = whole.clone();
    forgotten.remove("acknowledged");
    let last = segments(&whole).pop().unwrap();
    for name in segments(&whole) {
        for size in 0..whole[&name].len() {
            let mut damaged = whole.clone();
            damaged.get_mut(&name).unwrap().truncate(size);
            assert_refused(&damaged, &format!("{name} cut at {size}"));
            if name != last {
                let mut damaged = forgotten.clone();
                damaged.get_mut(&name).unwrap().truncate(size);
                assert!(matches!(open(&damaged).1, Err(LogError::Damaged { .. })), "{name} cut at {size}");
            }
        }
        let mut damaged = whole.clone();
        damaged.remove(&name);
        assert_refused(&damaged, &format!("{name} removed"));
    }
}

#[test]
fn zeroed_pages_are_found_at_open() {
    let whole = contents(HEIGHT);
    for name in segments(&whole) {
        for start in (0..whole[&name].len()).step_by(64) {
            let mut damaged = whole.clone();
            damaged.get_mut(&name).unwrap().iter_mut().skip(start).take(256).for_each(|byte| *byte = 0);
            assert_refused(&damaged, &format!("{name} zeroed at {start}"));
        }
    }
}

#[test]
fn a_damaged_note_of_what_was_acknowledged_is_only_forgotten() {
    let whole = contents(HEIGHT);
    for at in 0..whole["acknowledged"].len() {
        let mut damaged = whole.clone();
        damaged.get_mut("acknowledged").unwrap()[at] ^= 0x10;
        let (log, recovery) = open(&damaged).1.unwrap();
        assert_eq!(recovery, Recovery { height: HEIGHT, torn: None });
        assert_records(&log, 0);
    }
}

#[test]
fn damage_under_an_open_log_is_found_by_the_read() {
    let whole = contents(HEIGHT);
    for name in segments(&whole) {
        for at in (0..whole[&name].len()).step_by(7) {
            let (files, opened) = open(&whole);
            let (log, _) = opened.unwrap();
            let file = super::super::files::Files::open(&files, &name, true).unwrap();
            file.write_at(u64::try_from(at).unwrap(), &[whole[&name][at] ^ 0x04]).unwrap();
            for height in 1..=HEIGHT {
                match log.read(height) {
                    Ok(bytes) => assert_eq!(bytes, Some(payload(height)), "{name} at {at}"),
                    Err(error) => assert!(matches!(error, LogError::Damaged { .. }), "{error}"),
                }
            }
        }
    }
}

#[test]
fn segments_and_records_cannot_change_places() {
    let whole = contents(HEIGHT);
    let names = segments(&whole);
    let mut swapped = whole.clone();
    swapped.insert(names[0].clone(), whole[&names[1]].clone());
    swapped.insert(names[1].clone(), whole[&names[0]].clone());
    assert_refused(&swapped, "two segments swapped");

    // A log of the same heights and lengths whose first record is another: its second segment does not fit.
    let files = MemoryFiles::default();
    let (mut other, _) = Log::open_with(Arc::new(files.clone()), SMALL).unwrap();
    for height in 1..=HEIGHT {
        let mut bytes = payload(height);
        bytes[0] ^= u8::from(height == 1);
        other.append(height, &bytes).unwrap();
    }
    drop(other);
    let mut spliced = whole.clone();
    spliced.insert(names[1].clone(), files.contents()[&names[1]].clone());
    assert_refused(&spliced, "a segment of another log");
}

#[test]
fn records_of_one_length_cannot_change_places() {
    let files = MemoryFiles::default();
    let (mut log, _) = Log::open_with(Arc::new(files.clone()), SMALL).unwrap();
    for height in 1..=4 {
        log.append(height, &[height.to_le_bytes()[0]; 10]).unwrap();
    }
    drop(log);
    let size = usize::try_from(RecordHeader { height: 1, length: 10 }.size()).unwrap();
    let mut contents = files.contents();
    let name = segments(&contents).pop().unwrap();
    let bytes = contents.get_mut(&name).unwrap();
    let (first, second) = (56 + size, 56 + 2 * size);
    // The bodies alone, so that the heights in the headers stay in order.
    for at in RECORD_HEADER..size {
        bytes.swap(first + at, second + at);
    }
    assert_refused(&contents, "two bodies swapped");
}

#[test]
fn an_older_copy_of_a_closed_log_is_not_taken_for_the_whole() {
    let older = contents(HEIGHT - 3);
    let mut mixed = contents(HEIGHT);
    segments(&mixed.clone()).iter().for_each(|name| drop(mixed.remove(name)));
    mixed.extend(older.into_iter().filter(|(name, _)| name.ends_with(".log")));
    assert_refused(&mixed, "an older backup");
}

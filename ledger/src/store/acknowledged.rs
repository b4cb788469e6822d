//! The file `acknowledged`: the highest height whose append returned, to tell a torn append from later damage.
//!
//! Two slots in different pages, written in turn, so that a torn write leaves the other. It is written after the
//! record is safe and so never claims too much; it is synced only when a segment is full and when the log closes, so
//! after a power loss it may claim too little.

use std::io::{self, ErrorKind};

use super::files::{File, Files};
use super::record::short_hash;

const NAME: &str = "acknowledged";
const PAGE: u64 = 4096;
const SLOTS: [u64; 2] = [0, PAGE];

/// The highest acknowledged height that the file shows, 0 if it shows none.
pub(super) fn read(files: &dyn Files) -> io::Result<u64> {
    match files.open(NAME, false) {
        Ok(file) => highest(&*file),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn highest(file: &dyn File) -> io::Result<u64> {
    let mut highest = 0;
    for slot in SLOTS {
        let mut bytes = [0; 16];
        match file.read_at(slot, &mut bytes) {
            Ok(()) => highest = decode(&bytes).unwrap_or(0).max(highest),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error),
        }
    }
    Ok(highest)
}

/// Opens the file for writing, making it if it is not there.
pub(super) fn open(files: &dyn Files) -> io::Result<Box<dyn File>> {
    match files.open(NAME, true) {
        Err(error) if error.kind() == ErrorKind::NotFound => files.create(NAME),
        other => other,
    }
}

/// Notes that `height` is acknowledged.
pub(super) fn write(file: &dyn File, height: u64) -> io::Result<()> {
    let slot = if height.is_multiple_of(2) { 0 } else { PAGE };
    let bytes = height.to_le_bytes();
    file.write_at(slot, &[bytes, check(&bytes)].concat())
}

fn decode(bytes: &[u8; 16]) -> Option<u64> {
    let (height, expected) = bytes.split_first_chunk::<8>()?;
    (check(height) == expected).then(|| u64::from_le_bytes(*height))
}

fn check(height: &[u8; 8]) -> [u8; 8] {
    short_hash(&[b"acknowledged", height])
}

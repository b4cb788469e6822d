//! Finding the records again: reads the segments from where it stands, verifies everything, judges the tail.
//!
//! One append is written and synced before the next begins. So a power loss leaves at most one record torn, it is the
//! last, and it was not acknowledged. Everything that is wrong elsewhere is damage. What follows the last whole record
//! is taken for a torn append only if
//!
//! - the `acknowledged` file does not say that the record there was acknowledged,
//! - it is in the last segment and not longer than one append, and
//! - no header of a later record is in it.
//!
//! The rest of doubt: a power loss that takes the last update of `acknowledged` with it (that file is not synced with
//! each append, which would double the cost) *and* bit-rot in the last record. Then an acknowledged record is cut.
//! This is never silent ([`Recovery`](super::Recovery) names it), and the chain loses nothing: the block was agreed
//! on, its certificate lets any peer supply it again.

use std::io::{self, ErrorKind};

use super::files::{File, Files};
use super::log::LogError;
use super::record::{
    CHECKSUM, Checksum, MAX_APPEND, RECORD_HEADER, RECORD_MAGIC, RecordHeader, SEGMENT_HEADER, SegmentHeader,
};

/// Bytes searched at a time for a header behind a tear.
const WINDOW: usize = 1024 * 1024;

/// A segment whose records are known.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) first: u64,
    /// Where each record begins.
    pub(super) offsets: Vec<u64>,
}

/// All whole records, and where the next would go.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    pub(super) segments: Vec<Segment>,
    pub(super) height: u64,
    /// Where the last segment's records end.
    pub(super) end: u64,
    pub(super) last: Checksum,
}

/// What follows the last whole record and is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    pub(super) first: u64,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    /// The segment's own header is torn: the file holds nothing.
    pub(super) whole_file: bool,
    /// All its bytes seem to be there, and its checksum is wrong.
    pub(super) complete: bool,
}

/// A segment's file name.
pub(super) fn segment_name(first: u64) -> String {
    format!("{first:020}.log")
}

fn segment_firsts(files: &dyn Files) -> io::Result<Vec<u64>> {
    let names = files.list()?;
    let first = |name: &String| name.strip_suffix(".log").filter(|digits| digits.len() == 20)?.parse().ok();
    let mut firsts: Vec<u64> = names.iter().filter_map(first).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Why the bytes at a position are no record.
enum Bad {
    Incomplete,
    Checksum,
    Io(io::Error),
}

impl Records {
    /// Reads on from the end of what is known. `acknowledged` must have been read before.
    pub(super) fn extend(&mut self, files: &dyn Files, acknowledged: u64) -> Result<Option<Tail>, LogError> {
        let firsts = segment_firsts(files).map_err(|source| LogError::io(files, "", "list", source))?;
        let known = self.segments.last().map_or(0, |segment| segment.first);
        let mut tail = None;
        for first in firsts.into_iter().filter(|first| *first >= known) {
            if let Some(Tail { first: torn, offset, .. }) = tail {
                return Err(damaged(files, torn, offset, self.next(), "is damaged, but a segment follows"));
            }
            tail = self.extend_segment(files, first)?;
        }
        match tail {
            Some(tail) => self.judge(files, tail, acknowledged).map(Some),
            None if acknowledged > self.height => {
                let first = self.segments.last().map_or(1, |segment| segment.first);
                Err(damaged(files, first, self.end, self.next(), "was acknowledged and is missing"))
            }
            None => Ok(None),
        }
    }

    fn next(&self) -> u64 {
        self.height.saturating_add(1)
    }

    fn extend_segment(&mut self, files: &dyn Files, first: u64) -> Result<Option<Tail>, LogError> {
        let name = segment_name(first);
        let io = |operation, source| LogError::io(files, &name, operation, source);
        let file = files.open(&name, false).map_err(|source| io("open", source))?;
        let size = file.size().map_err(|source| io("size", source))?;
        let before = self.end;
        if self.segments.last().is_none_or(|segment| segment.first != first) {
            if first != self.next() {
                return Err(damaged(files, first, 0, self.next(), "is missing: this segment begins later"));
            }
            match segment_header(&*file).map_err(|source| io("read", source))? {
                Some(header) if header.first == first && header.previous == self.last => {
                    self.segments.push(Segment { first, offsets: Vec::new() });
                    self.end = SEGMENT_HEADER as u64;
                }
                Some(_) => return Err(damaged(files, first, 0, first, "begins a segment of another log")),
                None => {
                    return Ok(Some(Tail {
                        first,
                        offset: 0,
                        bytes: size,
                        whole_file: true,
                        complete: false,
                    }));
                }
            }
        }
        let torn = self.extend_records(&*file, size).map_err(|source| io("read", source))?;
        if self.segments.pop_if(|segment| segment.offsets.is_empty()).is_some() {
            // Its first append was torn: the segment goes as a whole, and the one before is the last again.
            self.end = before;
            let complete = torn.unwrap_or(false);
            return Ok(Some(Tail { first, offset: 0, bytes: size, whole_file: true, complete }));
        }
        let bytes = size.saturating_sub(self.end);
        Ok(torn.map(|complete| Tail { first, offset: self.end, bytes, whole_file: false, complete }))
    }

    /// `None` at a clean end, otherwise whether the bad record seems complete.
    fn extend_records(&mut self, file: &dyn File, size: u64) -> io::Result<Option<bool>> {
        while self.end < size {
            let (header, checksum) = match read_next(file, self.end, size, self.next(), &self.last) {
                Ok(record) => record,
                Err(Bad::Incomplete) => return Ok(Some(false)),
                Err(Bad::Checksum) => return Ok(Some(true)),
                Err(Bad::Io(error)) => return Err(error),
            };
            if let Some(segment) = self.segments.last_mut() {
                segment.offsets.push(self.end);
            }
            self.height = header.height;
            self.last = checksum;
            self.end = self.end.saturating_add(header.size());
        }
        Ok(None)
    }

    fn judge(&self, files: &dyn Files, tail: Tail, acknowledged: u64) -> Result<Tail, LogError> {
        let height = self.next();
        let wrong = |what| Err(damaged(files, tail.first, tail.offset, height, what));
        if acknowledged >= height {
            return wrong("was acknowledged and is damaged");
        }
        if tail.bytes > MAX_APPEND {
            return wrong("is damaged: more follows than one append can have left");
        }
        let name = segment_name(tail.first);
        let io = |source| LogError::io(files, &name, "read", source);
        let file = files.open(&name, false).map_err(io)?;
        if later_header(&*file, &tail, height).map_err(io)? {
            return wrong("is damaged, but later records follow it");
        }
        Ok(tail)
    }
}

fn segment_header(file: &dyn File) -> io::Result<Option<SegmentHeader>> {
    let mut bytes = [0; SEGMENT_HEADER];
    match file.read_at(0, &mut bytes) {
        Ok(()) => Ok(SegmentHeader::decode(&bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_next(
    file: &dyn File,
    offset: u64,
    size: u64,
    height: u64,
    previous: &Checksum,
) -> Result<(RecordHeader, Checksum), Bad> {
    let mut bytes = [0; RECORD_HEADER];
    read(file, offset, &mut bytes)?;
    let header =
        RecordHeader::decode(&bytes).filter(|header| header.height == height).ok_or(Bad::Incomplete)?;
    if offset.saturating_add(header.size()) > size {
        return Err(Bad::Incomplete);
    }
    let (payload, checksum) = read_body(file, offset, &header).map_err(bad)?;
    if header.checksum(previous, &payload) != checksum {
        return Err(Bad::Checksum);
    }
    Ok((header, checksum))
}

/// The payload and the checksum of the record at `offset`.
pub(super) fn read_body(
    file: &dyn File,
    offset: u64,
    header: &RecordHeader,
) -> io::Result<(Vec<u8>, Checksum)> {
    let mut payload = vec![0; header.payload()];
    let mut checksum = [0; CHECKSUM];
    let start = offset.saturating_add(RECORD_HEADER as u64);
    file.read_at(start, &mut payload)?;
    file.read_at(start.saturating_add(u64::from(header.length)), &mut checksum)?;
    Ok((payload, checksum))
}

fn read(file: &dyn File, offset: u64, bytes: &mut [u8]) -> Result<(), Bad> {
    file.read_at(offset, bytes).map_err(bad)
}

fn bad(error: io::Error) -> Bad {
    if error.kind() == ErrorKind::UnexpectedEof { Bad::Incomplete } else { Bad::Io(error) }
}

/// Whether the header of a record above `height` is anywhere in the tail.
fn later_header(file: &dyn File, tail: &Tail, height: u64) -> io::Result<bool> {
    let end = tail.offset.saturating_add(tail.bytes);
    let mut offset = tail.offset;
    // Windows overlap by a header less one byte, so that none falls between two.
    while end.saturating_sub(offset) >= RECORD_HEADER as u64 {
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut window = vec![0; left.min(WINDOW)];
        file.read_at(offset, &mut window)?;
        let later = |bytes: &[u8]| {
            let header = bytes.first_chunk().filter(|bytes| bytes.starts_with(&RECORD_MAGIC));
            header.and_then(RecordHeader::decode).is_some_and(|header| header.height > height)
        };
        if window.windows(RECORD_HEADER).any(later) {
            return Ok(true);
        }
        offset = offset.saturating_add((window.len().saturating_sub(RECORD_HEADER - 1)) as u64);
    }
    Ok(false)
}

pub(super) fn damaged(
    files: &dyn Files,
    first: u64,
    offset: u64,
    height: u64,
    what: &'static str,
) -> LogError {
    LogError::Damaged { file: files.path(&segment_name(first)), offset, height, what }
}

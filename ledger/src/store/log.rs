//! The log: what [`Log::append`] has returned for is there after any crash, and is what was given. The truth.
//!
//! Records of consecutive heights from 1, in segments; the bytes are in `record.rs`, the rules for what a crash may
//! leave in `scan.rs`. One writer at a time (a lock on the folder); readers beside it see all whole records.
//!
//! Opening reads and verifies every record. A torn last append is cut and reported in [`Recovery`]; anything else that
//! does not verify is an error that names file, offset and height, and the log does not open for writing. An error of
//! the file system while writing stops the log where the state of the file is no longer known: open it again.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::acknowledged;
use super::files::{DiskFiles, File, Files, Lock};
pub use super::record::MAX_PAYLOAD;
use super::record::{CHECKSUM, Checksum, RECORD_HEADER, RecordHeader, SEGMENT_HEADER, SegmentHeader};
pub use super::report::{LogError, Recovery, TornTail};
use super::scan::{Records, Segment, Tail, damaged, read_body, segment_name};

/// How the log lays out its files.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A new segment begins with the first append after this many bytes.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 * 1024 * 1024 }
    }
}

/// An append-only log of opaque payloads by height.
#[derive(Debug)]
pub struct Log {
    files: Arc<dyn Files>,
    records: Records,
    writer: Option<Writer>,
}

/// What only a log open for writing has.
#[derive(Debug)]
struct Writer {
    options: Options,
    /// The last segment, once there is one.
    segment: Option<Box<dyn File>>,
    acknowledged: Box<dyn File>,
    stopped: bool,
    _lock: Box<dyn Lock>,
}

impl Log {
    /// Opens the log in a folder for writing, making it if it is not there, and cuts a torn append.
    ///
    /// # Errors
    ///
    /// If another process writes it, a record is damaged, or the file system refuses. Nothing is changed then.
    pub fn open(dir: &Path) -> Result<(Self, Recovery), LogError> {
        let files = DiskFiles::new(dir);
        let files = files.map_err(|source| LogError::Io {
            file: dir.to_owned(),
            operation: "make folder",
            source,
        })?;
        Self::open_with(Arc::new(files), Options::default())
    }

    /// [`Log::open`] over any files.
    ///
    /// # Errors
    ///
    /// As [`Log::open`].
    pub fn open_with(files: Arc<dyn Files>, options: Options) -> Result<(Self, Recovery), LogError> {
        let lock = files.lock().map_err(|source| match source.kind() {
            ErrorKind::WouldBlock => LogError::Locked { folder: files.path("") },
            _ => LogError::io(&*files, "lock", "lock", source),
        })?;
        let (records, tail) = scan(&*files)?;
        let torn = tail.map(|tail| cut(&*files, &records, tail)).transpose()?;
        let segment = records.segments.last().map(|segment| segment_name(segment.first));
        let open = |name: String| {
            let file =
                files.open(&name, true).map_err(|source| LogError::io(&*files, &name, "open", source))?;
            // Also makes durable what a crashed writer had written but not yet synced.
            file.sync().map_err(|source| LogError::io(&*files, &name, "sync", source))?;
            Ok(file)
        };
        let segment = segment.map(open).transpose()?;
        let note = |source| LogError::io(&*files, "acknowledged", "open", source);
        let acknowledged = acknowledged::open(&*files).map_err(note)?;
        files.sync_dir().map_err(|source| LogError::io(&*files, "", "sync", source))?;
        let recovery = Recovery { height: records.height, torn };
        let writer = Writer { options, segment, acknowledged, stopped: false, _lock: lock };
        Ok((Self { files, records, writer: Some(writer) }, recovery))
    }

    /// Opens the log for reading, beside a writer or without one. What is not whole at the end is not seen.
    ///
    /// # Errors
    ///
    /// If a record is damaged or the file system refuses.
    pub fn read_only(dir: &Path) -> Result<Self, LogError> {
        Self::read_only_with(Arc::new(DiskFiles::existing(dir)))
    }

    /// [`Log::read_only`] over any files.
    ///
    /// # Errors
    ///
    /// As [`Log::read_only`].
    pub fn read_only_with(files: Arc<dyn Files>) -> Result<Self, LogError> {
        let (records, _) = scan(&*files)?;
        Ok(Self { files, records, writer: None })
    }

    /// Looks for records that a writer has added since, and returns the height. Does nothing for the writer itself.
    ///
    /// # Errors
    ///
    /// As [`Log::read_only`].
    pub fn refresh(&mut self) -> Result<u64, LogError> {
        if self.writer.is_none() {
            let acknowledged = acknowledged_height(&*self.files)?;
            self.records.extend(&*self.files, acknowledged)?;
        }
        Ok(self.height())
    }

    /// The height of the last record, 0 for an empty log.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.records.height
    }

    /// Whether this log was opened for writing, and so holds the lock.
    #[must_use]
    pub fn is_writer(&self) -> bool {
        self.writer.is_some()
    }

    /// Adds a record. When this returns it is durable.
    ///
    /// # Errors
    ///
    /// If `height` is not the next one, the payload is too long, the disk is full, or the file system refuses. The
    /// record then is not part of this log; after a failed sync only opening it again shows what is on disk.
    pub fn append(&mut self, height: u64, payload: &[u8]) -> Result<(), LogError> {
        let writer = self.writer.as_mut().ok_or(LogError::ReadOnly)?;
        if writer.stopped {
            return Err(LogError::Stopped);
        }
        if Some(height) != self.records.height.checked_add(1) {
            return Err(LogError::Height { last: self.records.height, given: height });
        }
        let too_long = LogError::TooLong { bytes: payload.len() };
        let length =
            u32::try_from(payload.len()).ok().filter(|_| payload.len() <= MAX_PAYLOAD).ok_or(too_long)?;
        let header = RecordHeader { height, length };
        let checksum = header.checksum(&self.records.last, payload);
        let record = [header.encode().as_slice(), payload, &checksum].concat();
        writer.write(&*self.files, &mut self.records, height, &record)?;
        self.records.accept(&header, checksum);
        // The record is safe already; a note that cannot be written only weakens the judgement of a later tear.
        if let Err(error) = acknowledged::write(&*writer.acknowledged, height) {
            tracing::warn!(height, %error, "log: cannot note the acknowledged height");
        }
        Ok(())
    }

    /// The payload of a height, verified; `None` beyond the last.
    ///
    /// # Errors
    ///
    /// If the record is no longer what was written, or the file system refuses.
    pub fn read(&self, height: u64) -> Result<Option<Vec<u8>>, LogError> {
        let Some((first, offset)) = self.records.find(height) else { return Ok(None) };
        let name = segment_name(first);
        let io = |source: io::Error| match source.kind() {
            ErrorKind::UnexpectedEof => damaged(&*self.files, first, offset, height, "was cut off"),
            _ => LogError::io(&*self.files, &name, "read", source),
        };
        let file = self.files.open(&name, false).map_err(io)?;
        let mut previous = [0; CHECKSUM];
        let mut bytes = [0; RECORD_HEADER];
        file.read_at(offset.saturating_sub(CHECKSUM as u64), &mut previous).map_err(io)?;
        file.read_at(offset, &mut bytes).map_err(io)?;
        let wrong = |what| damaged(&*self.files, first, offset, height, what);
        let header = RecordHeader::decode(&bytes).filter(|header| header.height == height);
        let header = header.ok_or_else(|| wrong("has a damaged header"))?;
        let (payload, checksum) = read_body(&*file, offset, &header).map_err(io)?;
        if header.checksum(&previous, &payload) != checksum {
            return Err(wrong("does not match its checksum"));
        }
        Ok(Some(payload))
    }

    /// The records from a height on, in order; ends after the first error.
    #[must_use]
    pub fn iter(&self, from: u64) -> Entries<'_> {
        Entries { log: self, next: Some(from.max(1)) }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.writer.as_ref().map(|writer| writer.acknowledged.sync()) {
            tracing::warn!(%error, "log: cannot sync the acknowledged height");
        }
    }
}

/// Heights with their payloads, from [`Log::iter`].
#[derive(Debug)]
pub struct Entries<'a> {
    log: &'a Log,
    next: Option<u64>,
}

impl Iterator for Entries<'_> {
    type Item = Result<(u64, Vec<u8>), LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let height = self.next.take()?;
        let payload = self.log.read(height).transpose()?;
        self.next = payload.is_ok().then(|| height.checked_add(1)).flatten();
        Some(payload.map(|payload| (height, payload)))
    }
}

impl Records {
    fn accept(&mut self, header: &RecordHeader, checksum: Checksum) {
        if let Some(segment) = self.segments.last_mut() {
            segment.offsets.push(self.end);
        }
        self.end = self.end.saturating_add(header.size());
        self.height = header.height;
        self.last = checksum;
    }

    /// The segment and the offset of a record.
    fn find(&self, height: u64) -> Option<(u64, u64)> {
        let after = self.segments.partition_point(|segment| segment.first <= height);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let position = usize::try_from(height.checked_sub(segment.first)?).ok()?;
        Some((segment.first, *segment.offsets.get(position)?))
    }
}

impl Writer {
    /// Writes and syncs a record at the end, in a new segment if the last is full.
    fn write(
        &mut self,
        files: &dyn Files,
        at: &mut Records,
        height: u64,
        record: &[u8],
    ) -> Result<(), LogError> {
        match &self.segment {
            Some(file) if at.end < self.options.segment_bytes => {
                let name = at.segments.last().map_or_else(String::new, |segment| segment_name(segment.first));
                if let Err(source) = file.write_at(at.end, record) {
                    self.stopped = file.truncate(at.end).and_then(|()| file.sync()).is_err();
                    return Err(refused(files, &name, height, source));
                }
                file.sync().map_err(|source| {
                    self.stopped = true;
                    LogError::io(files, &name, "sync", source)
                })
            }
            _ => self.roll(files, at, height, record),
        }
    }

    fn roll(
        &mut self,
        files: &dyn Files,
        at: &mut Records,
        height: u64,
        record: &[u8],
    ) -> Result<(), LogError> {
        if let Err(error) = self.acknowledged.sync() {
            tracing::warn!(height, %error, "log: cannot sync the acknowledged height");
        }
        let name = segment_name(height);
        let header = SegmentHeader { first: height, previous: at.last };
        let file = files.create(&name).map_err(|source| refused(files, &name, height, source))?;
        if let Err(source) = file.write_at(0, &[&header.encode(), record].concat()) {
            self.stopped = files.remove(&name).and_then(|()| files.sync_dir()).is_err();
            return Err(refused(files, &name, height, source));
        }
        file.sync().and_then(|()| files.sync_dir()).map_err(|source| {
            self.stopped = true;
            LogError::io(files, &name, "sync", source)
        })?;
        at.segments.push(Segment { first: height, offsets: Vec::new() });
        at.end = SEGMENT_HEADER as u64;
        self.segment = Some(file);
        Ok(())
    }
}

fn refused(files: &dyn Files, name: &str, height: u64, source: io::Error) -> LogError {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            LogError::Full { file: files.path(name), height }
        }
        _ => LogError::io(files, name, "write", source),
    }
}

fn acknowledged_height(files: &dyn Files) -> Result<u64, LogError> {
    acknowledged::read(files).map_err(|source| LogError::io(files, "acknowledged", "read", source))
}

fn scan(files: &dyn Files) -> Result<(Records, Option<Tail>), LogError> {
    let acknowledged = acknowledged_height(files)?;
    let mut records = Records::default();
    let tail = records.extend(files, acknowledged)?;
    Ok((records, tail))
}

/// Removes a torn append, durably, before anything is written after it.
fn cut(files: &dyn Files, records: &Records, tail: Tail) -> Result<TornTail, LogError> {
    let name = segment_name(tail.first);
    let cut = if tail.whole_file {
        files.remove(&name).and_then(|()| files.sync_dir())
    } else {
        files.open(&name, true).and_then(|file| file.truncate(tail.offset).and_then(|()| file.sync()))
    };
    cut.map_err(|source| LogError::io(files, &name, "cut a torn append", source))?;
    let height = records.height.saturating_add(1);
    let Tail { offset, bytes, complete, .. } = tail;
    let torn = TornTail { file: files.path(&name), offset, bytes, height, complete };
    tracing::warn!("log {torn}");
    Ok(torn)
}

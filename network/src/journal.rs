//! The journal of the open height: what this node has signed and seen, durable before any of it leaves.
//!
//! One file per height, append-only. A record is
//!
//! ```text
//! length u32 | synced u64 | checksum [u8; 16] | payload        checksum = BLAKE3(height, offset, synced, payload)
//! ```
//!
//! `synced` is the length of the file that was known to be durable when the record was written. It tells a torn
//! tail from damage: when a record is broken and no later record claims to have been written after it was synced,
//! then it never was, nothing that depended on it has left, and the file is cut there. Otherwise the medium has
//! lost what was promised, and the node does not start.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 8] = b"CFJRNL\x00\x01";
const HEADER: usize = 16;
const RECORD: usize = 28;
const EXTENSION: &str = "journal";

/// Where the replica keeps what it must not forget. The simulator has one that forgets what is not flushed.
pub(crate) trait Journal: Send {
    /// The height whose records these are.
    fn height(&self) -> u64;
    /// The records that were there when the journal was opened; taken once.
    fn take_records(&mut self) -> Vec<Vec<u8>>;
    /// Adds a record, not yet durable.
    fn append(&mut self, record: &[u8]) -> Result<(), JournalError>;
    /// Makes all records durable. The barrier before anything signed leaves.
    fn flush(&mut self) -> Result<(), JournalError>;
    /// Forgets all and begins the journal of another height, durably.
    fn begin(&mut self, height: u64) -> Result<(), JournalError>;
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system failed.
    #[error("the journal at {path} cannot be read or written: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something durable is damaged: votes that were sent may be forgotten, so voting again may contradict them.
    #[error(
        "the journal {path} is damaged at byte {offset}, before records that were durable. Restore the file, or \
         remove it once this member has followed the chain past height {height} without voting"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the first damaged record begins.
        offset: u64,
        /// The height of the journal.
        height: u64,
    },
    /// A record cannot be read by this version.
    #[error("a record of the journal of height {height} is not understood: {reason}")]
    Unknown {
        /// The height of the journal.
        height: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// A journal in a folder of its own.
pub(crate) struct FileJournal {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    height: u64,
    /// Length with everything appended, and the part of it that is durable.
    length: u64,
    synced: u64,
    /// Appended but not yet written.
    buffer: Vec<u8>,
    records: Vec<Vec<u8>>,
}

impl FileJournal {
    /// Opens the journal of the greatest height in `folder`, or begins one.
    ///
    /// # Errors
    /// [`JournalError`] when the file system fails or durable records are damaged.
    pub(crate) fn open(folder: &Path, first_height: u64) -> Result<Self, JournalError> {
        fs::create_dir_all(folder).map_err(|e| io_error(folder, e))?;
        let mut found = journals(folder)?;
        while let Some((height, path)) = found.pop() {
            if let Some(journal) = Self::recover(folder, height, path)? {
                return Ok(journal);
            }
        }
        Self::create(folder, first_height)
    }

    /// `None` when not even the header is whole: the file was being created when the node stopped, nothing in it
    /// was ever relied on, and the journal before it is still there.
    fn recover(folder: &Path, height: u64, path: PathBuf) -> Result<Option<Self>, JournalError> {
        let wrap = |e| io_error(&path, e);
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(wrap)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(wrap)?;
        if bytes.get(..HEADER) != Some(&header(height)[..]) {
            if bytes.len() <= HEADER {
                return Ok(None);
            }
            return Err(JournalError::Damaged { path, offset: 0, height });
        }
        let (records, end) = scan(height, &bytes);
        if let Some(offset) = damage(height, &bytes, end) {
            return Err(JournalError::Damaged { path, offset, height });
        }
        let length = u64::try_from(end).map_err(|e| wrap(io::Error::other(e)))?;
        file.set_len(length).map_err(wrap)?;
        file.seek(SeekFrom::Start(length)).map_err(wrap)?;
        file.sync_all().map_err(wrap)?;
        let folder = folder.to_path_buf();
        Ok(Some(Self { folder, path, file, height, length, synced: length, buffer: Vec::new(), records }))
    }

    fn create(folder: &Path, height: u64) -> Result<Self, JournalError> {
        let path = folder.join(format!("{height:020}.{EXTENSION}"));
        let wrap = |e| io_error(&path, e);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = options.open(&path).map_err(wrap)?;
        file.write_all(&header(height)).map_err(wrap)?;
        file.sync_all().map_err(wrap)?;
        sync_folder(folder)?;
        let length = u64::try_from(HEADER).unwrap_or(0);
        let (folder, buffer, records) = (folder.to_path_buf(), Vec::new(), Vec::new());
        let journal = Self { folder, path, file, height, length, synced: length, buffer, records };
        journal.remove_others()?;
        Ok(journal)
    }

    fn remove_others(&self) -> Result<(), JournalError> {
        for (_, path) in journals(&self.folder)?.into_iter().filter(|(_, path)| *path != self.path) {
            fs::remove_file(&path).map_err(|e| io_error(&path, e))?;
        }
        Ok(())
    }
}

impl Journal for FileJournal {
    fn height(&self) -> u64 {
        self.height
    }

    fn take_records(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.records)
    }

    fn append(&mut self, record: &[u8]) -> Result<(), JournalError> {
        let length = u32::try_from(record.len()).map_err(|e| io_error(&self.path, io::Error::other(e)))?;
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(&self.synced.to_le_bytes());
        self.buffer.extend_from_slice(&checksum(self.height, self.length, self.synced, record));
        self.buffer.extend_from_slice(record);
        let grown = u64::try_from(RECORD.saturating_add(record.len())).unwrap_or(u64::MAX);
        self.length = self.length.saturating_add(grown);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.buffer).and_then(|()| self.file.sync_data());
        written.map_err(|e| io_error(&self.path, e))?;
        self.buffer.clear();
        self.synced = self.length;
        Ok(())
    }

    fn begin(&mut self, height: u64) -> Result<(), JournalError> {
        *self = Self::create(&self.folder, height)?;
        Ok(())
    }
}

fn header(height: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let (magic, number) = header.split_at_mut(MAGIC.len());
    magic.copy_from_slice(MAGIC);
    number.copy_from_slice(&height.to_le_bytes());
    header
}

fn checksum(height: u64, offset: u64, synced: u64, payload: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for number in [height, offset, synced] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(payload);
    let mut sum = [0; 16];
    hasher.finalize_xof().fill(&mut sum);
    sum
}

/// The record at `offset`, if one is whole: what was synced before it, its payload, and where it ends.
fn record(height: u64, bytes: &[u8], offset: usize) -> Option<(u64, &[u8], usize)> {
    let head = bytes.get(offset..offset.checked_add(RECORD)?)?;
    let length = u32::from_le_bytes(head.get(..4)?.try_into().ok()?);
    let synced = u64::from_le_bytes(head.get(4..12)?.try_into().ok()?);
    let start = offset.checked_add(RECORD)?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    // A record never claims more to be synced than lies before it: a cheap test before the hash.
    let place = u64::try_from(offset).ok()?;
    let payload = bytes.get(start..end).filter(|_| synced <= place)?;
    (checksum(height, place, synced, payload) == head[12..]).then_some((synced, payload, end))
}

/// All whole records from the start, and where they end.
fn scan(height: u64, bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let (mut records, mut offset) = (Vec::new(), HEADER);
    while let Some((_, payload, end)) = record(height, bytes, offset) {
        records.push(payload.to_vec());
        offset = end;
    }
    (records, offset)
}

/// Where durable records are damaged: a whole record lies after `end` and was written when `end` was synced.
fn damage(height: u64, bytes: &[u8], end: usize) -> Option<u64> {
    let broken = u64::try_from(end).ok()?;
    let later = (end..bytes.len()).filter_map(|offset| record(height, bytes, offset));
    later.map(|(synced, _, _)| synced).any(|synced| synced > broken).then_some(broken)
}

/// The journals in a folder, by height.
fn journals(folder: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| io_error(folder, e))? {
        let path = entry.map_err(|e| io_error(folder, e))?.path();
        if path.extension().is_some_and(|e| e == EXTENSION) {
            let height = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok());
            found.extend(height.map(|height| (height, path)));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| io_error(folder, e))
}

fn io_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io { path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path) -> PathBuf {
        let mut journal = FileJournal::open(folder, 5).unwrap();
        for batch in [&["one", "two"][..], &["three"], &["four", "five"]] {
            batch.iter().for_each(|r| journal.append(r.as_bytes()).unwrap());
            journal.flush().unwrap();
        }
        journal.append(b"never flushed").unwrap();
        journal.path
    }

    fn records(folder: &Path) -> Result<Vec<String>, JournalError> {
        let records = FileJournal::open(folder, 1)?.take_records();
        Ok(records.into_iter().map(|r| String::from_utf8(r).unwrap()).collect())
    }

    #[test]
    fn what_was_flushed_is_there_after_a_restart_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        assert_eq!(records(folder.path()).unwrap(), ["one", "two", "three", "four", "five"]);
        let mut journal = FileJournal::open(folder.path(), 1).unwrap();
        assert_eq!(journal.height(), 5);
        journal.append(b"six").unwrap();
        journal.flush().unwrap();
        assert_eq!(records(folder.path()).unwrap().len(), 6);
        journal.begin(6).unwrap();
        assert_eq!(records(folder.path()).unwrap().len(), 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn every_cut_keeps_a_prefix() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let whole = fs::read(&path).unwrap();
        for cut in HEADER..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let kept = records(folder.path()).unwrap();
            assert_eq!(kept, ["one", "two", "three", "four", "five"][..kept.len()], "cut at {cut}");
        }
    }

    #[test]
    fn a_torn_last_batch_is_cut_and_damage_before_it_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let whole = fs::read(&path).unwrap();
        let (_, _, second) = record(5, &whole, HEADER).unwrap();
        let (_, _, third) = record(5, &whole, second).unwrap();
        let (_, _, last_batch) = record(5, &whole, third).unwrap();
        for place in HEADER..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            match records(folder.path()) {
                Ok(kept) => assert!(place >= last_batch && kept.len() >= 3, "byte {place}: {kept:?}"),
                Err(JournalError::Damaged { offset, .. }) => {
                    assert!(place < last_batch && usize::try_from(offset).unwrap() <= place, "byte {place}");
                }
                Err(other) => panic!("byte {place}: {other}"),
            }
        }
    }

    #[test]
    fn a_half_made_successor_does_not_hide_the_journal_before_it() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        fs::write(folder.path().join(format!("{:020}.{EXTENSION}", 6)), &MAGIC[..5]).unwrap();
        assert_eq!(records(folder.path()).unwrap().len(), 5);
    }
}

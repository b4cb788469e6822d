//! The log after something has happened to its files: it tells all that it was given, or says that it is damaged.

use crate::input::{Input, edit};
use counterfoil_ledger::store::{File, Files, Lock, Log, Options};
use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

type Contents = BTreeMap<String, Vec<u8>>;

/// What the log was given, by height from 1: some empty, some longer than a segment.
fn entries() -> Vec<Vec<u8>> {
    vec![vec![1; 40], Vec::new(), vec![3; 300], vec![4; 17], vec![5; 90]]
}

static WRITTEN: LazyLock<Contents> = LazyLock::new(|| {
    let memory = Memory::default();
    let mut log = open(&memory).expect("an empty folder is a log");
    for (height, entry) in (1..).zip(entries()) {
        log.append(height, &entry).expect("memory takes all");
    }
    drop(log);
    memory.contents()
});

/// Changes one file of a whole log, or puts other bytes in its place. The first byte says which file.
///
/// A log that opens for writing has lost nothing of what it had acknowledged; one that opens for reading shows nothing that
/// was not written. Either goes on from there.
#[must_use]
pub fn log_damaged(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let mut contents = WRITTEN.clone();
    let choice = input.byte();
    let place = usize::from(choice >> 1) % contents.len();
    let file = contents.values_mut().nth(place).expect("the place is one of them");
    if choice & 1 == 1 {
        *file = input.rest().to_vec();
    } else {
        edit(file, &mut input, 8);
    }
    let memory = Memory::holding(contents);
    if let Ok(reader) = Log::read_only_with(Arc::new(memory.clone())) {
        assert!(entries().starts_with(&told(&reader)), "the log tells what it was not given");
    }
    let Ok(mut log) = open(&memory) else { return false };
    assert_eq!(told(&log), entries(), "an acknowledged entry is lost");
    log.append(6, b"more").expect("an open log goes on");
    drop(log);
    assert_eq!(told(&open(&memory).expect("it was just written")).len(), 6);
    true
}

fn open(memory: &Memory) -> Result<Log, counterfoil_ledger::store::LogError> {
    Log::open_with(Arc::new(memory.clone()), Options { segment_bytes: 256 }).map(|(log, _)| log)
}

fn told(log: &Log) -> Vec<Vec<u8>> {
    (1..=log.height())
        .map(|height| log.read(height).expect("it was verified").expect("it is there"))
        .collect()
}

type Shared<T> = Arc<Mutex<T>>;

/// A folder in memory.
#[derive(Clone, Debug, Default)]
struct Memory(Shared<BTreeMap<String, Shared<Vec<u8>>>>);

#[derive(Debug)]
struct MemoryFile(Shared<Vec<u8>>);

#[derive(Debug)]
struct Unlocked;

impl Lock for Unlocked {}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    fn holding(contents: Contents) -> Self {
        let files = contents.into_iter().map(|(name, bytes)| (name, Arc::new(Mutex::new(bytes))));
        Self(Arc::new(Mutex::new(files.collect())))
    }

    fn contents(&self) -> Contents {
        lock(&self.0).iter().map(|(name, file)| (name.clone(), lock(file).clone())).collect()
    }
}

impl Files for Memory {
    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let file = Arc::new(Mutex::new(Vec::new()));
        match lock(&self.0).insert(name.to_owned(), Arc::clone(&file)) {
            None => Ok(Box::new(MemoryFile(file))),
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    fn open(&self, name: &str, _: bool) -> io::Result<Box<dyn File>> {
        let file = lock(&self.0).get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(MemoryFile(file)))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(lock(&self.0).keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        lock(&self.0).remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        Ok(Box::new(Unlocked))
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}

impl File for MemoryFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut file, offset) = (lock(&self.0), usize::try_from(offset).map_err(io::Error::other)?);
        let length = file.len().max(offset + bytes.len());
        file.resize(length, 0);
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let (file, offset) = (lock(&self.0), usize::try_from(offset).map_err(io::Error::other)?);
        let end = offset.checked_add(buffer.len());
        let bytes = end.and_then(|end| file.get(offset..end)).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        u64::try_from(lock(&self.0).len()).map_err(io::Error::other)
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        lock(&self.0).truncate(usize::try_from(size).map_err(io::Error::other)?);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

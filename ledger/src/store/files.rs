//! The file layer under the log: the few operations it needs, as a trait, so that tests can lose power.
//!
//! The log writes at positions it knows itself and never overwrites acknowledged bytes. [`DiskFiles`] is one folder
//! of the file system. What the trait promises is what POSIX promises and no more: written bytes survive a power loss
//! after [`File::sync`], a new name after [`Files::sync_dir`]; until then any part of them may be there, in any order.

use std::fmt::Debug;
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Only the node's own user may read what a bank stores.
const OWNER_ONLY_FILE: u32 = 0o600;
const OWNER_ONLY_DIR: u32 = 0o700;

/// One flat folder of files.
pub trait Files: Debug + Send + Sync {
    /// Makes an empty file for reading and writing; fails if the name exists.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Opens a file, for writing too if `write`.
    ///
    /// # Errors
    ///
    /// If the file does not exist or the file system refuses.
    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn File>>;

    /// The names in the folder, ascending.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes created and removed names durable.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    fn sync_dir(&self) -> io::Result<()>;

    /// Takes the folder for one writer, until the lock is dropped or the process ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WouldBlock`] if another writer holds it, or what the file system says.
    fn lock(&self) -> io::Result<Box<dyn Lock>>;

    /// Where a file is, for messages.
    fn path(&self, name: &str) -> PathBuf;
}

/// An open file.
pub trait File: Debug + Send + Sync {
    /// Writes all bytes at a position, growing the file if they go over its end.
    ///
    /// # Errors
    ///
    /// If the file system refuses; part of the bytes may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Fills `buffer` from a position.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedEof`] if the file ends before, or what the file system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// The length in bytes.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    fn size(&self) -> io::Result<u64>;

    /// Cuts the file.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    fn truncate(&self, size: u64) -> io::Result<()>;

    /// Makes all written bytes and the length durable.
    ///
    /// # Errors
    ///
    /// If the file system refuses: then nothing is known about what was written since the last success.
    fn sync(&self) -> io::Result<()>;
}

/// A held lock; dropping it releases.
pub trait Lock: Debug + Send + Sync {}

/// A folder of the file system.
#[derive(Debug)]
pub struct DiskFiles {
    dir: PathBuf,
}

impl DiskFiles {
    /// Takes a folder, making it if it is not there, durably.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn new(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        if !dir.is_dir() {
            fs::DirBuilder::new().recursive(true).mode(OWNER_ONLY_DIR).create(&dir)?;
            if let Some(parent) = dir.parent() {
                sync_folder(parent)?;
            }
        }
        Ok(Self { dir })
    }

    /// Takes a folder as it is, for reading.
    #[must_use]
    pub fn existing(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }
}

fn sync_folder(dir: &Path) -> io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    fs::File::open(dir)?.sync_all()
}

impl Files for DiskFiles {
    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(OWNER_ONLY_FILE);
        Ok(Box::new(options.open(self.path(name))?))
    }

    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn File>> {
        Ok(Box::new(OpenOptions::new().read(true).write(write).open(self.path(name))?))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            // A name that is not text is not one of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        sync_folder(&self.dir)
    }

    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(OWNER_ONLY_FILE);
        let file = options.open(self.path("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

impl File for fs::File {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Lock for fs::File {}

//! The index on disk: the one file that knows sled.
//!
//! sled 0.34 loses acknowledged batches on power loss, panics on damaged files and sometimes returns wrong values, so
//! nothing rests on it. Around it stand four guards:
//!
//! - a half-written `snap.*.generating`, which sled takes for a snapshot, is removed before opening;
//! - every call is guarded against panics; after one the index refuses all further use;
//! - every value carries a checksum over its key and itself;
//! - changes, height and root go in one batch, and the caller compares them with the log
//!   ([`open_or_rebuild`](super::open_or_rebuild)).
//!
//! A value that is lost, or an older one that came back, has no wrong checksum: [`audit`](super::tree::audit) finds
//! those. sled writes in the background; only the log makes anything durable.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::state::{Changes, META, Pair, Root, Scan, StateStore, StoreError, check, guarded, printable};

/// sled's page cache.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// How often, and how long each time, an index that is still being closed is waited for.
const LOCK_TRIES: u32 = 100;
const LOCK_WAIT: Duration = Duration::from_millis(20);

/// Bytes of checksum behind each value.
const TAG: usize = 16;

/// Not a secret: it separates these checksums from other uses of the hash.
static TAG_KEY: LazyLock<[u8; 32]> = LazyLock::new(|| blake3::derive_key("counterfoil index value v1", b""));

/// A [`StateStore`] on disk, in sled.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    /// Always there until the drop.
    db: Option<sled::Db>,
    panicked: AtomicBool,
}

impl Index {
    /// Opens the index in a folder of its own, making it if it is not there.
    ///
    /// Take the log for writing before: sled's own lock would make a second process look like damage.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or sled refuses or panics. The remedy is [`Index::quarantine`] and a rebuild.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        prepare(dir).map_err(|source| failed(dir, "open", source))?;
        let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES);
        let open = || {
            guarded(|| config.open()).map_err(|message| StoreError::Panicked {
                path: dir.to_owned(),
                operation: "open",
                message,
            })
        };
        // A database that was just dropped gives its lock back a little later, from a thread of its own.
        let mut db = open()?;
        for _ in 0..LOCK_TRIES {
            match &db {
                // sled says so in words alone, with a kind of `Other`.
                Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
                    thread::sleep(LOCK_WAIT);
                    db = open()?;
                }
                _ => break,
            }
        }
        let db = db.map_err(|source| failed(dir, "open", source))?;
        let index = Self { path: dir.to_owned(), db: Some(db), panicked: AtomicBool::new(false) };
        // A meta key that does not read is found here, not at the first block.
        index.meta()?;
        Ok(index)
    }

    /// Moves the folder of a suspect index to `quarantine/<n>` beside it, for a later look; nothing is deleted.
    /// The index must have been dropped. Returns where it is now, or `None` if there was no folder.
    ///
    /// # Errors
    ///
    /// If the folder cannot be moved.
    pub fn quarantine(dir: &Path) -> Result<Option<PathBuf>, StoreError> {
        if !dir.exists() {
            return Ok(None);
        }
        let moved = move_aside(dir).map_err(|source| failed(dir, "quarantine", source))?;
        tracing::warn!(from = %dir.display(), to = %moved.display(), "index moved to quarantine");
        Ok(Some(moved))
    }

    /// Writes out what sled still holds in memory, so that less must be replayed after a crash.
    ///
    /// # Errors
    ///
    /// If sled refuses or panics.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.run("flush", |db| db.flush())?;
        Ok(())
    }

    fn run<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&sled::Db) -> sled::Result<T>,
    ) -> Result<T, StoreError> {
        let db = match &self.db {
            Some(db) if !self.panicked.load(Ordering::Acquire) => db,
            _ => return Err(self.after_panic(operation, "an earlier call panicked".to_owned())),
        };
        guarded(|| work(db))
            .map_err(|message| self.after_panic(operation, message))?
            .map_err(|source| failed(&self.path, operation, source))
    }

    fn after_panic(&self, operation: &'static str, message: String) -> StoreError {
        self.panicked.store(true, Ordering::Release);
        StoreError::Panicked { path: self.path.clone(), operation, message }
    }
}

impl StateStore for Index {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.run("get", |db| db.get(key))?.map(|sealed| unseal(key, &sealed)).transpose()
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        let mut pairs = None;
        let mut ended = false;
        let prefix = prefix.to_vec();
        let mut next = move || -> Result<Option<Pair>, StoreError> {
            let pair = self
                .run("scan", |db| pairs.get_or_insert_with(|| db.scan_prefix(&prefix)).next().transpose())?;
            pair.map(|(key, sealed)| Ok((key.to_vec(), unseal(&key, &sealed)?))).transpose()
        };
        Box::new(std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let pair = next().transpose();
            ended = !matches!(pair, Some(Ok(_)));
            pair
        }))
    }

    fn meta(&self) -> Result<Option<(u64, Root)>, StoreError> {
        let Some(value) = self.get(META)? else { return Ok(None) };
        let meta = value
            .split_first_chunk::<8>()
            .and_then(|(height, root)| Some((u64::from_le_bytes(*height), Root::try_from(root).ok()?)));
        meta.map(Some).ok_or_else(|| StoreError::Mismatch { key: printable(META) })
    }

    fn apply(&self, height: u64, root: Root, changes: &Changes) -> Result<(), StoreError> {
        check(self.meta()?, height, changes)?;
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), seal(key, value)),
                None => batch.remove(key.as_slice()),
            }
        }
        let meta = [height.to_le_bytes().as_slice(), root.as_slice()].concat();
        batch.insert(META, seal(META, &meta));
        self.run("apply", |db| db.apply_batch(batch))
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        let db = self.db.take();
        if let Err(message) = guarded(|| drop(db)) {
            tracing::warn!(path = %self.path.display(), message, "index panicked while closing");
        }
    }
}

fn prepare(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            tracing::warn!(file = %entry.path().display(), "removing a half-written snapshot of the index");
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn move_aside(dir: &Path) -> io::Result<PathBuf> {
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let quarantine = parent.join("quarantine");
    DirBuilder::new().recursive(true).mode(0o700).create(&quarantine)?;
    for number in 1..u32::MAX {
        let target = quarantine.join(number.to_string());
        if !target.exists() {
            fs::rename(dir, &target)?;
            fs::File::open(parent)?.sync_all()?;
            return Ok(target);
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn failed(
    path: &Path,
    operation: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    StoreError::Failed { path: path.to_owned(), operation, source: Box::new(source) }
}

/// A checksum over key and value: a value under another key is as wrong as another value.
fn tag(key: &[u8], value: &[u8]) -> [u8; TAG] {
    let mut hasher = blake3::Hasher::new_keyed(&TAG_KEY);
    hasher.update(&u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes()).update(key).update(value);
    let mut tag = [0; TAG];
    hasher.finalize_xof().fill(&mut tag);
    tag
}

fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    [value, &tag(key, value)].concat()
}

fn unseal(key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    match sealed.split_last_chunk::<TAG>() {
        Some((value, expected)) if tag(key, value) == *expected => Ok(value.to_vec()),
        _ => Err(StoreError::Mismatch { key: printable(key) }),
    }
}

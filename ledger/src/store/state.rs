//! The narrow door to the index: get, scan, meta, apply.
//!
//! Two implementations: [`Index`](super::Index) on disk and [`MemoryIndex`](super::MemoryIndex) for tests and for
//! replays that must leave no trace. Both refuse heights out of order, so that a batch can be applied neither twice
//! nor over a gap.
//!
//! Key space: keys that begin with [`tree::STATE`](super::tree::STATE) are authenticated by the tree, keys that begin
//! with the byte `0xff` belong to the store itself, every other key is the caller's (indexes, positions).

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;

use thiserror::Error;

/// A state root.
pub type Root = [u8; 32];

/// Writes of one height: the new value of a key, or `None` to delete it.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key with its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Pairs in ascending order of key.
pub type Scan<'a> = Box<dyn Iterator<Item = Result<Pair, StoreError>> + 'a>;

/// State by key, at exactly one height.
pub trait StateStore: Send + Sync {
    /// The value of `key`.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or the stored value does not verify itself.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// All pairs whose key begins with `prefix`. Stop at the first error: what follows it cannot be trusted.
    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a>;

    /// The height applied last and its root; `None` for a store that nothing was applied to.
    ///
    /// # Errors
    ///
    /// As for [`StateStore::get`].
    fn meta(&self) -> Result<Option<(u64, Root)>, StoreError>;

    /// Writes `changes`, the height and the root, all or nothing. The first height is 1, or 0 for a genesis state.
    ///
    /// # Errors
    ///
    /// If `height` does not follow the applied one, or the store cannot be written.
    fn apply(&self, height: u64, root: Root, changes: &Changes) -> Result<(), StoreError>;
}

/// Why the index could not be used. Every one but [`StoreError::Height`] and
/// [`StoreError::Reserved`] means: quarantine it and rebuild.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store returned an error.
    #[error("index {}: {operation} failed: {source}; it can be rebuilt from the log", path.display())]
    Failed {
        /// The folder.
        path: PathBuf,
        /// What was being done.
        operation: &'static str,
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store panicked, as sled does on damaged files.
    #[error("index {}: {operation} panicked ({message}), its files are damaged; rebuild it from the log", path.display())]
    Panicked {
        /// The folder.
        path: PathBuf,
        /// What was being done.
        operation: &'static str,
        /// The panic's message.
        message: String,
    },
    /// A stored value is not the one that was written.
    #[error("index: the value of key {key} does not match its checksum; rebuild the index from the log")]
    Mismatch {
        /// The key, in printable form.
        key: String,
    },
    /// A height out of order.
    #[error("index: height {given} does not follow the applied height {applied:?}")]
    Height {
        /// The height applied last.
        applied: Option<u64>,
        /// The height asked for.
        given: u64,
    },
    /// The index knows more than the log.
    #[error("index: height {applied} is applied, but the log ends at {log}; rebuild the index from the log")]
    Ahead {
        /// The height applied last.
        applied: u64,
        /// The height of the log.
        log: u64,
    },
    /// Keys under the store's own prefix for its height and root.
    #[error("index: key {key} is reserved")]
    Reserved {
        /// The key, in printable form.
        key: String,
    },
}

/// The key of the height and the root, written in the same batch as the changes they belong to.
pub(super) const META: &[u8] = b"\xffm";

/// Refuses a height that does not follow the applied one, and changes that would write the meta key.
pub(super) fn check(applied: Option<(u64, Root)>, height: u64, changes: &Changes) -> Result<(), StoreError> {
    let applied = applied.map(|(height, _)| height);
    if !follows(applied, height) {
        return Err(StoreError::Height { applied, given: height });
    }
    if changes.contains_key(META) {
        return Err(StoreError::Reserved { key: printable(META) });
    }
    Ok(())
}

/// Whether `height` may come after `applied`.
pub(super) fn follows(applied: Option<u64>, height: u64) -> bool {
    match applied {
        None => height <= 1,
        Some(applied) => applied.checked_add(1) == Some(height),
    }
}

/// A key as text: ASCII as it is, other bytes escaped.
pub(super) fn printable(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}

/// Runs `work`; a panic inside becomes its message. For engines that panic on damaged data.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What the closure leaves half-done after a panic is not used again: the caller reports damage.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
    })
}

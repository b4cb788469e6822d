//! What a node keeps on disk, as opaque bytes: heights, keys and values, no meaning.
//!
//! Two stores of very different standing:
//!
//! ```text
//!   log      append-only, checksummed, fsynced: THE TRUTH       log.rs over files.rs
//!   index    state by key, and the tree above it: REBUILDABLE   state.rs, index.rs (sled), memory.rs, tree.rs
//! ```
//!
//! An entry is acknowledged when [`Log::append`] returns. The index follows, one atomic batch per height
//! ([`StateStore::apply`]) that carries the changed values, the changed tree nodes, the height and the root, so it
//! always stands at exactly one height of the log, or is damaged.
//!
//! # Applying a height
//!
//! 1. `log.append(height, payload)`: from here on the entry cannot be lost.
//! 2. `let (root, nodes) = tree::commit(&index, height, &changes)?`, and compare `root` with the one the block names.
//! 3. `index.apply(height, root, &batch)` where `batch` is `changes` with `nodes`.
//!
//! # Starting
//!
//! | index | then |
//! | --- | --- |
//! | does not open, or a read fails | quarantine, rebuild from height 1 |
//! | ahead of the log | quarantine, rebuild from height 1 |
//! | at a height of the log, but with another root, or [`tree::audit`] disagrees | quarantine, rebuild from height 1 |
//! | behind the log | replay the missing heights |
//! | level with the log | nothing |
//!
//! [`open_or_rebuild`] does the first, second and fourth line and the replay; the comparison of roots needs to know
//! what a block says, so it belongs to the caller's callback. The index is never repaired in place, and nothing is
//! deleted: a suspect folder moves to `quarantine/<n>` beside it. A damaged *log* is never rebuilt from the index: it
//! stops the node with the file, offset and height, and is restored from a peer or a backup.

mod acknowledged;
mod audit;
mod files;
mod index;
mod log;
mod memory;
mod record;
mod recover;
mod report;
mod scan;
mod state;
pub mod tree;

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod testing;
#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;

pub use files::{DiskFiles, File, Files, Lock};
pub use index::Index;
pub use log::{Entries, Log, LogError, MAX_PAYLOAD, Options, Recovery, TornTail};
pub use memory::MemoryIndex;
pub use recover::{OpenError, Replay, Start, open_or_rebuild};
pub use state::{Changes, Pair, Root, Scan, StateStore, StoreError};
pub use tree::{ProofError, Proven, TreeError};

//! Opening the index beside the log: replay what it lacks, or set it aside and rebuild it.

use std::error::Error;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::index::Index;
use super::log::{Log, LogError};
use super::state::{Root, StateStore, StoreError};

/// What the store cannot know: the meaning of a payload.
pub trait Replay {
    /// Why a payload could not be checked or applied.
    type Error: Error;

    /// Called with an index to which nothing was applied, before height 1: the place to apply a genesis state.
    ///
    /// # Errors
    ///
    /// If the genesis state cannot be applied.
    fn begin(&mut self, index: &Index) -> Result<(), Self::Error>;

    /// Whether `root` is the state root after `height`, whose payload is given; also the place for
    /// [`audit`](super::tree::audit).
    ///
    /// # Errors
    ///
    /// If it is not: the index is then set aside and rebuilt.
    fn check(&mut self, index: &Index, height: u64, root: &Root, payload: &[u8]) -> Result<(), Self::Error>;

    /// Applies the payload of `height` to the index, which stands at the height before.
    ///
    /// # Errors
    ///
    /// If it does not lead to the root that the block names, or the index fails.
    fn apply(&mut self, index: &Index, height: u64, payload: Vec<u8>) -> Result<(), Self::Error>;
}

/// How the index was brought level with the log.
#[derive(Debug)]
pub enum Start {
    /// It was level.
    Level,
    /// Heights after this one were replayed.
    Behind(u64),
    /// It was rebuilt from height 1.
    Rebuilt {
        /// Why, in words for the operator.
        reason: String,
        /// Where the old one lies, if there was one.
        quarantine: Option<PathBuf>,
    },
}

/// Why no index could be opened or rebuilt.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError<E: Error> {
    /// The log is open for reading only, so another process may be using the index.
    #[error("the index can be opened only beside a log that is open for writing")]
    ReadOnly,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A fresh index fails: a matter of the disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A payload of the log does not apply to the state that the log itself leads to.
    #[error("height {height} of the log does not replay: {source}")]
    Replay {
        /// The height, 0 for the genesis state.
        height: u64,
        /// What it said.
        source: E,
    },
}

/// Opens the index in `dir` and brings it level with the log; on any doubt about it, quarantines and rebuilds it.
///
/// # Errors
///
/// If the log cannot be read, or an index rebuilt from nothing fails too.
pub fn open_or_rebuild<R: Replay>(
    log: &Log,
    dir: &Path,
    replay: &mut R,
) -> Result<(Index, Start), OpenError<R::Error>> {
    if !log.is_writer() {
        return Err(OpenError::ReadOnly);
    }
    let reason = match open_and_follow(log, dir, replay) {
        Ok(opened) => return Ok(opened),
        Err(OpenError::Log(error)) => return Err(OpenError::Log(error)),
        Err(doubt) => doubt.to_string(),
    };
    tracing::warn!(dir = %dir.display(), reason, "rebuilding the index from the log");
    let quarantine = Index::quarantine(dir)?;
    let index = Index::open(dir)?;
    follow(log, &index, replay, None)?;
    Ok((index, Start::Rebuilt { reason, quarantine }))
}

fn open_and_follow<R: Replay>(
    log: &Log,
    dir: &Path,
    replay: &mut R,
) -> Result<(Index, Start), OpenError<R::Error>> {
    let index = Index::open(dir)?;
    let meta = index.meta()?;
    if let Some((height, root)) = meta {
        if height > log.height() {
            // The log is the truth: what the index knows beyond it may be of another history.
            return Err(StoreError::Ahead { applied: height, log: log.height() }.into());
        }
        let payload = log.read(height)?;
        let check = |payload: Vec<u8>| replay.check(&index, height, &root, &payload);
        payload.map_or(Ok(()), check).map_err(|source| OpenError::Replay { height, source })?;
    }
    let applied = meta.map(|(height, _)| height);
    follow(log, &index, replay, applied)?;
    let level = applied.unwrap_or(0) == log.height();
    Ok((index, if level { Start::Level } else { Start::Behind(applied.unwrap_or(0)) }))
}

fn follow<R: Replay>(
    log: &Log,
    index: &Index,
    replay: &mut R,
    applied: Option<u64>,
) -> Result<(), OpenError<R::Error>> {
    if applied.is_none() {
        replay.begin(index).map_err(|source| OpenError::Replay { height: 0, source })?;
    }
    for entry in log.iter(applied.unwrap_or(0).saturating_add(1)) {
        let (height, payload) = entry?;
        replay.apply(index, height, payload).map_err(|source| OpenError::Replay { height, source })?;
    }
    Ok(())
}

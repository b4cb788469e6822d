//! What the log tells: what it found at opening, and why it could not do what was asked.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::files::Files;
use super::record::MAX_PAYLOAD;

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a torn tail must be told to the operator"]
pub struct Recovery {
    /// The height of the last whole record.
    pub height: u64,
    /// The torn append that was cut, if there was one.
    pub torn: Option<TornTail>,
}

/// A torn append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub file: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// How much was cut.
    pub bytes: u64,
    /// The height of the record that is not there: fetch it from a peer if the chain has it.
    pub height: u64,
    /// All bytes of the record seemed to be there, with a wrong checksum: a torn write, or, if the last note of what
    /// was acknowledged went with the power too, damage to an acknowledged record.
    pub complete: bool,
}

impl fmt::Display for TornTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, bytes, height, complete } = self;
        let file = file.display();
        write!(
            f,
            "{file}: {bytes} bytes cut at {offset}, an append of height {height} that was not acknowledged"
        )?;
        if *complete {
            write!(
                f,
                "; it had its full length, so if the disk is suspect compare height {height} with a peer"
            )?;
        }
        Ok(())
    }
}

/// Why the log could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file system refused.
    #[error("log {}: {operation} failed: {source}", file.display())]
    Io {
        /// The file or the folder.
        file: PathBuf,
        /// What was being done.
        operation: &'static str,
        /// What the file system said.
        source: io::Error,
    },
    /// No room: the record was not written and the log is as before.
    #[error("log {}: the disk or quota is full, height {height} was not written; make room and try again", file.display())]
    Full {
        /// The segment.
        file: PathBuf,
        /// The height that was to be appended.
        height: u64,
    },
    /// Stored bytes are not what was written.
    #[error(
        "log {} at byte {offset}: height {height} {what}; restore this segment from a peer or a backup \
         (nothing was changed)", file.display()
    )]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// Where.
        offset: u64,
        /// The height that cannot be read.
        height: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Another process writes this log.
    #[error("log {} is in use by another process; one node per folder", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The append does not follow.
    #[error("height {given} cannot be appended after height {last}")]
    Height {
        /// The last height of the log.
        last: u64,
        /// The height asked for.
        given: u64,
    },
    /// The payload is over [`MAX_PAYLOAD`].
    #[error("a payload of {bytes} bytes is over the maximum of {MAX_PAYLOAD}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Opened for reading.
    #[error("the log was opened for reading only")]
    ReadOnly,
    /// An earlier failure left the end of the file unknown.
    #[error("the log stopped after an earlier write failure; open it again to recover")]
    Stopped,
}

impl LogError {
    pub(super) fn io(files: &dyn Files, name: &str, operation: &'static str, source: io::Error) -> Self {
        Self::Io { file: files.path(name), operation, source }
    }
}

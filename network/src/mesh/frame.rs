//! Frames on streams: a lane byte at the start of a stream, then `length u32 | bytes`, each length within the lane's.

use crate::wire::{MAX_ITEM, MAX_LARGE, MAX_SMALL};
use quinn::{SendStream, WriteError};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// Votes and whatever else is small: one stream, in order, for as long as the connection lasts.
    Small,
    /// A block: a stream of its own.
    Large,
    /// An item of the pool: a stream of its own, and whoever has no time for it may drop it.
    Item,
}

impl Lane {
    pub(super) const ALL: [Self; 3] = [Self::Small, Self::Large, Self::Item];

    fn byte(self) -> u8 {
        match self {
            Self::Small => 1,
            Self::Large => 2,
            Self::Item => 3,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.byte() == byte)
    }

    fn limit(self) -> usize {
        match self {
            Self::Small => MAX_SMALL,
            Self::Large => MAX_LARGE,
            Self::Item => MAX_ITEM,
        }
    }

    /// Whether the stream ends after one frame.
    pub(crate) fn is_single(self) -> bool {
        self != Self::Small
    }

    pub(super) fn priority(self) -> i32 {
        match self {
            Self::Small => 2,
            Self::Large => 1,
            Self::Item => 0,
        }
    }

    /// Frames that wait to be sent to one peer; what does not fit is dropped.
    pub(super) fn queue(self) -> usize {
        match self {
            Self::Small => 1024,
            Self::Large => 16,
            Self::Item => 64,
        }
    }
}

/// Why a stream is not read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a stream of unknown purpose {0}")]
    Purpose(u8),
    #[error("a frame of {announced} bytes where {limit} are the most")]
    TooLarge { announced: usize, limit: usize },
    #[error("a stream that ends within a frame")]
    Cut,
    #[error(transparent)]
    Read(#[from] io::Error),
}

impl FrameError {
    /// Whether the peer does what no member does, so that the connection is closed.
    pub(crate) fn is_violation(&self) -> bool {
        matches!(self, Self::Purpose(_) | Self::TooLarge { .. })
    }
}

/// Reads what a stream is for; `None` when it ends before.
pub(crate) async fn read_lane(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Lane>, FrameError> {
    let mut byte = [0];
    match stream.read(&mut byte).await? {
        1 => Lane::from_byte(byte[0]).map(Some).ok_or(FrameError::Purpose(byte[0])),
        _ => Ok(None),
    }
}

/// Reads one frame; `None` when the stream ends before it. Memory grows with what has come, not with what is
/// announced.
pub(crate) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
    lane: Lane,
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = Vec::with_capacity(4);
    match (&mut *stream).take(4).read_to_end(&mut length).await? {
        0 => return Ok(None),
        4 => {}
        _ => return Err(FrameError::Cut),
    }
    let length = length.first_chunk().copied().unwrap_or_default();
    let (announced, limit) =
        (usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX), lane.limit());
    if announced > limit {
        return Err(FrameError::TooLarge { announced, limit });
    }
    let mut frame = Vec::new();
    (&mut *stream).take(u64::from(u32::from_le_bytes(length))).read_to_end(&mut frame).await?;
    if frame.len() == announced { Ok(Some(frame)) } else { Err(FrameError::Cut) }
}

/// Says what a new stream is for.
pub(super) async fn write_lane(stream: &mut SendStream, lane: Lane) -> Result<(), WriteError> {
    stream.write_all(&[lane.byte()]).await
}

/// Writes one frame.
pub(super) async fn write_frame(stream: &mut SendStream, frame: &[u8]) -> Result<(), WriteError> {
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    stream.write_all(&length.to_le_bytes()).await?;
    stream.write_all(frame).await
}

//! How a bank's own programs speak to its running node: a Unix socket in the member's folder that only its owner can open.
//!
//! One request per connection; a frame is a length (4 bytes, little-endian, bounded) and canonical bytes.

use anyhow::{Context as _, Result, bail};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_ledger::{batch, names::Hash};
use std::path::Path;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

/// Most bytes of a frame: a batch and a little.
const MAX_FRAME: u32 = (batch::MAX_BYTES as u32).saturating_add(1024);

/// What is asked of a node.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Request {
    /// How it stands.
    Status,
    /// Book this transaction; answered when it is decided.
    Submit(Vec<u8>),
    /// Stop, in good order.
    Stop,
}

/// What the node answers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Response {
    /// How it stands.
    Status(Status),
    /// It is booked: durable on this node, decided by the members.
    Booked {
        /// Height of the block.
        height: u64,
    },
    /// It is refused.
    Refused {
        /// Number of the rejection.
        code: u8,
        /// In words.
        reason: String,
    },
    /// The node is stopping; ask again when it runs.
    Stopping,
}

/// How a node stands.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Status {
    /// Height of the last block.
    pub height: u64,
    /// Its state root.
    pub state: Hash,
    /// Connected members.
    pub peers: Vec<String>,
    /// Transactions that wait to be ordered.
    pub waiting: u64,
    /// The epoch that ended last; 0 before the first.
    pub epoch: u64,
    /// Banks that have attested it.
    pub attested: Vec<String>,
    /// What does not add up, in words: on a regulator's node.
    pub alarms: Vec<String>,
}

/// Asks a node.
///
/// # Errors
/// When it does not run, or the connection breaks.
pub async fn ask(socket: &Path, request: &Request) -> Result<Response> {
    let mut stream = UnixStream::connect(socket).await.with_context(|| {
        format!("no node listens at {}; start it with `counterfoil node --home …`", socket.display())
    })?;
    write_frame(&mut stream, request).await?;
    read_frame(&mut stream).await.context("the node broke off")
}

/// Asks how a node stands.
///
/// # Errors
/// As [`ask`].
pub async fn status(socket: &Path) -> Result<Status> {
    match ask(socket, &Request::Status).await? {
        Response::Status(status) => Ok(status),
        other => bail!("the node answered {other:?}"),
    }
}

/// Reads one frame.
///
/// # Errors
/// When it is too long, cut off, or not canonical.
pub async fn read_frame<T: BorshDeserialize>(stream: &mut UnixStream) -> Result<T> {
    let length = stream.read_u32_le().await?;
    // The bound comes before the allocation.
    if length > MAX_FRAME {
        bail!("a frame of {length} bytes is longer than {MAX_FRAME}");
    }
    let mut bytes = vec![0; usize::try_from(length)?];
    stream.read_exact(&mut bytes).await?;
    Ok(borsh::from_slice(&bytes)?)
}

/// Writes one frame.
///
/// # Errors
/// When the connection breaks.
pub async fn write_frame(stream: &mut UnixStream, value: &impl BorshSerialize) -> Result<()> {
    let bytes = borsh::to_vec(value)?;
    stream.write_u32_le(u32::try_from(bytes.len())?).await?;
    stream.write_all(&bytes).await?;
    Ok(())
}

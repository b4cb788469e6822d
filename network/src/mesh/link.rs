//! One live connection to a peer: its queues, its writers and its readers.

use super::{
    Event, Inboxes,
    frame::{FrameError, Lane, read_frame, read_lane, write_frame, write_lane},
};
use counterfoil_crypto::identity::PublicIdentity;
use quinn::{Connection, RecvStream, SendStream, VarInt, WriteError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

/// Why this node closes a connection; for the other side's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    Shutdown,
    /// There is another connection between the two.
    Replaced,
    /// The peer has sent what no member sends.
    Violation,
    /// The peer does not read.
    Slow,
}

impl Close {
    pub(super) fn code(self) -> VarInt {
        VarInt::from_u32(match self {
            Self::Shutdown => 0,
            Self::Replaced => 1,
            Self::Violation => 2,
            Self::Slow => 3,
        })
    }
}

/// A frame of the ordered stream must be taken within this time, or the connection is closed.
const SMALL_PATIENCE: Duration = Duration::from_secs(20);
/// A block or item must pass within this time, or its stream is given up.
const LARGE_PATIENCE: Duration = Duration::from_secs(60);

/// The sending side: one bounded queue per lane.
#[derive(Clone)]
pub(super) struct Queues([mpsc::Sender<Arc<[u8]>>; 3]);

impl Queues {
    /// Queues a frame, or drops it when the peer is too slow: consensus waits for nobody.
    pub(super) fn push(&self, lane: Lane, frame: Arc<[u8]>) -> bool {
        let queue = Lane::ALL.iter().zip(&self.0).find(|(l, _)| **l == lane);
        queue.is_some_and(|(_, queue)| queue.try_send(frame).is_ok())
    }
}

/// Starts the writers of a connection; they end with it.
pub(super) fn writers(connection: &Connection, tasks: &mut JoinSet<()>) -> Queues {
    Queues(Lane::ALL.map(|lane| {
        let (sender, receiver) = mpsc::channel(lane.queue());
        let connection = connection.clone();
        if lane.is_single() {
            tasks.spawn(write_objects(connection, lane, receiver));
        } else {
            tasks.spawn(async move {
                // An error here is the end of the connection, which the reading side reports.
                let _ = write_in_order(&connection, lane, receiver).await;
            });
        }
        sender
    }))
}

async fn open(connection: &Connection, lane: Lane) -> Result<SendStream, WriteError> {
    let mut stream = connection.open_uni().await.map_err(WriteError::ConnectionLost)?;
    // Fails only for a stream that is already closed.
    let _ = stream.set_priority(lane.priority());
    write_lane(&mut stream, lane).await?;
    Ok(stream)
}

async fn write_in_order(
    connection: &Connection,
    lane: Lane,
    mut queue: mpsc::Receiver<Arc<[u8]>>,
) -> Result<(), WriteError> {
    let mut stream = open(connection, lane).await?;
    while let Some(frame) = queue.recv().await {
        match timeout(SMALL_PATIENCE, write_frame(&mut stream, &frame)).await {
            Ok(written) => written?,
            Err(_) => connection.close(Close::Slow.code(), b"the votes are not read"),
        }
    }
    Ok(())
}

async fn write_objects(connection: Connection, lane: Lane, mut queue: mpsc::Receiver<Arc<[u8]>>) {
    while let Some(frame) = queue.recv().await {
        let write = async {
            let mut stream = open(&connection, lane).await?;
            write_frame(&mut stream, &frame).await?;
            // Fails only for a stream that is already closed.
            let _ = stream.finish();
            Ok::<_, WriteError>(())
        };
        match timeout(LARGE_PATIENCE, write).await {
            Ok(Ok(())) => {}
            Ok(Err(WriteError::ConnectionLost(_))) => return,
            Ok(Err(error)) => tracing::debug!(?lane, %error, "a large object was not sent"),
            Err(_) => tracing::debug!(?lane, "a large object was not taken in time"),
        }
    }
}

/// Reads all streams of a connection until it ends.
pub(super) async fn read_all(connection: &Connection, peer: PublicIdentity, inboxes: &Inboxes) {
    let mut streams = JoinSet::new();
    let ordered = Arc::new(AtomicBool::new(false));
    while let Ok(stream) = connection.accept_uni().await {
        while streams.try_join_next().is_some() {}
        let (connection, inboxes, ordered) = (connection.clone(), inboxes.clone(), Arc::clone(&ordered));
        streams.spawn(async move {
            match read_stream(stream, peer, &inboxes, &ordered).await {
                Err(error) if error.is_violation() => {
                    tracing::warn!(%peer, %error, "closed the connection");
                    connection.close(Close::Violation.code(), error.to_string().as_bytes());
                }
                Err(error) => tracing::debug!(%peer, %error, "a stream was not read to its end"),
                Ok(()) => {}
            }
        });
    }
}

async fn read_stream(
    mut stream: RecvStream,
    peer: PublicIdentity,
    inboxes: &Inboxes,
    ordered: &AtomicBool,
) -> Result<(), FrameError> {
    let lane = match timeout(LARGE_PATIENCE, read_lane(&mut stream)).await {
        Ok(lane) => lane?,
        Err(_) => None,
    };
    match lane {
        None => Ok(()),
        // A second ordered stream would be no order.
        Some(Lane::Small) if ordered.swap(true, Ordering::Relaxed) => Err(FrameError::Purpose(1)),
        Some(Lane::Small) => {
            while let Some(frame) = read_frame(&mut stream, Lane::Small).await? {
                inboxes.put(Lane::Small, Event::Message(peer, frame)).await;
            }
            Ok(())
        }
        Some(lane) => match timeout(LARGE_PATIENCE, read_frame(&mut stream, lane)).await {
            Ok(frame) => {
                if let Some(frame) = frame? {
                    inboxes.put(lane, Event::Message(peer, frame)).await;
                }
                Ok(())
            }
            // Dropping the stream tells the sender to stop.
            Err(_) => Ok(()),
        },
    }
}

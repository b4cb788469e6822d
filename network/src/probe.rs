//! This crate from outside, for tests and fuzzing: its decoders, and one member without sockets, clock or disk.
//!
//! A node uses nothing of this module. What stands here adds no way to do what the crate does not do anyway: bytes go in
//! where a peer's or the disk's would, and what came of them is shown.

use crate::{
    app::{Application, Fatal},
    journal::{FileJournal, Journal, JournalError},
    mesh::frame::{read_frame, read_lane},
    replica::{Effect, Record, Replica, Timeouts, Timer},
    roster::Roster,
    wire::{Decided, Message},
};
use borsh::BorshDeserialize as _;
use counterfoil_crypto::identity::{Identity, PublicIdentity};
use std::{
    collections::{BTreeSet, VecDeque},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::io::AsyncRead;

/// Reads a peer's message and encodes it again; `None` when it is not understood.
#[must_use]
pub fn message(bytes: &[u8]) -> Option<Vec<u8>> {
    Message::decode(bytes).ok().map(|message| message.encode().to_vec())
}

/// Reads a record of the journal and encodes it again; `None` when it is not understood.
#[must_use]
pub fn record(bytes: &[u8]) -> Option<Vec<u8>> {
    borsh::to_vec(&Record::try_from_slice(bytes).ok()?).ok()
}

/// What a stream of a peer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames {
    /// The whole frames, in order.
    pub frames: Vec<Vec<u8>>,
    /// Whether the stream ended where a stream may end.
    pub whole: bool,
    /// Whether it broke the rules, so that a node would close the connection.
    pub violation: bool,
}

/// Reads a stream to its end, or to where a node would give it up.
pub async fn frames(stream: &mut (impl AsyncRead + Unpin)) -> Frames {
    let mut read = Frames { frames: Vec::new(), whole: true, violation: false };
    let lane = match read_lane(stream).await {
        Ok(Some(lane)) => lane,
        Ok(None) => return read,
        Err(error) => return Frames { whole: false, violation: error.is_violation(), ..read },
    };
    loop {
        match read_frame(stream, lane).await {
            Ok(Some(frame)) => read.frames.push(frame),
            Ok(None) => return read,
            Err(error) => return Frames { whole: false, violation: error.is_violation(), ..read },
        }
    }
}

/// Writes a journal of a height into an empty folder.
///
/// # Errors
/// [`JournalError`] when the file system fails.
pub fn write_journal(folder: &Path, height: u64, records: &[Vec<u8>]) -> Result<(), JournalError> {
    let mut journal = FileJournal::open(folder, height)?;
    for record in records {
        journal.append(record)?;
        journal.flush()?;
    }
    Ok(())
}

/// The records of the journal in a folder, as a node finds them when it starts.
///
/// # Errors
/// [`JournalError`] when durable records are damaged, or the file system fails.
pub fn read_journal(folder: &Path) -> Result<Vec<Vec<u8>>, JournalError> {
    Ok(FileJournal::open(folder, 1)?.take_records())
}

/// One member: its part in ordering, with an application, and a journal in memory. Time stands still: a time-out passes
/// when it is told to.
pub struct Member {
    roster: Arc<Roster>,
    identity: Identity,
    app: Arc<dyn Application>,
    journal: MemoryJournal,
    replica: Replica,
    timers: BTreeSet<Timer>,
}

impl Member {
    /// A member that has just started.
    ///
    /// # Errors
    /// [`Fatal`] as for a node.
    pub fn start(roster: Arc<Roster>, identity: Identity, app: Arc<dyn Application>) -> Result<Self, Fatal> {
        let journal = MemoryJournal::default();
        let replica = replica(&roster, &identity, &journal, &app);
        let mut member = Self { roster, identity, app, journal, replica, timers: BTreeSet::new() };
        member.restart()?;
        Ok(member)
    }

    /// Stops it and starts it again; what was not durable is lost. Returns what it sends.
    ///
    /// # Errors
    /// [`Fatal`] as for a node.
    pub fn restart(&mut self) -> Result<Vec<Vec<u8>>, Fatal> {
        self.journal.lock().volatile.clear();
        self.timers.clear();
        self.replica = replica(&self.roster, &self.identity, &self.journal, &self.app);
        let effects = self.replica.start()?;
        self.carry_out(effects)
    }

    /// A peer's message comes. Returns what is sent.
    ///
    /// # Errors
    /// [`Fatal`] as for a node.
    pub fn receive(&mut self, from: PublicIdentity, message: &[u8]) -> Result<Vec<Vec<u8>>, Fatal> {
        let effects = self.replica.receive(from, message)?;
        self.carry_out(effects)
    }

    /// A peer is connected, or gone. Returns what is sent.
    ///
    /// # Errors
    /// [`Fatal`] as for a node.
    pub fn link(&mut self, peer: PublicIdentity, up: bool) -> Result<Vec<Vec<u8>>, Fatal> {
        let effects = if up { self.replica.connected(peer) } else { self.replica.disconnected(&peer) }?;
        self.carry_out(effects)
    }

    /// A second passes, or, with a number, the time-out of this number among those that are set. Returns what is sent.
    ///
    /// # Errors
    /// [`Fatal`] as for a node.
    pub fn time(&mut self, elapsed: Option<usize>) -> Result<Vec<Vec<u8>>, Fatal> {
        let timer = elapsed.and_then(|number| self.timers.iter().nth(number).copied());
        let effects = match (elapsed, timer) {
            (Some(_), None) => return Ok(Vec::new()),
            (Some(_), Some(timer)) => {
                self.timers.remove(&timer);
                self.replica.elapsed(timer)
            }
            (None, _) => self.replica.tick(),
        }?;
        self.carry_out(effects)
    }

    /// The pool has something for a block. Returns what is sent.
    ///
    /// # Errors
    /// [`Fatal`] as for a node.
    pub fn wake(&mut self) -> Result<Vec<Vec<u8>>, Fatal> {
        let effects = self.replica.wake()?;
        self.carry_out(effects)
    }

    /// Does what the replica wants done, as a node does, and gives it the answers.
    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Vec<Vec<u8>>, Fatal> {
        let (mut sent, mut effects) = (Vec::new(), VecDeque::from(effects));
        while let Some(effect) = effects.pop_front() {
            let more = match effect {
                Effect::Broadcast(message) | Effect::Send(_, message) => {
                    sent.push(message.encode().to_vec());
                    Vec::new()
                }
                Effect::SetTimer(timer, _) => {
                    self.timers.insert(timer);
                    Vec::new()
                }
                Effect::CancelTimer(timer) => {
                    self.timers.remove(&timer);
                    Vec::new()
                }
                Effect::CancelTimers => {
                    self.timers.clear();
                    Vec::new()
                }
                Effect::Propose { height, round } => {
                    self.replica.proposed(height, round, self.app.propose(height))?
                }
                Effect::Verify { height, id, block } => {
                    let valid = self.app.verify(height, &block).is_ok();
                    self.replica.verified(height, id, valid)?
                }
                Effect::Commit { block, certificate } => {
                    self.app.commit(certificate.height, &block, &certificate)?;
                    self.replica.committed(certificate.height, self.app.waiting())?
                }
                Effect::Serve { height, .. } => {
                    let decided = self.app.decided(height).map(|(block, c)| Decided::new(block, c));
                    sent.extend(decided.map(|decided| Message::Decided(decided).encode().to_vec()));
                    Vec::new()
                }
                Effect::Evidence { .. } => Vec::new(),
            };
            effects.extend(more);
        }
        Ok(sent)
    }
}

fn replica(
    roster: &Arc<Roster>,
    identity: &Identity,
    journal: &MemoryJournal,
    app: &Arc<dyn Application>,
) -> Replica {
    let (journal, timeouts) = (Box::new(journal.clone()), Timeouts::default());
    Replica::new(Arc::clone(roster), identity.clone(), timeouts, journal, Arc::clone(app))
}

#[derive(Default)]
struct Disk {
    height: u64,
    durable: Vec<Vec<u8>>,
    volatile: Vec<Vec<u8>>,
}

/// A journal that outlives its replica, and forgets what was not flushed.
#[derive(Clone, Default)]
struct MemoryJournal(Arc<Mutex<Disk>>);

impl MemoryJournal {
    fn lock(&self) -> std::sync::MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn height(&self) -> u64 {
        self.lock().height
    }
    fn take_records(&mut self) -> Vec<Vec<u8>> {
        self.lock().durable.clone()
    }
    fn append(&mut self, record: &[u8]) -> Result<(), JournalError> {
        self.lock().volatile.push(record.to_vec());
        Ok(())
    }
    fn flush(&mut self) -> Result<(), JournalError> {
        let disk = &mut *self.lock();
        disk.durable.append(&mut disk.volatile);
        Ok(())
    }
    fn begin(&mut self, height: u64) -> Result<(), JournalError> {
        *self.lock() = Disk { height, ..Disk::default() };
        Ok(())
    }
}

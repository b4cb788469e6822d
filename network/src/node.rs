//! The loop of a node: gives the replica what comes, and does what it wants done.
//!
//! The replica runs on a thread of its own, because the journal makes it wait for the disk. The application works on
//! blocking threads. All of it lives in a runtime of its own, so that nothing else in the process can starve it.

mod work;

use crate::{
    app::{Application, Fatal},
    journal::{FileJournal, JournalError},
    mesh::{Event, Lane, Mesh, MeshError, Receivers},
    replica::{Effect, Replica, Timeouts, Timer},
    roster::{Roster, RosterError},
    wire::{BlockId, MAX_ITEM, Message},
};
use counterfoil_crypto::identity::{Identity, PublicIdentity};
use std::{
    collections::BTreeMap,
    future::pending,
    io,
    net::{SocketAddr, UdpSocket},
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    sync::{Notify, Semaphore, mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use work::{OFFER_SECONDS, SERVED, VERIFICATIONS, admit};

/// What a node needs to take part.
#[derive(Debug)]
pub struct Config {
    /// The members.
    pub roster: Roster,
    /// This member's key: a validator's or an observer's.
    pub identity: Identity,
    /// A bound UDP socket; may be inherited.
    pub socket: UdpSocket,
    /// Where to dial other members. A pair needs the address on one side only.
    pub peers: Vec<(PublicIdentity, SocketAddr)>,
    /// A folder for the journal of votes. It must not be shared, copied or restored from a backup.
    pub journal_dir: PathBuf,
    /// How long rounds wait.
    pub timeouts: Timeouts,
}

/// Why a node does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The roster orders nothing.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// A key that should be in the roster is not.
    #[error("{member} is not in the roster")]
    NotAMember {
        /// The key.
        member: PublicIdentity,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The connections cannot be started.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// A thread or the runtime cannot be started.
    #[error("the node's threads cannot be started: {0}")]
    Threads(#[source] io::Error),
    /// The application or the journal cannot go on.
    #[error("the node has stopped: {0}")]
    Fatal(#[from] Fatal),
    /// The node's thread has ended without a word: a defect.
    #[error("the node's thread has died")]
    Died,
}

/// Speaks to a running node. Cheap to clone; dropping it stops nothing.
#[derive(Clone)]
pub struct Handle {
    mesh: Mesh,
    wake: Arc<Notify>,
    stop: Arc<watch::Sender<bool>>,
}

impl Handle {
    /// Sends an item that this node's pool already has to all connected peers, and sees to it that a block is made.
    /// An item of more than [`MAX_ITEM`] bytes goes nowhere: it waits for this node's own turn to propose.
    pub fn offer(&self, item: Arc<[u8]>) {
        if item.len() <= MAX_ITEM {
            self.mesh.broadcast(Lane::Item, &item);
        } else {
            tracing::error!(bytes = item.len(), "an item is too large to be sent to the peers");
        }
        self.wake.notify_one();
    }

    /// The members that are connected now.
    #[must_use]
    pub fn peers(&self) -> Vec<PublicIdentity> {
        self.mesh.peers()
    }

    /// Asks the node to stop; [`Stopped`] says when it has.
    pub fn shutdown(&self) {
        self.stop.send_replace(true);
    }
}

/// Resolves when the node has stopped: `Ok` after [`Handle::shutdown`]. Nothing calls the application's
/// [`Application::commit`] any more then. May be awaited in any runtime.
#[derive(Debug)]
pub struct Stopped(oneshot::Receiver<Result<(), NetworkError>>);

impl Future for Stopped {
    type Output = Result<(), NetworkError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|word| word.unwrap_or(Err(NetworkError::Died)))
    }
}

/// Starts everything.
///
/// # Errors
/// [`NetworkError`] when the configuration names strangers, the journal is damaged, or the system refuses a thread
/// or the socket.
pub fn start(config: Config, app: Arc<dyn Application>) -> Result<(Handle, Stopped), NetworkError> {
    let Config { roster, identity, socket, peers, journal_dir, timeouts } = config;
    roster.check()?;
    let me = identity.public();
    let stranger =
        std::iter::once(&me).chain(peers.iter().map(|p| &p.0)).find(|m| !roster.members().any(|r| r == *m));
    if let Some(member) = stranger {
        return Err(NetworkError::NotAMember { member: *member });
    }
    let peers = peers.into_iter().filter(|(peer, _)| *peer != me).collect();
    let journal = FileJournal::open(&journal_dir, app.height().saturating_add(1))?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).thread_name("counterfoil-net").enable_all().build();
    let runtime = runtime.map_err(NetworkError::Threads)?;
    let (mesh, inbox) = {
        let _within = runtime.enter();
        Mesh::start(&roster, identity.clone(), socket, peers)?
    };
    let replica = Replica::new(Arc::new(roster), identity, timeouts, Box::new(journal), Arc::clone(&app));
    let (wake, (stop, stopping)) = (Arc::new(Notify::new()), watch::channel(false));
    let handle = Handle { mesh: mesh.clone(), wake: Arc::clone(&wake), stop: Arc::new(stop) };
    // The node holds a handle of its own: dropping all others stops nothing.
    let node = Node::new(replica, mesh, app, wake, Arc::clone(&handle.stop));
    let (word, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new().name("counterfoil-order".into());
    thread.spawn(move || live(runtime, node, inbox, stopping, word)).map_err(NetworkError::Threads)?;
    Ok((handle, Stopped(stopped)))
}

/// The life of the node's thread.
fn live(
    runtime: Runtime,
    mut node: Node,
    inbox: Receivers,
    stopping: watch::Receiver<bool>,
    word: oneshot::Sender<Result<(), NetworkError>>,
) {
    let end = runtime.block_on(async {
        let end = node.run(inbox, stopping).await;
        node.mesh.close().await;
        node.finish_commit().await;
        end
    });
    if let Err(error) = &end {
        tracing::error!(%error, "the node stops");
    }
    // Blocking work that is under way (a judgement) is not waited for.
    runtime.shutdown_background();
    // Nobody may be listening.
    let _ = word.send(end.map_err(NetworkError::from));
}

/// What the application has answered.
enum Answer {
    Proposed { height: u64, round: u32, block: Vec<u8> },
    Verified { height: u64, id: BlockId, valid: bool },
    Committed { height: u64, waiting: bool },
    Waiting,
    Failed(Fatal),
}

struct Node {
    replica: Replica,
    mesh: Mesh,
    app: Arc<dyn Application>,
    wake: Arc<Notify>,
    _stop: Arc<watch::Sender<bool>>,
    timers: BTreeMap<Timer, Instant>,
    answers: mpsc::UnboundedSender<Answer>,
    answered: mpsc::UnboundedReceiver<Answer>,
    verifications: Arc<Semaphore>,
    serving: Arc<Semaphore>,
    commit: Option<tokio::task::JoinHandle<()>>,
    seconds: u64,
}

impl Node {
    fn new(
        replica: Replica,
        mesh: Mesh,
        app: Arc<dyn Application>,
        wake: Arc<Notify>,
        stop: Arc<watch::Sender<bool>>,
    ) -> Self {
        // Unbounded, but there is never more in it than was asked of the application.
        let (answers, answered) = mpsc::unbounded_channel();
        let (timers, verifications) = (BTreeMap::new(), Arc::new(Semaphore::new(VERIFICATIONS)));
        let serving = Arc::new(Semaphore::new(SERVED));
        let (commit, seconds) = (None, 0);
        Self {
            replica,
            mesh,
            app,
            wake,
            _stop: stop,
            timers,
            answers,
            answered,
            verifications,
            serving,
            commit,
            seconds,
        }
    }

    async fn run(&mut self, inbox: Receivers, mut stopping: watch::Receiver<bool>) -> Result<(), Fatal> {
        let [mut small, mut large, items] = inbox;
        tokio::spawn(admit(items, Arc::clone(&self.app), Arc::clone(&self.wake)));
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let first = self.replica.start()?;
        self.perform(first);
        loop {
            let due = self.timers.values().min().copied();
            let wake = Arc::clone(&self.wake);
            // Not biased: a flood of one kind must not starve the others.
            let effects = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return Ok(()),
                Some(answer) = self.answered.recv() => self.answer(answer)?,
                Some(event) = small.recv() => self.event(event)?,
                Some(event) = large.recv() => self.event(event)?,
                () = wake.notified() => self.look_into_pool(),
                () = until(due) => self.elapsed()?,
                _ = ticks.tick() => self.tick()?,
            };
            self.perform(effects);
        }
    }

    fn event(&mut self, event: Event) -> Result<Vec<Effect>, Fatal> {
        match event {
            Event::Message(from, bytes) => self.replica.receive(from, &bytes),
            Event::Disconnected(peer) => self.replica.disconnected(&peer),
            Event::Connected(peer) => {
                self.offer_again(Some(peer));
                self.replica.connected(peer)
            }
        }
    }

    fn answer(&mut self, answer: Answer) -> Result<Vec<Effect>, Fatal> {
        match answer {
            Answer::Proposed { height, round, block } => self.replica.proposed(height, round, block),
            Answer::Verified { height, id, valid } => self.replica.verified(height, id, valid),
            Answer::Committed { height, waiting } => self.replica.committed(height, waiting),
            Answer::Waiting => self.replica.wake(),
            Answer::Failed(fatal) => Err(fatal),
        }
    }

    fn tick(&mut self) -> Result<Vec<Effect>, Fatal> {
        self.seconds = self.seconds.wrapping_add(1);
        if self.seconds.is_multiple_of(OFFER_SECONDS) {
            self.offer_again(None);
        }
        self.replica.tick()
    }

    /// All time-outs that are due.
    fn elapsed(&mut self) -> Result<Vec<Effect>, Fatal> {
        let now = Instant::now();
        let due: Vec<_> = self.timers.iter().filter(|(_, at)| **at <= now).map(|(timer, _)| *timer).collect();
        let mut effects = Vec::new();
        for timer in due {
            self.timers.remove(&timer);
            effects.extend(self.replica.elapsed(timer)?);
        }
        Ok(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Broadcast(message) => self.mesh.broadcast(lane_of(&message), &message.encode()),
                Effect::Send(to, message) => drop(self.mesh.send(&to, lane_of(&message), message.encode())),
                Effect::SetTimer(timer, after) => self.set_timer(timer, after),
                Effect::CancelTimer(timer) => drop(self.timers.remove(&timer)),
                Effect::CancelTimers => self.timers.clear(),
                Effect::Propose { height, round } => self.propose(height, round),
                Effect::Verify { height, id, block } => self.verify(height, id, block),
                Effect::Commit { block, certificate } => self.commit(block, certificate),
                Effect::Serve { to, height } => self.serve(to, height),
                Effect::Evidence { height, member } => {
                    tracing::warn!(%member, height, "a validator has contradicted itself");
                }
            }
        }
    }

    fn set_timer(&mut self, timer: Timer, after: Duration) {
        let now = Instant::now();
        self.timers.insert(timer, now.checked_add(after).unwrap_or(now));
    }
}

fn lane_of(message: &Message) -> Lane {
    if message.is_large() { Lane::Large } else { Lane::Small }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;

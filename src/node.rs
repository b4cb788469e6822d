//! The node: where the opaque items that the network orders get their meaning.
//!
//! One lock guards chain and pool; proofs are verified outside it, on the network's blocking threads, once per batch.

use crate::{
    control::{Request, Response, Status, read_frame, write_frame},
    home::{Home, Me},
    pool::{MAX_AHEAD, Pool, Verdicts},
};
use anyhow::{Context as _, Result};
use counterfoil_crypto::quorum::Certificate;
use counterfoil_ledger::{
    batch::{Header, Sealed},
    block::Block,
    chain::{Chain, ChainError, Executed},
    genesis::Role,
    names::{Hash, Lane},
    rejection::Rejection,
    store::Start,
    verify::Verified,
};
use counterfoil_network::{Application, Config, Fatal, Handle, Refused, Roster, Timeouts};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{oneshot, watch},
};

/// How long a proposer with an empty pool waits for what its peers have and it is still verifying. Well below the time
/// that the others give a proposal.
const PROPOSE_PATIENCE: Duration = Duration::from_millis(1500);

type Waiter = oneshot::Sender<Result<u64, Rejection>>;

struct Inner {
    chain: Chain,
    pool: Pool,
    waiters: BTreeMap<Hash, Vec<Waiter>>,
    /// Whether the next block could carry anything: a batch that is ahead of its lane waits without waking anybody.
    ready: bool,
    /// The last block that was executed: most often the one that is decided next.
    executed: Option<(Hash, Executed)>,
}

/// A running member's application: its chain, its pool, its verdicts.
pub struct Node {
    me: Me,
    verdicts: Verdicts,
    inner: Mutex<Inner>,
    arrived: Condvar,
}

impl Node {
    /// Opens the chain of a member.
    ///
    /// # Errors
    /// When it is damaged, or another process has it.
    pub fn open(home: &Home, me: Me) -> Result<Self> {
        let (chain, recovery, start) = Chain::open(&home.chain(), me.consortium.clone())?;
        if let Some(torn) = recovery.torn {
            tracing::warn!(
                height = torn.height,
                bytes = torn.bytes,
                "cut off a write that was never acknowledged"
            );
        }
        if let Start::Rebuilt { reason, .. } = start {
            tracing::warn!(reason, "rebuilt the index from the log");
        }
        let inner =
            Inner { chain, pool: Pool::default(), waiters: BTreeMap::new(), ready: false, executed: None };
        Ok(Self { me, verdicts: Verdicts::default(), inner: Mutex::new(inner), arrived: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked while it held the lock has left memory consistent or not at all changed: every change
        // of the chain is one call that returns its result.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verify_all(&self, block: &Block) -> Result<Vec<Arc<Verified>>, Rejection> {
        let batches: Vec<&[u8]> = block.batches.iter().map(Vec::as_slice).collect();
        self.verdicts.verify_each(&self.me.consortium, &batches).into_iter().collect()
    }

    /// The verdict on a batch that is offered. One that the pool would not take in is refused before any proof is looked
    /// at: peers offer again what they think is missing, and a member could offer what nobody needs.
    fn judge(&self, bytes: &[u8]) -> Result<Arc<Verified>, Rejection> {
        let content = Sealed::from_bytes(bytes)?.batch.content;
        let inner = self.lock();
        let head = inner.head(&content.header).ok_or(Rejection::Backlog)?;
        inner.pool.admits(&content, head)?;
        drop(inner);
        self.verdicts.verify(&self.me.consortium, bytes)
    }

    /// What can be said of a proposed block before any proof is looked at: it comes next, and holds nothing that is booked
    /// already, which no honest proposer puts into it.
    fn plausible(&self, block: &Block) -> Result<(), Rejection> {
        let inner = self.lock();
        if !inner.chain.is_next(&block.header) {
            return Err(Rejection::Sequence);
        }
        for bytes in &block.batches {
            let header = Sealed::from_bytes(bytes)?.batch.content.header;
            if inner.head(&header).is_none_or(|head| header.sequence <= head) {
                return Err(Rejection::Sequence);
            }
        }
        Ok(())
    }

    /// Takes a batch of this bank's own programs; the receiver hears when it is decided.
    fn submit(&self, bytes: &[u8]) -> Result<oneshot::Receiver<Result<u64, Rejection>>, Rejection> {
        let verified = self.judge(bytes)?;
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.lock();
        inner.insert(verified.clone())?;
        inner.waiters.entry(verified.id()).or_default().push(sender);
        inner.settle();
        self.arrived.notify_all();
        Ok(receiver)
    }

    fn status(&self, handle: &Handle) -> Result<Status> {
        let name = |identity| {
            self.me.consortium.member_of(&identity).map(|id| self.me.consortium.name(id).to_owned())
        };
        let peers = handle.peers().into_iter().filter_map(name).collect();
        let inner = self.lock();
        let waiting = u64::try_from(inner.pool.len())?;
        Ok(Status { height: inner.chain.height(), state: inner.chain.state_root()?, peers, waiting })
    }
}

impl Inner {
    /// Takes a verified batch into the pool.
    fn insert(&mut self, verified: Arc<Verified>) -> Result<(), Rejection> {
        // A state that cannot be read stops the node at the next block; until then nothing is taken in.
        let head = self.head(&verified.batch().content.header).ok_or(Rejection::Backlog)?;
        self.pool.insert(verified, head)
    }

    /// Number of the last booked batch in a header's lane.
    fn head(&self, header: &Header) -> Option<u64> {
        let head = self.chain.book().head(header.servicer, header.product, header.kind.lane());
        head.ok().map(|head| head.sequence)
    }

    /// Tells those who wait for a batch.
    fn answer(&mut self, id: &Hash, outcome: Result<u64, Rejection>) {
        for waiter in self.waiters.remove(id).unwrap_or_default() {
            // Whoever asked may have gone away.
            let _ = waiter.send(outcome);
        }
    }

    /// Drops what can never be booked any more. A batch that is ahead of its lane waits for those before it.
    fn settle(&mut self) {
        let candidates = self.pool.candidates();
        let Ok((block, refused)) = self.chain.propose(&candidates) else { return };
        self.ready = !block.batches.is_empty();
        for (id, rejection) in refused {
            let Some(candidate) = candidates.iter().find(|candidate| candidate.id() == id) else { continue };
            if !self.ahead(&candidate.batch().content.header, rejection) {
                for behind in self.pool.drop_from(candidate) {
                    self.answer(&behind, Err(rejection));
                }
            }
        }
    }

    /// Whether a batch is refused only because one that it builds on is still on its way: an earlier one of its lane, or a
    /// top-up that it takes up.
    fn ahead(&self, header: &Header, rejection: Rejection) -> bool {
        match rejection {
            Rejection::Sequence => {
                self.head(header).is_some_and(|head| header.sequence > head.saturating_add(1))
            }
            Rejection::Merge => {
                let book = self.chain.book();
                let top_ups =
                    book.head(header.servicer, header.product, Lane::Reserve).map(|head| head.sequence);
                top_ups
                    .is_ok_and(|last| header.merged > last && header.merged <= last.saturating_add(MAX_AHEAD))
            }
            _ => false,
        }
    }
}

impl Application for Node {
    fn admit(&self, item: &[u8]) -> Result<(), Refused> {
        let verified = self.judge(item).map_err(refused)?;
        let mut inner = self.lock();
        inner.insert(verified).map_err(refused)?;
        inner.settle();
        self.arrived.notify_all();
        Ok(())
    }

    fn pending(&self, max_bytes: usize) -> Vec<Vec<u8>> {
        let mut left = max_bytes;
        let mine = |v: &Arc<Verified>| v.batch().content.header.servicer == self.me.id;
        let fits = |bytes: &Vec<u8>| left.checked_sub(bytes.len()).map(|rest| left = rest).is_some();
        let candidates = self.lock().pool.candidates();
        candidates.into_iter().filter(mine).map(|v| v.bytes().to_vec()).take_while(fits).collect()
    }

    fn waiting(&self) -> bool {
        self.lock().ready
    }

    fn propose(&self, _height: u64) -> Vec<u8> {
        // Somebody woke this height for a batch: an empty block would only be written and forgotten.
        let empty = |inner: &mut Inner| !inner.ready;
        let waited = self.arrived.wait_timeout_while(self.lock(), PROPOSE_PATIENCE, empty);
        let (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let candidates = inner.pool.candidates();
        match inner.chain.propose(&candidates) {
            Ok((block, _)) => block.to_bytes(),
            Err(error) => {
                tracing::error!(%error, "cannot make a block");
                Vec::new()
            }
        }
    }

    fn identify(&self, height: u64, block: &[u8]) -> Result<Hash, Refused> {
        let block = Block::from_bytes(block).map_err(refused)?;
        if block.header.height != height {
            return Err(Refused::new(format!("a block of height {}, not {height}", block.header.height)));
        }
        Ok(block.header.id())
    }

    fn verify(&self, _height: u64, block: &[u8]) -> Result<(), Refused> {
        let block = Block::from_bytes(block).map_err(refused)?;
        self.plausible(&block).map_err(refused)?;
        let batches = self.verify_all(&block).map_err(refused)?;
        let mut inner = self.lock();
        let executed = inner.chain.execute(&block, &batches).map_err(refused)?;
        inner.executed = Some((block.header.id(), executed));
        Ok(())
    }

    fn commit(&self, height: u64, block: &[u8], certificate: &Certificate) -> Result<(), Fatal> {
        let fatal = |error: &dyn std::fmt::Display| Fatal::new(format!("height {height}: {error}"));
        let block = Block::from_bytes(block).map_err(|e| fatal(&e))?;
        // A node that catches up verifies what it gets, like everything else.
        let batches = self.verify_all(&block).map_err(|e| fatal(&e))?;
        let mut inner = self.lock();
        let cached = inner.executed.take().filter(|(id, _)| *id == block.header.id());
        let executed = match cached {
            Some((_, executed)) => executed,
            None => inner.chain.execute(&block, &batches).map_err(|e| fatal(&e))?,
        };
        let decided =
            inner.chain.commit(block, certificate.clone(), executed).map_err(|e: ChainError| fatal(&e))?;
        self.verdicts.forget(&decided.block.batches);
        // What was refused in this block may only have come too early: `settle` tells.
        let booked = batches.iter().zip(&decided.outcomes).filter(|(_, outcome)| outcome.is_none());
        for (verified, _) in booked {
            inner.pool.remove(&verified.id());
            inner.answer(&verified.id(), Ok(height));
        }
        inner.settle();
        tracing::info!(height, batches = batches.len(), "booked");
        Ok(())
    }

    fn decided(&self, height: u64) -> Option<(Vec<u8>, Certificate)> {
        match self.lock().chain.decided(height) {
            Ok(decided) => decided.map(|decided| (decided.block.to_bytes(), decided.certificate)),
            Err(error) => {
                tracing::error!(height, %error, "cannot read the log");
                None
            }
        }
    }

    fn height(&self) -> u64 {
        self.lock().chain.height()
    }
}

fn refused(error: impl std::fmt::Display) -> Refused {
    Refused::new(error.to_string())
}

/// Runs a node until `stop` says so, or it cannot go on.
///
/// # Errors
/// When it cannot start, or a store fails.
pub async fn run(
    home: &Home,
    socket: UdpSocket,
    peers: &BTreeMap<String, String>,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    let me = home.me()?;
    let config = config(home, &me, socket, peers)?;
    let node = Arc::new(Node::open(home, me)?);
    let (handle, stopped) = counterfoil_network::start(config, node.clone())?;
    let listener = listen(home)?;
    tracing::info!(member = node.me.consortium.name(node.me.id), height = node.height(), "the node runs");
    let mut stopped = std::pin::pin!(stopped);
    let for_requests = stop.clone();
    let outcome = loop {
        tokio::select! {
            ended = &mut stopped => break ended,
            connection = listener.accept() => {
                match connection {
                    Ok((stream, _)) => {
                        tokio::spawn(serve(stream, node.clone(), handle.clone(), for_requests.clone()));
                    }
                    // Out of file handles, say: the node goes on ordering.
                    Err(error) => {
                        tracing::warn!(%error, "cannot take a local request");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
            _ = stop.wait_for(|stop| *stop) => {
                handle.shutdown();
                break stopped.await;
            }
        }
    };
    // The socket file goes with the node; a crash leaves it, and the next start replaces it.
    let _ = std::fs::remove_file(home.socket());
    outcome.context("the node has stopped")
}

fn config(home: &Home, me: &Me, socket: UdpSocket, peers: &BTreeMap<String, String>) -> Result<Config> {
    let consortium = &me.consortium;
    let observers = consortium.peers().filter(|(_, peer)| peer.member.role == Role::Regulator);
    let roster = Roster {
        consortium: consortium.id(),
        validators: consortium.validators(),
        observers: observers.map(|(_, peer)| peer.member.identity).collect(),
    };
    let address = |(name, address): (&String, &String)| {
        let id = consortium.member_named(name).with_context(|| format!("peer {name:?} is not a member"))?;
        let peer = consortium.peer(id).context("a member has a record")?;
        let address: SocketAddr = address.parse().with_context(|| {
            format!("peer {name}: {address:?} is not an address and port, as in 10.0.0.7:7000")
        })?;
        Ok((peer.member.identity, address))
    };
    let peers = peers.iter().map(address).collect::<Result<_>>()?;
    let identity = me.keys.identity.clone();
    Ok(Config { roster, identity, socket, peers, journal_dir: home.votes(), timeouts: Timeouts::default() })
}

/// A socket that only its owner can open, in place of one that a crash left.
fn listen(home: &Home) -> Result<UnixListener> {
    let path = home.socket();
    let _ = std::fs::remove_file(&path);
    let listener =
        UnixListener::bind(&path).with_context(|| format!("cannot listen at {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn serve(mut stream: UnixStream, node: Arc<Node>, handle: Handle, mut stop: watch::Receiver<bool>) {
    let answer = async {
        let request = read_frame(&mut stream).await?;
        let response = respond(request, &node, &handle, &mut stop).await?;
        write_frame(&mut stream, &response).await
    };
    if let Err(error) = answer.await {
        tracing::debug!(%error, "a local request broke off");
    }
}

async fn respond(
    request: Request,
    node: &Arc<Node>,
    handle: &Handle,
    stop: &mut watch::Receiver<bool>,
) -> Result<Response> {
    let bytes = match request {
        Request::Status => return Ok(Response::Status(node.status(handle)?)),
        Request::Stop => {
            handle.shutdown();
            return Ok(Response::Stopping);
        }
        Request::Submit(bytes) => bytes,
    };
    let (judge, judged) = (node.clone(), bytes.clone());
    let submitted = tokio::task::spawn_blocking(move || judge.submit(&judged)).await?;
    let mut decision = match submitted {
        Err(rejection) => return Ok(refusal(rejection)),
        Ok(decision) => decision,
    };
    if let Ok(Err(rejection)) = decision.try_recv() {
        // Refused at once: it is not sent to the peers, who might book what was called refused here.
        return Ok(refusal(rejection));
    }
    handle.offer(bytes.into());
    tokio::select! {
        decision = decision => Ok(match decision {
            Ok(Ok(height)) => Response::Booked { height },
            Ok(Err(rejection)) => refusal(rejection),
            Err(_) => Response::Stopping,
        }),
        _ = stop.wait_for(|stop| *stop) => Ok(Response::Stopping),
    }
}

fn refusal(rejection: Rejection) -> Response {
    Response::Refused { code: rejection.code(), reason: rejection.to_string() }
}

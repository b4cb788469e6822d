//! The node: where the opaque items that the network orders get their meaning.
//!
//! One lock guards chain and pool; proofs are verified outside it, on the network's blocking threads, once per batch.

use crate::{
    control::{Request, Response, Status, read_frame, write_frame},
    home::{Home, Me},
    notices::Notices,
    pool::{MAX_AHEAD, Pool, Verdicts},
    totals::{AlarmFile, Watcher},
};
use anyhow::{Context as _, Result, bail};
use counterfoil_crypto::quorum::Certificate;
use counterfoil_ledger::{
    batch::{Header, Sealed},
    block::{Block, Decided},
    chain::{Chain, ChainError, Executed},
    genesis::Role,
    names::{Hash, Lane},
    rejection::Rejection,
    store::Start,
    transaction::{Admitted, Wire, admit_all_with, admit_with},
};
use counterfoil_network::{Application, Config, Fatal, Handle, Refused, Roster, Timeouts};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    path::Path,
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
    notices: Notices,
    waiters: BTreeMap<Hash, Vec<Waiter>>,
    /// Whether the next block could carry anything: a batch that is ahead of its lane waits without waking anybody.
    ready: bool,
    /// The last block that was executed: most often the one that is decided next.
    executed: Option<(Hash, Executed)>,
}

/// A running member's application: its chain, its pool, its verdicts.
pub struct Node {
    me: Me,
    /// The height, for those who follow the chain.
    reached: watch::Sender<u64>,
    /// What a regulator's node found that does not add up.
    alarms: Mutex<Vec<String>>,
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
        let reached = watch::Sender::new(chain.height());
        let inner = Inner {
            chain,
            pool: Pool::default(),
            notices: Notices::default(),
            waiters: BTreeMap::new(),
            ready: false,
            executed: None,
        };
        Ok(Self {
            me,
            reached,
            alarms: Mutex::default(),
            verdicts: Verdicts::default(),
            inner: Mutex::new(inner),
            arrived: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked while it held the lock has left memory consistent or not at all changed: every change
        // of the chain is one call that returns its result.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verify_all(&self, block: &Block) -> Result<Vec<Admitted>, Rejection> {
        let consortium = &self.me.consortium;
        let transactions: Vec<&[u8]> = block.batches.iter().map(Vec::as_slice).collect();
        let admitted = admit_all_with(consortium, &transactions, |batches| {
            self.verdicts.verify_each(consortium, batches)
        });
        admitted.into_iter().collect()
    }

    /// The verdict on a transaction that is offered. A batch that the pool would not take in is refused before any proof is looked
    /// at: peers offer again what they think is missing, and a member could offer what nobody needs.
    fn judge(&self, bytes: &[u8]) -> Result<Admitted, Rejection> {
        admit_with(&self.me.consortium, bytes, |batch| {
            let content = Sealed::from_bytes(batch)?.batch.content;
            let inner = self.lock();
            let head = inner.head(&content.header).ok_or(Rejection::Backlog)?;
            inner.pool.admits(&content, head)?;
            drop(inner);
            self.verdicts.verify(&self.me.consortium, batch)
        })
    }

    /// What can be said of a proposed block before any proof is looked at: it comes next, and holds nothing that is booked
    /// already, which no honest proposer puts into it.
    fn plausible(&self, block: &Block) -> Result<(), Rejection> {
        let inner = self.lock();
        if !inner.chain.is_next(&block.header) {
            return Err(Rejection::Sequence);
        }
        for bytes in &block.batches {
            let Wire::Batch(batch) = Wire::of(bytes)? else { continue };
            let header = Sealed::from_bytes(batch)?.batch.content.header;
            if inner.head(&header).is_none_or(|head| header.sequence <= head) {
                return Err(Rejection::Sequence);
            }
        }
        Ok(())
    }

    /// Takes a batch of this bank's own programs; the receiver hears when it is decided.
    fn submit(&self, bytes: &[u8]) -> Result<oneshot::Receiver<Result<u64, Rejection>>, Rejection> {
        let admitted = self.judge(bytes)?;
        let id = admitted.id();
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.lock();
        inner.insert(admitted)?;
        inner.waiters.entry(id).or_default().push(sender);
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
        let waiting = u64::try_from(inner.pool.len().saturating_add(inner.notices.len()))?;
        let snapshot = inner.chain.book().snapshot()?;
        let epoch = snapshot.as_ref().map_or(0, |snapshot| snapshot.epoch);
        let attested = snapshot.map_or_else(Vec::new, |snapshot| snapshot.attested);
        let banks = self.me.consortium.banks().iter().zip(attested).filter(|(_, attested)| *attested);
        Ok(Status {
            height: inner.chain.height(),
            state: inner.chain.state_root()?,
            peers,
            waiting,
            epoch,
            attested: banks.map(|(bank, _)| self.me.consortium.name(*bank).to_owned()).collect(),
            alarms: self.alarms.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        })
    }

    /// The height, to be waited on.
    fn heights(&self) -> watch::Receiver<u64> {
        self.reached.subscribe()
    }

    /// A decided block with what became of its transactions.
    fn block(&self, height: u64) -> Result<Option<Decided>, ChainError> {
        self.lock().chain.decided(height)
    }

    /// Whether this bank still has to attest an epoch: it is the one that ended last, and neither the state nor the pool has
    /// this bank's word.
    fn owes(&self, epoch: u64) -> Result<bool, ChainError> {
        let inner = self.lock();
        let place = self.me.consortium.bank_index(self.me.id);
        let snapshot = inner.chain.book().snapshot()?.filter(|snapshot| snapshot.epoch == epoch);
        let attested = place.zip(snapshot).and_then(|(place, kept)| kept.attested.get(place).copied());
        Ok(attested == Some(false) && !inner.notices.holds(self.me.id, epoch))
    }

    /// Shows the watcher the blocks after `read`. Returns this bank's attestation, if one is due.
    fn watch(&self, watcher: &mut Watcher, read: &mut u64, folder: &Path) -> Result<Option<Vec<u8>>> {
        while let Some(decided) = self.block(read.saturating_add(1))? {
            for alarm in watcher.read(&self.me.consortium, &decided)? {
                self.raise(&AlarmFile::of(&self.me.consortium, &alarm), folder);
            }
            *read = decided.block.header.height;
        }
        let Some(ended) = watcher.ended() else { return Ok(None) };
        if !self.owes(ended.epoch)? {
            return Ok(None);
        }
        if ended.closed() > 0 {
            tracing::error!(
                epoch = ended.epoch,
                accounts = ended.closed(),
                "a servicer's postings cannot be opened"
            );
        }
        let attestation = ended.attest(&self.me)?;
        if let Ok(Err(rejection)) = self.submit(&attestation)?.try_recv() {
            bail!("the attestation of epoch {} is refused: {rejection}", ended.epoch);
        }
        tracing::info!(epoch = ended.epoch, "attested");
        Ok(Some(attestation))
    }

    /// Raises an alarm: in the log, as a file, and for whoever asks how the node stands. After a restart the file is there.
    fn raise(&self, alarm: &AlarmFile, folder: &Path) {
        tracing::error!(epoch = alarm.epoch, alarm = alarm.alarm, "the control totals do not add up");
        if let Err(error) = alarm.write(folder) {
            tracing::error!(%error, folder = %folder.display(), "cannot write the evidence");
        }
        let words = format!("epoch {}: {}", alarm.epoch, alarm.alarm);
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    }
}

impl Inner {
    /// Takes a verified transaction into the pool.
    fn insert(&mut self, admitted: Admitted) -> Result<(), Rejection> {
        // A state that cannot be read stops the node at the next block; until then nothing is taken in.
        match admitted {
            Admitted::Batch(verified) => {
                let head = self.head(&verified.batch().content.header).ok_or(Rejection::Backlog)?;
                self.pool.insert(verified, head)
            }
            notice => self.notices.insert(notice, self.ended().ok_or(Rejection::Backlog)?),
        }
    }

    /// The epoch that ended last; 0 before the first.
    fn ended(&self) -> Option<u64> {
        let snapshot = self.chain.book().snapshot().ok()?;
        Some(snapshot.map_or(0, |snapshot| snapshot.epoch))
    }

    /// All that waits: notices first, since they are small and batches may fill the block.
    fn candidates(&self) -> Vec<Admitted> {
        let batches = self.pool.candidates().into_iter().map(Admitted::Batch);
        self.notices.candidates().into_iter().chain(batches).collect()
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
        let candidates = self.candidates();
        let Ok((block, refused)) = self.chain.propose(&candidates) else { return };
        self.ready = !block.batches.is_empty();
        for (id, rejection) in refused {
            let Some(candidate) = candidates.iter().find(|candidate| candidate.id() == id) else { continue };
            match candidate {
                Admitted::Batch(batch) if !self.ahead(&batch.batch().content.header, rejection) => {
                    for behind in self.pool.drop_from(batch) {
                        self.answer(&behind, Err(rejection));
                    }
                }
                Admitted::Batch(_) => {}
                notice
                    if rejection == Rejection::Epoch
                        && self.ended().is_some_and(|ended| Notices::is_ahead(notice, ended)) => {}
                _ => {
                    self.notices.remove(&id);
                    self.answer(&id, Err(rejection));
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
        let mine = |transaction: &Admitted| match transaction {
            Admitted::Batch(verified) => verified.batch().content.header.servicer == self.me.id,
            Admitted::Attestation(signed) => signed.attestation().content.bank == self.me.id,
            // A decree is everybody's.
            Admitted::Decree(_) => true,
        };
        let fits = |bytes: &Vec<u8>| left.checked_sub(bytes.len()).map(|rest| left = rest).is_some();
        let candidates = self.lock().candidates();
        candidates.into_iter().filter(mine).map(|t| t.to_bytes()).take_while(fits).collect()
    }

    fn waiting(&self) -> bool {
        self.lock().ready
    }

    fn propose(&self, _height: u64) -> Vec<u8> {
        // Somebody woke this height for a batch: an empty block would only be written and forgotten.
        let empty = |inner: &mut Inner| !inner.ready;
        let waited = self.arrived.wait_timeout_while(self.lock(), PROPOSE_PATIENCE, empty);
        let (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let candidates = inner.candidates();
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
        let wires = decided.block.batches.iter().filter_map(|bytes| Wire::of(bytes).ok());
        self.verdicts.forget(wires.filter_map(|wire| match wire {
            Wire::Batch(batch) => Some(batch),
            Wire::Attestation(_) | Wire::Decree(_) => None,
        }));
        // What was refused in this block may only have come too early: `settle` tells.
        let booked = batches.iter().zip(&decided.outcomes).filter(|(_, outcome)| outcome.is_none());
        for (admitted, _) in booked {
            inner.pool.remove(&admitted.id());
            inner.notices.remove(&admitted.id());
            inner.answer(&admitted.id(), Ok(height));
        }
        inner.settle();
        drop(inner);
        self.reached.send_replace(height);
        tracing::info!(height, transactions = batches.len(), "booked");
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
    tokio::spawn(follow(node.clone(), handle.clone(), home.clone()));
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

/// Follows the chain: a bank attests when an epoch has ended, a regulator checks what is attested.
async fn follow(node: Arc<Node>, handle: Handle, home: Home) {
    let (mut heights, mut watcher, mut read) = (node.heights(), Watcher::new(&node.me), 0);
    loop {
        let (inner, folder) = (node.clone(), home.alarms());
        let work = move || {
            let made = inner.watch(&mut watcher, &mut read, &folder);
            (watcher, read, made)
        };
        let Ok((returned, reached, made)) = tokio::task::spawn_blocking(work).await else { return };
        (watcher, read) = (returned, reached);
        match made {
            Ok(Some(attestation)) => handle.offer(attestation.into()),
            Ok(None) => {}
            // What cannot be read now stops the node at the next block; totals wait for the next look.
            Err(error) => tracing::error!(%error, "cannot follow the chain"),
        }
        if heights.changed().await.is_err() {
            return;
        }
    }
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

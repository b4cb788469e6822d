//! One QUIC connection per pair of members, over one UDP socket. With `tls.rs` the only place that knows QUIC.
//!
//! Both sides may dial. There is never more than one connection per pair for long: of two made at the same time
//! the one dialled by the smaller key stays; otherwise a new one replaces the old, whose other end has gone.
//! Everything that a peer can make this node keep is bounded: streams, windows, frames, queues, handshakes.

pub(crate) mod frame;
mod link;

pub(crate) use frame::Lane;

use crate::{
    roster::Roster,
    tls::{self, Credential, TlsError},
};
use counterfoil_crypto::identity::{Identity, PublicIdentity};
use link::{Close, Queues};
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, IdleTimeout, Incoming, ServerConfig,
    TokioRuntime, TransportConfig, VarInt,
    crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig},
};
use rustls::pki_types::CertificateDer;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Streams that a peer may have open: the ordered one and a few large objects.
const STREAMS: u32 = 5;
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
const KEEP_ALIVE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(15);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes under way: in all, per source, and the number from which a source must prove its address.
const HANDSHAKES: usize = 64;
const HANDSHAKES_PER_SOURCE: usize = 16;
const HANDSHAKES_UNPROVEN: usize = 16;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(5);
/// Two connections made within this time are made at the same time.
const RACE: Duration = Duration::from_secs(5);

/// What comes from the mesh.
#[derive(Debug)]
pub(crate) enum Event {
    Connected(PublicIdentity),
    Disconnected(PublicIdentity),
    Message(PublicIdentity, Vec<u8>),
}

/// Why the mesh cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// The socket cannot be used.
    #[error("the UDP socket cannot be used: {0}")]
    Socket(#[from] io::Error),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Where what is received waits, bounded per lane.
#[derive(Clone)]
pub(crate) struct Inboxes([mpsc::Sender<Event>; 3]);

/// The other end of the [`Inboxes`]: small messages, blocks, items.
pub(crate) type Receivers = [mpsc::Receiver<Event>; 3];

impl Inboxes {
    fn new() -> (Self, Receivers) {
        let (small, large, items) = (mpsc::channel(1024), mpsc::channel(16), mpsc::channel(64));
        (Self([small.0, large.0, items.0]), [small.1, large.1, items.1])
    }

    /// A message waits until there is room, which slows its sender down; an item does not.
    async fn put(&self, lane: Lane, event: Event) {
        let [small, large, items] = &self.0;
        // The receivers are gone when the node stops: nothing is lost that matters.
        let _ = match lane {
            Lane::Small => small.send(event).await.ok(),
            Lane::Large => large.send(event).await.ok(),
            Lane::Item => items.try_send(event).ok(),
        };
    }
}

struct Link {
    connection: Connection,
    queues: Queues,
    dialer: PublicIdentity,
    since: Instant,
}

struct Shared {
    identity: Identity,
    endpoint: Endpoint,
    links: Mutex<BTreeMap<PublicIdentity, Link>>,
    changed: Notify,
    handshakes: Mutex<BTreeMap<IpAddr, usize>>,
    inboxes: Inboxes,
}

/// The connections of this node. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mesh(Arc<Shared>);

impl Mesh {
    /// Takes the socket, accepts members and dials `peers`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`MeshError`] when the socket or the key cannot be used.
    pub(crate) fn start(
        roster: &Roster,
        identity: Identity,
        socket: UdpSocket,
        peers: Vec<(PublicIdentity, SocketAddr)>,
    ) -> Result<(Self, Receivers), MeshError> {
        let members = roster.members().copied().filter(|m| *m != identity.public()).collect();
        let server = server_config(&identity, members)?;
        let runtime = Arc::new(TokioRuntime);
        let endpoint = Endpoint::new(EndpointConfig::default(), Some(server), socket, runtime)?;
        let (inboxes, receivers) = Inboxes::new();
        let (links, handshakes, changed) = (Mutex::default(), Mutex::default(), Notify::new());
        let mesh = Self(Arc::new(Shared { identity, endpoint, links, changed, handshakes, inboxes }));
        for (peer, address) in peers {
            let config = client_config(&mesh.0.identity, peer)?;
            tokio::spawn(mesh.clone().keep_dialling(peer, address, config));
        }
        tokio::spawn(mesh.clone().accept());
        Ok((mesh, receivers))
    }

    /// Sends to one peer; false when it is not connected or too slow.
    pub(crate) fn send(&self, peer: &PublicIdentity, lane: Lane, frame: Arc<[u8]>) -> bool {
        self.links().get(peer).is_some_and(|link| link.queues.push(lane, frame))
    }

    /// Sends to all connected peers.
    pub(crate) fn broadcast(&self, lane: Lane, frame: &Arc<[u8]>) {
        for (peer, link) in &*self.links() {
            if !link.queues.push(lane, Arc::clone(frame)) {
                tracing::debug!(%peer, ?lane, "dropped a message to a slow peer");
            }
        }
    }

    /// Who is connected now.
    pub(crate) fn peers(&self) -> Vec<PublicIdentity> {
        self.links().keys().copied().collect()
    }

    /// Closes all connections, and waits a moment for the peers to hear of it.
    pub(crate) async fn close(&self) {
        self.0.endpoint.close(Close::Shutdown.code(), b"shutdown");
        let _ = timeout(Duration::from_millis(500), self.0.endpoint.wait_idle()).await;
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<PublicIdentity, Link>> {
        self.0.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn me(&self) -> PublicIdentity {
        self.0.identity.public()
    }

    async fn accept(self) {
        while let Some(incoming) = self.0.endpoint.accept().await {
            let Some(place) = Place::take(&self.0, incoming.remote_address().ip()) else {
                incoming.refuse();
                continue;
            };
            if place.is_crowded && !incoming.remote_address_validated() {
                // Can only fail for an address that is already proven.
                let _ = incoming.retry();
                continue;
            }
            tokio::spawn(self.clone().welcome(incoming, place));
        }
    }

    async fn welcome(self, incoming: Incoming, place: Place) {
        let from = incoming.remote_address();
        let done = timeout(HANDSHAKE, incoming).await;
        drop(place);
        match done {
            Ok(Ok(connection)) => self.attend(connection, None).await,
            Ok(Err(error)) => tracing::warn!(%from, %error, "refused a connection"),
            Err(_) => tracing::warn!(%from, "a handshake took too long"),
        }
    }

    async fn keep_dialling(self, peer: PublicIdentity, address: SocketAddr, config: ClientConfig) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            self.until_apart(&peer).await;
            let dialled = self.0.endpoint.connect_with(config.clone(), address, tls::SERVER_NAME);
            let connecting = match dialled {
                Ok(connecting) => connecting,
                Err(quinn::ConnectError::EndpointStopping) => return,
                Err(error) => return tracing::error!(%peer, %address, %error, "cannot dial"),
            };
            match timeout(HANDSHAKE, connecting).await {
                Ok(Ok(connection)) => {
                    let since = Instant::now();
                    self.attend(connection, Some(peer)).await;
                    if since.elapsed() > RACE {
                        backoff = FIRST_BACKOFF;
                    }
                }
                Ok(Err(ConnectionError::LocallyClosed)) => return,
                Ok(Err(error)) => tracing::debug!(%peer, %address, %error, "no connection"),
                Err(_) => tracing::debug!(%peer, %address, "no connection in time"),
            }
            sleep(backoff).await;
            backoff = backoff.saturating_mul(2).min(LAST_BACKOFF);
        }
    }

    /// Waits until there is no connection to the peer.
    async fn until_apart(&self, peer: &PublicIdentity) {
        loop {
            let changed = self.0.changed.notified();
            if !self.links().contains_key(peer) {
                return;
            }
            changed.await;
        }
    }

    /// Serves a connection until it ends. `dialled` names the peer that this node has dialled.
    async fn attend(&self, connection: Connection, dialled: Option<PublicIdentity>) {
        let Some(peer) = peer_of(&connection) else {
            return connection.close(Close::Violation.code(), b"not a member of this protocol");
        };
        let dialer = if dialled.is_some() { self.me() } else { peer };
        let mut tasks = JoinSet::new();
        let queues = link::writers(&connection, &mut tasks);
        if !self.install(peer, Link { connection: connection.clone(), queues, dialer, since: Instant::now() })
        {
            return connection.close(Close::Replaced.code(), b"there is another connection");
        }
        tracing::debug!(%peer, "connected");
        self.0.inboxes.put(Lane::Small, Event::Connected(peer)).await;
        link::read_all(&connection, peer, &self.0.inboxes).await;
        tracing::debug!(%peer, reason = ?connection.close_reason(), "connection ended");
        if self.remove(&peer, &connection) {
            self.0.inboxes.put(Lane::Small, Event::Disconnected(peer)).await;
        }
    }

    /// Makes a connection the one to its peer, unless the one that is there should stay.
    fn install(&self, peer: PublicIdentity, link: Link) -> bool {
        let mut links = self.links();
        if let Some(old) = links.get(&peer) {
            let alive = old.connection.close_reason().is_none();
            if alive && old_stays(self.me().min(peer), old.dialer, link.dialer, old.since.elapsed()) {
                return false;
            }
            old.connection.close(Close::Replaced.code(), b"there is a newer connection");
        }
        links.insert(peer, link);
        true
    }

    /// Forgets a connection; false when another one has taken its place.
    fn remove(&self, peer: &PublicIdentity, connection: &Connection) -> bool {
        let mut links = self.links();
        let same = links.get(peer).is_some_and(|l| l.connection.stable_id() == connection.stable_id());
        if same {
            links.remove(peer);
            self.0.changed.notify_waiters();
        }
        same
    }
}

/// Of two connections between a pair, whether the older one stays. Both ends decide alike: the one dialled by the
/// smaller key stays when both were made at the same time. A peer that dials although there has been a connection
/// for a while no longer has it.
fn old_stays(smaller: PublicIdentity, old: PublicIdentity, new: PublicIdentity, age: Duration) -> bool {
    old != new && old == smaller && age < RACE
}

/// A place among the handshakes under way; given back when dropped.
struct Place {
    shared: Arc<Shared>,
    source: IpAddr,
    is_crowded: bool,
}

impl Place {
    fn take(shared: &Arc<Shared>, source: IpAddr) -> Option<Self> {
        let mut handshakes = shared.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = handshakes.values().sum();
        let here = handshakes.entry(source).or_insert(0);
        if all >= HANDSHAKES || *here >= HANDSHAKES_PER_SOURCE {
            return None;
        }
        *here = here.saturating_add(1);
        Some(Self { shared: Arc::clone(shared), source, is_crowded: all >= HANDSHAKES_UNPROVEN })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut handshakes = self.shared.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = handshakes.get_mut(&self.source) {
            *here = here.saturating_sub(1);
        }
        handshakes.retain(|_, here| *here > 0);
    }
}

/// The member at the other end, by the key that it has proven to hold; `None` for another protocol.
fn peer_of(connection: &Connection) -> Option<PublicIdentity> {
    let data = connection.handshake_data()?.downcast::<HandshakeData>().ok()?;
    let shown = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    tls::key_of(shown.first()?).filter(|_| data.protocol.as_deref() == Some(tls::ALPN))
}

fn transport() -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_uni_streams(VarInt::from_u32(STREAMS))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(u64::from(CONNECTION_WINDOW))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(IdleTimeout::try_from(IDLE).ok());
    Arc::new(transport)
}

fn server_config(identity: &Identity, members: BTreeSet<PublicIdentity>) -> Result<ServerConfig, TlsError> {
    let tls = tls::server(tls::provider(), &Credential::of(identity), members)?;
    let tls = QuicServerConfig::try_from(tls).map_err(TlsError::new)?;
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config.transport_config(transport()).max_incoming(HANDSHAKES).migration(false);
    Ok(config)
}

fn client_config(identity: &Identity, peer: PublicIdentity) -> Result<ClientConfig, TlsError> {
    client_config_of(tls::client(tls::provider(), &Credential::of(identity), peer)?)
}

fn client_config_of(tls: rustls::ClientConfig) -> Result<ClientConfig, TlsError> {
    let tls = QuicClientConfig::try_from(tls).map_err(TlsError::new)?;
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(transport());
    Ok(config)
}

#[cfg(test)]
mod tests;

//! A node as a process: its socket, its peers, its start and its end.

use super::{Node, epochs::follow, requests::serve};
use crate::home::{Home, Me};
use anyhow::{Context as _, Result};
use counterfoil_ledger::genesis::Role;
use counterfoil_network::{Application as _, Config, Roster, Timeouts};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    sync::Arc,
    time::Duration,
};
use tokio::{net::UnixListener, sync::watch};

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

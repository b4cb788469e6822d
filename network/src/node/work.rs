//! What the application is asked to do, on blocking threads.

use super::{Answer, Node};
use crate::{
    app::{Application, Fatal},
    mesh::{Event, Lane, Mesh},
    replica::Effect,
    wire::{Block, BlockId, Decided, Message},
};
use counterfoil_crypto::{identity::PublicIdentity, quorum::Certificate};
use std::sync::Arc;
use tokio::{
    sync::{Notify, Semaphore, mpsc},
    task::spawn_blocking,
};

/// Items and blocks that are judged at the same time.
const ADMISSIONS: usize = 2;
pub(super) const VERIFICATIONS: usize = 2;
/// Decided blocks that are read for peers at the same time.
pub(super) const SERVED: usize = 2;
/// Bytes of own items that are offered again at once, and every how many seconds.
const OFFER_BYTES: usize = 4 << 20;
pub(super) const OFFER_SECONDS: u64 = 5;

impl Node {
    /// Something has come into the pool; by now it may be in a block, and then there is no reason to wake.
    pub(super) fn look_into_pool(&self) -> Vec<Effect> {
        let (app, answers) = (Arc::clone(&self.app), self.answers.clone());
        spawn_blocking(move || app.waiting().then(|| answers.send(Answer::Waiting)));
        Vec::new()
    }

    pub(super) fn propose(&self, height: u64, round: u32) {
        let (app, answers) = (Arc::clone(&self.app), self.answers.clone());
        spawn_blocking(move || {
            let block = app.propose(height);
            let _ = answers.send(Answer::Proposed { height, round, block });
        });
    }

    pub(super) fn verify(&self, height: u64, id: BlockId, block: Block) {
        let (app, answers, places) =
            (Arc::clone(&self.app), self.answers.clone(), Arc::clone(&self.verifications));
        tokio::spawn(async move {
            let place = places.acquire_owned().await;
            let judged = spawn_blocking(move || {
                let _place = place;
                app.verify(height, &block)
            });
            let refusal = match judged.await {
                Ok(Ok(())) => None,
                Ok(Err(reason)) => Some(reason.to_string()),
                Err(panic) => Some(panic.to_string()),
            };
            if let Some(reason) = &refusal {
                tracing::warn!(height, %reason, "a proposed block is refused");
            }
            let _ = answers.send(Answer::Verified { height, id, valid: refusal.is_none() });
        });
    }

    pub(super) fn commit(&mut self, block: Block, certificate: Certificate) {
        let (app, answers) = (Arc::clone(&self.app), self.answers.clone());
        let work = spawn_blocking(move || {
            let height = certificate.height;
            app.commit(height, &block, &certificate).map(|()| (height, app.waiting()))
        });
        self.commit = Some(tokio::spawn(async move {
            let answer = match work.await {
                Ok(Ok((height, waiting))) => Answer::Committed { height, waiting },
                Ok(Err(fatal)) => Answer::Failed(fatal),
                Err(panic) => Answer::Failed(Fatal::new(format!("committing a block: {panic}"))),
            };
            let _ = answers.send(answer);
        }));
    }

    /// A commit that is under way is finished before the node says that it has stopped.
    pub(super) async fn finish_commit(&mut self) {
        if let Some(commit) = self.commit.take() {
            let _ = commit.await;
        }
    }

    pub(super) fn serve(&self, to: PublicIdentity, height: u64) {
        let (app, mesh, places) = (Arc::clone(&self.app), self.mesh.clone(), Arc::clone(&self.serving));
        // A few at a time: those who catch up must not keep this node from its own work.
        tokio::spawn(async move {
            let place = places.acquire_owned().await;
            let _ = spawn_blocking(move || serve(&*app, &mesh, &to, height, place)).await;
        });
    }

    /// Offers the own items that are not yet in a block to one peer, or to all; and looks into the pool.
    pub(super) fn offer_again(&self, peer: Option<PublicIdentity>) {
        let (app, mesh, wake) = (Arc::clone(&self.app), self.mesh.clone(), Arc::clone(&self.wake));
        spawn_blocking(move || {
            for item in app.pending(OFFER_BYTES) {
                let item: Arc<[u8]> = item.into();
                match peer {
                    Some(peer) => drop(mesh.send(&peer, Lane::Item, item)),
                    None => mesh.broadcast(Lane::Item, &item),
                }
            }
            wake.notify_one();
        });
    }
}

/// Sends a decided block to a peer; `_place` is given back when that is done.
fn serve<P>(app: &dyn Application, mesh: &Mesh, to: &PublicIdentity, height: u64, _place: P) {
    if let Some((block, certificate)) = app.decided(height) {
        let message = Message::Decided(Decided::new(block, certificate));
        mesh.send(to, Lane::Large, message.encode());
    }
}

/// Lets the application judge what the peers offer, a few at a time.
pub(super) async fn admit(mut items: mpsc::Receiver<Event>, app: Arc<dyn Application>, wake: Arc<Notify>) {
    let places = Arc::new(Semaphore::new(ADMISSIONS));
    while let Some(event) = items.recv().await {
        let Event::Message(peer, item) = event else { continue };
        let (app, wake, place) =
            (Arc::clone(&app), Arc::clone(&wake), Arc::clone(&places).acquire_owned().await);
        spawn_blocking(move || {
            let _place = place;
            match app.admit(&item) {
                Ok(()) => wake.notify_one(),
                Err(reason) => tracing::debug!(%peer, %reason, "an item is refused"),
            }
        });
    }
}

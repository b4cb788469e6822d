//! The ends of epochs: a bank attests its accounts, a regulator checks what is attested and raises alarms.

use super::Node;
use crate::{
    home::Home,
    totals::{AlarmFile, Watcher},
};
use anyhow::{Result, bail};
use counterfoil_ledger::chain::ChainError;
use counterfoil_network::Handle;
use std::{
    path::Path,
    sync::{Arc, PoisonError},
};

/// Follows the chain: a bank attests when an epoch has ended, a regulator checks what is attested.
pub(super) async fn follow(node: Arc<Node>, handle: Handle, home: Home) {
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

impl Node {
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

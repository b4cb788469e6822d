//! Checking a chain again from its first block: certificates, proofs, state roots. Needs the genesis and the log, no key.

use anyhow::{Context as _, Result, bail};
use counterfoil_ledger::{
    chain::History,
    genesis::Consortium,
    transaction::{Admitted, admit},
};
use rand_core::OsRng;
use serde::Serialize;
use std::{path::Path, sync::Arc};

/// What was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Blocks, each with a certificate of more than two thirds of the banks.
    pub blocks: u64,
    /// Batches whose proofs and signatures hold.
    pub batches: u64,
    /// Batches that the members had refused when they were applied.
    pub refused: u64,
    /// Banks' attestations of their control accounts.
    pub attestations: u64,
    /// Decrees.
    pub decrees: u64,
    /// Loans' events in them.
    pub events: u64,
    /// The state root at the end.
    pub state: String,
}

/// Verifies every block and every batch of a chain's folder.
///
/// # Errors
/// Names the height, and what is wrong there.
pub fn check(
    chain: &Path,
    consortium: Arc<Consortium>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Checked> {
    let mut history = History::open(chain, consortium.clone()).context("there is no chain in this folder")?;
    let last = history.last();
    let mut checked = Checked::default();
    while let Some(decided) = history.next_block()? {
        let header = &decided.block.header;
        for (bytes, outcome) in decided.block.batches.iter().zip(&decided.outcomes) {
            match admit(&consortium, bytes, &mut OsRng) {
                Err(rejection) => {
                    bail!("height {}: a decided transaction does not verify: {rejection}", header.height)
                }
                Ok(Admitted::Attestation(_)) => {
                    checked.attestations = checked.attestations.saturating_add(1);
                }
                Ok(Admitted::Decree(_)) => checked.decrees = checked.decrees.saturating_add(1),
                Ok(Admitted::Batch(verified)) => {
                    let events = u64::try_from(verified.batch().content.body.loan_count())?;
                    checked.events = checked.events.saturating_add(events);
                    checked.batches = checked.batches.saturating_add(1);
                    checked.refused = checked.refused.saturating_add(u64::from(outcome.is_some()));
                }
            }
        }
        checked.blocks = checked.blocks.saturating_add(1);
        checked.state = hex::encode(header.state);
        progress(header.height, last);
    }
    Ok(checked)
}

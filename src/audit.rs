//! Checking a chain again from its first block: certificates, proofs, state roots. Needs the genesis and the log, no key.
//!
//! Blocks are followed one by one; their batches are verified together, as many at once as are worth it, on all cores.

use crate::verdicts::all_cores;
use anyhow::{Context as _, Result, bail};
use counterfoil_ledger::{
    block::Decided,
    chain::History,
    genesis::Consortium,
    transaction::{Admitted, admit_all},
};
use rand_core::OsRng;
use serde::Serialize;
use std::{path::Path, sync::Arc};

/// Batches that are verified together, and most bytes of them: they bound the memory that it takes.
const TOGETHER: usize = 64;
const TOGETHER_BYTES: usize = 32 << 20;

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
    let (mut checked, mut waiting) = (Checked::default(), Waiting::default());
    while let Some(decided) = history.next_block()? {
        checked.blocks = checked.blocks.saturating_add(1);
        checked.state = hex::encode(decided.block.header.state);
        let height = decided.block.header.height;
        waiting.take_in(decided);
        if waiting.is_enough() || height == last {
            waiting.verify(&consortium, &mut checked)?;
            progress(height, last);
        }
    }
    // A node that goes on writing has blocks beyond what was the last.
    waiting.verify(&consortium, &mut checked)?;
    Ok(checked)
}

/// Transactions of blocks that hold, not yet verified: height, bytes, and whether it was refused when it was applied.
#[derive(Default)]
struct Waiting {
    batches: Vec<(u64, Vec<u8>, bool)>,
    bytes: usize,
}

impl Waiting {
    fn take_in(&mut self, decided: Decided) {
        let height = decided.block.header.height;
        for (bytes, outcome) in decided.block.batches.into_iter().zip(&decided.outcomes) {
            self.bytes = self.bytes.saturating_add(bytes.len());
            self.batches.push((height, bytes, outcome.is_some()));
        }
    }

    fn is_enough(&self) -> bool {
        self.batches.len() >= TOGETHER || self.bytes >= TOGETHER_BYTES
    }

    /// Verifies all together; which one is wrong comes out by bisection.
    fn verify(&mut self, consortium: &Consortium, checked: &mut Checked) -> Result<()> {
        let Self { batches, .. } = std::mem::take(self);
        let bytes: Vec<&[u8]> = batches.iter().map(|(_, bytes, _)| bytes.as_slice()).collect();
        let verdicts = admit_all(all_cores(), consortium, &bytes, &mut OsRng);
        for ((height, _, refused), verdict) in batches.iter().zip(verdicts) {
            match verdict {
                Err(rejection) => {
                    bail!("height {height}: a decided transaction does not verify: {rejection}")
                }
                Ok(Admitted::Attestation(_)) => {
                    checked.attestations = checked.attestations.saturating_add(1);
                }
                Ok(Admitted::Decree(_)) => checked.decrees = checked.decrees.saturating_add(1),
                Ok(Admitted::Batch(verified)) => {
                    let events = u64::try_from(verified.batch().content.body.loan_count())?;
                    checked.events = checked.events.saturating_add(events);
                    checked.batches = checked.batches.saturating_add(1);
                    checked.refused = checked.refused.saturating_add(u64::from(*refused));
                }
            }
        }
        Ok(())
    }
}

//! Opening a height, and taking it up again after a crash.

use super::{
    Phase, Replica,
    desk::Replay,
    record::Record,
    shelf::{Held, Shelf},
};
use crate::{context::Address, journal::JournalError, wire::Block};
use borsh::BorshDeserialize as _;
use std::sync::Arc;

impl Replica {
    /// Opens a height: idle, unless the journal says that it was running.
    pub(super) fn begin(&mut self, height: u64) {
        (self.height, self.phase) = (height, Phase::Idle);
        self.desk.shelf = Shelf::default();
        self.desk.decided = None;
        if self.desk.journal.height() < height
            && let Err(error) = self.desk.journal.begin(height)
        {
            return self.desk.fail(error);
        }
        // Where the store is behind the journal, this node has voted on what it has forgotten: it follows silently.
        let ours = self.desk.journal.height() == height;
        self.state.params.enabled = ours && self.desk.me != Address::OBSERVER;
        let records = if ours { self.desk.journal.take_records() } else { Vec::new() };
        if !records.is_empty()
            && let Err(error) = self.replay(records)
        {
            self.desk.fail(error);
        }
    }

    /// Gives the engine again what it had before the crash.
    fn replay(&mut self, records: Vec<Vec<u8>>) -> Result<(), JournalError> {
        let unknown = |reason: String| JournalError::Unknown { height: self.height, reason };
        let decode = |bytes: &Vec<u8>| Record::try_from_slice(bytes).map_err(|e| unknown(e.to_string()));
        let records = records.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        self.desk.replay = Some(self.own_records(&records));
        self.start_engine();
        let (roster, height) = (Arc::clone(&self.desk.roster), self.height);
        let inputs: Vec<_> = records.iter().filter_map(|r| r.clone().into_input(&roster, height)).collect();
        self.state.index_wal_entries(inputs.iter());
        for record in records {
            match &record {
                Record::Block { round, block } => self.restore(*round, block.clone())?,
                Record::Verdict { id, valid, .. } => self.set_verdict(id, *valid),
                _ => {}
            }
            self.desk.inputs.extend(record.into_input(&roster, height));
            self.drain();
        }
        self.state.reset_entries_index();
        let replay = self.desk.replay.take().unwrap_or_default();
        if let Some(round) = replay.wanted.filter(|round| !replay.proposed.contains(round))
            && self.state.round().as_u32() == Some(round)
        {
            self.desk.propose(height, round);
        }
        Ok(())
    }

    fn own_records(&self, records: &[Record]) -> Replay {
        let own = records.iter().filter(|r| r.signer() == Some(self.desk.me.0));
        let mut replay = Replay::default();
        for record in own {
            replay.own.extend(borsh::to_vec(record).ok());
            if let Record::Proposal(proposal) = record {
                replay.proposed.insert(proposal.round);
            }
        }
        replay
    }

    fn restore(&mut self, round: u32, block: Block) -> Result<(), JournalError> {
        let id = self.app.identify(self.height, &block);
        let id = id.map_err(|e| JournalError::Unknown { height: self.height, reason: e.to_string() })?;
        self.desk.shelf.insert(id, Held { block, round, verdict: None, journaled: true }, None);
        Ok(())
    }
}

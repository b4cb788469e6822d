//! The chain: decided blocks in the log, the state after them in the index.
//!
//! The log is the truth and is written first; the index follows in one atomic batch and can be rebuilt. See [`crate::store`].

use crate::{
    block::{Block, BlockHeader, Decided, MAX_BATCHES, MAX_BYTES, Malformed, VERSION, batches_root},
    book::{ApplyError, Book},
    genesis::Consortium,
    names::Hash,
    rejection::Rejection,
    store::{
        Changes, Index, Log, LogError, MemoryIndex, OpenError, Recovery, Replay, Root, Start, StateStore,
        StoreError, TreeError, open_or_rebuild, tree,
    },
    transaction::Admitted,
};
use counterfoil_crypto::quorum::{Certificate, CertificateError};
use std::{path::Path, sync::Arc};

/// What a block does to the state, computed once and applied when it is decided.
#[derive(Clone, Debug)]
pub struct Executed {
    id: Hash,
    changes: Changes,
    root: Root,
    outcomes: Vec<Option<Rejection>>,
}

impl Executed {
    /// Per batch, why it was refused, if it was.
    #[must_use]
    pub fn outcomes(&self) -> &[Option<Rejection>] {
        &self.outcomes
    }
}

/// Decided blocks and the state after them.
pub struct Chain {
    consortium: Arc<Consortium>,
    log: Log,
    index: Index,
    tip: Hash,
}

/// Why the chain cannot be opened, extended or read.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The index failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state tree failed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The bytes are no block.
    #[error("height {height}: {source}")]
    Malformed {
        /// The height.
        height: u64,
        /// What is wrong.
        source: Malformed,
    },
    /// A recorded transaction cannot be read.
    #[error("height {height}: a recorded transaction cannot be read ({source}); restore the log from a peer")]
    Batch {
        /// The height.
        height: u64,
        /// Why.
        source: Rejection,
    },
    /// The block does not follow the last one, or is another consortium's.
    #[error("height {height}: the block does not follow the last one of this consortium")]
    NotNext {
        /// The height.
        height: u64,
    },
    /// The state after the block is not the one that its header names.
    #[error("height {height}: the state after the block is not the one that its header names")]
    State {
        /// The height.
        height: u64,
    },
    /// The certificate is wrong.
    #[error("height {height}: {source}")]
    Certificate {
        /// The height.
        height: u64,
        /// What is wrong.
        source: CertificateError,
    },
    /// The index cannot be opened beside the log.
    #[error("{0}")]
    Open(String),
}

impl Chain {
    /// Opens the chain in a folder, making it when there is none; on any doubt about the index it is rebuilt from the log.
    ///
    /// # Errors
    /// When the log is damaged or locked, or a fresh index fails as well.
    pub fn open(dir: &Path, consortium: Arc<Consortium>) -> Result<(Self, Recovery, Start), ChainError> {
        let (log, recovery) = Log::open(&dir.join("log"))?;
        let mut replay = Rebuild { consortium: &consortium };
        let (index, start) =
            open_or_rebuild(&log, &dir.join("index"), &mut replay).map_err(|error| match error {
                OpenError::Log(error) => ChainError::Log(error),
                OpenError::Store(error) => ChainError::Store(error),
                OpenError::Replay { source, .. } => source,
                other => ChainError::Open(other.to_string()),
            })?;
        let tip = match log.height() {
            0 => Hash::default(),
            height => decided_at(&log, height)?.map_or(Hash::default(), |decided| decided.block.header.id()),
        };
        Ok((Self { consortium, log, index, tip }, recovery, start))
    }

    /// Height of the last block, 0 before the first.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.log.height()
    }

    /// The state root after the last block.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn state_root(&self) -> Result<Root, ChainError> {
        Ok(self.index.meta()?.map_or(tree::EMPTY_ROOT, |(_, root)| root))
    }

    /// A decided block.
    ///
    /// # Errors
    /// When the log is damaged there.
    pub fn decided(&self, height: u64) -> Result<Option<Decided>, ChainError> {
        decided_at(&self.log, height)
    }

    /// The present state, for reading.
    #[must_use]
    pub fn book(&self) -> Book<'_> {
        Book::new(&self.index)
    }

    /// Makes the next block of candidates, in order: those that apply, within the limits. The others come back with what
    /// refuses them now.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn propose(&self, candidates: &[Admitted]) -> Result<(Block, Vec<(Hash, Rejection)>), ChainError> {
        let mut book = Book::new(&self.index);
        let (mut batches, mut refused, mut size) = (Vec::new(), Vec::new(), 0usize);
        let mut booked = false;
        for candidate in candidates {
            let bytes = candidate.to_bytes();
            let larger = size.saturating_add(bytes.len());
            if larger > MAX_BYTES || batches.len() == MAX_BATCHES {
                break;
            }
            match book.apply_transaction(&self.consortium, candidate) {
                Ok(()) => {
                    booked |= matches!(candidate, Admitted::Batch(_));
                    batches.push(bytes);
                    size = larger;
                }
                Err(ApplyError::Rejected(rejection)) => refused.push((candidate.id(), rejection)),
                Err(ApplyError::Store(error)) => return Err(error.into()),
            }
        }
        book.end_block(&self.consortium, booked)?;
        let height = self.next();
        let (state, _) = tree::commit(&self.index, height, &book.into_changes())?;
        let header = BlockHeader {
            version: VERSION,
            consortium: self.consortium.id(),
            height,
            previous: self.tip,
            batches: batches_root(&batches),
            state,
        };
        Ok((Block { header, batches }, refused))
    }

    /// Executes a proposed block, whose batches were verified, on the present state. A batch that is refused leaves the block
    /// standing.
    ///
    /// # Errors
    /// [`ChainError::NotNext`] or [`ChainError::State`] when the block is wrong; others when this machine failed.
    pub fn execute(&self, block: &Block, transactions: &[Admitted]) -> Result<Executed, ChainError> {
        let height = self.next();
        let header = &block.header;
        if !self.is_next(header) {
            return Err(ChainError::NotNext { height: header.height });
        }
        let same = block.batches.len() == transactions.len()
            && block.batches.iter().zip(transactions).all(|(bytes, admitted)| admitted.is(bytes));
        if !same {
            return Err(ChainError::Malformed { height, source: Malformed });
        }
        run(&self.index, &self.consortium, header, transactions)
    }

    /// Makes a decided block durable, then applies it.
    ///
    /// # Errors
    /// When the certificate or the block is wrong, or the disk fails.
    pub fn commit(
        &mut self,
        block: Block,
        certificate: Certificate,
        executed: Executed,
    ) -> Result<Decided, ChainError> {
        let height = self.next();
        let id = block.header.id();
        let source = CertificateError::Order { index: 0 };
        if executed.id != id || certificate.block != id || certificate.height != height {
            return Err(ChainError::Certificate { height, source });
        }
        certificate
            .verify(self.consortium.id(), &self.consortium.validators())
            .map_err(|source| ChainError::Certificate { height, source })?;
        let Executed { changes, root, outcomes, .. } = executed;
        let decided = Decided { block, certificate, outcomes };
        self.log.append(height, &borsh::to_vec(&decided).unwrap_or_default())?;
        apply(&self.index, height, root, changes)?;
        self.tip = id;
        Ok(decided)
    }

    /// Whether a block of this header could come next: cheap, before anything in it is verified.
    #[must_use]
    pub fn is_next(&self, header: &BlockHeader) -> bool {
        header.consortium == self.consortium.id()
            && header.height == self.next()
            && header.previous == self.tip
    }

    fn next(&self) -> u64 {
        self.log.height().saturating_add(1)
    }
}

fn run(
    store: &dyn StateStore,
    consortium: &Consortium,
    header: &BlockHeader,
    transactions: &[Admitted],
) -> Result<Executed, ChainError> {
    let mut book = Book::new(store);
    let (mut outcomes, mut booked) = (Vec::new(), false);
    for transaction in transactions {
        outcomes.push(match book.apply_transaction(consortium, transaction) {
            Ok(()) => {
                booked |= matches!(transaction, Admitted::Batch(_));
                None
            }
            Err(ApplyError::Rejected(rejection)) => Some(rejection),
            Err(ApplyError::Store(error)) => return Err(error.into()),
        });
    }
    book.end_block(consortium, booked)?;
    let changes = book.into_changes();
    let (root, _) = tree::commit(store, header.height, &changes)?;
    if root != header.state {
        return Err(ChainError::State { height: header.height });
    }
    Ok(Executed { id: header.id(), changes, root, outcomes })
}

fn apply(store: &dyn StateStore, height: u64, root: Root, changes: Changes) -> Result<(), ChainError> {
    let (same, nodes) = tree::commit(store, height, &changes)?;
    if same != root {
        return Err(ChainError::State { height });
    }
    let mut all = changes;
    all.extend(nodes);
    store.apply(height, root, &all)?;
    Ok(())
}

fn decided_at(log: &Log, height: u64) -> Result<Option<Decided>, ChainError> {
    let decode = |bytes: Vec<u8>| {
        borsh::from_slice(&bytes).map_err(|_| ChainError::Malformed { height, source: Malformed })
    };
    log.read(height)?.map(decode).transpose()
}

/// Rebuilds the index from the log.
struct Rebuild<'a> {
    consortium: &'a Consortium,
}

impl Replay for Rebuild<'_> {
    type Error = ChainError;

    fn begin(&mut self, _: &Index) -> Result<(), ChainError> {
        Ok(())
    }

    fn check(&mut self, index: &Index, height: u64, root: &Root, payload: &[u8]) -> Result<(), ChainError> {
        // The index can be level with the log and yet lack a value or hold an older one: only the whole tree shows it.
        tree::audit(index)?;
        let decided: Decided =
            borsh::from_slice(payload).map_err(|_| ChainError::Malformed { height, source: Malformed })?;
        if decided.block.header.state == *root { Ok(()) } else { Err(ChainError::State { height }) }
    }

    fn apply(&mut self, index: &Index, height: u64, payload: Vec<u8>) -> Result<(), ChainError> {
        let decided: Decided =
            borsh::from_slice(&payload).map_err(|_| ChainError::Malformed { height, source: Malformed })?;
        let executed = replay(index, self.consortium, &decided)?;
        apply(index, height, executed.root, executed.changes)
    }
}

fn replay(
    store: &dyn StateStore,
    consortium: &Consortium,
    decided: &Decided,
) -> Result<Executed, ChainError> {
    let height = decided.block.header.height;
    let batches: Vec<_> = decided
        .block
        .batches
        .iter()
        .map(|bytes| Admitted::recorded(bytes).map_err(|source| ChainError::Batch { height, source }))
        .collect::<Result<_, _>>()?;
    run(store, consortium, &decided.block.header, &batches)
}

/// The decided blocks of a chain's folder as its node recorded them, read beside the running node or without one.
pub struct Recorded(Log);

impl Recorded {
    /// Opens the log of a chain for reading.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn open(dir: &Path) -> Result<Self, ChainError> {
        Ok(Self(Log::read_only(&dir.join("log"))?))
    }

    /// Looks for blocks that were written since; returns the height.
    ///
    /// # Errors
    /// When the log is damaged.
    pub fn refresh(&mut self) -> Result<u64, ChainError> {
        Ok(self.0.refresh()?)
    }

    /// The blocks from a height on, with what the node noted of each batch.
    pub fn from(&self, height: u64) -> impl Iterator<Item = Result<Decided, ChainError>> {
        self.0.iter(height).map(|entry| {
            let (height, bytes) = entry?;
            borsh::from_slice(&bytes).map_err(|_| ChainError::Malformed { height, source: Malformed })
        })
    }
}

/// Reads a log beside a running node, or without one, and follows the state in memory. Leaves no trace.
pub struct History {
    consortium: Arc<Consortium>,
    log: Log,
    state: MemoryIndex,
    tip: Hash,
}

impl History {
    /// Opens the log of a chain in a folder for reading.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn open(dir: &Path, consortium: Arc<Consortium>) -> Result<Self, ChainError> {
        let log = Log::read_only(&dir.join("log"))?;
        Ok(Self { consortium, log, state: MemoryIndex::new(), tip: Hash::default() })
    }

    /// Height up to which the history was read.
    ///
    /// # Errors
    /// Never in practice: the state is in memory.
    pub fn height(&self) -> Result<u64, ChainError> {
        Ok(self.state.meta()?.map_or(0, |(height, _)| height))
    }

    /// Height of the last block in the log, as last looked at.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.log.height()
    }

    /// Looks for blocks that were written since.
    ///
    /// # Errors
    /// When the log is damaged.
    pub fn refresh(&mut self) -> Result<u64, ChainError> {
        Ok(self.log.refresh()?)
    }

    /// The next block, checked: it follows the last one, its certificate holds, and it leads to the state root it names.
    ///
    /// # Errors
    /// When the log is damaged or a block is wrong.
    pub fn next_block(&mut self) -> Result<Option<Decided>, ChainError> {
        let height = self.height()?.saturating_add(1);
        let Some(decided) = decided_at(&self.log, height)? else { return Ok(None) };
        let header = &decided.block.header;
        let follows = header.height == height
            && header.previous == self.tip
            && header.consortium == self.consortium.id()
            && header.batches == batches_root(&decided.block.batches);
        if !follows {
            return Err(ChainError::NotNext { height });
        }
        let certificate = &decided.certificate;
        if certificate.block != header.id() || certificate.height != height {
            return Err(ChainError::NotNext { height });
        }
        certificate
            .verify(self.consortium.id(), &self.consortium.validators())
            .map_err(|source| ChainError::Certificate { height, source })?;
        let executed = replay(&self.state, &self.consortium, &decided)?;
        self.tip = header.id();
        apply(&self.state, height, executed.root, executed.changes)?;
        // What the node noted of each batch is local: the replay says it again.
        Ok(Some(Decided { outcomes: executed.outcomes, ..decided }))
    }

    /// The state at the height reached.
    #[must_use]
    pub fn book(&self) -> Book<'_> {
        Book::new(&self.state)
    }

    /// The consortium.
    #[must_use]
    pub fn consortium(&self) -> &Arc<Consortium> {
        &self.consortium
    }
}

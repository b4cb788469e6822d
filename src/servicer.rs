//! The servicer's side: a wallet read from the chain, drafts sealed and handed to the running node, in order.
//!
//! Sealing takes seconds of computing for a full batch, deciding takes a moment: several batches are under way at once. If
//! one is refused, those behind it are, too, and nothing of them is booked; running again goes on from what is.

use crate::{
    control::{self, Request, Response},
    home::{Home, Me},
};
use anyhow::{Context as _, Result, bail};
use counterfoil_ledger::{
    batch::{Content, Sealed},
    chain::Recorded,
    draft::Draft,
    names::Hash,
    seal::begin,
    wallet::Wallet,
};
use rand_core::OsRng;
use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// Batches under way at once.
const UNDER_WAY: usize = 3;
/// How long a node may be away before a batch is given up, and how often it is tried.
const PATIENCE_TRIES: u32 = 600;
const TRY_EVERY: Duration = Duration::from_millis(200);

/// What is done when a batch is booked, for progress bars.
pub type Booked = Box<dyn FnOnce(u64) + Send>;

/// A servicer at work.
pub struct Servicer {
    home: Home,
    me: Me,
    wallet: Wallet,
    under_way: VecDeque<JoinHandle<Result<()>>>,
    bytes: Arc<AtomicU64>,
}

impl Servicer {
    /// Reads the wallet of a member from its node's chain.
    ///
    /// # Errors
    /// When the folder is incomplete or the chain cannot be read.
    pub fn open(home: &Home) -> Result<Self> {
        let me = home.me()?;
        let mut wallet = Wallet::new(me.consortium.clone(), me.id, me.keys.clone());
        let chain = Recorded::open(&home.chain()).context("the node of this member has not run yet")?;
        for decided in chain.from(1) {
            for bytes in decided?.applied() {
                let sealed = Sealed::from_bytes(bytes).context("a recorded batch cannot be read")?;
                wallet.absorb(&sealed)?;
            }
        }
        Ok(Self { home: home.clone(), me, wallet, under_way: VecDeque::new(), bytes: Arc::default() })
    }

    /// Who this is.
    #[must_use]
    pub fn me(&self) -> &Me {
        &self.me
    }

    /// The wallet, with every batch that was handed over.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// Bytes of all batches that were handed over.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Seals a draft and hands it to the node. The proofs of several batches are made in parallel. Returns once fewer than three batches are under way; `booked` is called with
    /// the height when this one is decided.
    ///
    /// # Errors
    /// When the draft cannot be booked, or a batch before it was refused.
    pub async fn post(&mut self, draft: Draft, booked: Booked) -> Result<()> {
        let begun = begin(&self.wallet, &draft, &mut OsRng)?;
        self.wallet.absorb_content(begun.content(), begun.records())?;
        let what = describe(begun.content());
        let (socket, chain, sent) = (self.home.socket(), self.home.chain(), self.bytes.clone());
        self.under_way.push_back(tokio::spawn(async move {
            let sealed =
                tokio::task::spawn_blocking(move || begun.prove(NonZeroUsize::MIN, &mut OsRng)).await??;
            let (id, bytes) = (sealed.batch.id(), sealed.to_bytes());
            sent.fetch_add(u64::try_from(bytes.len())?, Ordering::Relaxed);
            let height = Delivery { socket, chain, id, bytes }.deliver().await.with_context(|| what)?;
            booked(height);
            Ok(())
        }));
        while self.under_way.len() >= UNDER_WAY {
            self.settle_one().await?;
        }
        Ok(())
    }

    /// Waits until all batches that were handed over are booked.
    ///
    /// # Errors
    /// When one was refused.
    pub async fn settle(&mut self) -> Result<()> {
        while !self.under_way.is_empty() {
            self.settle_one().await?;
        }
        Ok(())
    }

    async fn settle_one(&mut self) -> Result<()> {
        match self.under_way.pop_front() {
            Some(task) => task.await?,
            None => Ok(()),
        }
    }
}

/// A batch in words, for messages.
fn describe(content: &Content) -> String {
    let header = &content.header;
    format!("{:?} batch {} of {} loans", header.kind, header.sequence, content.body.loan_count())
}

/// A sealed batch on its way to the node.
struct Delivery {
    socket: PathBuf,
    chain: PathBuf,
    id: Hash,
    bytes: Vec<u8>,
}

impl Delivery {
    /// Hands the batch over until it is booked. A node that is away is waited for; whether it booked the batch before it went
    /// stands in its log.
    async fn deliver(&self) -> Result<u64> {
        let mut tries = 0u32;
        loop {
            let answer = control::ask(&self.socket, &Request::Submit(self.bytes.clone())).await;
            match answer {
                Ok(Response::Booked { height }) => return Ok(height),
                Ok(Response::Refused { reason, .. }) => {
                    return match self.find()? {
                        Some(height) => Ok(height),
                        None => bail!("refused: {reason}; nothing of it is booked, run again to go on"),
                    };
                }
                Ok(_) if tries >= PATIENCE_TRIES => {
                    bail!("the node keeps stopping; nothing is lost, run again")
                }
                Ok(Response::Stopping | Response::Status(_)) => {}
                Err(error) if tries >= PATIENCE_TRIES => return Err(error),
                Err(_) => {}
            }
            tries = tries.saturating_add(1);
            tokio::time::sleep(TRY_EVERY).await;
        }
    }

    /// The height at which the batch is booked in the node's log, if it is.
    fn find(&self) -> Result<Option<u64>> {
        for decided in Recorded::open(&self.chain)?.from(1) {
            let decided = decided?;
            for bytes in decided.applied() {
                if Sealed::from_bytes(bytes).is_ok_and(|sealed| sealed.batch.id() == self.id) {
                    return Ok(Some(decided.block.header.height));
                }
            }
        }
        Ok(None)
    }
}

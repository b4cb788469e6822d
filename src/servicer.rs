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
    batch::Sealed, chain::Recorded, draft::Draft, names::Hash, seal::seal, wallet::Wallet,
};
use rand_core::OsRng;
use std::{collections::VecDeque, path::PathBuf, sync::Arc, time::Duration};
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
    wallet: Arc<Wallet>,
    under_way: VecDeque<JoinHandle<Result<()>>>,
    /// Bytes of all batches that were handed over.
    pub bytes: u64,
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
        Ok(Self { home: home.clone(), me, wallet: Arc::new(wallet), under_way: VecDeque::new(), bytes: 0 })
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

    /// Seals a draft and hands it to the node. Returns once fewer than three batches are under way; `booked` is called with
    /// the height when this one is decided.
    ///
    /// # Errors
    /// When the draft cannot be booked, or a batch before it was refused.
    pub async fn post(&mut self, draft: Draft, booked: Booked) -> Result<()> {
        let wallet = self.wallet.clone();
        let sealed = tokio::task::spawn_blocking(move || seal(&wallet, &draft, &mut OsRng)).await??;
        Arc::make_mut(&mut self.wallet).absorb(&sealed)?;
        let bytes = sealed.to_bytes();
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len())?);
        let delivery =
            Delivery { socket: self.home.socket(), chain: self.home.chain(), id: sealed.batch.id(), bytes };
        let what = crate::node::describe(&sealed);
        self.under_way.push_back(tokio::spawn(async move {
            let height = delivery.deliver().await.with_context(|| what)?;
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

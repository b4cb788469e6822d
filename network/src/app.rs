//! The one trait through which meaning enters: what is ordered, judged and kept belongs to the application.

use counterfoil_crypto::quorum::Certificate;

/// What the network asks of the application. All methods may block; none is called on an async thread except
/// [`Application::identify`], which is cheap.
pub trait Application: Send + Sync + 'static {
    /// Judges an opaque item that a peer offers to the pool and keeps it if good. Expensive (100 ms to seconds):
    /// called on blocking threads, two at a time. The same item may come again: an item that is held already
    /// should be answered at once.
    ///
    /// # Errors
    /// [`Refused`] when the item is not kept.
    fn admit(&self, item: &[u8]) -> Result<(), Refused>;

    /// Items of this node's own that are not yet in a block, at most `max_bytes` of them together: offered again
    /// to a peer that (re)connects, and now and then to all.
    fn pending(&self, max_bytes: usize) -> Vec<Vec<u8>>;

    /// Whether the pool holds anything, of whatever origin, that the next block could carry. Cheap. While it is
    /// false the chain is quiet.
    fn waiting(&self) -> bool;

    /// A block for this height, from the pool; at most [`crate::MAX_BLOCK`] bytes.
    fn propose(&self, height: u64) -> Vec<u8>;

    /// The id that is voted on. A cheap structural check: the block's body must match its header, and the id is
    /// the header's hash.
    ///
    /// # Errors
    /// [`Refused`] when the bytes are no block of this height.
    fn identify(&self, height: u64, block: &[u8]) -> Result<[u8; 32], Refused>;

    /// Full judgement of a proposed block, before it is voted for.
    ///
    /// # Errors
    /// [`Refused`] when this node should vote against it.
    fn verify(&self, height: u64, block: &[u8]) -> Result<(), Refused>;

    /// Makes a decided block durable and applies it. Called once per height, in order. Called again for a height
    /// after a crash only if [`Application::height`] is below it.
    ///
    /// # Errors
    /// [`Fatal`] stops the node: a broken store never guesses.
    fn commit(&self, height: u64, block: &[u8], certificate: &Certificate) -> Result<(), Fatal>;

    /// A decided block with its certificate, for peers that catch up.
    fn decided(&self, height: u64) -> Option<(Vec<u8>, Certificate)>;

    /// Height of the last committed block, 0 before the first.
    fn height(&self) -> u64;
}

/// An item or a block is not accepted, and why. The peers go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    /// A refusal with its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// This node cannot go on, and why. It stops.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fatal(pub String);

impl Fatal {
    /// A failure with its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

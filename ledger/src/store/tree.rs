//! The authenticated state: the one file that knows `jmt`, a Jellyfish Merkle tree (Gao, Hu and Wu, 2021) over blake3.
//!
//! Every key that begins with [`STATE`] has a leaf `(hash of key, hash of value)`. The root is a function of the set of
//! keys and values alone: not of the order in which they came, nor of the heights that wrote them. With H the keyed
//! blake3 of this file, over the sorted leaves of a subtree:
//!
//! ```text
//!   root({})        = "SPARSE_MERKLE_PLACEHOLDER_HASH__"                        (EMPTY_ROOT)
//!   root({(k, v)})  = H("JMT::LeafNode" ‖ H(k) ‖ H(v))
//!   root(S)         = H("JMT::IntrnalNode" ‖ root(S, next bit 0) ‖ root(S, next bit 1))
//! ```
//!
//! Only the tree of the applied height is kept: a node is stored under its path, with the version it was written at,
//! and the next version overwrites it. So the index does not grow with the heights, and proofs are for the applied
//! height only. Values stay in the flat store; the tree holds their hashes.
//!
//! A proof shows what the state of one root holds under one key. It does not show that the root was agreed on: that is
//! the block's certificate.

use std::sync::LazyLock;

use jmt::proof::SparseMerkleProof;
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch};
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, RootHash, SimpleHasher, Version};
use thiserror::Error;

pub use super::audit::audit;
use super::state::{Changes, Root, StateStore, StoreError, follows, guarded, printable};

/// The first bytes of every key that the tree authenticates.
pub const STATE: &[u8] = b"s/";

/// The root of a state without keys.
pub const EMPTY_ROOT: Root = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

/// The first bytes of the keys of tree nodes: then the number of nibbles of the path, then the path.
pub(super) const NODES: &[u8] = b"\xffn/";

/// The version of a proof's encoding, its first byte.
const PROOF_VERSION: u8 = 1;

/// A leaf and 256 siblings of 65 bytes each, with the version byte, a tag and a length.
const MAX_PROOF: usize = 1 + 65 + 4 + 256 * 65;

/// Why the tree could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The store below failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key outside the authenticated part of the key space.
    #[error("state key {key} does not begin with s/")]
    NotState {
        /// The key, in printable form.
        key: String,
    },
    /// The tree stands at another height.
    #[error("the tree stands at height {applied:?} and cannot serve height {asked}")]
    Height {
        /// The height applied last.
        applied: Option<u64>,
        /// The height asked for.
        asked: u64,
    },
    /// The stored tree contradicts itself, the flat values or the root.
    #[error("the state tree is damaged: {what}; quarantine the index and rebuild it from the log")]
    Damaged {
        /// What does not fit.
        what: String,
    },
}

/// Why a proof was not accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// Not the canonical bytes of a proof.
    #[error("the state proof is malformed: ask for it again")]
    Malformed,
    /// Well-formed, but it shows something else.
    #[error("the state proof does not lead from this key and value to this root")]
    Refused,
}

/// What the state holds under a key, with the proof of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The value, or `None` if the key is absent.
    pub value: Option<Vec<u8>>,
    /// The bytes for [`verify`].
    pub proof: Vec<u8>,
}

/// The root after `changes` at `height`, and the node writes that belong in the same batch as the changes.
///
/// Writes nothing. Unknown keys may be deleted: that changes nothing.
///
/// # Errors
///
/// If `height` does not follow the applied one, a key is not a state key, or the store is damaged.
pub fn commit(store: &dyn StateStore, height: u64, changes: &Changes) -> Result<(Root, Changes), TreeError> {
    let applied = store.meta()?.map(|(applied, _)| applied);
    if !follows(applied, height) {
        return Err(TreeError::Height { applied, asked: height });
    }
    if let Some(key) = changes.keys().find(|key| !key.starts_with(STATE)) {
        return Err(TreeError::NotState { key: printable(key) });
    }
    let reader = Reader { store, asked: None };
    let (root, update) = engine(|| update(&reader, height, changes))?;

    let stale = update.stale_node_index_batch.iter().map(|stale| (path_key(&stale.node_key), None));
    let mut nodes: Changes = stale.collect();
    for (key, node) in update.node_batch.nodes() {
        nodes.insert(path_key(key), Some(encode(key.version(), node)?));
    }
    Ok((root.0, nodes))
}

/// Without deletions, as in most blocks, the engine hashes each touched node once and not once per key.
fn update(
    reader: &Reader<'_>,
    height: u64,
    changes: &Changes,
) -> Result<(RootHash, TreeUpdateBatch), anyhow::Error> {
    let tree = JellyfishMerkleTree::<_, Blake3>::new(reader);
    let hashed = changes.iter().map(|(key, value)| (KeyHash(Blake3::hash(key)), value.clone()));
    if changes.is_empty() || changes.values().any(Option::is_none) {
        return tree.put_value_set(hashed, height);
    }
    let set = hashed.filter_map(|(key, value)| Some((key, value?))).collect();
    let (roots, update) = tree.batch_put_value_sets(vec![set], None, height)?;
    let root = roots.first().ok_or_else(|| anyhow::anyhow!("the engine returned no root"))?;
    Ok((*root, update))
}

/// The root of the applied height, computed from the stored root node; [`EMPTY_ROOT`] before the first height.
///
/// # Errors
///
/// If the root node is damaged, missing, or not the one that the store's meta data names.
pub fn root(store: &dyn StateStore) -> Result<Root, TreeError> {
    let Some((height, expected)) = store.meta()? else { return Ok(EMPTY_ROOT) };
    let reader = Reader { store, asked: None };
    let root = engine(|| JellyfishMerkleTree::<_, Blake3>::new(&reader).get_root_hash(height))?.0;
    if root != expected {
        return Err(TreeError::Damaged {
            what: format!("the root node of height {height} is not the named one"),
        });
    }
    Ok(root)
}

/// The value under `key` at `height`, present or absent, with a proof that was verified before it is returned.
///
/// # Errors
///
/// If `height` is not the applied one, the key is not a state key, or the store is damaged.
pub fn prove(store: &dyn StateStore, height: u64, key: &[u8]) -> Result<Proven, TreeError> {
    let meta = store.meta()?;
    let root = match meta {
        Some((applied, root)) if applied == height => root,
        _ => return Err(TreeError::Height { applied: meta.map(|(applied, _)| applied), asked: height }),
    };
    if !key.starts_with(STATE) {
        return Err(TreeError::NotState { key: printable(key) });
    }
    let reader = Reader { store, asked: Some(key) };
    let hash = KeyHash(Blake3::hash(key));
    let (value, proof) =
        engine(|| JellyfishMerkleTree::<_, Blake3>::new(&reader).get_with_proof(hash, height))?;
    let mut bytes = vec![PROOF_VERSION];
    borsh::to_writer(&mut bytes, &proof).map_err(|error| TreeError::Damaged { what: error.to_string() })?;
    verify(&root, key, value.as_deref(), &bytes).map_err(|_| TreeError::Damaged {
        what: format!("no proof of {} leads to the root", printable(key)),
    })?;
    Ok(Proven { value, proof: bytes })
}

/// Checks that the state with this root holds `value` under `key`, or nothing if `value` is `None`.
///
/// # Errors
///
/// [`ProofError::Malformed`] or [`ProofError::Refused`].
pub fn verify(root: &Root, key: &[u8], value: Option<&[u8]>, proof: &[u8]) -> Result<(), ProofError> {
    let bytes = match proof.split_first() {
        Some((&PROOF_VERSION, bytes)) if proof.len() <= MAX_PROOF => bytes,
        _ => return Err(ProofError::Malformed),
    };
    let proof: SparseMerkleProof<Blake3> = borsh::from_slice(bytes).map_err(|_| ProofError::Malformed)?;
    let checked = guarded(|| proof.verify(RootHash(*root), KeyHash(Blake3::hash(key)), value));
    checked.map_err(|_| ProofError::Refused)?.map_err(|_| ProofError::Refused)
}

/// Runs the engine, whose errors and panics over a checked request mean a damaged tree, or a failing store below it.
fn engine<T>(work: impl FnOnce() -> Result<T, anyhow::Error>) -> Result<T, TreeError> {
    let result = guarded(work).map_err(|what| TreeError::Damaged { what })?;
    result.map_err(|error| match error.downcast::<StoreError>() {
        Ok(error) => TreeError::Store(error),
        Err(error) => TreeError::Damaged { what: format!("{error:#}") },
    })
}

/// What the engine reads: nodes by path, and the one value that a proof is asked for.
struct Reader<'a> {
    store: &'a dyn StateStore,
    asked: Option<&'a [u8]>,
}

impl TreeReader for Reader<'_> {
    fn get_node_option(&self, key: &NodeKey) -> Result<Option<Node>, anyhow::Error> {
        let Some(bytes) = self.store.get(&path_key(key))? else {
            // The tree before the first height: version 0 without any node.
            let before_all = key.version() == 0 && key.nibble_path().is_empty();
            return Ok(before_all.then_some(Node::Null));
        };
        let (version, node) = decode(&bytes)?;
        Ok((version == key.version()).then_some(node))
    }

    fn get_value_option(&self, _: Version, hash: KeyHash) -> Result<Option<OwnedValue>, anyhow::Error> {
        match self.asked {
            Some(key) if Blake3::hash(key) == hash.0 => Ok(self.store.get(key)?),
            _ => Err(anyhow::anyhow!("a value was read that was not asked for")),
        }
    }

    fn get_rightmost_leaf(&self) -> Result<Option<(NodeKey, LeafNode)>, anyhow::Error> {
        Err(anyhow::anyhow!("the tree is never restored leaf by leaf"))
    }
}

/// `NODES ‖ number of nibbles ‖ one byte per pair of nibbles`: short paths come first in a scan.
fn path_key(key: &NodeKey) -> Vec<u8> {
    let nibbles: Vec<u8> = key.nibble_path().nibbles().map(u8::from).collect();
    packed(&nibbles)
}

pub(super) fn packed(nibbles: &[u8]) -> Vec<u8> {
    let mut bytes = NODES.to_vec();
    bytes.push(u8::try_from(nibbles.len()).unwrap_or(u8::MAX));
    bytes.extend(nibbles.chunks(2).map(|pair| match pair {
        [high, low] => (high << 4) | low,
        [high] => high << 4,
        _ => 0,
    }));
    bytes
}

fn encode(version: Version, node: &Node) -> Result<Vec<u8>, TreeError> {
    let mut bytes = version.to_le_bytes().to_vec();
    borsh::to_writer(&mut bytes, node).map_err(|error| TreeError::Damaged { what: error.to_string() })?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<(Version, Node), anyhow::Error> {
    borsh::from_slice(bytes).map_err(|error| anyhow::anyhow!("a tree node does not decode: {error}"))
}

/// A stored node as the audit sees it.
pub(super) struct StoredNode {
    pub(super) version: u64,
    pub(super) hash: Root,
    /// Nibble, version and hash of each child.
    pub(super) children: Vec<(u8, u64, Root)>,
}

/// Decodes and hashes a stored node.
pub(super) fn stored_node(bytes: &[u8]) -> Result<StoredNode, TreeError> {
    engine(|| {
        let (version, node) = decode(bytes)?;
        let (hash, children) = match node {
            Node::Null => (EMPTY_ROOT, Vec::new()),
            Node::Leaf(leaf) => (leaf.hash::<Blake3>(), Vec::new()),
            Node::Internal(node) => {
                let children = node.children_sorted();
                let children = children.map(|(nibble, child)| (u8::from(nibble), child.version, child.hash));
                (node.hash::<Blake3>(), children.collect())
            }
        };
        Ok(StoredNode { version, hash, children })
    })
}

static HASH_KEY: LazyLock<[u8; 32]> = LazyLock::new(|| blake3::derive_key("counterfoil state tree v1", b""));

/// The tree's hash: blake3 under a key that separates it from every other hash in the system.
pub(super) struct Blake3(blake3::Hasher);

impl SimpleHasher for Blake3 {
    fn new() -> Self {
        Self(blake3::Hasher::new_keyed(&HASH_KEY))
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

//! The audit of the index: reads every value and every node and recomputes the root without the tree engine.
//!
//! A checksum on a value cannot show that a newer value was lost or that an older one came back; the root can. Three
//! things must agree: the root of the flat values, computed here by the definition in [`tree`](super::tree); the
//! stored nodes, each with the hash that its parent names and none left over; and the root in the meta data.

use std::collections::BTreeMap;

use jmt::SimpleHasher;

use super::state::{Root, StateStore, printable};
use super::tree::{Blake3, EMPTY_ROOT, NODES, STATE, TreeError, packed, stored_node};

/// A leaf: the hash of a key and the hash of its value.
type Leaf = (Root, Root);

/// Reads the whole index and returns the number of state keys if everything in it agrees.
///
/// Takes time and, for the leaves, memory in proportion to the number of keys.
///
/// # Errors
///
/// If anything cannot be read or does not agree: then quarantine the index and rebuild it from the log.
pub fn audit(store: &dyn StateStore) -> Result<u64, TreeError> {
    let meta = store.meta()?;
    let mut leaves: Vec<Leaf> = Vec::new();
    for pair in store.scan(STATE) {
        let (key, value) = pair?;
        leaves.push((Blake3::hash(key), Blake3::hash(value)));
    }
    leaves.sort_unstable();
    let expected = meta.map_or(EMPTY_ROOT, |(_, root)| root);
    if recompute(&leaves, 0) != expected {
        return Err(damaged("the values do not lead to the root"));
    }
    audit_nodes(store, meta)?;
    Ok(u64::try_from(leaves.len()).unwrap_or(u64::MAX))
}

/// The root of sorted leaves that agree in their first `depth` bits.
pub(super) fn recompute(leaves: &[Leaf], depth: usize) -> Root {
    match leaves {
        [] => EMPTY_ROOT,
        [(key, value)] => hash(&[b"JMT::LeafNode", key, value]),
        _ => {
            let split = leaves.partition_point(|(key, _)| !bit(key, depth));
            let (zeros, ones) = leaves.split_at(split);
            // Leaves are distinct hashes of 256 bits, so they part before the depth runs out.
            let below = depth.saturating_add(1);
            hash(&[b"JMT::IntrnalNode", &recompute(zeros, below), &recompute(ones, below)])
        }
    }
}

fn bit(key: &Root, depth: usize) -> bool {
    let byte = key.get(depth / 8).copied().unwrap_or(0);
    byte & (0x80_u8 >> (depth % 8)) != 0
}

fn hash(parts: &[&[u8]]) -> Root {
    let mut hasher = Blake3::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// Parents come before children in a scan of the nodes, so each is announced before it is met.
fn audit_nodes(store: &dyn StateStore, meta: Option<(u64, Root)>) -> Result<(), TreeError> {
    let mut announced = BTreeMap::new();
    if let Some(meta) = meta {
        announced.insert(packed(&[]), meta);
    }
    for pair in store.scan(NODES) {
        let (key, value) = pair?;
        let node = stored_node(&value)?;
        if announced.remove(&key) != Some((node.version, node.hash)) {
            return Err(damaged(&format!("node {} is not the one its parent names", printable(&key))));
        }
        if node.children.is_empty() {
            continue;
        }
        let path = unpacked(&key).ok_or_else(|| damaged("a node without a path"))?;
        for (nibble, version, hash) in node.children {
            let child = [path.as_slice(), &[nibble]].concat();
            announced.insert(packed(&child), (version, hash));
        }
    }
    match announced.first_key_value() {
        None => Ok(()),
        Some((key, _)) => Err(damaged(&format!("node {} is missing", printable(key)))),
    }
}

/// The nibbles of a node's key.
fn unpacked(key: &[u8]) -> Option<Vec<u8>> {
    let (count, bytes) = key.strip_prefix(NODES)?.split_first()?;
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    Some(nibbles.take(usize::from(*count)).collect())
}

fn damaged(what: &str) -> TreeError {
    TreeError::Damaged { what: what.to_owned() }
}

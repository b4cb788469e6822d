//! Merkle trees over records, so that one section can be shown and proven without the others.
//!
//! Leaves and nodes are hashed under different labels, and the number of leaves is part of the root: a node is never
//! taken for a leaf, nor a tree for a longer one. Source: RFC 9162, section 2.1, with BLAKE3 in place of SHA-256.

use crate::labels;

/// The hash of a leaf.
#[must_use]
pub fn leaf(bytes: &[u8]) -> [u8; 32] {
    blake3::derive_key(labels::RECORD_LEAF, bytes)
}

/// The root over leaves in order; a tree without leaves has one, too.
#[must_use]
pub fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(pair).collect();
    }
    let top = level.first().copied().unwrap_or_default();
    blake3::derive_key(labels::RECORD_NODE, &[&(leaves.len() as u64).to_le_bytes()[..], &top].concat())
}

/// The hash of a pair; a lone node at the end of a level rises unchanged, and the leaf count tells it apart.
fn pair(nodes: &[[u8; 32]]) -> [u8; 32] {
    match nodes {
        [single] => *single,
        _ => blake3::derive_key(labels::RECORD_NODE, &nodes.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_binds_content_order_and_count() {
        let leaves: Vec<_> = (0u8..5).map(|i| leaf(&[i])).collect();
        let mut swapped = leaves.clone();
        swapped.swap(0, 1);
        let mut roots = vec![root(&leaves), root(&swapped), root(&[]), root(&[[0; 32]])];
        roots.extend((1..5).map(|n| root(&leaves[..n])));
        let different: std::collections::BTreeSet<_> = roots.iter().collect();
        assert_eq!(different.len(), roots.len());
    }
}

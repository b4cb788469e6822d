//! Every domain-separation label of the system, in one list.
//!
//! A label that serves two purposes lets a proof, signature or key made for one be used for the other. Having all
//! of them on one page makes a collision visible at a glance; the test below makes it fail.

/// Root transcript of a batch: consortium, version and body are absorbed under it.
pub const BATCH_TRANSCRIPT: &[u8] = b"counterfoil/1/batch";
/// Begins a range proof over values of their own bounds.
pub const PACKED_RANGES: &[u8] = b"counterfoil/1/packed-ranges";
/// Proof of possession of a view key.
pub const VIEW_KEY_POSSESSION: &[u8] = b"counterfoil/1/view-key-possession";
/// Signature: proof of possession of an identity key over a member's registration.
pub const REGISTRATION_SIGNATURE: &[u8] = b"counterfoil/1/registration";
/// Signature: a servicer's signature over a batch.
pub const BATCH_SIGNATURE: &[u8] = b"counterfoil/1/batch-signature";
/// Signature: a vote in the ordering of blocks.
pub const VOTE_SIGNATURE: &[u8] = b"counterfoil/1/vote";
/// Signature: a proposal in the ordering of blocks.
pub const PROPOSAL_SIGNATURE: &[u8] = b"counterfoil/1/proposal";
/// Signature: a bank's attestation of its control accounts at the end of an epoch.
pub const ATTESTATION_SIGNATURE: &[u8] = b"counterfoil/1/attestation";
/// Signature: a bank's vote for a decree.
pub const DECREE_SIGNATURE: &[u8] = b"counterfoil/1/decree";
/// Signature of a digest over the lines that two banks share.
pub const SHARED_LINES_SIGNATURE: &[u8] = b"counterfoil/1/shared-lines";
/// HPKE `info` of an envelope.
pub const ENVELOPE_INFO: &[u8] = b"counterfoil/1/envelope";
/// Key derivation: everything that a batch's seed is expanded to.
pub const BATCH_SEED_KDF: &str = "counterfoil/1 batch seed expansion";
/// Key derivation: what a servicer mixes into the randomness of its batches.
pub const BATCH_RANDOMNESS_KDF: &str = "counterfoil/1 batch randomness";
/// Key derivation: the blinding of a bank's posting, from its viewer key of the batch.
pub const POSTING_BLINDING_KDF: &str = "counterfoil/1 posting blinding";
/// Key derivation: what a bank mixes into the randomness of its attestations.
pub const ATTESTATION_RANDOMNESS_KDF: &str = "counterfoil/1 attestation randomness";
/// Key derivation: the key that wraps section keys for one viewer.
pub const SECTION_WRAP_KDF: &str = "counterfoil/1 section key wrap";
/// Key derivation: shard ids, a servicer's keyed pseudonyms of its customers.
pub const SHARD_ID_KDF: &str = "counterfoil/1 shard id";
/// Hash: a leaf of a record tree.
pub const RECORD_LEAF: &str = "counterfoil/1 record leaf";
/// Hash: an inner node of a record tree.
pub const RECORD_NODE: &str = "counterfoil/1 record node";
/// Hash: a genesis file; the consortium's id.
pub const GENESIS_HASH: &str = "counterfoil/1 genesis";
/// Hash: a batch's id.
pub const BATCH_HASH: &str = "counterfoil/1 batch id";
/// Hash: a loan's id.
pub const LOAN_HASH: &str = "counterfoil/1 loan id";
/// Hash: an attestation's id.
pub const ATTESTATION_HASH: &str = "counterfoil/1 attestation id";
/// Hash: a decree's id.
pub const DECREE_HASH: &str = "counterfoil/1 decree id";
/// Hash: the control accounts of a bank at the end of an epoch.
pub const ACCOUNTS_HASH: &str = "counterfoil/1 control accounts";
/// Hash: a block header; what the members vote on.
pub const BLOCK_HASH: &str = "counterfoil/1 block id";
/// Key derivation: the salt of a line that two banks share, from the key of its event.
pub const SHARED_LINE_SALT: &str = "counterfoil/1 shared line salt";
/// Hash: a line that two banks share.
pub const SHARED_LINE_LEAF: &str = "counterfoil/1 shared line leaf";
/// Hash: a node over lines that two banks share.
pub const SHARED_LINE_NODE: &str = "counterfoil/1 shared line node";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    fn values() -> Vec<&'static str> {
        let lines = include_str!("labels.rs").lines().filter(|l| l.starts_with("pub const"));
        lines.filter_map(|l| l.split('"').nth(1)).collect()
    }

    #[test]
    fn labels_are_all_different() {
        let values = values();
        assert!(values.len() > 10);
        assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len());
    }

    #[test]
    fn the_specification_lists_every_label() {
        let specification = include_str!("../docs/SPECIFICATION.md");
        let listed = |value: &&str| specification.contains(&format!("| `{value}` |"));
        assert_eq!(values().into_iter().find(|value| !listed(value)), None);
    }
}

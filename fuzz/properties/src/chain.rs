//! Blocks, what the log and the state keep, the genesis, state proofs: the ledger's other bytes.

use crate::{input::Input, world::world};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::quorum::Certificate;
use counterfoil_ledger::{
    batch::{Content, Records},
    block::{Block, BlockHeader, Decided},
    book::{Account, Head, Loan},
    genesis::{Consortium, Genesis},
    names::Hash,
    rejection::Rejection,
    share::{IdentityText, Share, TermsText},
    store::{MemoryIndex, StateStore as _, tree},
};
use std::sync::LazyLock;

/// The first byte says which decoder; the rest is for it.
#[must_use]
pub fn any_bytes(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (choice, bytes) = (input.byte(), input.rest());
    match choice % 14 {
        0 => block(bytes),
        1 => canonical::<Decided>(bytes).is_some(),
        2 => canonical::<BlockHeader>(bytes).is_some(),
        3 => certificate(bytes),
        4 => genesis(bytes),
        5 => state_proof(bytes),
        6 => canonical::<Account>(bytes).is_some(),
        7 => canonical::<Loan>(bytes).is_some(),
        8 => canonical::<Head>(bytes).is_some(),
        9 => canonical::<Share>(bytes).is_some(),
        10 => canonical::<IdentityText>(bytes).is_some(),
        11 => canonical::<TermsText>(bytes).is_some(),
        12 => canonical::<Records>(bytes).is_some_and(|records| records.root() != Hash::default()),
        _ => canonical::<Content>(bytes).is_some() || canonical::<Option<Rejection>>(bytes).is_some(),
    }
}

/// What decodes encodes to the same bytes.
pub(crate) fn canonical<T: BorshDeserialize + BorshSerialize>(bytes: &[u8]) -> Option<T> {
    let value: T = borsh::from_slice(bytes).ok()?;
    assert_eq!(borsh::to_vec(&value).expect("memory takes all"), bytes, "two forms of one value");
    Some(value)
}

fn block(bytes: &[u8]) -> bool {
    let Ok(block) = Block::from_bytes(bytes) else { return false };
    assert_eq!(block.to_bytes(), bytes, "two forms of one block");
    assert!(block.batches.len() <= counterfoil_ledger::block::MAX_BATCHES);
    true
}

/// Nobody signs here, so no certificate is good.
fn certificate(bytes: &[u8]) -> bool {
    let Some(certificate) = canonical::<Certificate>(bytes) else { return false };
    let world = world();
    assert!(certificate.verify(world.consortium.id(), &world.consortium.validators()).is_err());
    true
}

/// A genesis that is taken is one whose every member signed: the one there is, or with other words about products.
fn genesis(bytes: &[u8]) -> bool {
    let Some(genesis) = canonical::<Genesis>(bytes) else { return false };
    // Few members: each costs two signatures and a proof, and more of them show nothing new.
    if genesis.members.len() > 8 {
        return false;
    }
    let Ok(consortium) = Consortium::found(genesis.clone()) else { return false };
    assert_eq!(consortium.genesis(), &genesis);
    let known = world().consortium.genesis();
    assert!(
        genesis.members.iter().all(|member| known.members.contains(member)),
        "a member that nobody signed"
    );
    assert_eq!(consortium.id() == world().consortium.id(), genesis == *known, "one id, two consortia");
    true
}

struct Tree {
    root: tree::Proven,
    absent: tree::Proven,
    hash: [u8; 32],
}

const KEY: &[u8] = b"s/present";
const NO_KEY: &[u8] = b"s/absent";

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let store = MemoryIndex::new();
    let keys = (0..40u8).map(|n| [b"s/".as_slice(), &[n]].concat()).chain([KEY.to_vec()]);
    let changes = keys.map(|key| (key.clone(), Some(key))).collect();
    let (hash, nodes) = tree::commit(&store, 1, &changes).expect("an empty store takes all");
    let all = changes.into_iter().chain(nodes).collect();
    store.apply(1, hash, &all).expect("memory takes all");
    let prove = |key| tree::prove(&store, 1, key).expect("the tree is whole");
    Tree { root: prove(KEY), absent: prove(NO_KEY), hash }
});

/// No bytes prove another value under the key, nor its absence, nor anything under a key that is not there.
fn state_proof(proof: &[u8]) -> bool {
    let tree = &*TREE;
    assert!(tree::verify(&tree.hash, KEY, Some(b"other"), proof).is_err());
    assert!(tree::verify(&tree.hash, KEY, None, proof).is_err());
    assert!(tree::verify(&tree.hash, NO_KEY, Some(NO_KEY), proof).is_err());
    let present = tree::verify(&tree.hash, KEY, Some(KEY), proof).is_ok();
    let absent = tree::verify(&tree.hash, NO_KEY, None, proof).is_ok();
    // A proof of presence is the only one of its kind; absence can be shown by whatever stands in the key's place.
    assert_eq!(present, proof == tree.root.proof, "two proofs of one value");
    assert_eq!(absent, proof == tree.absent.proof, "two proofs of one absence");
    present || absent
}

/// Good proofs of presence and absence, for seeds.
#[must_use]
pub fn good_state_proofs() -> [Vec<u8>; 2] {
    [TREE.root.proof.clone(), TREE.absent.proof.clone()]
}

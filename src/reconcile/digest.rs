//! Two banks between themselves: one digest per epoch over the lines that both should have, and, where the digests differ,
//! a descent to the first difference that shows nothing of the rest.
//!
//! Both banks put their shared lines in the same order and build a binary tree of hashes over them. One asks for the two
//! children of a node that differs, goes on in the leftmost child that differs, and after as many questions as the tree
//! is high knows the first line that is not the same. Only that line is then shown. A leaf is salted by the key of its event,
//! which only those have who have the line: a hash cannot be tried against the few amounts that are likely.
//!
//! What this does not show: anything behind the first difference (a line that is missing moves all after it), and lines
//! whose event has no key have no secret salt. Source of the tree: RFC 9162, section 2.1, with an even height and empty
//! leaves in place of lone nodes.

use super::line::{Line, Names};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{
    identity::{Identity, IdentityError, PublicIdentity, Signature},
    labels,
};

/// A hash.
pub type Hash = [u8; 32];

/// Most lines in an epoch: a descent takes at most 32 questions.
const MAX_HEIGHT: u8 = 32;

/// What a digest is about; two digests are compared only where this is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct About {
    /// The consortium.
    pub consortium: Hash,
    /// The epoch.
    pub epoch: u64,
    /// Who services the loans.
    pub servicer: u16,
    /// Whose parts the lines are.
    pub partner: u16,
}

/// What a bank says of an epoch, and signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Digest {
    /// What it is about.
    pub about: About,
    /// How many lines.
    pub count: u32,
    /// The hash over them, at the height of that many lines.
    pub root: Hash,
}

impl Digest {
    /// The bank's signature under what it says.
    #[must_use]
    pub fn sign(&self, identity: &Identity) -> Signature {
        identity.sign(labels::SHARED_LINES_SIGNATURE, &borsh::to_vec(self).unwrap_or_default())
    }

    /// Checks the other bank's signature.
    ///
    /// # Errors
    /// When it is not this bank's, of this digest.
    pub fn verify(&self, bank: &PublicIdentity, signature: &Signature) -> Result<(), IdentityError> {
        bank.verify(labels::SHARED_LINES_SIGNATURE, &borsh::to_vec(self).unwrap_or_default(), signature)
    }
}

/// One line as both banks say it; shown when a descent has ended at it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Shown {
    /// Value date, in days since 1970-01-01; the order of lines is that of these fields.
    pub value: i32,
    /// The loan's id on the ledger or its reference, as both have it.
    pub loan: String,
    /// The event, as in reports.
    pub event: String,
    /// The component.
    pub component: String,
    /// Debit or credit, as the partner books it.
    pub side: String,
    /// How much, in minor units.
    pub amount: u64,
    /// The currency.
    pub currency: String,
    /// The salt of the leaf.
    pub salt: Hash,
}

impl Shown {
    /// A line as it stands in the tree.
    #[must_use]
    pub fn new(about: &About, line: &Line, names: &Names) -> Self {
        let secret = (about, line.key.unwrap_or_default());
        Self {
            value: line.value.0,
            loan: names.text(line.loan).into(),
            event: line.event.to_string(),
            component: line.component.to_string(),
            side: line.side.to_string(),
            amount: line.amount,
            currency: line.currency.code().into(),
            salt: hash(labels::SHARED_LINE_SALT, &secret),
        }
    }

    /// The leaf that this line has: whoever is shown a line compares this with the leaf that the descent ended at.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        hash(labels::SHARED_LINE_LEAF, self)
    }
}

fn hash(label: &str, what: &impl BorshSerialize) -> Hash {
    blake3::derive_key(label, &borsh::to_vec(what).unwrap_or_default())
}

/// A node of the tree: so many levels above the leaves, the index-th from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Place {
    /// Levels above the leaves.
    pub level: u8,
    /// From the left.
    pub index: u32,
}

impl Place {
    /// The left child, and the right one.
    fn children(self) -> Option<[Self; 2]> {
        let (level, left) = (self.level.checked_sub(1)?, self.index.checked_mul(2)?);
        Some([Self { level, index: left }, Self { level, index: left.checked_add(1)? }])
    }
}

/// The tree over one bank's shared lines.
#[derive(Clone, Debug)]
pub struct Tree {
    /// From the leaves up; what is right of the last node of a level is empty.
    levels: Vec<Vec<Hash>>,
    empty: Vec<Hash>,
}

/// More lines than an epoch can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an epoch has fewer than 2^31 lines")]
pub struct TooManyLines;

impl Tree {
    /// The tree over lines in the order in which both banks have them: that of [`Shown`]'s fields.
    ///
    /// # Errors
    /// When there are 2^31 lines or more.
    pub fn new(mut lines: Vec<Shown>) -> Result<Self, TooManyLines> {
        if i32::try_from(lines.len()).is_err() {
            return Err(TooManyLines);
        }
        lines.sort();
        let mut empty = vec![[0; 32]];
        while empty.len() <= usize::from(MAX_HEIGHT) {
            let below = *empty.last().unwrap_or(&[0; 32]);
            empty.push(node(&[below, below]));
        }
        let mut levels = vec![lines.iter().map(Shown::leaf).collect::<Vec<_>>()];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let blank = *empty.get(levels.len().saturating_sub(1)).unwrap_or(&[0; 32]);
            let pair = |pair: &[Hash]| {
                node(&[pair.first().copied().unwrap_or(blank), pair.get(1).copied().unwrap_or(blank)])
            };
            levels.push(level.chunks(2).map(pair).collect());
        }
        Ok(Self { levels, empty })
    }

    /// How many lines.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.levels.first().and_then(|leaves| u32::try_from(leaves.len()).ok()).unwrap_or(u32::MAX)
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self, about: About) -> Digest {
        let root = Place { level: height(self.count()), index: 0 };
        Digest { about, count: self.count(), root: self.at(root) }
    }

    /// The hash at a place; above the root, the root with nothing to its right.
    #[must_use]
    pub fn at(&self, place: Place) -> Hash {
        let top = height(self.count());
        if place.index == 0 && place.level > top {
            return raise(self.at(Place { level: top, index: 0 }), top..place.level, &self.empty);
        }
        let level = self.levels.get(usize::from(place.level));
        let found = usize::try_from(place.index).ok().and_then(|index| level?.get(index).copied());
        found.unwrap_or_else(|| self.empty.get(usize::from(place.level)).copied().unwrap_or_default())
    }
}

fn node(children: &[Hash; 2]) -> Hash {
    hash(labels::SHARED_LINE_NODE, children)
}

/// The height of a tree of so many leaves.
fn height(count: u32) -> u8 {
    let bits = u32::BITS.saturating_sub(count.saturating_sub(1).leading_zeros());
    u8::try_from(bits).unwrap_or(MAX_HEIGHT).min(MAX_HEIGHT)
}

/// A root raised by levels with nothing to its right.
fn raise(root: Hash, levels: std::ops::Range<u8>, empty: &[Hash]) -> Hash {
    levels.fold(root, |hash, level| node(&[hash, empty.get(usize::from(level)).copied().unwrap_or_default()]))
}

/// Why a descent cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescentError {
    /// The digests are about other things.
    #[error("the digests are of two different epochs or pairs of banks")]
    Unrelated,
    /// The other's answer is not what its digest says: it is evidence, with the digest that it signed.
    #[error("the answer does not hash to what the digest says")]
    Lie,
    /// A question that is not about a child of the node before.
    #[error("the question leaves the path of the descent")]
    Strays,
    /// The descent has ended.
    #[error("the descent has ended")]
    Ended,
}

/// The side that asks.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    mine: &'a Tree,
    place: Place,
    theirs: Hash,
}

impl<'a> Asking<'a> {
    /// A descent to the first difference from the other's digest; `None`: both have the same lines.
    ///
    /// # Errors
    /// [`DescentError::Unrelated`] when the digests are not about the same.
    pub fn new(mine: &'a Tree, about: About, theirs: &Digest) -> Result<Option<Self>, DescentError> {
        if theirs.about != about {
            return Err(DescentError::Unrelated);
        }
        let low = height(theirs.count);
        let level = low.max(height(mine.count()));
        let hash = raise(theirs.root, low..level, &mine.empty);
        let place = Place { level, index: 0 };
        let differs = mine.at(place) != hash || mine.count() != theirs.count;
        Ok(differs.then_some(Self { mine, place, theirs: hash }))
    }

    /// The node whose children are to be asked for; `None`: the leaf is found.
    #[must_use]
    pub fn question(&self) -> Option<Place> {
        (self.place.level > 0).then_some(self.place)
    }

    /// Goes down by the other's answer.
    ///
    /// # Errors
    /// [`DescentError::Lie`] when the children do not hash to their parent; [`DescentError::Ended`] at a leaf.
    pub fn answer(&mut self, children: [Hash; 2]) -> Result<(), DescentError> {
        let places = self.place.children().ok_or(DescentError::Ended)?;
        if node(&children) != self.theirs {
            return Err(DescentError::Lie);
        }
        let differing = places.into_iter().zip(children).find(|(place, hash)| self.mine.at(*place) != *hash);
        (self.place, self.theirs) = differing.ok_or(DescentError::Lie)?;
        Ok(())
    }

    /// The first line that differs, from 0, and the other's leaf there; all zeros: the other has no such line.
    #[must_use]
    pub fn found(&self) -> Option<(u32, Hash)> {
        (self.place.level == 0).then_some((self.place.index, self.theirs))
    }
}

/// The side that answers: along one path, so that nobody walks the whole tree.
#[derive(Clone, Debug)]
pub struct Answering<'a> {
    mine: &'a Tree,
    last: Option<Place>,
}

impl<'a> Answering<'a> {
    /// Nothing asked yet.
    #[must_use]
    pub fn new(mine: &'a Tree) -> Self {
        Self { mine, last: None }
    }

    /// The children of a node.
    ///
    /// # Errors
    /// [`DescentError::Strays`] when it is neither a root nor a child of the last one; [`DescentError::Ended`] at a leaf.
    pub fn children(&mut self, place: Place) -> Result<[Hash; 2], DescentError> {
        let is_next = match self.last {
            None => place.index == 0 && place.level <= MAX_HEIGHT && place.level >= height(self.mine.count()),
            Some(last) => last.children().is_some_and(|children| children.contains(&place)),
        };
        if !is_next {
            return Err(DescentError::Strays);
        }
        let children = place.children().ok_or(DescentError::Ended)?;
        self.last = Some(place);
        Ok(children.map(|child| self.mine.at(child)))
    }
}

#[cfg(test)]
mod tests;

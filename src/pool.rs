//! The pool: verified batches that wait for their turn.

use counterfoil_ledger::{
    batch::{Content, Header},
    names::{Hash, Lane, MemberId, ProductId},
    rejection::Rejection,
    verify::Verified,
};
use std::{collections::BTreeMap, sync::Arc};

/// Most batches of one servicer that wait; bounds what it can make others keep (each at most 2 MiB), and leaves the
/// others' places alone.
pub const MAX_WAITING: usize = 32;
/// How far ahead of its lane a batch may be: one that is further could wait for ever.
pub const MAX_AHEAD: u64 = 32;

type Place = (MemberId, ProductId, Lane, u64);

/// Batches that wait, by lane and number, so that each lane is offered in order.
#[derive(Default)]
pub struct Pool {
    waiting: BTreeMap<Place, Arc<Verified>>,
}

impl Pool {
    /// Takes a batch in, whose lane stands at number `head`. Of two for one place the first stays.
    ///
    /// # Errors
    /// [`Rejection::Backlog`] when the servicer has its share of the pool or the batch is too far ahead of its lane,
    /// [`Rejection::Sequence`] when its number is taken, by a booked batch or another that waits.
    pub fn insert(&mut self, verified: Arc<Verified>, head: u64) -> Result<(), Rejection> {
        let content = &verified.batch().content;
        self.admits(content, head)?;
        self.waiting.insert(place(&content.header), verified);
        Ok(())
    }

    /// Whether a batch would be taken in: cheap, before any proof of it is looked at.
    ///
    /// # Errors
    /// As [`Pool::insert`].
    pub fn admits(&self, content: &Content, head: u64) -> Result<(), Rejection> {
        let place = place(&content.header);
        if place.3 <= head {
            return Err(Rejection::Sequence);
        }
        if let Some(held) = self.waiting.get(&place) {
            return if held.id() == content.id() { Ok(()) } else { Err(Rejection::Sequence) };
        }
        // The next of its lane is always taken in: all that waits behind it waits for it.
        let next = place.3 == head.saturating_add(1);
        let of_servicer = self.waiting.keys().filter(|other| other.0 == place.0).count();
        let full = of_servicer >= MAX_WAITING || place.3 > head.saturating_add(MAX_AHEAD);
        if full && !next { Err(Rejection::Backlog) } else { Ok(()) }
    }

    /// Takes a batch out that is booked.
    pub fn remove(&mut self, id: &Hash) {
        self.waiting.retain(|_, verified| verified.id() != *id);
    }

    /// Takes a batch out that is refused, and with it all behind it in its lane: each names the one before it.
    pub fn drop_from(&mut self, refused: &Verified) -> Vec<Hash> {
        let from = place(&refused.batch().content.header);
        let behind =
            |other: &Place| (other.0, other.1, other.2) == (from.0, from.1, from.2) && other.3 >= from.3;
        let dropped = self.waiting.iter().filter(|(other, _)| behind(other)).map(|(_, v)| v.id()).collect();
        self.waiting.retain(|other, _| !behind(other));
        dropped
    }

    /// All that wait, lane by lane, in order.
    #[must_use]
    pub fn candidates(&self) -> Vec<Arc<Verified>> {
        self.waiting.values().cloned().collect()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

fn place(header: &Header) -> Place {
    (header.servicer, header.product, header.kind.lane(), header.sequence)
}

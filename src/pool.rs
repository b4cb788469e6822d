//! The pool: verified batches that wait for their turn, and the verdicts that are not to be computed twice.

use counterfoil_ledger::{
    batch::{Content, Header},
    genesis::Consortium,
    names::{Hash, Lane, MemberId, ProductId},
    rejection::Rejection,
    verify::{Verified, verify_all},
};
use rand_core::OsRng;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroUsize,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// Most batches of one servicer that wait; bounds what it can make others keep (each at most 2 MiB), and leaves the
/// others' places alone.
pub const MAX_WAITING: usize = 32;
/// How far ahead of its lane a batch may be: one that is further could wait for ever.
pub const MAX_AHEAD: u64 = 32;
/// Most verdicts that are remembered.
const MAX_VERDICTS: usize = 128;
/// Most batches verified together: their points take some megabytes each, and what gains by it is gained before.
const MAX_TOGETHER: usize = 32;

/// A verdict on a batch.
pub type Verdict = Result<Arc<Verified>, Rejection>;

/// Verdicts by the hash of the bytes, each computed once. Batches that arrive while others are being verified are verified
/// together, in one multiscalar multiplication: the first caller that finds nobody at work takes all that wait.
#[derive(Default)]
pub struct Verdicts {
    state: Mutex<Desk>,
    /// Rung when verdicts were reached.
    reached: Condvar,
}

#[derive(Default)]
struct Desk {
    verdicts: BTreeMap<Hash, Verdict>,
    /// Remembered verdicts, oldest first.
    order: VecDeque<Hash>,
    /// Asked for, not yet under way, in the order of asking: nobody gets ahead by choosing bytes.
    waiting: VecDeque<(Hash, Arc<[u8]>)>,
    /// What somebody is verifying; there is one multiplication at a time, on all cores.
    under_way: BTreeSet<Hash>,
}

impl Verdicts {
    /// The verdict on a batch. Blocks while it is computed: not for an async thread.
    ///
    /// # Errors
    /// The [`Rejection`] of [`verify_all`].
    pub fn verify(&self, consortium: &Consortium, bytes: &[u8]) -> Verdict {
        self.verify_each(consortium, &[bytes]).remove(0)
    }

    /// The verdicts on several batches, computed together where they are not known.
    pub fn verify_each(&self, consortium: &Consortium, batches: &[&[u8]]) -> Vec<Verdict> {
        let keys: Vec<Hash> = batches.iter().map(|bytes| *blake3::hash(bytes).as_bytes()).collect();
        let mut found: Vec<Option<Verdict>> = vec![None; keys.len()];
        let mut desk = self.lock();
        loop {
            // A verdict is taken as soon as it is there: it may be forgotten before the last one is.
            for (place, key) in found.iter_mut().zip(&keys) {
                *place = place.take().or_else(|| desk.verdicts.get(key).cloned());
            }
            let missing = keys.iter().zip(batches).zip(&found).filter(|(_, verdict)| verdict.is_none());
            let missing: Vec<_> = missing.map(|((key, bytes), _)| (*key, *bytes)).collect();
            if missing.is_empty() {
                return found.into_iter().flatten().collect();
            }
            desk.ask(&missing);
            desk = if desk.at_work() {
                self.reached.wait(desk).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.work(consortium, desk)
            };
        }
    }

    /// Verifies what waits, up to a bound; the lock is free meanwhile.
    fn work<'a>(&'a self, consortium: &Consortium, mut desk: MutexGuard<'a, Desk>) -> MutexGuard<'a, Desk> {
        let group = desk.begin();
        drop(desk);
        let bytes: Vec<&[u8]> = group.iter().map(|(_, bytes)| &**bytes).collect();
        let bell = Bell(self);
        let verdicts = verify_all(all_cores(), consortium, &bytes, &mut OsRng);
        // Nobody is let in before the verdicts are there.
        std::mem::forget(bell);
        let mut desk = self.lock();
        desk.under_way.clear();
        for ((key, _), verdict) in group.into_iter().zip(verdicts) {
            desk.remember(key, verdict.map(Arc::new));
        }
        self.reached.notify_all();
        desk
    }

    /// Forgets verdicts on batches that are decided.
    pub fn forget<'a>(&self, batches: impl Iterator<Item = &'a [u8]>) {
        let mut desk = self.lock();
        for key in batches.map(|bytes| *blake3::hash(bytes).as_bytes()) {
            desk.verdicts.remove(&key);
            desk.order.retain(|other| *other != key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
/// Ends the work when it panics: nobody waits for ever for somebody who is gone.
struct Bell<'a>(&'a Verdicts);

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        self.0.lock().under_way.clear();
        self.0.reached.notify_all();
    }
}

impl Desk {
    fn at_work(&self) -> bool {
        !self.under_way.is_empty()
    }

    fn ask(&mut self, missing: &[(Hash, &[u8])]) {
        for (key, bytes) in missing {
            if !self.under_way.contains(key) && self.waiting.iter().all(|(other, _)| other != key) {
                self.waiting.push_back((*key, Arc::from(*bytes)));
            }
        }
    }

    fn begin(&mut self) -> Vec<(Hash, Arc<[u8]>)> {
        let group: Vec<_> = (0..MAX_TOGETHER).map_while(|_| self.waiting.pop_front()).collect();
        self.under_way = group.iter().map(|(key, _)| *key).collect();
        group
    }

    fn remember(&mut self, key: Hash, verdict: Verdict) {
        if self.verdicts.insert(key, verdict).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MAX_VERDICTS {
            if let Some(oldest) = self.order.pop_front() {
                self.verdicts.remove(&oldest);
            }
        }
    }
}

/// Every core of the machine, or one where it cannot be told.
#[must_use]
pub fn all_cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

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

//! Verdicts on batches: each computed once, many at a time, and nobody's batches slowed down by another's bad ones.
//!
//! What is cheap is checked first, by whoever asks: a batch that is not its servicer's takes no place here. The rest goes over
//! one desk, since there is one multiplication at a time, on all cores.

mod cache;
mod desk;

use counterfoil_crypto::parallel;
use counterfoil_ledger::{
    genesis::Consortium,
    names::Hash,
    rejection::Rejection,
    verify::{Signed, Verified, verify_signed},
};
use desk::{Desk, Ticket};
use rand_core::OsRng;
use std::{
    num::NonZeroUsize,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

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

impl Verdicts {
    /// The verdict on a batch. Blocks while it is computed: not for an async thread.
    ///
    /// # Errors
    /// The [`Rejection`] of [`counterfoil_ledger::verify::verify`].
    pub fn verify(&self, consortium: &Consortium, bytes: &[u8]) -> Verdict {
        self.verify_all(consortium, &[bytes]).map(|mut verified| verified.remove(0))
    }

    /// All batches verified, computed together where it is not known, or the first rejection that is found. Then the other
    /// verdicts are not waited for, and what nobody else asks for is not worked on: a block of bad batches costs the first
    /// group of them.
    ///
    /// # Errors
    /// The [`Rejection`] of one of them.
    pub fn verify_all(
        &self,
        consortium: &Consortium,
        batches: &[&[u8]],
    ) -> Result<Vec<Arc<Verified>>, Rejection> {
        let ticket = self.lock().ticket();
        let verdict = self.wait(consortium, batches, ticket);
        self.lock().leave(ticket);
        verdict
    }

    fn wait(
        &self,
        consortium: &Consortium,
        batches: &[&[u8]],
        ticket: Ticket,
    ) -> Result<Vec<Arc<Verified>>, Rejection> {
        let keys: Vec<Hash> = batches.iter().map(|bytes| *blake3::hash(bytes).as_bytes()).collect();
        let mut found: Vec<Option<Arc<Verified>>> = vec![None; keys.len()];
        let mut desk = self.lock();
        loop {
            // A verdict is taken as soon as it is there: it may be forgotten before the last one is.
            for (place, key) in found.iter_mut().zip(&keys).filter(|(place, _)| place.is_none()) {
                *place = desk.verdict(key).transpose()?;
            }
            let missing = keys.iter().zip(batches).zip(&found).filter(|(_, verdict)| verdict.is_none());
            let missing: Vec<(Hash, &[u8])> = missing.map(|((key, bytes), _)| (*key, *bytes)).collect();
            if missing.is_empty() {
                return Ok(found.into_iter().flatten().collect());
            }
            let unread: Vec<_> = missing.into_iter().filter(|(key, _)| !desk.join(key, ticket)).collect();
            desk = if !unread.is_empty() {
                drop(desk);
                let signed = read(consortium, &unread)?;
                let mut desk = self.lock();
                unread.iter().zip(signed).for_each(|((key, _), signed)| desk.ask(*key, signed, ticket));
                desk
            } else if desk.at_work() {
                self.reached.wait(desk).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.work(consortium, desk)
            };
        }
    }

    /// Verifies what waits, up to a bound; the lock is free meanwhile.
    fn work<'a>(&'a self, consortium: &Consortium, mut desk: MutexGuard<'a, Desk>) -> MutexGuard<'a, Desk> {
        let (keys, group): (Vec<_>, Vec<_>) = desk.begin().into_iter().unzip();
        drop(desk);
        let servicers: Vec<_> = group.iter().map(Signed::servicer).collect();
        let bell = Bell(self);
        let verdicts = verify_signed(all_cores(), consortium, group, &mut OsRng);
        // Nobody is let in before the verdicts are there.
        std::mem::forget(bell);
        let mut desk = self.lock();
        desk.end();
        for ((key, servicer), verdict) in keys.into_iter().zip(servicers).zip(verdicts) {
            if let Err(rejection) = &verdict {
                let servicer = consortium.name(servicer);
                tracing::warn!(servicer, %rejection, "a batch is refused that its servicer has signed");
            }
            desk.reach(key, servicer, verdict.map(Arc::new));
        }
        self.reached.notify_all();
        desk
    }

    /// Forgets verdicts on batches that are decided.
    pub fn forget<'a>(&self, batches: impl Iterator<Item = &'a [u8]>) {
        let mut desk = self.lock();
        batches.for_each(|bytes| desk.forget(blake3::hash(bytes).as_bytes()));
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cheap checks of several batches: all of them pass, or none goes to the desk.
fn read(consortium: &Consortium, batches: &[(Hash, &[u8])]) -> Result<Vec<Signed>, Rejection> {
    let read = |i: usize| batches.get(i).map(|(_, bytes)| Signed::read(consortium, bytes));
    parallel::map(all_cores(), batches.len(), read).into_iter().flatten().collect()
}

/// Ends the work when it panics: nobody waits for ever for somebody who is gone.
struct Bell<'a>(&'a Verdicts);

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        self.0.lock().end();
        self.0.reached.notify_all();
    }
}

/// Every core of the machine, or one where it cannot be told.
#[must_use]
pub fn all_cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests;

//! Attestations and decrees that wait for a block: small, cheap to check, few.

use counterfoil_ledger::{
    batch::SUITES,
    names::{Hash, MemberId},
    rejection::Rejection,
    transaction::Admitted,
};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Attestation(u64, MemberId),
    Decree(u8),
}

/// What waits, one for each thing that can be said: of a bank and an epoch, of a suite. That bounds what peers can make this
/// node keep to two attestations per bank and one decree per suite.
#[derive(Default)]
pub struct Notices {
    waiting: BTreeMap<Place, Admitted>,
}

impl Notices {
    /// Takes one in, where `ended` is the epoch that ended last. Of two for one place the first stays. An attestation of the next
    /// epoch is kept: its bank was faster to see it end.
    ///
    /// # Errors
    /// [`Rejection::Epoch`] for any other epoch; [`Rejection::Attested`] or [`Rejection::Retired`] when another waits.
    pub fn insert(&mut self, notice: Admitted, ended: u64) -> Result<(), Rejection> {
        let (place, taken) = match &notice {
            Admitted::Batch(_) => return Err(Rejection::Malformed),
            Admitted::Attestation(signed) => {
                let content = &signed.attestation().content;
                if content.epoch != ended && !is_next(content.epoch, ended) {
                    return Err(Rejection::Epoch);
                }
                (Place::Attestation(content.epoch, content.bank), Rejection::Attested)
            }
            Admitted::Decree(carried) => {
                let suite = carried.decree().retirement.suite;
                if !SUITES.contains(&suite) {
                    return Err(Rejection::Suite);
                }
                (Place::Decree(suite), Rejection::Retired)
            }
        };
        let held = self.waiting.entry(place).or_insert_with(|| notice.clone());
        if held.id() == notice.id() { Ok(()) } else { Err(taken) }
    }

    /// Whether an attestation of this bank and epoch waits.
    #[must_use]
    pub fn holds(&self, bank: MemberId, epoch: u64) -> bool {
        self.waiting.contains_key(&Place::Attestation(epoch, bank))
    }

    /// Whether one is refused now only because its epoch has not ended here yet.
    #[must_use]
    pub fn is_ahead(notice: &Admitted, ended: u64) -> bool {
        matches!(notice, Admitted::Attestation(signed) if is_next(signed.attestation().content.epoch, ended))
    }

    /// Takes one out that is booked or refused.
    pub fn remove(&mut self, id: &Hash) {
        self.waiting.retain(|_, notice| notice.id() != *id);
    }

    /// All that wait.
    #[must_use]
    pub fn candidates(&self) -> Vec<Admitted> {
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

fn is_next(epoch: u64, ended: u64) -> bool {
    ended.checked_add(1) == Some(epoch)
}

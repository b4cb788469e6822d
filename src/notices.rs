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

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_crypto::identity::Signature;
    use counterfoil_ledger::{
        attestation::{Attestation, Content},
        decree::{Decree, Retirement},
        transaction::Transaction,
    };

    /// Signed by nobody: what waits here was checked before.
    fn attestation(bank: u16, epoch: u64, mark: u8) -> Admitted {
        let content = Content {
            consortium: [mark; 32],
            bank: MemberId(bank),
            epoch,
            accounts: Vec::new(),
            envelopes: Vec::new(),
            sections: Vec::new(),
        };
        let it = Attestation { content, signature: Signature::from_bytes([0; 64]) };
        Admitted::recorded(&Transaction::Attestation(Box::new(it)).to_bytes()).unwrap()
    }

    fn decree(suite: u8, from: u64) -> Admitted {
        let retirement = Retirement { consortium: [0; 32], suite, from };
        let it = Decree { retirement, votes: Vec::new() };
        Admitted::recorded(&Transaction::Decree(it).to_bytes()).unwrap()
    }

    #[test]
    fn one_waits_for_each_bank_and_epoch_and_suite() {
        let mut notices = Notices::default();
        assert_eq!(notices.insert(attestation(1, 7, 0), 7), Ok(()));
        assert_eq!(notices.insert(attestation(1, 7, 0), 7), Ok(()), "the same again");
        assert_eq!(notices.insert(attestation(1, 7, 1), 7), Err(Rejection::Attested));
        assert_eq!(notices.insert(attestation(2, 7, 0), 7), Ok(()));
        assert_eq!(notices.insert(decree(1, 50), 7), Ok(()));
        assert_eq!(notices.insert(decree(1, 60), 7), Err(Rejection::Retired));
        assert_eq!(notices.insert(decree(99, 60), 7), Err(Rejection::Suite));
        assert_eq!(notices.len(), 3);
        assert!(notices.holds(MemberId(1), 7) && !notices.holds(MemberId(1), 8));
        notices.remove(&attestation(1, 7, 0).id());
        assert_eq!((notices.len(), notices.candidates().len()), (2, 2));
    }

    #[test]
    fn epochs_far_from_the_last_do_not_wait() {
        let mut notices = Notices::default();
        for epoch in [0, 6, 9, u64::MAX] {
            assert_eq!(notices.insert(attestation(1, epoch, 0), 7), Err(Rejection::Epoch), "{epoch}");
        }
        // Its bank saw the epoch end before this node did.
        assert_eq!(notices.insert(attestation(1, 8, 0), 7), Ok(()));
        assert!(Notices::is_ahead(&attestation(1, 8, 0), 7) && !Notices::is_ahead(&attestation(1, 7, 0), 7));
    }
}

//! Remembered verdicts: bounded in number and in bytes, and no servicer's displaced by one who has more of them.

use super::Verdict;
use counterfoil_ledger::names::{Hash, MemberId};
use std::collections::{BTreeMap, VecDeque};

/// Most verdicts that are remembered.
const MAX_VERDICTS: usize = 128;
/// Most bytes of verified batches that are remembered. Each is kept as bytes and as what was read from them, so memory holds two
/// to three times this. By number alone, a servicer that fills its batches up to [`counterfoil_ledger::batch::MAX_BYTES`] would
/// make its peers keep four times as much.
const MAX_BYTES: usize = 64 << 20;

struct Entry {
    servicer: MemberId,
    /// What it keeps: the batch's bytes, or nothing of a refused one.
    bytes: usize,
    verdict: Verdict,
}

/// What one servicer's verdicts take.
#[derive(Default)]
struct Holding {
    /// Oldest first.
    order: VecDeque<Hash>,
    bytes: usize,
}

#[derive(Default)]
pub(super) struct Cache {
    entries: BTreeMap<Hash, Entry>,
    holdings: BTreeMap<MemberId, Holding>,
}

impl Cache {
    pub(super) fn verdict(&self, key: &Hash) -> Option<Verdict> {
        self.entries.get(key).map(|entry| entry.verdict.clone())
    }

    /// Remembers a verdict. Where there are too many, the servicer that has most of them loses its oldest: whoever asks for
    /// verdict after verdict, good or bad, displaces its own.
    pub(super) fn remember(&mut self, key: Hash, servicer: MemberId, verdict: Verdict) {
        // A refusal keeps nothing but itself.
        let bytes = verdict.as_ref().map_or(0, |verified| verified.bytes().len());
        self.keep(key, Entry { servicer, bytes, verdict });
    }

    fn keep(&mut self, key: Hash, entry: Entry) {
        let Entry { servicer, bytes, .. } = entry;
        self.forget(&key);
        self.entries.insert(key, entry);
        let holding = self.holdings.entry(servicer).or_default();
        holding.order.push_back(key);
        holding.bytes = holding.bytes.saturating_add(bytes);
        while self.entries.len() > MAX_VERDICTS {
            self.drop_oldest_of_most(|holding| holding.order.len());
        }
        while self.bytes() > MAX_BYTES {
            self.drop_oldest_of_most(|holding| holding.bytes);
        }
    }

    pub(super) fn forget(&mut self, key: &Hash) {
        let Some(Entry { servicer, bytes, .. }) = self.entries.remove(key) else { return };
        if let Some(holding) = self.holdings.get_mut(&servicer) {
            holding.order.retain(|other| other != key);
            holding.bytes = holding.bytes.saturating_sub(bytes);
        }
    }

    fn bytes(&self) -> usize {
        self.holdings.values().fold(0, |sum, holding| sum.saturating_add(holding.bytes))
    }

    fn drop_oldest_of_most(&mut self, measure: impl Fn(&Holding) -> usize) {
        let most = self.holdings.values().max_by_key(|holding| measure(holding));
        if let Some(oldest) = most.and_then(|holding| holding.order.front().copied()) {
            self.forget(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_ledger::rejection::Rejection;

    fn key(number: usize) -> Hash {
        *blake3::hash(&number.to_le_bytes()).as_bytes()
    }

    /// Verdicts are told apart by their weight here; what they say plays no part.
    fn remember(cache: &mut Cache, number: usize, servicer: u16, bytes: usize) {
        let verdict = Err(Rejection::Range);
        cache.keep(key(number), Entry { servicer: MemberId(servicer), bytes, verdict });
    }

    #[test]
    fn batches_of_the_largest_size_do_not_fill_the_memory() {
        let mut cache = Cache::default();
        for number in 0..100 {
            remember(&mut cache, number, 0, counterfoil_ledger::batch::MAX_BYTES);
        }
        assert_eq!((cache.entries.len(), cache.bytes()), (32, MAX_BYTES));
        assert!(cache.verdict(&key(99)).is_some() && cache.verdict(&key(67)).is_none());
        (0..100).for_each(|number| cache.forget(&key(number)));
        assert_eq!((cache.entries.len(), cache.bytes()), (0, 0));
    }

    /// A servicer that signs bad batches without end, small or large, displaces no verdict on another's.
    #[test]
    fn a_flood_displaces_only_its_own() {
        for size in [0, counterfoil_ledger::batch::MAX_BYTES] {
            let mut cache = Cache::default();
            (0..8).for_each(|number| remember(&mut cache, number, 1, 1 << 20));
            (100..1000).for_each(|number| remember(&mut cache, number, 0, size));
            assert!((0..8).all(|number| cache.verdict(&key(number)).is_some()), "{size} bytes");
            assert!(cache.entries.len() <= MAX_VERDICTS && cache.bytes() <= MAX_BYTES);
            assert!(cache.verdict(&key(999)).is_some());
        }
    }
}

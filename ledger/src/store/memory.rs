//! The index in memory: for tests, and for replays that must leave no trace on disk.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::state::{Changes, META, Root, Scan, StateStore, StoreError, check};

/// A [`StateStore`] in an ordered map.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    meta: Option<(u64, Root)>,
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryIndex {
    /// An index to which nothing was applied.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many keys it holds, tree nodes included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().pairs.len()
    }

    /// Whether it holds no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // No code panics while it holds the lock, so a poisoned lock still guards whole data.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for MemoryIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().pairs.get(key).cloned())
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        let prefix = prefix.to_vec();
        let mut after: Bound<Vec<u8>> = Bound::Included(prefix.clone());
        Box::new(std::iter::from_fn(move || {
            let guard = self.read();
            let (key, value) = guard.pairs.range((after.clone(), Bound::Unbounded)).next()?;
            if !key.starts_with(&prefix) {
                return None;
            }
            after = Bound::Excluded(key.clone());
            Some(Ok((key.clone(), value.clone())))
        }))
    }

    fn meta(&self) -> Result<Option<(u64, Root)>, StoreError> {
        Ok(self.read().meta)
    }

    fn apply(&self, height: u64, root: Root, changes: &Changes) -> Result<(), StoreError> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        check(inner.meta, height, changes)?;
        debug_assert!(!inner.pairs.contains_key(META), "the meta key is kept apart");
        for (key, value) in changes {
            match value {
                Some(value) => inner.pairs.insert(key.clone(), value.clone()),
                None => inner.pairs.remove(key),
            };
        }
        inner.meta = Some((height, root));
        Ok(())
    }
}

//! Which proof suites are in force: what a decree writes to the state.

use crate::{
    batch::SUITES,
    book::{ApplyError, Book, key},
    decree::{Carried, Retirement},
    rejection::Rejection,
    store::StoreError,
};

impl Book<'_> {
    /// The first height at which batches of a suite are refused; `None` while it is not retired.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn retired_from(&self, suite: u8) -> Result<Option<u64>, StoreError> {
        self.read(&key(b'r', &suite))
    }

    /// Writes a retirement down. It lies in the future, is neither moved nor doubled, and leaves a suite.
    pub(crate) fn retire(&mut self, carried: &Carried) -> Result<(), ApplyError> {
        let Retirement { suite, from, .. } = carried.decree().retirement;
        // Blocks decided already, and this one, whose batches may stand before the decree, are not touched.
        if from <= self.height()? {
            return Err(Rejection::Past.into());
        }
        if self.retired_from(suite)?.is_some() {
            return Err(Rejection::Retired.into());
        }
        let mut remains = false;
        for other in SUITES.iter().filter(|other| **other != suite) {
            remains |= self.retired_from(*other)?.is_none();
        }
        if !remains {
            return Err(Rejection::LastSuite.into());
        }
        self.write(key(b'r', &suite), &from);
        Ok(())
    }
}

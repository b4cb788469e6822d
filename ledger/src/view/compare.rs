//! Comparing what was opened with what everybody sees: postings and control accounts, by the view key alone.

#![allow(clippy::arithmetic_side_effects, reason = "a place among auditors, plus one")]

use super::{Finding, Scope, View};
use crate::{
    batch::Sealed,
    book::Book,
    names::{Component, MemberId, ProductId},
    store::StoreError,
};
use counterfoil_crypto::{encoding::Encoded, pedersen, recover::discrete_log};
use curve25519_dalek::scalar::Scalar;
use std::collections::BTreeMap;

/// The bound of a total that is recovered without an opening, in bits.
pub const TOTAL_BITS: u32 = 40;

impl View {
    /// Opens each posting in scope with the view key and compares it with the sum of the parts.
    pub(super) fn compare_postings(
        &mut self,
        sealed: &Sealed,
        scope: &Scope,
        sums: &BTreeMap<(MemberId, Component), u64>,
    ) {
        let header = &sealed.batch.content.header;
        for (component, postings) in sealed.batch.content.body.postings() {
            for bank in &scope.banks {
                let index = self.consortium.bank_index(*bank).unwrap_or(usize::MAX);
                let sum = sums.get(&(*bank, component)).copied().unwrap_or(0);
                if !postings
                    .get(index)
                    .is_some_and(|p| self.holds(&p.amount, p.handles.get(scope.handle), sum))
                {
                    let (servicer, sequence, kind) = (header.servicer, header.sequence, header.kind);
                    self.findings.push(Finding::Misposted {
                        servicer,
                        sequence,
                        kind,
                        bank: *bank,
                        component,
                    });
                }
            }
        }
    }

    /// Whether `commitment` holds `amount`, by its handle for this viewer.
    pub(super) fn holds(&self, commitment: &Encoded, handle: Option<&Encoded>, amount: u64) -> bool {
        let (Ok(point), Some(Ok(handle))) = (commitment.decode(), handle.map(Encoded::decode)) else {
            return false;
        };
        self.keys.view.strip(&point, &handle) == pedersen::value(&Scalar::from(amount))
    }

    /// Compares the totals with the control accounts of the state.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn reconcile(&mut self, book: &Book<'_>) -> Result<(), StoreError> {
        for (name, expected) in self.totals.clone() {
            let (servicer, product, bank, kind) = name;
            let handle = self.handle_of(product).unwrap_or(usize::MAX);
            let account = book.account(servicer, product, bank, kind)?;
            let Some(account) = account else {
                if expected != 0 {
                    self.findings.push(Finding::Account { account: name, expected, found: Some(0) });
                }
                continue;
            };
            if !self.holds(&account.balance, account.handles.get(handle), expected) {
                let found = self.recover(&account.balance, account.handles.get(handle));
                self.findings.push(Finding::Account { account: name, expected, found });
            }
        }
        Ok(())
    }

    pub(super) fn handle_of(&self, product: ProductId) -> Option<usize> {
        if self.consortium.bank_index(self.me).is_some() {
            return Some(0);
        }
        let auditors = &self.consortium.terms(product)?.auditors;
        auditors.iter().position(|id| *id == self.me).map(|place| place + 1)
    }

    /// What a commitment holds, by handle alone: a bounded discrete logarithm.
    #[must_use]
    pub fn recover(&self, commitment: &Encoded, handle: Option<&Encoded>) -> Option<u64> {
        let (point, handle) = (commitment.decode().ok()?, handle?.decode().ok()?);
        discrete_log(&self.keys.view.strip(&point, &handle), TOTAL_BITS).ok()
    }
}

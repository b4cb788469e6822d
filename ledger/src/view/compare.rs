//! Comparing what was opened with what everybody sees: postings and control accounts, by the view key alone.

#![allow(clippy::arithmetic_side_effects, reason = "a place among auditors, plus one; a count of accounts")]

use super::{Finding, Scope, View};
use crate::{
    batch::Sealed,
    book::Book,
    names::{Component, MemberId, ProductId},
    store::StoreError,
};
use counterfoil_crypto::{
    encoding::Encoded,
    pedersen,
    recover::{Table, cores},
};
use curve25519_dalek::scalar::Scalar;
use std::{collections::BTreeMap, sync::OnceLock};

/// How far a total is searched for around what the parts add up to, in bits: 2^41 minor units up and as many down, some 22
/// milliards of a currency with cents. So a total without any opening is found up to there, and one of any size when it
/// is off by less. An account may hold more (each posting is below 2^64, their number is not bounded): then the finding
/// says that it was not found. At worst 2^22 giant steps, 4 seconds of one core.
pub const TOTAL_BITS: u32 = 42;

/// How much a reconciliation searches for totals that disagree.
pub(crate) struct Effort {
    /// How far each is searched for, in bits.
    pub(crate) bits: u32,
    /// How many searches may find nothing, before the rest is reported without a search. A servicer who posts nonsense to all
    /// its accounts could make every reader search for minutes.
    pub(crate) fruitless: u32,
}

const EFFORT: Effort = Effort { bits: TOTAL_BITS, fruitless: 16 };

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

    /// Compares the totals with the control accounts of the state. Where one disagrees, what it holds is searched for, with
    /// bounds to how far and how often ([`TOTAL_BITS`]): about a minute of one core when all accounts hold nonsense.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn reconcile(&mut self, book: &Book<'_>) -> Result<(), StoreError> {
        self.reconcile_with(book, &EFFORT)
    }

    pub(crate) fn reconcile_with(&mut self, book: &Book<'_>, effort: &Effort) -> Result<(), StoreError> {
        let mut fruitless = 0;
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
            let handle = account.handles.get(handle);
            if self.holds(&account.balance, handle, expected) {
                continue;
            }
            let mut found = None;
            if fruitless < effort.fruitless {
                found = self.recover(&account.balance, handle, expected, effort.bits);
                fruitless += u32::from(found.is_none());
            }
            self.findings.push(Finding::Account { account: name, expected, found });
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

    /// What a commitment holds, by handle alone, if it is one of the `2^bits` values around `expected`: a bounded discrete
    /// logarithm, and what is nearer is found sooner. The first call builds a table (4.5 MiB, a second).
    fn recover(
        &self,
        commitment: &Encoded,
        handle: Option<&Encoded>,
        expected: u64,
        bits: u32,
    ) -> Option<u64> {
        let (point, handle) = (commitment.decode().ok()?, handle?.decode().ok()?);
        table().find_near(&self.keys.view.strip(&point, &handle), expected, bits, cores()).ok()
    }
}

/// The table for totals, built when the first one disagrees.
fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::build(Table::AUDIT_BITS, cores()).expect("the size for audits exists"))
}

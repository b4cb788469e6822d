//! The book: positions and control accounts, and how a verified batch changes them.
//!
//! Applying is cheap: points are added, balances compared. All proofs were checked before, on balances that the batch names;
//! here they are compared with the present ones, so of two batches that start from one balance the second is refused.
//! A refused batch changes nothing.
//!
//! State keys, all under the authenticated part of the key space:
//!
//! | key | value |
//! | --- | --- |
//! | `l` loan id | [`Loan`]: servicer, product, positions |
//! | `a` servicer, product, bank, kind | [`Account`]: balance and handles |
//! | `n` servicer, product, lane | [`Head`]: number and id of the last batch, top-ups taken up |
//! | `i` servicer, product, number | a top-up that waits to be taken up |
//! | `r` suite | height from which it is retired; see [`crate::suites`] |
//! | `e`, `t` | epochs and what is kept of the last; see [`crate::epoch`] |

use crate::{
    batch::{Header, loan_id, owner_key},
    body::{Body, Effect, Leg, NewLoan, Posting, Touched, TouchedLoan, WrittenLoan, is_flagged, legs},
    genesis::Consortium,
    names::{AccountKind, Bucket, Hash, Lane, LoanId, MemberId, ProductId},
    rejection::Rejection,
    store::{Changes, StateStore, StoreError, tree::STATE},
    transaction::Admitted,
    verify::{Verified, zero},
};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{encoding::Encoded, view_key::OwnerKey};
use curve25519_dalek::ristretto::RistrettoPoint;
use std::collections::BTreeMap;

/// Most top-ups of one lane that may wait to be taken up; bounds the state that a servicer can make others keep.
pub const MAX_WAITING: u64 = 64;

/// One bank's part of one loan.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Position {
    /// One-time key of the owner.
    pub owner: OwnerKey,
    /// The part's share of the loan, committed.
    pub share: Encoded,
    /// What the customer owes of it, committed; it stays owed when its bank writes it off.
    pub principal: Encoded,
    /// Whether its bank has written it off: then nothing is outstanding on its books, whatever the customer owes.
    pub written_off: bool,
}

/// A loan: its positions, the servicer's first.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Loan {
    /// Who services it.
    pub servicer: MemberId,
    /// Its product.
    pub product: ProductId,
    /// One per part.
    pub positions: Vec<Position>,
    /// How late it is.
    pub bucket: Bucket,
}

/// A control account.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// The balance, committed.
    pub balance: Encoded,
    /// Handles of the bank, then of the product's auditors: one multiplication opens the total.
    pub handles: Vec<Encoded>,
}

/// Where a lane stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Head {
    /// Number of the last batch.
    pub sequence: u64,
    /// Its id.
    pub last: Hash,
    /// The last top-up that was taken up (loans lane).
    pub merged: u64,
}

type WirePosting = Posting<Encoded, Encoded>;

/// State being read, and written to a layer of changes above a store.
pub struct Book<'a> {
    store: &'a dyn StateStore,
    changes: Changes,
}

/// Why a batch was not applied: a rule said no, or the machine failed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The batch is refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed: the node stops, it never guesses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<'a> Book<'a> {
    /// A book over a store, without changes.
    #[must_use]
    pub fn new(store: &'a dyn StateStore) -> Self {
        Self { store, changes: Changes::new() }
    }

    /// What was changed.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    /// Applies a batch: all of it, or nothing.
    ///
    /// # Errors
    /// [`ApplyError::Rejected`] with the first rule that says no, [`ApplyError::Store`] when the state cannot be read.
    pub fn apply(&mut self, consortium: &Consortium, verified: &Verified) -> Result<(), ApplyError> {
        let (retired, height) = (self.retired_from(verified.batch().content.header.suite)?, self.height()?);
        if retired.is_some_and(|from| from <= height) {
            return Err(Rejection::Suite.into());
        }
        let mut layer = Layer {
            book: self,
            consortium,
            header: &verified.batch().content.header,
            bucket: None,
            changes: Changes::new(),
        };
        layer.apply(verified)?;
        let changes = layer.changes;
        self.changes.extend(changes);
        Ok(())
    }

    /// Applies a transaction: all of it, or nothing.
    ///
    /// # Errors
    /// As [`Book::apply`].
    pub fn apply_transaction(
        &mut self,
        consortium: &Consortium,
        transaction: &Admitted,
    ) -> Result<(), ApplyError> {
        match transaction {
            Admitted::Batch(verified) => self.apply(consortium, verified),
            Admitted::Attestation(signed) => self.attest(consortium, signed),
            Admitted::Decree(carried) => self.retire(carried),
        }
    }

    /// A loan.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn loan(&self, id: LoanId) -> Result<Option<Loan>, StoreError> {
        self.read(&loan_key(id))
    }

    /// A control account; one that was never touched has a balance of zero.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn account(
        &self,
        servicer: MemberId,
        product: ProductId,
        bank: MemberId,
        kind: AccountKind,
    ) -> Result<Option<Account>, StoreError> {
        self.read(&key(b'a', &(servicer, product, bank, kind)))
    }

    /// Where a lane stands.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn head(&self, servicer: MemberId, product: ProductId, lane: Lane) -> Result<Head, StoreError> {
        Ok(self.read(&head_key(servicer, product, lane))?.unwrap_or_default())
    }

    /// The height of the block that is being made or executed.
    pub(crate) fn height(&self) -> Result<u64, StoreError> {
        Ok(self.store.meta()?.map_or(1, |(height, _)| height.saturating_add(1)))
    }

    /// Every name and value of a class of keys, changes included.
    pub(crate) fn scan<K: BorshDeserialize, T: BorshDeserialize>(
        &self,
        class: u8,
    ) -> Result<Vec<(K, T)>, StoreError> {
        let prefix = key(class, &());
        let mut pairs: Changes = BTreeMap::new();
        for pair in self.store.scan(&prefix) {
            let (key, value) = pair?;
            pairs.insert(key, Some(value));
        }
        let changed = self.changes.iter().filter(|(key, _)| key.starts_with(&prefix));
        pairs.extend(changed.map(|(key, value)| (key.clone(), value.clone())));
        let mut named = Vec::new();
        for (key, value) in pairs {
            let name = decode(&key, key.get(prefix.len()..))?;
            named.extend(name.zip(decode(&key, value.as_deref())?));
        }
        Ok(named)
    }

    pub(crate) fn write(&mut self, key: Vec<u8>, value: &impl BorshSerialize) {
        self.changes.insert(key, borsh::to_vec(value).ok());
    }

    pub(crate) fn read<T: BorshDeserialize>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        let stored = match self.changes.get(key) {
            Some(changed) => changed.clone(),
            None => self.store.get(key)?,
        };
        decode(key, stored.as_deref())
    }
}

/// A batch under way: its own layer of changes, dropped when it is refused.
struct Layer<'a, 'b> {
    book: &'a Book<'b>,
    consortium: &'a Consortium,
    header: &'a Header,
    /// The bucket of the open loans that the batch touches.
    bucket: Option<Bucket>,
    changes: Changes,
}

impl Layer<'_, '_> {
    fn apply(&mut self, verified: &Verified) -> Result<(), ApplyError> {
        let head = self.advance(verified.id())?;
        let body = &verified.batch().content.body;
        if self.header.kind.lane() == Lane::Loans {
            self.take_up(head)?;
        }
        if let Some(reserves) = body.reserves() {
            self.starts_from(reserves)?;
        }
        match body {
            Body::Fund { postings } => self.wait(postings)?,
            Body::Release { .. } => {}
            Body::Originate { loans, .. } => {
                (0u16..).zip(loans).try_for_each(|(index, loan)| self.open(index, loan))?;
            }
            Body::Repay(touched) | Body::Recover { touched, .. } => self.touch_all(touched, None)?,
            Body::Draw { touched, .. } | Body::Reschedule(touched) => self.touch_all(touched, None)?,
            Body::Collect { written_off, touched, .. } => self.touch_all(touched, Some(written_off))?,
            Body::WriteOff { loans, .. } => loans.iter().try_for_each(|loan| self.write_off(loan))?,
            Body::Reclassify { from, to, loans, .. } => {
                loans.iter().try_for_each(|loan| self.reclassify((*from, *to), loan))?;
            }
        }
        for (component, postings) in body.postings() {
            let (debit, credit) = body.entry(component, self.bucket.unwrap_or_default());
            self.transfer(postings, debit, credit)?;
        }
        Ok(())
    }

    /// The batch is the next of its lane: no replay, no gap, no fork.
    fn advance(&mut self, id: Hash) -> Result<Head, ApplyError> {
        let Header { kind, sequence, previous, merged, .. } = self.header;
        let head: Head = self.read(&self.head_key(kind.lane()))?.unwrap_or_default();
        if head.sequence.checked_add(1) != Some(*sequence) || head.last != *previous {
            return Err(Rejection::Sequence.into());
        }
        let merged = if kind.lane() == Lane::Loans { *merged } else { 0 };
        let next = Head { sequence: *sequence, last: id, merged };
        self.write(self.head_key(kind.lane()), &next);
        Ok(head)
    }

    /// A top-up waits to be taken up by the next batch of the other lane.
    fn wait(&mut self, postings: &[WirePosting]) -> Result<(), ApplyError> {
        let loans: Head = self.read(&self.head_key(Lane::Loans))?.unwrap_or_default();
        if self.header.sequence.saturating_sub(loans.merged) > MAX_WAITING {
            return Err(Rejection::Backlog.into());
        }
        self.write(self.waiting_key(self.header.sequence), &postings);
        Ok(())
    }

    /// Moves the top-ups that the batch takes up from `Incoming` to `Reserve`.
    fn take_up(&mut self, before: Head) -> Result<(), ApplyError> {
        let merged = self.header.merged;
        let reserve: Head = self.read(&self.head_key(Lane::Reserve))?.unwrap_or_default();
        if merged < before.merged || merged > reserve.sequence {
            return Err(Rejection::Merge.into());
        }
        for number in before.merged.saturating_add(1)..=merged {
            let key = self.waiting_key(number);
            let postings: Vec<WirePosting> = self.read(&key)?.ok_or(Rejection::Merge)?;
            self.transfer(&postings, AccountKind::Reserve, AccountKind::Incoming)?;
            self.changes.insert(key, None);
        }
        Ok(())
    }

    fn starts_from(&self, reserves: &[Encoded]) -> Result<(), ApplyError> {
        for (bank, named) in self.consortium.banks().iter().zip(reserves) {
            let account: Option<Account> = self.read(&self.account_key(*bank, AccountKind::Reserve))?;
            if account.map_or(zero(), |account| account.balance) != *named {
                return Err(Rejection::Stale.into());
            }
        }
        Ok(())
    }

    fn open(&mut self, index: u16, loan: &NewLoan<Encoded, Encoded>) -> Result<(), ApplyError> {
        let id = loan_key(loan_id(self.header, index));
        if self.read::<Loan>(&id)?.is_some() {
            return Err(Rejection::Exists.into());
        }
        let position = |part: &crate::body::NewPart<Encoded, Encoded>| Position {
            owner: owner_key(&part.owner),
            share: part.share,
            principal: part.principal.amount,
            written_off: false,
        };
        let Header { servicer, product, .. } = *self.header;
        let positions = loan.parts.iter().map(position).collect();
        self.write(id, &Loan { servicer, product, positions, bucket: Bucket::Current });
        Ok(())
    }

    /// Moves the balances of all positions. `written_off` says which parts are, of kinds that may touch such.
    fn touch_all<const N: usize>(
        &mut self,
        touched: &Touched<Encoded, Encoded, N>,
        written_off: Option<&[u16]>,
    ) -> Result<(), ApplyError> {
        let legs = legs(self.header.kind);
        let moves = legs.iter().any(|leg| leg.effect != Effect::Leaves);
        for (record, loan) in touched.loans.iter().enumerate() {
            let flagged = |part| written_off.is_some_and(|flags| is_flagged(flags, record, part));
            self.touch(legs, loan, |position, part| {
                let as_said = position.written_off == flagged(part);
                if moves && !as_said { Err(Rejection::WrittenOff) } else { Ok(()) }
            })?;
        }
        Ok(())
    }

    fn touch<const N: usize>(
        &mut self,
        legs: &[Leg],
        touched: &TouchedLoan<Encoded, Encoded, N>,
        allows: impl Fn(&Position, usize) -> Result<(), Rejection>,
    ) -> Result<(), ApplyError> {
        let (key, mut loan) = self.loan(touched.loan)?;
        for (place, (position, part)) in loan.positions.iter_mut().zip(&touched.parts).enumerate() {
            if position.principal != part.balance || position.share != part.share {
                return Err(Rejection::Stale.into());
            }
            allows(position, place)?;
            for (leg, portion) in legs.iter().zip(&part.legs) {
                let amount = &portion.movement.amount;
                position.principal = match leg.effect {
                    Effect::Lowers => sum(&position.principal, &negated(amount)?)?,
                    Effect::Raises => sum(&position.principal, amount)?,
                    Effect::Leaves => continue,
                };
            }
        }
        self.write(key, &loan);
        Ok(())
    }

    fn write_off(&mut self, written: &WrittenLoan<Encoded, Encoded>) -> Result<(), ApplyError> {
        let (key, mut loan) = self.loan(written.loan)?;
        for part in &written.parts {
            let position = loan.positions.get_mut(usize::from(part.part)).ok_or(Rejection::Shape)?;
            if position.principal != part.balance.amount {
                return Err(Rejection::Stale.into());
            }
            if position.written_off {
                return Err(Rejection::WrittenOff.into());
            }
            position.written_off = true;
        }
        self.write(key, &loan);
        Ok(())
    }

    /// Moves a loan's whole balances, of all parts that are not written off, to another bucket.
    fn reclassify(
        &mut self,
        (from, to): (Bucket, Bucket),
        moved: &WrittenLoan<Encoded, Encoded>,
    ) -> Result<(), ApplyError> {
        let (key, mut loan) = self.loan(moved.loan)?;
        let on_books = loan.positions.iter().zip(0u8..).filter(|(position, _)| !position.written_off);
        if !on_books.clone().map(|(_, place)| place).eq(moved.parts.iter().map(|part| part.part)) {
            return Err(Rejection::WrittenOff.into());
        }
        if on_books.zip(&moved.parts).any(|((position, _), part)| position.principal != part.balance.amount) {
            return Err(Rejection::Stale.into());
        }
        if loan.bucket != from || from == to {
            return Err(Rejection::Bucket.into());
        }
        loan.bucket = to;
        self.write(key, &loan);
        Ok(())
    }

    /// An open loan of this batch's servicer and product: another's is, for this batch, no loan. All are in one bucket.
    fn loan(&mut self, id: LoanId) -> Result<(Vec<u8>, Loan), ApplyError> {
        let key = loan_key(id);
        let loan: Loan = self.read(&key)?.ok_or(Rejection::Loan)?;
        if loan.servicer != self.header.servicer || loan.product != self.header.product {
            return Err(Rejection::Loan.into());
        }
        if *self.bucket.get_or_insert(loan.bucket) != loan.bucket {
            return Err(Rejection::Bucket.into());
        }
        Ok((key, loan))
    }

    /// Debits one account of every bank and credits another by the same commitments.
    fn transfer(
        &mut self,
        postings: &[WirePosting],
        debit: AccountKind,
        credit: AccountKind,
    ) -> Result<(), ApplyError> {
        let banks = self.consortium.banks();
        for (bank, posting) in banks.iter().zip(postings) {
            self.move_balance(*bank, debit, posting, debit.rises_with_debits())?;
            self.move_balance(*bank, credit, posting, !credit.rises_with_debits())?;
        }
        Ok(())
    }

    fn move_balance(
        &mut self,
        bank: MemberId,
        kind: AccountKind,
        posting: &WirePosting,
        up: bool,
    ) -> Result<(), ApplyError> {
        let key = self.account_key(bank, kind);
        let fresh = || Account { balance: zero(), handles: vec![zero(); posting.handles.len()] };
        let mut account: Account = self.read(&key)?.unwrap_or_else(fresh);
        let signed = |point: &Encoded| if up { Ok(*point) } else { negated(point) };
        account.balance = sum(&account.balance, &signed(&posting.amount)?)?;
        for (total, handle) in account.handles.iter_mut().zip(&posting.handles) {
            *total = sum(total, &signed(handle)?)?;
        }
        self.write(key, &account);
        Ok(())
    }

    fn read<T: BorshDeserialize>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        match self.changes.get(key) {
            Some(changed) => decode(key, changed.as_deref()),
            None => self.book.read(key),
        }
    }

    fn write(&mut self, key: Vec<u8>, value: &impl BorshSerialize) {
        self.changes.insert(key, borsh::to_vec(value).ok());
    }

    fn head_key(&self, lane: Lane) -> Vec<u8> {
        head_key(self.header.servicer, self.header.product, lane)
    }

    fn waiting_key(&self, number: u64) -> Vec<u8> {
        key(b'i', &(self.header.servicer, self.header.product, number))
    }

    fn account_key(&self, bank: MemberId, kind: AccountKind) -> Vec<u8> {
        key(b'a', &(self.header.servicer, self.header.product, bank, kind))
    }
}

/// What this module wrote decodes: anything else is damage, and must not be taken for "absent".
fn decode<T: BorshDeserialize>(key: &[u8], stored: Option<&[u8]>) -> Result<Option<T>, StoreError> {
    let damaged = |_| StoreError::Mismatch { key: key.escape_ascii().to_string() };
    stored.map(|bytes| borsh::from_slice(bytes).map_err(damaged)).transpose()
}

fn head_key(servicer: MemberId, product: ProductId, lane: Lane) -> Vec<u8> {
    key(b'n', &(servicer, product, lane))
}

fn loan_key(id: LoanId) -> Vec<u8> {
    key(b'l', &id)
}

pub(crate) fn key(class: u8, name: &impl BorshSerialize) -> Vec<u8> {
    let mut key = STATE.to_vec();
    key.push(class);
    key.extend(borsh::to_vec(name).unwrap_or_default());
    key
}

fn point(encoded: &Encoded) -> Result<RistrettoPoint, Rejection> {
    encoded.decode().map_err(|_| Rejection::Point)
}

fn sum(a: &Encoded, b: &Encoded) -> Result<Encoded, Rejection> {
    let (a, b) = (point(a)?, point(b)?);
    Ok(Encoded::from(&[a, b].iter().sum::<RistrettoPoint>()))
}

fn negated(encoded: &Encoded) -> Result<Encoded, Rejection> {
    Ok(Encoded::from(&std::ops::Neg::neg(point(encoded)?)))
}

//! How a batch changes the state: positions first, then the control accounts of every bank.

use super::{
    Account, ApplyError, Book, Head, Loan, MAX_WAITING, Position, WirePosting, decode, head_key, key,
    loan_key, negated, sum,
};
use crate::{
    batch::{Header, loan_id, owner_key},
    body::{Body, Effect, Leg, NewLoan, Touched, TouchedLoan, WrittenLoan, is_flagged, legs},
    genesis::Consortium,
    names::{AccountKind, Bucket, Hash, Lane, LoanId, MemberId},
    rejection::Rejection,
    store::{Changes, StoreError},
    verify::{Verified, zero},
};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::encoding::Encoded;

/// A batch under way: its own layer of changes, dropped when it is refused.
pub(super) struct Layer<'a, 'b> {
    pub(super) book: &'a Book<'b>,
    pub(super) consortium: &'a Consortium,
    pub(super) header: &'a Header,
    /// The bucket of the open loans that the batch touches.
    pub(super) bucket: Option<Bucket>,
    pub(super) changes: Changes,
}

impl Layer<'_, '_> {
    pub(super) fn apply(&mut self, verified: &Verified) -> Result<(), ApplyError> {
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

//! A bank's own control accounts, opened: value and blinding, from nothing but its keys and the chain.
//!
//! A posting's blinding follows from the bank's viewer key of the batch (`posting_blinding`), the servicer's own from its seed,
//! a top-up's stands in its section. So a bank can sign what its accounts hold. Where a servicer blinds a posting otherwise,
//! the account can no longer be opened, and the bank says so.

use super::{Scope, View};
use crate::{
    attestation::AttestedAccount,
    batch::Sealed,
    body::Body,
    names::{AccountKind, Component, Kind, MemberId, ProductId},
    seed::posting_blinding,
    share::Share,
    wallet::posting_openings,
};
use counterfoil_crypto::{
    encoding::Encoded,
    pedersen::{Opening, blind},
    recover::discrete_log,
    relation::Witness as _,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use std::collections::BTreeMap;

/// The bound, in bits, of an amount that is looked for when the sections do not say it: a tenth of a second.
const LOST_BITS: u32 = 32;

/// What was paid in, lent and repaid with one servicer in one product, over all banks, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    /// Paid in.
    pub funded: u64,
    /// Principal lent.
    pub originated: u64,
    /// Principal repaid.
    pub repaid: u64,
    /// Interest received.
    pub interest: u64,
    /// Principal added without money.
    pub capitalised: u64,
    /// Principal written off.
    pub written_off: u64,
    /// Proceeds received beside repayments.
    pub proceeds: u64,
    /// What they cost.
    pub costs: u64,
    /// Taken back out.
    pub released: u64,
    /// Fees received.
    pub fees: u64,
    /// Penalties received.
    pub penalties: u64,
    /// Principal received on parts that are written off.
    pub recovered: u64,
}

impl Flows {
    pub(super) fn add(&mut self, kind: Kind, component: Component, amount: u64) {
        let sum = match (kind, component) {
            (_, Component::Interest) => &mut self.interest,
            (_, Component::Proceeds) => &mut self.proceeds,
            (_, Component::Costs) => &mut self.costs,
            (_, Component::Fee) => &mut self.fees,
            (_, Component::Penalty) => &mut self.penalties,
            (_, Component::Recovered) => &mut self.recovered,
            (Kind::Fund, Component::Principal) => &mut self.funded,
            (Kind::Originate | Kind::Draw, Component::Principal) => &mut self.originated,
            (Kind::Repay | Kind::Collect | Kind::Recover, Component::Principal) => &mut self.repaid,
            (Kind::Reschedule, Component::Principal) => &mut self.capitalised,
            (Kind::WriteOff, Component::Principal) => &mut self.written_off,
            (Kind::Release, Component::Principal) => &mut self.released,
            // From one account of the same bank to another: over all of them nothing changes.
            (Kind::Reclassify, Component::Principal) => return,
        };
        *sum = sum.saturating_add(amount);
    }

    /// What the accounts of all banks must hold together: a name for the row, the accounts that are added, the sum.
    #[must_use]
    pub(crate) fn expected(&self) -> [(AccountKind, &'static [AccountKind], i128); 10] {
        use AccountKind::{
            Costs, Fees, Income, Incoming, Loans, Losses, Penalties, Recoveries, Released, Reserve,
            Settlement,
        };
        let sum = |plus: &[u64], minus: &[u64]| {
            let total = |amounts: &[u64]| amounts.iter().map(|amount| i128::from(*amount)).sum::<i128>();
            total(plus).saturating_sub(total(minus))
        };
        let Self { funded, originated, repaid, interest, .. } = *self;
        let Self { capitalised, written_off, proceeds, costs, released, .. } = *self;
        let Self { fees, penalties, recovered, .. } = *self;
        [
            (Settlement, &[Settlement], sum(&[funded], &[])),
            (Loans, &AccountKind::OUTSTANDING, sum(&[originated, capitalised], &[repaid, written_off])),
            (Income, &[Income], sum(&[interest, capitalised], &[])),
            (Losses, &[Losses], sum(&[written_off], &[])),
            (Recoveries, &[Recoveries], sum(&[proceeds, recovered], &[])),
            (Fees, &[Fees], sum(&[fees], &[])),
            (Penalties, &[Penalties], sum(&[penalties], &[])),
            (Costs, &[Costs], sum(&[costs], &[])),
            (Released, &[Released], sum(&[released], &[])),
            (
                Reserve,
                &[Incoming, Reserve],
                sum(
                    &[funded, repaid, interest, proceeds, recovered, fees, penalties],
                    &[originated, costs, released],
                ),
            ),
        ]
    }
}

/// A posting or balance: its commitment, and its opening where the bank has it.
#[derive(Clone, Debug)]
struct Held {
    point: RistrettoPoint,
    opening: Option<Opening>,
}

impl Held {
    fn zero() -> Self {
        let opening = Opening { value: Scalar::ZERO, blinding: Scalar::ZERO };
        Self { point: RistrettoPoint::default(), opening: Some(opening) }
    }

    fn add(&mut self, other: &Self, sign: Scalar) {
        self.point += sign * other.point;
        let both = self.opening.take().zip(other.opening.as_ref());
        self.opening = both.map(|(mine, other)| mine.plus(other, sign));
    }
}

/// A bank's accounts as it follows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Owned {
    accounts: BTreeMap<(ProductId, MemberId, AccountKind), Held>,
    waiting: BTreeMap<(ProductId, MemberId, u64), Held>,
}

impl Owned {
    fn transfer(
        &mut self,
        (product, servicer): (ProductId, MemberId),
        (debit, credit): (AccountKind, AccountKind),
        posting: &Held,
    ) {
        for (kind, up) in [(debit, debit.rises_with_debits()), (credit, !credit.rises_with_debits())] {
            let account = self.accounts.entry((product, servicer, kind)).or_insert_with(Held::zero);
            account.add(posting, if up { Scalar::ONE } else { -Scalar::ONE });
        }
    }
}

impl View {
    /// A bank's control accounts with their openings, in the order of attestations. An account that cannot be opened has none.
    #[must_use]
    pub fn opened_accounts(&self) -> Vec<(AttestedAccount, Option<Opening>)> {
        let account = |(name, held): (&(ProductId, MemberId, AccountKind), &Held)| {
            let (product, servicer, kind) = *name;
            let balance = Encoded::from(&held.point);
            (AttestedAccount { product, servicer, kind, balance }, held.opening.clone())
        };
        self.owned.accounts.iter().map(account).collect()
    }

    /// Moves this bank's accounts as the batch's postings do.
    pub(super) fn own_accounts(
        &mut self,
        sealed: &Sealed,
        scope: &Scope,
        shares: &[((u16, u16), Share)],
        sums: &BTreeMap<(MemberId, Component), u64>,
    ) {
        let Some(index) = self.consortium.bank_index(self.me) else { return };
        let content = &sealed.batch.content;
        let (header, place) = (&content.header, (content.header.product, content.header.servicer));
        if header.kind != Kind::Fund {
            let taken_up = (place.0, place.1, 0)..=(place.0, place.1, header.merged);
            let numbers: Vec<_> = self.owned.waiting.range(taken_up).map(|(number, _)| *number).collect();
            for held in
                numbers.iter().filter_map(|number| self.owned.waiting.remove(number)).collect::<Vec<_>>()
            {
                self.owned.transfer(place, (AccountKind::Reserve, AccountKind::Incoming), &held);
            }
        }
        let known = match (&scope.seed, &content.body) {
            (_, Body::Fund { .. } | Body::Release { .. }) | (None, _) => None,
            (Some(seed), _) => posting_openings(&self.consortium, content, &sealed.records, seed),
        };
        let bucket = self.bucket_of(&content.body);
        for (component, postings) in content.body.postings() {
            let Some(Ok(point)) = postings.get(index).map(|posting| posting.amount.decode()) else {
                continue;
            };
            let blinding = if matches!(header.kind, Kind::Fund | Kind::Release) {
                shares.iter().find(|(place, _)| usize::from(place.1) == index).and_then(|(_, share)| {
                    match share {
                        Share::Fund { amount } | Share::Released { amount } => {
                            amount.opening().map(|opening| opening.blinding)
                        }
                        _ => None,
                    }
                })
            } else if header.servicer == self.me {
                let all = known.iter().flatten().find(|(c, _)| *c == component);
                all.and_then(|(_, openings)| openings.get(index)).map(|opening| opening.blinding)
            } else {
                scope.viewer.as_ref().map(|viewer| posting_blinding(viewer, component))
            };
            let sum = sums.get(&(self.me, component)).copied().unwrap_or(0);
            let opening = blinding.and_then(|blinding| opening_of(&point, blinding, sum));
            let held = Held { point, opening };
            self.owned.transfer(place, content.body.entry(component, bucket), &held);
            if header.kind == Kind::Fund {
                self.owned.waiting.insert((place.0, place.1, header.sequence), held);
            }
        }
    }
}

/// The opening of a commitment under a known blinding: the expected amount, or a small one that is found, also below zero.
fn opening_of(point: &RistrettoPoint, blinding: Scalar, expected: u64) -> Option<Opening> {
    let is = |value: Scalar| {
        let opening = Opening { value, blinding };
        (opening.commit() == *point).then_some(opening)
    };
    let rest = point - blind(&blinding);
    is(Scalar::from(expected))
        .or_else(|| is(Scalar::from(discrete_log(&rest, LOST_BITS).ok()?)))
        .or_else(|| is(-Scalar::from(discrete_log(&-rest, LOST_BITS).ok()?)))
}

//! The turnstile: whether the banks' control accounts add up, with no proof relied upon.
//!
//! If the proof system had a hole, forged money would look like any other. It would still have to pass here: at the end of
//! every epoch each bank signs the openings of its control accounts, and an auditor that has read the records checks
//!
//! 1. that each opening opens the account's commitment in the state (a Pedersen commitment can be opened in one way);
//! 2. that each value is a non-negative integer below 2^62;
//! 3. that each account holds what the records add up to;
//! 4. that each bank's debits are its credits: settlement + income + fees + penalties + recoveries = incoming + reserve + loans + losses + costs
//!    + released;
//! 5. that over all banks the accounts add up to what was funded, lent and repaid, whoever the records say it belongs to.
//!
//! No range proof, no sigma proof and no handle is used: the records are openings too, each compared with its commitment.
//! What it does not show: an error that every record and every bank repeats, such as money that was paid in on paper alone.

use crate::{
    attestation::{AttestedAccount, SignedOpening},
    block::Decided,
    epoch::Clock,
    genesis::{Consortium, Keys},
    names::{AccountKind, MemberId, ProductId},
    rejection::Rejection,
    transaction::Transaction,
    view::{AccountName, Flows, View},
};
use counterfoil_crypto::encoding::Encoded;
use std::{collections::BTreeMap, sync::Arc};

/// No account holds as much, in bits of minor units: what is above is a negative number, or none at all.
const MAX_BITS: u32 = 62;

/// What does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bank did not attest by the end of the next epoch.
    Missing,
    /// The bank could not or would not open the account, or the auditor cannot read that it did.
    NotOpened,
    /// What the bank signed does not open the account.
    FalseOpening,
    /// What the account holds is negative, a fraction, or beyond any amount. By its 32 bytes, little-endian.
    NoAmount {
        /// The value that was signed.
        signed: [u8; 32],
    },
    /// The account holds something else than the records add up to.
    Differs {
        /// The amount that was signed, in minor units.
        signed: u64,
        /// What the records add up to.
        expected: u64,
    },
    /// The bank's debits are not its credits.
    Unbalanced {
        /// Incoming, reserve and loans.
        debits: u128,
        /// Settlement and income.
        credits: u128,
    },
    /// Over all banks the accounts are not what was funded, lent and repaid.
    Sum {
        /// Over all banks, as signed.
        signed: u128,
        /// By what was funded, lent and repaid.
        expected: i128,
    },
}

/// Where on the chain an attestation stands, and its bytes: what a third party needs to check who signed what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The height of the block.
    pub height: u64,
    /// The place in the block, from 0.
    pub place: usize,
    /// The transaction.
    pub bytes: Vec<u8>,
}

/// Something that does not add up: an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The epoch.
    pub epoch: u64,
    /// The height at which it ended.
    pub height: u64,
    /// The bank; none where the sum over all banks is wrong.
    pub bank: Option<MemberId>,
    /// Product and servicer.
    pub place: Option<(ProductId, MemberId)>,
    /// The account.
    pub kind: Option<AccountKind>,
    /// The account's commitment.
    pub balance: Option<Encoded>,
    /// What is wrong.
    pub fault: Fault,
    /// The signed attestation.
    pub evidence: Option<Evidence>,
}

/// How an epoch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The height at which it ended.
    pub height: u64,
    /// Who attested so far.
    pub attested: Vec<MemberId>,
    /// What was funded, lent and repaid up to its end, by servicer and product.
    pub flows: BTreeMap<(MemberId, ProductId), Flows>,
    /// Openings that were checked.
    pub openings: u64,
    /// What does not add up.
    pub alarms: Vec<Alarm>,
    /// Whether more attestations can come.
    pub open: bool,
}

/// An epoch while it can be attested.
struct Open {
    expected: BTreeMap<AccountName, u64>,
    signed: BTreeMap<(ProductId, MemberId, AccountKind), BTreeMap<MemberId, u64>>,
}

/// An auditor's turnstile: fed with every block, in order.
pub struct Turnstile {
    consortium: Arc<Consortium>,
    me: MemberId,
    keys: Keys,
    view: View,
    clock: Clock,
    open: Option<Open>,
    epochs: Vec<EpochReport>,
}

impl Turnstile {
    /// An auditor's turnstile before the first block.
    #[must_use]
    pub fn new(consortium: Arc<Consortium>, me: MemberId, keys: Keys) -> Self {
        let view = View::new(consortium.clone(), me, keys.clone());
        Self { consortium, me, keys, view, clock: Clock::default(), open: None, epochs: Vec::new() }
    }

    /// Epoch by epoch, how they stand.
    #[must_use]
    pub fn epochs(&self) -> &[EpochReport] {
        &self.epochs
    }

    /// Reads the next block; returns the alarms that it raises.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] when a transaction cannot be read: the log is damaged.
    pub fn read(&mut self, decided: &Decided) -> Result<Vec<Alarm>, Rejection> {
        let height = decided.block.header.height;
        let (mut alarms, mut booked) = (Vec::new(), false);
        for (place, (bytes, outcome)) in decided.block.batches.iter().zip(&decided.outcomes).enumerate() {
            if outcome.is_some() {
                continue;
            }
            match Transaction::from_bytes(bytes)? {
                Transaction::Batch(sealed) => {
                    booked = true;
                    self.view.read(&sealed);
                }
                Transaction::Attestation(attestation) => {
                    let opened = attestation.open(&self.consortium, self.me, &self.keys);
                    let evidence = Evidence { height, place, bytes: bytes.clone() };
                    let content = &attestation.content;
                    alarms.extend(self.attested(
                        (content.bank, content.epoch),
                        &content.accounts,
                        &opened,
                        &evidence,
                    ));
                }
                Transaction::Decree(_) => {}
            }
        }
        if booked && let Some(epoch) = self.clock.tick(self.consortium.genesis().epoch_blocks) {
            alarms.extend(self.close());
            self.begin(epoch, height);
        }
        Ok(alarms)
    }

    fn begin(&mut self, epoch: u64, height: u64) {
        self.open = Some(Open { expected: self.view.totals.clone(), signed: BTreeMap::new() });
        self.epochs.push(EpochReport {
            epoch,
            height,
            attested: Vec::new(),
            flows: self.view.flows.clone(),
            openings: 0,
            alarms: Vec::new(),
            open: true,
        });
    }

    /// Ends the time in which an epoch can be attested: whoever has not is missing.
    fn close(&mut self) -> Vec<Alarm> {
        self.open = None;
        let Some(report) = self.epochs.last_mut() else { return Vec::new() };
        report.open = false;
        let missing = self.consortium.banks().iter().filter(|bank| !report.attested.contains(bank));
        let alarms: Vec<_> =
            missing.map(|bank| Alarm { bank: Some(*bank), ..report.alarm(Fault::Missing) }).collect();
        report.alarms.extend(alarms.clone());
        alarms
    }

    /// Checks what a bank attested of the epoch that ended last; peers accept no other.
    fn attested(
        &mut self,
        (bank, epoch): (MemberId, u64),
        accounts: &[AttestedAccount],
        opened: &BTreeMap<AttestedAccount, Option<SignedOpening>>,
        evidence: &Evidence,
    ) -> Vec<Alarm> {
        let report = self.epochs.last_mut().filter(|report| report.epoch == epoch);
        let (Some(report), Some(open)) = (report, self.open.as_mut()) else { return Vec::new() };
        report.attested.push(bank);
        let audited = |account: &&AttestedAccount| {
            self.consortium.terms(account.product).is_some_and(|terms| terms.auditors.contains(&self.me))
        };
        let (mut alarms, mut sides) = (Vec::new(), BTreeMap::<_, Sides>::new());
        for account in accounts.iter().filter(audited) {
            report.openings = report.openings.saturating_add(1);
            let place = (account.product, account.servicer);
            let name = (account.servicer, account.product, bank, account.kind);
            let expected = open.expected.get(&name).copied().unwrap_or(0);
            let judged = judge(account, opened.get(account).and_then(Option::as_ref), expected);
            sides.entry(place).or_default().add(account.kind, judged.amount);
            if let Some(amount) = judged.amount {
                open.signed.entry((place.0, place.1, account.kind)).or_default().insert(bank, amount);
            }
            alarms.extend(judged.fault.map(|fault| Alarm {
                place: Some(place),
                kind: Some(account.kind),
                balance: Some(account.balance),
                ..report.alarm(fault)
            }));
        }
        for (place, sides) in sides {
            let unbalanced = sides.unbalanced();
            alarms.extend(unbalanced.map(|fault| Alarm { place: Some(place), ..report.alarm(fault) }));
        }
        for alarm in &mut alarms {
            (alarm.bank, alarm.evidence) = (Some(bank), Some(evidence.clone()));
        }
        let banks = self.consortium.banks().len();
        if report.attested.len() == banks {
            alarms.extend(sums(report, open, banks));
        }
        report.alarms.extend(alarms.clone());
        alarms
    }
}

impl EpochReport {
    /// An alarm over this epoch as a whole.
    fn alarm(&self, fault: Fault) -> Alarm {
        Alarm {
            epoch: self.epoch,
            height: self.height,
            bank: None,
            place: None,
            kind: None,
            balance: None,
            fault,
            evidence: None,
        }
    }
}

/// What an account was found to hold, and what is wrong with it.
struct Judged {
    amount: Option<u64>,
    fault: Option<Fault>,
}

/// Checks 1 to 3 of one account.
fn judge(account: &AttestedAccount, opening: Option<&SignedOpening>, expected: u64) -> Judged {
    let amount = opened_amount(account, opening);
    let differs =
        |signed: &u64| (*signed != expected).then_some(Fault::Differs { signed: *signed, expected });
    match amount {
        Ok(signed) => Judged { amount: Some(signed), fault: differs(&signed) },
        Err(fault) => Judged { amount: None, fault: Some(fault) },
    }
}

/// Checks 1 and 2.
fn opened_amount(account: &AttestedAccount, opening: Option<&SignedOpening>) -> Result<u64, Fault> {
    let opening = opening.ok_or(Fault::NotOpened)?.opening().ok_or(Fault::FalseOpening)?;
    if Encoded::from(&opening.commit()) != account.balance {
        return Err(Fault::FalseOpening);
    }
    let amount = opening.amount().filter(|amount| amount.checked_shr(MAX_BITS) == Some(0));
    amount.ok_or(Fault::NoAmount { signed: opening.value.to_bytes() })
}

/// Check 4: the two sides of one bank's accounts in one place.
#[derive(Default)]
struct Sides {
    debits: u128,
    credits: u128,
    /// An account that holds no amount has an alarm of its own, and leaves nothing to compare.
    incomplete: bool,
}

impl Sides {
    fn add(&mut self, kind: AccountKind, amount: Option<u64>) {
        let side = if kind.rises_with_debits() { &mut self.debits } else { &mut self.credits };
        *side = side.saturating_add(u128::from(amount.unwrap_or(0)));
        self.incomplete |= amount.is_none();
    }

    fn unbalanced(self) -> Option<Fault> {
        let Self { debits, credits, incomplete } = self;
        (debits != credits && !incomplete).then_some(Fault::Unbalanced { debits, credits })
    }
}

/// Check 5, of the accounts that every bank has opened.
fn sums(report: &EpochReport, open: &Open, banks: usize) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for ((servicer, product), flows) in &report.flows {
        let sum = |kinds: &[AccountKind]| {
            let of_kind = |kind: &AccountKind| open.signed.get(&(*product, *servicer, *kind));
            let all: Vec<_> = kinds.iter().filter_map(of_kind).collect();
            let complete = all.iter().all(|amounts| amounts.len() == banks);
            complete.then(|| all.iter().flat_map(|a| a.values()).map(|a| u128::from(*a)).sum::<u128>())
        };
        for (kind, kinds, expected) in flows.expected() {
            let Some(signed) = sum(kinds).filter(|signed| i128::try_from(*signed) != Ok(expected)) else {
                continue;
            };
            let place = Some((*product, *servicer));
            alarms.push(Alarm { place, kind: Some(kind), ..report.alarm(Fault::Sum { signed, expected }) });
        }
    }
    alarms
}

//! Attestations and decrees: any bytes, and every neighbour of a good one, also signed again by those who may.

use crate::{
    input::{Input, edit},
    world::{rng, world},
};
use counterfoil_ledger::{
    attestation::{Attestation, Content},
    batch::SUITES,
    decree::{Decree, Retirement},
    names::MemberId,
    rejection::Rejection,
    transaction::{Admitted, Transaction, Wire, admit},
    view::View,
};
use std::sync::LazyLock;

/// Who attests.
const BANK: MemberId = MemberId(1);
/// The banks; the third member is none.
const BANKS: [MemberId; 2] = [MemberId(0), BANK];

static ATTESTATION: LazyLock<Attestation> = LazyLock::new(|| {
    let (world, keys) = (world(), &world().keys[usize::from(BANK.0)]);
    let mut view = View::new(world.consortium.clone(), BANK, keys.clone());
    world.batches.iter().for_each(|batch| view.read(batch));
    let accounts = view.opened_accounts();
    let content = Content::seal(&world.consortium, keys, (BANK, 3), &accounts, &mut rng(4));
    Attestation::sign(content.expect("few accounts"), keys)
});

/// A good attestation, as a transaction.
#[must_use]
pub fn good_attestation() -> Vec<u8> {
    Transaction::Attestation(Box::new(ATTESTATION.clone())).to_bytes()
}

fn retirement() -> Retirement {
    Retirement { consortium: world().consortium.id(), suite: SUITES[0], from: 5_000 }
}

fn voted(retirement: Retirement, voters: &[MemberId]) -> Vec<u8> {
    let vote = |bank: &MemberId| (*bank, retirement.vote(&world().keys[usize::from(bank.0)]));
    Transaction::Decree(Decree { retirement, votes: voters.iter().map(vote).collect() }).to_bytes()
}

/// A good decree, as a transaction.
#[must_use]
pub fn good_decree() -> Vec<u8> {
    voted(retirement(), &BANKS)
}

/// The first byte says whether there follow any bytes, changes of a good attestation, or changes that its bank signs.
///
/// What nobody signed again is accepted if it is the good one. What its bank signs is accepted in one form only, and its
/// auditors can open none but its own accounts.
#[must_use]
pub fn attestation(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (good, choice) = (good_attestation(), input.byte() % 3);
    let bytes = match choice {
        2 => {
            let mut content = borsh::to_vec(&ATTESTATION.content).expect("memory takes all");
            edit(&mut content, &mut input, 8);
            let Ok(content) = borsh::from_slice(&content) else { return false };
            let signed = Attestation::sign(content, &world().keys[usize::from(BANK.0)]);
            Transaction::Attestation(Box::new(signed)).to_bytes()
        }
        choice => any_or_near(choice, &good, &mut input),
    };
    let Some(Admitted::Attestation(signed)) = admitted(&bytes) else { return false };
    assert!(choice == 2 || bytes == good, "signed by nobody");
    let attestation = signed.attestation();
    for (reader, keys) in (0u16..).zip(&world().keys) {
        let opened = attestation.open(&world().consortium, MemberId(reader), keys);
        assert!(opened.keys().all(|account| attestation.content.accounts.contains(account)));
        assert!(
            bytes != good || opened.len() == if reader == 2 { attestation.content.accounts.len() } else { 0 }
        );
    }
    true
}

/// As [`attestation`]; what is signed again is any retirement, by any members.
#[must_use]
pub fn decree(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (good, choice) = (good_decree(), input.byte() % 3);
    if choice < 2 {
        let bytes = any_or_near(choice, &good, &mut input);
        let accepted = matches!(admitted(&bytes), Some(Admitted::Decree(_)));
        assert!(!accepted || bytes == good, "voted for by nobody");
        return accepted;
    }
    let voters: Vec<MemberId> = input.piece().iter().map(|byte| MemberId(u16::from(byte % 3))).collect();
    let mut retired = borsh::to_vec(&retirement()).expect("memory takes all");
    edit(&mut retired, &mut input, 8);
    let Ok(retirement) = borsh::from_slice::<Retirement>(&retired) else { return false };
    let accepted = matches!(admitted(&voted(retirement, &voters)), Some(Admitted::Decree(_)));
    let may = retirement.consortium == world().consortium.id() && SUITES.contains(&retirement.suite);
    assert_eq!(accepted, may && voters == BANKS, "two banks, both of them, each once, in order");
    accepted
}

fn any_or_near(choice: u8, good: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    if choice == 0 {
        return input.rest().to_vec();
    }
    let mut near = good.to_vec();
    edit(&mut near, input, 8);
    near
}

/// Admits an attestation or a decree; what decodes is canonical, what does not is malformed.
fn admitted(bytes: &[u8]) -> Option<Admitted> {
    if !matches!(Wire::of(bytes), Ok(Wire::Attestation(_) | Wire::Decree(_))) {
        return None;
    }
    let admitted = admit(&world().consortium, bytes, &mut rng(1));
    match Transaction::from_bytes(bytes) {
        Ok(read) => assert_eq!(read.to_bytes(), bytes, "two forms of one transaction"),
        Err(_) => assert_eq!(admitted.as_ref().err(), Some(&Rejection::Malformed)),
    }
    let admitted = admitted.ok()?;
    assert!(admitted.is(bytes) && admitted.to_bytes() == bytes);
    Some(admitted)
}

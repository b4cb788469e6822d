//! Batches: any bytes, and every neighbour of a good one.

use crate::{
    input::{Input, edit},
    world::{World, rng, world},
};
use counterfoil_crypto::{envelope::Section, secret::SecretBytes};
use counterfoil_ledger::{
    batch::{Batch, Sealed, envelope_context, section_context, share_class},
    book::{ApplyError, Book},
    names::MemberId,
    rejection::Rejection,
    share::Share,
    verify::{Verified, verify},
};

/// Any bytes as a batch: canonical, and verified only if they are a batch that the servicer has posted.
#[must_use]
pub fn any_bytes(bytes: &[u8]) -> bool {
    let world = world();
    let verdict = verify(&world.consortium, bytes, &mut rng(1));
    let accepted = verdict.is_ok();
    assert_eq!(accepted, is_posted(world, bytes), "{:?}", verdict.err());
    match Sealed::from_bytes(bytes) {
        Ok(sealed) => {
            assert_eq!(sealed.to_bytes(), bytes, "two forms of one batch");
            applied(world, bytes, 0);
        }
        Err(error) => assert_eq!((error, verdict.err()), (Rejection::Malformed, Some(Rejection::Malformed))),
    }
    accepted
}

/// A good batch with some bytes changed, as a stranger does it, or as a servicer who signs what it has changed, roots and
/// all. The first byte says which batch and who; then come the changes.
///
/// Accepted is the good batch itself, and nothing else.
#[must_use]
pub fn forged(bytes: &[u8]) -> bool {
    let world = world();
    let mut input = Input::new(bytes);
    let choice = usize::from(input.byte());
    let (place, signs) = (choice % 128 % world.batches.len(), choice >= 128);
    let good = &world.batches[place];
    let mut bytes = good.to_bytes();
    edit(&mut bytes, &mut input, 8);
    if signs && let Ok(sealed) = Sealed::from_bytes(&bytes) {
        bytes = sign(world, sealed).to_bytes();
    }
    let verdict = verify(&world.consortium, &bytes, &mut rng(1));
    assert_eq!(verdict.is_ok(), is_posted(world, &bytes), "batch {place}: {:?}", verdict.err());
    applied(world, &bytes, place);
    verdict.is_ok()
}

/// Any text in the first `share` section of a batch, sealed by a hostile servicer for the regulator to open: it reads
/// without a panic, and finds fault with everything but what the ledger says (an event's key is the servicer's own, and on no
/// ledger). The first byte says which batch.
#[must_use]
pub fn section_text(bytes: &[u8]) -> bool {
    let world = world();
    let mut input = Input::new(bytes);
    let place = usize::from(input.byte()) % world.batches.len();
    let mut sealed = world.batches[place].clone();
    let header = sealed.batch.content.header.clone();
    let context = section_context(&header, 0, 0);
    let me = MemberId(2);
    let viewer = world.keys[2].envelope.open(&envelope_context(&header, me), &sealed.records.envelopes[2]);
    let viewer = viewer.expect("the envelope is the regulator's");
    let section = &mut sealed.records.records[0].shares[0];
    let good = section.open(&viewer, 1, &context).expect("the regulator reads every share");
    let mut plain = good.to_vec();
    edit(&mut plain, &mut input, 8);
    plain.extend(input.rest());
    let class = share_class(header.kind);
    plain.truncate(usize::from(class));
    let key = SecretBytes::random(&mut rng(1));
    *section = Section::seal(&key, &context, &plain, class, &[key.clone(), viewer]).expect("it was cut");
    let mut view = world.views[place].clone();
    view.read(&sealed);
    assert_eq!(view.findings.is_empty(), said(&plain) == said(&good), "{:?}", view.findings);
    view.findings.is_empty()
}

/// What a section says, but for the key of its event.
fn said(plain: &[u8]) -> Option<Share> {
    let mut share = borsh::from_slice(plain).ok()?;
    match &mut share {
        Share::Repaid { event, .. }
        | Share::Collected { event, .. }
        | Share::Raised { event, .. }
        | Share::WrittenOff { event, .. }
        | Share::Reclassified { event, .. }
        | Share::Recovered { event, .. } => *event = [0; 32],
        Share::Fund { .. } | Share::New { .. } | Share::Released { .. } => {}
    }
    Some(share)
}

fn is_posted(world: &World, bytes: &[u8]) -> bool {
    world.batches.iter().any(|batch| batch.to_bytes() == bytes)
}

/// The batch with the root of its records and the signature of the bank that it names.
fn sign(world: &World, mut sealed: Sealed) -> Sealed {
    sealed.batch.content.records = sealed.records.root();
    let servicer = usize::from(sealed.batch.content.header.servicer.0);
    let keys = world.keys.get(servicer).unwrap_or(&world.keys[0]);
    sealed.batch = Batch::sign(sealed.batch.content, sealed.batch.proofs, &keys.identity);
    sealed
}

/// Applies what decodes, proofs unseen, as a node does with its own log: a refused batch changes nothing.
fn applied(world: &World, bytes: &[u8], place: usize) {
    let Ok(recorded) = Verified::recorded(bytes) else { return };
    let mut book = Book::new(&world.states[place]);
    match book.apply(&world.consortium, &recorded) {
        Ok(()) => {}
        Err(ApplyError::Rejected(_)) => {
            assert!(book.into_changes().is_empty(), "a refused batch changes the book")
        }
        Err(ApplyError::Store(error)) => panic!("{error}"),
    }
}

//! Attack 15: batches that every peer accepts, since they balance, and that cheat a bank. Its own node notices at once, from
//! what it can open; so does the regulator's.

use super::forge::{add, changed, collection, forged, raise, recovery, set, sketched, value, write_off};
use crate::{
    batch::{SHARE_CLASS, Sealed, envelope_context, section_context, share_class},
    body::{Body, Touched},
    draft::Events,
    names::{Component, Kind, LoanId, MemberId},
    seal::Sketch,
    seed::Seed,
    share::{Revealed, Share},
    tests::world::{World, member, new_loan, repayment},
    view::Finding,
};
use counterfoil_crypto::{envelope::Section, pedersen::Opening, secret::SecretBytes};
use curve25519_dalek::scalar::Scalar;
use rand_core::OsRng;

const REGULATOR: usize = 4;

/// Everybody accepts and reads the forged batch; what they find.
fn read(world: &mut World, sketch: &Sketch) -> Vec<Vec<Finding>> {
    let sealed: Sealed = forged(&world.wallet, sketch);
    let verified = world.verify(&sealed).unwrap();
    world.apply(&verified).unwrap();
    world.views.iter_mut().for_each(|view| view.read(&sealed));
    world.views.iter().map(|view| view.findings.clone()).collect()
}

fn misposted(kind: Kind, bank: u16, component: Component) -> Finding {
    Finding::Misposted { servicer: member(0), sequence: sequence(kind), kind, bank: member(bank), component }
}

fn false_opening(kind: Kind, place: (u16, u16)) -> Finding {
    Finding::FalseOpening { servicer: member(0), sequence: sequence(kind), kind, place }
}

fn sequence(kind: Kind) -> u64 {
    if kind == Kind::Originate { 1 } else { 2 }
}

fn lent(seed: u64) -> (World, LoanId) {
    let mut world = World::funded(seed);
    let loan = world.lend("L1", 1_000_000, &[1, 3]);
    (world, loan)
}

fn lending(world: &World) -> Sketch {
    sketched(&world.wallet, Events::Originate(vec![new_loan("L1", 1_000_000, &[1])]))
}

/// The place of a bank's part in the loan of a sketch.
fn place_of(world: &World, sketch: &Sketch, bank: u16) -> u16 {
    let keys = &world.keys[usize::from(bank)].view;
    let Body::Originate { loans, .. } = &sketch.body else { panic!("no new loans") };
    let owned = |part: &crate::body::NewPart<_, counterfoil_crypto::encoding::Element>| {
        let (base, key) = (&part.owner.0, &part.owner.1);
        keys.owns(&crate::batch::owner_key(&(base.encoded(), key.encoded())))
    };
    u16::try_from(loans[0].parts.iter().position(owned).unwrap()).unwrap()
}

/// Seals a share section again, for another bank or with other words.
fn reseal(world: &World, sketch: &mut Sketch, section: u16, share: &Share, owner: MemberId) {
    let seed = seed(world, sketch);
    let viewers = [seed.viewer_key(owner), seed.viewer_key(member(4))];
    let context = section_context(&sketch.header, 0, section);
    let plain = borsh::to_vec(share).unwrap();
    let key = seed.section_key(0, section);
    let class = share_class(sketch.header.kind);
    let sealed = Section::seal(&key, &context, &plain, class, &viewers).unwrap();
    sketch.records.records[0].shares[usize::from(section)] = sealed;
}

fn seed(world: &World, sketch: &Sketch) -> Seed {
    let context = envelope_context(&sketch.header, member(0));
    Seed::new(world.keys[0].envelope.open(&context, &sketch.records.envelopes[0]).unwrap())
}

fn revealed(opening: &Opening) -> Revealed {
    Revealed::new(opening.amount().unwrap(), &opening.blinding)
}

#[test]
fn a_part_posted_to_another_bank_is_noticed_by_both() {
    let mut world = World::funded(120);
    let sketch = changed(&lending(&world), |sketch| {
        let postings = sketch.postings();
        let part = value(&postings[1].amount);
        set(&mut postings[1].amount, Scalar::ZERO);
        add(&mut postings[2].amount, part);
    });
    let [b, c] = [1, 2].map(|bank| misposted(Kind::Originate, bank, Component::Principal));
    let found = read(&mut world, &sketch);
    assert_eq!(found, [vec![], vec![b.clone()], vec![c.clone()], vec![], vec![b, c]]);
}

#[test]
fn repaid_principal_and_interest_posted_to_another_bank_are_noticed_by_both() {
    for component in [Component::Principal, Component::Interest] {
        let (mut world, loan) = lent(121);
        let repay = sketched(&world.wallet, Events::Repay(vec![repayment(loan, 10_000, 100, 1)]));
        let sketch = changed(&repay, |sketch| {
            let Body::Repay(Touched { postings: [principal, interest], .. }) = &mut sketch.body else {
                return;
            };
            let postings = if component == Component::Principal { principal } else { interest };
            add(&mut postings[1].amount, -Scalar::ONE);
            add(&mut postings[0].amount, Scalar::ONE);
        });
        let [a, b] = [0, 1].map(|bank| misposted(Kind::Repay, bank, component));
        assert_eq!(read(&mut world, &sketch), [vec![a.clone()], vec![b.clone()], vec![], vec![], vec![a, b]]);
    }
}

/// The careful thief: it posts a bank's repayment to itself, and seals the section, with itself as the owner, to itself. The
/// bank's posting of zero is the sum of the nothing that it can open; but its position was touched.
#[test]
fn a_repayment_kept_by_the_servicer_is_noticed_by_the_owner() {
    let (mut world, loan) = lent(122);
    let held = &world.wallet.loans()[&loan];
    let place = u16::try_from(held.parts.iter().position(|part| part.owner == member(1)).unwrap()).unwrap();
    let mut sketch = sketched(&world.wallet, Events::Repay(vec![repayment(loan, 10_000, 100, 1)]));
    let part = sketch.repaid().parts[usize::from(place)].clone();
    let (principal, interest) =
        (part.legs[0].movement.amount.opening(), part.legs[1].movement.amount.opening());
    let words = Share::Repaid {
        owner: member(0),
        principal: revealed(principal),
        interest: revealed(interest),
        event: [1; 32],
    };
    reseal(&world, &mut sketch, place, &words, member(0));
    let Body::Repay(Touched { postings: [of_principal, of_interest], .. }) = &mut sketch.body else { return };
    for (postings, amount) in [(of_principal, principal.value), (of_interest, interest.value)] {
        add(&mut postings[1].amount, -amount);
        add(&mut postings[0].amount, amount);
    }
    let found = read(&mut world, &sketch);
    assert_eq!(found[1], [false_opening(Kind::Repay, (0, place))]);
    assert!(found[REGULATOR].contains(&false_opening(Kind::Repay, (0, place))));
}

/// Bank-b's part of every kind of event on an open loan, posted to bank-c.
#[test]
fn a_part_of_any_event_posted_to_another_bank_is_noticed_by_both() {
    for events in touching(lent(126).1) {
        for list in 0..crate::body::legs(events.kind()).len().max(1) {
            let (mut world, _) = lent(126);
            let honest = sketched(&world.wallet, events.clone());
            let (kind, (component, _)) = (honest.header.kind, honest.body.postings()[list]);
            let sketch = changed(&honest, |sketch| {
                let postings = &mut sketch.lists()[list];
                let part = value(&postings[1].amount);
                assert_ne!(part, Scalar::ZERO);
                set(&mut postings[1].amount, Scalar::ZERO);
                add(&mut postings[2].amount, part);
            });
            let [b, c] = [1, 2].map(|bank| misposted(kind, bank, component));
            let found = read(&mut world, &sketch);
            assert_eq!(found, [vec![], vec![b.clone()], vec![c.clone()], vec![], vec![b, c]], "{kind:?}");
        }
    }
}

/// The section of bank-b's part is sealed to the servicer alone, and its part posted there: nothing is missing but what the
/// bank knows to be its own.
#[test]
fn a_section_withheld_of_any_event_is_noticed_by_the_owner() {
    for events in touching(lent(127).1) {
        let (mut world, loan) = lent(127);
        let held = &world.wallet.loans()[&loan];
        let part = held.parts.iter().position(|part| part.owner == member(1)).unwrap();
        let mut sketch = sketched(&world.wallet, events);
        let kind = sketch.header.kind;
        let (_, places) = &sketch.body.touched()[0];
        let section =
            u16::try_from(places.iter().position(|place| usize::from(*place) == part).unwrap()).unwrap();
        let words = kept_by_servicer(&world, &sketch, section);
        reseal(&world, &mut sketch, section, &words, member(0));
        for postings in sketch.lists() {
            let part = value(&postings[1].amount);
            set(&mut postings[1].amount, Scalar::ZERO);
            add(&mut postings[0].amount, part);
        }
        let found = read(&mut world, &sketch);
        assert_eq!(found[1], [false_opening(kind, (0, section))], "{kind:?}");
        assert!(found[REGULATOR].contains(&false_opening(kind, (0, section))), "{kind:?}");
    }
}

/// What a section says, with the servicer as the owner.
fn kept_by_servicer(world: &World, sketch: &Sketch, section: u16) -> Share {
    let context = section_context(&sketch.header, 0, section);
    let sealed = &sketch.records.records[0].shares[usize::from(section)];
    let plain = sealed.open_with(&seed(world, sketch).section_key(0, section), &context).unwrap();
    let mut words: Share = borsh::from_slice(&plain).unwrap();
    match &mut words {
        Share::Repaid { owner, .. }
        | Share::Collected { owner, .. }
        | Share::Raised { owner, .. }
        | Share::WrittenOff { owner, .. }
        | Share::Recovered { owner, .. } => *owner = member(0),
        other => panic!("{other:?}"),
    }
    words
}

/// A release is the bank's that it is said to be: both banks see another amount than they are told.
#[test]
fn a_release_posted_to_another_bank_is_noticed_by_both() {
    let (mut world, _) = lent(128);
    let release = sketched(&world.wallet, Events::Release(vec![(member(1), 77)]));
    let sketch = changed(&release, |sketch| {
        let [told, taken] = [1, 2].map(|bank| value(&sketch.postings()[bank].amount));
        set(&mut sketch.postings()[1].amount, taken);
        set(&mut sketch.postings()[2].amount, told);
    });
    let found = read(&mut world, &sketch);
    assert_eq!(found[0], []);
    assert_eq!(found[1], [false_opening(Kind::Release, (0, 1))]);
    let [c, misposted] =
        [false_opening(Kind::Release, (0, 2)), misposted(Kind::Release, 2, Component::Principal)];
    assert_eq!(found[2], [c.clone(), misposted.clone()]);
    assert_eq!(found[REGULATOR], [false_opening(Kind::Release, (0, 1)), c, misposted]);
}

/// A release of which the bank is told nothing.
#[test]
fn a_release_in_silence_is_noticed_by_the_bank() {
    let (mut world, _) = lent(129);
    let mut sketch = sketched(&world.wallet, Events::Release(vec![(member(1), 77)]));
    let context = section_context(&sketch.header, 0, 1);
    let plain = borsh::to_vec(&Share::Released { amount: revealed(sketch.postings()[1].amount.opening()) });
    let seed = seed(&world, &sketch);
    let viewers = [seed.viewer_key(member(0)), seed.viewer_key(member(4))];
    let sealed = Section::seal(&seed.section_key(0, 1), &context, &plain.unwrap(), SHARE_CLASS, &viewers);
    sketch.records.records[0].shares[1] = sealed.unwrap();
    let found = read(&mut world, &sketch);
    assert_eq!(found[1], [misposted(Kind::Release, 1, Component::Principal)]);
}

/// An event of every kind that touches an open loan.
fn touching(loan: LoanId) -> [Events; 6] {
    [
        Events::Repay(vec![repayment(loan, 10_000, 100, 1)]),
        Events::Draw(vec![raise(loan, 10_000)]),
        Events::Reschedule(vec![raise(loan, 10_000)]),
        Events::WriteOff(vec![write_off(loan, &[1, 3])]),
        Events::Recover(vec![recovery(loan, 10_000, 100)]),
        Events::Collect(vec![collection(loan, 10_000)]),
    ]
}

/// A bank that is sent no readable envelope still opens its posting.
#[test]
fn a_bank_without_an_envelope_still_opens_its_posting() {
    let mut world = World::funded(123);
    let sketch = changed(&lending(&world), |sketch| {
        let key = world.consortium.peers().nth(1).unwrap().1.member.envelope_key;
        sketch.records.envelopes[1] = key.seal(b"elsewhere", &SecretBytes::new([0; 32]), &mut OsRng).unwrap();
    });
    let found = read(&mut world, &sketch);
    assert_eq!(found[1], [misposted(Kind::Originate, 1, Component::Principal)]);
    assert_eq!(found[2], []);
}

/// A position that the bank could never sign for is not its own, whatever its section says.
#[test]
fn a_one_time_key_of_another_is_noticed_by_the_owner() {
    let mut world = World::funded(124);
    let sketch = lending(&world);
    let place = place_of(&world, &sketch, 1);
    let sketch = changed(&sketch, |sketch| {
        let owner = world.keys[2].view.public().owner_points(&Scalar::from(7u64));
        sketch.new_loans()[0].parts[usize::from(place)].owner = owner;
    });
    assert!(read(&mut world, &sketch)[1].contains(&false_opening(Kind::Originate, (0, place))));
}

/// The share that a bank is told is the one on the ledger, by which it will be repaid.
#[test]
fn a_false_share_is_noticed() {
    let mut world = World::funded(125);
    let mut sketch = lending(&world);
    let place = place_of(&world, &sketch, 1);
    let part = sketch.new_loans()[0].parts[usize::from(place)].clone();
    let share =
        Opening { value: part.share.opening().value + Scalar::ONE, blinding: part.share.opening().blinding };
    let principal = revealed(part.principal.amount.opening());
    let words = Share::New { owner: member(1), share: revealed(&share), principal };
    reseal(&world, &mut sketch, place, &words, member(1));
    let found = read(&mut world, &sketch);
    for viewer in [1, REGULATOR] {
        assert!(found[viewer].contains(&false_opening(Kind::Originate, (0, place))));
    }
}

//! What other members send, and what the journal of votes holds.

use crate::input::{Input, edit};
use counterfoil_crypto::{
    identity::{Identity, PublicIdentity, Signature},
    labels,
    quorum::{Ballot, Certificate, VoteKind},
    secret::SecretBytes,
};
use counterfoil_network::{Application, Fatal, Refused, Roster, probe};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// The consortium of the votes.
const CONSORTIUM: [u8; 32] = [1; 32];
type BlockId = [u8; 32];

/// A message, a record of the journal, or a whole stream: the first byte says which.
#[must_use]
pub fn any_bytes(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (choice, bytes) = (input.byte(), input.rest());
    let again = match choice % 3 {
        0 => probe::message(bytes),
        1 => probe::record(bytes),
        _ => return stream(bytes),
    };
    assert!(again.as_ref().is_none_or(|again| again == bytes), "two forms of one message or record");
    again.is_some()
}

/// Frames come out as they went in: with their lengths and the byte before them they are the stream.
fn stream(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let read = pollster(probe::frames(&mut rest));
    let length = |frame: &Vec<u8>| u32::try_from(frame.len()).expect("a frame is bounded").to_le_bytes();
    let frames = read.frames.iter().flat_map(|frame| [&length(frame)[..], frame].concat());
    let again: Vec<u8> = bytes.iter().take(1).copied().chain(frames).collect();
    assert!(bytes.starts_with(&again), "frames that were not sent");
    assert!(!read.whole || (again == bytes && !read.violation), "a stream that was not read to its end");
    read.whole && !read.frames.is_empty()
}

/// The value of a future that reads from memory and so never waits.
fn pollster<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("memory is always ready"),
    }
}

/// What the journal below holds.
fn records() -> Vec<Vec<u8>> {
    vec![vec![1; 90], vec![2; 30], Vec::new(), vec![4; 200]]
}

static JOURNAL: LazyLock<(PathBuf, Vec<u8>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    probe::write_journal(folder.path(), 5, &records()).expect("there is room for a journal");
    let mut files = fs::read_dir(folder.path()).expect("it was just written");
    let path = files.next().expect("one file").expect("it is ours").path();
    let name = path.file_name().expect("it has a name").into();
    (name, fs::read(path).expect("it was just written"))
});

/// A journal of votes with some bytes changed, or with other bytes in its place, as the first byte says: it tells the
/// records from the first on, each as it was, or says that it is damaged. The last one alone can be taken for torn.
#[must_use]
pub fn journal_damaged(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (name, mut file) = JOURNAL.clone();
    if input.byte() & 1 == 1 {
        file = input.rest().to_vec();
    } else {
        edit(&mut file, &mut input, 8);
    }
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join(name), file).expect("the folder is ours");
    let Ok(told) = probe::read_journal(folder.path()) else { return false };
    assert!(records().starts_with(&told), "a record that was not written");
    told.len() == records().len()
}

/// Four members: the one under test, and three whose keys the fuzzer has, or one of them and two that never vote.
struct Town {
    keys: Vec<Identity>,
    roster: Arc<Roster>,
}

static TOWN: LazyLock<Town> = LazyLock::new(|| {
    let keys: Vec<_> = (0..4).map(|n| Identity::from_seed(&SecretBytes::new([n + 1; 32]))).collect();
    let validators = keys.iter().map(Identity::public).collect();
    let roster = Arc::new(Roster { consortium: CONSORTIUM, validators, observers: Vec::new() });
    Town { keys, roster }
});

/// A member among others who sign whatever the fuzzer likes: it never signs two votes for one round, also over a crash, it
/// commits what more than two thirds have signed, in order, and nothing where only one of the others signs.
#[must_use]
pub fn hostile_member(bytes: &[u8]) -> bool {
    let town = &*TOWN;
    let mut input = Input::new(bytes);
    let hostile = if input.byte() & 1 == 1 { 3 } else { 1 };
    let app = Arc::new(Blocks::default());
    let member = probe::Member::start(Arc::clone(&town.roster), town.keys[0].clone(), app.clone());
    let mut member = member.expect("an empty journal is good");
    let mut voted = BTreeMap::new();
    while !input.is_empty() {
        let peer = 1 + u16::from(input.byte()) % hostile;
        let from = town.keys[usize::from(peer)].public();
        let sent = step(&mut member, &mut input, (peer, from), hostile).expect("no peer stops a node");
        assert!(sent.len() <= 600, "{} messages for one", sent.len());
        sent.iter().filter_map(|message| own_vote(message)).for_each(|(place, block)| {
            let first = *voted.entry(place).or_insert(block);
            assert_eq!(first, block, "two votes in one round");
        });
    }
    let committed = app.chain().len();
    assert!(hostile == 3 || committed == 0, "two of four are no quorum");
    for (height, (block, certificate)) in (1..).zip(app.chain()) {
        assert_eq!((certificate.height, certificate.block), (height, id_of(&block)));
        assert_eq!(certificate.verify(CONSORTIUM, &town.roster.validators), Ok(()));
    }
    committed > 0
}

type Sent = Result<Vec<Vec<u8>>, Fatal>;

fn step(
    member: &mut probe::Member,
    input: &mut Input<'_>,
    (peer, from): (u16, PublicIdentity),
    hostile: u16,
) -> Sent {
    match input.byte() % 12 {
        0 => member.receive(from, input.piece()),
        1 | 2 => member.receive(from, &vote(peer, input)),
        3 | 4 => member.receive(from, &proposal(peer, input)),
        5 | 6 => member.receive(from, &block(input)),
        7 => member.receive(from, &decided(input, hostile)),
        8 => member.time(None),
        9 => member.time(Some(usize::from(input.byte() % 8))),
        10 => member.link(from, input.byte() & 1 == 1),
        _ if input.byte() & 1 == 1 => member.restart(),
        _ => member.wake(),
    }
}

/// A height near the open one, or at the end of numbers.
fn height(input: &mut Input<'_>) -> u64 {
    match input.byte() {
        255 => u64::MAX,
        byte => u64::from(byte % 4),
    }
}

fn round(input: &mut Input<'_>) -> u32 {
    match input.byte() {
        255 => u32::MAX,
        byte => u32::from(byte % 4),
    }
}

/// A block of the height: one of a few, the last of which is not valid.
fn block_of(height: u64, input: &mut Input<'_>) -> Vec<u8> {
    [&height.to_le_bytes()[..], &[input.byte() % 4]].concat()
}

/// Fields of a vote as they travel: version, number of the message, and the vote.
type Vote = (u8, u8, VoteKind, u64, u32, Option<BlockId>, u16, Signature);

fn vote(voter: u16, input: &mut Input<'_>) -> Vec<u8> {
    let kind = if input.byte() & 1 == 0 { VoteKind::Prevote } else { VoteKind::Precommit };
    let (height, round) = (height(input), round(input));
    let block = (input.byte() % 4 != 3).then(|| id_of(&block_of(height, input)));
    let ballot = Ballot { consortium: CONSORTIUM, kind, height, round, block }.to_bytes();
    let signature = TOWN.keys[usize::from(voter)].sign(labels::VOTE_SIGNATURE, &ballot);
    let vote: Vote = (1, 0, kind, height, round, block, voter, signature);
    borsh::to_vec(&vote).expect("memory takes all")
}

/// The vote in a message of the member under test.
fn own_vote(message: &[u8]) -> Option<((VoteKind, u64, u32), Option<BlockId>)> {
    let (1, 0, kind, height, round, block, 0, _) = borsh::from_slice::<Vote>(message).ok()? else {
        return None;
    };
    Some(((kind, height, round), block))
}

fn proposal(proposer: u16, input: &mut Input<'_>) -> Vec<u8> {
    let (height, round) = (height(input), round(input));
    let id = id_of(&block_of(height, input));
    let polka = (input.byte() & 1 == 1).then(|| self::round(input));
    let body = borsh::to_vec(&(CONSORTIUM, height, round, id, polka, proposer)).expect("memory takes all");
    let signature = TOWN.keys[usize::from(proposer)].sign(labels::PROPOSAL_SIGNATURE, &body);
    borsh::to_vec(&(1u8, 1u8, height, round, id, polka, proposer, signature)).expect("memory takes all")
}

fn block(input: &mut Input<'_>) -> Vec<u8> {
    let (height, round) = (height(input), round(input));
    borsh::to_vec(&(1u8, 4u8, height, round, block_of(height, input))).expect("memory takes all")
}

/// A decided block with votes of whom the input names: signed by the hostile ones, forged by them for the others.
fn decided(input: &mut Input<'_>, hostile: u16) -> Vec<u8> {
    let (height, round) = (height(input), round(input));
    let block = block_of(height, input);
    let id = id_of(&block);
    let kind = VoteKind::Precommit;
    let ballot = Ballot { consortium: CONSORTIUM, kind, height, round, block: Some(id) }.to_bytes();
    let voters = input.byte();
    let signed = |n: u16| TOWN.keys[usize::from(n.clamp(1, hostile))].sign(labels::VOTE_SIGNATURE, &ballot);
    let votes = (0..4u16).filter(|n| voters >> n & 1 == 1).map(|n| (n, signed(n)));
    let votes: Vec<(u16, Signature)> = votes.collect();
    borsh::to_vec(&(1u8, 8u8, height, round, id, votes, block)).expect("memory takes all")
}

fn id_of(block: &[u8]) -> BlockId {
    // Any function with few collisions would do; the first bytes are the height and the choice.
    let mut id = [0xa5; 32];
    id.iter_mut().zip(block).for_each(|(to, from)| *to = *from);
    id
}

/// An application whose blocks are a height and a choice.
#[derive(Default)]
struct Blocks(Mutex<Vec<(Vec<u8>, Certificate)>>);

impl Blocks {
    fn chain(&self) -> Vec<(Vec<u8>, Certificate)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Application for Blocks {
    fn admit(&self, _: &[u8]) -> Result<(), Refused> {
        Ok(())
    }
    fn pending(&self, _: usize) -> Vec<Vec<u8>> {
        Vec::new()
    }
    fn waiting(&self) -> bool {
        false
    }
    fn propose(&self, height: u64) -> Vec<u8> {
        [&height.to_le_bytes()[..], &[0]].concat()
    }
    fn identify(&self, height: u64, block: &[u8]) -> Result<BlockId, Refused> {
        let good = block.len() == 9 && block.starts_with(&height.to_le_bytes());
        if good { Ok(id_of(block)) } else { Err(Refused::new("no block of this height")) }
    }
    fn verify(&self, _: u64, block: &[u8]) -> Result<(), Refused> {
        if block.last() == Some(&3) { Err(Refused::new("not valid")) } else { Ok(()) }
    }
    fn commit(&self, height: u64, block: &[u8], certificate: &Certificate) -> Result<(), Fatal> {
        let mut chain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(u64::try_from(chain.len()), Ok(height - 1), "a height is left out or repeated");
        chain.push((block.to_vec(), certificate.clone()));
        Ok(())
    }
    fn decided(&self, height: u64) -> Option<(Vec<u8>, Certificate)> {
        self.chain().get(usize::try_from(height.checked_sub(1)?).ok()?).cloned()
    }
    fn height(&self) -> u64 {
        u64::try_from(self.chain().len()).unwrap_or(u64::MAX)
    }
}

//! Nodes over QUIC on the loopback device, with an application that orders items.

use super::*;
use crate::{app::Refused, sim::Ledger};
use counterfoil_crypto::{quorum::Certificate, secret::SecretBytes};
use std::{path::Path, time::Instant};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

fn identity(seed: usize) -> Identity {
    Identity::from_seed(&SecretBytes::new([seed as u8 + 1; 32]))
}

fn roster(validators: usize, observers: usize) -> Roster {
    let keys: Vec<_> = (0..validators + observers).map(|seed| identity(seed).public()).collect();
    let (validators, observers) = keys.split_at(validators);
    Roster { consortium: [3; 32], validators: validators.to_vec(), observers: observers.to_vec() }
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn wait(stopped: Stopped) -> Result<(), NetworkError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LIMIT, stopped).await }).expect("stops in time")
}

struct Running {
    handle: Handle,
    stopped: Stopped,
}

/// A consortium whose members know each other's addresses.
struct Consortium {
    roster: Roster,
    ledgers: Vec<Arc<Ledger>>,
    addresses: Vec<(PublicIdentity, SocketAddr)>,
    nodes: Vec<Option<Running>>,
    folder: TempDir,
}

impl Consortium {
    fn start(validators: usize, observers: usize) -> Self {
        let (roster, folder) = (roster(validators, observers), tempfile::tempdir().unwrap());
        let sockets: Vec<_> = roster.members().map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let addresses =
            roster.members().copied().zip(sockets.iter().map(|s| s.local_addr().unwrap())).collect();
        let (ledgers, nodes) = (sockets.iter().map(|_| Arc::default()).collect(), Vec::new());
        let mut consortium = Self { roster, ledgers, addresses, nodes, folder };
        for (at, socket) in sockets.into_iter().enumerate() {
            let running = consortium.node(at, socket);
            consortium.nodes.push(Some(running));
        }
        consortium
    }

    fn node(&self, at: usize, socket: UdpSocket) -> Running {
        let config = Config {
            roster: self.roster.clone(),
            identity: identity(at),
            socket,
            peers: self.addresses.clone(),
            journal_dir: self.folder.path().join(at.to_string()),
            timeouts: Timeouts::default(),
        };
        let (handle, stopped) = start(config, self.ledgers[at].clone()).unwrap();
        Running { handle, stopped }
    }

    fn stop(&mut self, at: usize) {
        let Running { handle, stopped } = self.nodes[at].take().unwrap();
        handle.shutdown();
        wait(stopped).unwrap();
    }

    fn restart(&mut self, at: usize) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        self.nodes[at] = Some(self.node(at, socket));
    }

    fn offer(&self, at: usize, item: &[u8]) {
        self.ledgers[at].offer(item);
        self.ledgers[at].admit(item).unwrap();
        self.nodes[at].as_ref().unwrap().handle.offer(item.into());
    }

    fn all_connected(&self) -> bool {
        let running = self.nodes.iter().flatten().count();
        self.nodes.iter().flatten().all(|node| node.handle.peers().len() + 1 == running)
    }

    fn all_done(&self, items: usize) -> bool {
        self.ledgers.iter().all(|ledger| ledger.done() == items)
    }

    fn stop_all(&mut self) {
        (0..self.nodes.len())
            .filter(|at| self.nodes[*at].is_some())
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|at| self.stop(at));
    }

    fn assert_same_chains(&self) {
        let height = self.ledgers[0].height();
        for height in 1..=height {
            let blocks: Vec<_> = self.ledgers.iter().map(|l| l.decided(height).unwrap()).collect();
            assert!(blocks.iter().all(|(block, _)| *block == blocks[0].0), "fork at {height}");
            for (_, certificate) in blocks {
                certificate.verify(self.roster.consortium, &self.roster.validators).unwrap();
            }
        }
    }
}

#[test]
fn members_order_items_and_one_that_was_away_catches_up() {
    let mut consortium = Consortium::start(4, 1);
    eventually("all are connected", || consortium.all_connected());
    for at in 0..5 {
        consortium.offer(at, format!("from {at}").as_bytes());
    }
    eventually("the first items are everywhere", || consortium.all_done(5));

    // What is in a block already is no reason for another.
    let height = consortium.ledgers[0].height();
    (0..5).for_each(|at| consortium.offer(at, b"from 0"));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(consortium.ledgers[0].height(), height, "a block without a reason");

    consortium.stop(2);
    for (at, item) in [0, 1, 3, 4].into_iter().cycle().zip(5..25) {
        consortium.offer(at, format!("item {item}").as_bytes());
    }
    let others = [0, 1, 3, 4];
    eventually("the others go on", || others.iter().all(|at| consortium.ledgers[*at].done() == 25));
    consortium.restart(2);
    eventually("it has caught up", || consortium.all_done(25));
    consortium.offer(2, b"and takes part again");
    eventually("it takes part", || consortium.all_done(26));
    let before = Instant::now();
    consortium.stop_all();
    assert!(before.elapsed() < Duration::from_secs(10), "stopping took {:?}", before.elapsed());
    consortium.assert_same_chains();
}

#[test]
fn blocks_of_a_hundred_kilobytes_take_less_than_a_second() {
    let mut consortium = Consortium::start(4, 0);
    eventually("all are connected", || consortium.all_connected());
    let start = Instant::now();
    let blocks = 20;
    for number in 0..blocks {
        // One item at a time, so that each makes a block of its own.
        let item = [vec![7; 100_000], vec![number]].concat();
        consortium.offer(usize::from(number) % 4, &item);
        eventually("the block is everywhere", || consortium.all_done(usize::from(number) + 1));
    }
    let each = start.elapsed() / u32::from(blocks);
    println!(
        "{:.1} heights/s of 100 kB, offered one after another ({each:?} from offer to the last commit)",
        1.0 / each.as_secs_f64()
    );
    assert!(each < Duration::from_secs(1), "{each:?} per block");
    consortium.stop_all();
    consortium.assert_same_chains();
}

/// Fails when it should commit.
struct Broken;

impl Application for Broken {
    fn admit(&self, _: &[u8]) -> Result<(), Refused> {
        Ok(())
    }
    fn pending(&self, _: usize) -> Vec<Vec<u8>> {
        Vec::new()
    }
    fn waiting(&self) -> bool {
        true
    }
    fn propose(&self, _: u64) -> Vec<u8> {
        vec![1]
    }
    fn identify(&self, _: u64, block: &[u8]) -> Result<[u8; 32], Refused> {
        Ok(*blake3::hash(block).as_bytes())
    }
    fn verify(&self, _: u64, _: &[u8]) -> Result<(), Refused> {
        Ok(())
    }
    fn commit(&self, _: u64, _: &[u8], _: &Certificate) -> Result<(), Fatal> {
        Err(Fatal::new("the disk is full"))
    }
    fn decided(&self, _: u64) -> Option<(Vec<u8>, Certificate)> {
        None
    }
    fn height(&self) -> u64 {
        0
    }
}

fn alone(journal_dir: &Path, identity: Identity) -> Config {
    Config {
        roster: roster(1, 0),
        identity,
        socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
        peers: Vec::new(),
        journal_dir: journal_dir.to_path_buf(),
        timeouts: Timeouts::default(),
    }
}

#[test]
fn a_broken_store_stops_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, stopped) = start(alone(folder.path(), identity(0)), Arc::new(Broken)).unwrap();
    handle.offer(Arc::from(&b"anything"[..]));
    let word = wait(stopped).unwrap_err();
    assert!(matches!(&word, NetworkError::Fatal(fatal) if fatal.0 == "the disk is full"), "{word}");
}

#[test]
fn strangers_and_damaged_journals_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let refused = start(alone(folder.path(), identity(9)), Arc::new(Broken)).err().unwrap();
    assert!(matches!(refused, NetworkError::NotAMember { member } if member == identity(9).public()));
    std::fs::write(folder.path().join("00000000000000000001.journal"), [9; 100]).unwrap();
    let refused = start(alone(folder.path(), identity(0)), Arc::new(Broken)).err().unwrap();
    assert!(matches!(refused, NetworkError::Journal(JournalError::Damaged { .. })), "{refused}");
}

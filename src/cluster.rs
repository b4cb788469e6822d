//! A consortium on one machine: folders, keys, genesis, and one operating-system process per member, over loopback.
//!
//! For the demonstration and the tests. Ports are picked free: this process binds each member's socket and hands it to the
//! child as its standard input, so that no other program can take a port in between, and a restarted node keeps its own.

use crate::{
    control,
    home::{Home, NodeFile, write_genesis},
};
use anyhow::{Context as _, Result, bail, ensure};
use counterfoil_ledger::genesis::{Consortium, Role};
use std::{
    collections::BTreeMap,
    fs::File,
    net::UdpSocket,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Blocks in an epoch here: few, so that a short run has several.
pub const EPOCH_BLOCKS: u32 = 8;

/// A member of the consortium on this machine.
struct Seat {
    name: String,
    home: Home,
    socket: UdpSocket,
    child: Option<Child>,
}

/// A consortium on this machine. Dropping it kills its processes.
pub struct Cluster {
    program: PathBuf,
    seats: Vec<Seat>,
}

impl Cluster {
    /// Makes keys for banks and regulators, a genesis with the given products, and configurations. `program` is this binary.
    ///
    /// # Errors
    /// When a folder cannot be written, a product is refused, or no port is free.
    pub fn found(dir: &Path, program: &Path, members: &[(&str, Role)], products: &[&str]) -> Result<Self> {
        let mut seats = Vec::new();
        for (name, role) in members {
            let home = Home::at(dir.join(name));
            home.create(name, *role)?;
            let socket = UdpSocket::bind("127.0.0.1:0").context("no UDP port is free on 127.0.0.1")?;
            seats.push(Seat { name: (*name).into(), home, socket, child: None });
        }
        let mut files = Vec::new();
        for (number, text) in products.iter().enumerate() {
            let path = dir.join(format!("product-{number}.toml"));
            std::fs::write(&path, text)?;
            files.push(path);
        }
        let records: Vec<_> = seats.iter().map(|seat| seat.home.path().join("member.toml")).collect();
        let genesis = dir.join("genesis.toml");
        write_genesis("demo consortium", &records, &files, EPOCH_BLOCKS, &genesis)?;
        for seat in &seats {
            std::fs::copy(&genesis, seat.home.path().join("genesis.toml"))?;
            let peers = seats.iter().filter(|other| other.name != seat.name);
            let address = |peer: &Seat| Ok((peer.name.clone(), peer.socket.local_addr()?.to_string()));
            let peers = peers.map(address).collect::<Result<BTreeMap<_, _>>>()?;
            seat.home.write_node_file(&NodeFile { listen: Some("inherited".into()), peers })?;
        }
        Ok(Self { program: program.into(), seats })
    }

    /// The genesis that all members share.
    ///
    /// # Errors
    /// Never, once founded, unless the folder was changed.
    pub fn consortium(&self) -> Result<Consortium> {
        self.seats.first().context("a cluster has members")?.home.consortium()
    }

    /// A member's folder.
    ///
    /// # Errors
    /// When there is no such member.
    pub fn home(&self, name: &str) -> Result<&Home> {
        Ok(&self.seat(name)?.home)
    }

    /// All members with their folders.
    pub fn homes(&self) -> impl Iterator<Item = (&str, &Home)> {
        self.seats.iter().map(|seat| (seat.name.as_str(), &seat.home))
    }

    fn seat(&self, name: &str) -> Result<&Seat> {
        self.seats
            .iter()
            .find(|seat| seat.name == name)
            .with_context(|| format!("no member is called {name}"))
    }

    /// Starts every member's process that does not run.
    ///
    /// # Errors
    /// When a process cannot be started.
    pub fn start_all(&mut self) -> Result<()> {
        let names: Vec<_> = self.seats.iter().map(|seat| seat.name.clone()).collect();
        names.iter().try_for_each(|name| self.start(name))
    }

    /// Starts one member's process, if it does not run. Its messages go to `node.log` in its folder.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, name: &str) -> Result<()> {
        let program = self.program.clone();
        let seat = self.seats.iter_mut().find(|seat| seat.name == name).context("no such member")?;
        if let Some(child) = &mut seat.child
            && child.try_wait()?.is_none()
        {
            return Ok(());
        }
        let log = File::options().create(true).append(true).open(seat.home.path().join("node.log"))?;
        let socket = OwnedFd::from(seat.socket.try_clone()?);
        let child = Command::new(program)
            .arg("node")
            .arg("--home")
            .arg(seat.home.path())
            .stdin(Stdio::from(socket))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()
            .with_context(|| format!("cannot start the node of {name}"))?;
        seat.child = Some(child);
        Ok(())
    }

    /// Kills one member's process at once, as a power cut would (SIGKILL).
    ///
    /// # Errors
    /// When there is none.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let seat = self.seats.iter_mut().find(|seat| seat.name == name).context("no such member")?;
        let mut child = seat.child.take().with_context(|| format!("the node of {name} does not run"))?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Waits until every named member answers and sees `peers` others.
    ///
    /// # Errors
    /// When a process has ended, or the time is up; the message names the member and its log.
    pub async fn ready(&mut self, names: &[&str], peers: usize, patience: Duration) -> Result<()> {
        let begin = Instant::now();
        for name in names {
            loop {
                let seat = self.seats.iter_mut().find(|seat| seat.name == *name).context("no such member")?;
                if control::status(&seat.home.socket()).await.is_ok_and(|status| status.peers.len() >= peers)
                {
                    break;
                }
                let log = seat.home.path().join("node.log");
                if let Some(status) = seat.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                    bail!("the node of {name} ended with {status}; see {}", log.display());
                }
                ensure!(begin.elapsed() < patience, "the node of {name} is not ready; see {}", log.display());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Waits until every named member has the same height, at least `height`, and state root; returns both.
    ///
    /// # Errors
    /// When the time is up; the message says how they stand.
    pub async fn agree(&self, names: &[&str], height: u64, patience: Duration) -> Result<(u64, [u8; 32])> {
        let begin = Instant::now();
        loop {
            let mut stand = Vec::new();
            for name in names {
                stand.push(
                    control::status(&self.home(name)?.socket()).await.map(|s| (s.height, s.state)).ok(),
                );
            }
            if let Some(Some(first)) = stand.first()
                && first.0 >= height
                && stand.iter().all(|other| other.as_ref() == Some(first))
            {
                return Ok(*first);
            }
            ensure!(begin.elapsed() < patience, "the members do not agree: {stand:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks every process to stop and waits for it; kills those that do not within ten seconds.
    ///
    /// # Errors
    /// When a process cannot be waited for, or did not end well.
    pub async fn stop(&mut self) -> Result<()> {
        for seat in &mut self.seats {
            let Some(mut child) = seat.child.take() else { continue };
            // The node stops when its bank asks: through its own socket, since signals are not the standard library's.
            let _ = control::ask(&seat.home.socket(), &control::Request::Stop).await;
            let begin = Instant::now();
            let status = loop {
                match child.try_wait()? {
                    Some(status) => break status,
                    None if begin.elapsed() > Duration::from_secs(10) => {
                        child.kill()?;
                        break child.wait()?;
                    }
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            ensure!(status.success(), "the node of {} ended with {status}", seat.name);
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.seats.iter_mut().filter_map(|seat| seat.child.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

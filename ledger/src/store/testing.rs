//! Files in memory that lose power, fill up and rot, by seed.
//!
//! A power loss keeps what was synced. Of everything else each page keeps its old bytes, its new ones, or the new ones
//! up to some byte; a file's length is the old or the new one or between; a name is as it was or as it became.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use super::files::{File, Files, Lock};

const PAGE: usize = 512;

/// A small generator (splitmix64): a test prints its seed, and the seed is the test.
#[derive(Clone, Debug)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn one_of(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

#[derive(Clone, Debug, Default)]
struct Inode {
    synced: Vec<u8>,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct World {
    inodes: Vec<Inode>,
    synced_names: BTreeMap<String, usize>,
    names: BTreeMap<String, usize>,
    locked: bool,
    /// Changes until the power goes.
    changes_left: Option<usize>,
    /// Bytes that the disk holds.
    capacity: Option<usize>,
}

/// One folder in memory; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryFiles {
    world: Arc<Mutex<World>>,
}

impl MemoryFiles {
    /// Files with these contents, all durable.
    pub(crate) fn holding(contents: &BTreeMap<String, Vec<u8>>) -> Self {
        let files = Self::default();
        {
            let mut world = files.world();
            for (position, (name, bytes)) in contents.iter().enumerate() {
                world.inodes.push(Inode { synced: bytes.clone(), bytes: bytes.clone() });
                world.names.insert(name.clone(), position);
            }
            world.synced_names = world.names.clone();
        }
        files
    }

    /// What the files hold now.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let world = self.world();
        world.names.iter().map(|(name, inode)| (name.clone(), world.inodes[*inode].bytes.clone())).collect()
    }

    /// Lets the power go after so many more changes.
    pub(crate) fn lose_power_after(&self, changes: usize) {
        self.world().changes_left = Some(changes);
    }

    pub(crate) fn set_capacity(&self, capacity: Option<usize>) {
        self.world().capacity = capacity;
    }

    /// The folder as the next start finds it.
    pub(crate) fn after_power_loss(&self, seed: &mut Seed) -> Self {
        let world = self.world();
        let mut contents = BTreeMap::new();
        let names: BTreeSet<&String> = world.names.keys().chain(world.synced_names.keys()).collect();
        for name in names {
            let (old, new) = (world.synced_names.get(name), world.names.get(name));
            if let Some(inode) = if seed.one_of(2) { old } else { new } {
                contents.insert(name.clone(), survivor(&world.inodes[*inode], seed));
            }
        }
        Self::holding(&contents)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

fn survivor(inode: &Inode, seed: &mut Seed) -> Vec<u8> {
    let (old, new) = (&inode.synced, &inode.bytes);
    let (short, long) = (old.len().min(new.len()), old.len().max(new.len()));
    let size = match seed.below(3) {
        0 => old.len(),
        1 => new.len(),
        _ => short + seed.below(long - short + 1),
    };
    let mut bytes = vec![0; size];
    for start in (0..size).step_by(PAGE) {
        let end = (start + PAGE).min(size);
        let kept = match seed.below(3) {
            0 => start,
            1 => end,
            _ => start + seed.below(end - start + 1),
        };
        for (at, byte) in bytes.iter_mut().enumerate().take(end).skip(start) {
            let from = if at < kept { new } else { old };
            *byte = from.get(at).copied().unwrap_or(0);
        }
    }
    bytes
}

impl World {
    /// Counts a change; the one that meets the power loss does not happen, but for a write of which part may.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.changes_left {
            Some(0) => Err(io::Error::other("no power")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn room(&self) -> usize {
        let used: usize = self.names.values().map(|inode| self.inodes[*inode].bytes.len()).sum();
        self.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(used))
    }
}

#[derive(Debug)]
struct MemoryFile {
    files: MemoryFiles,
    inode: usize,
    write: bool,
}

#[derive(Debug)]
struct MemoryLock(MemoryFiles);

impl Lock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.0.world().locked = false;
    }
}

impl Files for MemoryFiles {
    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let mut world = self.world();
        world.change()?;
        if world.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let inode = world.inodes.len();
        world.inodes.push(Inode::default());
        world.names.insert(name.to_owned(), inode);
        Ok(Box::new(MemoryFile { files: self.clone(), inode, write: true }))
    }

    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn File>> {
        let inode = *self.world().names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(MemoryFile { files: self.clone(), inode, write }))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.world().names.keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.world();
        world.change()?;
        world.names.remove(name).map(|_| ()).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut world = self.world();
        world.change()?;
        world.synced_names = world.names.clone();
        Ok(())
    }

    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        let mut world = self.world();
        if world.locked {
            return Err(ErrorKind::WouldBlock.into());
        }
        world.locked = true;
        Ok(Box::new(MemoryLock(self.clone())))
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("memory").join(name)
    }
}

impl File for MemoryFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        assert!(self.write, "written through a file opened for reading");
        let mut world = self.files.world();
        let powered = world.change();
        let offset = usize::try_from(offset).unwrap();
        let room = world.room();
        let contents = &mut world.inodes[self.inode].bytes;
        let growth = (offset + bytes.len()).saturating_sub(contents.len());
        let fits = bytes.len() - growth.saturating_sub(room).min(bytes.len());
        if contents.len() < offset + fits {
            contents.resize(offset + fits, 0);
        }
        contents[offset..offset + fits].copy_from_slice(&bytes[..fits]);
        powered?;
        if fits < bytes.len() { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let world = self.files.world();
        let offset = usize::try_from(offset).unwrap();
        let bytes = world.inodes[self.inode].bytes.get(offset..offset.saturating_add(buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.files.world().inodes[self.inode].bytes.len()).unwrap())
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        let mut world = self.files.world();
        world.change()?;
        world.inodes[self.inode].bytes.resize(usize::try_from(size).unwrap(), 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.files.world();
        world.change()?;
        let inode = &mut world.inodes[self.inode];
        inode.synced = inode.bytes.clone();
        Ok(())
    }
}

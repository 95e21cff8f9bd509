//! A store without a disk, for simulations: it can crash, be full, and forget.

use super::frame::{self, BadFrame};
use super::loaded::{Found, Headers, Loaded, LoadedHeader};
use super::order::parents_first;
use super::{Change, Place, Reader, Store, StoreError};
use crate::chain::Forgotten;
use crate::wire::{HEADER, Magic};
use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use bytes::Bytes;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Changes that wait before they are committed without being asked.
const PENDING: usize = 1024;

/// A store in memory. Clones are handles to the same one, as if it were a disk: keep one to [`crash`](Memory::crash) it.
#[derive(Clone, Debug)]
pub struct Memory {
    magic: Magic,
    disk: Arc<Mutex<Contents>>,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    /// By where they begin.
    frames: BTreeMap<u64, Bytes>,
    end: u64,
    /// Where no room is left.
    room: Option<u64>,
    rows: BTreeMap<(u32, BlockHash), LoadedHeader>,
    /// Recorded, and not committed yet.
    pending: VecDeque<Change>,
    /// Nothing is committed, and so many changes may wait.
    slow: Option<usize>,
    tell: Tell,
}

/// Who is told when the store is swamped no longer.
#[derive(Clone, Default)]
struct Tell(Option<Arc<dyn Fn() + Send + Sync>>);

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tell").field(&self.0.is_some()).finish()
    }
}

impl Memory {
    /// An empty store of the chain with this magic.
    pub fn new(magic: Magic) -> Memory {
        Memory {
            magic,
            disk: Arc::default(),
        }
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes that were recorded and would be lost in a crash.
    pub fn pending(&self) -> usize {
        self.contents().pending.len()
    }

    /// From now on [`append`](Store::append) fails with [`StoreError::Full`] when more than so many bytes would be stored, as on a
    /// full disk. `None` for any number, as at first.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.contents().room = bytes;
    }

    /// From now on nothing is committed, as on a disk that takes its time, and with so many changes that wait the store
    /// [is swamped](Store::is_swamped). With `None` the disk is quick again, as at first.
    pub fn set_slow(&self, queue: Option<usize>) {
        let tell = {
            let mut contents = self.contents();
            contents.slow = queue;
            contents.tell.clone()
        };
        if let (None, Tell(Some(tell))) = (queue, tell) {
            tell();
        }
    }

    /// Changes the last byte of the frame at a place, if there is one: as a disk that forgets.
    pub fn damage(&self, place: Place) {
        if let Some(frame) = self.contents().frames.get_mut(&place.offset) {
            let mut bytes = frame.to_vec();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            *frame = bytes.into();
        }
    }

    /// What a new process finds when this one is killed now: all that was appended; of the changes that are
    /// [`pending`](Memory::pending) the first `committed`. The old handles go on as if nothing had happened, on a disk of their own.
    pub fn crash(&self, committed: usize) -> (Memory, Loaded) {
        let mut contents = self.contents().clone();
        contents.pending.truncate(committed);
        (contents.slow, contents.tell) = (None, Tell(None));
        contents.commit();
        let loaded = contents.load();
        let memory = Memory {
            magic: self.magic,
            disk: Arc::new(Mutex::new(contents)),
        };
        (memory, loaded)
    }
}

impl Contents {
    fn commit(&mut self) {
        while let Some(change) = self.pending.pop_front() {
            self.apply(change);
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Header { height, header } => {
                let hash = header.block_hash();
                self.rows.entry((height, hash)).or_insert(LoadedHeader {
                    header,
                    hash,
                    height,
                    place: None,
                    txs: 0,
                    invalid: false,
                });
            }
            Change::Block {
                height,
                hash,
                place,
                txs,
            } => {
                if let Some(row) = self.rows.get_mut(&(height, hash)) {
                    (row.place, row.txs) = (Some(place), txs);
                }
            }
            Change::Lost { height, hash } => {
                if let Some(row) = self.rows.get_mut(&(height, hash)) {
                    (row.place, row.txs) = (None, 0);
                }
            }
            Change::Invalid { height, hash } => {
                if let Some(row) = self.rows.get_mut(&(height, hash)) {
                    row.invalid = true;
                }
            }
            Change::Forget(forgotten) => {
                for Forgotten { height, hash } in forgotten {
                    self.rows.remove(&(height, hash));
                }
            }
        }
    }

    fn load(&self) -> Loaded {
        let headers: Vec<LoadedHeader> = self.rows.values().copied().collect();
        let known: HashSet<Place> = headers.iter().filter_map(|row| row.place).collect();
        let found = self.frames.iter().filter_map(|(&offset, frame)| {
            let place = place(offset, frame);
            let header: Header = deserialize(frame.get(HEADER..)?.get(..Header::SIZE)?).ok()?;
            let hash = header.block_hash();
            (!known.contains(&place)).then_some(Found { place, header, hash })
        });
        let found = parents_first(found.collect(), |found| (found.hash, found.header.prev_blockhash));
        Loaded {
            headers: Headers::of_memory(headers),
            found,
            notes: Vec::new(),
        }
    }
}

fn place(offset: u64, frame: &[u8]) -> Place {
    Place {
        file: 0,
        offset,
        length: frame.len() as u32,
    }
}

/// What errors name.
fn nowhere() -> PathBuf {
    PathBuf::from("memory")
}

impl Store for Memory {
    type Reader = MemoryReader;

    fn append(&mut self, frame: &[u8]) -> Result<Place, StoreError> {
        frame::check(self.magic, frame).map_err(StoreError::NotAFrame)?;
        let mut contents = self.contents();
        let offset = contents.end;
        let end = offset + frame.len() as u64;
        if contents.room.is_some_and(|room| end > room) {
            return Err(StoreError::Full {
                path: nowhere(),
                source: Arc::new(io::ErrorKind::StorageFull.into()),
            });
        }
        contents.frames.insert(offset, Bytes::copy_from_slice(frame));
        contents.end = end;
        Ok(place(offset, frame))
    }

    fn record(&mut self, change: Change) {
        let mut contents = self.contents();
        contents.pending.push_back(change);
        if contents.pending.len() >= PENDING && contents.slow.is_none() {
            contents.commit();
        }
    }

    fn is_swamped(&self) -> bool {
        let contents = self.contents();
        contents.slow.is_some_and(|queue| contents.pending.len() >= queue)
    }

    fn when_ready(&mut self, tell: Arc<dyn Fn() + Send + Sync>) {
        self.contents().tell = Tell(Some(tell));
    }

    fn reader(&self) -> MemoryReader {
        MemoryReader(self.clone())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.contents().commit();
        Ok(())
    }

    fn failed(&self) -> Option<StoreError> {
        None
    }
}

/// Reads the blocks of a [`Memory`]: they are shared, not copied.
#[derive(Clone, Debug)]
pub struct MemoryReader(Memory);

impl Reader for MemoryReader {
    fn frame(&self, place: Place) -> Result<Bytes, StoreError> {
        let damaged = |what| self.damaged(place, what);
        let contents = self.0.contents();
        let frame = contents.frames.get(&place.offset).filter(|_| place.file == 0);
        let frame = frame.ok_or_else(|| damaged(BadFrame::Short))?;
        if frame.len() == place.length as usize {
            Ok(frame.clone())
        } else {
            Err(damaged(BadFrame::Length))
        }
    }

    fn damaged(&self, place: Place, what: BadFrame) -> StoreError {
        StoreError::Damaged {
            path: nowhere(),
            offset: place.offset,
            what,
        }
    }
}

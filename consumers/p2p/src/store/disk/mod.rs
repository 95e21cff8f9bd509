//! A store on a disk.
//!
//! ```text
//! <directory>/.lock                 held while a process uses it
//! <directory>/index.redb            headers, and where their blocks are
//! <directory>/blocks/blk00000.dat   frames of blocks, one after the other, in the order they came
//! ```
//!
//! - here: [`Disk`], the whole; `options`: its limits; `lock`
//! - `files`: the block files, and writing to them; `reader`: reading from them
//! - `index`: the tables; `commit`: the thread that writes them
//! - `recover`: what is made of what the last process left; `scan`: of a block file

mod commit;
mod files;
mod index;
mod lock;
mod options;
mod reader;
mod recover;
mod scan;

pub(super) use index::Rows;
pub use options::DiskOptions;
pub use reader::DiskReader;

use super::{Change, Loaded, OpenError, Place, Store, StoreError};
use crate::wire::Magic;
use bitcoin::Network;
use commit::{Committer, Setup, sync_directory};
use files::{Files, Writer};
use lock::Lock;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where in a data directory the store of a chain is, as in Bitcoin Core: that of the main chain is the directory itself.
pub fn directory(data: &Path, network: Network) -> PathBuf {
    match network {
        Network::Bitcoin => data.to_path_buf(),
        Network::Testnet => data.join("testnet3"),
        other => data.join(other.to_string()),
    }
}

/// A store on a disk.
///
/// Dropping it commits what was recorded. Killing the process loses nothing that was appended: what the index does not know yet
/// is [found](Loaded::found) when it is opened again.
pub struct Disk {
    // In this order: the lock is the last to go.
    committer: Committer,
    writer: Writer,
    reader: DiskReader,
    _lock: Lock,
}

impl Disk {
    /// Opens the store in a directory, which is made if it is not there, of the chain with this magic.
    ///
    /// Fails when another process has it open, when it is of another chain or a later version, when it is damaged in such a way
    /// that blocks would have to be given up without need, and when the kernel refuses. Damage that a new download mends is told in
    /// [`Loaded::notes`].
    pub fn open(dir: &Path, magic: Magic, options: DiskOptions) -> Result<(Disk, Loaded), OpenError> {
        refuse_core(dir)?;
        let blocks = dir.join("blocks");
        let is_new = !blocks.exists();
        fs::create_dir_all(&blocks).map_err(|error| StoreError::io(&blocks, "make", error))?;
        let lock = Lock::take(dir)?;
        let files = Files {
            dir: blocks.clone(),
            magic,
        };
        let index_path = dir.join("index.redb");
        let recovered = recover::recover(&files, &index_path, &options)?;
        if is_new {
            // So that what is in it can be found after a loss of power.
            sync_directory(dir)?;
            dir.parent()
                .filter(|parent| parent.is_dir())
                .map_or(Ok(()), sync_directory)?;
        }
        let writer = Writer::new(files.clone(), &options, recovered.last, recovered.end);
        let reader = DiskReader::new(files, options.open_files);
        let setup = Setup {
            index_path,
            blocks,
            magic,
            options,
        };
        let disk = Disk {
            committer: Committer::start(recovered.index, setup)?,
            writer,
            reader,
            _lock: lock,
        };
        Ok((disk, recovered.loaded))
    }
}

/// Fails for a data directory of Bitcoin Core, whose block files have the same names and another form. (Its lock does not keep
/// us out: it is of another kind.)
fn refuse_core(dir: &Path) -> Result<(), OpenError> {
    let of_core = ["chainstate", "blocks/index", "blocks/xor.dat"];
    match of_core
        .iter()
        .map(|name| dir.join(name))
        .find(|path| path.exists())
    {
        Some(path) => Err(OpenError::OfCore { path }),
        None => Ok(()),
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("writer", &self.writer)
            .finish_non_exhaustive()
    }
}

impl Store for Disk {
    type Reader = DiskReader;

    fn append(&mut self, frame: &[u8]) -> Result<Place, StoreError> {
        let appended = self.writer.append(frame)?;
        self.committer
            .written(appended.place.file, appended.file, appended.new);
        Ok(appended.place)
    }

    fn record(&mut self, change: Change) {
        self.committer.record(change);
    }

    fn is_swamped(&self) -> bool {
        self.committer.is_swamped()
    }

    fn when_ready(&mut self, tell: Arc<dyn Fn() + Send + Sync>) {
        self.committer.when_ready(tell);
    }

    fn reader(&self) -> DiskReader {
        self.reader.clone()
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.committer.sync()
    }

    fn failed(&self) -> Option<StoreError> {
        self.committer.failed()
    }
}

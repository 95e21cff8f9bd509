//! What a downloader does with a block: the same for every subject.

use super::Level;
use super::chain::magic;
use crate::Failure;
use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use bitcoin::{Block, BlockHash, Network};
use sockman_p2p::chain::{Id, Params, Tree, check_block};
use sockman_p2p::store::{Change, Disk, DiskOptions, Store};
use sockman_p2p::wire::Frame;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// No header of the chain is later.
const NOW: u64 = u32::MAX as u64;

/// Takes headers and blocks, in order.
pub struct Sink {
    level: Level,
    params: Arc<Params>,
    tree: Tree,
    ids: Vec<Id>,
    disk: Option<Disk>,
    /// Where the disk's files are, until this is dropped.
    _folder: Option<TempDir>,
}

impl Sink {
    /// Does with blocks what the level says; stores them in a new folder inside of `folder`.
    pub fn new(level: Level, folder: &Path) -> Result<Sink, Failure> {
        let params = Arc::new(Params::of(Network::Regtest));
        let (disk, folder) = if level >= Level::L4 {
            let folder = tempfile::tempdir_in(folder)?;
            let (disk, _) = Disk::open(folder.path(), magic(), DiskOptions::default())?;
            (Some(disk), Some(folder))
        } else {
            (None, None)
        };
        Ok(Sink {
            level,
            tree: Tree::new(params.clone()),
            params,
            ids: Vec::new(),
            disk,
            _folder: folder,
        })
    }

    /// The hash of the last header.
    pub fn tip(&self) -> BlockHash {
        self.tree
            .entry(self.ids.last().copied().unwrap_or(Id::GENESIS))
            .hash
    }

    /// Takes headers, and tells their hashes.
    pub fn headers(&mut self, headers: &[Header]) -> io::Result<Vec<BlockHash>> {
        let mut hashes = Vec::with_capacity(headers.len());
        for header in headers {
            let id = self.tree.accept(header, NOW).map_err(io::Error::other)?.id;
            let (height, hash) = (self.tree.entry(id).height, self.tree.entry(id).hash);
            if let Some(disk) = &mut self.disk {
                disk.record(Change::Header {
                    height,
                    header: *header,
                });
            }
            self.ids.push(id);
            hashes.push(hash);
        }
        Ok(hashes)
    }

    /// Takes the block of that header.
    #[inline]
    pub fn block(&mut self, at: usize, frame: &Frame<'_>) -> io::Result<()> {
        if self.level == Level::L0 {
            return Ok(());
        }
        if !frame.is_intact() {
            return Err(io::Error::other("a block came changed"));
        }
        if self.level == Level::L2 {
            let block: Block = deserialize(frame.payload()).map_err(io::Error::other)?;
            std::hint::black_box(&block);
        }
        if self.level < Level::L3 {
            return Ok(());
        }
        let entry = self.tree.entry(self.ids[at]);
        let rules = self.tree.rules(entry.parent);
        let checked = check_block(&self.params, rules, frame.payload()).map_err(io::Error::other)?;
        if checked.hash != entry.hash {
            return Err(io::Error::other("another block than was asked for"));
        }
        if let Some(disk) = &mut self.disk {
            let place = disk.append(frame.bytes).map_err(io::Error::other)?;
            disk.record(Change::Block {
                height: entry.height,
                hash: entry.hash,
                place,
                txs: checked.txs,
            });
        }
        Ok(())
    }

    /// All blocks have come: what is to be on the disk is there when this returns.
    pub fn finish(&mut self) -> io::Result<()> {
        match &mut self.disk {
            Some(disk) => disk.sync().map_err(io::Error::other),
            None => Ok(()),
        }
    }
}

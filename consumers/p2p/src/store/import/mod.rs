//! Blocks from the files of Bitcoin Core, or of whoever writes them as it does: `blk*.dat`, `bootstrap.dat`.
//!
//! Such a file is a sequence of blocks, each behind the magic of its chain and its length (4 bytes, little-endian); zeros may
//! follow, where room was made in advance. If there is a file `xor.dat` in the same directory, its 8 bytes were combined with
//! each block file, by exclusive or, over and over from its beginning.
//!
//! The blocks may be in any order, the genesis block may be among them or not. First the headers of all are read; then each block
//! is read when it is its turn, parents first. So there are some 80 bytes in memory for each block that the files have, and one
//! whole block.
//!
//! - here: [`Import`], the iterator; `scan`: where the blocks of a file are; `error`

mod error;
mod scan;

pub use error::{Damage, Damaged, ImportError};

use super::open_files::OpenFiles;
use super::order::parents_first;
use super::window::{self, Key};
use super::{StoreError, names};
use crate::wire::{self, Command, HEADER, Magic};
use scan::Located;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

/// Files that are kept open. Bitcoin Core writes blocks a little out of their order, so that two are read in turns.
const OPEN_FILES: usize = 8;

/// The blocks of some files, parents first.
#[derive(Debug)]
pub struct Import {
    magic: Magic,
    sources: Vec<Source>,
    open: OpenFiles,
    blocks: vec::IntoIter<Located>,
    damaged: Vec<Damaged>,
}

/// A file, and the key it was written with.
#[derive(Debug)]
struct Source {
    path: Arc<Path>,
    key: Key,
}

/// A block of a file. Nothing has been looked at but its header and its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The file it is from.
    pub path: Arc<Path>,
    /// Where in it its record begins, in bytes.
    pub offset: u64,
    /// The frame of the `block` message that would bring it: it can be stored as it is.
    pub frame: Vec<u8>,
}

impl Import {
    /// Looks for blocks of the chain with this magic, in files and in directories; of a directory those files are taken whose
    /// names are Core's, in the order of their numbers.
    pub fn open(paths: &[PathBuf], magic: Magic) -> Result<Import, ImportError> {
        let mut import = Import {
            magic,
            sources: Vec::new(),
            open: OpenFiles::new(OPEN_FILES),
            blocks: Vec::new().into_iter(),
            damaged: Vec::new(),
        };
        for path in paths {
            import.add(path)?;
        }
        let mut blocks = Vec::new();
        for (source, number) in import.sources.iter().zip(0..) {
            scan::scan(source, number, magic, &mut blocks, &mut import.damaged)?;
        }
        if let (true, Some(Damaged { path, .. })) = (blocks.is_empty(), import.damaged.first()) {
            return Err(ImportError::NoBlocks { path: path.clone() });
        }
        import.blocks = parents_first(blocks, |block| (block.hash, block.parent)).into_iter();
        Ok(import)
    }

    fn add(&mut self, path: &Path) -> Result<(), ImportError> {
        let about = fs::metadata(path).map_err(|error| StoreError::io(path, "look at", error))?;
        if !about.is_dir() {
            let key = key(path.parent().unwrap_or(Path::new("")))?;
            self.sources.push(Source {
                path: path.into(),
                key,
            });
            return Ok(());
        }
        let numbers = names::list(path)?;
        if numbers.is_empty() {
            return Err(ImportError::NoFiles { path: path.into() });
        }
        let key = key(path)?;
        self.sources.extend(numbers.into_iter().map(|number| Source {
            path: names::path(path, number).into(),
            key,
        }));
        Ok(())
    }

    /// What in the files is neither a block nor empty. The blocks around it are there all the same.
    pub fn damaged(&self) -> &[Damaged] {
        &self.damaged
    }

    fn read(&self, block: &Located) -> Result<Imported, StoreError> {
        let Source { path, key } = &self.sources[block.file as usize];
        let failed = |error: io::Error| StoreError::io(path, "read", error);
        let file = self.open.get(block.file, || path.to_path_buf()).map_err(failed)?;
        let mut frame = vec![0; HEADER + block.length as usize];
        let (header, payload) = frame.split_at_mut(HEADER);
        file.read_exact_at(payload, block.payload()).map_err(failed)?;
        window::apply(*key, payload, block.payload());
        header.copy_from_slice(&wire::Header::of(Command::BLOCK, payload).to_bytes(self.magic));
        Ok(Imported {
            path: path.clone(),
            offset: block.offset,
            frame,
        })
    }
}

/// After an error, which is the kernel's, the next block can be tried.
impl Iterator for Import {
    type Item = Result<Imported, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.blocks.next()?;
        Some(self.read(&block))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.blocks.size_hint()
    }
}

impl ExactSizeIterator for Import {}

/// The key of the block files in a directory.
fn key(dir: &Path) -> Result<Key, ImportError> {
    let path = dir.join("xor.dat");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Key::default()),
        Err(error) => return Err(StoreError::io(&path, "read", error).into()),
    };
    bytes.try_into().map_err(|_| ImportError::Key { path })
}

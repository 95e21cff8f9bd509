//! The index: headers, and where their blocks are. One file of redb.

use crate::chain::Forgotten;
use crate::store::{Change, LoadedHeader, OpenError, Place, StoreError};
use crate::wire::Magic;
use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash;
use redb::{
    Builder, Database, DatabaseError, Range, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
    TableError,
};
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The height, big-endian, and the hash: so parents come before their children.
type Key = [u8; 36];
/// File, offset, length and number of transactions, little-endian.
type Stored = [u8; 20];

const HEADERS: TableDefinition<'_, &Key, &[u8; Header::SIZE]> = TableDefinition::new("headers");
const BLOCKS: TableDefinition<'_, &Key, &Stored> = TableDefinition::new("blocks");
const INVALID: TableDefinition<'_, &Key, &[u8; 0]> = TableDefinition::new("invalid");
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// The format of the index and of the block files. A program that changes it must still read the older ones.
const FORMAT: u64 = 1;

/// The index of a store.
pub(super) struct Index {
    path: PathBuf,
    database: Database,
}

/// Why an index cannot be opened.
pub(super) enum Unusable {
    /// It has to be made anew.
    Damaged(String),
    /// That would not help.
    Error(OpenError),
}

impl<E: Into<OpenError>> From<E> for Unusable {
    fn from(error: E) -> Unusable {
        Unusable::Error(error.into())
    }
}

/// What the database says.
fn failed(path: &Path, error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(error) => StoreError::io(path, "use", error),
        other => StoreError::Index {
            path: path.to_path_buf(),
            why: other.to_string(),
        },
    }
}

/// Why a database cannot be opened. What it reads where its pages do not lead anywhere is damage, like what it finds out itself.
fn unusable(path: &Path, error: DatabaseError) -> Unusable {
    let damaged = match &error {
        DatabaseError::UpgradeRequired(_) | DatabaseError::Storage(StorageError::Corrupted(_)) => true,
        DatabaseError::Storage(StorageError::Io(error)) => matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput
        ),
        _ => false,
    };
    if damaged {
        Unusable::Damaged(error.to_string())
    } else {
        failed(path, error).into()
    }
}

impl Index {
    /// Opens the index of the chain with this magic, or makes an empty one if there is no file. All of it is verified.
    pub(super) fn open(path: &Path, magic: Magic, cache: usize) -> Result<Index, Unusable> {
        let mut builder = Builder::new();
        builder.set_cache_size(cache).set_check_integrity_on_open(true);
        let database = match builder.create(path) {
            Ok(database) => database,
            Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch) => {
                let path = path.to_path_buf();
                return Err(OpenError::Locked { path }.into());
            }
            Err(error) => return Err(unusable(path, error)),
        };
        let index = Index {
            path: path.to_path_buf(),
            database,
        };
        index.about(magic)?;
        Ok(index)
    }

    /// Reads of what format and chain it is; writes it if it is new.
    fn about(&self, magic: Magic) -> Result<(), Unusable> {
        let failed = |error: redb::Error| match failed(&self.path, error) {
            StoreError::Index { why, .. } => Unusable::Damaged(why),
            error => error.into(),
        };
        match self.read_about().map_err(failed)? {
            Some((found, _)) if found != FORMAT => Err(Unusable::Error(OpenError::Version {
                path: self.path.clone(),
                found,
                known: FORMAT,
            })),
            Some((_, found)) if found != magic => Err(Unusable::Error(OpenError::WrongChain {
                path: self.path.clone(),
                found,
                expected: magic,
            })),
            Some(_) => Ok(()),
            None => self.write_about(magic).map_err(failed),
        }
    }

    /// Its format and its magic.
    fn read_about(&self) -> Result<Option<(u64, Magic)>, redb::Error> {
        let table = match self.database.begin_read()?.open_table(ABOUT) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        let value = |name| -> Result<u64, redb::Error> {
            let value = table.get(name)?.map(|value| value.value());
            value.ok_or_else(|| redb::Error::Corrupted(format!("it does not say its {name}")))
        };
        Ok(Some((value("format")?, (value("magic")? as u32).to_le_bytes())))
    }

    fn write_about(&self, magic: Magic) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(ABOUT)?;
            table.insert("format", FORMAT)?;
            table.insert("magic", u64::from(u32::from_le_bytes(magic)))?;
            transaction.open_table(HEADERS)?;
            transaction.open_table(BLOCKS)?;
            transaction.open_table(INVALID)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Commits changes, all or none of them, and waits until they are on the disk.
    pub(super) fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.try_apply(changes).map_err(|error| failed(&self.path, error))
    }

    fn try_apply(&self, changes: &[Change]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut headers = transaction.open_table(HEADERS)?;
            let mut blocks = transaction.open_table(BLOCKS)?;
            let mut invalid = transaction.open_table(INVALID)?;
            for change in changes {
                match change {
                    &Change::Header { height, header } => {
                        let mut bytes = [0; Header::SIZE];
                        bytes.copy_from_slice(&serialize(&header));
                        headers.insert(&key(height, header.block_hash()), &bytes)?;
                    }
                    &Change::Block {
                        height,
                        hash,
                        place,
                        txs,
                    } => {
                        let key = key(height, hash);
                        if headers.get(&key)?.is_some() {
                            blocks.insert(&key, &stored(place, txs))?;
                        }
                    }
                    &Change::Lost { height, hash } => {
                        blocks.remove(&key(height, hash))?;
                    }
                    &Change::Invalid { height, hash } => {
                        let key = key(height, hash);
                        if headers.get(&key)?.is_some() {
                            invalid.insert(&key, &[])?;
                        }
                    }
                    Change::Forget(forgotten) => {
                        for &Forgotten { height, hash } in forgotten {
                            let key = key(height, hash);
                            headers.remove(&key)?;
                            blocks.remove(&key)?;
                            invalid.remove(&key)?;
                        }
                    }
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Where blocks are, in the order of their heights.
    pub(super) fn places(&self) -> Result<Vec<Place>, StoreError> {
        let read = || -> Result<Vec<Place>, redb::Error> {
            let blocks = self.database.begin_read()?.open_table(BLOCKS)?;
            let all = blocks.range::<&Key>(..)?;
            all.map(|row| Ok(place(row?.1.value()).0)).collect()
        };
        read().map_err(|error| failed(&self.path, error))
    }

    /// Forgets that there are blocks at these places.
    pub(super) fn lose(&self, places: &HashSet<Place>) -> Result<(), StoreError> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            let mut blocks = transaction.open_table(BLOCKS)?;
            blocks.retain(|_, row| !places.contains(&place(row).0))?;
            drop(blocks);
            transaction.commit()?;
            Ok(())
        };
        write().map_err(|error| failed(&self.path, error))
    }

    /// All that it knows, as it is now.
    pub(super) fn rows(&self) -> Result<Rows, StoreError> {
        let read = || -> Result<Rows, redb::Error> {
            let transaction = self.database.begin_read()?;
            Ok(Rows {
                path: self.path.clone(),
                headers: transaction.open_table(HEADERS)?.range::<&Key>(..)?,
                blocks: Ahead::new(transaction.open_table(BLOCKS)?.range::<&Key>(..)?)?,
                invalid: Ahead::new(transaction.open_table(INVALID)?.range::<&Key>(..)?)?,
            })
        };
        read().map_err(|error| failed(&self.path, error))
    }
}

/// What the index knows, read row by row: the three tables side by side.
pub(in crate::store) struct Rows {
    path: PathBuf,
    headers: Range<'static, &'static Key, &'static [u8; Header::SIZE]>,
    blocks: Ahead<20>,
    invalid: Ahead<0>,
}

/// A table of which not every header has a row, and its next one.
struct Ahead<const N: usize> {
    rows: Range<'static, &'static Key, &'static [u8; N]>,
    next: Option<(Key, [u8; N])>,
}

impl<const N: usize> Ahead<N> {
    fn new(rows: Range<'static, &'static Key, &'static [u8; N]>) -> Result<Ahead<N>, StorageError> {
        let mut ahead = Ahead { rows, next: None };
        ahead.step()?;
        Ok(ahead)
    }

    fn step(&mut self) -> Result<(), StorageError> {
        let next = self.rows.next().transpose()?;
        self.next = next.map(|(key, value)| (*key.value(), *value.value()));
        Ok(())
    }

    /// The row of a key that is above all it was asked for before.
    fn take(&mut self, key: &Key) -> Result<Option<[u8; N]>, StorageError> {
        while let Some((next, value)) = self.next
            && next <= *key
        {
            self.step()?;
            if next == *key {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

impl Rows {
    /// The next header, lowest first.
    pub(in crate::store) fn next(&mut self) -> Result<Option<LoadedHeader>, StoreError> {
        self.try_next().map_err(|error| failed(&self.path, error))
    }

    fn try_next(&mut self) -> Result<Option<LoadedHeader>, redb::Error> {
        let Some((key, bytes)) = self.headers.next().transpose()? else {
            return Ok(None);
        };
        let key = *key.value();
        let (height, hash) = height_and_hash(&key);
        let stored = self.blocks.take(&key)?.map(|row| place(&row));
        Ok(Some(LoadedHeader {
            header: deserialize(bytes.value()).map_err(|error| redb::Error::Corrupted(error.to_string()))?,
            hash,
            height,
            place: stored.map(|(place, _)| place),
            txs: stored.map_or(0, |(_, txs)| txs),
            invalid: self.invalid.take(&key)?.is_some(),
        }))
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn key(height: u32, hash: BlockHash) -> Key {
    let mut key = [0; 36];
    key[..4].copy_from_slice(&height.to_be_bytes());
    key[4..].copy_from_slice(hash.as_byte_array());
    key
}

/// What [`key`] was made of.
fn height_and_hash(key: &Key) -> (u32, BlockHash) {
    let [h0, h1, h2, h3, hash @ ..] = *key;
    (
        u32::from_be_bytes([h0, h1, h2, h3]),
        BlockHash::from_byte_array(hash),
    )
}

fn stored(place: Place, txs: u32) -> Stored {
    let mut row = [0; 20];
    row[..4].copy_from_slice(&place.file.to_le_bytes());
    row[4..12].copy_from_slice(&place.offset.to_le_bytes());
    row[12..16].copy_from_slice(&place.length.to_le_bytes());
    row[16..].copy_from_slice(&txs.to_le_bytes());
    row
}

/// What [`stored`] made a row of.
fn place(row: &Stored) -> (Place, u32) {
    let [
        f0,
        f1,
        f2,
        f3,
        o0,
        o1,
        o2,
        o3,
        o4,
        o5,
        o6,
        o7,
        l0,
        l1,
        l2,
        l3,
        t0,
        t1,
        t2,
        t3,
    ] = *row;
    let place = Place {
        file: u32::from_le_bytes([f0, f1, f2, f3]),
        offset: u64::from_le_bytes([o0, o1, o2, o3, o4, o5, o6, o7]),
        length: u32::from_le_bytes([l0, l1, l2, l3]),
    };
    (place, u32::from_le_bytes([t0, t1, t2, t3]))
}

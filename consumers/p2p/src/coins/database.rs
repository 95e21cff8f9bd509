//! The file: one of redb.

use super::coin::{Key, Row};
use super::{At, CoinsError, CoinsOptions, Remade};
use crate::store::StoreError;
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, TableDefinition, TableError, WriteTransaction,
};
use std::fs;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What can be spent.
pub(super) const COINS: TableDefinition<'_, &Key, &Row> = TableDefinition::new("coins");
/// By height: what takes a block back.
pub(super) const UNDO: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("undo");
const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");

/// The format of the file. One of another is made anew.
const FORMAT: u32 = 1;

/// An open file.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    genesis: BlockHash,
    database: Database,
}

impl File {
    /// Opens it, or makes it; says up to which block it is, and if it had to be made anew.
    pub(super) fn open(
        path: &Path,
        genesis: BlockHash,
        options: &CoinsOptions,
    ) -> Result<(File, At, Option<Remade>), CoinsError> {
        let path = path.to_path_buf();
        let (opened, remade) = match open(&path, genesis, options) {
            Err(CoinsError::Damaged { path, why }) => {
                remove(&path)?;
                (open(&path, genesis, options)?, Some(Remade { path, why }))
            }
            opened => (opened?, None),
        };
        let (database, at) = opened;
        let file = File {
            path,
            genesis,
            database,
        };
        Ok((file, at, remade))
    }

    /// Makes an empty one in its place.
    pub(super) fn remake(&mut self, options: &CoinsOptions) -> Result<At, CoinsError> {
        remove(&self.path)?;
        let (database, at) = open(&self.path, self.genesis, options)?;
        let old = mem::replace(&mut self.database, database);
        // It may be one that is damaged, and its file has gone.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(old)));
        Ok(at)
    }

    /// Does something with the database.
    pub(super) fn with<R>(
        &self,
        work: impl FnOnce(&Database) -> Result<R, redb::Error>,
    ) -> Result<R, CoinsError> {
        guarded(&self.path, || work(&self.database))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Does something with the database of a file. On pages that are not what it has written, redb may panic: that is damage too.
pub(super) fn guarded<R>(
    path: &Path,
    work: impl FnOnce() -> Result<R, redb::Error>,
) -> Result<R, CoinsError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| failed(path, error)),
        Err(_) => Err(damaged(path, "its pages lead nowhere")),
    }
}

/// Puts down up to which block it is.
pub(super) fn write_at(transaction: &WriteTransaction, at: At) -> Result<(), redb::Error> {
    let mut row = [0; 36];
    row[..4].copy_from_slice(&at.height.to_le_bytes());
    row[4..].copy_from_slice(at.hash.as_byte_array());
    transaction.open_table(ABOUT)?.insert("at", &row[..])?;
    Ok(())
}

pub(super) fn damaged(path: &Path, why: impl Into<String>) -> CoinsError {
    CoinsError::Damaged {
        path: path.to_path_buf(),
        why: why.into(),
    }
}

/// What the database says. What it reads where its pages do not lead anywhere is damage, like what it finds out itself.
fn failed(path: &Path, error: impl Into<redb::Error>) -> CoinsError {
    match error.into() {
        redb::Error::Io(error) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput => {
                damaged(path, error.to_string())
            }
            _ => StoreError::io(path, "use", error).into(),
        },
        error @ (redb::Error::Corrupted(_)
        | redb::Error::UpgradeRequired(_)
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. }) => damaged(path, error.to_string()),
        other => StoreError::Index {
            path: path.to_path_buf(),
            why: other.to_string(),
        }
        .into(),
    }
}

fn remove(path: &Path) -> Result<(), CoinsError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io(path, "remove", error).into())
        }
        _ => Ok(()),
    }
}

fn open(path: &Path, genesis: BlockHash, options: &CoinsOptions) -> Result<(Database, At), CoinsError> {
    let length = fs::metadata(path).map_or(0, |file| file.len());
    let mut builder = Builder::new();
    builder
        .set_cache_size(options.cache)
        .set_check_integrity_on_open(length <= options.verify);
    let created = catch_unwind(AssertUnwindSafe(|| builder.create(path)))
        .unwrap_or_else(|_| Err(redb::StorageError::Corrupted("its pages lead nowhere".to_owned()).into()));
    let database = match created {
        Ok(database) => database,
        Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch) => {
            let path = path.to_path_buf();
            return Err(CoinsError::InUse { path });
        }
        Err(error) => return Err(failed(path, error)),
    };
    let at = match guarded(path, || read_about(&database))? {
        Some(about) => about_at(&about, genesis).map_err(|why| damaged(path, why))?,
        None => guarded(path, || write_about(&database, genesis))?,
    };
    Ok((database, at))
}

/// Format, genesis, and up to which block it is, as they are in the file.
type About = [Vec<u8>; 3];

fn read_about(database: &Database) -> Result<Option<About>, redb::Error> {
    let table = match database.begin_read()?.open_table(ABOUT) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table?,
    };
    let value = |name| -> Result<Vec<u8>, redb::Error> {
        let value = table.get(name)?.map(|value| value.value().to_vec());
        Ok(value.unwrap_or_default())
    };
    Ok(Some([value("format")?, value("genesis")?, value("at")?]))
}

fn about_at([format, genesis, at]: &About, expected: BlockHash) -> Result<At, &'static str> {
    if *format != FORMAT.to_le_bytes() {
        return Err("it is of another format");
    }
    if genesis[..] != expected.as_byte_array()[..] {
        return Err("it is of another chain");
    }
    let (height, hash) = at.split_first_chunk().ok_or("it does not say how far it is")?;
    let hash = BlockHash::from_slice(hash).map_err(|_| "it does not say how far it is")?;
    Ok(At {
        height: u32::from_le_bytes(*height),
        hash,
    })
}

/// Makes all tables.
fn write_about(database: &Database, genesis: BlockHash) -> Result<At, redb::Error> {
    let at = At {
        height: 0,
        hash: genesis,
    };
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(ABOUT)?;
        table.insert("format", &FORMAT.to_le_bytes()[..])?;
        table.insert("genesis", &genesis.as_byte_array()[..])?;
        transaction.open_table(COINS)?;
        transaction.open_table(UNDO)?;
    }
    write_at(&transaction, at)?;
    transaction.commit()?;
    Ok(at)
}

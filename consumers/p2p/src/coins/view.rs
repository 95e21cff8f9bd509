//! The coins, for other threads.

use super::coin::{Coin, Key, Row, key, outpoint};
use super::database::{COINS, File, guarded};
use super::{At, CoinsError};
use bitcoin::OutPoint;
use redb::{ReadOnlyTable, ReadableDatabase};
use std::fmt;
use std::path::PathBuf;

/// The coins as they were at a block.
pub struct View {
    path: PathBuf,
    coins: ReadOnlyTable<&'static Key, &'static Row>,
    at: At,
}

impl View {
    pub(super) fn new(file: &File, at: At) -> Result<View, CoinsError> {
        let coins = file.with(|database| Ok(database.begin_read()?.open_table(COINS)?))?;
        Ok(View {
            path: file.path().to_path_buf(),
            coins,
            at,
        })
    }

    /// The block.
    pub fn at(&self) -> At {
        self.at
    }

    /// What this outpoint spends, if it is there.
    ///
    /// Fails with [`CoinsError::Damaged`] and [`CoinsError::Disk`].
    pub fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        guarded(&self.path, || {
            let row = self.coins.get(&key(outpoint))?;
            Ok(row.map(|row| Coin::of_row(row.value())))
        })
    }

    /// All coins, in the order of their outpoints: for small chains, since all of them are in memory then.
    ///
    /// Fails as [`coin`](View::coin) does.
    pub fn all(&self) -> Result<Vec<(OutPoint, Coin)>, CoinsError> {
        guarded(&self.path, || {
            let rows = self.coins.range::<&Key>(..)?;
            rows.map(|row| {
                let (key, row) = row?;
                Ok((outpoint(key.value()), Coin::of_row(row.value())))
            })
            .collect()
        })
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

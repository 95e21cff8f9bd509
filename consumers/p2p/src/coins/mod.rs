//! The coins of the active chain: what can be spent, by the outpoint that spends it.
//!
//! An index beside the blocks, in a file of its own, that follows the active chain as Bitcoin Core's `coinstatsindex` does: nothing in
//! the node waits for it, and it is made anew from the blocks whenever it is lost, damaged, or further from the active chain than it can
//! go back. Each step is one transaction of the database: whoever kills the process loses the last step, or those that were not put
//! on the disk yet ([`Coins::commit_soon`]), which are done again.
//!
//! - this file: [`Coins`], the index
//! - `coin`: [`Coin`], and which outputs make none; `undo`: what takes a block back
//! - `plan`: which blocks come next ([`Plan`]); `step`: going there ([`Prepared`], [`Delta`]); `changes`: what a step changes
//! - `view`: [`View`], the coins as other threads see them
//! - `database`: the file; `options`: its limits ([`CoinsOptions`]); `error`: what can go wrong ([`CoinsError`])
//!
//! It believes the blocks. Scripts are not checked by this node, and neither is whether what a block spends exists: where it does not,
//! that is counted ([`Coins::missing`]), and the index goes on.

mod changes;
mod coin;
mod database;
mod error;
mod options;
mod plan;
mod step;
mod undo;
mod view;

pub use coin::{Coin, MAX_SCRIPT, is_unspendable};
pub use error::{CoinsError, Remade};
pub use options::CoinsOptions;
pub use plan::{Ahead, Plan};
pub use step::{Delta, Mined, Prepared};
pub use view::View;

use bitcoin::BlockHash;
use database::File;
use std::path::Path;

/// A block, up to which something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
}

/// The index of the coins. One thread owns it; the others have a [`View`].
#[derive(Debug)]
pub struct Coins {
    file: File,
    options: CoinsOptions,
    at: At,
    missing: u64,
    /// Steps are not on the disk yet.
    unsettled: bool,
}

impl Coins {
    /// Opens the index in this file, or makes it: of a chain with this first block. One that cannot be used is made anew, which is
    /// told.
    ///
    /// Fails with [`CoinsError::InUse`] and [`CoinsError::Disk`].
    pub fn open(
        path: &Path,
        genesis: BlockHash,
        options: CoinsOptions,
    ) -> Result<(Coins, Option<Remade>), CoinsError> {
        let (file, at, remade) = File::open(path, genesis, &options)?;
        let coins = Coins {
            file,
            options,
            at,
            missing: 0,
            unsettled: false,
        };
        Ok((coins, remade))
    }

    /// The last block whose coins are in it. Genesis makes none (its output cannot be spent).
    pub fn at(&self) -> At {
        self.at
    }

    /// Inputs of the blocks that were taken in since it was opened that spend what is not there. On a chain whose blocks are valid
    /// there are none.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The coins as they are now. What happens later changes nothing in it; the file grows while an old one is kept.
    ///
    /// Fails with [`CoinsError::Damaged`] and [`CoinsError::Disk`].
    pub fn view(&self) -> Result<View, CoinsError> {
        View::new(&self.file, self.at)
    }

    /// Begins anew, at genesis, with an empty file.
    ///
    /// Fails with [`CoinsError::Disk`].
    pub fn remake(&mut self) -> Result<(), CoinsError> {
        self.at = self.file.remake(&self.options)?;
        self.unsettled = false;
        Ok(())
    }
}

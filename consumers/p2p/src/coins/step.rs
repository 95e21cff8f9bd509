//! From one block to another, in one transaction of the database.

use super::changes::{Changes, Table};
use super::database::{COINS, UNDO, damaged, guarded, write_at};
use super::undo::Undo;
use super::{Ahead, At, Coins, CoinsError, CoinsOptions};
use crate::store::Reader;
use bitcoin::{Block, OutPoint, Txid};
use redb::{Durability, ReadableTable, WriteTransaction};
use std::fmt;
use std::path::Path;

/// What a step has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Up to which block the index is.
    pub at: At,
    /// How many blocks were taken back, before any were taken in.
    pub back: u32,
    /// The transactions of the blocks that were taken in, but for the coinbases, if that was to be told.
    pub mined: Vec<Mined>,
}

/// A transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mined {
    /// Its id.
    pub txid: Txid,
    /// What it spends.
    pub spends: Vec<OutPoint>,
}

/// A step that is done, and not put on the disk: dropped, it has not happened.
pub struct Prepared {
    write: WriteTransaction,
    delta: Delta,
    missing: u64,
}

impl Prepared {
    /// What it does.
    pub fn delta(&self) -> &Delta {
        &self.delta
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("at", &self.delta.at)
            .field("back", &self.delta.back)
            .finish_non_exhaustive()
    }
}

impl Coins {
    /// Takes back the blocks above `back_to` and takes in those `ahead`, up to the limits of a step: what is left comes with the next
    /// [`plan`](Coins::plan). `target`: how high the chain is, for it decides what is kept to take blocks back. `tell`: whether
    /// [`Delta::mined`] is wanted.
    ///
    /// Fails with [`CoinsError::Damaged`] and [`CoinsError::TooDeep`], [`CoinsError::Disk`], and [`CoinsError::Block`] and
    /// [`CoinsError::Undecodable`].
    pub fn prepare(
        &self,
        back_to: u32,
        ahead: &[Ahead],
        target: u32,
        reader: &impl Reader,
        tell: bool,
    ) -> Result<Prepared, CoinsError> {
        let path = self.file.path();
        let write = self.file.with(|database| Ok(database.begin_write()?))?;
        let (delta, missing) = {
            let tables = || Ok((write.open_table(COINS)?, write.open_table(UNDO)?));
            let (coins, undo) = guarded(path, tables)?;
            let mut step = Step {
                path,
                options: &self.options,
                coins,
                undo,
                changes: Changes::default(),
                at: self.at,
                blocks: 0,
                bytes: 0,
                missing: 0,
                mined: Vec::new(),
            };
            let back = step.back(back_to)?;
            if step.at.height == back_to {
                step.forward(ahead, target, reader, tell)?;
            }
            step.finish(back)?
        };
        guarded(path, || write_at(&write, delta.at))?;
        Ok(Prepared {
            write,
            delta,
            missing,
        })
    }

    /// Puts a step on the disk: when it returns, it has happened.
    ///
    /// Fails with [`CoinsError::Disk`] and [`CoinsError::Damaged`]: then nothing has.
    pub fn commit(&mut self, prepared: Prepared) -> Result<Delta, CoinsError> {
        self.end_step(prepared, Durability::Immediate)
    }

    /// Ends a step without waiting for the disk: all see it, and it is on the disk once [`settle`](Coins::settle) or a later
    /// [`commit`](Coins::commit) has returned. Whoever kills the process before loses it, and it is done again.
    ///
    /// Fails as [`commit`](Coins::commit) does.
    pub fn commit_soon(&mut self, prepared: Prepared) -> Result<Delta, CoinsError> {
        self.end_step(prepared, Durability::None)
    }

    /// Whether steps are not on the disk yet.
    pub fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Puts all steps on the disk.
    ///
    /// Fails with [`CoinsError::Disk`] and [`CoinsError::Damaged`]: then they are not.
    pub fn settle(&mut self) -> Result<(), CoinsError> {
        if self.unsettled {
            self.file.with(|database| Ok(database.begin_write()?.commit()?))?;
            self.unsettled = false;
        }
        Ok(())
    }

    fn end_step(&mut self, prepared: Prepared, durability: Durability) -> Result<Delta, CoinsError> {
        let Prepared {
            mut write,
            delta,
            missing,
        } = prepared;
        guarded(self.file.path(), || {
            write.set_durability(durability)?;
            Ok(write.commit()?)
        })?;
        self.unsettled = matches!(durability, Durability::None);
        self.at = delta.at;
        self.missing += missing;
        Ok(delta)
    }
}

type UndoTable<'t> = redb::Table<'t, u32, &'static [u8]>;

struct Step<'t> {
    path: &'t Path,
    options: &'t CoinsOptions,
    coins: Table<'t>,
    undo: UndoTable<'t>,
    changes: Changes,
    at: At,
    /// Blocks so far, and bytes of those that were read.
    blocks: u32,
    bytes: u64,
    missing: u64,
    mined: Vec<Mined>,
}

impl Step<'_> {
    fn is_long(&self) -> bool {
        self.blocks >= self.options.step_blocks
            || self.bytes >= self.options.step_bytes
            || self.changes.len() >= self.options.step_coins
    }

    /// Takes blocks back. Gives how many.
    fn back(&mut self, to: u32) -> Result<u32, CoinsError> {
        let from = self.at.height;
        while self.at.height > to && !self.is_long() {
            let height = self.at.height;
            let bytes = guarded(self.path, || {
                let row = self.undo.remove(height)?;
                Ok(row.map(|row| row.value().to_vec()))
            })?;
            let bytes = bytes.ok_or_else(|| CoinsError::TooDeep {
                path: self.path.to_path_buf(),
                height,
            })?;
            let unreadable = || {
                damaged(
                    self.path,
                    format!("what takes back block {height} is not readable"),
                )
            };
            let undo = Undo::decode(&bytes).ok_or_else(unreadable)?;
            self.changes.take_back(&undo);
            self.at = At {
                height: height - 1,
                hash: undo.parent,
            };
            self.blocks += 1;
        }
        Ok(from - self.at.height)
    }

    fn forward(
        &mut self,
        ahead: &[Ahead],
        target: u32,
        reader: &impl Reader,
        tell: bool,
    ) -> Result<(), CoinsError> {
        for next in ahead {
            if self.is_long() {
                break;
            }
            let block = next.read(reader)?;
            if next.at.height != self.at.height + 1 || block.header.prev_blockhash != self.at.hash {
                return Err(damaged(
                    self.path,
                    "it is up to a block that the next one is not built on",
                ));
            }
            let txids: Vec<Txid> = block
                .txdata
                .iter()
                .map(bitcoin::Transaction::compute_txid)
                .collect();
            self.connect(next.at, target, &block, &txids)?;
            if tell {
                let others = block.txdata.iter().zip(&txids).skip(1);
                self.mined.extend(others.map(|(tx, txid)| Mined {
                    txid: *txid,
                    spends: tx.input.iter().map(|input| input.previous_output).collect(),
                }));
            }
            self.bytes += u64::from(next.place.length);
        }
        Ok(())
    }

    fn connect(&mut self, at: At, target: u32, block: &Block, txids: &[Txid]) -> Result<(), CoinsError> {
        let is_kept = at.height.saturating_add(self.options.undo) > target;
        let mut undo = is_kept.then(|| Undo::new(self.at.hash));
        let missing = guarded(self.path, || {
            let missing = self
                .changes
                .connect(&self.coins, at.height, block, txids, undo.as_mut())?;
            if let Some(undo) = undo {
                self.undo.insert(at.height, &undo.encode()[..])?;
            }
            Ok(missing)
        })?;
        if missing > 0 {
            tracing::warn!(hash = %at.hash, height = at.height, missing, "a block spends what is not there");
        }
        self.missing += missing;
        self.at = at;
        self.blocks += 1;
        Ok(())
    }

    /// Forgets what takes back blocks that are too deep, and writes what has changed.
    fn finish(mut self, back: u32) -> Result<(Delta, u64), CoinsError> {
        let changes = self.changes;
        guarded(self.path, || {
            let last = self.at.height.saturating_sub(self.options.undo);
            let lowest = |undo: &UndoTable<'_>| -> Result<Option<u32>, redb::Error> {
                Ok(undo.first()?.map(|(height, _)| height.value()))
            };
            while lowest(&self.undo)?.is_some_and(|height| height <= last) {
                self.undo.pop_first()?;
            }
            changes.write(&mut self.coins)
        })?;
        let delta = Delta {
            at: self.at,
            back,
            mined: self.mined,
        };
        Ok((delta, self.missing))
    }
}

//! What a step changes, before it is written: what is made and spent in the same step never gets into the database, and what does
//! is written in the order of its keys.

use super::coin::{Coin, Key, Row, is_unspendable, key, key_of};
use super::undo::Undo;
use bitcoin::{Block, Txid};
use redb::ReadableTable;
use std::collections::{HashMap, HashSet};

/// Coins that are no longer as the database has them.
#[derive(Debug, Default)]
pub(super) struct Changes(HashMap<Key, Option<Coin>>);

/// The table of the coins.
pub(super) type Table<'t> = redb::Table<'t, &'static Key, &'static Row>;

impl Changes {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, table: &Table<'_>, key: &Key) -> Result<Option<Coin>, redb::Error> {
        match self.0.get(key) {
            Some(coin) => Ok(*coin),
            None => Ok(table.get(key)?.map(|row| Coin::of_row(row.value()))),
        }
    }

    /// Takes in a block. `undo` is given what takes it back, if it is there. Gives how many inputs spend what is not there.
    ///
    /// What is there already is replaced. That has happened: two coinbases of the main chain were made twice, before BIP 30 forbade it,
    /// and Core has only the later ones too.
    pub(super) fn connect(
        &mut self,
        table: &Table<'_>,
        height: u32,
        block: &Block,
        txids: &[Txid],
        mut undo: Option<&mut Undo>,
    ) -> Result<u64, redb::Error> {
        let mut missing = 0;
        let mut touched = HashSet::new();
        for (index, (tx, txid)) in block.txdata.iter().zip(txids).enumerate() {
            let coinbase = index == 0;
            for input in tx.input.iter().filter(|_| !coinbase) {
                let key = key(&input.previous_output);
                let Some(coin) = self.get(table, &key)? else {
                    missing += 1;
                    continue;
                };
                if let Some(undo) = undo.as_deref_mut()
                    && touched.insert(key)
                {
                    undo.before.push((key, coin));
                }
                self.0.insert(key, None);
            }
            for (vout, output) in (0..).zip(&tx.output) {
                if is_unspendable(&output.script_pubkey) {
                    continue;
                }
                let key = key_of(*txid, vout);
                if let Some(undo) = undo.as_deref_mut()
                    && touched.insert(key)
                {
                    let before = self.get(table, &key)?;
                    undo.before.extend(before.map(|coin| (key, coin)));
                }
                let coin = Coin {
                    value: output.value.to_sat(),
                    height,
                    coinbase,
                };
                self.0.insert(key, Some(coin));
            }
            if let Some(undo) = undo.as_deref_mut() {
                undo.made.push((*txid, tx.output.len() as u32));
            }
        }
        Ok(missing)
    }

    /// Takes back a block.
    pub(super) fn take_back(&mut self, undo: &Undo) {
        for &(txid, outputs) in &undo.made {
            let keys = (0..outputs).map(|vout| key_of(txid, vout));
            self.0.extend(keys.map(|key| (key, None)));
        }
        let before = undo.before.iter();
        self.0.extend(before.map(|(key, coin)| (*key, Some(*coin))));
    }

    pub(super) fn write(self, table: &mut Table<'_>) -> Result<(), redb::Error> {
        let mut sorted: Vec<_> = self.0.into_iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        for (key, coin) in sorted {
            match coin {
                Some(coin) => table.insert(&key, &coin.row())?,
                None => table.remove(&key)?,
            };
        }
        Ok(())
    }
}

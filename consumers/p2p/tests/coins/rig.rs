//! A chain in memory, and an index beside it.

pub(crate) use crate::spend::{anyone, spend};
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::{Block, BlockHash, Network, OutPoint, ScriptBuf, Transaction};
use sockman_p2p::chain::{Id, Params, mine, template};
use sockman_p2p::coins::{At, Coin, Coins, CoinsError, CoinsOptions, Delta, Plan, Prepared, is_unspendable};
use sockman_p2p::state::Chain;
use sockman_p2p::store::{Memory, Reader};
use sockman_p2p::wire::{self, Command};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A time after all blocks of these tests.
const LATER: u64 = 2_000_000_000;

/// Limits under which a chain of a dozen blocks takes several steps.
pub(crate) fn small() -> CoinsOptions {
    CoinsOptions {
        undo: 20,
        step_blocks: 5,
        cache: 1 << 20,
        ..CoinsOptions::default()
    }
}

/// A directory, in memory where the system has such.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.unwrap()
}

/// A chain of regtest.
pub(crate) struct World {
    pub(crate) chain: Chain<Memory>,
    pub(crate) memory: Memory,
    dir: TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        let params = Params::of(Network::Regtest);
        let (memory, loaded) = Memory::new(params.magic).crash(0);
        World {
            chain: Chain::new(params, memory.clone(), loaded, 0).unwrap(),
            memory,
            dir: directory(),
        }
    }

    /// Has the chain begin anew, without any block, beside the index as it is.
    pub(crate) fn forget(&mut self) {
        let params = Params::of(Network::Regtest);
        let (memory, loaded) = Memory::new(params.magic).crash(0);
        self.memory = memory.clone();
        self.chain = Chain::new(params, memory, loaded, 0).unwrap();
    }

    /// Takes in a block.
    pub(crate) fn give(&mut self, payload: &[u8]) -> Id {
        let frame = wire::frame(self.chain.params().magic, Command::BLOCK, payload);
        self.chain.accept_block(&frame, LATER).unwrap().id
    }

    /// A block on top of `parent`, with these transactions, which pays to a script.
    pub(crate) fn block(&mut self, parent: Id, script: ScriptBuf, txs: Vec<Transaction>) -> Block {
        let mut block = template(self.chain.tree(), parent, script, 0, txs);
        assert!(mine(&mut block.header, u64::from(u32::MAX)));
        self.give(&serialize(&block));
        block
    }

    /// So many blocks without transactions; those with another `mark` are others. The last one.
    pub(crate) fn grow(&mut self, parent: Id, count: u32, mark: u8) -> Id {
        let mut at = parent;
        for _ in 0..count {
            let block = self.block(at, ScriptBuf::from_bytes(vec![0x51, mark]), Vec::new());
            at = self.chain.tree().find(&block.block_hash()).unwrap();
        }
        at
    }

    /// A block on top of `parent` with the coinbase of another.
    pub(crate) fn again(&mut self, parent: Id, other: &Block) -> Block {
        let mut block = template(self.chain.tree(), parent, anyone(), 0, Vec::new());
        block.txdata.clone_from(&other.txdata);
        block.header.merkle_root = other.header.merkle_root;
        assert!(mine(&mut block.header, u64::from(u32::MAX)));
        self.give(&serialize(&block));
        block
    }

    /// A step that is prepared, and never put on the disk.
    pub(crate) fn abandon(&self, coins: &Coins) {
        if let Some(prepared) = self.prepare(coins) {
            assert!(matches!(prepared, Ok(_) | Err(CoinsError::TooDeep { .. })));
        }
    }

    /// The next step, if there are blocks to be taken back or in; not done yet.
    pub(crate) fn prepare(&self, coins: &Coins) -> Option<Result<Prepared, CoinsError>> {
        let Plan::Step {
            back_to,
            forward,
            target,
        } = coins.plan(&self.chain)
        else {
            return None;
        };
        Some(coins.prepare(back_to, &forward, target, &self.chain.reader(), true))
    }

    pub(crate) fn tip(&self) -> Id {
        self.chain.tip()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("coins.redb")
    }

    pub(crate) fn genesis(&self) -> BlockHash {
        self.chain.entry(Id::GENESIS).hash
    }

    pub(crate) fn open(&self, options: CoinsOptions) -> Coins {
        let (coins, remade) = Coins::open(&self.path(), self.genesis(), options).unwrap();
        assert_eq!(remade, None);
        coins
    }

    /// One step, if there is anything to do.
    pub(crate) fn step(&self, coins: &mut Coins) -> Option<Delta> {
        if coins.plan(&self.chain) == Plan::Remake {
            coins.remake().unwrap();
            return Some(Delta {
                at: coins.at(),
                back: 0,
                mined: Vec::new(),
            });
        }
        match self.prepare(coins)? {
            Err(CoinsError::TooDeep { .. }) => {
                coins.remake().unwrap();
                self.step(coins)
            }
            prepared => Some(coins.commit(prepared.unwrap()).unwrap()),
        }
    }

    /// All steps there are: as many as it took.
    pub(crate) fn follow(&self, coins: &mut Coins) -> usize {
        let steps = std::iter::from_fn(|| self.step(coins)).count();
        let tip = self.chain.entry(self.tip());
        let at = At {
            height: tip.height,
            hash: tip.hash,
        };
        assert_eq!(coins.at(), at);
        steps
    }

    /// What an index must have that is up to this block: the same made block by block, by somebody who keeps all of it in a map.
    pub(crate) fn expected(&self, at: BlockHash) -> BTreeMap<OutPoint, Coin> {
        let mut id = self.chain.tree().find(&at).unwrap();
        let mut way = Vec::new();
        while id != Id::GENESIS {
            way.push(id);
            id = self.chain.entry(id).parent;
        }
        let mut coins = BTreeMap::new();
        for id in way.into_iter().rev() {
            let entry = self.chain.entry(id);
            let frame = self.chain.reader().verified(entry.place.unwrap()).unwrap();
            let block: Block = deserialize(&frame[wire::HEADER..]).unwrap();
            for (index, tx) in block.txdata.iter().enumerate() {
                for input in &tx.input {
                    coins.remove(&input.previous_output);
                }
                for (vout, output) in (0..).zip(&tx.output) {
                    if !is_unspendable(&output.script_pubkey) {
                        let coin = Coin {
                            value: output.value.to_sat(),
                            height: entry.height,
                            coinbase: index == 0,
                        };
                        coins.insert(OutPoint::new(tx.compute_txid(), vout), coin);
                    }
                }
            }
        }
        coins
    }

    /// The index has what it must have.
    pub(crate) fn check(&self, coins: &Coins) {
        let view = coins.view().unwrap();
        assert_eq!(view.at(), coins.at());
        let all: BTreeMap<OutPoint, Coin> = view.all().unwrap().into_iter().collect();
        assert_eq!(all, self.expected(coins.at().hash));
    }
}

/// The first output of a block's coinbase.
pub(crate) fn coinbase(block: &Block) -> OutPoint {
    OutPoint::new(block.txdata[0].compute_txid(), 0)
}

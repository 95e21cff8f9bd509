//! Makes blocks.

use bitcoin::block::Header;
use bitcoin::consensus::serialize;
use bitcoin::{Block, BlockHash, Network, ScriptBuf};
use sockman_p2p::chain::{Id, Params, Tree, mine, template};
use sockman_p2p::wire::Inventory;

/// Blocks on top of one another. Its clock is that of the blocks: ten minutes for each, unless it is told otherwise.
pub(crate) struct Miner {
    tree: Tree,
    /// Seconds from one block to the next.
    pub(crate) step: u32,
}

impl Miner {
    pub(crate) fn new() -> Miner {
        Miner {
            tree: Tree::new(Params::of(Network::Regtest)),
            step: 600,
        }
    }

    /// A chain of so many blocks, and the miner that may go on.
    pub(crate) fn chain(count: u32) -> (Miner, Vec<Block>) {
        let mut miner = Miner::new();
        let blocks = miner.extend(miner.genesis(), count, 0);
        (miner, blocks)
    }

    pub(crate) fn genesis(&self) -> BlockHash {
        self.tree.entry(Id::GENESIS).hash
    }

    /// So many blocks on top of `parent`; those with another `tag` are others.
    pub(crate) fn extend(&mut self, parent: BlockHash, count: u32, tag: u8) -> Vec<Block> {
        let mut parent = self.tree.find(&parent).unwrap();
        let mut made = Vec::new();
        for _ in 0..count {
            let block = self.block(parent, tag);
            parent = self.tree.accept(&block.header, u64::from(u32::MAX)).unwrap().id;
            made.push(block);
        }
        made
    }

    /// So many blocks of `size` bytes and some.
    pub(crate) fn large(&mut self, parent: BlockHash, count: u32, tag: u8, size: usize) -> Vec<Block> {
        let mut parent = self.id(parent);
        let mut made = Vec::new();
        for _ in 0..count {
            let mut script = vec![tag; size];
            script[0] = 0x6a;
            let block = self.with_script(parent, ScriptBuf::from(script));
            parent = self.tree.accept(&block.header, u64::from(u32::MAX)).unwrap().id;
            made.push(block);
        }
        made
    }

    /// So many blocks on top of one that was made elsewhere, or changed.
    pub(crate) fn adopt(&mut self, block: &Block, count: u32) -> Vec<Block> {
        self.tree.accept(&block.header, u64::from(u32::MAX)).unwrap();
        self.extend(block.block_hash(), count, 0)
    }

    /// A block that is not part of any chain yet.
    pub(crate) fn block(&self, parent: Id, tag: u8) -> Block {
        self.with_script(parent, ScriptBuf::from(vec![0x51, tag]))
    }

    fn with_script(&self, parent: Id, script: ScriptBuf) -> Block {
        let time = self.tree.entry(parent).header.time + self.step;
        let mut block = template(&self.tree, parent, script, u64::from(time), Vec::new());
        remine(&mut block.header);
        block
    }

    /// The work of the chain that ends there.
    pub(crate) fn work(&self, hash: BlockHash) -> bitcoin::Work {
        self.tree.entry(self.id(hash)).work
    }

    pub(crate) fn id(&self, hash: BlockHash) -> Id {
        self.tree.find(&hash).unwrap()
    }
}

/// Does the work again, after a header was changed.
pub(crate) fn remine(header: &mut Header) {
    assert!(mine(header, 1 << 20));
}

pub(crate) fn bytes(block: &Block) -> Vec<u8> {
    serialize(block)
}

pub(crate) fn headers(blocks: &[Block]) -> Vec<Header> {
    blocks.iter().map(|block| block.header).collect()
}

pub(crate) fn hashes(blocks: &[Block]) -> Vec<BlockHash> {
    blocks.iter().map(Block::block_hash).collect()
}

pub(crate) fn witness(hashes: &[BlockHash]) -> Vec<Inventory> {
    hashes.iter().map(|&hash| Inventory::WitnessBlock(hash)).collect()
}

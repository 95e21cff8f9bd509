//! Every block that was made in a run, whoever made it, and whether it is valid.

use bitcoin::absolute::LockTime;
use bitcoin::block::Header;
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, BlockHash, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, Work,
};
use fastrand::Rng;
use sockman::Bytes;
use sockman_p2p::chain::{Id, Params, Tree, mine, template};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Every block that was made.
pub(super) struct Blocks {
    /// Its headers keep all rules; its blocks need not.
    tree: Tree,
    made: BTreeMap<BlockHash, Made>,
    /// In the order in which they were made.
    order: Vec<BlockHash>,
}

/// A block that was made.
pub(super) struct Made {
    /// Itself.
    pub(super) bytes: Bytes,
    block: Block,
    /// Whether it keeps the rules itself.
    pub(super) sound: bool,
    /// Whether all that it is built on does so too.
    pub(super) valid: bool,
}

/// The blocks, for all who make some.
pub(super) type Shared = Rc<RefCell<Blocks>>;

/// What is wrong with a block, so that its header is invalid for good.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The coinbase does not begin with the height.
    Height,
    /// There are two coinbases.
    Coinbases,
    /// A transaction is not final.
    NonFinal,
    /// An output is more than all bitcoins.
    Money,
}

impl Fault {
    pub(super) const ALL: [Fault; 4] = [Fault::Height, Fault::Coinbases, Fault::NonFinal, Fault::Money];
}

/// How much is tried to find a nonce: there is more work to do only in a chain that is far too quick.
const TRIES: u64 = 1 << 22;

impl Blocks {
    pub(super) fn new(params: &Arc<Params>) -> Blocks {
        let tree = Tree::new(params.clone());
        let genesis = params.genesis.clone();
        let hash = tree.entry(Id::GENESIS).hash;
        let first = Made {
            bytes: serialize(&genesis).into(),
            block: genesis,
            sound: true,
            valid: true,
        };
        Blocks {
            tree,
            made: BTreeMap::from([(hash, first)]),
            order: vec![hash],
        }
    }

    /// In the order in which they were made, genesis first.
    pub(super) fn order(&self) -> &[BlockHash] {
        &self.order
    }

    pub(super) fn get(&self, hash: &BlockHash) -> Option<&Made> {
        self.made.get(hash)
    }

    /// The bytes of one that was made.
    pub(super) fn bytes(&self, hash: &BlockHash) -> Bytes {
        self.made[hash].bytes.clone()
    }

    pub(super) fn header(&self, hash: &BlockHash) -> Header {
        self.made[hash].block.header
    }

    pub(super) fn height(&self, hash: &BlockHash) -> u32 {
        self.tree.entry(self.id(hash)).height
    }

    /// The work of the chain up to here.
    pub(super) fn work(&self, hash: &BlockHash) -> Work {
        self.tree.entry(self.id(hash)).work
    }

    pub(super) fn params(&self) -> &Params {
        self.tree.params()
    }

    fn id(&self, hash: &BlockHash) -> Id {
        self.tree.find(hash).expect("it was made here")
    }

    /// So many below.
    pub(super) fn below(&self, hash: &BlockHash, count: u32) -> BlockHash {
        let id = self.id(hash);
        let height = self.tree.entry(id).height.saturating_sub(count);
        self.tree.entry(self.tree.ancestor(id, height)).hash
    }

    /// The headers that a peer with this tip tells whoever has this locator.
    pub(super) fn after(&self, tip: &BlockHash, locator: &[BlockHash]) -> Vec<Header> {
        let tip = self.id(tip);
        let on_chain = |id: &Id| self.tree.is_ancestor(*id, tip);
        let known = locator.iter().filter_map(|hash| self.tree.find(hash));
        let fork = known.into_iter().find(on_chain).unwrap_or(Id::GENESIS);
        let mut headers = Vec::new();
        let mut at = tip;
        while at != fork {
            headers.push(self.tree.entry(at).header);
            at = self.tree.entry(at).parent;
        }
        headers.reverse();
        headers
    }

    /// Makes a block on top of another, so many seconds later.
    pub(super) fn mine(
        &mut self,
        random: &mut Rng,
        parent: &BlockHash,
        spacing: u32,
        fault: Option<Fault>,
    ) -> BlockHash {
        let over = self.id(parent);
        let time = self.tree.entry(over).header.time + spacing;
        let mut extra = Vec::new();
        if random.u8(0..3) == 0 {
            // Three transactions: a block that looks the same when the last is there twice.
            extra.extend([spend(random), spend(random)]);
        }
        match fault {
            Some(Fault::Coinbases) => extra.push(Transaction {
                input: vec![TxIn {
                    previous_output: OutPoint::null(),
                    script_sig: ScriptBuf::from(vec![0, 0]),
                    ..spend(random).input.remove(0)
                }],
                ..spend(random)
            }),
            Some(Fault::NonFinal) => {
                let mut tx = spend(random);
                tx.lock_time = LockTime::from_consensus(400_000);
                tx.input[0].sequence = Sequence::ZERO;
                extra.push(tx);
            }
            Some(Fault::Money) => {
                let mut tx = spend(random);
                tx.output[0].value = Amount::from_sat(Amount::MAX_MONEY.to_sat() + 1);
                extra.push(tx);
            }
            Some(Fault::Height) | None => {}
        }
        // No two are the same.
        let script = ScriptBuf::from([&[0x51][..], &(self.order.len() as u32).to_be_bytes()].concat());
        let mut block = template(&self.tree, over, script, u64::from(time), extra);
        if matches!(fault, Some(Fault::Height)) {
            block.txdata[0].input[0].script_sig = ScriptBuf::from(vec![1, 0xff]);
            block.header.merkle_root = block.compute_merkle_root().expect("it has transactions");
        }
        assert!(mine(&mut block.header, TRIES), "there is no such nonce");
        let accepted = self.tree.accept(&block.header, u64::from(u32::MAX));
        accepted.expect("its header is right");
        let hash = block.block_hash();
        let made = Made {
            bytes: serialize(&block).into(),
            block,
            sound: fault.is_none(),
            valid: fault.is_none() && self.made[parent].valid,
        };
        self.made.insert(hash, made);
        self.order.push(hash);
        hash
    }

    /// The same block with something changed that its header does not vouch for, or that shows at once.
    pub(super) fn twin(&self, random: &mut Rng, hash: &BlockHash) -> Bytes {
        let made = &self.made[hash];
        let mut block = made.block.clone();
        match random.u8(0..6) {
            0 => block.txdata[0].output[0].value -= Amount::from_sat(1),
            1 if block.txdata.len() == 3 => block.txdata.push(block.txdata[2].clone()),
            2 => block.txdata[0].input[0].witness = Witness::new(),
            3 => block.txdata[0].input[0].witness = Witness::from_slice(&[[7; 32]]),
            4 => return [&made.bytes[..], &[0]].concat().into(),
            _ => return made.bytes.slice(..made.bytes.len() - 1),
        }
        serialize(&block).into()
    }
}

/// A transaction that spends something that nobody has.
fn spend(random: &mut Rng) -> Transaction {
    let mut txid = [0; 32];
    random.fill(&mut txid);
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array(txid), 0),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(1_000),
            script_pubkey: ScriptBuf::from(vec![0x51]),
        }],
    }
}

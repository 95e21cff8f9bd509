//! A good block, and what it takes to change it and mine it again.

use crate::support::{LATER, remine};
use bitcoin::absolute::LockTime;
use bitcoin::block::Header;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Block, Network, ScriptBuf, Sequence, TxMerkleNode};
use sockman_p2p::chain::generate::{GenerateOptions, Generator};
use sockman_p2p::chain::{BlockError, Checked, Id, Params, Rules, Tree, check_block, peek_header};
use std::sync::LazyLock;

/// How many blocks are below the one that is changed.
pub(crate) const BELOW: u32 = 104;

/// The blocks below, and the good one.
pub(crate) fn chain() -> Vec<Vec<u8>> {
    let options = GenerateOptions {
        blocks: BELOW + 1,
        txs: 6,
        full: 0,
        ..GenerateOptions::default()
    };
    Generator::new(options).collect()
}

/// A block, and where it is.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) params: Params,
    pub(crate) rules: Rules,
    pub(crate) block: Block,
}

impl Draft {
    /// A good one, with a coinbase and six transactions, all with witnesses.
    pub(crate) fn new() -> Draft {
        static GOOD: LazyLock<Draft> = LazyLock::new(Draft::make);
        GOOD.clone()
    }

    fn make() -> Draft {
        let params = Params::of(Network::Regtest);
        let mut tree = Tree::new(params.clone());
        let mut blocks = chain();
        let good = blocks.pop().expect("the last one");
        let mut parent = Id::GENESIS;
        for payload in blocks {
            let (header, _) = peek_header(&payload).expect("a block");
            parent = tree.accept(&header, LATER).expect("a good header").id;
        }
        Draft {
            rules: tree.rules(parent),
            block: deserialize(&good).expect("a block"),
            params,
        }
    }

    pub(crate) fn check(&self, payload: &[u8]) -> Result<Checked, BlockError> {
        check_block(&self.params, self.rules, payload)
    }

    /// As it is, with the nonce that it has.
    pub(crate) fn payload(&self) -> Vec<u8> {
        serialize(&self.block)
    }

    /// Changes it and mines it again, with a commitment to the witnesses that it has then.
    pub(crate) fn sealed(&mut self) -> Vec<u8> {
        self.commit();
        self.mined()
    }

    /// Mines it again as it is.
    pub(crate) fn mined(&mut self) -> Vec<u8> {
        self.block.header.merkle_root = self.block.compute_merkle_root().expect("it has transactions");
        remine(&mut self.block.header);
        self.payload()
    }

    /// Makes the coinbase commit to the witnesses; to what it says itself is its witness.
    pub(crate) fn commit(&mut self) {
        let root = self.block.witness_root().expect("it has transactions");
        let Some(reserved) = self.block.txdata[0].input[0].witness.nth(0) else {
            return;
        };
        let mut script = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
        let pair = [&root.to_byte_array()[..], reserved].concat();
        script.extend_from_slice(sha256d::Hash::hash(&pair).as_byte_array());
        let outputs = &mut self.block.txdata[0].output;
        let last = outputs
            .iter_mut()
            .rfind(|output| is_commitment(&output.script_pubkey));
        if let Some(output) = last {
            script.extend_from_slice(&output.script_pubkey.as_bytes()[38..]);
            output.script_pubkey = ScriptBuf::from_bytes(script);
        }
    }

    /// Gives the last transaction a lock time, and an input that does not say that it does not matter.
    pub(crate) fn lock(&mut self, time: u32) {
        let last = self.block.txdata.last_mut().expect("it has transactions");
        last.lock_time = LockTime::from_consensus(time);
        last.input[0].sequence = Sequence::ENABLE_LOCKTIME_NO_RBF;
    }

    /// A block with the coinbase and this one, whose bytes without witnesses are all it has.
    pub(crate) fn with_raw(&self, raw: &[u8]) -> Vec<u8> {
        let mut draft = self.clone();
        draft.block.txdata.truncate(1);
        draft.bare();
        let coinbase = serialize(&draft.block.txdata[0]);
        raw_block(&draft.block.header, &[&coinbase, raw])
    }

    /// Takes all witnesses away, and the commitment.
    pub(crate) fn bare(&mut self) {
        for input in self.block.txdata.iter_mut().flat_map(|tx| &mut tx.input) {
            input.witness.clear();
        }
        let outputs = &mut self.block.txdata[0].output;
        outputs.retain(|output| !is_commitment(&output.script_pubkey));
    }
}

fn is_commitment(script: &ScriptBuf) -> bool {
    script
        .as_bytes()
        .starts_with(&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed])
}

/// A mined block of transactions without witnesses, one or two or none.
pub(crate) fn raw_block(header: &Header, txs: &[&[u8]]) -> Vec<u8> {
    let ids: Vec<[u8; 32]> = txs
        .iter()
        .map(|tx| sha256d::Hash::hash(tx).to_byte_array())
        .collect();
    let root = match &ids[..] {
        [] => [0; 32],
        [one] => *one,
        pair => sha256d::Hash::hash(&pair.concat()).to_byte_array(),
    };
    let mut header = *header;
    header.merkle_root = TxMerkleNode::from_byte_array(root);
    remine(&mut header);
    let mut payload = serialize(&header);
    payload.push(txs.len() as u8);
    payload.extend_from_slice(&txs.concat());
    payload
}

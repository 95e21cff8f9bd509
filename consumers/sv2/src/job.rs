//! What a client makes of a template.

use crate::body::RESERVED;
use crate::wire::{NewTemplate, PrevHash, Submission};
use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::{self, Decodable, encode};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::script::{PushBytesBuf, ScriptBuf};
use bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
    transaction,
};

/// What a client mines by a template: a coinbase, and a header. Both may be changed; [`seal`](Job::seal) makes them fit again.
#[derive(Clone, Debug)]
pub struct Job {
    /// The template's number.
    pub template: u64,
    /// The header of the block.
    pub header: Header,
    /// The coinbase, with its witness if it needs one.
    pub coinbase: Transaction,
    path: Vec<[u8; 32]>,
}

impl Job {
    /// A job by which `script` gets all that there is. `extra`, at most 75 bytes, stands in the coinbase behind the height: it makes
    /// jobs of the same template differ. Fails if the template's outputs cannot be read.
    pub fn new(
        template: &NewTemplate,
        prev: &PrevHash,
        script: ScriptBuf,
        extra: &[u8],
    ) -> Result<Job, encode::Error> {
        let mut prefix = ScriptBuf::from_bytes(template.coinbase_prefix.clone());
        let mut push = PushBytesBuf::new();
        // It fails for what no memory has.
        let _ = push.extend_from_slice(extra);
        prefix.push_slice(push);
        let mut output = vec![TxOut {
            value: Amount::from_sat(template.value),
            script_pubkey: script,
        }];
        let mut rest = &template.outputs[..];
        for _ in 0..template.outputs_count {
            output.push(TxOut::consensus_decode(&mut rest)?);
        }
        let commits = template.outputs_count > 0;
        let coinbase = Transaction {
            version: transaction::Version(template.coinbase_version.cast_signed()),
            lock_time: LockTime::from_consensus(template.coinbase_locktime),
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig: prefix,
                sequence: Sequence(template.coinbase_sequence),
                witness: if commits {
                    Witness::from_slice(&[RESERVED])
                } else {
                    Witness::new()
                },
            }],
            output,
        };
        let mut job = Job {
            template: template.template,
            header: Header {
                version: Version::from_consensus(template.version.cast_signed()),
                prev_blockhash: BlockHash::from_byte_array(prev.hash),
                merkle_root: TxMerkleNode::all_zeros(),
                time: prev.time,
                bits: CompactTarget::from_consensus(prev.bits),
                nonce: 0,
            },
            coinbase,
            path: template.merkle_path.clone(),
        };
        job.seal();
        Ok(job)
    }

    /// Puts the Merkle root into the header: after the coinbase has been changed.
    pub fn seal(&mut self) {
        let coinbase = self.coinbase.compute_txid().to_byte_array();
        let root = self.path.iter().fold(coinbase, |hash, beside| {
            sha256d::Hash::hash(&[hash, *beside].concat()).to_byte_array()
        });
        self.header.merkle_root = TxMerkleNode::from_byte_array(root);
    }

    /// Tries nonces, from the present one on. Says whether one of them is a solution: then the header has it.
    pub fn solve(&mut self, tries: u32) -> bool {
        let target = self.header.target();
        for _ in 0..tries {
            if target.is_met_by(self.header.block_hash()) {
                return true;
            }
            self.header.nonce = self.header.nonce.wrapping_add(1);
        }
        false
    }

    /// What is handed in.
    pub fn submission(&self) -> Submission {
        Submission {
            template: self.template,
            version: self.header.version.to_consensus().cast_unsigned(),
            time: self.header.time,
            nonce: self.header.nonce,
            coinbase: consensus::serialize(&self.coinbase),
        }
    }
}

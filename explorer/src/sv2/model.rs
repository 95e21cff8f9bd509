//! The work that there was, what it makes of a client's constraints, and the solutions that were handed in.

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, TxIn, TxMerkleNode, TxOut, Txid,
    Witness, merkle_tree, transaction,
};
use fastrand::Rng;
use sockman_backends::sim::Host;
use sockman_sv2::wire::{Constraints, NewTemplate, PrevHash};
use sockman_sv2::{Basis, Settings, Solution, Source, Transaction, USUAL_ROOM, Work};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// The target of regtest: every second hash is below it.
pub(super) const BITS: u32 = 0x207f_ffff;

/// The provider's source.
pub(super) struct Mine(pub(super) Rc<RefCell<Model>>);

impl Source for Mine {
    fn work(&self) -> Option<Arc<Work>> {
        self.0.borrow_mut().give()
    }

    fn solved(&mut self, solution: Solution) {
        self.0.borrow_mut().solved(&solution);
    }
}

/// Work, and when it was given.
pub(super) struct Made {
    pub(super) work: Arc<Work>,
    /// When the provider saw it first, by its clock.
    pub(super) given: Option<Instant>,
    /// When it saw the first work of another tip after that.
    pub(super) superseded: Option<Instant>,
}

/// A solution that was handed in.
struct Submitted {
    is_right: bool,
    /// How often it was handed on.
    handed: u32,
}

pub(super) struct Model {
    random: Rng,
    /// The provider's.
    host: Host,
    pub(super) settings: Settings,
    /// All that there was, oldest first.
    pub(super) works: Vec<Made>,
    submitted: BTreeMap<u64, Submitted>,
    /// Blocks that were handed on, and of which nobody has made a tip yet.
    found: Vec<(BlockHash, u32)>,
    transactions: u32,
    /// Work does not change any more.
    pub(super) is_settled: bool,
    /// The provider is stopped.
    pub(super) is_stopped: bool,
}

/// What the model makes of work and constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// Transactions that there are, but for the coinbase.
    pub(super) count: usize,
    /// What its block may pay.
    pub(super) value: u64,
}

impl Model {
    pub(super) fn new(random: &mut Rng, host: &Host, settings: &Settings) -> Model {
        let mut model = Model {
            random: random.fork(),
            host: host.clone(),
            settings: settings.clone(),
            works: Vec::new(),
            submitted: BTreeMap::new(),
            found: Vec::new(),
            transactions: 0,
            is_settled: false,
            is_stopped: false,
        };
        if model.random.u8(0..4) > 0 {
            model.change();
        }
        model
    }

    /// The provider's clock.
    pub(super) fn now(&self) -> Instant {
        self.host.now()
    }

    pub(super) fn latest(&self) -> Option<&Made> {
        self.works.last()
    }

    /// The provider asks.
    fn give(&mut self) -> Option<Arc<Work>> {
        let now = self.host.now();
        let last = self.works.last_mut()?;
        if last.given.is_none() {
            last.given = Some(now);
            let work = last.work.clone();
            for made in self.works.iter_mut().filter(|made| made.given.is_some()) {
                if tip(&made.work) != tip(&work) {
                    made.superseded.get_or_insert(now);
                }
            }
        }
        self.works.last().map(|made| made.work.clone())
    }

    /// There is something else to be mined on.
    pub(super) fn change(&mut self) {
        let last = self.works.last().map(|made| made.work.basis().clone());
        let basis = match last {
            Some(basis) if self.random.bool() => basis,
            last => self.next(last.map(|basis| basis.height)),
        };
        let kept = self
            .works
            .last()
            .filter(|made| tip(&made.work) == basis.prev_hash);
        let mut transactions = kept.map_or(Vec::new(), |made| made.work.transactions().to_vec());
        if self.random.u8(0..4) == 0 {
            transactions.clear();
        }
        for _ in 0..self.random.usize(0..5) {
            transactions.push(self.transaction());
        }
        let work = Arc::new(Work::new(basis, transactions));
        self.works.push(Made {
            work,
            given: None,
            superseded: None,
        });
    }

    /// A place on a new tip, perhaps on a block that a client has found.
    fn next(&mut self, last: Option<u32>) -> Basis {
        let height = last.map_or_else(|| self.random.u32(1..300), |height| height + 1);
        let mut hash = [0; 32];
        self.random.fill(&mut hash);
        let found = self.found.pop();
        let (prev_hash, height) = match found {
            Some((hash, of)) if last.is_none_or(|last| of >= last) => (hash, of + 1),
            _ => (BlockHash::from_byte_array(hash), height),
        };
        Basis {
            prev_hash,
            height,
            version: 0x2000_0000,
            bits: CompactTarget::from_consensus(BITS),
            least_time: self.random.u32(1_000..1_000_000),
            subsidy: 5_000_000_000,
            segwit: self.random.u8(0..5) > 0,
        }
    }

    /// One that no other is like, and that says of itself that it is large.
    fn transaction(&mut self) -> Arc<Transaction> {
        self.transactions += 1;
        let witness = match self.random.usize(0..3) {
            0 => Witness::new(),
            length => Witness::from_slice(&[vec![7; length * 20]]),
        };
        let tx = bitcoin::Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::new(Txid::from_byte_array([9; 32]), self.transactions),
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness,
            }],
            output: vec![TxOut {
                value: Amount::from_sat(1_000),
                script_pubkey: ScriptBuf::new(),
            }],
        };
        let fee = self.random.u64(0..3_000);
        let weight = self.random.u32(0..2) * self.random.u32(0..1_000_000);
        let sigops = self.random.u32(0..2) * self.random.u32(0..20_000);
        let honest = Transaction::new(&tx, fee, sigops);
        Arc::new(Transaction {
            weight: honest.weight.max(weight),
            ..honest
        })
    }

    /// The work of this tip by which the template is right for one of these rooms: the first, and the room.
    pub(super) fn find(
        &self,
        template: &NewTemplate,
        tip_hash: BlockHash,
        rooms: &[Constraints],
    ) -> Option<(usize, Constraints, Expected)> {
        let works = self.works.iter().enumerate();
        let works = works.filter(|(_, made)| made.given.is_some() && tip(&made.work) == tip_hash);
        for (number, made) in works {
            for &room in rooms.iter().rev() {
                if let Some(expected) = expected(&made.work, room)
                    && is_right(template, &made.work, expected)
                {
                    return Some((number, room, expected));
                }
            }
        }
        None
    }

    /// The number of the next solution.
    pub(super) fn number(&self) -> u64 {
        self.submitted.len() as u64 + 1
    }

    /// A solution is handed in.
    pub(super) fn submit(&mut self, number: u64, is_right: bool) {
        let handed = 0;
        self.submitted.insert(number, Submitted { is_right, handed });
    }

    /// How often it was handed on.
    pub(super) fn handed(&self, number: u64) -> u32 {
        self.submitted
            .get(&number)
            .map_or(0, |submitted| submitted.handed)
    }

    /// The provider hands a block on: it is one, as others judge it, and somebody has found it.
    fn solved(&mut self, solution: &Solution) {
        let block: Block = deserialize(&solution.block()).expect("a solution is a block");
        let hash = block.block_hash();
        assert_eq!(hash, solution.hash());
        assert!(block.check_merkle_root(), "{hash} has another Merkle root");
        assert!(
            block.header.validate_pow(block.header.target()).is_ok(),
            "{hash} has no work"
        );
        let made = self
            .works
            .iter()
            .find(|made| tip(&made.work) == block.header.prev_blockhash);
        let made = made.expect("it builds on what there was");
        if made.work.basis().segwit {
            assert!(
                block.check_witness_commitment(),
                "{hash} does not commit to its witnesses"
            );
        }
        let script = block.txdata[0].input[0].script_sig.as_bytes();
        let number = script.last_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let submitted = number.and_then(|number| self.submitted.get_mut(&number));
        let submitted = submitted.expect("somebody has handed it in");
        assert!(submitted.is_right, "{hash} is no solution, and was handed on");
        submitted.handed += 1;
        assert_eq!(submitted.handed, 1, "{hash} was handed on more than once");
        self.found.push((hash, solution.height()));
    }
}

/// The block that it builds on.
pub(super) fn tip(work: &Work) -> BlockHash {
    work.basis().prev_hash
}

/// The longest beginning that there is room for, by the words of the specification (7.1), beside what is usual. (So many different ones
/// that clients have to share some are never made here.)
pub(super) fn expected(work: &Work, room: Constraints) -> Option<Expected> {
    let room = match room {
        Constraints {
            size: ..=1_024,
            sigops: ..=128,
        } => USUAL_ROOM,
        more => more,
    };
    let mut weight = 4 * (80 + 9 + 150 + 9 + 47 + u64::from(room.size)) + 36;
    let mut sigops = 4 * u64::from(room.sigops);
    if weight > 4_000_000 || sigops > 80_000 {
        return None;
    }
    let (mut count, mut value) = (0, work.basis().subsidy);
    for tx in work.transactions() {
        weight += u64::from(tx.weight);
        sigops += u64::from(tx.sigops);
        if weight > 4_000_000 || sigops > 80_000 {
            break;
        }
        count += 1;
        value += tx.fee;
    }
    Some(Expected { count, value })
}

/// Whether the template has this work's transactions, and says of the coinbase what it must be.
fn is_right(template: &NewTemplate, work: &Work, expected: Expected) -> bool {
    let transactions = &work.transactions()[..expected.count];
    let basis = work.basis();
    let coinbase = [0xcb; 32];
    let txids = transactions.iter().map(|tx| tx.txid.to_byte_array());
    let root = root(coinbase, txids);
    let path = template.merkle_path.iter();
    let reached = path.fold(coinbase, |hash, beside| {
        sha256d::Hash::hash(&[hash, *beside].concat()).to_byte_array()
    });
    let outputs = if basis.segwit {
        serialize(&commitment(transactions))
    } else {
        Vec::new()
    };
    let height = match basis.height {
        height @ 1..=16 => vec![0x50 + height as u8],
        height @ 17..=127 => vec![1, height as u8],
        height => {
            let [low, high, ..] = height.to_le_bytes();
            if height < 256 {
                vec![2, low, 0]
            } else {
                vec![2, low, high]
            }
        }
    };
    template.value == expected.value
        && root == reached
        && template.version == basis.version
        && template.outputs == outputs
        && template.outputs_count == u32::from(basis.segwit)
        && template.coinbase_prefix == height
        && (template.coinbase_version, template.coinbase_sequence) == (2, u32::MAX)
        && template.coinbase_locktime == 0
}

fn root(first: [u8; 32], others: impl Iterator<Item = [u8; 32]>) -> [u8; 32] {
    let all = std::iter::once(first).chain(others);
    let root = merkle_tree::calculate_root(all.map(TxMerkleNode::from_byte_array));
    root.map_or([0; 32], Hash::to_byte_array)
}

/// The output that commits to witnesses, as the block would have it.
fn commitment(transactions: &[Arc<Transaction>]) -> TxOut {
    let root = root([0; 32], transactions.iter().map(|tx| tx.wtxid.to_byte_array()));
    let hash = sha256d::Hash::hash(&[root, [0; 32]].concat()).to_byte_array();
    TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::from_bytes([&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed], &hash[..]].concat()),
    }
}

/// Outputs as a template has them.
pub(super) fn outputs(outputs: &[TxOut]) -> Vec<u8> {
    outputs.iter().map(serialize).collect::<Vec<_>>().concat()
}

/// Whether a tip is told as this work has it.
pub(super) fn is_tip_right(prev: &PrevHash, work: &Work, unix: u64) -> bool {
    let basis = work.basis();
    prev.hash == basis.prev_hash.to_byte_array()
        && prev.bits == BITS
        && prev.target == bitcoin::Target::from_compact(basis.bits).to_le_bytes()
        && prev.time >= basis.least_time
        && (prev.time == basis.least_time || u64::from(prev.time) <= unix)
}

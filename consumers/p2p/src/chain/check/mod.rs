//! What makes a block valid, as far as it can be told without coins.
//!
//! - this file: [`check_block`], in the order in which Bitcoin Core checks, for that decides who is to blame
//! - `error`: what can be wrong, by Core's names
//! - `cursor`: reading bytes; `transaction`: one transaction, and what is wrong with it alone
//! - `merkle`: Merkle roots; `strip`: a block without its witnesses

mod cursor;
mod error;
mod merkle;
mod strip;
mod transaction;

pub use cursor::DecodeError;
pub use error::{BlockError, Invalid, Mutated};
pub(super) use merkle::merkle_root;
pub use strip::strip_witness;
pub(super) use transaction::COMMITMENT;
pub(crate) use transaction::MAX_MONEY;

use super::hash::{Hash256, block_hash, sha256d};
use super::params::Params;
use super::target::check_work;
use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::Decodable;
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use cursor::Cursor;
use transaction::{Context, Transaction};

/// Weight units that a block may have (BIP 141): Core's `MAX_BLOCK_WEIGHT`.
pub const MAX_BLOCK_WEIGHT: usize = 4_000_000;

/// Weight units of a byte that is not a witness's.
const SCALE: usize = 4;

/// What has to be known of a block's place to check it: see [`Tree::rules`](super::Tree::rules). A copy, so that a block can be
/// checked where there is no tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The block's height.
    pub height: u32,
    /// The median of the times of the 11 blocks before it, in seconds since 1970.
    pub median_time: u32,
}

/// A block that has passed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Checked {
    /// Its header.
    pub header: Header,
    /// Its hash.
    pub hash: BlockHash,
    /// How many transactions it has.
    pub txs: u32,
    /// Its weight (BIP 141).
    pub weight: u32,
}

/// A block's header, without a look at the rest, and its hash: enough to know its place.
pub fn peek_header(payload: &[u8]) -> Result<(Header, BlockHash), DecodeError> {
    let header = read_header(&mut Cursor::new(payload))?;
    Ok((header, block_hash(&header)))
}

fn read_header(cursor: &mut Cursor<'_>) -> Result<Header, DecodeError> {
    let mut bytes = cursor.take(Header::SIZE)?;
    Header::consensus_decode(&mut bytes).map_err(|_| DecodeError::Truncated)
}

/// Checks the bytes of a block: that work has been done for its header, Merkle root, sizes, weight, that one coinbase comes first,
/// the rules that each transaction keeps by itself, that it is final (BIP 113), the height in the coinbase (BIP 34), and the
/// commitment to witnesses (BIP 141).
///
/// Whether the difficulty is right is for [`Tree::accept`](super::Tree::accept) to say. Scripts and their signature operations, and
/// what is spent, are not looked at; nor is the signature of a block of signet (BIP 325), for it is a script.
///
/// The bytes are walked over once, and not decoded into anything: each transaction is hashed where it lies.
pub fn check_block(params: &Params, rules: Rules, payload: &[u8]) -> Result<Checked, BlockError> {
    let mut cursor = Cursor::new(payload);
    let header = read_header(&mut cursor)?;
    let hash = block_hash(&header);
    check_work(params, &header, &hash).ok_or(Invalid::HighHash)?;

    let body = Body::read(&mut cursor, params, rules, &header)?;
    body.check_merkle_root(&header)?;
    body.check_transactions()?;
    body.check_place(params, rules)?;
    body.check_witnesses(params, rules)?;
    let weight = body.stripped * (SCALE - 1) + payload.len();
    if weight > MAX_BLOCK_WEIGHT {
        return Err(Invalid::Weight.into());
    }
    Ok(Checked {
        header,
        hash,
        txs: body.txids.len() as u32,
        weight: weight as u32,
    })
}

/// A transaction that stands alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Alone {
    /// The first rule that it breaks by itself.
    pub(crate) fault: Option<Invalid>,
    /// Whether its lock time has not come.
    pub(crate) nonfinal: bool,
    pub(crate) is_coinbase: bool,
    /// Bytes of it without witnesses.
    pub(crate) stripped: usize,
}

/// Looks at one transaction, as if it were in a block at this place (where BIP 113 holds).
pub(crate) fn check_transaction(rules: Rules, bytes: &[u8]) -> Result<Alone, DecodeError> {
    let mut cursor = Cursor::new(bytes);
    let tx = Transaction::read(&mut cursor, &mut Context::new(rules.height, rules.median_time))?;
    match cursor.left() {
        0 => Ok(Alone {
            fault: tx.fault,
            nonfinal: tx.nonfinal,
            is_coinbase: tx.is_coinbase,
            stripped: tx.stripped_size(),
        }),
        _ => Err(DecodeError::Trailing),
    }
}

/// What one walk over a block's transactions found.
struct Body<'a> {
    txids: Vec<Hash256>,
    /// Empty, unless the coinbase commits to them.
    wtxids: Vec<Hash256>,
    coinbase: Option<Transaction<'a>>,
    /// Bytes of the block without witnesses.
    stripped: usize,
    /// What is wrong with the first transaction that has something wrong with it.
    fault: Option<Invalid>,
    /// Whether a transaction is not final.
    nonfinal: bool,
    /// Whether there is a coinbase that is not the first.
    second_coinbase: bool,
    has_witness: bool,
    /// Whether a transaction has the size of two hashes.
    like_a_node: bool,
}

impl<'a> Body<'a> {
    fn read(
        cursor: &mut Cursor<'a>,
        params: &Params,
        rules: Rules,
        header: &Header,
    ) -> Result<Body<'a>, DecodeError> {
        let before = cursor.left();
        let count = cursor.compact_size()?;
        let mut body = Body {
            txids: Vec::new(),
            wtxids: Vec::new(),
            coinbase: None,
            stripped: Header::SIZE + before - cursor.left(),
            fault: None,
            nonfinal: false,
            second_coinbase: false,
            has_witness: false,
            like_a_node: false,
        };
        // Before BIP 113, it was the block's own time.
        let median = rules.height >= params.csv_height;
        let cutoff = if median { rules.median_time } else { header.time };
        let mut context = Context::new(rules.height, cutoff);
        let mut commits = false;
        for index in 0..count {
            let tx = Transaction::read(cursor, &mut context)?;
            let txid = tx.txid();
            if commits {
                body.wtxids.push(if tx.has_witness() { tx.wtxid() } else { txid });
            }
            body.txids.push(txid);
            body.stripped += tx.stripped_size();
            body.fault = body.fault.or(tx.fault);
            body.nonfinal |= tx.nonfinal;
            body.has_witness |= tx.has_witness();
            body.like_a_node |= tx.stripped_size() == 2 * size_of::<Hash256>();
            if index > 0 {
                body.second_coinbase |= tx.is_coinbase;
                continue;
            }
            if tx.commitment.is_some() {
                commits = true;
                body.wtxids.push([0; 32]);
            }
            body.coinbase = Some(tx);
        }
        match cursor.left() {
            0 => Ok(body),
            _ => Err(DecodeError::Trailing),
        }
    }

    /// All that says that these are not the transactions which the header is for.
    fn check_merkle_root(&self, header: &Header) -> Result<(), Mutated> {
        let (root, repeats) = merkle_root(self.txids.clone());
        if root != header.merkle_root.to_byte_array() {
            return Err(Mutated::MerkleRoot);
        }
        if repeats {
            return Err(Mutated::Duplicate);
        }
        // Two hashes of a real block's tree can be made to look like a transaction; but not like a coinbase, for that takes more
        // work than anyone can do.
        if self.like_a_node && !self.coinbase.as_ref().is_some_and(|tx| tx.is_coinbase) {
            return Err(Mutated::Node);
        }
        Ok(())
    }

    /// All that is wrong wherever the block is. Nothing here may look at witnesses: the header does not vouch for them yet.
    fn check_transactions(&self) -> Result<(), Invalid> {
        let count = self.txids.len();
        if count == 0 || count * SCALE > MAX_BLOCK_WEIGHT || self.stripped * SCALE > MAX_BLOCK_WEIGHT {
            return Err(Invalid::Length);
        }
        if !self.coinbase.as_ref().is_some_and(|tx| tx.is_coinbase) {
            return Err(Invalid::CoinbaseMissing);
        }
        if self.second_coinbase {
            return Err(Invalid::CoinbaseMultiple);
        }
        self.fault.map_or(Ok(()), Err)
    }

    /// All that is wrong where the block is.
    fn check_place(&self, params: &Params, rules: Rules) -> Result<(), Invalid> {
        if self.nonfinal {
            return Err(Invalid::NonFinal);
        }
        let script = self.coinbase.as_ref().map_or(&[][..], |tx| tx.first_script);
        let height = Builder::new().push_int(i64::from(rules.height));
        if rules.height >= params.bip34_height && !script.starts_with(height.as_bytes()) {
            return Err(Invalid::CoinbaseHeight);
        }
        Ok(())
    }

    /// Whether the witnesses are those that the coinbase commits to, if it does; and if not, that there are none.
    fn check_witnesses(&self, params: &Params, rules: Rules) -> Result<(), Mutated> {
        let segwit = rules.height >= params.segwit_height;
        let commitment = self.coinbase.as_ref().and_then(|tx| tx.commitment);
        let Some(commitment) = commitment.filter(|_| segwit) else {
            let unexpected = self.has_witness.then_some(Mutated::UnexpectedWitness);
            return unexpected.map_or(Ok(()), Err);
        };
        let reserved = self.coinbase.as_ref().and_then(Transaction::reserved_value);
        let reserved = reserved.ok_or(Mutated::WitnessReserved)?;
        let (root, _) = merkle_root(self.wtxids.clone());
        if sha256d(&[&root, reserved]) != *commitment {
            return Err(Mutated::WitnessCommitment);
        }
        Ok(())
    }
}

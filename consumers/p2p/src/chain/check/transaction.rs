//! One transaction, and what is wrong with it alone.

use super::cursor::{Cursor, DecodeError};
use super::error::Invalid;
use crate::chain::hash::{Hash256, sha256d};
use bitcoin::absolute::LOCK_TIME_THRESHOLD;

/// Satoshis that there can be in all: Core's `MAX_MONEY`.
pub(crate) const MAX_MONEY: i64 = 21_000_000 * 100_000_000;

/// What the script begins with that commits to witnesses: `OP_RETURN`, a push of 36 bytes, and a mark of four (BIP 141).
pub(in crate::chain) const COMMITMENT: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// A transaction where it lies.
pub(super) struct Transaction<'a> {
    whole: &'a [u8],
    /// Inputs and outputs, with their counts.
    body: &'a [u8],
    /// The witnesses, if it is written with any (BIP 144); some of them are not empty then.
    witnesses: Option<&'a [u8]>,
    /// Whether it spends nothing, in one input.
    pub(super) is_coinbase: bool,
    /// The script of its first input.
    pub(super) first_script: &'a [u8],
    /// What the last output that commits to witnesses commits to (BIP 141).
    pub(super) commitment: Option<&'a Hash256>,
    /// The first rule that it breaks.
    pub(super) fault: Option<Invalid>,
    /// Whether its lock time has not come.
    pub(super) nonfinal: bool,
}

/// The bytes of an output that is spent: a hash, and which of its outputs.
type OutPoint = [u8; 36];

/// What a transaction's checks need besides it.
pub(super) struct Context<'a> {
    height: u32,
    /// Seconds since 1970 that a lock time must be below.
    cutoff: u32,
    /// What a transaction spends; kept for its memory.
    spent: Vec<&'a OutPoint>,
}

impl Context<'_> {
    pub(super) fn new(height: u32, cutoff: u32) -> Self {
        Context {
            height,
            cutoff,
            spent: Vec::new(),
        }
    }

    /// Whether a lock time is over: a height, or from 500,000,000 on a time (`LOCKTIME_THRESHOLD`). Zero is none.
    fn has_come(&self, lock_time: u32) -> bool {
        let is_height = lock_time < LOCK_TIME_THRESHOLD;
        let now = if is_height { self.height } else { self.cutoff };
        lock_time == 0 || lock_time < now
    }
}

impl<'a> Transaction<'a> {
    /// Reads one, and looks at all that is told by itself and its block's place. Nothing is kept of its inputs and outputs.
    pub(super) fn read(
        cursor: &mut Cursor<'a>,
        context: &mut Context<'a>,
    ) -> Result<Transaction<'a>, DecodeError> {
        let start = cursor.rest();
        cursor.u32()?;
        let mut body = cursor.rest();
        let mut inputs = cursor.compact_size()?;
        // No input, and a flag behind it: the mark of one that has witnesses (BIP 144). Without the flag, that was all.
        let mut has_witnesses = false;
        let mut is_empty = false;
        if inputs == 0 {
            match cursor.array()? {
                [0] => is_empty = true,
                [1] => {
                    has_witnesses = true;
                    body = cursor.rest();
                    inputs = cursor.compact_size()?;
                }
                _ => return Err(DecodeError::Flags),
            }
        }

        let mut tx = Transaction {
            whole: start,
            body,
            witnesses: None,
            is_coinbase: false,
            first_script: &[],
            commitment: None,
            fault: None,
            nonfinal: false,
        };
        let mut outputs = Outputs::default();
        let is_final = tx.read_inputs(cursor, inputs, context)?;
        if !is_empty {
            outputs.read(cursor)?;
        }
        tx.body = &body[..body.len() - cursor.left()];
        if has_witnesses {
            tx.witnesses = Some(read_witnesses(cursor, inputs)?);
        }
        let lock_time = cursor.u32()?;
        tx.whole = &start[..start.len() - cursor.left()];

        tx.commitment = outputs.commitment;
        tx.nonfinal = !is_final && !context.has_come(lock_time);
        tx.fault = tx.find_fault(inputs, &outputs, context);
        Ok(tx)
    }

    /// Reads the inputs. Whether each of them says that the lock time does not matter.
    fn read_inputs(
        &mut self,
        cursor: &mut Cursor<'a>,
        count: u64,
        context: &mut Context<'a>,
    ) -> Result<bool, DecodeError> {
        context.spent.clear();
        let mut is_final = true;
        for index in 0..count {
            context.spent.push(cursor.array()?);
            let script = cursor.counted()?;
            if index == 0 {
                self.first_script = script;
            }
            is_final &= cursor.u32()? == u32::MAX;
        }
        self.is_coinbase = matches!(context.spent[..], [only] if is_null(only));
        Ok(is_final)
    }

    /// The first rule that it breaks, in the order of Bitcoin Core's `CheckTransaction`. That a transaction may not be larger than a
    /// block needs no look, for its block may not.
    fn find_fault(&self, inputs: u64, outputs: &Outputs<'_>, context: &mut Context<'_>) -> Option<Invalid> {
        if inputs == 0 {
            return Some(Invalid::NoInputs);
        }
        if outputs.count == 0 {
            return Some(Invalid::NoOutputs);
        }
        if outputs.fault.is_some() {
            return outputs.fault;
        }
        let nothing = context.spent.iter().any(|spent| is_null(spent));
        if context.spent.len() > 1 {
            context.spent.sort_unstable();
            if context.spent.windows(2).any(|pair| pair[0] == pair[1]) {
                return Some(Invalid::InputsDuplicate);
            }
        }
        if self.is_coinbase {
            let fits = (2..=100).contains(&self.first_script.len());
            return (!fits).then_some(Invalid::CoinbaseLength);
        }
        nothing.then_some(Invalid::InputNull)
    }

    /// The hash of it without witnesses.
    pub(super) fn txid(&self) -> Hash256 {
        match self.witnesses {
            None => sha256d(&[self.whole]),
            Some(_) => {
                let (version, lock_time) = (&self.whole[..4], &self.whole[self.whole.len() - 4..]);
                sha256d(&[version, self.body, lock_time])
            }
        }
    }

    /// The hash of it with witnesses (BIP 141).
    pub(super) fn wtxid(&self) -> Hash256 {
        sha256d(&[self.whole])
    }

    pub(super) fn has_witness(&self) -> bool {
        self.witnesses.is_some()
    }

    /// Bytes of it without witnesses.
    pub(super) fn stripped_size(&self) -> usize {
        4 + self.body.len() + 4
    }

    /// Appends it without witnesses.
    pub(super) fn strip(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.whole[..4]);
        to.extend_from_slice(self.body);
        to.extend_from_slice(&self.whole[self.whole.len() - 4..]);
    }

    /// What the witness of the first input is, if it is one item of 32 bytes: the witness reserved value of a coinbase (BIP 141).
    pub(super) fn reserved_value(&self) -> Option<&'a Hash256> {
        match self.witnesses? {
            [1, 32, item @ ..] => item.first_chunk(),
            _ => None,
        }
    }
}

/// What has been seen of a transaction's outputs.
#[derive(Default)]
struct Outputs<'a> {
    count: u64,
    fault: Option<Invalid>,
    commitment: Option<&'a Hash256>,
}

impl<'a> Outputs<'a> {
    fn read(&mut self, cursor: &mut Cursor<'a>) -> Result<(), DecodeError> {
        self.count = cursor.compact_size()?;
        let mut total = 0;
        for _ in 0..self.count {
            let value = i64::from_le_bytes(*cursor.array()?);
            // Nothing is added up after a fault, so that nothing overflows.
            if self.fault.is_none() {
                total += value.clamp(0, MAX_MONEY);
                self.fault = match value {
                    ..0 => Some(Invalid::OutputNegative),
                    value if value > MAX_MONEY => Some(Invalid::OutputTooLarge),
                    _ if total > MAX_MONEY => Some(Invalid::OutputsTooLarge),
                    _ => None,
                };
            }
            let commitment = cursor.counted()?.strip_prefix(&COMMITMENT);
            self.commitment = commitment.and_then(<[u8]>::first_chunk).or(self.commitment);
        }
        Ok(())
    }
}

/// Reads a list of items for each input. At least one must not be empty.
fn read_witnesses<'a>(cursor: &mut Cursor<'a>, inputs: u64) -> Result<&'a [u8], DecodeError> {
    let start = cursor.rest();
    let mut any = false;
    for _ in 0..inputs {
        let items = cursor.compact_size()?;
        any |= items > 0;
        for _ in 0..items {
            cursor.counted()?;
        }
    }
    if !any {
        return Err(DecodeError::NoWitness);
    }
    Ok(&start[..start.len() - cursor.left()])
}

fn is_null(spent: &OutPoint) -> bool {
    let (hash, index) = spent.split_at(32);
    index == [0xff; 4] && hash == [0; 32]
}

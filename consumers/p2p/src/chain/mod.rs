//! Headers, difficulty, and what makes a block valid: no input or output, no clock.
//!
//! - [`Params`]: what sets one network apart from another
//! - [`Tree`]: all headers, with the rules that a header must keep; each is an [`Entry`], named by an [`Id`]
//! - [`check_block`]: whether a block's bytes keep the rules that need no coins
//! - [`LowWork`]: a peer's headers, while it is not known whether they have enough work
//! - [`generate`]: chains for tests and measurements
//! - [`template`], [`mine()`]: new blocks
//! - `target`, `difficulty`: proof of work, and what it is to be next; `hash`: SHA-256d; `sigops`: signature operations of a script
//!
//! Not checked at all: scripts, the signature operations of those that are spent, and whether what a transaction spends exists. On
//! signet that leaves out the signature of a block (BIP 325), for it is a script.

mod check;
mod difficulty;
pub mod generate;
mod hash;
mod low_work;
mod mine;
mod params;
mod sigops;
mod target;
mod tree;

pub(crate) use check::{Alone, MAX_MONEY, check_transaction};
pub use check::{
    BlockError, Checked, DecodeError, Invalid, MAX_BLOCK_WEIGHT, Mutated, Rules, check_block, peek_header,
    strip_witness,
};
pub use low_work::{LowWork, LowWorkError, MARK_PERIOD, MAX_FOLLOWED, Step, claimed_work};
pub use mine::{COINBASE_MATURITY, Slot, mine, slot, subsidy, template};
pub use params::Params;
pub(crate) use sigops::{SIGOP_COST, bare_sigops, hashed_sigops, last_push};
pub use target::check_work;
pub use tree::{
    Accepted, Entry, Forgotten, HeaderError, Id, MAX_FUTURE_TIME, MAX_TIMEWARP, MAX_UNSTORED, MEDIAN_SPAN,
    Tree,
};

//! Where we are with the headers of one peer.

use crate::chain::LowWork;
use std::time::Instant;

/// What was asked of a peer, and what came of it.
///
/// Headers are asked of every peer that serves blocks, and of none in particular, so that none can hold us up. What one
/// has told need not be told by the others: while it goes on, and quickly, they wait. They are asked for what comes after it, or as
/// soon as it is not quick.
#[derive(Debug, Default)]
pub struct Headers {
    /// Since when an answer to `getheaders` is due.
    pub(crate) asked: Option<Instant>,
    /// Since when it is not asked because another tells the same, and the height of the best chain of headers then.
    pub(crate) waiting: Option<(Instant, u32)>,
    /// It was asked for what comes after a header whose block, or that of an ancestor, we do not have.
    pub(crate) above: bool,
    /// It has less than the best chain that we know of: it is asked from what it has told, and not from there.
    pub(crate) less: bool,
    /// It has told all that it has.
    pub(crate) complete: bool,
    /// Messages in a row that connected to nothing.
    pub(crate) unconnected: u32,
    /// A long chain whose work does not suffice so far: followed without being kept.
    pub(crate) low_work: Option<LowWork>,
}

impl Headers {
    /// Whether the peer has told all headers that it has.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The height up to which the peer has told headers that are not kept, since their work does not suffice so far.
    pub fn followed(&self) -> Option<u32> {
        self.low_work.as_ref().map(LowWork::height)
    }
}

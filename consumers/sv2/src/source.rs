//! Where templates come from.

use crate::solution::Solution;
use crate::work::Work;
use std::sync::Arc;

/// Where templates come from, and solutions go to. Both methods are called on the loop, and must not wait for anything.
pub trait Source {
    /// What is to be mined on, or `None` as long as that is not known. Whoever changes it wakes the loop
    /// ([`Remote::wake`](sockman::Remote::wake)): it is asked again then.
    fn work(&self) -> Option<Arc<Work>>;

    /// Takes a block that a client has found. The client is not told what becomes of it: if it is the new tip, it is told so as all
    /// are. The same block may come twice.
    fn solved(&mut self, solution: Solution);
}

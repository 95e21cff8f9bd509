//! The loop's end.

use super::board::Board;
use sockman_sv2::{Solution, Source, Work};
use std::sync::Arc;

/// Where a provider has its work from, and where it gives solutions to: a node's templates. Clones share them.
#[derive(Clone)]
pub struct NodeSource(Arc<Board>);

impl NodeSource {
    pub(super) fn new(board: Arc<Board>) -> NodeSource {
        NodeSource(board)
    }
}

impl Source for NodeSource {
    fn work(&self) -> Option<Arc<Work>> {
        self.0.work()
    }

    fn solved(&mut self, solution: Solution) {
        self.0.hand_in(solution);
    }
}

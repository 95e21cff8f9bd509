//! The loop's end.

use super::board::Board;
use sockman_sv2::{Solution, Source, Work};
use std::sync::Arc;

/// Where a provider has its work from, and where it gives solutions to: a node's templates. Clones share them.
#[derive(Clone)]
pub struct Feed(Option<Arc<Board>>);

impl Feed {
    pub(super) fn new(board: Arc<Board>) -> Feed {
        Feed(Some(board))
    }

    /// One that has nothing: for a provider that nobody asks.
    pub fn none() -> Feed {
        Feed(None)
    }
}

impl Source for Feed {
    fn work(&self) -> Option<Arc<Work>> {
        self.0.as_ref()?.work()
    }

    fn solved(&mut self, solution: Solution) {
        if let Some(board) = &self.0 {
            board.hand_in(solution);
        }
    }
}

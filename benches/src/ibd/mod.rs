//! Downloading a chain of blocks, as a node does that starts with nothing: the work `ibd`.
//!
//! One process serves a chain from memory, another downloads it, and one of the two is the subject. All subjects have the same
//! [`Talk`](talk::Talk), which knows what to ask, and the same [`Sink`](sink::Sink), which takes the blocks: they differ in
//! how bytes get from the kernel to them and back.
//!
//! - here: what there is to measure ([`Task`]: a [`Shape`] at a [`Level`])
//! - [`chain`]: the blocks, generated once into a file
//! - [`talk`]: what a downloader says; [`sink`]: what it does with a block; [`download`]: its process
//! - [`backend`]: both ends on a sockman backend; the rivals' are in [`rivals::ibd`](crate::rivals::ibd)
//! - [`serving`]: what a server answers; who loads it is in [`load::blocks`](crate::load::blocks)
//! - [`bystander`]: a peer that only pings while others download
//! - [`ground`]: what the measurements of a run have in common: the chains, and the processes that serve them

#[cfg(any_backend)]
pub mod backend;
pub mod bystander;
pub mod chain;
pub mod download;
pub mod ground;
pub mod serving;
pub mod sink;
pub mod talk;

use crate::Failure;
use crate::serve::Ready;
use chain::Chain;
use clap::ValueEnum;
use std::io;

/// Blocks that a downloader keeps asked for, as many as Bitcoin Core does of one peer (`MAX_BLOCKS_IN_TRANSIT_PER_PEER`).
pub const IN_FLIGHT: usize = 16;

/// Peers that do nothing, in [`Shape::Crowd`].
pub const IDLE: usize = 200;

/// Peers that send a block a little at a time, in [`Shape::Crowd`].
pub const SLOW: usize = 4;

/// What is downloaded, and how; or to how many it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Big blocks, 16 at a time
    Big,
    /// Tiny blocks, 16 at a time
    Tiny,
    /// Tiny blocks, one after the other
    Single,
    /// Big blocks, while 200 peers are idle and 4 are slow
    Crowd,
    /// Big blocks are served, to as many readers as there are connections
    Serve,
}

impl Shape {
    /// As in arguments and rows.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Big => "big",
            Shape::Tiny => "tiny",
            Shape::Single => "single",
            Shape::Crowd => "crowd",
            Shape::Serve => "serve",
        }
    }

    /// Blocks that are asked for at once.
    pub fn in_flight(self) -> usize {
        match self {
            Shape::Single => 1,
            _ => IN_FLIGHT,
        }
    }

    /// Whether the blocks are tiny.
    pub fn is_tiny(self) -> bool {
        matches!(self, Shape::Tiny | Shape::Single)
    }

    /// How deep it is looked by default: every depth where that is what is compared; otherwise where it tells something.
    fn levels(self) -> &'static [Level] {
        match self {
            Shape::Big => Level::value_variants(),
            Shape::Tiny => &[Level::L0, Level::L1, Level::L4],
            Shape::Single => &[Level::L1],
            Shape::Crowd => &[Level::L1, Level::L3],
            // The readers discard.
            Shape::Serve => &[Level::L0],
        }
    }
}

/// How much is done with a block; each does what those before it do, but that the check of L3 walks over the bytes and needs none of
/// L2's structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    /// Nothing: it is discarded
    L0,
    /// The message's checksum is compared
    L1,
    /// And the block is decoded
    L2,
    /// And its proof of work, its Merkle root and its witness commitment are checked
    L3,
    /// And it is stored on disk
    L4,
}

impl Level {
    /// As in arguments and rows.
    pub fn name(self) -> &'static str {
        match self {
            Level::L0 => "l0",
            Level::L1 => "l1",
            Level::L2 => "l2",
            Level::L3 => "l3",
            Level::L4 => "l4",
        }
    }

    /// For people to read.
    pub fn text(self) -> &'static str {
        match self {
            Level::L0 => "discarded",
            Level::L1 => "checksum",
            Level::L2 => "decoded",
            Level::L3 => "checked",
            Level::L4 => "checked and stored",
        }
    }
}

/// What one measurement is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// What is downloaded.
    pub shape: Shape,
    /// What is done with it.
    pub level: Level,
}

impl Task {
    /// Whether the subject downloads; otherwise it serves.
    pub fn downloads(self) -> bool {
        self.shape != Shape::Serve
    }
}

/// The tasks of these shapes and levels, or of all, each with its numbers of connections.
pub fn groups(shapes: &[Shape], levels: &[Level], readers: &[usize]) -> Vec<(Task, usize)> {
    let shapes = if shapes.is_empty() {
        Shape::value_variants()
    } else {
        shapes
    };
    let mut groups = Vec::new();
    for &shape in shapes {
        let chosen = if levels.is_empty() || shape == Shape::Serve {
            shape.levels()
        } else {
            levels
        };
        let connections = match shape {
            Shape::Serve => readers,
            Shape::Crowd => &[2 + IDLE + SLOW],
            _ => &[1],
        };
        for &level in chosen {
            for &count in connections {
                groups.push((Task { shape, level }, count));
            }
        }
    }
    groups
}

/// How a subject takes part.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Downloads, and returns when all blocks have come.
    pub download: fn(download::Download) -> Result<talk::Report, Failure>,
    /// Serves the chain, until the process ends.
    pub serve: fn(Chain, Ready<'_>) -> io::Result<()>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_arguments() {
        for shape in Shape::value_variants() {
            assert_eq!(Shape::from_str(shape.name(), false).as_ref(), Ok(shape));
        }
        for level in Level::value_variants() {
            assert_eq!(Level::from_str(level.name(), false).as_ref(), Ok(level));
        }
    }

    #[test]
    fn what_is_given_is_all_there_is() {
        let all = groups(&[], &[], &[1, 4]);
        assert_eq!(all.iter().filter(|(task, _)| task.shape == Shape::Big).count(), 5);
        assert_eq!(
            all.iter().filter(|(task, _)| task.shape == Shape::Serve).count(),
            2
        );
        let few = groups(&[Shape::Tiny, Shape::Serve], &[Level::L2], &[7]);
        let few: Vec<_> = few
            .iter()
            .map(|(task, count)| (task.shape, task.level, *count))
            .collect();
        assert_eq!(few, [(Shape::Tiny, Level::L2, 1), (Shape::Serve, Level::L0, 7)]);
    }
}

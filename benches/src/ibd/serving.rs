//! What a server answers: the same for every subject.

use super::chain::{Chain, magic};
use super::talk::Role;
use sockman::bytes::Bytes;
use sockman_p2p::wire::{self, Frame, Inventory, Message};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// How much of a block a slow peer sends at a time.
pub const PIECE: usize = 4 << 10;

/// How often it does.
pub const EVERY: Duration = Duration::from_millis(10);

/// One peer of a server.
#[derive(Debug)]
pub struct Peer {
    chain: Arc<Chain>,
    role: Role,
    /// Blocks that it wants.
    wanted: VecDeque<usize>,
    /// What a slow peer has not been sent of its block.
    rest: Option<Range<usize>>,
}

impl Peer {
    /// A peer that nothing is known of.
    pub fn new(chain: Arc<Chain>) -> Peer {
        Peer {
            chain,
            role: Role::Idle,
            wanted: VecDeque::new(),
            rest: None,
        }
    }

    /// What it is here for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Takes a message, and appends the answer; blocks are to be had of [`next_block`](Peer::next_block).
    pub fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        match frame.decode().map_err(io::Error::other)? {
            Message::Version(version) => {
                self.role = Role::of(&version.user_agent);
                self.role.greet(out);
                wire::encode(out, magic(), &Message::Verack);
                if self.role == Role::Slow {
                    self.rest = Some(0..self.chain.frames[self.chain.largest].len());
                }
            }
            Message::GetHeaders { locator, .. } => {
                let headers = self.chain.after(&locator);
                wire::encode(out, magic(), &Message::Headers(headers));
            }
            Message::GetData(entries) => {
                for entry in entries {
                    if let Inventory::WitnessBlock(hash) | Inventory::Block(hash) = entry {
                        self.wanted.extend(self.chain.find(&hash));
                    }
                }
            }
            Message::Ping(number) => wire::encode(out, magic(), &Message::Pong(number)),
            _ => {}
        }
        Ok(())
    }

    /// The next block that it wants.
    #[inline]
    pub fn next_block(&mut self) -> Option<Bytes> {
        Some(self.chain.frames[self.wanted.pop_front()?].clone())
    }

    /// The next piece of a slow peer's block.
    pub fn piece(&mut self) -> Option<Bytes> {
        let rest = self.rest.as_mut()?;
        let piece = rest.start..rest.end.min(rest.start + PIECE);
        rest.start = piece.end;
        (!piece.is_empty()).then(|| self.chain.frames[self.chain.largest].slice(piece))
    }
}

//! The readiness engine: what runs over every poller that says "you may read now".
//!
//! It is generic over a [`Kernel`], which is sockets and a poller. [`Os`] is the real kernel's sockets with any
//! [`Poller`]; a simulated kernel can take its place, and the engine does not know. To add a poller, implement
//! [`Poller`] (about a hundred lines) and name the type `Engine<Os<YourPoller>>`.
//!
//! - `kernel`: the trait [`Kernel`] and what it reports
//! - `os`, `poller`: the real kernel's sockets, and the trait [`Poller`]
//! - `interface`: [`Readiness`], which is the part of the engine that differs from other families
//! - `watching`: what the poller is told and reports; `read`: receiving
//!
//! **Edge or level.** A poller says which it is. Edge-triggered ones are told of a socket once, for both directions, and
//! never again: at 50 busy connections that leaves one receive, one send and a share of the wait per message. A read that
//! got less than it asked for has emptied the socket, so the read that would say so is not made, unless the peer's end
//! was reported along with the data. A poller that cannot report the peer's end apart from data (as `polling` cannot)
//! would need that second read on every message; it does better level-triggered, where what is left is simply reported
//! again, at the price of a change of interest when a connection is paused or its peer does not read.

mod interface;
mod kernel;
mod os;
mod poller;
mod read;
mod watching;

pub use kernel::{Event, Interest, Kernel};
pub use os::{Os, OsListener};
pub use poller::Poller;
pub use watching::{Io, Listening, Readiness};

/// The readiness engine over a kernel.
pub type Engine<K> = sockman::shared::Engine<Readiness<K>>;

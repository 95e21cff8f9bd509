//! The readiness engine: what runs over every poller that says "you may read now".
//!
//! It is generic over a [`Kernel`], which is sockets and a poller. [`Os`] is the real kernel's sockets with any
//! [`Poller`]; a simulated kernel can take its place, and the engine does not know. To add a poller, implement
//! [`Poller`] (about a hundred lines) and name the type `Engine<Os<YourPoller>>`.
//!
//! - `kernel`: the trait [`Kernel`] and what it reports
//! - `os`, `socket`, `poller`: the real kernel's sockets, and the trait [`Poller`]
//! - `net`: [`Net`], the `SockMan` that handlers see
//! - `accept`, `dial`, `read`, `write`: the four things that happen to sockets
//! - `turn`: the loop
//!
//! **Edge or level.** A poller says which it is. Edge-triggered ones are told of a socket once, for both directions, and
//! never again: at 50 busy connections that leaves one receive, one send and a share of the wait per message. A read that
//! got less than it asked for has emptied the socket, so the read that would say so is not made, unless the peer's end
//! was reported along with the data. A poller that cannot report the peer's end apart from data (as `polling` cannot)
//! would need that second read on every message; it does better level-triggered, where what is left is simply reported
//! again, at the price of a change of interest when a connection is paused or its peer does not read.
//!
//! **Order of a turn.** Events only set flags and enter connections into the ready list. Then come commands of remotes,
//! timers, listeners, and each ready connection once, with a budget of bytes. What the budget left stays in the list, and
//! the next turn does not sleep. After every callback what it sent is written and what it closed is closed.

mod accept;
mod dial;
mod kernel;
mod net;
mod os;
mod poller;
mod read;
mod socket;
mod turn;
mod write;

pub use kernel::{Event, Interest, Kernel};
pub use net::Net;
pub use os::{Os, OsListener};
pub use poller::Poller;
pub use turn::Engine;

//! For those who write backends: what all of them share, written once.
//!
//! - [`Interface`]: what differs between kernel interfaces; [`Engine`]`<I>` is the backend over one
//! - [`Net`]: the operations that handlers see; [`Delivery`]: everything that calls a handler
//! - [`Core`]: the connections, their states, and every operation of [`SockMan`](crate::SockMan) that needs no I/O
//! - [`ConnState`] and [`Phase`]: what a connection is and how far along; [`Listeners`] and [`Listening`]
//! - `accept`, `redial`, `write`: bursts and rests of listeners, dials, and sending
//! - [`SendQueue`], [`Unread`], [`Pool`]: buffers that only connections with work own
//! - [`Slots`]: the slab that gives out ids
//! - [`Timers`]: deadlines and timers
//! - [`Mailbox`](crate::Mailbox) is the loop's side of `Remote`
//!
//! A backend that fits none of this can implement [`Backend`](crate::Backend) itself.
//!
//! **Order of a turn.** What the caller did since the last one is written and closed; then the wait; commands of remotes;
//! timers; listeners that have something; each connection of the ready list once, with a budget of bytes; posts. What a
//! budget left over stays in its list, and the next turn does not sleep. After every callback what it sent is written and
//! what it closed is closed. An interface either takes note of events in its wait, and delivers when it
//! [serves](Interface::serve) the connection, or delivers inside the wait.

mod accept;
mod conn;
mod core;
mod delivery;
mod engine;
mod inbox;
mod interface;
mod net;
mod pool;
mod redial;
mod send_queue;
mod slots;
mod timers;
mod unread;
mod write;

pub use self::accept::{Listeners, Listening};
pub use self::conn::{ConnState, Ending, Phase};
pub use self::core::Core;
pub use self::delivery::Delivery;
pub use self::engine::Engine;
pub use self::interface::Interface;
pub use self::net::Net;
pub use self::pool::{Pool, Reuse};
pub use self::send_queue::SendQueue;
pub use self::slots::Slots;
pub(crate) use self::slots::grow;
pub use self::timers::{Due, Timers};
pub use self::unread::Unread;

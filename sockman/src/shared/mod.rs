//! For those who write backends: what all of them share, written once.
//!
//! - [`Core`]: the connections, their states, and every operation of [`SockMan`](crate::SockMan) that needs no I/O
//! - [`ConnState`] and [`Phase`]: what a connection is and how far along
//! - [`Inbox`]: offers received bytes to the handler and keeps what it leaves
//! - [`SendQueue`], [`Unread`], [`Pool`]: buffers that only connections with work own
//! - [`Slots`]: the slab that gives out ids
//! - [`Timers`]: deadlines and timers
//! - [`Mailbox`](crate::Mailbox) is the loop's side of `Remote`

mod conn;
mod core;
mod inbox;
mod pool;
mod send_queue;
mod slots;
mod timers;
mod unread;

pub use self::conn::{ConnState, Ending, Phase};
pub use self::core::Core;
pub use self::inbox::{HasCore, Inbox};
pub use self::pool::{Pool, Reuse};
pub use self::send_queue::SendQueue;
pub use self::slots::Slots;
pub(crate) use self::slots::grow;
pub use self::timers::{Due, Timers};
pub use self::unread::Unread;

//! The backend over Linux's io_uring.
//!
//! - `interface`: operations on sockets; `turn`: waiting, and what completions mean
//! - `receive`: receiving; `direct`: receiving what is large; `listener`: accepting
//! - `ring`: what is entered and under way; `queues`: the two queues; `batch`: sends that leave together
//! - `pool`: the memory that received bytes come in
//! - `setup`: finding out what the kernel has; `wake`: the way in for other threads
//! - `faults` (feature `uring-faults`, for tests): the kernel is made to fail and to shorten operations
//!
//! **Receiving** is one operation a connection that goes on by itself and takes buffers from a common pool: an idle
//! connection owns none. Bytes are delivered where they lie, and their buffer is lent again at once; what cannot be
//! delivered (the connection is paused, or has had its budget of the turn) is copied out first, so that no connection holds
//! a buffer and the pool cannot be drained by paused ones. Receiving is ended only then, and started again when what was
//! kept has been delivered. Where a handler waits for a large message ([`want`](sockman::SockMan::want)), it is ended as well, and
//! the message is read to where it is put together, when a poll says that there is something: a call more, and a copy less.
//!
//! **Sending** has two ways. In a turn of few events each send leaves at once, by a call of its own: nothing is faster for
//! one connection. In a turn of many ([`Config::batch_from`](sockman::Config::batch_from)) small sends are put together and
//! submitted with one call at the end of the turn. They are submitted as attempts that do not wait (`MSG_DONTWAIT`) and
//! make a completion only when they were cut short, so that all are over when that call returns: no bytes are in flight
//! afterwards, none can overtake others, and one piece of memory serves every batch. What was not taken goes in front of
//! the connection's queue, and a poll tells when there is room.
//!
//! **Accepting** goes on by itself while there is ample room for connections, and otherwise waits to be told, so that
//! connections above the bound stay in the backlog.
//!
//! **Closing** is submitted too, behind all that was entered before for the same descriptor: its number is in use until
//! then, so that nothing can reach another socket.
//!
//! # Soundness
//!
//! What is shared with the kernel: the two queues (the crate `io-uring` guards them), the pool's memory, and the batch's.
//!
//! - *Which thread.* The ring is made, used and dropped on one thread: nothing that holds it is `Send`.
//! - *Entries.* An operation names a descriptor, or points to the batch's memory, or takes buffers from the pool; nothing
//!   else. Each entry is submitted before its descriptor is closed (closing is an entry behind it).
//! - *The batch's memory* is read by the kernel only inside the call that submits it, since its sends do not wait.
//! - *The pool's memory* is written by the kernel from the time a buffer is lent until a completion names it. We touch it
//!   only between that completion and lending it again. `Ring` counts the operations that have not had their last
//!   completion; dropping it cancels all and waits for theirs, and frees the memory then. If the kernel did not end them
//!   within seconds, the memory would be leaked, not freed.
//! - *Descriptors* that a completion brings (accepting) are owned from then on, or closed when their listener has gone.

#![allow(unsafe_code)]

mod batch;
mod direct;
#[cfg(feature = "uring-faults")]
pub mod faults;
mod interface;
mod listener;
mod pool;
mod queues;
mod receive;
mod ring;
mod setup;
mod turn;
mod wake;

pub use interface::{Io, UringInterface};
pub use listener::Listening;
pub use pool::Pool;
pub use setup::Unavailable;

/// The backend over io_uring.
pub type Uring = sockman::shared::Engine<UringInterface>;

//! A socket manager: a protocol server is written once, against traits, and runs unchanged over every backend.
//!
//! This crate holds the traits and what backends share; it does no I/O. Backends are in `sockman-backends`, which
//! re-exports this crate.
//!
//! - A protocol implements [`Handler`] and is given a [`SockMan`].
//! - A [`Driver`] puts a handler on a [`Backend`] and runs it, one [`turn`](Driver::turn) at a time or to the
//!   [end](Driver::run).
//! - Other threads reach the loop through a [`Remote`].
//! - [`Shards`] runs several loops on threads; [`Spread`] has one accept for all.
//! - [`Mux`] puts two protocols on one loop; [`Wrapper`] changes what a handler is given.
//! - [`Turns`] has work that takes long, for many connections, done so much a turn.
//! - [`shared`] is for those who write a backend.

#![forbid(unsafe_code)]

mod backend;
mod clock;
mod config;
mod conn_map;
#[doc(hidden)]
mod counts;
mod driver;
mod endpoint;
mod handler;
mod id;
pub mod mutant;
mod mux;
mod net;
mod options;
mod reason;
mod remote;
mod shards;
pub mod shared;
mod spread;
mod stats;
mod sync;
mod turns;
mod wrapper;

pub use backend::{Backend, Sink, Turn};
pub use bytes::{self, Bytes};
pub use clock::Clock;
pub use config::{Config, Limits};
pub use conn_map::ConnMap;
pub use driver::Driver;
pub use endpoint::{BadEndpoint, Endpoint};
pub use handler::{Handler, Origin, OriginKind};
pub use id::{Conn, Id, Listener, MAX_SLOTS, RawId, Timer};
pub use mux::{Mux, MuxSession, Side, Sided};
pub use net::{ConnInfo, SockMan};
pub use options::{AdoptOptions, DialOptions, ListenOptions};
pub use reason::{Closed, DialError, Disconnect, Gone, RemoteError, Sent, WantError};
pub use remote::{Mailbox, Remote};
pub use shards::Shards;
pub use spread::{Seat, Spread};
pub use stats::{Stats, Syscall, Syscalls};
pub use turns::Turns;
pub use wrapper::Wrapper;

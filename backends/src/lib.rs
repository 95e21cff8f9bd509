//! Backends for [`sockman`], one cargo feature each.
//!
//! | feature | type | what it is |
//! |---|---|---|
//! | `mio` (default) | [`Mio`] | the readiness engine over the crate `mio` |
//! | `polling` | [`Polling`] | the readiness engine over the crate `polling` |
//! | `uv` | [`Uv`] | libuv streams, through the crate `libuv-sys2`, whose build needs libclang |
//! | `uring` | [`Uring`] | Linux's io_uring, through the crate `io-uring` |
//! | `sim` | [`sim::Sim`] | the readiness engine on a [simulated network](sim), for tests; never the default |
//!
//! [`DefaultBackend`] is the first of these that is compiled in, in this order. Features are additive: turning one on
//! adds a type and changes nothing else, except that `DefaultBackend` may become a backend further up in the table.
//!
//! ```
//! use sockman_backends::{DefaultBackend, sockman};
//! use sockman::{Config, Conn, Driver, Handler, ListenOptions, Origin, SockMan};
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     type Session = ();
//!     fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
//!         Some(())
//!     }
//!     fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut (), data: &mut [u8]) -> usize {
//!         let _ = net.send(conn, data);
//!         data.len()
//!     }
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! let mut driver = Driver::<DefaultBackend, _>::new(&Config::default(), Echo)?;
//! driver.with(|_, net| net.listen(&"127.0.0.1:0".parse().unwrap(), &ListenOptions::default()))?;
//! driver.turn(Some(std::time::Duration::ZERO))?;
//! # Ok(())
//! # }
//! ```
//!
//! What lives where: [`readiness`] is the part that `mio` and `polling` share, with the traits for a poller of your own;
//! each other module is one backend. What all of them share is `sockman::shared`.

#![deny(unsafe_code)]

pub use sockman;

#[cfg(feature = "mio")]
pub mod mio;
#[cfg(feature = "polling")]
pub mod polling;
#[cfg(feature = "readiness")]
pub mod readiness;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(any(feature = "readiness", feature = "uring", feature = "uv"))]
mod socket;
#[cfg(feature = "uring")]
pub mod uring;
#[cfg(feature = "uv")]
pub mod uv;
#[cfg(any(feature = "sim", feature = "uring-faults"))]
mod when;

#[cfg(feature = "mio")]
pub use crate::mio::Mio;
#[cfg(feature = "polling")]
pub use crate::polling::Polling;
#[cfg(feature = "uring")]
pub use crate::uring::Uring;
#[cfg(feature = "uv")]
pub use crate::uv::Uv;

/// The first of `Mio`, `Polling`, `Uv`, `Uring` that is compiled in.
#[cfg(feature = "mio")]
pub type DefaultBackend = Mio;
/// The first of `Mio`, `Polling`, `Uv`, `Uring` that is compiled in.
#[cfg(all(feature = "polling", not(feature = "mio")))]
pub type DefaultBackend = Polling;
/// The first of `Mio`, `Polling`, `Uv`, `Uring` that is compiled in.
#[cfg(all(feature = "uv", not(any(feature = "mio", feature = "polling"))))]
pub type DefaultBackend = Uv;
/// The first of `Mio`, `Polling`, `Uv`, `Uring` that is compiled in.
#[cfg(all(
    feature = "uring",
    not(any(feature = "mio", feature = "polling", feature = "uv"))
))]
pub type DefaultBackend = Uring;

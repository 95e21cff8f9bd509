//! A simulated network: the readiness engine on a kernel that is simulated, under virtual time, from a seed.
//!
//! The very code that runs on epoll runs here, system call by system call, without a socket, a thread or a clock. One
//! [`Network`] owns time, chance and any number of [`Host`]s. Each host makes backends ([`Sim`], edge-triggered, or
//! [`SimLevel`]) for drivers, and [`Plain`] sockets for tests. [`Network::run_until`] lets whichever loop is due take its
//! turn, and time leap to the next event. Faults happen by chance or at an exact moment, as a [`Plan`] says. The same seed
//! gives the same [trace](Network::trace), byte for byte, so that whatever was found can be found again.
//!
//! ```
//! use sockman_backends::sim::{Link, Network, Settings, Sim};
//! use sockman_backends::sockman::{Config, Conn, DialOptions, Driver, Handler, ListenOptions, Origin, SockMan};
//! use std::time::Duration;
//!
//! /// Sends back what it receives; as a client, says the first word.
//! #[derive(Default)]
//! struct Echo {
//!     heard: Vec<u8>,
//! }
//!
//! impl Handler for Echo {
//!     type Session = bool;
//!     fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<bool> {
//!         let is_client = origin.key == 1;
//!         if is_client {
//!             let _ = net.send(conn, b"hello");
//!         }
//!         Some(is_client)
//!     }
//!     fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, is_client: &mut bool, data: &mut [u8]) -> usize {
//!         if *is_client {
//!             self.heard.extend_from_slice(data);
//!         } else {
//!             let _ = net.send(conn, data);
//!         }
//!         data.len()
//!     }
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! // An hour away, and nobody waits for an hour.
//! let link = Link::latency(Duration::from_secs(3600));
//! let network = Network::new(Settings { seed: 7, link, ..Settings::default() });
//! let (near, far) = (network.host(), network.host());
//! let mut server = Driver::with_backend(near.backend::<Sim>(&Config::default())?, Echo::default());
//! let mut client = Driver::with_backend(far.backend::<Sim>(&Config::default())?, Echo::default());
//! server.with(|_, net| net.listen(&near.at(80), &ListenOptions::default()))?;
//! let patient = DialOptions { timeout: Duration::MAX, ..DialOptions::key(1) };
//! client.with(|_, net| net.dial(&near.at(80), &patient))?;
//! let ran = network.run_until(&mut (server, client), Duration::MAX, |(_, client)| {
//!     client.handler().heard == b"hello"
//! })?;
//! assert!(ran.is_done() && network.elapsed() > Duration::from_secs(3 * 3600));
//! # Ok(())
//! # }
//! ```
//!
//! **What is simulated.** TCP and Unix stream sockets as Linux has them: three packets to open, backlogs, windows (a sender
//! sees a full peer), ordered bytes, FIN and RST, `SO_ERROR`, `EAGAIN`, `EINPROGRESS`, descriptors and their limit, edge- and
//! level-triggered readiness with hang-up beside data. A call takes no time; a wait takes [`Settings::wait_cost`], so that
//! loops that are busy for ever do not stop time. Not simulated: descriptors that can be handed over
//! ([`adopt`](sockman::SockMan::adopt) and [`detach`](sockman::SockMan::detach) fail), congestion, and options that change no
//! call's result (`TCP_NODELAY`, keep-alive).
//!
//! - [`network`](self): [`Network`], its [`Settings`] and time; `host`: [`Host`]; `plain`: [`Plain`] sockets for tests
//! - `kernel`: [`SimKernel`], which is what the engine runs on; `step`: [`Loops`] that a network runs
//! - `faults`: [`Fault`], [`Plan`]; `route`: [`Link`] and where there is none; `trace`: what happened
//! - `world`: the simulation itself

mod faults;
mod host;
mod kernel;
mod network;
mod plain;
mod route;
mod step;
mod trace;
mod world;

pub use faults::{BadOccurrence, Fault, Occurrence, Plan, When};
pub use host::Host;
pub use kernel::{Sim, SimKernel, SimLevel, SimListener, SimSocket, Simulated};
pub use network::{Network, Settings};
pub use plain::{Plain, PlainListener};
pub use route::Link;
pub use step::{Loops, Ran, Step};
pub use trace::Tracing;

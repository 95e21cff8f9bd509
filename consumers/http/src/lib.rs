//! HTTP/1 for sockman: a server, written as a [`sockman::Handler`], that runs on any of its backends.
//!
//! It takes what RFC 9112 allows and no more, so that no two readers can disagree about where a request ends; it costs the same
//! whether a request comes whole or byte by byte; and every answer leaves at once, wherever it comes from.
//!
//! - [`Server`]: the handler, with its [`Settings`] and [`Counters`]; [`serve`] runs one in one call
//! - [`Service`]: what an application implements, given a [`Request`] and a [`Reply`]; [`service_fn`] makes one of a closure
//! - [`Deferred`] and [`Writer`]: answers from other threads; [`Workers`]: threads for them
//! - [`Router`]: from paths and methods to functions; layers are services around services
//! - [`Source`] and [`Upload`]: bodies piece by piece, as fast as the other end takes them
//! - [`http1`]: the protocol without sockets or time; [`Limits`]: what a client may send; [`Reject`]: why a request is refused
//! - [`rpc`]: JSON-RPC as Bitcoin Core speaks it
//! - [`metrics`], [`sse`]: counters as Prometheus has them, and server-sent events
//!
//! With the feature `async`, code that is `async` can answer too.

#![forbid(unsafe_code)]

#[cfg(feature = "async")]
mod asynchronous;
mod deferred;
pub mod http1;
mod limits;
pub mod metrics;
pub mod mutant;
mod reject;
mod reply;
mod router;
pub mod rpc;
mod serve;
mod server;
mod service;
mod service_fn;
pub mod sse;
mod workers;

#[cfg(feature = "async")]
pub use asynchronous::{Async, AsyncService, Run, Task};
pub use deferred::{Deferred, Resumer, SendError, Writer};
pub use http;
pub use http1::Flow;
pub use limits::{Dialect, Limits};
pub use reject::Reject;
pub use reply::{Answered, Reply, Respond};
pub use router::{Answer, BadRoute, Call, Router};
pub use serve::serve;
pub use server::counters::{Count, Counters};
pub use server::{Clock, Server, Settings};
pub use service::{Body, Pull, Request, Service, Source, Take, Upload};
pub use service_fn::{ServiceFn, service_fn};
pub use workers::Workers;

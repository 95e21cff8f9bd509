//! HTTP/1 for sockman.
//!
//! So far this is the part of a server that reads: [`http1::Decoder`], bytes in, requests out, without sockets or time. It
//! takes what RFC 9112 allows and no more, so that no two readers can disagree about where a request ends, and it costs the
//! same whether a request comes whole or byte by byte.
//!
//! - [`http1`]: the decoder
//! - [`Limits`]: what a client may send
//! - [`Reject`]: why a request is refused, with its status

#![forbid(unsafe_code)]

pub mod http1;
mod limits;
mod reject;

pub use limits::Limits;
pub use reject::Reject;

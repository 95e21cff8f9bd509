//! Stratum V2 on the wire: keys, Noise, frames and messages; no sockets, no time, no chance of its own.
//!
//! - [`Authority`], [`AuthorityKey`]: who vouches for a server, and what its clients know of it
//! - [`respond`], [`Initiator`]: the handshake, Noise NX; [`Chance`]: where its random numbers come from
//! - [`Transport`]: frames after the handshake; [`Frame`]: one of them
//! - [`Message`]: what is in a frame
//!
//! Everything that the reference implementation's crates are used for is used here. They read and write bytes; this is what
//! they are given, and what is made of it.

mod chance;
mod data;
mod handshake;
mod keys;
mod message;
mod parse;
mod transport;

pub use chance::Chance;
pub use handshake::{HELLO, Initiator, REPLY, Rejected, respond};
pub use keys::{Authority, AuthorityKey, BadKey};
pub(crate) use message::TEMPLATE_DISTRIBUTION;
pub use message::{Constraints, Message, NewTemplate, PrevHash, Setup, Submission};
pub use parse::Malformed;
pub use transport::{Broken, Encoder, Frame, HEADER, MAX_PAYLOAD, Opened, TooLarge, Transport};

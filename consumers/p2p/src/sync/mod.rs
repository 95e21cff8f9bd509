//! What to ask whom for: no sockets, no time of its own.
//!
//! - [`Headers`]: where we are with the headers of one peer.
//! - [`Download`]: which blocks are asked of which peers.

mod download;
mod headers;

pub use download::Download;
pub(crate) use download::Hedge;
pub use headers::Headers;

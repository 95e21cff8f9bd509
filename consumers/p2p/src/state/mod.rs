//! What a node knows, as other threads may see it too: its chain, its peers, whom it dials and whom it bans.
//!
//! - [`Chain`]: the active chain, which is the tree of headers and the store of blocks put together.
//! - [`Peers`]: whom we are connected to.
//! - [`Targets`]: whom we want to be connected to.
//! - [`Bans`], [`Discouraged`]: whom we do not.
//! - [`Handle`]: all of it under one lock, for other threads.

mod bans;
mod chain;
mod counters;
mod discouraged;
mod handle;
mod peers;
mod room;
mod serving;
mod targets;

pub use bans::{Ban, BanError, Bans, parse_net};
pub use chain::{AcceptError, Accepted, Chain, Refused, Tip, TipStatus};
pub use counters::{Count, Counters};
pub use discouraged::Discouraged;
pub use handle::{AddError, Command, Handle, State, SubmitError};
pub use peers::{Addresses, Direction, Peer, Peers, Ping, Traffic, Trust, Version};
pub use targets::{Kind, Phase, Target, Targets};

pub(crate) use targets::with_port;

pub(crate) use handle::Shared;
pub(crate) use serving::{Request, Serving, Span};

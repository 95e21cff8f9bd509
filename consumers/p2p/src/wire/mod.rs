//! Messages of the Bitcoin P2P protocol as they are on the wire, without sockets and without time.
//!
//! - `command`: the names of messages
//! - `frame`: the transport, version 1: a header of 24 bytes, then exactly the payload; nothing is decoded and nothing is copied
//! - `message`: what a [`Message`] is; `decode` and `encode`: from and to bytes; `version` and `address`: the parts of
//!   messages that older and newer peers write differently
//! - `reader`: the bytes of a payload, from front to back, no further than they go
//!
//! All that this crate uses of [`bitcoin::p2p`] is used here; the rest takes its types from this module.
//!
//! # Receiving
//!
//! [`next()`] looks at the bytes that are there and says what they are, or how many are needed for more; that number is for
//! [`SockMan::want`](sockman::SockMan::want), so that a block is looked at twice, however many pieces it comes in. A [`Frame`]
//! borrows those bytes. Its checksum is to be looked at before its payload is.
//!
//! ```
//! use sockman_p2p::wire::{self, Message, Next};
//!
//! let magic = [0xfa, 0xbf, 0xb5, 0xda];
//! let mut bytes = Vec::new();
//! wire::encode(&mut bytes, magic, &Message::Ping(Some(7)));
//!
//! assert_eq!(wire::next(&bytes[..10], magic), Ok(Next::Wants(24)));
//! assert_eq!(wire::next(&bytes[..30], magic), Ok(Next::Wants(32)));
//! let Ok(Next::Whole(frame)) = wire::next(&bytes, magic) else {
//!     panic!("it is all there");
//! };
//! assert!(frame.is_intact());
//! assert_eq!(frame.decode(), Ok(Message::Ping(Some(7))));
//! ```
//!
//! # What becomes of what is wrong
//!
//! | what | what the caller does |
//! |---|---|
//! | [`FrameError`]: the magic, or a length above [`MAX_PAYLOAD`] | closes: nothing says where the next message begins |
//! | a checksum that is not the payload's ([`Frame::is_intact`]) | drops the message |
//! | [`DecodeError::TooMany`] | closes: no peer that keeps to the protocol sends it |
//! | [`DecodeError::Malformed`] | drops the message |
//! | [`Message::Unknown`] | ignores it: this is how the protocol grows |
//!
//! A peer that begins with the encrypted transport (BIP 324) is met with [`FrameError::Magic`] at its first byte that is not of the
//! magic. Closed at once, it comes back with version 1.

mod address;
mod command;
mod decode;
mod encode;
mod frame;
mod message;
mod reader;
mod version;

pub use bitcoin::p2p::address::{AddrV2, AddrV2Message};
pub use bitcoin::p2p::message_blockdata::Inventory;
pub use bitcoin::p2p::message_network::VersionMessage;
pub use bitcoin::p2p::{Address, ServiceFlags};
pub use command::Command;
pub use decode::{DecodeError, decode};
pub use encode::encode;
pub use frame::{Frame, FrameError, HEADER, Header, MAX_PAYLOAD, Magic, Next, checksum, frame, next};
pub use message::Message;

/// The version of the protocol that is spoken here: with `wtxidrelay` (BIP 339), as Bitcoin Core's `PROTOCOL_VERSION`.
pub const PROTOCOL_VERSION: u32 = 70_016;

/// Entries that an `inv`, a `getdata` or a `notfound` may have: Bitcoin Core's `MAX_INV_SZ`.
pub const MAX_INVENTORY: usize = 50_000;

/// Headers that a `headers` may have: Bitcoin Core's `MAX_HEADERS_RESULTS`.
pub const MAX_HEADERS: usize = 2_000;

/// Addresses that an `addr` or an `addrv2` may have (BIP 155): Bitcoin Core's `MAX_ADDR_TO_SEND`.
pub const MAX_ADDRESSES: usize = 1_000;

/// Hashes that the locator of a `getheaders` or a `getblocks` may have: Bitcoin Core's `MAX_LOCATOR_SZ`.
pub const MAX_LOCATOR: usize = 101;

/// Bytes that the user agent of a `version` may have (BIP 14): Bitcoin Core's `MAX_SUBVERSION_LENGTH`.
pub const MAX_USER_AGENT: usize = 256;

/// Bytes that an address of an `addrv2` may have (BIP 155).
pub const MAX_ADDRESS: usize = 512;

//! JSON-RPC over HTTP as Bitcoin Core speaks it: versions 1.0, 1.1 and 2.0, with its users, codes and statuses.
//!
//! - [`Rpc`]: the service, and its [`Settings`]
//! - [`Dispatcher`]: a body in, a status and a body out, without sockets or time
//! - [`Methods`]: what can be called; a program adds its own
//! - [`Credentials`] and [`Acl`]: who may call, and from where
//! - `message`, `params`, `reply`: the texts; they are read where they lie, and written without a tree between
//! - `builtin`: the methods that every server has
//!
//! What differs from Core, on purpose:
//!
//! - A reply to a request without an id has an id of null; Core leaves it out.
//! - A batch element that is no request always gets a reply, with its own id or null; Core takes one of 2.0 without id
//!   for a notification.
//! - A batch has a limit.
//! - `"jsonrpc":"1.1"` is accepted, as 1.1.
//! - Every call at `/wallet/NAME` fails; Core carries out those that need no wallet.
//! - `args` among named parameters has to be an array.
//! - Parameters that are echoed keep the text they came as, white space included; `echo` takes any number of them.
//!
//! A program adds its own methods to [`Methods`], as functions of a state that it shares with the workers; see there and the
//! example `rpc`. Documentation names what Core calls a thing where it has a name for it.

mod acl;
mod amount;
mod auth;
mod builtin;
mod call;
mod cookie;
mod dispatch;
mod error;
mod hex;
mod instance;
mod message;
mod methods;
mod params;
mod reply;
mod service;

pub use acl::{Acl, BadSubnet, Subnet};
pub use amount::{Amount, BadAmount};
pub use auth::{Access, BadCredentials, CHALLENGE, Credentials, Denied};
pub use call::{Call, Done, Out};
pub use cookie::COOKIE_USER;
pub use dispatch::{Answer, Dispatcher, On};
pub use error::{RpcError, code};
pub use instance::Instance;
pub use message::{Invalid, Item, MAX_DEPTH, Message, Request, Version};
pub use methods::{About, Method, Methods, Place, Run};
pub use service::{Rpc, Settings};

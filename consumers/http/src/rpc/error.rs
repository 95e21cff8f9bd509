//! Errors that a call is answered with, and Bitcoin Core's codes for them.

use std::borrow::Cow;
use std::fmt;

/// The codes that Bitcoin Core uses, by the names it gives them (`RPCErrorCode`, without `RPC_`); the first five are those of
/// JSON-RPC 2.0 section 5.1.
pub mod code {
    /// The body is no JSON.
    pub const PARSE_ERROR: i32 = -32700;
    /// The JSON is no request. HTTP status 400 in JSON-RPC 1.x, and for one request also in 2.0.
    pub const INVALID_REQUEST: i32 = -32600;
    /// There is no such method. HTTP status 404 in JSON-RPC 1.x.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// Parameters that the method does not take. Core uses the codes below instead.
    pub const INVALID_PARAMS: i32 = -32602;
    /// The server failed in a way that is its own fault.
    pub const INTERNAL_ERROR: i32 = -32603;

    /// Anything else; also a wrong number of parameters, with the method's help as the message.
    pub const MISC_ERROR: i32 = -1;
    /// A parameter of the wrong type, or an amount out of range.
    pub const TYPE_ERROR: i32 = -3;
    /// No such address, block, transaction or key.
    pub const INVALID_ADDRESS_OR_KEY: i32 = -5;
    /// Out of memory.
    pub const OUT_OF_MEMORY: i32 = -7;
    /// A parameter that is invalid, missing, twice there or unknown.
    pub const INVALID_PARAMETER: i32 = -8;
    /// The database failed.
    pub const DATABASE_ERROR: i32 = -20;
    /// What was to be decoded could not be.
    pub const DESERIALIZATION_ERROR: i32 = -22;
    /// A transaction or block was not accepted, for no more definite reason.
    pub const VERIFY_ERROR: i32 = -25;
    /// A transaction or block was refused by the rules.
    pub const VERIFY_REJECTED: i32 = -26;
    /// The transaction is in the chain already.
    pub const VERIFY_ALREADY_IN_UTXO_SET: i32 = -27;
    /// The server is still starting.
    pub const IN_WARMUP: i32 = -28;
    /// The method is deprecated, and not turned on.
    pub const METHOD_DEPRECATED: i32 = -32;

    /// Not connected; also: the server is about to stop.
    pub const CLIENT_NOT_CONNECTED: i32 = -9;
    /// Still downloading the first blocks.
    pub const CLIENT_IN_INITIAL_DOWNLOAD: i32 = -10;
    /// The node was added before.
    pub const CLIENT_NODE_ALREADY_ADDED: i32 = -23;
    /// The node was not added before.
    pub const CLIENT_NODE_NOT_ADDED: i32 = -24;
    /// The node to disconnect is not connected.
    pub const CLIENT_NODE_NOT_CONNECTED: i32 = -29;
    /// Neither an address nor a subnet.
    pub const CLIENT_INVALID_IP_OR_SUBNET: i32 = -30;
    /// There is no peer-to-peer part.
    pub const CLIENT_P2P_DISABLED: i32 = -31;
    /// There is no memory pool.
    pub const CLIENT_MEMPOOL_DISABLED: i32 = -33;
    /// As many connections as there may be.
    pub const CLIENT_NODE_CAPACITY_REACHED: i32 = -34;

    /// No wallet of that name.
    pub const WALLET_NOT_FOUND: i32 = -18;
}

/// The error that a call is answered with.
///
/// ```
/// use sockman_http::rpc::{RpcError, code};
/// let why = RpcError::new(code::INVALID_PARAMETER, "Block height out of range");
/// assert_eq!(why.to_string(), "Block height out of range (-8)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct RpcError {
    /// What kind of error, see [`code`].
    pub code: i32,
    /// What went wrong, for people.
    pub message: Cow<'static, str>,
}

impl RpcError {
    /// An error of this code.
    pub fn new(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        RpcError { code, message }
    }

    /// The body is no JSON.
    pub(super) fn parse() -> Self {
        Self::new(code::PARSE_ERROR, "Parse error")
    }

    /// The JSON is no request.
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(code::INVALID_REQUEST, message)
    }

    /// A parameter that is not what it should be.
    pub(super) fn parameter(message: fmt::Arguments<'_>) -> Self {
        Self::new(code::INVALID_PARAMETER, message.to_string())
    }
}

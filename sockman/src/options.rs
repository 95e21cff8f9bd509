//! How to listen, dial and adopt.

use crate::config::Limits;
use std::net::SocketAddr;
use std::time::Duration;

/// How to listen. What does not apply to the kind of socket is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// Handed back in the [`Origin`](crate::Origin) of each connection accepted here. Default 0.
    pub key: u64,
    /// Connections that may wait to be accepted; the kernel may cap it (`net.core.somaxconn`). Default 1,024.
    pub backlog: u32,
    /// TCP: `SO_REUSEADDR`, so that a restarted server need not wait for old connections to time out. Default true.
    pub reuse_addr: bool,
    /// TCP: `SO_REUSEPORT`, so that several loops share a port. Default false.
    pub reuse_port: bool,
    /// TCP over IPv6: take no IPv4 connections (`IPV6_V6ONLY`). Default false.
    pub v6_only: bool,
    /// TCP: `TCP_NODELAY` on accepted connections. Default true.
    pub nodelay: bool,
    /// TCP: keep-alive probes on accepted connections after this much silence. Default none.
    pub keepalive: Option<Duration>,
    /// Unix: remove a socket file that nobody listens on any more before binding, and our own when we stop. Default true.
    pub unlink: bool,
    /// Limits of the connections accepted here; `None` for [`Config::limits`](crate::Config::limits).
    pub limits: Option<Limits>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        ListenOptions {
            key: 0,
            backlog: 1024,
            reuse_addr: true,
            reuse_port: false,
            v6_only: false,
            nodelay: true,
            keepalive: None,
            unlink: true,
            limits: None,
        }
    }
}

impl ListenOptions {
    /// The defaults with a key.
    pub fn key(key: u64) -> Self {
        ListenOptions {
            key,
            ..ListenOptions::default()
        }
    }
}

/// How to dial. What does not apply to the kind of socket is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialOptions {
    /// Handed back in the [`Origin`](crate::Origin), or by [`dial_failed`](crate::Handler::dial_failed). Default 0.
    pub key: u64,
    /// After this long without an answer the dial fails with [`DialError::TimedOut`](crate::DialError::TimedOut).
    /// Default 30 s.
    pub timeout: Duration,
    /// TCP: the local address to dial from.
    pub local: Option<SocketAddr>,
    /// TCP: `TCP_NODELAY`. Default true.
    pub nodelay: bool,
    /// TCP: keep-alive probes after this much silence. Default none.
    pub keepalive: Option<Duration>,
    /// Limits of this connection; `None` for [`Config::limits`](crate::Config::limits).
    pub limits: Option<Limits>,
}

impl Default for DialOptions {
    fn default() -> Self {
        DialOptions {
            key: 0,
            timeout: Duration::from_secs(30),
            local: None,
            nodelay: true,
            keepalive: None,
            limits: None,
        }
    }
}

impl DialOptions {
    /// The defaults with a key.
    pub fn key(key: u64) -> Self {
        DialOptions {
            key,
            ..DialOptions::default()
        }
    }
}

/// How to take over a connected socket. Its options stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdoptOptions {
    /// Handed back in the [`Origin`](crate::Origin). Default 0.
    pub key: u64,
    /// Limits of this connection; `None` for [`Config::limits`](crate::Config::limits). What hands a connection from loop to
    /// loop gives those that it [had](crate::ConnInfo::limits).
    pub limits: Option<Limits>,
}

impl AdoptOptions {
    /// The defaults with a key.
    pub fn key(key: u64) -> Self {
        AdoptOptions {
            key,
            ..AdoptOptions::default()
        }
    }
}

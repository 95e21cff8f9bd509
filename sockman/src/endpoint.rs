//! Where to listen, where to dial, who is there.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// An address of a stream socket: TCP over IPv4 or IPv6, or a Unix stream socket.
///
/// Parsed and printed as `127.0.0.1:8333`, `[::1]:8333` and `unix:/run/node.sock`. Names are not resolved: that blocks,
/// and is the caller's to do off the loop.
///
/// ```
/// use sockman::Endpoint;
/// assert_eq!("[::1]:80".parse::<Endpoint>().unwrap().to_string(), "[::1]:80");
/// assert_eq!("unix:s".parse::<Endpoint>().unwrap(), Endpoint::Unix("s".into()));
/// assert!("localhost:80".parse::<Endpoint>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// A TCP address. Port 0 lets the kernel choose when listening.
    Tcp(SocketAddr),
    /// The path of a Unix stream socket. It is empty for a peer that has no name, as most clients.
    Unix(PathBuf),
}

impl Endpoint {
    /// The TCP address, if it is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Endpoint::Tcp(at) => Some(*at),
            Endpoint::Unix(_) => None,
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(at: SocketAddr) -> Self {
        Endpoint::Tcp(at)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(at) => at.fmt(f),
            Endpoint::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A text that is no [`Endpoint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address: write IP:PORT, [IPv6]:PORT or unix:PATH")]
pub struct BadEndpoint(String);

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        match text.strip_prefix("unix:") {
            Some("") => Err(BadEndpoint(text.to_owned())),
            Some(path) => Ok(Endpoint::Unix(path.into())),
            None => text
                .parse()
                .map(Endpoint::Tcp)
                .map_err(|_| BadEndpoint(text.to_owned())),
        }
    }
}

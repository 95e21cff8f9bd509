//! The rig over real sockets.

use super::socket::{Plain, PlainHost};
use super::{Family, Rig};
use sockman::{Backend, Config, Endpoint};
use std::fs;
use std::io;
use std::marker::PhantomData;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The kinds of real socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TCP over IPv4.
    V4,
    /// TCP over IPv6.
    V6,
    /// Unix stream sockets.
    Unix,
}

/// A kind of real socket, as a type.
pub trait Net {
    /// Which it is.
    const KIND: Kind;
}

/// TCP over IPv4.
#[derive(Debug)]
pub struct Tcp;
/// TCP over IPv6.
#[derive(Debug)]
pub struct Tcp6;
/// Unix stream sockets.
#[derive(Debug)]
pub struct Unix;

impl Net for Tcp {
    const KIND: Kind = Kind::V4;
}
impl Net for Tcp6 {
    const KIND: Kind = Kind::V6;
}
impl Net for Unix {
    const KIND: Kind = Kind::Unix;
}

/// Whether this machine has an IPv6 loopback; many containers have none. Says so when it has not.
pub fn has_ipv6() -> bool {
    let bound = TcpListener::bind((Ipv6Addr::LOCALHOST, 0));
    if let Err(error) = &bound {
        eprintln!("not run: no IPv6 on loopback: {error}");
    }
    bound.is_ok()
}

/// Real sockets of the kind `N`, on loopback or in a folder of their own, and the backend `B`.
#[derive(Debug)]
pub struct Real<B, N> {
    folder: Option<PathBuf>,
    names: u32,
    types: PhantomData<(B, N)>,
}

impl<B, N: Net> Real<B, N> {
    /// A path that names nothing yet.
    fn path(&mut self) -> PathBuf {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let folder = self.folder.get_or_insert_with(|| {
            let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("sockman-{}-{number}", process::id()));
            fs::create_dir_all(&folder).expect("a folder for the sockets");
            folder
        });
        self.names += 1;
        folder.join(self.names.to_string())
    }

    fn loopback() -> SocketAddr {
        match N::KIND {
            Kind::V6 => (Ipv6Addr::LOCALHOST, 0).into(),
            _ => (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }
}

impl<B: Backend, N: Net> Rig for Real<B, N> {
    type Backend = B;
    type Peer = Plain;
    type Host = PlainHost;

    const FAMILY: Family = match N::KIND {
        Kind::Unix => Family::Unix,
        _ => Family::Tcp,
    };

    fn new() -> Self {
        Real {
            folder: None,
            names: 0,
            types: PhantomData,
        }
    }

    fn backend(&mut self, config: &Config) -> io::Result<B> {
        B::new(config)
    }

    fn address(&mut self) -> Endpoint {
        match N::KIND {
            Kind::Unix => Endpoint::Unix(self.path()),
            _ => Endpoint::Tcp(Self::loopback()),
        }
    }

    fn nowhere(&mut self) -> Endpoint {
        // A listener that is gone: its port answers with RST, its socket file with ECONNREFUSED.
        if N::KIND == Kind::Unix {
            let path = self.path();
            drop(UnixListener::bind(&path).expect("bind"));
            Endpoint::Unix(path)
        } else {
            let listener = TcpListener::bind(Self::loopback()).expect("bind");
            Endpoint::Tcp(listener.local_addr().expect("an address"))
        }
    }

    fn unreachable(&mut self) -> Endpoint {
        match N::KIND {
            Kind::Unix => Endpoint::Unix(self.path()),
            // Nobody has a stream to everybody: Linux refuses to connect to the broadcast address of loopback.
            _ => Endpoint::Tcp(([127, 255, 255, 255], 9).into()),
        }
    }

    fn connect(&mut self, to: &Endpoint) -> Plain {
        Plain::connect(to).expect("the backlog has room")
    }

    fn host(&mut self) -> PlainHost {
        PlainHost::listen(&self.address(), 128).expect("a listener")
    }

    fn deaf_host(&mut self) -> PlainHost {
        let mut host = PlainHost::listen(&self.address(), 0).expect("a listener");
        host.fill();
        host
    }

    fn pass(&mut self, time: Duration) {
        thread::sleep(time);
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

impl<B, N> Drop for Real<B, N> {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // What cannot be removed is left to whoever clears the folder of temporary files.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

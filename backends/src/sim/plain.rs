//! Plain sockets on simulated hosts, for tests: what a program without a loop would hold.

use super::host::Host;
use super::kernel::SimSocket;
use sockman::{DialOptions, Endpoint, ListenOptions};
use std::io::{self, IoSlice};

/// A plain stream socket. Nothing here blocks: what would fails with [`io::ErrorKind::WouldBlock`]. Closed when dropped.
pub struct Plain {
    host: Host,
    socket: SimSocket,
}

impl Plain {
    pub(super) fn dial(host: &Host, to: &Endpoint) -> io::Result<Plain> {
        host.check()?;
        let (id, _) = host
            .world
            .borrow_mut()
            .dial(host.id, to, &DialOptions::default())?;
        let socket = SimSocket::new(host.world.clone(), id);
        let host = host.clone();
        Ok(Plain { host, socket })
    }

    /// Whether the dial has been answered; fails with its error.
    pub fn is_connected(&self) -> io::Result<bool> {
        Ok(self.host.world.borrow_mut().dialed(self.socket.id())?)
    }

    /// Reads what is there: 0 at the end.
    pub fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.host.world.borrow_mut().read(self.socket.id(), into)?)
    }

    /// Writes what fits.
    pub fn write(&self, data: &[u8]) -> io::Result<usize> {
        let data = [IoSlice::new(data)];
        Ok(self.host.world.borrow_mut().write(self.socket.id(), &data)?)
    }

    /// Half-closes this side. Fails when it is not connected.
    pub fn finish(&self) -> io::Result<()> {
        Ok(self.host.world.borrow_mut().finish(self.socket.id())?)
    }

    /// Closes by RST; on Unix sockets, which know none, closes.
    pub fn reset(self) {
        self.socket.close(true);
    }

    /// Its own address.
    pub fn local_addr(&self) -> Option<Endpoint> {
        self.host.world.borrow().local(self.socket.id())
    }
}

/// A plain listening socket. Closed when dropped.
pub struct PlainListener {
    host: Host,
    socket: SimSocket,
}

impl PlainListener {
    pub(super) fn listen(host: &Host, at: &Endpoint, how: &ListenOptions) -> io::Result<PlainListener> {
        host.check()?;
        let id = host.world.borrow_mut().listen(host.id, at, how)?;
        let socket = SimSocket::new(host.world.clone(), id);
        let host = host.clone();
        Ok(PlainListener { host, socket })
    }

    /// Accepts a connection, if one waits.
    pub fn accept(&self) -> io::Result<Plain> {
        let (id, _) = self.host.world.borrow_mut().accept(self.socket.id())?;
        let socket = SimSocket::new(self.host.world.clone(), id);
        let host = self.host.clone();
        Ok(Plain { host, socket })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> Option<Endpoint> {
        self.host.world.borrow().local(self.socket.id())
    }
}

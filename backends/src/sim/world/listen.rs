//! Listening and accepting.

use super::agenda::Packet;
use super::hosts::{FIRST_PORT, HostId};
use super::sockets::{Backlog, Socket, Stage};
use super::{Errno, Result, SocketId, What, World};
use crate::sim::faults::Fault;
use sockman::{Endpoint, ListenOptions};
use std::collections::VecDeque;
use std::net::SocketAddr;

/// Behind the last port that a host gives to a socket without one.
pub(super) const END_PORT: u16 = 61_000;

impl World {
    pub(crate) fn listen(&mut self, host: HostId, at: &Endpoint, how: &ListenOptions) -> Result<SocketId> {
        let came = self.try_listen(host, at, how);
        self.line(host, What::Listen, came.ok(), came.map(|_| 0));
        came
    }

    fn try_listen(&mut self, host: HostId, at: &Endpoint, how: &ListenOptions) -> Result<SocketId> {
        let backlog = Box::new(Backlog {
            queue: VecDeque::new(),
            promised: 0,
            limit: how.backlog as usize,
            unlink: how.unlink,
        });
        let local = match at {
            Endpoint::Tcp(at) => Endpoint::Tcp(self.name(host, *at, how)?),
            Endpoint::Unix(path) if path.as_os_str().is_empty() => return Err(Errno::INVAL),
            Endpoint::Unix(_) => at.clone(),
        };
        self.take_descriptor(host)?;
        let id = self.enter(Socket::new(host, local.clone(), host, Stage::Listening(backlog)))?;
        match &local {
            Endpoint::Tcp(at) => self.names.bind(host, *at, how, id),
            Endpoint::Unix(path) => {
                if let Err(error) = self.names.make_file(host, path, id, how.unlink) {
                    self.sockets.remove(id);
                    self.give_descriptor(host);
                    return Err(error);
                }
            }
        }
        Ok(id)
    }

    /// A free address like `at`: port 0 stands for any.
    fn name(&mut self, host: HostId, at: SocketAddr, how: &ListenOptions) -> Result<SocketAddr> {
        if !at.ip().is_unspecified() && self.host_at(host, at.ip()) != Some(host) {
            return Err(Errno::ADDRNOTAVAIL);
        }
        if at.port() != 0 {
            let free = self.names.is_free(host, at, how);
            return if free { Ok(at) } else { Err(Errno::ADDRINUSE) };
        }
        for _ in FIRST_PORT..END_PORT {
            let at = SocketAddr::new(at.ip(), self.next_port(host));
            if self.names.is_free(host, at, how) {
                return Ok(at);
            }
        }
        Err(Errno::ADDRINUSE)
    }

    /// The next port for a socket without one.
    pub(super) fn next_port(&mut self, host: HostId) -> u16 {
        let host = self.host(host);
        let port = host.port;
        host.port = if port + 1 < END_PORT { port + 1 } else { FIRST_PORT };
        port
    }

    pub(crate) fn accept(&mut self, listener: SocketId) -> Result<(SocketId, Endpoint)> {
        let host = self.held(listener)?.host;
        let came = self.try_accept(host, listener);
        let socket = came.as_ref().ok().map(|(socket, _)| *socket);
        self.line(
            host,
            What::Accept,
            socket,
            came.as_ref().map(|_| 0).map_err(|error| *error),
        );
        came
    }

    fn try_accept(&mut self, host: HostId, listener: SocketId) -> Result<(SocketId, Endpoint)> {
        let backlog = self.held(listener)?.backlog().ok_or(Errno::INVAL)?;
        if backlog.queue.is_empty() {
            return Err(Errno::AGAIN);
        }
        if self.hits(host, Fault::Interrupted).is_some() {
            return Err(Errno::INTR);
        }
        if self.hits(host, Fault::AcceptAgain).is_some() {
            self.later(self.now, host, Packet::Edge { to: listener });
            return Err(Errno::AGAIN);
        }
        if self.hits(host, Fault::AcceptFiles).is_some() {
            return Err(Errno::MFILE);
        }
        self.take_descriptor(host)?;
        let aborted = self.hits(host, Fault::AcceptAborted).is_some();
        let next = self
            .held(listener)?
            .backlog()
            .and_then(|backlog| backlog.queue.pop_front());
        let (socket, peer) = next.ok_or(Errno::AGAIN)?;
        if aborted {
            self.give_descriptor(host);
            self.close(socket, true);
            return Err(Errno::CONNABORTED);
        }
        Ok((socket, peer))
    }
}

//! Dialling: three packets, as TCP has them (RFC 9293 section 3.5). Unix sockets connect at once.

use super::agenda::Packet;
use super::hosts::HostId;
use super::sockets::{Socket, Stage};
use super::{Errno, Nanos, Result, SocketId, What, World};
use crate::sim::faults::Fault;
use sockman::{DialOptions, Endpoint};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// How long an unanswered dial waits before it knocks again (RFC 6298 section 2); it doubles.
pub(super) const KNOCK_AGAIN: Nanos = 1_000_000_000;

/// How often it knocks again (Linux: `tcp_syn_retries`).
const KNOCKS: u32 = 6;

impl World {
    /// Starts to connect; whether it is connected already.
    pub(crate) fn dial(
        &mut self,
        host: HostId,
        to: &Endpoint,
        how: &DialOptions,
    ) -> Result<(SocketId, bool)> {
        let came = match self.hits(host, Fault::DialFailed) {
            Some(_) => Err(Errno::ADDRNOTAVAIL),
            None => match to {
                Endpoint::Tcp(to) => self.dial_tcp(host, *to, how).map(|id| (id, false)),
                Endpoint::Unix(path) => self.dial_unix(host, path).map(|id| (id, true)),
            },
        };
        self.line(host, What::Dial, came.ok().map(|(id, _)| id), came.map(|_| 0));
        came
    }

    fn dial_unix(&mut self, host: HostId, path: &Path) -> Result<SocketId> {
        let listener = self.names.file(host, path)?;
        if self
            .held(listener)?
            .backlog()
            .is_none_or(|backlog| backlog.is_full())
        {
            return Err(Errno::AGAIN);
        }
        self.take_descriptor(host)?;
        let nameless = Endpoint::Unix(PathBuf::new());
        let caller = self.enter(Socket::new(host, nameless.clone(), host, Stage::Open))?;
        let local = Endpoint::Unix(path.to_owned());
        let other = self.enter(Socket::new(host, local, host, Stage::Open))?;
        self.held(caller)?.peer = Some(other);
        self.held(other)?.peer = Some(caller);
        if let Some(backlog) = self.held(listener)?.backlog() {
            backlog.queue.push_back((other, nameless));
        }
        self.touch(listener);
        Ok(caller)
    }

    fn dial_tcp(&mut self, host: HostId, to: SocketAddr, how: &DialOptions) -> Result<SocketId> {
        let to = reachable(to);
        let target = self.target(host, to).ok_or(Errno::NETUNREACH)?;
        let local = match how.local {
            Some(at) if !at.ip().is_unspecified() && self.host_at(host, at.ip()) != Some(host) => {
                return Err(Errno::ADDRNOTAVAIL);
            }
            Some(at) if at.is_ipv4() != to.is_ipv4() => return Err(Errno::AFNOSUPPORT),
            Some(at) if at.port() != 0 => at,
            _ if to.ip().is_loopback() => SocketAddr::new(to.ip(), self.next_port(host)),
            _ if to.is_ipv4() => SocketAddr::new(host.ip4().into(), self.next_port(host)),
            _ => SocketAddr::new(host.ip6().into(), self.next_port(host)),
        };
        self.take_descriptor(host)?;
        let from = self.enter(Socket::new(host, local.into(), target, Stage::Dialing(to)))?;
        self.send(host, target, Packet::Knock { from, attempt: 0 }, 0, 0);
        Ok(from)
    }

    /// The host that packets to this address go to; a hole has none, and is as good as the sender.
    fn target(&self, host: HostId, to: SocketAddr) -> Option<HostId> {
        if self.routes.holes.contains(&to.ip()) {
            return Some(host);
        }
        self.host_at(host, to.ip())
    }

    /// A dial's first packet arrives.
    pub(super) fn knock(&mut self, from: SocketId, attempt: u32) {
        let Some(caller) = self.sockets.get(from) else {
            return;
        };
        let Stage::Dialing(to) = caller.stage else { return };
        let host = caller.host;
        if self.routes.holes.contains(&to.ip()) {
            return self.knock_again(from, attempt);
        }
        let Some(target) = self.host_at(host, to.ip()) else {
            return;
        };
        self.line(target, What::Knock, Some(from), Ok(u64::from(attempt)));
        let refused = if self.hits(target, Fault::DialRefused).is_some() {
            Some(Errno::CONNREFUSED)
        } else {
            self.hits(target, Fault::DialUnreachable)
                .map(|_| Errno::HOSTUNREACH)
        };
        let choice = self.random.u64(..);
        let listener = self.names.find(target, to, choice);
        let error = refused.or(listener.is_none().then_some(Errno::CONNREFUSED));
        if let Some(error) = error {
            self.send(target, host, Packet::Refuse { to: from, error }, 0, 0);
            return;
        }
        let Some(listener) = listener else { return };
        match self.sockets.get_mut(listener).and_then(Socket::backlog) {
            Some(backlog) if !backlog.is_full() => backlog.promised += 1,
            _ => return self.knock_again(from, attempt),
        }
        let local = Endpoint::Tcp(to);
        let mut answer = Socket::new(target, local, host, Stage::Greeting(listener));
        answer.peer = Some(from);
        if let Ok(id) = self.enter(answer) {
            self.send(target, host, Packet::Greet { to: from, from: id }, 0, 0);
        }
    }

    /// Nobody has answered.
    pub(super) fn knock_again(&mut self, from: SocketId, attempt: u32) {
        let Some(caller) = self.sockets.get(from) else {
            return;
        };
        let Stage::Dialing(to) = caller.stage else { return };
        let host = caller.host;
        let at = self.now + (KNOCK_AGAIN << attempt);
        let error = Errno::TIMEDOUT;
        if attempt >= KNOCKS {
            self.later(at, host, Packet::Refuse { to: from, error });
        } else if let Some(target) = self.target(host, to) {
            let attempt = attempt + 1;
            self.agenda
                .enter(at, host, target, Packet::Knock { from, attempt });
        }
    }

    /// The answer arrives: connected.
    pub(super) fn greeted(&mut self, to: SocketId, from: SocketId) {
        let caller = self
            .sockets
            .get_mut(to)
            .filter(|caller| matches!(caller.stage, Stage::Dialing(_)));
        let Some(caller) = caller else {
            // The dial was given up.
            return self.rst(from);
        };
        caller.stage = Stage::Open;
        caller.peer = Some(from);
        let host = caller.host;
        self.line(host, What::Greet, Some(to), Ok(0));
        self.touch(to);
        if let Some(answer) = self.sockets.get(from) {
            let target = answer.host;
            let at = self.send(host, target, Packet::Queue { to: from, from: to }, 0, 0);
            if let Some(answer) = self.sockets.get_mut(from) {
                // What is sent after it arrives after it.
                answer.pipe.last = answer.pipe.last.max(at);
            }
        }
    }

    /// The confirmation arrives: the connection can be accepted.
    pub(super) fn queue(&mut self, to: SocketId, from: SocketId) {
        let Some(answer) = self.sockets.get(to) else {
            // The listener's host has forgotten it.
            return self.rst(from);
        };
        let Stage::Greeting(listener) = answer.stage else {
            return;
        };
        let host = answer.host;
        let peer = self.sockets.get(from).map(|caller| caller.local.clone());
        match (self.sockets.get_mut(listener).and_then(Socket::backlog), peer) {
            (Some(backlog), Some(peer)) => {
                backlog.promised -= 1;
                backlog.queue.push_back((to, peer));
                if let Some(answer) = self.sockets.get_mut(to) {
                    answer.stage = Stage::Open;
                }
                self.line(host, What::Queue, Some(to), Ok(0));
                self.touch(listener);
            }
            _ => self.close(to, true),
        }
    }

    /// A dial is refused.
    pub(super) fn refused(&mut self, to: SocketId, error: Errno) {
        let Some(caller) = self.sockets.get_mut(to) else {
            return;
        };
        if let Stage::Dialing(_) = caller.stage {
            caller.fail(Some(error));
            let host = caller.host;
            self.line(host, What::Refused, Some(to), Err(error));
            self.touch(to);
        }
    }

    /// Whether a dial has been answered; fails with its error.
    pub(crate) fn dialed(&mut self, id: SocketId) -> Result<bool> {
        let socket = self.held(id)?;
        let host = socket.host;
        let came = match socket.error.take() {
            Some(error) => Err(error),
            None => Ok(matches!(socket.stage, Stage::Open)),
        };
        self.line(host, What::Dialed, Some(id), came.map(u64::from));
        came
    }
}

/// "Any address" as a destination means this host.
fn reachable(to: SocketAddr) -> SocketAddr {
    match to {
        SocketAddr::V4(at) if at.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, at.port()).into(),
        SocketAddr::V6(at) if at.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, at.port()).into(),
        _ => to,
    }
}

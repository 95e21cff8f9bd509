//! Dialling: three packets, as TCP has them (RFC 9293 section 3.5). Unix sockets connect at once.

use super::agenda::Packet;
use super::hosts::{FIRST_PORT, HostId};
use super::listen::END_PORT;
use super::sockets::{Socket, Stage};
use super::{Errno, Nanos, Result, SocketId, What, World};
use crate::sim::faults::Fault;
use sockman::{DialOptions, Endpoint};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// How long an unanswered dial waits before it sends its SYN again (RFC 6298 section 2); it doubles.
pub(super) const SYN_TIMEOUT: Nanos = 1_000_000_000;

/// How often it sends it again (Linux: `tcp_syn_retries`).
const SYN_RETRIES: u32 = 6;

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
            Some(at) if at.port() != 0 && !self.names.dial_from(host, at.port()) => {
                return Err(Errno::ADDRINUSE);
            }
            Some(at) if at.port() != 0 => at,
            _ => {
                let ip: IpAddr = match to.ip() {
                    ip if ip.is_loopback() => ip,
                    IpAddr::V4(_) => host.ip4().into(),
                    IpAddr::V6(_) => host.ip6().into(),
                };
                SocketAddr::new(ip, self.port_to_dial_from(host)?)
            }
        };
        if let Err(full) = self.take_descriptor(host) {
            self.names.dialled(host, local.port());
            return Err(full);
        }
        let mut caller = Socket::new(host, local.into(), target, Stage::SynSent(to));
        caller.owns_port = true;
        let from = self.enter(caller)?;
        self.send(host, target, Packet::Syn { from, attempt: 0 }, 0, 0);
        Ok(from)
    }

    /// A port that nobody has.
    fn port_to_dial_from(&mut self, host: HostId) -> Result<u16> {
        for _ in FIRST_PORT..END_PORT {
            let port = self.next_port(host);
            if self.names.dial_from(host, port) {
                return Ok(port);
            }
        }
        Err(Errno::ADDRNOTAVAIL)
    }

    /// The host that packets to this address go to; a hole has none, and is as good as the sender.
    fn target(&self, host: HostId, to: SocketAddr) -> Option<HostId> {
        if self.routes.holes.contains(&to.ip()) {
            return Some(host);
        }
        self.host_at(host, to.ip())
    }

    /// A dial's first packet arrives.
    pub(super) fn syn(&mut self, from: SocketId, attempt: u32) {
        let Some(caller) = self.sockets.get(from) else {
            return;
        };
        let Stage::SynSent(to) = caller.stage else { return };
        let Some(address) = caller.local.tcp() else { return };
        let host = caller.host;
        if self.routes.holes.contains(&to.ip()) {
            return self.syn_again(from, attempt);
        }
        let Some(target) = self.host_at(host, to.ip()) else {
            return;
        };
        self.line(target, What::Syn, Some(from), Ok(u64::from(attempt)));
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
            _ => return self.syn_again(from, attempt),
        }
        let local = Endpoint::Tcp(to);
        let mut answer = Socket::new(target, local, host, Stage::SynReceived(listener, address));
        answer.peer = Some(from);
        if let Ok(id) = self.enter(answer) {
            let answer = Packet::SynAck {
                to: from,
                from: id,
                attempt,
            };
            self.send(target, host, answer, 0, 0);
        }
    }

    /// Nobody has answered.
    pub(super) fn syn_again(&mut self, from: SocketId, attempt: u32) {
        let Some(caller) = self.sockets.get(from) else {
            return;
        };
        let Stage::SynSent(to) = caller.stage else { return };
        let host = caller.host;
        let at = self.now + (SYN_TIMEOUT << attempt);
        let error = Errno::TIMEDOUT;
        if attempt >= SYN_RETRIES {
            self.later(at, host, Packet::Refuse { to: from, error });
        } else if let Some(target) = self.target(host, to) {
            let attempt = attempt + 1;
            self.agenda.enter(at, host, target, Packet::Syn { from, attempt });
        }
    }

    /// The answer arrives: connected.
    pub(super) fn syn_ack(&mut self, to: SocketId, from: SocketId) {
        let caller = self
            .sockets
            .get_mut(to)
            .filter(|caller| matches!(caller.stage, Stage::SynSent(_)));
        let Some(caller) = caller else {
            // The dial was given up.
            return self.rst(from);
        };
        caller.stage = Stage::Open;
        caller.peer = Some(from);
        let host = caller.host;
        self.line(host, What::SynAck, Some(to), Ok(0));
        self.touch(to);
        if let Some(answer) = self.sockets.get(from) {
            let target = answer.host;
            let at = self.send(host, target, Packet::Ack { to: from, from: to }, 0, 0);
            if let Some(answer) = self.sockets.get_mut(from) {
                // What is sent after it arrives after it.
                answer.pipe.last = answer.pipe.last.max(at);
            }
        }
    }

    /// The confirmation arrives: the connection can be accepted.
    pub(super) fn ack(&mut self, to: SocketId, from: SocketId) {
        let Some(answer) = self.sockets.get(to) else {
            // The listener's host has forgotten it.
            return self.rst(from);
        };
        let Stage::SynReceived(listener, address) = answer.stage else {
            return;
        };
        let host = answer.host;
        match self.sockets.get_mut(listener).and_then(Socket::backlog) {
            Some(backlog) => {
                backlog.promised -= 1;
                backlog.queue.push_back((to, Endpoint::Tcp(address)));
                if let Some(answer) = self.sockets.get_mut(to) {
                    answer.stage = Stage::Open;
                }
                self.line(host, What::Ack, Some(to), Ok(0));
                self.touch(listener);
            }
            None => self.close(to, true),
        }
    }

    /// Nobody confirms: the listener's socket goes, and nobody is told. The dialler, if it is there, has had no answer.
    pub(super) fn expire(&mut self, socket: SocketId) {
        if let Some(Stage::SynReceived(listener, _)) = self.sockets.get(socket).map(|socket| &socket.stage) {
            let listener = *listener;
            self.sockets.remove(socket);
            if let Some(backlog) = self.sockets.get_mut(listener).and_then(Socket::backlog) {
                backlog.promised -= 1;
            }
        }
    }

    /// A dial is refused.
    pub(super) fn refused(&mut self, to: SocketId, error: Errno) {
        let Some(caller) = self.sockets.get_mut(to) else {
            return;
        };
        if let Stage::SynSent(_) = caller.stage {
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

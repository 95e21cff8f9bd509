//! How sockets end.

use super::agenda::Packet;
use super::hosts::HostId;
use super::sockets::{End, Socket, Stage};
use super::{Errno, Nanos, SocketId, What, World};
use sockman::Endpoint;

impl World {
    /// A program closes a socket that it holds.
    pub(crate) fn drop_socket(&mut self, id: SocketId, reset: bool) {
        if let Some(socket) = self.sockets.get(id) {
            let host = socket.host;
            self.line(host, What::Close, Some(id), Ok(u64::from(reset)));
            self.give_descriptor(host);
            self.close(id, reset);
        }
    }

    /// A socket goes, and its peer is told: by RST if that is asked for or bytes were not read, otherwise by FIN.
    pub(super) fn close(&mut self, id: SocketId, reset: bool) {
        let Some(mut socket) = self.sockets.remove(id) else {
            return;
        };
        if let (true, Endpoint::Tcp(at)) = (socket.owns_port, &socket.local) {
            self.names.dialled(socket.host, at.port());
        }
        match socket.stage {
            Stage::Listening(_) => self.close_listener(id, &mut socket),
            Stage::SynReceived(listener, _) => {
                if let Some(backlog) = self.sockets.get_mut(listener).and_then(Socket::backlog) {
                    backlog.promised -= 1;
                }
                self.send_rst(socket.host, socket.peer);
            }
            Stage::Open if socket.is_unix() => self.close_unix(&socket),
            Stage::Open if reset || socket.pipe.arrived > 0 => self.send_rst(socket.host, socket.peer),
            Stage::Open => {
                if let Some(other) = socket.peer.and_then(|peer| self.sockets.get_mut(peer)) {
                    other.is_left = true;
                }
                if !socket.is_finished {
                    self.send_fin(socket.host, socket.away(), socket.peer, id);
                }
            }
            Stage::SynSent(_) | Stage::Over => {}
        }
    }

    /// The other end of a Unix socket learns at once that this one is gone, and whether it has left bytes unread.
    fn close_unix(&mut self, socket: &Socket) {
        let Some(peer) = socket.peer else { return };
        if let Some(other) = self.sockets.get_mut(peer) {
            let unread = socket.pipe.arrived > 0;
            other.pipe.end = End::Here;
            other.fail(unread.then_some(Errno::CONNRESET));
            self.touch(peer);
        }
    }

    /// Whoever waits in the backlog is reset.
    fn close_listener(&mut self, id: SocketId, socket: &mut Socket) {
        let Some(backlog) = socket.backlog() else { return };
        let (queue, unlink) = (std::mem::take(&mut backlog.queue), backlog.unlink);
        for (waiting, _) in queue {
            if let Some(waiting) = self.sockets.get_mut(waiting).filter(|waiting| waiting.is_unix()) {
                // What the peer has sent will never be read.
                waiting.pipe.arrived = waiting.pipe.arrived.max(1);
            }
            self.close(waiting, true);
        }
        match &socket.local {
            Endpoint::Tcp(at) => self.names.unbind(socket.host, at.port(), id),
            Endpoint::Unix(path) => self.names.leave_file(socket.host, path, id, unlink),
        }
    }

    fn send_rst(&mut self, host: HostId, peer: Option<SocketId>) {
        let Some(peer) = peer else { return };
        let Some(receiver) = self.sockets.get(peer) else {
            return;
        };
        let (to, floor) = (receiver.host, receiver.pipe.last);
        self.send(host, to, Packet::Reset { to: peer }, 0, floor);
    }

    /// The connection is reset on its way, next to this end, which hears of it at once: nothing follows what it has sent.
    pub(super) fn reset_both(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get(id) else {
            return;
        };
        self.send_rst(socket.host, socket.peer);
        self.rst(id);
    }

    /// RST arrives (RFC 9293 section 3.10.7). What had arrived before can still be read.
    pub(super) fn rst(&mut self, to: SocketId) {
        let Some(socket) = self.sockets.get_mut(to) else {
            return;
        };
        let both = socket.is_finished && socket.pipe.end == End::Here;
        let error = match (&socket.stage, socket.pipe.end) {
            (Stage::SynReceived(..), _) => return self.close(to, true),
            (Stage::Over | Stage::Listening(_), _) => return,
            // It is over already, and only its number is kept (TIME-WAIT, RFC 1337).
            (Stage::Open, _) if both => return,
            (Stage::SynSent(_), _) => Errno::CONNREFUSED,
            // As Linux's tcp_reset: a peer that has finished and then resets has not read what we sent.
            (Stage::Open, End::Here) => Errno::PIPE,
            (Stage::Open, _) => Errno::CONNRESET,
        };
        socket.fail(Some(error));
        let host = socket.host;
        self.line(host, What::Reset, Some(to), Err(error));
        self.touch(to);
    }

    /// Nothing has got through for too long.
    pub(super) fn give_up(&mut self, id: SocketId, since: Nanos) {
        let unreachable = self.random.bool();
        let Some(socket) = self.sockets.get_mut(id) else {
            return;
        };
        if socket.unacknowledged == Some(since) && matches!(socket.stage, Stage::Open) {
            // As Linux's tcp_write_err: the error of the way, if it has told one (ICMP).
            let error = if unreachable {
                Errno::HOSTUNREACH
            } else {
                Errno::TIMEDOUT
            };
            socket.fail(Some(error));
            let host = socket.host;
            self.line(host, What::Reset, Some(id), Err(error));
            self.touch(id);
        }
    }

    /// Every connection between two hosts is reset, at both ends.
    pub(crate) fn reset_between(&mut self, a: HostId, b: HostId) {
        let both: Vec<_> = self
            .sockets
            .iter()
            .filter(|(_, socket)| socket.host == a && matches!(socket.stage, Stage::Open))
            .filter(|(_, socket)| {
                let peer = socket.peer.and_then(|peer| self.sockets.get(peer));
                peer.is_some_and(|peer| peer.host == b)
            })
            .map(|(id, socket)| (id, socket.peer))
            .collect();
        for (id, peer) in both {
            self.rst(id);
            if let Some(peer) = peer {
                self.rst(peer);
            }
        }
    }
}

//! Reading and writing.

use super::agenda::Packet;
use super::hosts::HostId;
use super::sockets::{End, Socket, Stage};
use super::{Errno, Result, SocketId, What, World};
use crate::sim::faults::Fault;
use std::io::IoSlice;

impl World {
    pub(crate) fn read(&mut self, id: SocketId, into: &mut [u8]) -> Result<usize> {
        let host = self.held(id)?.host;
        let came = self.try_read(host, id, into);
        if self.trace.is_on() {
            if let Ok(count) = came {
                self.trace.bytes(&into[..count]);
            }
            self.line(host, What::Read, Some(id), came.map(|count| count as u64));
        }
        came
    }

    fn try_read(&mut self, host: HostId, id: SocketId, into: &mut [u8]) -> Result<usize> {
        if self.hits(host, Fault::Interrupted).is_some() {
            return Err(Errno::INTR);
        }
        let socket = self.held(id)?;
        let mut count = socket.pipe.arrived.min(into.len());
        if count == 0 && socket.pipe.end == End::Here && !socket.is_unix() {
            // As Linux's tcp_recvmsg: what comes after the peer's end (SOCK_DONE) is for a write to tell, or SO_ERROR.
            return Ok(0);
        }
        if count == 0 {
            return match (&socket.stage, socket.error.take()) {
                (_, Some(error)) => Err(error),
                (Stage::Over, _) => Ok(0),
                _ if socket.pipe.end == End::Here || into.is_empty() => Ok(0),
                _ => Err(Errno::AGAIN),
            };
        }
        if self.hits(host, Fault::ReadAgain).is_some() {
            self.later(self.now, host, Packet::Edge { to: id });
            return Err(Errno::AGAIN);
        }
        if count > 1
            && let Some(short) = self.amount(host, Fault::ShortRead, count as u64 - 1)
        {
            count = short as usize;
            self.later(self.now, host, Packet::Edge { to: id });
        }
        let socket = self.held(id)?;
        socket.pipe.take(&mut into[..count]);
        let peer = socket.peer;
        if let Some(peer) = peer {
            self.make_room(host, peer);
        }
        Ok(count)
    }

    /// A reader has taken bytes: its writer may go on, if it waits.
    fn make_room(&mut self, host: HostId, writer: SocketId) {
        let Some(socket) = self.sockets.get(writer) else {
            return;
        };
        let to = socket.host;
        if socket.is_starved && self.is_writable(writer) {
            if let Some(socket) = self.sockets.get_mut(writer) {
                socket.is_starved = false;
            }
            self.send(host, to, Packet::Room { to: writer }, 0, 0);
        }
    }

    /// How many bytes may be written: what the window has left.
    pub(super) fn room(&self, id: SocketId) -> usize {
        let Some(socket) = self.sockets.get(id) else {
            return 0;
        };
        let under_way = match socket.peer.and_then(|peer| self.sockets.get(peer)) {
            Some(peer) => peer.pipe.bytes.len(),
            None => socket.void,
        };
        self.window.saturating_sub(under_way)
    }

    /// Whether a poller says so: not before a third of the window is free (as Linux's `sk_stream_is_writable`).
    pub(super) fn is_writable(&self, id: SocketId) -> bool {
        let room = self.room(id);
        room * 2 >= self.window - room
    }

    pub(crate) fn write(&mut self, id: SocketId, from: &[IoSlice<'_>]) -> Result<usize> {
        let host = self.held(id)?.host;
        let came = self.try_write(host, id, from);
        if self.trace.is_on() {
            self.line(host, What::Write, Some(id), came.map(|count| count as u64));
        }
        came
    }

    fn try_write(&mut self, host: HostId, id: SocketId, from: &[IoSlice<'_>]) -> Result<usize> {
        if self.hits(host, Fault::Interrupted).is_some() {
            return Err(Errno::INTR);
        }
        let socket = self.held(id)?;
        let is_unix = socket.is_unix();
        match socket.stage {
            Stage::Over if is_unix => return Err(Errno::PIPE),
            Stage::Over => return Err(socket.error.take().unwrap_or(Errno::PIPE)),
            _ if socket.is_finished => return Err(Errno::PIPE),
            Stage::Open => {}
            _ => return Err(Errno::AGAIN),
        }
        let asked: usize = from.iter().map(|piece| piece.len()).sum();
        if asked == 0 {
            return Ok(0);
        }
        if self.hits(host, Fault::NoBuffers).is_some() {
            return Err(Errno::NOBUFS);
        }
        if self.hits(host, Fault::WriteAgain).is_some() {
            self.later(self.now, host, Packet::Edge { to: id });
            return Err(Errno::AGAIN);
        }
        let room = self.room(id);
        let mut count = asked.min(room);
        self.held(id)?.is_starved = count < asked;
        if count == 0 {
            return Err(Errno::AGAIN);
        }
        if count > 1
            && let Some(short) = self.amount(host, Fault::ShortWrite, count as u64 - 1)
        {
            count = short as usize;
            self.later(self.now, host, Packet::Edge { to: id });
        }
        // (Unix sockets are not reset on their way: they have none.)
        let reset = if is_unix {
            None
        } else {
            self.hits(host, Fault::Reset)
        };
        match reset {
            Some(chance) => {
                self.transmit(host, id, from, (chance % (count as u64 + 1)) as usize);
                self.reset_both(id);
            }
            None => self.transmit(host, id, from, count),
        }
        Ok(count)
    }

    /// Puts the first `count` bytes on their way.
    fn transmit(&mut self, host: HostId, id: SocketId, from: &[IoSlice<'_>], count: usize) {
        let Some(peer) = self.sockets.get(id).and_then(|socket| socket.peer) else {
            return;
        };
        if count == 0 {
            return;
        }
        let is_on = self.trace.is_on();
        let Some(receiver) = self.sockets.get_mut(peer) else {
            // Whoever is there answers that there is nobody.
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.void += count;
            }
            let to = self.sockets.get(id).map_or(host, Socket::away);
            let packet = Packet::Data {
                to: peer,
                from: id,
                count,
            };
            self.send(host, to, packet, count, 0);
            return;
        };
        let mut left = count;
        for piece in from {
            let part = &piece[..piece.len().min(left)];
            receiver.pipe.bytes.extend(part);
            left -= part.len();
            if is_on {
                self.trace.bytes(part);
            }
            if left == 0 {
                break;
            }
        }
        let (to, floor) = (receiver.host, receiver.pipe.last);
        let packet = Packet::Data {
            to: peer,
            from: id,
            count,
        };
        let at = self.send(host, to, packet, count, floor);
        if let Some(receiver) = self.sockets.get_mut(peer) {
            receiver.pipe.last = receiver.pipe.last.max(at);
        }
    }

    /// Bytes arrive.
    pub(super) fn data(&mut self, to: SocketId, sender: SocketId, count: usize) {
        let Some(receiver) = self.sockets.get_mut(to) else {
            return self.nobody(sender);
        };
        if let Stage::Over = receiver.stage {
            return self.nobody(sender);
        }
        receiver.pipe.arrive(count);
        let host = receiver.host;
        self.line(host, What::Arrive, Some(to), Ok(count as u64));
        self.touch(to);
    }

    /// Something arrives for a socket that is not there, or over: the answer is RST (RFC 9293 section 3.5.2).
    pub(super) fn nobody(&mut self, sender: SocketId) {
        let Some(socket) = self.sockets.get(sender) else {
            return;
        };
        let (host, away) = (socket.host, socket.away());
        self.send(away, host, Packet::Reset { to: sender }, 0, 0);
    }

    /// FIN arrives.
    pub(super) fn fin(&mut self, to: SocketId, sender: SocketId) {
        let Some(receiver) = self.sockets.get_mut(to) else {
            // One that was closed in order takes it; one that vanished does not.
            if self.sockets.get(sender).is_some_and(|socket| !socket.is_left) {
                self.nobody(sender);
            }
            return;
        };
        if let Stage::Over = receiver.stage {
            return self.nobody(sender);
        }
        receiver.pipe.finish();
        let host = receiver.host;
        self.line(host, What::Finished, Some(to), Ok(0));
        self.touch(to);
    }

    pub(crate) fn finish(&mut self, id: SocketId) -> Result<()> {
        let socket = self.held(id)?;
        let host = socket.host;
        match socket.stage {
            Stage::Open if socket.is_finished => return Ok(()),
            Stage::Open => socket.is_finished = true,
            _ => return Err(Errno::NOTCONN),
        }
        self.line(host, What::Finish, Some(id), Ok(0));
        if let Some(socket) = self.sockets.get(id) {
            self.send_fin(host, socket.away(), socket.peer, id);
        }
        // With both sides finished the poller says so.
        self.touch(id);
        Ok(())
    }

    pub(super) fn send_fin(&mut self, host: HostId, away: HostId, peer: Option<SocketId>, id: SocketId) {
        let Some(peer) = peer else { return };
        let floor = self.sockets.get(peer).map_or(0, |receiver| receiver.pipe.last);
        let at = self.send(host, away, Packet::Finish { to: peer, from: id }, 0, floor);
        if let Some(receiver) = self.sockets.get_mut(peer) {
            receiver.pipe.last = receiver.pipe.last.max(at);
        }
    }
}

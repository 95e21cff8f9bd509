//! What a socket is.

use super::{Errno, HostId, Nanos, SocketId, World};
use crate::readiness::Interest;
use sockman::Endpoint;
use std::collections::VecDeque;
use std::net::SocketAddr;

/// How far along a socket is.
pub(super) enum Stage {
    /// It waits for connections.
    Listening(Box<Backlog>),
    /// It has knocked there.
    SynSent(SocketAddr),
    /// This listener has made it to answer a dial from there, which has not confirmed yet.
    SynReceived(SocketId, SocketAddr),
    /// Connected.
    Open,
    /// Reset, refused, or the Unix peer is gone: what has arrived can still be read.
    Over,
}

/// Connections that wait to be accepted.
pub(super) struct Backlog {
    /// With the address of the other end.
    pub(super) queue: VecDeque<(SocketId, Endpoint)>,
    /// Those that have been answered and have not confirmed.
    pub(super) promised: usize,
    pub(super) limit: usize,
    /// The file goes with the socket.
    pub(super) unlink: bool,
}

impl Backlog {
    /// Linux takes one more than it is told.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() + self.promised > self.limit
    }
}

/// Whether the sender has finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Open,
    /// It has, but bytes before it are still on their way.
    Coming,
    /// Everything has arrived.
    Here,
}

/// The way to a socket: bytes that have arrived, and behind them those on their way.
#[derive(Default)]
pub(super) struct Pipe {
    pub(super) bytes: VecDeque<u8>,
    pub(super) arrived: usize,
    /// When the latest packet arrives: none may overtake it.
    pub(super) last: Nanos,
    pub(super) end: End,
}

impl Pipe {
    /// So many bytes more have arrived.
    pub(super) fn arrive(&mut self, count: usize) {
        self.arrived = (self.arrived + count).min(self.bytes.len());
        if self.end == End::Coming && self.arrived == self.bytes.len() {
            self.end = End::Here;
        }
    }

    /// The sender has finished.
    pub(super) fn finish(&mut self) {
        self.end = if self.arrived == self.bytes.len() {
            End::Here
        } else {
            End::Coming
        };
    }

    /// What is on its way never arrives.
    pub(super) fn cut(&mut self) {
        self.bytes.truncate(self.arrived);
    }

    /// Takes what has arrived and fits; an empty pipe holds no memory.
    pub(super) fn take(&mut self, into: &mut [u8]) {
        let (front, back) = self.bytes.as_slices();
        let (first, second) = into.split_at_mut(front.len().min(into.len()));
        first.copy_from_slice(&front[..first.len()]);
        second.copy_from_slice(&back[..second.len()]);
        self.bytes.drain(..into.len());
        self.arrived -= into.len();
        if self.bytes.is_empty() {
            self.bytes = VecDeque::new();
        }
    }
}

pub(super) struct Socket {
    pub(super) host: HostId,
    pub(super) local: Endpoint,
    pub(super) peer: Option<SocketId>,
    /// The host of the other end, which may be gone.
    away: HostId,
    pub(super) stage: Stage,
    pub(super) pipe: Pipe,
    /// It has dialled: its port is its own.
    pub(super) owns_port: bool,
    /// The other end has closed in order: it takes our FIN, although it is not there any more.
    pub(super) is_left: bool,
    /// Bytes sent to a peer that is gone.
    pub(super) void: usize,
    /// Our side is half-closed.
    pub(super) is_finished: bool,
    /// What `SO_ERROR` holds.
    pub(super) error: Option<Errno>,
    /// Since when nothing gets through to the peer.
    pub(super) unacknowledged: Option<Nanos>,
    /// What the poller reports, and under which token.
    pub(super) watch: Option<(u64, Interest)>,
    /// It is in its host's list of those with something to report.
    pub(super) is_listed: bool,
    /// A write found too little room: the writer is to be told when there is more.
    pub(super) is_starved: bool,
}

impl Socket {
    /// With nobody at the other end yet, who will be of the host `away`.
    pub(super) fn new(host: HostId, local: Endpoint, away: HostId, stage: Stage) -> Socket {
        Socket {
            host,
            local,
            peer: None,
            away,
            stage,
            pipe: Pipe::default(),
            owns_port: false,
            is_left: false,
            void: 0,
            is_finished: false,
            error: None,
            unacknowledged: None,
            watch: None,
            is_listed: false,
            is_starved: false,
        }
    }

    /// The host of the other end.
    pub(super) fn away(&self) -> HostId {
        self.away
    }

    pub(super) fn is_unix(&self) -> bool {
        matches!(self.local, Endpoint::Unix(_))
    }

    pub(super) fn backlog(&mut self) -> Option<&mut Backlog> {
        match &mut self.stage {
            Stage::Listening(backlog) => Some(backlog),
            _ => None,
        }
    }

    /// It is over, with this error.
    pub(super) fn fail(&mut self, error: Option<Errno>) {
        self.stage = Stage::Over;
        self.pipe.cut();
        self.error = error.or(self.error);
    }
}

impl World {
    /// Enters a socket.
    pub(super) fn enter(&mut self, socket: Socket) -> super::Result<SocketId> {
        self.sockets.insert(socket).map_err(|_| Errno::NFILE)
    }

    /// The socket, which a program holds.
    pub(super) fn held(&mut self, id: SocketId) -> super::Result<&mut Socket> {
        self.sockets.get_mut(id).ok_or(Errno::BADF)
    }

    pub(crate) fn local(&self, id: SocketId) -> Option<Endpoint> {
        Some(self.sockets.get(id)?.local.clone())
    }

    /// Takes the error that waits.
    pub(crate) fn take_error(&mut self, id: SocketId) -> Option<Errno> {
        self.sockets.get_mut(id)?.error.take()
    }
}

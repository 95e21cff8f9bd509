//! What a poller reports, as epoll does.

use super::hosts::HostId;
use super::sockets::{End, Stage};
use super::{Errno, Nanos, Result, SocketId, What, World};
use crate::readiness::Interest;
use crate::sim::faults::Fault;

/// What holds of a socket, by the names that epoll has for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// `EPOLLIN`.
    pub(crate) input: bool,
    /// `EPOLLOUT`.
    pub(crate) output: bool,
    /// `EPOLLRDHUP`: the peer has finished.
    pub(crate) read_hangup: bool,
    /// `EPOLLHUP`: both have.
    pub(crate) hangup: bool,
    /// `EPOLLERR`.
    pub(crate) error: bool,
}

impl Report {
    fn is_empty(self) -> bool {
        self == Report::default()
    }

    fn bits(self) -> u64 {
        let Report {
            input,
            output,
            read_hangup,
            hangup,
            error,
        } = self;
        [input, output, read_hangup, hangup, error]
            .into_iter()
            .fold(0, |bits, bit| bits << 1 | u64::from(bit))
    }
}

impl World {
    /// What holds now.
    fn poll(&self, id: SocketId) -> Report {
        let Some(socket) = self.sockets.get(id) else {
            return Report::default();
        };
        let error = socket.error.is_some();
        match &socket.stage {
            Stage::Listening(backlog) => Report {
                input: !backlog.queue.is_empty(),
                ..Report::default()
            },
            Stage::SynSent(_) | Stage::SynReceived(..) => Report::default(),
            Stage::Open => {
                let ended = socket.pipe.end == End::Here;
                Report {
                    input: socket.pipe.arrived > 0 || ended,
                    output: socket.is_finished || self.is_writable(id),
                    read_hangup: ended,
                    hangup: ended && socket.is_finished,
                    error,
                }
            }
            Stage::Over => Report {
                input: true,
                output: true,
                read_hangup: true,
                hangup: true,
                error,
            },
        }
    }

    /// What is to be reported of a socket, and under which token.
    pub(super) fn report(&mut self, id: SocketId) -> Option<(u64, Report)> {
        let mut report = self.poll(id);
        let socket = self.sockets.get_mut(id)?;
        let (token, interest) = socket.watch?;
        // As Linux's tcp_poll (SOCK_NOSPACE): who asks and finds no room is told of it.
        socket.is_starved |= interest.write && !report.output;
        report.input &= interest.read;
        report.read_hangup &= interest.read;
        report.output &= interest.write;
        (!report.is_empty()).then_some((token, report))
    }

    /// Something has changed: the poller is to look at the socket.
    #[inline]
    pub(super) fn touch(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else {
            return;
        };
        if socket.watch.is_some() && !socket.is_listed {
            socket.is_listed = true;
            let host = socket.host;
            self.host(host).ready.push_back(id);
        }
    }

    /// Starts, changes (both report what holds already) or ends reporting.
    pub(crate) fn watch(&mut self, id: SocketId, watch: Option<(u64, Interest)>, new: bool) -> Result<()> {
        let socket = self.held(id)?;
        match (socket.watch.is_some(), new) {
            (true, true) => return Err(Errno::EXIST),
            (false, false) => return Err(Errno::NOENT),
            _ => socket.watch = watch,
        }
        let host = socket.host;
        let bits = watch.map_or(0, |(_, interest)| {
            1 + u64::from(interest.read) * 2 + u64::from(interest.write) * 4
        });
        self.line(host, What::Register, Some(id), Ok(bits));
        self.touch(id);
        Ok(())
    }

    /// Gives to `into` what is to be reported now, at most `most`; with `level`, again each time as long as it holds.
    pub(crate) fn collect(&mut self, host: HostId, level: bool, most: usize, into: &mut Vec<(u64, Report)>) {
        if self.take_wake(host) {
            into.push((u64::MAX, Report::default()));
        }
        for _ in 0..self.host(host).ready.len() {
            if into.len() >= most {
                break;
            }
            let Some(id) = self.host(host).ready.pop_front() else {
                break;
            };
            let report = self.report(id);
            let Some(socket) = self.sockets.get_mut(id) else {
                continue;
            };
            socket.is_listed = level && report.is_some();
            let Some((token, report)) = report else { continue };
            if level {
                self.host(host).ready.push_back(id);
            }
            self.line(host, What::Report, Some(id), Ok(report.bits()));
            into.push((token, report));
        }
        if !into.is_empty() {
            self.disturb(host, into);
        }
    }

    /// What may be wrong with a report.
    fn disturb(&mut self, host: HostId, into: &mut Vec<(u64, Report)>) {
        if let Some(chance) = self.hits(host, Fault::Shuffled) {
            fastrand::Rng::with_seed(chance).shuffle(into);
        }
        if let Some(chance) = self.hits(host, Fault::Spurious) {
            let lie = Report {
                input: chance & 1 == 0,
                output: chance & 2 == 0,
                hangup: chance & 4 == 0,
                ..Report::default()
            };
            let (token, _) = into[(chance >> 3) as usize % into.len()];
            into.push((token, lie));
        }
    }

    /// Waits until something is to be reported, or until `timeout` has passed: time passes only here, and in whoever
    /// says so. Fails when nothing will ever happen.
    pub(crate) fn wait(
        &mut self,
        host: HostId,
        level: bool,
        most: usize,
        timeout: Option<Nanos>,
        into: &mut Vec<(u64, Report)>,
    ) -> Result<()> {
        self.advance(self.now + self.wait_cost);
        self.mishaps(host)?;
        let until = timeout.map(|timeout| self.now.saturating_add(timeout));
        loop {
            self.collect(host, level, most, into);
            let is_over = until.is_some_and(|until| until <= self.now);
            if !into.is_empty() || is_over {
                self.line(host, What::Wait, None, Ok(into.len() as u64));
                return Ok(());
            }
            match [self.next_time(), until].into_iter().flatten().min() {
                Some(at) => self.advance(at),
                None => return Err(Errno::DEADLK),
            }
        }
    }
}

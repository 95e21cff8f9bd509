//! The operations that handlers see.

use crate::config::{Config, Limits};
use crate::endpoint::Endpoint;
use crate::handler::{Origin, OriginKind};
use crate::id::{Conn, Listener, Timer};
use crate::net::{ConnInfo, SockMan};
use crate::options::{AdoptOptions, DialOptions, ListenOptions};
use crate::reason::{Closed, Disconnect, Gone, Sent, WantError};
use crate::remote::Remote;
use crate::shared::accept::{Listeners, Listening};
use crate::shared::conn::{Ending, Phase};
use crate::shared::core::Core;
use crate::shared::interface::Interface;
use crate::shared::redial::Redial;
use crate::stats::{Stats, Syscall};
use bytes::Bytes;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The [`SockMan`] of every backend.
pub struct Net<I: Interface> {
    /// The connections.
    pub core: Core<I::Io>,
    /// The listeners.
    pub listeners: Listeners<I::Listening>,
    /// Dials to start again.
    pub(super) redials: Vec<Redial>,
    /// The kernel interface. The last field, so that it is dropped after the connections' and listeners' parts of it.
    pub interface: I,
}

impl<I: Interface> Net<I> {
    pub(super) fn new(mut interface: I, config: &Config) -> io::Result<Self> {
        let mut core = Core::new(
            config,
            interface.waker()?,
            interface.now(),
            interface.descriptors(),
        )?;
        core.stats.interface = interface.description();
        tracing::debug!(backend = I::NAME, interface = core.stats.interface, "made");
        Ok(Net {
            interface,
            core,
            listeners: Listeners::new(),
            redials: Vec::new(),
        })
    }

    /// Whether anything waits that needs no event.
    #[inline]
    pub fn has_work(&self) -> bool {
        self.core.has_work() || !self.listeners.accepting.is_empty() || self.interface.has_events()
    }

    /// The earliest of all times at which the loop must look by itself.
    pub(super) fn next_time(&self) -> Option<Instant> {
        let redial = self.redials.iter().map(|redial| redial.at).min();
        [self.core.timers.peek(), self.listeners.retry_at, redial]
            .into_iter()
            .flatten()
            .min()
    }

    /// The kernel is tried before a queue above the mark is judged.
    #[inline]
    fn queued(&mut self, conn: Conn) -> Result<Sent, Gone> {
        if self.core.is_high(conn) {
            self.flush(conn);
        }
        self.core.judge(conn)
    }

    /// Enters a connection that has not been started yet.
    pub(super) fn enter(
        &mut self,
        io: I::Io,
        phase: Phase,
        origin: Origin,
        limits: Rc<Limits>,
    ) -> io::Result<Conn> {
        self.core
            .insert(io, phase, origin, limits)
            .ok_or_else(|| io::Error::new(io::ErrorKind::OutOfMemory, "all connection ids are taken"))
    }

    /// Enters and starts a connection that is there.
    pub(super) fn begin(&mut self, io: I::Io, origin: Origin, limits: Rc<Limits>) -> io::Result<Conn> {
        let conn = self.enter(io, Phase::Opening, origin, limits)?;
        I::start(self, conn)
            .inspect_err(|_| self.core.doom(conn, Ending::Silent))
            .map(|()| conn)
    }
}

impl<I: Interface> SockMan for Net<I> {
    fn listen(&mut self, at: &Endpoint, how: &ListenOptions) -> io::Result<Listener> {
        let limits = self.core.limits_of(how.limits.as_ref())?;
        let socket = self.interface.listen(at, how, &mut self.core.stats.syscalls)?;
        let listening = Listening {
            socket,
            key: how.key,
            limits,
            listed: false,
        };
        let full = |_| io::Error::new(io::ErrorKind::OutOfMemory, "all listener ids are taken");
        let listener = self.listeners.slots.insert(listening).map_err(full)?;
        if let Err(error) = I::watch_listener(self, listener, true) {
            self.unlisten(listener);
            return Err(error);
        }
        tracing::debug!(%listener, %at, "listening");
        Ok(listener)
    }

    fn unlisten(&mut self, listener: Listener) {
        if let Some(l) = self.listeners.slots.remove(listener) {
            self.interface.unlisten(l.socket, &mut self.core.stats.syscalls);
            self.core.stats.syscalls[Syscall::Close] += 1;
            tracing::debug!(%listener, "no longer listening");
        }
    }

    fn local_addr(&self, listener: Listener) -> Option<Endpoint> {
        self.interface
            .listener_addr(&self.listeners.slots.get(listener)?.socket)
    }

    fn dial(&mut self, to: &Endpoint, how: &DialOptions) -> io::Result<Conn> {
        self.start_dial(to, how)
    }

    #[inline]
    fn send(&mut self, conn: Conn, data: &[u8]) -> Result<Sent, Gone> {
        if data.len() >= self.core.config.direct_write {
            self.write_direct(conn, data)?;
        } else if let Some(done) = self.core.stage(conn, data) {
            return done;
        } else {
            self.core.queue(conn)?.push(data);
        }
        self.queued(conn)
    }

    fn send_bytes(&mut self, conn: Conn, data: Bytes) -> Result<Sent, Gone> {
        self.core.queue(conn)?.push_bytes(data);
        self.queued(conn)
    }

    fn post(&mut self, conn: Conn, data: Bytes) {
        self.core.post(conn, data);
    }

    fn disconnect(&mut self, conn: Conn, how: Disconnect) {
        self.core.disconnect(conn, how);
    }

    fn finish(&mut self, conn: Conn) {
        self.core.finish(conn);
    }

    fn pause(&mut self, conn: Conn) {
        self.core.pause(conn);
        I::paused(self, conn);
    }

    fn resume(&mut self, conn: Conn) {
        self.core.resume(conn);
    }

    fn want(&mut self, conn: Conn, unread: usize) -> Result<(), WantError> {
        self.core.want(conn, unread)
    }

    fn set_deadline(&mut self, conn: Conn, at: Option<Instant>) {
        self.core.set_deadline(conn, at);
    }

    fn set_timer(&mut self, at: Instant, key: u64) -> Timer {
        self.core.timers.insert(at, key)
    }

    fn cancel(&mut self, timer: Timer) {
        self.core.timers.cancel(timer);
    }

    fn adopt(&mut self, socket: OwnedFd, how: &AdoptOptions) -> io::Result<Conn> {
        let limits = self.core.limits_of(how.limits.as_ref())?;
        let (io, peer) = self.interface.adopt(socket, &mut self.core.stats.syscalls)?;
        let origin = Origin {
            key: how.key,
            how: OriginKind::Adopted,
            peer,
        };
        let conn = self.begin(io, origin, limits)?;
        self.core.make_ready(conn);
        Ok(conn)
    }

    fn detach(&mut self, conn: Conn) -> io::Result<OwnedFd> {
        let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if self.core.opening != Some(conn) {
            return refused("a connection can be detached only inside its own open");
        }
        self.core.queue_staged(conn);
        let Some(c) = self.core.conns.get(conn) else {
            return refused("the connection is gone");
        };
        if c.detached {
            return refused("already detached");
        }
        if c.phase != Phase::Open || c.unsent() > 0 || c.bytes_out > 0 {
            return refused("bytes were sent before detaching");
        }
        let socket = I::detach(self, conn)?;
        if let Some(c) = self.core.conns.get_mut(conn) {
            c.detached = true;
        }
        Ok(socket)
    }

    fn shut_down(&mut self, within: Duration) {
        for listener in self.listeners.slots.ids() {
            self.unlisten(listener);
        }
        self.core.shut_down(within);
    }

    fn is_open(&self, conn: Conn) -> bool {
        self.core.is_open(conn)
    }

    fn connections(&self) -> usize {
        self.core.conns.len()
    }

    fn now(&self) -> Instant {
        self.core.now
    }

    fn info(&self, conn: Conn) -> Option<ConnInfo> {
        self.core.info(conn, |io| self.interface.local_addr(io))
    }

    fn limits(&self) -> &Limits {
        &self.core.limits
    }

    fn stats(&self) -> &Stats {
        &self.core.stats
    }

    fn remote(&self) -> Remote {
        self.core.mailbox.remote()
    }
}

impl<I: Interface> Net<I> {
    /// Ends a connection whose socket fails.
    pub fn broken(&mut self, conn: Conn, error: io::Error) {
        self.core.close(conn, Closed::Failed(error));
    }
}

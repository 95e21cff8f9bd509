//! The operations that handlers see.

use super::kernel::{Interest, Kernel};
use sockman::shared::{Core, HasCore, Phase, Slots};
use sockman::{
    Bytes, Config, Conn, ConnInfo, DialOptions, Disconnect, Endpoint, Gone, Id, Limits, ListenOptions,
    Listener, Origin, OriginKind, RawId, Remote, Sent, SockMan, Stats, Syscall, Timer, WantError,
};
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What the engine keeps for a connection.
pub struct Io<Socket> {
    /// Nothing before a dial has a socket, and after detaching.
    pub(super) socket: Option<Socket>,
    /// As far as we know it can be read.
    pub(super) readable: bool,
    /// The peer's end or an error was reported and has not shown yet.
    pub(super) hangup: bool,
    /// The kernel took less than it was offered; it says when it takes more.
    pub(super) blocked: bool,
    /// What the poller reports on it; `None` when it is not registered.
    pub(super) watched: Option<Interest>,
}

/// What the engine keeps for a listener.
pub(super) struct Listening<L> {
    pub(super) socket: L,
    pub(super) key: u64,
    pub(super) limits: Rc<Limits>,
    /// It is in one of the two lists, of those to accept from and of those that cannot for the time being.
    pub(super) listed: bool,
}

/// The readiness engine's [`SockMan`].
pub struct Net<K: Kernel> {
    pub(super) kernel: K,
    pub(super) core: Core<Io<K::Socket>>,
    pub(super) listeners: Slots<Listener, Listening<K::Listener>>,
    /// Listeners to accept from.
    pub(super) accepting: VecDeque<Listener>,
    /// Listeners that wait for a connection to close, or for `retry_at`.
    pub(super) starved: Vec<Listener>,
    pub(super) retry_at: Option<Instant>,
    /// Dials to start again.
    pub(super) redials: Vec<super::dial::Redial>,
}

impl<K: Kernel> Net<K> {
    pub(super) fn new(mut kernel: K, config: &Config) -> io::Result<Self> {
        let core = Core::new(config, kernel.waker()?, kernel.now(), kernel.descriptors())?;
        Ok(Net {
            kernel,
            core,
            listeners: Slots::new(),
            accepting: VecDeque::new(),
            starved: Vec::new(),
            retry_at: None,
            redials: Vec::new(),
        })
    }

    /// Whether anything waits that needs no event.
    pub(super) fn has_work(&self) -> bool {
        self.core.has_work() || !self.accepting.is_empty()
    }

    /// The earliest of all times at which the loop must look by itself.
    pub(super) fn next_time(&self) -> Option<Instant> {
        let redial = self.redials.iter().map(|redial| redial.at).min();
        [self.core.timers.peek(), self.retry_at, redial]
            .into_iter()
            .flatten()
            .min()
    }

    /// Registers the socket of a connection with the poller.
    pub(super) fn register(&mut self, conn: Conn, interest: Interest) -> io::Result<()> {
        let Some(c) = self.core.conns.get_mut(conn) else {
            return Ok(());
        };
        let Some(socket) = &c.io.socket else { return Ok(()) };
        let interest = if K::LEVEL { interest } else { Interest::BOTH };
        self.core.stats.syscalls[Syscall::Register] += 1;
        self.kernel.add(socket, conn.raw().to_bits(), interest)?;
        c.io.watched = Some(interest);
        Ok(())
    }

    /// Level-triggered pollers only: has reported what can be acted on, and nothing else, or waiting would spin.
    pub(super) fn watch(&mut self, conn: Conn) {
        if !K::LEVEL {
            return;
        }
        let Some(c) = self.core.conns.get_mut(conn) else {
            return;
        };
        let Some(socket) = &c.io.socket else { return };
        if c.phase == Phase::Doomed {
            return;
        }
        let read = c.wants_reading();
        let interest = Interest {
            read,
            write: c.io.blocked || c.phase == Phase::Dialing,
        };
        // A hang-up is reported whatever the interest.
        let wanted = if c.io.hangup && !read {
            None
        } else {
            Some(interest)
        };
        if c.io.watched == wanted {
            return;
        }
        self.core.stats.syscalls[Syscall::Register] += 1;
        let token = conn.raw().to_bits();
        let result = match (c.io.watched, wanted) {
            (None, Some(interest)) => self.kernel.add(socket, token, interest),
            (Some(_), Some(interest)) => self.kernel.change(socket, token, interest),
            (_, None) => self.kernel.remove(socket),
        };
        c.io.watched = wanted;
        if let Err(error) = result {
            self.core.close(conn, sockman::Closed::Failed(error));
        }
    }

    /// The kernel is tried before a queue above the mark is judged.
    #[inline]
    fn queued(&mut self, conn: Conn) -> Result<Sent, Gone> {
        if self.core.is_high(conn) {
            self.flush(conn);
        }
        self.core.judge(conn)
    }
}

impl<K: Kernel> HasCore for Net<K> {
    type Io = Io<K::Socket>;

    #[inline]
    fn core(&mut self) -> &mut Core<Io<K::Socket>> {
        &mut self.core
    }
}

impl<K: Kernel> SockMan for Net<K> {
    fn listen(&mut self, at: &Endpoint, how: &ListenOptions) -> io::Result<Listener> {
        let limits = self.core.limits_of(how.limits.as_ref())?;
        let socket = self.kernel.listen(at, how, &mut self.core.stats.syscalls)?;
        let listening = Listening {
            socket,
            key: how.key,
            limits,
            listed: false,
        };
        let full = |_| io::Error::new(io::ErrorKind::OutOfMemory, "all listener ids are taken");
        let listener = self.listeners.insert(listening).map_err(full)?;
        if let Some(l) = self.listeners.get(listener) {
            self.core.stats.syscalls[Syscall::Register] += 1;
            if let Err(error) = self
                .kernel
                .add(l.socket.as_ref(), listener.raw().to_bits(), Interest::READ)
            {
                self.listeners.remove(listener);
                return Err(error);
            }
        }
        tracing::debug!(%listener, %at, "listening");
        Ok(listener)
    }

    fn unlisten(&mut self, listener: Listener) {
        if let Some(l) = self.listeners.remove(listener) {
            self.core.stats.syscalls[Syscall::Register] += 1;
            if let Err(error) = self.kernel.remove(l.socket.as_ref()) {
                tracing::debug!(%listener, %error, "deregistering failed");
            }
            self.core.stats.syscalls[Syscall::Close] += 1;
            tracing::debug!(%listener, "no longer listening");
        }
    }

    fn local_addr(&self, listener: Listener) -> Option<Endpoint> {
        self.kernel
            .local_addr(self.listeners.get(listener)?.socket.as_ref())
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

    fn adopt(&mut self, socket: OwnedFd, key: u64) -> io::Result<Conn> {
        let (socket, peer) = self.kernel.adopt(socket, &mut self.core.stats.syscalls)?;
        let origin = Origin {
            key,
            how: OriginKind::Adopted,
            peer,
        };
        let conn = self.enter(Some(socket), Phase::Opening, origin, self.core.limits.clone())?;
        if let Err(error) = self.register(conn, Interest::READ) {
            self.core.doom(conn, sockman::shared::Ending::Silent);
            return Err(error);
        }
        self.core.make_ready(conn);
        Ok(conn)
    }

    fn detach(&mut self, conn: Conn) -> io::Result<OwnedFd> {
        let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if self.core.opening != Some(conn) {
            return refused("a connection can be detached only inside its own open");
        }
        self.core.queue_staged(conn);
        let Some(c) = self.core.conns.get_mut(conn) else {
            return refused("the connection is gone");
        };
        if c.phase != Phase::Open || c.unsent() > 0 || c.bytes_out > 0 {
            return refused("bytes were sent before detaching");
        }
        let Some(socket) = c.io.socket.take() else {
            return refused("already detached");
        };
        self.core.stats.syscalls[Syscall::Register] += 1;
        self.kernel.remove(&socket)?;
        self.kernel.detach(socket)
    }

    fn shut_down(&mut self, within: Duration) {
        for listener in self.listeners.ids() {
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
        self.core
            .info(conn, |io| self.kernel.local_addr(io.socket.as_ref()?))
    }

    fn stats(&self) -> &Stats {
        &self.core.stats
    }

    fn remote(&self) -> Remote {
        self.core.mailbox.remote()
    }
}

impl<K: Kernel> Net<K> {
    /// Enters a connection whose socket is not registered yet.
    pub(super) fn enter(
        &mut self,
        socket: Option<K::Socket>,
        phase: Phase,
        origin: Origin,
        limits: Rc<Limits>,
    ) -> io::Result<Conn> {
        let io = Io {
            socket,
            readable: false,
            hangup: false,
            blocked: false,
            watched: None,
        };
        self.core
            .insert(io, phase, origin, limits)
            .ok_or_else(|| io::Error::new(io::ErrorKind::OutOfMemory, "all connection ids are taken"))
    }

    /// Takes note of an event.
    #[inline]
    pub(super) fn mark(core: &mut Core<Io<K::Socket>>, id: RawId, event: super::kernel::Event) {
        let conn = Conn::from_raw(id);
        let Some(c) = core.conns.get_mut(conn) else { return };
        c.io.readable |= event.readable;
        c.io.hangup |= event.hangup;
        let unblocked = event.writable && c.io.blocked;
        c.io.blocked &= !event.writable;
        let useful = event.readable || event.hangup || unblocked || c.phase == Phase::Dialing;
        if useful && !c.queued {
            c.queued = true;
            core.ready.push_back(conn);
        }
    }
}

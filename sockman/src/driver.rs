//! A backend, a handler and its sessions, put together.

use crate::backend::{Backend, Sink, Turn};
use crate::config::Config;
use crate::conn_map::ConnMap;
use crate::handler::{Handler, Origin};
use crate::id::Conn;
use crate::net::SockMan;
use crate::reason::{Closed, DialError};
use crate::remote::{Command, Remote};
use bytes::Bytes;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Runs a [`Handler`] over a [`Backend`].
///
/// Callers who own the loop call [`turn`](Driver::turn), directly or from a foreign poll loop with
/// [`next_deadline`](Driver::next_deadline) and the descriptor of [`AsFd`]; those who do not call [`run`](Driver::run).
/// It stays on the thread it was made on; other threads reach it through a [`Remote`].
pub struct Driver<B: Backend, H: Handler> {
    backend: B,
    sessions: Sessions<H>,
    stays_here: PhantomData<Rc<()>>,
}

impl<B: Backend, H: Handler> Driver<B, H> {
    /// Makes the backend and puts the handler on it. Fails as [`Backend::new`] does.
    pub fn new(config: &Config, handler: H) -> io::Result<Self> {
        Ok(Driver::with_backend(B::new(config)?, handler))
    }

    /// Puts the handler on a backend that was made elsewhere.
    pub fn with_backend(mut backend: B, handler: H) -> Self {
        let remote = backend.sockets().remote();
        let sessions = Sessions {
            handler,
            sessions: ConnMap::new(),
            remote,
            commands: Vec::new(),
            stop_by: None,
        };
        Driver {
            backend,
            sessions,
            stays_here: PhantomData,
        }
    }

    /// Waits for the kernel, at most for `timeout` (`None`: until something happens), and delivers all that it reports.
    /// Fails only when the kernel interface itself does; nothing a peer does comes out here.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Turn> {
        let Some(stop_by) = self.sessions.stop_by else {
            return self.backend.turn(&mut self.sessions, timeout);
        };
        let left = stop_by.saturating_duration_since(self.backend.sockets().now());
        let mut turn = self.backend.turn(
            &mut self.sessions,
            Some(timeout.map_or(left, |timeout| timeout.min(left))),
        )?;
        let net = self.backend.sockets();
        if net.now() >= stop_by && net.connections() > 0 {
            net.shut_down(Duration::ZERO);
            let last = self.backend.turn(&mut self.sessions, Some(Duration::ZERO))?;
            turn = Turn {
                events: turn.events + last.events,
                more: last.more,
            };
        }
        Ok(turn)
    }

    /// Turns until [`Remote::stop`] has been called and everything is closed.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.is_stopped() {
            self.turn(None)?;
        }
        Ok(())
    }

    /// Whether the loop was stopped and nothing is open any more.
    pub fn is_stopped(&mut self) -> bool {
        self.sessions.stop_by.is_some() && self.backend.sockets().connections() == 0
    }

    /// Gives access to the handler and the operations outside callbacks; what is sent leaves before this returns.
    pub fn with<R>(&mut self, work: impl FnOnce(&mut H, &mut B::SockMan) -> R) -> R {
        let result = work(&mut self.sessions.handler, self.backend.sockets());
        self.backend.flush();
        result
    }

    /// When the next turn is due at the latest; a time in the past means at once, `None` that only the descriptor of
    /// [`AsFd`] can tell.
    pub fn next_deadline(&self) -> Option<Instant> {
        [self.backend.next_deadline(), self.sessions.stop_by]
            .into_iter()
            .flatten()
            .min()
    }

    /// The handler.
    pub fn handler(&self) -> &H {
        &self.sessions.handler
    }

    /// The backend, for what it tells beyond the trait.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The connection's session, if it is open: for inspection from outside callbacks.
    pub fn session(&self, conn: Conn) -> Option<&H::Session> {
        self.sessions.sessions.get(conn)
    }

    /// A handle through which other threads reach this loop.
    pub fn remote(&self) -> Remote {
        self.sessions.remote.clone()
    }
}

/// Readable when a turn has something to deliver.
impl<B: Backend + AsFd, H: Handler> AsFd for Driver<B, H> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.backend.as_fd()
    }
}

/// Longer limits count as this one (a century), so that adding it to the time cannot overflow.
const LONGEST_STOP: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The sink of a driver: finds the session and calls the handler.
struct Sessions<H: Handler> {
    handler: H,
    sessions: ConnMap<H::Session>,
    remote: Remote,
    commands: Vec<Command>,
    stop_by: Option<Instant>,
}

impl<H: Handler, S: SockMan> Sink<S> for Sessions<H> {
    fn open(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> bool {
        match self.handler.open(net, conn, origin) {
            Some(session) => {
                self.sessions.insert(conn, session);
                true
            }
            None => false,
        }
    }

    #[inline]
    fn received(&mut self, net: &mut S, conn: Conn, data: &mut [u8]) -> usize {
        match self.sessions.get_mut(conn) {
            Some(session) => self.handler.received(net, conn, session, data),
            None => data.len(),
        }
    }

    fn posted(&mut self, net: &mut S, conn: Conn, data: Bytes) {
        if let Some(session) = self.sessions.get_mut(conn) {
            self.handler.posted(net, conn, session, data);
        }
    }

    fn drained(&mut self, net: &mut S, conn: Conn) {
        if let Some(session) = self.sessions.get_mut(conn) {
            self.handler.drained(net, conn, session);
        }
    }

    fn eof(&mut self, net: &mut S, conn: Conn, unread: &mut [u8]) {
        if let Some(session) = self.sessions.get_mut(conn) {
            self.handler.eof(net, conn, session, unread);
        }
    }

    fn deadline(&mut self, net: &mut S, conn: Conn) {
        if let Some(session) = self.sessions.get_mut(conn) {
            self.handler.deadline(net, conn, session);
        }
    }

    fn timer(&mut self, net: &mut S, key: u64) {
        self.handler.timer(net, key);
    }

    fn commands(&mut self, net: &mut S) {
        let mut commands = std::mem::take(&mut self.commands);
        if self.remote.take(&mut commands) {
            self.handler.woken(net);
        }
        for command in commands.drain(..) {
            match command {
                Command::Post(conn, data) if net.is_open(conn) => Sink::posted(self, net, conn, data),
                Command::Post(..) => {}
                Command::Disconnect(conn, how) => net.disconnect(conn, how),
                Command::Pause(conn) => net.pause(conn),
                Command::Resume(conn) => net.resume(conn),
                Command::Stop(within) => {
                    let by = net.now() + within.min(LONGEST_STOP);
                    self.stop_by = Some(self.stop_by.map_or(by, |earlier| earlier.min(by)));
                    self.handler.stopping(net, within);
                }
            }
        }
        self.commands = commands;
    }

    fn dial_failed(&mut self, net: &mut S, key: u64, why: DialError) {
        self.handler.dial_failed(net, key, why);
    }

    fn closed(&mut self, net: &mut S, conn: Conn, why: Closed) {
        if let Some(session) = self.sessions.remove(conn) {
            self.handler.closed(net, conn, session, why);
        }
    }
}

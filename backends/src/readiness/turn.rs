//! The loop.

use super::kernel::Kernel;
use super::net::Net;
use sockman::shared::{Due, Ending, Inbox};
use sockman::{Backend, Config, Conn, Id, Listener, RawId, Sink, Turn};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// The readiness engine over a kernel.
pub struct Engine<K: Kernel> {
    pub(super) net: Net<K>,
    pub(super) inbox: Inbox,
    /// Where reads go.
    pub(super) scratch: Box<[u8]>,
}

impl<K: Kernel> Engine<K> {
    /// Runs on `kernel`.
    pub fn with_kernel(kernel: K, config: &Config) -> io::Result<Self> {
        Ok(Engine {
            net: Net::new(kernel, config)?,
            inbox: Inbox::new(config.spare_buffers / 2),
            scratch: vec![0; config.read_buffer].into_boxed_slice(),
        })
    }

    /// After a callback: writes what it sent, then closes what it closed. A closing that a `closed` causes waits for the
    /// next call, so that this ends whatever handlers do.
    #[inline]
    pub(super) fn settle(&mut self, sink: &mut impl Sink<Net<K>>) {
        self.net.flush_dirty();
        if self.net.core.doomed.is_empty() {
            return;
        }
        for _ in 0..self.net.core.doomed.len() {
            self.bury(sink);
        }
        self.net.flush_dirty();
    }

    /// Closes one connection and reports it.
    fn bury(&mut self, sink: &mut impl Sink<Net<K>>) {
        let Some((conn, state, ending)) = self.net.core.take_doomed() else {
            return;
        };
        self.inbox.forget(conn);
        if let Some(socket) = state.io.socket {
            self.net
                .kernel
                .close(socket, state.reset, &mut self.net.core.stats.syscalls);
        }
        self.net.feed();
        match ending {
            Ending::Closed(why) => sink.closed(&mut self.net, conn, why),
            Ending::Dial(why) => sink.dial_failed(&mut self.net, state.key, why),
            Ending::Silent => {}
        }
    }

    /// How long the wait may be.
    fn wait_time(&mut self, timeout: Option<Duration>) -> Option<Duration> {
        if self.net.has_work() {
            return Some(Duration::ZERO);
        }
        self.net.core.timers.next_time();
        match self.net.next_time() {
            None => timeout,
            Some(at) => {
                let left = at.saturating_duration_since(self.net.kernel.now());
                Some(timeout.map_or(left, |timeout| timeout.min(left)))
            }
        }
    }

    /// Waits, and takes note of what is reported.
    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let Net {
            kernel,
            core,
            listeners,
            accepting,
            ..
        } = &mut self.net;
        let mut events = 0;
        let mut calls = core.stats.syscalls;
        let result = kernel.wait(timeout, &mut calls, &mut |event| {
            events += 1;
            let Some(id) = RawId::from_bits(event.token) else {
                return;
            };
            match id.kind() {
                Conn::KIND => Net::<K>::mark(core, id, event),
                Listener::KIND => {
                    let listener = Listener::from_raw(id);
                    if let Some(l) = listeners.get_mut(listener)
                        && !l.listed
                    {
                        l.listed = true;
                        accepting.push_back(listener);
                    }
                }
                _ => {}
            }
        });
        core.stats.syscalls = calls;
        core.set_now(kernel.now());
        match result {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(events),
        }
    }

    /// Deadlines and timers that are due, and dials and listeners whose pause is over.
    fn timers(&mut self, sink: &mut impl Sink<Net<K>>) {
        let now = self.net.core.now;
        self.net.core.timers.collect(now);
        while let Some(due) = self.net.core.timers.take_due(now) {
            match due {
                Due::Timer(key) => sink.timer(&mut self.net, key),
                Due::Deadline(conn) if self.net.core.deadline_passed(conn) => {
                    sink.deadline(&mut self.net, conn);
                }
                Due::Deadline(_) => {}
            }
            self.settle(sink);
        }
        self.net.redial();
        if self.net.retry_at.is_some_and(|at| at <= now) {
            self.net.feed();
        }
        self.settle(sink);
    }
}

impl<K: Kernel> Backend for Engine<K> {
    const NAME: &'static str = K::NAME;
    type SockMan = Net<K>;

    fn new(config: &Config) -> io::Result<Self> {
        Engine::with_kernel(K::new(config)?, config)
    }

    fn sockets(&mut self) -> &mut Net<K> {
        &mut self.net
    }

    fn flush(&mut self) {
        self.net.flush_dirty();
    }

    fn next_deadline(&self) -> Option<Instant> {
        if self.net.has_work() {
            Some(self.net.core.now)
        } else {
            self.net.next_time()
        }
    }

    fn turn(&mut self, sink: &mut impl Sink<Net<K>>, timeout: Option<Duration>) -> io::Result<Turn> {
        let _span = tracing::trace_span!("turn", backend = K::NAME).entered();
        // Decided first: a turn that has something to deliver does not sleep after it.
        let wait = self.wait_time(timeout);
        self.settle(sink);
        let events = self.wait(wait)?;
        let stats = &mut self.net.core.stats;
        stats.turns += 1;
        stats.events += events as u64;
        let slept = wait.is_none_or(|wait| !wait.is_zero());
        // A sleep that lasted as long as the caller allowed is the caller's doing.
        stats.wakeups += u64::from(slept && (events > 0 || wait < timeout.or(Some(Duration::MAX))));
        if self.net.core.mailbox.awake() {
            self.net.core.stats.remote_wakeups += 1;
            sink.commands(&mut self.net);
            self.settle(sink);
        }
        self.timers(sink);
        for _ in 0..self.net.accepting.len() {
            if let Some(listener) = self.net.accepting.pop_front() {
                self.accept(sink, listener);
            }
        }
        for _ in 0..self.net.core.ready.len() {
            if let Some(conn) = self.net.core.ready.pop_front() {
                self.serve(sink, conn);
            }
        }
        for _ in 0..self.net.core.posts.len() {
            if let Some((conn, data)) = self.net.core.posts.pop_front()
                && self.net.core.is_open(conn)
            {
                sink.posted(&mut self.net, conn, data);
                self.settle(sink);
            }
        }
        self.settle(sink);
        self.net.core.mailbox.sleep();
        self.net.core.timers.next_time();
        Ok(Turn {
            events,
            more: self.net.has_work(),
        })
    }
}

impl<K: Kernel + AsFd> AsFd for Engine<K> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.net.kernel.as_fd()
    }
}

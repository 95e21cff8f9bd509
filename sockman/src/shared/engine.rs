//! The loop.

use crate::backend::{Backend, Sink, Turn};
use crate::config::Config;
use crate::shared::delivery::Delivery;
use crate::shared::interface::Interface;
use crate::shared::net::Net;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// The backend over a kernel interface.
pub struct Engine<I: Interface> {
    /// The sockets and the unread bytes.
    pub delivery: Delivery<I>,
    /// Where bytes are received to.
    pub buffers: I::Buffers,
}

impl<I: Interface> Engine<I> {
    /// Runs on `interface`.
    pub fn on(mut interface: I, config: &Config) -> io::Result<Self> {
        config.check()?;
        let buffers = interface.buffers(config)?;
        Ok(Engine {
            delivery: Delivery::new(Net::new(interface, config)?, config),
            buffers,
        })
    }

    /// Serves so many of the connections with work, the first ones, once each.
    #[inline]
    fn serve(&mut self, sink: &mut impl Sink<Net<I>>, count: usize) {
        for _ in 0..count {
            if let Some(conn) = self.delivery.net.core.take_ready() {
                I::serve(self, sink, conn);
            }
        }
    }

    /// How long the wait may be.
    fn wait_time(&mut self, timeout: Option<Duration>) -> Option<Duration> {
        let net = &mut self.delivery.net;
        if net.has_work() {
            return Some(Duration::ZERO);
        }
        net.core.timers.next_time();
        match net.next_time() {
            None => timeout,
            Some(at) => {
                let left = at.saturating_duration_since(net.interface.now());
                Some(timeout.map_or(left, |timeout| timeout.min(left)))
            }
        }
    }
}

impl<I: Interface> Backend for Engine<I> {
    const NAME: &'static str = I::NAME;
    type SockMan = Net<I>;

    fn new(config: &Config) -> io::Result<Self> {
        config.check()?;
        Engine::on(I::new(config)?, config)
    }

    fn sockets(&mut self) -> &mut Net<I> {
        &mut self.delivery.net
    }

    fn flush(&mut self) {
        self.delivery.net.flush_dirty();
        I::submit(&mut self.delivery.net);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let net = &self.delivery.net;
        if net.has_work() || net.interface.is_behind() {
            Some(net.core.now)
        } else {
            net.next_time()
        }
    }

    fn turn(&mut self, sink: &mut impl Sink<Net<I>>, timeout: Option<Duration>) -> io::Result<Turn> {
        let _span = tracing::trace_span!("turn", backend = I::NAME).entered();
        // Decided first: a turn that has something to deliver does not sleep after it.
        let wait = self.wait_time(timeout);
        self.delivery.settle(sink);
        self.delivery.await_begin();
        let left_over = self.delivery.net.core.ready.len();
        let events = I::wait(self, sink, wait)?;
        let reported = self.delivery.net.core.ready.len() - left_over;
        self.delivery.net.core.ready.rotate_left(left_over);
        self.delivery.begin();
        let stats = &mut self.delivery.net.core.stats;
        stats.turns += 1;
        stats.events += events as u64;
        let slept = wait.is_none_or(|wait| !wait.is_zero());
        // A sleep that lasted as long as the caller allowed is the caller's doing.
        stats.wakeups += u64::from(slept && (events > 0 || wait < timeout.or(Some(Duration::MAX))));
        self.delivery.commands(sink);
        // What has just come is first: who wants little does not wait for what others have left over from earlier turns.
        let others = self.delivery.net.core.ready.len() - reported;
        self.serve(sink, reported);
        // What these leave over is behind all that this turn has still to serve.
        let again = self.delivery.net.core.ready.len() - others;
        self.delivery.net.core.ready.rotate_right(again);
        self.delivery.timers(sink);
        self.delivery.accept_all(sink);
        self.delivery.net.core.ready.rotate_left(again);
        self.serve(sink, self.delivery.net.core.ready.len() - again);
        self.delivery.posts(sink);
        self.delivery.settle(sink);
        let net = &mut self.delivery.net;
        I::submit(net);
        net.core.mailbox.sleep();
        net.core.timers.next_time();
        Ok(Turn {
            events,
            more: net.has_work(),
        })
    }
}

/// What was entered and not submitted (a panic of the handler came between) is, while the sockets that it names are open.
impl<I: Interface> Drop for Engine<I> {
    fn drop(&mut self) {
        I::submit(&mut self.delivery.net);
    }
}

impl<I: Interface + AsFd> AsFd for Engine<I> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.delivery.net.interface.as_fd()
    }
}

//! A sockman handler on a backend, as a server process.

use super::{BACKLOG, Counts, Post, Ready, Running};
use crate::echo::Echo;
use sockman::bytes::Bytes;
use sockman::{
    Backend, Closed, Config, Conn, DialError, Driver, Endpoint, Handler, ListenOptions, Origin, Remote,
    SockMan,
};
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Serves [`Echo`] on a backend.
pub fn echo<B: Backend>(ready: Ready<'_>) -> io::Result<()> {
    serve::<B, _>(Echo, ready)
}

/// Serves a handler on a backend, until the process ends.
pub fn serve<B: Backend, H: Handler>(handler: H, ready: Ready<'_>) -> io::Result<()> {
    let listen = |_: &mut H, net: &mut B::SockMan, at: &Endpoint| {
        let how = ListenOptions {
            backlog: BACKLOG.unsigned_abs(),
            ..ListenOptions::default()
        };
        let listener = net.listen(at, &how)?;
        Ok(net.local_addr(listener).unwrap_or_else(|| at.clone()))
    };
    serve_with::<B, H>(handler, listen, post, ready)
}

/// As [`serve`], but it is said how the handler listens, and gives where; and what is done on the loop from another thread, given
/// how to reach it and its first connection.
pub fn serve_with<B: Backend, H: Handler>(
    handler: H,
    listen: impl FnOnce(&mut H, &mut B::SockMan, &Endpoint) -> io::Result<Endpoint>,
    post: impl FnOnce(Remote, Arc<OnceLock<Conn>>) -> Post,
    ready: Ready<'_>,
) -> io::Result<()> {
    let (counts, answers) = mpsc::channel();
    let asked = Arc::new(AtomicBool::new(false));
    let first = Arc::new(OnceLock::new());
    let observed = Observed {
        handler,
        counts,
        asked: asked.clone(),
        first: first.clone(),
    };
    let mut driver = Driver::<B, _>::new(&Config::default(), observed)?;
    let (at, interface) = driver.with(|observed, net| {
        let any = Endpoint::Tcp((Ipv4Addr::LOCALHOST, 0).into());
        let at = listen(&mut observed.handler, net, &any)?.tcp();
        let at = at.ok_or_else(|| io::Error::other("the listener has no address"))?;
        io::Result::Ok((at, net.stats().interface.clone()))
    })?;
    let remote = driver.remote();
    ready(Running {
        at,
        interface,
        probe: Box::new(move || {
            asked.store(true, Ordering::Release);
            remote.wake();
            // A loop that does not answer is a bug; the figure stays blank, and the load says that it hangs.
            answers.recv_timeout(Duration::from_secs(5)).ok()
        }),
        post: Some(post(driver.remote(), first)),
        process: None,
    });
    driver.run()
}

/// Sends to the first connection.
fn post(remote: Remote, first: Arc<OnceLock<Conn>>) -> Post {
    let message = Bytes::from_static(crate::wake::MESSAGE);
    Box::new(move || {
        if let Some(conn) = first.get() {
            // The loop runs for as long as the process does.
            let _ = remote.post(*conn, message.clone());
        }
    })
}

/// A handler whose loop can be asked for its counts, and whose first connection is known. What concerns connections goes
/// straight through, at no cost.
struct Observed<H> {
    handler: H,
    counts: Sender<Counts>,
    /// Whether that is what it was woken for; it may be the handler's business.
    asked: Arc<AtomicBool>,
    first: Arc<OnceLock<Conn>>,
}

impl<H: Handler> Handler for Observed<H> {
    type Session = H::Session;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<H::Session> {
        self.first.get_or_init(|| conn);
        self.handler.open(net, conn, origin)
    }

    #[inline]
    fn received<S: SockMan>(
        &mut self,
        net: &mut S,
        conn: Conn,
        session: &mut H::Session,
        data: &mut [u8],
    ) -> usize {
        self.handler.received(net, conn, session, data)
    }

    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut H::Session, data: Bytes) {
        self.handler.posted(net, conn, session, data);
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut H::Session) {
        self.handler.drained(net, conn, session);
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut H::Session, unread: &mut [u8]) {
        self.handler.eof(net, conn, session, unread);
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut H::Session) {
        self.handler.deadline(net, conn, session);
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        self.handler.timer(net, key);
    }

    fn woken<S: SockMan>(&mut self, net: &mut S) {
        if self.asked.swap(false, Ordering::Acquire) {
            let stats = net.stats();
            let counts = Counts {
                calls: stats.syscalls.total(),
                turns: stats.turns,
            };
            // Nobody asks any more when the process ends.
            let _ = self.counts.send(counts);
        }
        self.handler.woken(net);
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        self.handler.dial_failed(net, key, why);
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: H::Session, why: Closed) {
        self.handler.closed(net, conn, session, why);
    }

    fn stopping<S: SockMan>(&mut self, net: &mut S, within: Duration) {
        self.handler.stopping(net, within);
    }
}

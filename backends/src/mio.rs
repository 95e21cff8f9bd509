//! The readiness engine over the crate `mio`: epoll on Linux, edge-triggered.

use crate::readiness::{Engine, Event, Interest, Os, Poller};
use ::mio::unix::SourceFd;
use ::mio::{Events, Poll, Token};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("mio's tokens are of the size of a pointer, and ids need 64 bits");

/// The backend over `mio`.
pub type Mio = Engine<Os<MioPoller>>;

/// `mio`'s poller.
pub struct MioPoller {
    poll: Poll,
    events: Events,
}

/// No connection or listener has this kind of token.
const WAKER: Token = Token(usize::MAX);

struct MioWaker(::mio::Waker);

impl Wake for MioWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Err(error) = self.0.wake() {
            tracing::error!(%error, "waking the loop failed");
        }
    }
}

impl Poller for MioPoller {
    const NAME: &'static str = "mio";
    const INTERFACE: &'static str = if cfg!(any(target_os = "linux", target_os = "android")) {
        "epoll by mio"
    } else {
        "kqueue by mio"
    };
    const LEVEL: bool = false;
    const WAIT_CALLS: u64 = 1;
    // Closing takes a descriptor out of epoll and kqueue by itself, as long as there is no copy of it; ours are
    // close-on-exec and not copied.
    const REMOVE_BEFORE_CLOSE: bool = false;

    fn new(events: usize) -> io::Result<Self> {
        Ok(MioPoller {
            poll: Poll::new()?,
            events: Events::with_capacity(events),
        })
    }

    fn waker(&mut self) -> io::Result<Waker> {
        let waker = ::mio::Waker::new(self.poll.registry(), WAKER)?;
        Ok(Arc::new(MioWaker(waker)).into())
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        let token = Token(token as usize);
        self.poll
            .registry()
            .register(&mut SourceFd(&fd.as_raw_fd()), token, to_mio(interest))
    }

    fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        let token = Token(token as usize);
        self.poll
            .registry()
            .reregister(&mut SourceFd(&fd.as_raw_fd()), token, to_mio(interest))
    }

    fn remove(&mut self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.poll.registry().deregister(&mut SourceFd(&fd.as_raw_fd()))
    }

    #[inline]
    fn wait(&mut self, timeout: Option<Duration>, each: &mut impl FnMut(Event)) -> io::Result<()> {
        self.poll.poll(&mut self.events, timeout)?;
        for event in &self.events {
            each(Event {
                token: event.token().0 as u64,
                readable: event.is_readable(),
                writable: event.is_writable(),
                // A read stops short of a Unix socket's out-of-band data although there is more behind it.
                hangup: event.is_read_closed() || event.is_error() || event.is_priority(),
            });
        }
        Ok(())
    }
}

fn to_mio(interest: Interest) -> ::mio::Interest {
    let mut wanted = match interest {
        Interest {
            read: false,
            write: true,
        } => return ::mio::Interest::WRITABLE,
        Interest {
            read: true,
            write: true,
        } => ::mio::Interest::READABLE | ::mio::Interest::WRITABLE,
        Interest { .. } => ::mio::Interest::READABLE,
    };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        wanted |= ::mio::Interest::PRIORITY;
    }
    wanted
}

impl AsFd for MioPoller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poll.registry().as_fd()
    }
}

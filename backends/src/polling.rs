//! The readiness engine over the crate `polling`: epoll on Linux, level-triggered, because its events do not tell a peer's
//! end from data.

use crate::readiness::{Engine, Event, Interest, Os, Poller};
use ::polling::{Event as PollEvent, Events, PollMode};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("polling's keys are of the size of a pointer, and ids need 64 bits");

/// The backend over `polling`.
pub type Polling = Engine<Os<PollingPoller>>;

/// `polling`'s poller.
pub struct PollingPoller {
    poller: Arc<::polling::Poller>,
    events: Events,
}

struct PollingWaker(Arc<::polling::Poller>);

impl Wake for PollingWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Err(error) = self.0.notify() {
            tracing::error!(%error, "waking the loop failed");
        }
    }
}

impl Poller for PollingPoller {
    const NAME: &'static str = "polling";
    const INTERFACE: &'static str = if cfg!(any(target_os = "linux", target_os = "android")) {
        "epoll by polling"
    } else {
        "the system's poller by polling"
    };
    const LEVEL: bool = true;
    // On Linux: set the timerfd, register it, wait, read the notifier, register that.
    const WAIT_CALLS: u64 = 5;
    const REMOVE_BEFORE_CLOSE: bool = true;

    fn new(events: usize) -> io::Result<Self> {
        let capacity = NonZeroUsize::new(events).unwrap_or(NonZeroUsize::MIN);
        Ok(PollingPoller {
            poller: Arc::new(::polling::Poller::new()?),
            events: Events::with_capacity(capacity),
        })
    }

    fn waker(&mut self) -> io::Result<Waker> {
        Ok(Arc::new(PollingWaker(self.poller.clone())).into())
    }

    #[allow(unsafe_code)]
    fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        // SAFETY: the crate asks that the source be deleted from the poller before it is dropped. The engine owns every
        // descriptor it adds and, since REMOVE_BEFORE_CLOSE is set, calls `remove` before it closes or gives away one. Those
        // left when the engine is dropped go after the poller does, or are never reported on again: no wait follows.
        unsafe {
            self.poller
                .add_with_mode(fd.as_raw_fd(), to_polling(token, interest), PollMode::Level)
        }
    }

    fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        self.poller
            .modify_with_mode(fd, to_polling(token, interest), PollMode::Level)
    }

    fn remove(&mut self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.poller.delete(fd)
    }

    fn wait(&mut self, timeout: Option<Duration>, each: &mut impl FnMut(Event)) -> io::Result<()> {
        self.events.clear();
        self.poller.wait(&mut self.events, timeout)?;
        for event in self.events.iter() {
            each(Event {
                token: event.key as u64,
                readable: event.readable,
                writable: event.writable,
                hangup: event.is_interrupt() || event.is_err().unwrap_or(false),
            });
        }
        Ok(())
    }
}

fn to_polling(token: u64, interest: Interest) -> PollEvent {
    PollEvent::new(token as usize, interest.read, interest.write)
}

impl AsFd for PollingPoller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }
}

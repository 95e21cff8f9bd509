//! Waking the loop from other threads.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Wake;

/// An eventfd that the ring polls. It is never read: the poll fires with every write, whatever was counted before.
pub(super) struct WakeFd(pub(super) OwnedFd);

impl WakeFd {
    pub(super) fn new() -> io::Result<Arc<WakeFd>> {
        Ok(Arc::new(WakeFd(make()?)))
    }
}

pub(super) fn make() -> io::Result<OwnedFd> {
    Ok(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?)
}

impl Wake for WakeFd {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Err(error) = rustix::io::write(&self.0, &1u64.to_ne_bytes()) {
            tracing::error!(%error, "waking the loop failed");
        }
    }
}

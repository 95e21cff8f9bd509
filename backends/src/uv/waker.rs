//! Waking the loop from other threads.

use super::check;
use super::context::Context;
use libuv_sys2::{uv_async_init, uv_async_send, uv_async_t, uv_loop_t};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

/// The loop's `uv_async_t`, as long as the loop is there. [`Remote`](sockman::Remote)s hold it and may outlive the loop.
pub(super) struct Alarm(Mutex<Option<Pointer>>);

struct Pointer(*mut uv_async_t);

// SAFETY: the pointer is only given to `uv_async_send`, which libuv documents as safe to call from any thread.
unsafe impl Send for Pointer {}

impl Alarm {
    /// # Safety
    ///
    /// The loop is initialised, both stay where they are, and [`silence`](Alarm::silence) is called before the handle is
    /// closed.
    pub(super) unsafe fn new(run: *mut uv_loop_t, handle: *mut uv_async_t) -> io::Result<Arc<Self>> {
        // SAFETY: the caller vouches for both pointers.
        check(unsafe { uv_async_init(run, handle, Some(woken)) })?;
        Ok(Arc::new(Alarm(Mutex::new(Some(Pointer(handle))))))
    }

    /// The handle is about to go: wakes do nothing from now on. One that is under way is waited for.
    pub(super) fn silence(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let handle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Pointer(handle)) = &*handle {
            // SAFETY: the handle is open: `silence` takes it out, under the same lock, before it is closed.
            let result = check(unsafe { uv_async_send(*handle) });
            if let Err(error) = result {
                tracing::error!(%error, "waking the loop failed");
            }
        }
    }
}

/// The commands themselves are in the mailbox, where the engine looks after every wait.
unsafe extern "C" fn woken(handle: *mut uv_async_t) {
    // SAFETY: libuv calls back with the handle, which is valid; the reference ends here.
    if let Some(context) = unsafe { Context::of((*handle).loop_) } {
        context.events += 1;
    }
}

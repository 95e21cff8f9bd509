//! The `uv_loop_t`, with what every loop has: a timer for the wait's limit, and a waker.

use super::check;
use super::context::{Context, Installed};
use super::stream;
use super::waker::Alarm;
use libuv_sys2::{
    uv_async_t, uv_backend_fd, uv_backend_timeout, uv_close, uv_handle_t, uv_is_closing, uv_loop_close,
    uv_loop_init, uv_loop_t, uv_now, uv_run, uv_run_mode, uv_run_mode_UV_RUN_DEFAULT,
    uv_run_mode_UV_RUN_NOWAIT, uv_run_mode_UV_RUN_ONCE, uv_timer_init, uv_timer_start, uv_timer_stop,
    uv_timer_t, uv_update_time, uv_walk,
};
use std::cell::Cell;
use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What libuv keeps pointers to: in one box that does not move.
struct Parts {
    run: uv_loop_t,
    timer: uv_timer_t,
    alarm: uv_async_t,
}

/// A loop. Handles hold it by [`Rc`]; the last to go closes it.
pub(super) struct Loop {
    parts: NonNull<Parts>,
    alarm: Arc<Alarm>,
    /// The time, in milliseconds of libuv's clock, that the timer is set to; 0 when it is not.
    due: Cell<u64>,
}

impl Loop {
    pub(super) fn new() -> io::Result<Rc<Self>> {
        let parts = Box::into_raw(Box::new(MaybeUninit::<Parts>::zeroed())).cast::<Parts>();
        // SAFETY: the memory is ours and stays where it is until the loop is closed. libuv initialises what it is given; the
        // handles are initialised after their loop. Where initialising fails nothing refers to the memory: a loop that is
        // closed has let go of everything.
        unsafe {
            let run = &raw mut (*parts).run;
            let made = check(uv_loop_init(run));
            if made.is_err() {
                drop(Box::from_raw(parts.cast::<MaybeUninit<Parts>>()));
            }
            made?;
            (*run).data = ptr::null_mut();
            let alarm = Alarm::new(run, &raw mut (*parts).alarm);
            if alarm.is_err() {
                uv_loop_close(run);
                drop(Box::from_raw(parts.cast::<MaybeUninit<Parts>>()));
            }
            // Cannot fail.
            let alarm = alarm?;
            uv_timer_init(run, &raw mut (*parts).timer);
            Ok(Rc::new(Loop {
                parts: NonNull::new_unchecked(parts),
                alarm,
                due: Cell::new(0),
            }))
        }
    }

    /// The loop itself. Valid as long as `self` is.
    pub(super) fn raw(&self) -> *mut uv_loop_t {
        // SAFETY: the box lives until `self` is dropped.
        unsafe { &raw mut (*self.parts.as_ptr()).run }
    }

    fn timer(&self) -> *mut uv_timer_t {
        // SAFETY: as above.
        unsafe { &raw mut (*self.parts.as_ptr()).timer }
    }

    pub(super) fn alarm(&self) -> &Arc<Alarm> {
        &self.alarm
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as the loop is, and that is borrowed.
        unsafe { BorrowedFd::borrow_raw(uv_backend_fd(self.raw())) }
    }

    /// Whether the descriptor does not tell everything: something waits for the next run, though the kernel be silent.
    pub(super) fn is_behind(&self) -> bool {
        // SAFETY: the loop is valid. The timer cannot be what makes this 0: each run ends with the timers that are due.
        unsafe { uv_backend_timeout(self.raw()) == 0 }
    }

    /// Waits, at most so long, and calls back.
    ///
    /// # Safety
    ///
    /// What the context points to is used by nobody else meanwhile.
    pub(super) unsafe fn run(&self, timeout: Option<Duration>, context: *mut Context) {
        let mode = self.limit(timeout);
        // SAFETY: the loop is valid and not running: see the module's text. The caller vouches for the context, which is
        // taken out before this returns.
        unsafe {
            let _installed = Installed::new(self.raw(), context);
            uv_run(self.raw(), mode);
        }
    }

    /// Sets the timer so that a run lasts no longer, and says how to run.
    fn limit(&self, timeout: Option<Duration>) -> uv_run_mode {
        let Some(timeout) = timeout else {
            if self.due.replace(0) != 0 {
                // SAFETY: the timer is valid.
                unsafe { uv_timer_stop(self.timer()) };
            }
            return uv_run_mode_UV_RUN_ONCE;
        };
        if timeout.is_zero() {
            return uv_run_mode_UV_RUN_NOWAIT;
        }
        let wait =
            u64::try_from(timeout.as_nanos().div_ceil(1_000_000)).map_or(LONGEST, |ms| ms.min(LONGEST));
        // SAFETY: loop and timer are valid. libuv's clock is that of the last run, which handlers may have made stale.
        unsafe {
            uv_update_time(self.raw());
            let due = uv_now(self.raw()) + wait;
            // The same deadline as before, seen a little later, is the same millisecond or the one before.
            if !(due..=due + 1).contains(&self.due.get())
                && check(uv_timer_start(self.timer(), Some(limit), wait, 0)).is_ok()
            {
                self.due.set(due);
            }
        }
        uv_run_mode_UV_RUN_ONCE
    }

    /// A run is over: whether the timer has run out is seen from the clock.
    pub(super) fn after_run(&self) {
        let due = self.due.get();
        // SAFETY: the loop is valid.
        if due != 0 && unsafe { uv_now(self.raw()) } >= due {
            self.due.set(0);
        }
    }
}

/// The longest wait, in milliseconds: some three hundred years.
const LONGEST: u64 = 10_000_000_000_000;

/// The timer is there to end the wait, and nothing else.
unsafe extern "C" fn limit(_: *mut uv_timer_t) {}

/// Closes a handle that is still open when its loop ends: the loop's own, and those whose owner was forgotten.
unsafe extern "C" fn close(handle: *mut uv_handle_t, parts: *mut c_void) {
    let parts = parts.cast::<Parts>();
    // SAFETY: `uv_walk` gives each handle of the loop, which is valid until its close callback; all but the two inside
    // `Parts`, whose memory is the loop's, are streams in boxes of their own.
    unsafe {
        if uv_is_closing(handle) != 0 {
            return;
        }
        let own = handle == (&raw mut (*parts).timer).cast() || handle == (&raw mut (*parts).alarm).cast();
        uv_close(handle, if own { None } else { Some(stream::closed) });
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.alarm.silence();
        let parts = self.parts.as_ptr();
        // SAFETY: nobody refers to the loop any more, so it is not running and its context is null: callbacks free what is
        // theirs and do nothing else. With every handle closing, the run ends when the last close callback has come. The
        // memory goes only if libuv confirms that nothing of the loop is left.
        unsafe {
            uv_walk(self.raw(), Some(close), parts.cast());
            uv_run(self.raw(), uv_run_mode_UV_RUN_DEFAULT);
            let code = uv_loop_close(self.raw());
            debug_assert_eq!(code, 0, "handles are left");
            if code == 0 {
                drop(Box::from_raw(parts.cast::<MaybeUninit<Parts>>()));
            } else {
                tracing::error!(error = %super::error(code), "libuv's loop cannot be closed; its memory is left");
            }
        }
    }
}

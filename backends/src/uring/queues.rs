//! The submission and the completion queue.

use super::ring::kind;
use io_uring::{IoUring, cqueue, squeue, types};
use sockman::RawId;
use std::collections::VecDeque;
use std::time::Duration;

/// The two queues that are shared with the kernel, and the call that makes it look at them.
pub(super) struct Queues {
    pub(super) uring: IoUring,
    /// Completions that have been taken off the queue and not been looked at.
    pub(super) reaped: VecDeque<cqueue::Entry>,
    /// Results of sends that were not whole.
    pub(super) sends: Vec<(RawId, i32)>,
    /// The last call brought completions, and the kernel said that it had more work put off. It says so too long, sometimes:
    /// the flag may be set for work that is done by then, and stay. So a call that brings nothing ends it.
    pub(super) may_have_more: bool,
    /// The kernel refuses to go on, with this error.
    pub(super) broken: Option<i32>,
}

impl Queues {
    pub(super) fn new(uring: IoUring) -> Queues {
        Queues {
            uring,
            reaped: VecDeque::new(),
            sends: Vec::new(),
            may_have_more: false,
            broken: None,
        }
    }

    /// Whether there are completions.
    #[inline]
    pub(super) fn has_events(&self) -> bool {
        // SAFETY: the queue is looked at by the thread that owns it, through `self`, and no other view of it is alive: each
        // method drops its own before it returns.
        !self.reaped.is_empty() || !unsafe { self.uring.completion_shared() }.is_empty()
    }

    /// Enters an operation, making room first if there is none.
    pub(super) fn push(&mut self, entry: &squeue::Entry, calls: &mut u64) {
        #[cfg(feature = "uring-faults")]
        let entry = &super::faults::entered(entry);
        // SAFETY: what an entry points to must stay valid until its operation is over. Those that only name a descriptor
        // point to nothing, and the number is not another socket's before they are submitted (see `Ring::close`). Sends
        // point to the batch's memory, which is boxed and not written again before the call that submits them returns, when
        // they are over (see `Batch`). Receives take buffers from the pool's memory, which the ring keeps until all are over.
        while self.broken.is_none() && unsafe { self.uring.submission().push(entry) }.is_err() {
            self.enter(0, None, calls);
        }
    }

    /// Submits what was entered, lets the kernel finish what it can and waits for `want` completions, at most for `timeout`;
    /// then takes the completions off the queue. Afterwards nothing waits to be submitted, and what a full completion queue
    /// held back has come, too.
    pub(super) fn enter(&mut self, want: u32, timeout: Option<Duration>, calls: &mut u64) {
        const GETEVENTS: u32 = 1;
        const EXT_ARG: u32 = 1 << 3;
        let time = types::Timespec::from(timeout.unwrap_or_default());
        let mut want = want;
        while self.broken.is_none() {
            let args = match timeout {
                Some(_) if want > 0 => types::SubmitArgs::new().timespec(&time),
                _ => types::SubmitArgs::new(),
            };
            #[cfg(feature = "uring-faults")]
            super::faults::cut(&mut self.uring);
            let entries = self.uring.submission().len() as u32;
            #[cfg(feature = "uring-faults")]
            let (entries, refused) = super::faults::submitting(entries);
            #[cfg(not(feature = "uring-faults"))]
            let refused = None::<std::io::Error>;
            *calls += 1;
            // SAFETY: EXT_ARG says that the argument is an `io_uring_getevents_arg`, which is what `SubmitArgs` holds; it and
            // the time it points to outlive the call. For what the entries point to see `push`.
            let result = refused.map_or_else(
                || unsafe {
                    self.uring
                        .submitter()
                        .enter(entries, want, GETEVENTS | EXT_ARG, Some(&args))
                },
                Err,
            );
            let before = self.reaped.len();
            self.reap();
            self.may_have_more = self.reaped.len() > before && self.uring.submission().taskrun();
            match result.map_err(|error| error.raw_os_error()) {
                // The time is over, or a signal came: the caller sees whether to wait again.
                Ok(_) | Err(Some(libc::ETIME)) => {}
                Err(Some(libc::EINTR)) if want > 0 => {}
                // A signal came before the work was done, completions had to be taken first, which has been done, or the
                // kernel is short of memory.
                Err(Some(libc::EINTR | libc::EBUSY | libc::EAGAIN | libc::ENOMEM)) => {
                    std::thread::yield_now();
                    want = 0;
                    continue;
                }
                Err(error) => {
                    tracing::error!(?error, "io_uring_enter fails: the loop ends");
                    self.broken = Some(error.unwrap_or(libc::EIO));
                }
            }
            // Only the first call waits.
            want = 0;
            let submissions = self.uring.submission();
            if submissions.is_empty() && !submissions.cq_overflow() {
                return;
            }
        }
    }

    /// Takes completions off the queue, so that it never overflows for long.
    #[inline]
    pub(super) fn reap(&mut self) {
        for entry in self.uring.completion() {
            #[cfg(feature = "uring-faults")]
            super::faults::completed(&entry);
            match RawId::from_bits(entry.user_data()) {
                Some(id) if id.kind() == kind::SEND => {
                    self.sends.push((id.with_kind(kind::RECEIVE), entry.result()));
                }
                _ => self.reaped.push_back(entry),
            }
        }
    }
}

//! Faults, for tests of this backend only (feature `uring-faults`, which nothing implies).
//!
//! A [`Plan`] says which [`Fault`] happens when; [`install`] makes it the plan of this thread's rings. Where an operation
//! is entered, it is replaced by something that makes the *kernel* produce the fault: an operation that does nothing but
//! end with a given error, a send of half the bytes, receiving that ends after one completion, a cancellation that nobody
//! asked for. So the kernel's books and ours stay in step, as they do when the kernel fails by itself. Only failures of
//! `io_uring_enter` and of single sends are made up, by leaving the call out.
//!
//! Without the feature none of this is compiled.
//!
//! - this file: the hooks, one for each place where something can fail, and [`can_inject`]
//! - `plan`: [`Fault`], [`When`], [`Plan`]; `entry`: entries of the submission queue that fail
//! - `look`: what the loop has under way and lent, for tests to compare

mod entry;
mod look;
mod plan;

pub use look::{lent, under_way};
pub use plan::{Fault, Plan, When, dried, happened, install, opportunities, overflows};

use super::ring::{kind, nobody};
use io_uring::{IoUring, cqueue, opcode, squeue, types};
use plan::with;
use rustix::net::SendFlags;
use sockman::RawId;
use std::io;
use std::os::fd::OwnedFd;

/// Whether this kernel can be made to fail (Linux 6.10). An older one would take a failing operation for one that
/// succeeded.
pub fn can_inject() -> io::Result<bool> {
    let mut uring = IoUring::new(1)?;
    let entry = entry::failing(&opcode::Nop::new().build(), libc::ENOBUFS);
    // SAFETY: the entry points to nothing.
    unsafe { uring.submission().push(&entry) }.map_err(io::Error::other)?;
    uring.submit_and_wait(1)?;
    let done = uring.completion().next();
    Ok(done.is_some_and(|done| done.result() == -libc::ENOBUFS))
}

/// How many entries the queues are to have.
pub(super) fn queues() -> Option<(u32, u32)> {
    with(|state| state.plan.entries.map(|entries| (entries, entries)))
}

/// An old kernel refuses to defer task work. This one refuses it together with a thread of its own.
pub(super) fn age(builder: &mut io_uring::Builder) {
    if with(|state| state.plan.old) {
        builder.setup_sqpoll(0);
    }
}

/// An operation is entered: gives what is to be entered in its place.
pub(super) fn entered(entry: &squeue::Entry) -> squeue::Entry {
    use Fault::{
        AcceptAborted, AcceptAgain, AcceptCanceled, AcceptInterrupted, AcceptNoFiles, AcceptOnce,
        AcceptableEnds, HangupEnds, ReadableEnds, ReceiveAgain, ReceiveCanceled, ReceiveDry,
        ReceiveInterrupted, ReceiveOnce, SendAgain, SendBroken, SendInterrupted, SendShort, WakeEnds,
        WakeOnce, WritableEnds,
    };
    let about = RawId::from_bits(entry.get_user_data()).map(RawId::kind);
    let faults: &[Fault] = match about {
        Some(kind::RECEIVE) => &[
            ReceiveOnce,
            ReceiveDry,
            ReceiveCanceled,
            ReceiveInterrupted,
            ReceiveAgain,
        ],
        Some(kind::ACCEPT) => &[
            AcceptOnce,
            AcceptAborted,
            AcceptNoFiles,
            AcceptCanceled,
            AcceptInterrupted,
            AcceptAgain,
        ],
        Some(kind::ACCEPTABLE) => &[AcceptableEnds],
        Some(kind::READABLE) => &[ReadableEnds],
        Some(kind::WRITABLE) => &[WritableEnds],
        Some(kind::HANGUP) => &[HangupEnds],
        Some(kind::WAKE) => &[WakeEnds, WakeOnce],
        Some(kind::SEND) => &[SendShort, SendAgain, SendInterrupted, SendBroken],
        _ => &[],
    };
    let Some(fault) = with(|state| state.first(faults)) else {
        return entry.clone();
    };
    tracing::trace!(?fault, about = entry.get_user_data(), "injected");
    match fault {
        ReceiveOnce | AcceptOnce => entry::once(entry),
        WakeOnce => entry::poll_once(entry),
        SendShort => entry::short(entry),
        ReceiveDry => entry::failing(entry, libc::ENOBUFS),
        ReceiveInterrupted | AcceptInterrupted | SendInterrupted => entry::failing(entry, libc::EINTR),
        ReceiveAgain | AcceptAgain | SendAgain => entry::failing(entry, libc::EAGAIN),
        AcceptAborted => entry::failing(entry, libc::ECONNABORTED),
        AcceptNoFiles => entry::failing(entry, libc::EMFILE),
        SendBroken => entry::failing(entry, libc::EPIPE),
        _ => entry::failing(entry, libc::ECANCELED),
    }
}

/// A completion has come: its operation may be cut off with the next submission.
pub(super) fn completed(done: &cqueue::Entry) {
    let fault = match RawId::from_bits(done.user_data()).map(RawId::kind) {
        Some(kind::RECEIVE) => {
            with(|state| state.dried += u64::from(done.result() == -libc::ENOBUFS));
            Fault::ReceiveCut
        }
        Some(kind::ACCEPT) => Fault::AcceptCut,
        _ => return,
    };
    if cqueue::more(done.flags()) {
        with(|state| {
            if state.hits(fault) {
                state.cuts.push(done.user_data());
            }
        });
    }
}

/// A submission begins: enters the cancellations that are due.
pub(super) fn cut(uring: &mut IoUring) {
    with(|state| state.overflows += u64::from(uring.submission().cq_overflow()));
    for about in with(|state| std::mem::take(&mut state.cuts)) {
        let entry = opcode::AsyncCancel2::new(types::CancelBuilder::user_data(about))
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(nobody(kind::NOTHING));
        // SAFETY: the entry points to nothing.
        if unsafe { uring.submission().push(&entry) }.is_err() {
            with(|state| state.cuts.push(about));
        }
    }
}

/// `io_uring_enter` is about to be called with so many entries: with how many, or with which error it fails.
pub(super) fn submitting(entries: u32) -> (u32, Option<io::Error>) {
    use Fault::{EnterAgain, EnterBroken, EnterBusy, EnterInterrupted, EnterNoMemory, EnterPart};
    let error = |error| (entries, Some(io::Error::from_raw_os_error(error)));
    let faults = [
        EnterBusy,
        EnterAgain,
        EnterInterrupted,
        EnterNoMemory,
        EnterBroken,
        EnterPart,
    ];
    // Of one entry or none no part can be submitted.
    let faults = if entries > 1 { &faults[..] } else { &faults[..5] };
    match with(|state| state.first(faults)) {
        None => (entries, None),
        Some(EnterPart) => (entries / 2, None),
        Some(EnterBusy) => error(libc::EBUSY),
        Some(EnterAgain) => error(libc::EAGAIN),
        Some(EnterInterrupted) => error(libc::EINTR),
        Some(EnterNoMemory) => error(libc::ENOMEM),
        Some(_) => error(libc::EBADFD),
    }
}

/// A send that is a call of its own: what comes of it, if it is to be cut short.
pub(super) fn sending<'a>(
    socket: &OwnedFd,
    pieces: impl Iterator<Item = &'a [u8]>,
    len: usize,
) -> Option<rustix::io::Result<usize>> {
    match with(|state| state.first(&[Fault::CallAgain, Fault::CallShort]))? {
        Fault::CallShort if len > 1 => {
            let mut half = Vec::with_capacity(len / 2);
            for piece in pieces {
                let room = len / 2 - half.len();
                half.extend_from_slice(&piece[..room.min(piece.len())]);
            }
            Some(rustix::net::send(
                socket,
                &half,
                SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
            ))
        }
        _ => Some(Err(rustix::io::Errno::AGAIN)),
    }
}

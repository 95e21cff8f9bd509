//! Sending.

use super::context::Context;
use super::interface::UvInterface;
use super::read;
use super::stream::{self, Handle};
use super::{check, error};
use libuv_sys2::{uv_buf_t, uv_shutdown, uv_shutdown_t, uv_stream_t, uv_try_write, uv_write, uv_write_t};
use sockman::shared::{Net, Phase, SendQueue};
use sockman::{Conn, Syscall, Syscalls};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::ptr;

/// Pieces in one call.
const PIECES: usize = 32;

/// Bytes given to libuv at once: it reports when all of them are sent, and what waits is to shrink visibly before that.
const PORTION: usize = 256 << 10;

/// libuv refuses more in one call.
const MOST: usize = 1 << 30;

/// The bytes of `slice`, for a call that does not write to them.
fn buffer(slice: &[u8]) -> uv_buf_t {
    uv_buf_t {
        base: slice.as_ptr().cast_mut().cast(),
        len: slice.len(),
    }
}

/// Describes the pieces, up to `most` bytes; how many there are, and their bytes.
fn describe(from: &[IoSlice<'_>], most: usize, into: &mut [uv_buf_t; PIECES]) -> (u32, usize) {
    let (mut count, mut bytes) = (0, 0);
    for (piece, slot) in from.iter().zip(into) {
        let piece = &piece[..piece.len().min(most - bytes)];
        if piece.is_empty() {
            break;
        }
        *slot = buffer(piece);
        bytes += piece.len();
        count += 1;
    }
    (count, bytes)
}

/// A place for pieces.
fn places() -> [uv_buf_t; PIECES] {
    [const {
        uv_buf_t {
            base: ptr::null_mut(),
            len: 0,
        }
    }; PIECES]
}

/// Writes what the kernel takes at once.
#[inline]
pub(super) fn try_write(stream: &Handle, from: &[u8], calls: &mut Syscalls) -> io::Result<usize> {
    calls[Syscall::Write] += 1;
    let piece = buffer(&from[..from.len().min(MOST)]);
    // SAFETY: the stream is valid; the bytes are, until this returns, and libuv does not write to them.
    taken(unsafe { uv_try_write(stream.raw(), &raw const piece, 1) })
}

/// As [`try_write`], from several pieces.
pub(super) fn try_write_vectored(
    stream: &Handle,
    from: &[IoSlice<'_>],
    calls: &mut Syscalls,
) -> io::Result<usize> {
    calls[Syscall::Write] += 1;
    let mut pieces = places();
    let (count, _) = describe(from, MOST, &mut pieces);
    if count == 0 {
        return Ok(0);
    }
    // SAFETY: as above, for each piece.
    taken(unsafe { uv_try_write(stream.raw(), pieces.as_ptr(), count) })
}

/// `UV_EAGAIN` is the system's, which is `WouldBlock`.
#[inline]
fn taken(result: i32) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| error(result))
}

/// A write request with what it sends.
#[repr(C)]
struct Flight {
    /// First, so that a pointer to one is a pointer to the other.
    request: MaybeUninit<uv_write_t>,
    queue: Box<SendQueue>,
    /// How many of the queue's bytes libuv has.
    handed: usize,
}

/// Gives the first portion of a queue to libuv; the rest follows from the callback. The queue comes back if libuv refuses.
fn send(
    stream: *mut uv_stream_t,
    mut flight: Box<Flight>,
    calls: &mut Syscalls,
) -> Result<(), (Box<SendQueue>, io::Error)> {
    calls[Syscall::Write] += 1;
    let mut pieces = places();
    let mut slices = [IoSlice::new(&[]); PIECES];
    let count = flight.queue.slices(&mut slices);
    let (count, bytes) = describe(&slices[..count], PORTION, &mut pieces);
    flight.handed = bytes;
    let flight = Box::into_raw(flight);
    // SAFETY: the stream is valid and not closing. The request is in a box of its own that its callback frees, and with it
    // the queue, which nobody touches meanwhile: the bytes stay where they are until then. The array of pieces is copied.
    let code = unsafe { uv_write(flight.cast(), stream, pieces.as_ptr(), count, Some(sent)) };
    check(code).map_err(|error| {
        // SAFETY: just made from a box; where `uv_write` fails it keeps no pointer, and calls nothing back.
        let flight = unsafe { Box::from_raw(flight) };
        (flight.queue, error)
    })
}

/// The kernel took less than there is: libuv sends the rest as it can.
pub(super) fn hand_over(net: &mut Net<UvInterface>, conn: Conn) {
    let Some(queue) = net.core.lend_queue(conn) else {
        return;
    };
    let Some(stream) = net.core.conns.get(conn).and_then(|c| c.io.stream.as_ref()) else {
        return net.core.spare.put(queue);
    };
    let flight = Box::new(Flight {
        request: MaybeUninit::zeroed(),
        queue,
        handed: 0,
    });
    if let Err((queue, error)) = send(stream.raw(), flight, &mut net.core.stats.syscalls) {
        net.core.spare.put(queue);
        net.write_failed(conn, error);
    }
}

/// The write callback: libuv has sent what it was given, or cannot.
unsafe extern "C" fn sent(request: *mut uv_write_t, status: i32) {
    // SAFETY: the request is the first field of a `Flight` that `send` made of a box; libuv is done with it. Its stream is
    // valid until the close callback, which comes after this. The context's engine is used by nobody else now.
    unsafe {
        let stream = (*request).handle;
        let flight = Box::from_raw(request.cast::<Flight>());
        if let Some(context) = Context::of((*stream).loop_) {
            context.events += 1;
            let net = &mut (*context.engine).delivery.net;
            if let Some(conn) = read::conn(stream::id(stream)) {
                landed(net, conn, stream, flight, status);
            }
        }
    }
}

/// Takes account of a portion that was sent, and sends the next.
fn landed(
    net: &mut Net<UvInterface>,
    conn: Conn,
    stream: *mut uv_stream_t,
    mut flight: Box<Flight>,
    status: i32,
) {
    let over = net.core.conns.get(conn).is_none_or(|c| c.phase == Phase::Doomed);
    if over || status < 0 {
        net.core.spare.put(flight.queue);
        if !over {
            net.write_failed(conn, error(status));
        }
        return;
    }
    net.core.sent_in_flight(conn, flight.handed);
    flight.queue.advance(flight.handed);
    if flight.queue.is_empty() {
        net.core.spare.put(flight.queue);
        if let Some(c) = net.core.conns.get_mut(conn) {
            c.blocked = false;
        }
        // What was queued meanwhile is next, or what was to follow the last byte.
        net.core.make_ready(conn);
    } else if let Err((queue, error)) = send(stream, flight, &mut net.core.stats.syscalls) {
        net.core.spare.put(queue);
        net.write_failed(conn, error);
    }
}

/// Half-closes our side, at the next run.
pub(super) fn finish(stream: &Handle, calls: &mut Syscalls) {
    calls[Syscall::Shutdown] += 1;
    let request = Box::into_raw(Box::new(MaybeUninit::<uv_shutdown_t>::zeroed()));
    // SAFETY: the stream is valid; the request is a box of its own that its callback frees.
    let code = unsafe { uv_shutdown(request.cast(), stream.raw(), Some(finished)) };
    if code < 0 {
        // Fails when the peer is gone, which reading shows.
        // SAFETY: just made; where `uv_shutdown` fails it keeps no pointer, and calls nothing back.
        drop(unsafe { Box::from_raw(request) });
    }
}

unsafe extern "C" fn finished(request: *mut uv_shutdown_t, _: i32) {
    // SAFETY: made of a box in `finish`; libuv is done with it.
    drop(unsafe { Box::from_raw(request.cast::<MaybeUninit<uv_shutdown_t>>()) });
}

//! Receiving.

use super::context::Context;
use super::error;
use super::interface::UvInterface;
use super::stream;
use super::write;
use libuv_sys2::{
    uv_buf_t, uv_errno_t_UV_ENOBUFS, uv_errno_t_UV_EOF, uv_handle_t, uv_read_start, uv_read_stop, uv_stream_t,
};
use sockman::shared::{Engine, Net, Phase};
use sockman::{Conn, Id, RawId, Sink, Syscall};
use std::panic::{self, AssertUnwindSafe};
use std::ptr;

/// The connection with these bits.
#[inline]
pub(super) fn conn(bits: u64) -> Option<Conn> {
    RawId::from_bits(bits).map(Conn::from_raw)
}

/// Reads when the connection wants it, and gives what waits to be sent to libuv.
#[inline]
pub(super) fn watch(net: &mut Net<UvInterface>, conn: Conn) {
    let Some(c) = net.core.conns.get_mut(conn) else {
        return;
    };
    if c.phase == Phase::Doomed {
        return;
    }
    if c.io.reading != c.wants_reading() {
        read(net, conn);
    } else if c.blocked && c.in_flight == 0 {
        write::hand_over(net, conn);
    }
}

/// Starts or stops reading.
#[cold]
fn read(net: &mut Net<UvInterface>, conn: Conn) {
    let Some(c) = net.core.conns.get_mut(conn) else {
        return;
    };
    let Some(stream) = &c.io.stream else { return };
    let start = !c.io.reading;
    let result = if start {
        net.core.stats.syscalls[Syscall::Register] += 1;
        // SAFETY: the stream is valid, connected and not closing.
        super::check(unsafe { uv_read_start(stream.raw(), Some(allocate), Some(received)) })
    } else {
        // SAFETY: the stream is valid. This is never called from within `allocate`, after which libuv would not expect it.
        super::check(unsafe { uv_read_stop(stream.raw()) })
    };
    c.io.reading = start;
    let blocked = c.blocked && c.in_flight == 0;
    match result {
        Err(error) => net.broken(conn, error),
        Ok(()) if blocked => write::hand_over(net, conn),
        Ok(()) => {}
    }
}

/// libuv is about to read: lends it a buffer for as much as the connection may have now, or none.
unsafe extern "C" fn allocate(handle: *mut uv_handle_t, _: usize, into: *mut uv_buf_t) {
    // SAFETY: libuv calls back with a valid handle, one of our streams, and a place for the answer. The context's engine is
    // used by nobody else while we are here. The buffer stays where it is until the read callback: libuv calls this
    // function, read(2) and that callback one after the other (`uv__read`), with no code of ours in between.
    unsafe {
        let lent = match Context::of((*handle).loop_) {
            Some(context) if context.panic.is_none() => {
                conn(stream::id(handle.cast())).and_then(|conn| lend(&mut *context.engine, conn))
            }
            _ => None,
        };
        let (base, len) = lent.unwrap_or((ptr::null_mut(), 0));
        (*into).base = base.cast();
        (*into).len = len;
    }
}

/// Where to read to: the common buffer, or behind the connection's own unread bytes when those are many.
#[inline]
fn lend(engine: &mut Engine<UvInterface>, conn: Conn) -> Option<(*mut u8, usize)> {
    let Engine { delivery, buffers } = engine;
    let net = &mut delivery.net;
    let turn = net.interface.turn;
    let c = net.core.conns.get_mut(conn)?;
    if !c.wants_reading() {
        return None;
    }
    if c.io.turn != turn {
        c.io.turn = turn;
        c.io.left = net.core.config.byte_budget;
    }
    let discarding = c.phase == Phase::Lingering;
    let room = if discarding {
        c.io.left
    } else {
        c.limits.unread.saturating_sub(c.unread).min(c.io.left)
    };
    if room == 0 {
        net.interface.cut_short = true;
        return None;
    }
    if !discarding
        && c.unread > 0
        && let (_, Some(behind)) = delivery.behind(conn, buffers.len(), room)
    {
        return Some((behind.as_mut_ptr(), behind.len()));
    }
    Some((buffers.as_mut_ptr(), buffers.len().min(room)))
}

/// libuv has read, or cannot.
unsafe extern "C" fn received(stream: *mut uv_stream_t, nread: isize, buffer: *const uv_buf_t) {
    // SAFETY: libuv calls back with one of our streams and the buffer that `allocate` gave it (or, at the peer's end,
    // perhaps with an empty one). The context's pointers are those `deliver` was made for, and nobody else uses them now.
    unsafe {
        let Some(context) = Context::of((*stream).loop_) else {
            return;
        };
        context.events += 1;
        if context.panic.is_some() {
            return;
        }
        let (engine, sink, deliver) = (context.engine, context.sink, context.deliver);
        let (conn, base) = (stream::id(stream), (*buffer).base.cast());
        let result = panic::catch_unwind(AssertUnwindSafe(|| deliver(engine, sink, conn, nread, base)));
        if let Err(panic) = result {
            context.panic = Some(panic);
        }
    }
}

/// Delivers what a read callback says; `S` is what the sink is.
///
/// # Safety
///
/// As [`Deliver`](super::context::Deliver) says, `sink` being an `S`.
pub(super) unsafe fn deliver<S: Sink<Net<UvInterface>>>(
    engine: *mut Engine<UvInterface>,
    sink: *mut (),
    bits: u64,
    nread: isize,
    base: *mut u8,
) {
    // SAFETY: the caller vouches for both; the references end with this call, and nobody else has any meanwhile.
    let (Engine { delivery, buffers }, sink) = unsafe { (&mut *engine, &mut *sink.cast::<S>()) };
    let Some(conn) = conn(bits) else { return };
    let core = &mut delivery.net.core;
    let Some(c) = core.conns.get_mut(conn) else { return };
    if let Ok(count) = usize::try_from(nread) {
        core.stats.syscalls[Syscall::Read] += 1;
        if count > 0 {
            c.io.left = c.io.left.saturating_sub(count);
            delivery.begin();
            if base == buffers.as_mut_ptr() {
                delivery.deliver(sink, conn, &mut buffers[..count]);
            } else {
                delivery.deliver_behind(sink, conn, count);
            }
        }
    } else if nread == EOF {
        core.stats.syscalls[Syscall::Read] += 1;
        // libuv has stopped by itself. If the end cannot be told yet, reading starts again later, and finds it again.
        c.io.reading = false;
        delivery.begin();
        delivery.end(sink, conn);
    } else if nread != NO_BUFFER {
        core.stats.syscalls[Syscall::Read] += 1;
        c.io.reading = false;
        delivery.begin();
        delivery.read_failed(sink, conn, error(nread as i64));
    }
    // What the handler did, or what came of the turn, may have changed whether to read.
    if let Some(c) = delivery.net.core.conns.get(conn)
        && c.io.reading != c.wants_reading()
    {
        watch(&mut delivery.net, conn);
    }
}

const EOF: isize = uv_errno_t_UV_EOF as isize;
/// `allocate` lent nothing: the turn's budget is used up, and what is left is reported again.
const NO_BUFFER: isize = uv_errno_t_UV_ENOBUFS as isize;

//! Reading a large message directly to where it is wanted.
//!
//! Bytes that come in lent buffers are copied from there when they are not consumed at once. When many are wanted before the
//! handler is called, the kernel is asked not for them but when there are some, and they are read behind those that are there
//! already: a call more, and a copy less.

use super::interface::{Io, UringInterface};
use super::receive::{self, may_receive, room};
use rustix::net::RecvFlags;
use sockman::shared::{ConnState, Delivery, Net, Phase};
use sockman::{Conn, Sink, Syscall};
use std::io;

/// From so many awaited bytes on, what is not copied outweighs the calls that it takes.
const FROM: usize = 128 << 10;

/// Whether what is awaited is to be read directly.
#[inline]
pub(super) fn pays(c: &ConnState<Io>) -> bool {
    c.awaited() >= FROM
}

/// Ends receiving into lent buffers, if what is awaited now is to be read directly.
#[inline]
pub(super) fn begin(net: &mut Net<UringInterface>, conn: Conn) {
    if net.core.conns.get(conn).is_some_and(pays) {
        receive::stop(net, conn);
    }
}

/// There is something to read, or the poll for that has failed, which reading will show.
pub(super) fn readable(
    delivery: &mut Delivery<UringInterface>,
    sink: &mut impl Sink<Net<UringInterface>>,
    conn: Conn,
    result: i32,
) {
    let Some(c) = delivery.net.core.conns.get_mut(conn) else {
        return;
    };
    c.io.polled_in = false;
    c.io.readable = result >= 0;
    read(delivery, sink, conn);
    receive::end(delivery, sink, conn);
    receive::watch(&mut delivery.net, conn);
}

/// Reads and delivers, as far as there is something and the turn's budget goes.
pub(super) fn read(
    delivery: &mut Delivery<UringInterface>,
    sink: &mut impl Sink<Net<UringInterface>>,
    conn: Conn,
) {
    let mut scratch = std::mem::take(&mut delivery.net.interface.scratch);
    while read_once(delivery, sink, conn, &mut scratch) {}
    delivery.net.interface.scratch = scratch;
}

/// Reads once and delivers; whether there may be more to do.
fn read_once(
    delivery: &mut Delivery<UringInterface>,
    sink: &mut impl Sink<Net<UringInterface>>,
    conn: Conn,
    scratch: &mut Box<[u8]>,
) -> bool {
    let turn = delivery.net.interface.turn;
    let core = &mut delivery.net.core;
    let Some(c) = core.conns.get_mut(conn) else {
        return false;
    };
    if !c.io.readable || !may_receive(c) {
        return false;
    }
    let room = room(c, turn, core.config.byte_budget);
    if room == 0 {
        core.make_ready(conn);
        return false;
    }
    let discarding = c.phase == Phase::Lingering;
    let piece = core.config.read_buffer;
    core.stats.syscalls[Syscall::Read] += 1;
    if scratch.is_empty() {
        *scratch = vec![0; piece].into_boxed_slice();
    }
    let (net, behind) = if discarding {
        (&mut delivery.net, None)
    } else {
        delivery.behind(conn, piece, room)
    };
    let into_own = behind.is_some();
    let into = behind.unwrap_or(&mut scratch[..piece.min(room)]);
    let asked = into.len();
    let Some(c) = net.core.conns.get_mut(conn) else {
        return false;
    };
    let Some(socket) = &c.io.socket else { return false };
    match rustix::net::recv(socket, into, RecvFlags::DONTWAIT) {
        Ok((0, _)) => (c.io.readable, c.io.end) = (false, Some(0)),
        Ok((count, _)) => {
            // Less than asked for: it is empty.
            c.io.readable = count == asked;
            c.io.delivered += count as u32;
            if into_own {
                delivery.deliver_behind(sink, conn, count);
            } else {
                delivery.deliver(sink, conn, &mut scratch[..count]);
            }
        }
        Err(rustix::io::Errno::INTR) => {}
        Err(rustix::io::Errno::AGAIN) => c.io.readable = false,
        Err(error) => {
            let error = io::Error::from(error).raw_os_error().unwrap_or(libc::EIO);
            (c.io.readable, c.io.end) = (false, Some(error));
        }
    }
    true
}

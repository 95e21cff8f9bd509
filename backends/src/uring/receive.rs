//! Receiving, and serving a connection that has work.

use super::direct;
use super::interface::{Io, Multishot, UringInterface};
use super::pool::{Piece, Pool};
use super::ring::kind;
use super::setup::GROUP;
use io_uring::{opcode, types};
use rustix::net::sockopt;
use sockman::shared::{ConnState, Delivery, Engine, Net, Phase};
use sockman::{Closed, Conn, Id, Sink, Syscall};
use std::io;
use std::os::fd::AsRawFd;

/// The state of a connection has changed: receives, or ends receiving; waits for room to send.
pub(super) fn watch(net: &mut Net<UringInterface>, conn: Conn) {
    let Some(c) = net.core.conns.get_mut(conn) else {
        return;
    };
    if c.phase == Phase::Doomed {
        return;
    }
    if c.blocked {
        net.interface.poll_writable(&mut c.io);
    }
    if c.io.receiving != Multishot::Idle || !may_receive(c) || c.io.polled_in || c.io.readable {
        return;
    }
    if direct::pays(c) {
        net.interface.poll_readable(&mut c.io);
    } else if let Some(socket) = &c.io.socket {
        c.io.receiving = Multishot::Armed;
        let entry = opcode::RecvMulti::new(types::Fd(socket.as_raw_fd()), GROUP).build();
        net.interface.ring.start(entry, conn.raw(), kind::RECEIVE);
    }
}

/// Whether more may be received: what came before has been delivered, and is not the end.
pub(super) fn may_receive(c: &ConnState<Io>) -> bool {
    c.wants_reading() && c.io.parked.is_none() && !c.io.unparking && c.io.end.is_none()
}

/// Receiving has brought something, or has ended.
#[inline]
pub(super) fn completed(
    delivery: &mut Delivery<UringInterface>,
    pool: &mut Pool,
    sink: &mut impl Sink<Net<UringInterface>>,
    conn: Conn,
    result: i32,
    piece: Option<Piece>,
    goes_on: bool,
) {
    if !goes_on && let Some(c) = delivery.net.core.conns.get_mut(conn) {
        c.io.receiving = Multishot::Idle;
        match -result {
            0 => c.io.end = Some(0),
            // The pool was dry, or we ended it, or the kernel did for reasons of its own: it starts again as the state wants.
            libc::ENOBUFS | libc::ECANCELED | libc::EINTR | libc::EAGAIN => {}
            error if error > 0 => c.io.end = Some(error),
            _ => {}
        }
    }
    if let Some(mut piece) = piece {
        let more_is_likely = pool.is_filled_by(&piece);
        offer(delivery, sink, conn, piece.bytes());
        pool.give_back(piece);
        if more_is_likely {
            direct::begin(&mut delivery.net, conn);
        }
    }
    if !goes_on {
        end(delivery, sink, conn);
        watch(&mut delivery.net, conn);
    }
}

/// Delivers what has come, as far as the connection may receive; keeps the rest.
#[inline]
fn offer(
    delivery: &mut Delivery<UringInterface>,
    sink: &mut impl Sink<Net<UringInterface>>,
    conn: Conn,
    mut data: &mut [u8],
) {
    loop {
        let turn = delivery.net.interface.turn;
        let core = &mut delivery.net.core;
        let Some(c) = core.conns.get_mut(conn) else { return };
        let room = if c.io.parked.is_some() {
            0
        } else {
            room(c, turn, core.config.byte_budget)
        };
        if room == 0 {
            return park(&mut delivery.net, conn, data);
        }
        let (now, later) = data.split_at_mut(room.min(data.len()));
        c.io.delivered += now.len() as u32;
        delivery.deliver(sink, conn, now);
        if later.is_empty() {
            return;
        }
        data = later;
    }
}

/// How many bytes may be delivered now.
#[inline]
pub(super) fn room(c: &mut ConnState<Io>, turn: u32, budget: usize) -> usize {
    if c.io.turn != turn {
        (c.io.turn, c.io.delivered) = (turn, 0);
    }
    let left = budget.saturating_sub(c.io.delivered as usize);
    match c.phase {
        _ if !c.wants_reading() => 0,
        Phase::Lingering => left,
        _ => c.limits.unread.saturating_sub(c.unread).min(left),
    }
}

/// Keeps bytes that cannot be delivered now, and ends receiving until they have been.
fn park(net: &mut Net<UringInterface>, conn: Conn, data: &[u8]) {
    let Some(c) = net.core.conns.get_mut(conn) else {
        return;
    };
    // After a disconnection what comes is nobody's.
    if !matches!(c.phase, Phase::Open | Phase::Opening) {
        return;
    }
    c.io.parked
        .get_or_insert_with(|| net.interface.spare.take())
        .append(data);
    stop(net, conn);
    let Some(c) = net.core.conns.get_mut(conn) else {
        return;
    };
    // What only the budget held back goes on in the next turn.
    if c.wants_reading() {
        net.core.make_ready(conn);
    }
}

/// Ends receiving into lent buffers.
pub(super) fn stop(net: &mut Net<UringInterface>, conn: Conn) {
    if let Some(c) = net.core.conns.get_mut(conn)
        && c.io.receiving == Multishot::Armed
    {
        c.io.receiving = Multishot::Ending;
        net.interface.ring.cancel(conn.raw(), kind::RECEIVE);
    }
}

/// Does what a connection in the ready list has to do, once.
pub(super) fn serve(
    engine: &mut Engine<UringInterface>,
    sink: &mut impl Sink<Net<UringInterface>>,
    conn: Conn,
) {
    let delivery = &mut engine.delivery;
    delivery.attend(sink, conn);
    unpark(delivery, sink, conn);
    direct::read(delivery, sink, conn);
    end(delivery, sink, conn);
    after_end(delivery, sink, conn);
    watch(&mut delivery.net, conn);
}

/// Delivers parked bytes, as far as the connection may receive.
fn unpark(delivery: &mut Delivery<UringInterface>, sink: &mut impl Sink<Net<UringInterface>>, conn: Conn) {
    loop {
        let turn = delivery.net.interface.turn;
        let core = &mut delivery.net.core;
        let Some(c) = core.conns.get_mut(conn) else { return };
        if c.io.parked.is_none() {
            return;
        }
        if !matches!(c.phase, Phase::Open | Phase::Opening) {
            // Disconnected meanwhile: they are nobody's now.
            if let Some(parked) = c.io.parked.take() {
                delivery.net.interface.spare.put(parked);
            }
            return;
        }
        let room = room(c, turn, core.config.byte_budget);
        if room == 0 {
            if c.wants_reading() {
                core.make_ready(conn);
            }
            return;
        }
        let Some(mut parked) = c.io.parked.take() else {
            return;
        };
        let count = room.min(parked.len());
        c.io.delivered += count as u32;
        // A send inside asks for what is to be watched: receiving must not go on while any of these wait, or more would
        // come in than is delivered.
        c.io.unparking = true;
        delivery.deliver(sink, conn, &mut parked.bytes()[..count]);
        parked.consume(count);
        let left = !parked.is_empty();
        match delivery.net.core.conns.get_mut(conn) {
            Some(c) => {
                c.io.unparking = false;
                if left {
                    c.io.parked = Some(parked);
                } else {
                    delivery.net.interface.spare.put(parked);
                }
            }
            None => delivery.net.interface.spare.put(parked),
        }
    }
}

/// Tells of the peer's end, or of what receiving failed with, once everything before it has been delivered.
pub(super) fn end(
    delivery: &mut Delivery<UringInterface>,
    sink: &mut impl Sink<Net<UringInterface>>,
    conn: Conn,
) {
    let Some(c) = delivery.net.core.conns.get_mut(conn) else {
        return;
    };
    if c.io.parked.is_some() || !c.wants_reading() {
        return;
    }
    match c.io.end {
        None => {}
        Some(0) => {
            if delivery.end(sink, conn)
                && let Some(c) = delivery.net.core.conns.get_mut(conn)
                && c.phase != Phase::Doomed
            {
                delivery.net.interface.poll_hangup(&c.io);
            }
        }
        Some(error) => delivery.read_failed(sink, conn, io::Error::from_raw_os_error(error)),
    }
}

/// Something happened to the socket after the peer's end was told: a reset, or only both sides having finished.
fn after_end(delivery: &mut Delivery<UringInterface>, sink: &mut impl Sink<Net<UringInterface>>, conn: Conn) {
    let core = &mut delivery.net.core;
    let Some(c) = core.conns.get_mut(conn) else { return };
    if !(c.io.hangup || c.eof && c.write_error.is_some()) || c.paused || c.phase != Phase::Open {
        return;
    }
    c.io.hangup = false;
    let Some(socket) = &c.io.socket else { return };
    core.stats.syscalls[Syscall::Option] += 1;
    let failed = match sockopt::socket_error(socket) {
        Ok(Ok(())) => None,
        Ok(Err(error)) | Err(error) => Some(io::Error::from(error)),
    };
    if let Some(error) = c.write_error.take().or(failed) {
        core.close(conn, Closed::from_error(error));
        delivery.settle(sink);
    }
}

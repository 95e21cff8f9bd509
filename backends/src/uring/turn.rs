//! Waiting, and what completions mean.

use super::interface::UringInterface;
use super::pool::Pool;
use super::ring::{Unsent, kind};
use super::{direct, receive};
use io_uring::cqueue;
use sockman::shared::{Delivery, Engine, Interface, Net, Phase};
use sockman::{Conn, Id, Listener, RawId, Sink, Syscall};
use std::io;
use std::time::Duration;

/// Waits, and delivers what was completed.
pub(super) fn wait(
    engine: &mut Engine<UringInterface>,
    sink: &mut impl Sink<Net<UringInterface>>,
    timeout: Option<Duration>,
) -> io::Result<usize> {
    let Engine { delivery, buffers } = engine;
    let Net { interface, core, .. } = &mut delivery.net;
    if !interface.ring.owns(buffers) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "these are the buffers of another loop",
        ));
    }
    let calls = &mut core.stats.syscalls;
    let foreign = interface.is_signalled();
    let mut events = interface.ring.reap();
    // What is there already needs no call, unless there is something to submit, or more was signalled to a foreign loop.
    if events == 0 || foreign || interface.ring.has_entries() {
        let timeout = if events > 0 { Some(Duration::ZERO) } else { timeout };
        let calls = &mut calls[Syscall::Wait];
        if timeout == Some(Duration::ZERO) {
            interface.ring.submit(calls);
        } else {
            interface.ring.wait(timeout, calls);
        }
        events = interface.ring.reap();
    }
    interface.ring.check()?;
    if foreign {
        interface.clear_signal(calls);
        // What was signalled between the call and the clearing shows by the flag alone.
        if interface.ring.has_put_off() {
            interface.ring.submit(&mut calls[Syscall::Wait]);
            events = interface.ring.reap();
        }
    }
    let events = events.min(core.config.events);
    interface.begin_turn(events);
    delivery.begin();
    account_unsent(&mut delivery.net);
    for _ in 0..events {
        if let Some(entry) = delivery.net.interface.ring.next() {
            completed(delivery, buffers, sink, &entry);
        }
    }
    Ok(events)
}

/// Carries out what a completion means.
#[inline]
fn completed(
    delivery: &mut Delivery<UringInterface>,
    pool: &mut Pool,
    sink: &mut impl Sink<Net<UringInterface>>,
    entry: &cqueue::Entry,
) {
    let (result, flags) = (entry.result(), entry.flags());
    let goes_on = cqueue::more(flags);
    let Some(id) = RawId::from_bits(entry.user_data()) else {
        return;
    };
    if !goes_on && id.kind() != kind::NOTHING {
        delivery.net.interface.ring.ended();
    }
    let conn = Conn::from_raw(id);
    match id.kind() {
        kind::RECEIVE => {
            let count = usize::try_from(result).unwrap_or(0);
            let piece = cqueue::buffer_select(flags).and_then(|buffer| pool.take(buffer, count));
            receive::completed(delivery, pool, sink, conn, result, piece, goes_on);
        }
        kind::READABLE => direct::readable(delivery, sink, conn, result),
        kind::WRITABLE => writable(&mut delivery.net, conn),
        kind::HANGUP => {
            if let Some(c) = delivery.net.core.conns.get_mut(conn) {
                if result < 0 {
                    // The poll has failed, not the socket.
                    delivery.net.interface.poll_hangup(&c.io);
                } else {
                    c.io.hangup = true;
                    if !goes_on {
                        delivery.net.interface.poll_hangup(&c.io);
                    }
                    delivery.net.core.make_ready(conn);
                }
            }
        }
        kind::ACCEPT | kind::ACCEPTABLE => accept(&mut delivery.net, id, result, goes_on),
        kind::WAKE if !goes_on => delivery.net.interface.poll_wake(),
        kind::NOTHING => tracing::trace!(result, "what was to be ended or closed had gone"),
        _ => {}
    }
}

fn accept(net: &mut Net<UringInterface>, id: RawId, result: i32, goes_on: bool) {
    let listener = Listener::from_raw(id);
    let room = net.core.max_connections.saturating_sub(net.core.conns.len());
    let Some(l) = net.listeners.slots.get_mut(listener) else {
        super::listener::discard(id, result);
        return;
    };
    if id.kind() == kind::ACCEPT {
        l.socket.completed(result, goes_on);
    } else {
        l.socket.polled();
    }
    if goes_on || id.kind() == kind::ACCEPTABLE {
        l.socket.watch(&mut net.interface.ring, room);
    }
    net.listeners.may_accept(listener);
}

/// A connection can be written, or a dial has been answered.
fn writable(net: &mut Net<UringInterface>, conn: Conn) {
    let Some(c) = net.core.conns.get_mut(conn) else {
        return;
    };
    c.io.polled = false;
    c.blocked = false;
    if c.phase == Phase::Dialing
        && let Some(socket) = &c.io.socket
    {
        net.core.stats.syscalls[Syscall::Option] += 2;
        let answer = crate::socket::dialed(socket);
        if matches!(answer, Ok(false)) {
            net.interface.poll_writable(&mut c.io);
        }
        net.dialed(conn, answer);
    }
    net.core.make_ready(conn);
}

/// Takes account of what batches left unsent: it goes in front of the queue, or the connection has failed.
pub(super) fn account_unsent(net: &mut Net<UringInterface>) {
    for Unsent { conn, why, rest } in std::mem::take(&mut net.interface.ring.unsent) {
        let conn = Conn::from_raw(conn);
        net.core.take_back(conn, &rest);
        if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
            if let Some(c) = net.core.conns.get_mut(conn) {
                c.blocked = true;
            }
            UringInterface::watch(net, conn);
        } else {
            net.write_failed(conn, why);
        }
    }
}

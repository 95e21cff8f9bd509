//! Receiving, and serving a connection that has work.

use super::kernel::Kernel;
use super::watching::{Readiness, watch};
use sockman::mutant::{Mutant, planted};
use sockman::shared::{Delivery, Engine, Net, Phase};
use sockman::{Closed, Conn, Sink, Syscall};
use std::io;

type Calls<K> = Delivery<Readiness<K>>;

/// Does what a connection in the ready list has to do, once.
#[inline]
pub(super) fn serve<K: Kernel>(
    engine: &mut Engine<Readiness<K>>,
    sink: &mut impl Sink<Net<Readiness<K>>>,
    conn: Conn,
) {
    let Engine { delivery, buffers } = engine;
    let Some(c) = delivery.net.core.conns.get(conn) else {
        return;
    };
    if c.phase != Phase::Open || c.out.is_some() || c.drain_due || c.offer || c.eof {
        if c.phase == Phase::Dialing {
            check_dial(&mut delivery.net, conn);
        }
        delivery.attend(sink, conn);
        after_end(delivery, sink, conn);
    }
    read(delivery, buffers, sink, conn);
    watch(&mut delivery.net, conn);
}

/// An event on a socket that is connecting.
fn check_dial<K: Kernel>(net: &mut Net<Readiness<K>>, conn: Conn) {
    let socket = net.core.conns.get(conn).and_then(|c| c.io.socket.as_ref());
    let Some(socket) = socket else { return };
    let answer = net.interface.kernel.dialed(socket, &mut net.core.stats.syscalls);
    net.dialed(conn, answer);
}

/// Reads and delivers, as far as there is something and the turn's budget goes.
#[inline]
fn read<K: Kernel>(
    delivery: &mut Calls<K>,
    scratch: &mut [u8],
    sink: &mut impl Sink<Net<Readiness<K>>>,
    conn: Conn,
) {
    let mut budget = delivery.net.core.config.byte_budget;
    loop {
        let core = &mut delivery.net.core;
        let Some(c) = core.conns.get(conn) else { return };
        if !(c.io.readable || c.io.hangup) || !c.wants_reading() {
            return;
        }
        if budget == 0 {
            if !planted(Mutant::BudgetForgets) {
                core.make_ready(conn);
            }
            return;
        }
        let discarding = c.phase == Phase::Lingering;
        let room = if discarding {
            budget
        } else {
            c.limits.unread.saturating_sub(c.unread).min(budget)
        };
        if room == 0 {
            return;
        }
        core.stats.syscalls[Syscall::Read] += 1;
        let (net, behind) = if discarding {
            (&mut delivery.net, None)
        } else {
            delivery.behind(conn, scratch.len(), room)
        };
        let into_own = behind.is_some();
        let size = scratch.len().min(room);
        let into = behind.unwrap_or(&mut scratch[..size]);
        let asked = into.len();
        let Some(c) = net.core.conns.get_mut(conn) else {
            return;
        };
        let Some(socket) = &c.io.socket else { return };
        match net.interface.kernel.read(socket, into) {
            Ok(0) => return end(delivery, sink, conn),
            Ok(_) if planted(Mutant::EofOvertakes) && c.io.hangup && c.bytes_in > 0 => {
                return end(delivery, sink, conn);
            }
            Ok(count) => {
                // Less than asked for: it is empty. (But see the hang-up, which is not reported again.)
                c.io.readable = count == asked;
                if !planted(Mutant::FloodStarves) {
                    budget = budget.saturating_sub(count);
                }
                if into_own {
                    delivery.deliver_behind(sink, conn, count);
                } else {
                    delivery.deliver(sink, conn, &mut scratch[..count]);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                (c.io.readable, c.io.hangup) = (false, false);
                return;
            }
            Err(error) => return delivery.read_failed(sink, conn, error),
        }
    }
}

/// The peer has finished.
fn end<K: Kernel>(delivery: &mut Calls<K>, sink: &mut impl Sink<Net<Readiness<K>>>, conn: Conn) {
    if let Some(c) = delivery.net.core.conns.get_mut(conn) {
        (c.io.readable, c.io.hangup) = (false, false);
    }
    if !delivery.end(sink, conn)
        && let Some(c) = delivery.net.core.conns.get_mut(conn)
    {
        // Paused by its last bytes: the end is read again when it is resumed.
        c.io.hangup = true;
    }
}

/// A hang-up after the peer's end was told: a reset, or only both sides having finished.
#[inline]
fn after_end<K: Kernel>(delivery: &mut Calls<K>, sink: &mut impl Sink<Net<Readiness<K>>>, conn: Conn) {
    let net = &mut delivery.net;
    let Some(c) = net.core.conns.get_mut(conn) else {
        return;
    };
    if !c.eof || !(c.io.hangup || c.write_error.is_some()) || c.paused || c.phase != Phase::Open {
        return;
    }
    let Some(socket) = &c.io.socket else { return };
    net.core.stats.syscalls[Syscall::Option] += 1;
    if let Some(error) = c
        .write_error
        .take()
        .or_else(|| net.interface.kernel.error(socket))
    {
        net.core.close(conn, Closed::from_error(error));
        delivery.settle(sink);
    } else if !K::LEVEL {
        // (Level-triggered it stays marked, so that it is no longer watched.)
        c.io.hangup = false;
    }
}

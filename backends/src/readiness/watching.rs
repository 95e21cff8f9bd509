//! What the poller is told, and what it reports.

use super::kernel::{Event, Interest, Kernel};
use sockman::shared::{Core, Net, Phase};
use sockman::{Conn, Id, Listener, Syscall};
use std::io;

/// What the engine keeps for a connection.
pub struct Io<Socket> {
    /// Nothing before a dial has a socket, and after detaching.
    pub(super) socket: Option<Socket>,
    /// As far as we know it can be read.
    pub(super) readable: bool,
    /// The peer's end or an error was reported and has not shown yet.
    pub(super) hangup: bool,
    /// What the poller reports on it; `None` when it is not registered.
    pub(super) watched: Option<Interest>,
}

impl<Socket> Io<Socket> {
    pub(super) fn new(socket: Option<Socket>) -> Self {
        Io {
            socket,
            readable: false,
            hangup: false,
            watched: None,
        }
    }
}

/// What the engine keeps for a listener.
pub struct Listening<L> {
    pub(super) socket: L,
    /// It was registered with the poller.
    pub(super) registered: bool,
}

/// The readiness interface over a kernel.
pub struct Readiness<K> {
    pub(super) kernel: K,
}

/// Registers the socket of a connection with the poller.
pub(super) fn register<K: Kernel>(
    net: &mut Net<Readiness<K>>,
    conn: Conn,
    interest: Interest,
) -> io::Result<()> {
    let Some(c) = net.core.conns.get_mut(conn) else {
        return Ok(());
    };
    let Some(socket) = &c.io.socket else { return Ok(()) };
    let interest = if K::LEVEL { interest } else { Interest::BOTH };
    net.core.stats.syscalls[Syscall::Register] += 1;
    net.interface.kernel.add(socket, conn.raw().to_bits(), interest)?;
    c.io.watched = Some(interest);
    Ok(())
}

/// A level-triggered poller is to report what can be acted on, and nothing else, or waiting would spin.
pub(super) fn watch<K: Kernel>(net: &mut Net<Readiness<K>>, conn: Conn) {
    if !K::LEVEL {
        return;
    }
    let Some(c) = net.core.conns.get_mut(conn) else {
        return;
    };
    let Some(socket) = &c.io.socket else { return };
    if c.phase == Phase::Doomed {
        return;
    }
    let read = c.wants_reading();
    let interest = Interest {
        read,
        write: c.blocked || c.phase == Phase::Dialing,
    };
    // A hang-up is reported whatever the interest. (But what waits to be sent must hear of room: a report may be wrong.)
    let wanted = if c.io.hangup && !read && !interest.write {
        None
    } else {
        Some(interest)
    };
    if c.io.watched == wanted {
        return;
    }
    net.core.stats.syscalls[Syscall::Register] += 1;
    let token = conn.raw().to_bits();
    let kernel = &mut net.interface.kernel;
    let result = match (c.io.watched, wanted) {
        (None, Some(interest)) => kernel.add(socket, token, interest),
        (Some(_), Some(interest)) => kernel.change(socket, token, interest),
        (_, None) => kernel.remove(socket),
    };
    c.io.watched = wanted;
    if let Err(error) = result {
        net.broken(conn, error);
    }
}

/// A level-triggered poller would report a listener that does not accept again and again.
pub(super) fn watch_listener<K: Kernel>(
    net: &mut Net<Readiness<K>>,
    listener: Listener,
    on: bool,
) -> io::Result<()> {
    let Some(l) = net.listeners.slots.get_mut(listener) else {
        return Ok(());
    };
    let l = &mut l.socket;
    let (kernel, token) = (&mut net.interface.kernel, listener.raw().to_bits());
    let interest = if on { Interest::READ } else { Interest::NONE };
    if !l.registered {
        net.core.stats.syscalls[Syscall::Register] += 1;
        kernel.add(l.socket.as_ref(), token, interest)?;
        l.registered = true;
    } else if K::LEVEL {
        net.core.stats.syscalls[Syscall::Register] += 1;
        kernel.change(l.socket.as_ref(), token, interest)?;
    }
    Ok(())
}

/// Takes note of an event on a connection.
#[inline]
pub(super) fn mark<S>(core: &mut Core<Io<S>>, conn: Conn, event: Event) {
    let Some(c) = core.conns.get_mut(conn) else { return };
    c.io.readable |= event.readable;
    c.io.hangup |= event.hangup;
    let unblocked = event.writable && c.blocked;
    c.blocked &= !event.writable;
    let useful = event.readable || event.hangup || unblocked || c.phase == Phase::Dialing;
    if useful && !c.queued {
        c.queued = true;
        core.ready.push_back(conn);
    }
}

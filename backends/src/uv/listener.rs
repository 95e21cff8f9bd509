//! Accepting.

use super::check;
use super::context::Context;
use super::interface::UvInterface;
use super::stream::{self, Handle, Io, Kind};
use crate::socket::{self, UnixFile};
use libuv_sys2::{uv_listen, uv_stream_t};
use rustix::net::SocketFlags;
use sockman::shared::Net;
use sockman::{Endpoint, Id, ListenOptions, Listener, RawId, Syscall, Syscalls};
use std::io;
use std::os::fd::OwnedFd;

/// What the backend keeps for a listener. When dropped, a Unix socket's file goes with it.
pub struct Listening {
    stream: Handle,
    kind: Kind,
    backlog: i32,
    /// libuv was told to accept.
    started: bool,
    /// Nothing is to be accepted for the time being.
    resting: bool,
    /// The connection that libuv accepted last.
    first: Option<Handle>,
    /// libuv holds one more, and accepts none before that is taken from it.
    held: bool,
    /// A descriptor to give up when there are no others, so that libuv has one for the connection it holds.
    reserve: Option<OwnedFd>,
    _file: Option<UnixFile>,
}

pub(super) fn listen(
    interface: &UvInterface,
    at: &Endpoint,
    how: &ListenOptions,
    calls: &mut Syscalls,
) -> io::Result<Listening> {
    let (fd, file) = socket::listen(at, how, calls)?;
    let kind = Kind::of(at);
    let stream = Handle::open(&interface.on, kind, fd)?;
    let reserve = stream.duplicate()?;
    Ok(Listening {
        stream,
        kind,
        backlog: socket::backlog(how),
        started: false,
        resting: false,
        first: None,
        held: false,
        reserve: Some(reserve),
        _file: file,
    })
}

/// libuv accepts from when a listener is new until it is closed, one connection at a time. It rests by holding one.
pub(super) fn watch(net: &mut Net<UvInterface>, listener: Listener, on: bool) -> io::Result<()> {
    let Some(l) = net.listeners.slots.get_mut(listener) else {
        return Ok(());
    };
    let l = &mut l.socket;
    l.resting = !on;
    if l.resting {
        l.reserve = None;
    }
    if !l.started {
        l.started = true;
        net.core.stats.syscalls[Syscall::Register] += 1;
        l.stream.belongs_to(listener.raw().to_bits());
        // SAFETY: the stream is valid and its socket bound.
        check(unsafe { uv_listen(l.stream.raw(), l.backlog, Some(arrived)) })?;
    }
    Ok(())
}

/// The connection callback: libuv has accepted one.
unsafe extern "C" fn arrived(server: *mut uv_stream_t, status: i32) {
    // SAFETY: libuv calls back with the listener's stream; the context's engine is used by nobody else now.
    let (net, listener) = unsafe {
        let Some(context) = Context::of((*server).loop_) else {
            return;
        };
        context.events += 1;
        let Some(id) = RawId::from_bits(stream::id(server)) else {
            return;
        };
        (&mut (*context.engine).delivery.net, Listener::from_raw(id))
    };
    let Some(l) = net.listeners.slots.get_mut(listener) else {
        return;
    };
    if let Err(error) = check(status) {
        tracing::debug!(%listener, %error, "libuv could not accept");
        return;
    }
    net.core.stats.syscalls[Syscall::Accept] += 1;
    let l = &mut l.socket;
    if l.resting || l.first.is_some() {
        l.held = true;
    } else {
        match l.stream.accepted() {
            Ok(first) => l.first = Some(first),
            Err(error) => {
                net.core.stats.accept_errors += 1;
                tracing::debug!(%listener, %error, "an accepted connection could not be kept");
            }
        }
    }
    net.listeners.may_accept(listener);
}

/// One connection that waits, the oldest.
pub(super) fn accept(
    interface: &UvInterface,
    l: &mut Listening,
    calls: &mut Syscalls,
) -> io::Result<(Io, Endpoint)> {
    if l.reserve.is_none() {
        // While this fails, the one that libuv holds keeps it from closing those in the backlog.
        l.reserve = Some(l.stream.duplicate()?);
    }
    let first = match l.first.take() {
        None if std::mem::take(&mut l.held) => Some(l.stream.accepted()?),
        first => first,
    };
    if let Some(stream) = first {
        calls[Syscall::Option] += 1;
        // It has no peer when that has gone already.
        let peer = stream
            .peer_addr()
            .map_err(|_| io::Error::from(io::ErrorKind::ConnectionAborted))?;
        return Ok((Io::new(Some(stream)), peer));
    }
    calls[Syscall::Accept] += 1;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (fd, peer) = rustix::net::acceptfrom_with(l.stream.fd()?, flags)?;
    let stream = Handle::open(&interface.on, l.kind, fd)?;
    Ok((Io::new(Some(stream)), socket::endpoint(peer)))
}

/// Where it listens.
pub(super) fn address(l: &Listening) -> Option<Endpoint> {
    l.stream.local_addr()
}

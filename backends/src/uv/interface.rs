//! The interface, in terms of libuv.

use super::context::Context;
use super::event_loop::Loop;
use super::listener::{self, Listening};
use super::stream::{Handle, Io, Kind};
use super::{dial, read, write};
use crate::socket;
use libuv_sys2::uv_version_string;
use sockman::shared::{Delivery, Engine, Interface, Net, Phase};
use sockman::{
    Closed, Config, Conn, DialOptions, Endpoint, Id, ListenOptions, Listener, Sink, Syscall, Syscalls,
};
use std::ffi::CStr;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic;
use std::ptr;
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// The libuv interface.
pub struct UvInterface {
    pub(super) on: Rc<Loop>,
    /// Counts waits, so that a budget can tell whose it is.
    pub(super) turn: u32,
    /// A connection's budget was used up in this turn: there may be more.
    pub(super) cut_short: bool,
}

impl Interface for UvInterface {
    const NAME: &'static str = "uv";
    type Io = Io;
    type Listening = Listening;
    type Buffers = Box<[u8]>;

    fn new(config: &Config) -> io::Result<Self> {
        config.check()?;
        Ok(UvInterface {
            on: Loop::new()?,
            turn: 0,
            cut_short: false,
        })
    }

    fn buffers(&mut self, config: &Config) -> io::Result<Box<[u8]>> {
        Ok(vec![0; config.read_buffer].into_boxed_slice())
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn descriptors(&self) -> usize {
        socket::descriptors()
    }

    fn waker(&mut self) -> io::Result<Waker> {
        Ok(self.on.alarm().clone().into())
    }

    fn description(&self) -> String {
        // SAFETY: libuv gives a constant string.
        let version = unsafe { CStr::from_ptr(uv_version_string()) };
        let poller = if cfg!(any(target_os = "linux", target_os = "android")) {
            "epoll"
        } else {
            "kqueue"
        };
        format!("libuv {}, {poller}", version.to_string_lossy())
    }

    fn listen(&mut self, at: &Endpoint, how: &ListenOptions, calls: &mut Syscalls) -> io::Result<Listening> {
        listener::listen(self, at, how, calls)
    }

    fn watch_listener(net: &mut Net<Self>, listener: Listener, on: bool) -> io::Result<()> {
        listener::watch(net, listener, on)
    }

    fn unlisten(&mut self, listening: Listening, _: &mut Syscalls) {
        drop(listening);
    }

    fn listener_addr(&self, listening: &Listening) -> Option<Endpoint> {
        listener::address(listening)
    }

    fn accept(&mut self, listening: &mut Listening, calls: &mut Syscalls) -> io::Result<(Io, Endpoint)> {
        listener::accept(self, listening, calls)
    }

    fn absent() -> Io {
        Io::new(None)
    }

    fn dial(net: &mut Net<Self>, conn: Conn, to: &Endpoint, how: &DialOptions) -> io::Result<bool> {
        dial::dial(net, conn, to, how)
    }

    fn adopt(&mut self, socket: OwnedFd, calls: &mut Syscalls) -> io::Result<(Io, Endpoint)> {
        let peer = socket::adopt(&socket, calls)?;
        let stream = Handle::open(&self.on, Kind::of(&peer), socket)?;
        Ok((Io::new(Some(stream)), peer))
    }

    fn detach(net: &mut Net<Self>, conn: Conn) -> io::Result<OwnedFd> {
        let Some(c) = net.core.conns.get_mut(conn) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let Some(stream) = &c.io.stream else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        // libuv cannot give a descriptor back. It closes its own, which ends nothing while there is the copy.
        let copy = stream.duplicate()?;
        net.core.stats.syscalls[Syscall::Close] += 1;
        c.io.stream = None;
        Ok(copy)
    }

    fn start(net: &mut Net<Self>, conn: Conn) -> io::Result<()> {
        if let Some(stream) = net.core.conns.get(conn).and_then(|c| c.io.stream.as_ref()) {
            stream.belongs_to(conn.raw().to_bits());
        }
        Ok(())
    }

    #[inline]
    fn watch(net: &mut Net<Self>, conn: Conn) {
        read::watch(net, conn);
    }

    /// libuv delivers as it reads, so it is not to read.
    #[inline]
    fn paused(net: &mut Net<Self>, conn: Conn) {
        read::watch(net, conn);
    }

    #[inline]
    fn write(&mut self, io: &mut Io, from: &[u8], calls: &mut Syscalls) -> io::Result<usize> {
        match &io.stream {
            Some(stream) => write::try_write(stream, from, calls),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn write_vectored(
        &mut self,
        io: &mut Io,
        from: &[IoSlice<'_>],
        calls: &mut Syscalls,
    ) -> io::Result<usize> {
        match &io.stream {
            Some(stream) => write::try_write_vectored(stream, from, calls),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn write_failed(net: &mut Net<Self>, conn: Conn) {
        net.core.make_ready(conn);
    }

    fn finish(&mut self, io: &mut Io, calls: &mut Syscalls) {
        if let Some(stream) = &io.stream {
            write::finish(stream, calls);
        }
    }

    fn close(&mut self, io: Io, reset: bool, calls: &mut Syscalls) {
        if let Some(stream) = io.stream {
            calls[Syscall::Close] += 1;
            if reset {
                calls[Syscall::Option] += 1;
                stream.reset();
            }
        }
    }

    fn local_addr(&self, io: &Io) -> Option<Endpoint> {
        io.stream.as_ref()?.local_addr()
    }

    fn is_behind(&self) -> bool {
        self.cut_short || self.on.is_behind()
    }

    /// Runs libuv's loop once, which delivers.
    fn wait(
        engine: &mut Engine<Self>,
        sink: &mut impl Sink<Net<Self>>,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        let interface = &mut engine.delivery.net.interface;
        interface.turn = interface.turn.wrapping_add(1);
        interface.cut_short = false;
        // Kept here, so that the loop outlives its run whatever callbacks do.
        let on = interface.on.clone();
        engine.delivery.net.core.stats.syscalls[Syscall::Wait] += 1;
        let mut context = context(engine, sink);
        // SAFETY: neither `engine` nor `sink` nor `context` is used by anybody else until this returns.
        unsafe { on.run(timeout, &raw mut context) };
        on.after_run();
        match context.panic {
            Some(panic) => panic::resume_unwind(panic),
            None => Ok(context.events),
        }
    }

    fn serve(engine: &mut Engine<Self>, sink: &mut impl Sink<Net<Self>>, conn: Conn) {
        let delivery = &mut engine.delivery;
        delivery.attend(sink, conn);
        after_end(delivery, sink, conn);
        read::watch(&mut delivery.net, conn);
    }
}

/// The context for a run; `S` is told to the one function in it that must know.
fn context<S: Sink<Net<UvInterface>>>(engine: &mut Engine<UvInterface>, sink: &mut S) -> Context {
    Context {
        engine: ptr::from_mut(engine),
        sink: ptr::from_mut(sink).cast(),
        deliver: read::deliver::<S>,
        events: 0,
        panic: None,
    }
}

/// Sending has failed after the peer's end was told: nothing is left to be read before that is told too.
fn after_end(delivery: &mut Delivery<UvInterface>, sink: &mut impl Sink<Net<UvInterface>>, conn: Conn) {
    let core = &mut delivery.net.core;
    if let Some(c) = core.conns.get_mut(conn)
        && c.eof
        && !c.paused
        && c.phase == Phase::Open
        && let Some(error) = c.write_error.take()
    {
        core.close(conn, Closed::from_error(error));
        delivery.settle(sink);
    }
}

impl AsFd for UvInterface {
    /// Readable when libuv has something to deliver.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.on.fd()
    }
}

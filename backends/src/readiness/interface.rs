//! The readiness interface, in terms of a kernel.

use super::kernel::{Event, Interest, Kernel};
use super::read;
use super::watching::{Io, Listening, Readiness, mark, register, watch, watch_listener};
use sockman::mutant::{Mutant, planted};
use sockman::shared::{Engine, Interface, Net};
use sockman::{
    Config, Conn, DialOptions, Endpoint, Id, ListenOptions, Listener, RawId, Sink, Syscall, Syscalls,
};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::Waker;
use std::time::{Duration, Instant};

impl<K> Readiness<K> {
    /// Over `kernel`.
    pub fn over(kernel: K) -> Self {
        Readiness { kernel }
    }

    /// The kernel.
    pub fn kernel(&self) -> &K {
        &self.kernel
    }
}

impl<K: Kernel> Interface for Readiness<K> {
    const NAME: &'static str = K::NAME;
    type Io = Io<K::Socket>;
    type Listening = Listening<K::Listener>;
    type Buffers = Box<[u8]>;

    fn new(config: &Config) -> io::Result<Self> {
        Ok(Readiness::over(K::new(config)?))
    }

    fn buffers(&mut self, config: &Config) -> io::Result<Box<[u8]>> {
        Ok(vec![0; config.read_buffer].into_boxed_slice())
    }

    fn now(&self) -> Instant {
        self.kernel.now()
    }

    fn descriptors(&self) -> usize {
        self.kernel.descriptors()
    }

    fn waker(&mut self) -> io::Result<Waker> {
        self.kernel.waker()
    }

    fn description(&self) -> String {
        let trigger = if K::LEVEL { "level" } else { "edge" };
        format!("{}, {trigger}-triggered", K::INTERFACE)
    }

    fn listen(
        &mut self,
        at: &Endpoint,
        how: &ListenOptions,
        calls: &mut Syscalls,
    ) -> io::Result<Self::Listening> {
        Ok(Listening {
            socket: self.kernel.listen(at, how, calls)?,
            registered: false,
        })
    }

    fn watch_listener(net: &mut Net<Self>, listener: Listener, on: bool) -> io::Result<()> {
        watch_listener(net, listener, on)
    }

    fn unlisten(&mut self, listening: Self::Listening, calls: &mut Syscalls) {
        if listening.registered {
            calls[Syscall::Register] += 1;
            if let Err(error) = self.kernel.remove(listening.socket.as_ref()) {
                tracing::debug!(%error, "deregistering failed");
            }
        }
    }

    fn listener_addr(&self, listening: &Self::Listening) -> Option<Endpoint> {
        self.kernel.local_addr(listening.socket.as_ref())
    }

    fn accept(
        &mut self,
        listening: &mut Self::Listening,
        calls: &mut Syscalls,
    ) -> io::Result<(Self::Io, Endpoint)> {
        calls[Syscall::Accept] += 1;
        let (socket, peer) = self.kernel.accept(&listening.socket)?;
        Ok((Io::new(Some(socket)), peer))
    }

    fn absent() -> Self::Io {
        Io::new(None)
    }

    fn dial(net: &mut Net<Self>, conn: Conn, to: &Endpoint, how: &DialOptions) -> io::Result<bool> {
        let calls = &mut net.core.stats.syscalls;
        let (socket, connected) = net.interface.kernel.dial(to, how, calls)?;
        if let Some(c) = net.core.conns.get_mut(conn) {
            c.io.socket = Some(socket);
        }
        register(net, conn, Interest::WRITE)?;
        Ok(connected)
    }

    fn adopt(&mut self, socket: OwnedFd, calls: &mut Syscalls) -> io::Result<(Self::Io, Endpoint)> {
        let (socket, peer) = self.kernel.adopt(socket, calls)?;
        Ok((Io::new(Some(socket)), peer))
    }

    fn detach(net: &mut Net<Self>, conn: Conn) -> io::Result<OwnedFd> {
        let socket = net.core.conns.get_mut(conn).and_then(|c| c.io.socket.take());
        let Some(socket) = socket else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        net.core.stats.syscalls[Syscall::Register] += 1;
        net.interface.kernel.remove(&socket)?;
        net.interface.kernel.detach(socket)
    }

    fn start(net: &mut Net<Self>, conn: Conn) -> io::Result<()> {
        register(net, conn, Interest::READ)
    }

    #[inline]
    fn watch(net: &mut Net<Self>, conn: Conn) {
        watch(net, conn);
    }

    #[inline]
    fn write(&mut self, io: &mut Self::Io, from: &[u8], calls: &mut Syscalls) -> io::Result<usize> {
        calls[Syscall::Write] += 1;
        match &io.socket {
            Some(socket) => self.kernel.write(socket, from),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn write_vectored(
        &mut self,
        io: &mut Self::Io,
        from: &[IoSlice<'_>],
        calls: &mut Syscalls,
    ) -> io::Result<usize> {
        calls[Syscall::Write] += 1;
        match &io.socket {
            Some(socket) => self.kernel.write_vectored(socket, from),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn write_failed(net: &mut Net<Self>, conn: Conn) {
        if let Some(c) = net.core.conns.get_mut(conn) {
            c.io.readable = true;
            net.core.make_ready(conn);
        }
    }

    fn finish(&mut self, io: &mut Self::Io, calls: &mut Syscalls) {
        if let Some(socket) = &io.socket {
            calls[Syscall::Shutdown] += 1;
            // Fails when the peer is gone, which reading shows.
            let _ = self.kernel.finish(socket);
        }
    }

    fn close(&mut self, io: Self::Io, reset: bool, calls: &mut Syscalls) {
        if let Some(socket) = io.socket {
            self.kernel.close(socket, reset, calls);
        }
    }

    fn local_addr(&self, io: &Self::Io) -> Option<Endpoint> {
        self.kernel.local_addr(io.socket.as_ref()?)
    }

    /// Takes note of what is reported.
    fn wait(
        engine: &mut Engine<Self>,
        _sink: &mut impl Sink<Net<Self>>,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        let Net {
            interface,
            core,
            listeners,
            ..
        } = &mut engine.delivery.net;
        let mut events = 0;
        let mut calls = core.stats.syscalls;
        let result = interface.kernel.wait(timeout, &mut calls, &mut |event| {
            events += 1;
            let Some(id) = RawId::from_bits(event.token) else {
                return;
            };
            match id.kind() {
                Conn::KIND => mark(core, Conn::from_raw(id), event),
                Listener::KIND => listeners.may_accept(Listener::from_raw(id)),
                _ => {}
            }
        });
        core.stats.syscalls = calls;
        if planted(Mutant::IdleSwept) {
            for conn in core.conns.ids() {
                let event = Event {
                    token: conn.raw().to_bits(),
                    readable: true,
                    writable: false,
                    hangup: false,
                };
                mark(core, conn, event);
            }
        }
        match result {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(events),
        }
    }

    #[inline]
    fn serve(engine: &mut Engine<Self>, sink: &mut impl Sink<Net<Self>>, conn: Conn) {
        read::serve(engine, sink, conn);
    }
}

impl<K: AsFd> AsFd for Readiness<K> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kernel.as_fd()
    }
}

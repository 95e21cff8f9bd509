//! The kernel that the engine runs on.

use super::host::Host;
use super::world::{HostId, Nanos, Report, Result, Shared, SocketId, nanos};
use crate::readiness::{Engine, Event, Interest, Kernel, Readiness};
use rustix::io::Errno;
use sockman::{Backend, Config, DialOptions, Endpoint, ListenOptions, Syscall, Syscalls};
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::Waker;
use std::time::{Duration, Instant};

/// The engine on a simulated kernel, edge-triggered as `mio` is.
pub type Sim = Engine<SimKernel<false>>;

/// The engine on a simulated kernel, level-triggered as `polling` is.
pub type SimLevel = Engine<SimKernel<true>>;

/// A simulated kernel: a host's sockets and a poller. [`Host::backend`] makes one.
pub struct SimKernel<const LEVEL: bool> {
    host: Host,
    /// Which of the host's lives it belongs to: after a crash nothing works any more.
    life: u32,
    events: usize,
    reports: Vec<(u64, Report)>,
}

/// A simulated socket. Closed when dropped.
pub struct SimSocket {
    world: Shared,
    id: SocketId,
}

impl SimSocket {
    pub(super) fn new(world: Shared, id: SocketId) -> SimSocket {
        SimSocket { world, id }
    }

    pub(super) fn id(&self) -> SocketId {
        self.id
    }

    pub(super) fn close(&self, reset: bool) {
        // (A panic inside the world drops sockets while it is borrowed: then nothing is left to be told.)
        if let Ok(mut world) = self.world.try_borrow_mut() {
            world.drop_socket(self.id, reset);
        }
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        self.close(false);
    }
}

/// A simulated listening socket. Closed when dropped, and a Unix socket's file goes with it.
pub struct SimListener(SimSocket);

impl AsRef<SimSocket> for SimListener {
    fn as_ref(&self) -> &SimSocket {
        &self.0
    }
}

/// What both simulated backends are.
pub trait Simulated: Backend {
    /// Makes one for a host. [`Host::backend`] is how programs say it.
    fn on(host: &Host, config: &Config) -> io::Result<Self>;

    /// The host it runs on.
    fn host(&self) -> &Host;

    /// The operations, to look at.
    fn net(&self) -> &Self::SockMan;

    /// How many connections have work that the last turn left over.
    fn waiting(&self) -> usize;

    /// How many have bytes to send that the kernel has not been offered.
    fn unflushed(&self) -> usize;
}

impl<const LEVEL: bool> Simulated for Engine<SimKernel<LEVEL>> {
    fn on(host: &Host, config: &Config) -> io::Result<Self> {
        Engine::on(Readiness::over(SimKernel::new_on(host, config.events)), config)
    }

    fn host(&self) -> &Host {
        &self.delivery.net.interface.kernel().host
    }

    fn net(&self) -> &Self::SockMan {
        &self.delivery.net
    }

    fn waiting(&self) -> usize {
        let core = &self.delivery.net.core;
        core.ready.len() + core.dirty.len() + core.doomed.len() + core.posts.len()
    }

    fn unflushed(&self) -> usize {
        self.delivery.net.core.dirty.len()
    }
}

impl<const LEVEL: bool> SimKernel<LEVEL> {
    fn new_on(host: &Host, events: usize) -> Self {
        let life = host.world.borrow().life(host.id);
        SimKernel {
            host: host.clone(),
            life,
            events,
            reports: Vec::new(),
        }
    }

    /// The host, unless it has crashed since.
    fn running(&self) -> Result<HostId> {
        if self.host.world.borrow().is_running(self.host.id, self.life) {
            Ok(self.host.id)
        } else {
            Err(Errno::NETDOWN)
        }
    }

    fn socket(&self, id: SocketId) -> SimSocket {
        SimSocket::new(self.host.world.clone(), id)
    }
}

/// What an epoll of this kind makes of a report.
fn event(level: bool, token: u64, report: Report) -> Event {
    let Report {
        input,
        output,
        read_hangup,
        hangup,
        error,
    } = report;
    if level {
        Event {
            token,
            readable: input || read_hangup || hangup || error,
            writable: output || hangup || error,
            hangup: hangup || error,
        }
    } else {
        Event {
            token,
            readable: input,
            writable: output || hangup || error,
            hangup: read_hangup || hangup || error,
        }
    }
}

impl<const LEVEL: bool> Kernel for SimKernel<LEVEL> {
    const NAME: &'static str = if LEVEL { "sim-level" } else { "sim" };
    const INTERFACE: &'static str = "simulated";
    const LEVEL: bool = LEVEL;
    type Socket = SimSocket;
    type Listener = SimListener;

    fn new(_: &Config) -> io::Result<Self> {
        let why = "a simulated backend belongs to a network: make it with sim::Host::backend";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    fn now(&self) -> Instant {
        self.host.now()
    }

    fn descriptors(&self) -> usize {
        self.host.world.borrow().limit(self.host.id)
    }

    fn waker(&mut self) -> io::Result<Waker> {
        Ok(self.host.world.borrow_mut().flag(self.host.id).into())
    }

    fn listen(
        &mut self,
        at: &Endpoint,
        how: &ListenOptions,
        calls: &mut Syscalls,
    ) -> io::Result<SimListener> {
        let host = self.running()?;
        calls[Syscall::Connect] += 3;
        let id = self.host.world.borrow_mut().listen(host, at, how)?;
        Ok(SimListener(self.socket(id)))
    }

    fn accept(&mut self, listener: &SimListener) -> io::Result<(SimSocket, Endpoint)> {
        let (id, peer) = self.host.world.borrow_mut().accept(listener.0.id)?;
        Ok((self.socket(id), peer))
    }

    fn dial(
        &mut self,
        to: &Endpoint,
        how: &DialOptions,
        calls: &mut Syscalls,
    ) -> io::Result<(SimSocket, bool)> {
        let host = self.running()?;
        calls[Syscall::Connect] += 2;
        let (id, connected) = self.host.world.borrow_mut().dial(host, to, how)?;
        Ok((self.socket(id), connected))
    }

    fn dialed(&mut self, socket: &SimSocket, calls: &mut Syscalls) -> io::Result<bool> {
        calls[Syscall::Option] += 2;
        Ok(self.host.world.borrow_mut().dialed(socket.id)?)
    }

    fn read(&mut self, socket: &SimSocket, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.host.world.borrow_mut().read(socket.id, into)?)
    }

    fn write(&mut self, socket: &SimSocket, from: &[u8]) -> io::Result<usize> {
        let from = [IoSlice::new(from)];
        Ok(self.host.world.borrow_mut().write(socket.id, &from)?)
    }

    fn write_vectored(&mut self, socket: &SimSocket, from: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.host.world.borrow_mut().write(socket.id, from)?)
    }

    fn finish(&mut self, socket: &SimSocket) -> io::Result<()> {
        Ok(self.host.world.borrow_mut().finish(socket.id)?)
    }

    fn error(&mut self, socket: &SimSocket) -> Option<io::Error> {
        let error = self.host.world.borrow_mut().take_error(socket.id)?;
        Some(error.into())
    }

    fn close(&mut self, socket: SimSocket, reset: bool, calls: &mut Syscalls) {
        calls[Syscall::Close] += 1;
        socket.close(reset);
    }

    fn local_addr(&self, socket: &SimSocket) -> Option<Endpoint> {
        self.host.world.borrow().local(socket.id)
    }

    fn adopt(&mut self, _: OwnedFd, _: &mut Syscalls) -> io::Result<(SimSocket, Endpoint)> {
        let why = "a descriptor is of this machine, and no socket of a simulated network";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    fn detach(&mut self, _: SimSocket) -> io::Result<OwnedFd> {
        let why = "simulated sockets have no descriptor";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    fn add(&mut self, socket: &SimSocket, token: u64, interest: Interest) -> io::Result<()> {
        let watch = Some((token, interest));
        Ok(self.host.world.borrow_mut().watch(socket.id, watch, true)?)
    }

    fn change(&mut self, socket: &SimSocket, token: u64, interest: Interest) -> io::Result<()> {
        let watch = Some((token, interest));
        Ok(self.host.world.borrow_mut().watch(socket.id, watch, false)?)
    }

    fn remove(&mut self, socket: &SimSocket) -> io::Result<()> {
        Ok(self.host.world.borrow_mut().watch(socket.id, None, false)?)
    }

    fn wait(
        &mut self,
        timeout: Option<Duration>,
        calls: &mut Syscalls,
        each: &mut impl FnMut(Event),
    ) -> io::Result<()> {
        let host = self.running()?;
        calls[Syscall::Wait] += 1;
        let timeout: Option<Nanos> = timeout.map(nanos);
        self.reports.clear();
        let mut world = self.host.world.borrow_mut();
        let came = world.wait(host, LEVEL, self.events, timeout, &mut self.reports);
        drop(world);
        match came {
            Err(Errno::DEADLK) => {
                let why =
                    "nothing will ever happen on this network again: a wait without a limit would not end";
                Err(io::Error::new(io::ErrorKind::Deadlock, why))
            }
            Err(error) => Err(error.into()),
            Ok(()) => {
                for (token, report) in self.reports.drain(..) {
                    each(event(LEVEL, token, report));
                }
                Ok(())
            }
        }
    }
}

//! The real kernel.

use super::kernel::{Event, Interest, Kernel};
use super::poller::Poller;
use crate::socket::{self, UnixFile};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, sockopt};
use sockman::{Config, DialOptions, Endpoint, ListenOptions, Syscall, Syscalls};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::Waker;
use std::time::{Duration, Instant};

/// The real kernel's sockets, with a poller.
pub struct Os<P> {
    poller: P,
}

/// A listening socket. When dropped, a Unix socket's file goes with it.
pub struct OsListener {
    fd: OwnedFd,
    _file: Option<UnixFile>,
}

impl AsRef<OwnedFd> for OsListener {
    fn as_ref(&self) -> &OwnedFd {
        &self.fd
    }
}

impl<P: Poller> Kernel for Os<P> {
    const NAME: &'static str = P::NAME;
    const INTERFACE: &'static str = P::INTERFACE;
    const LEVEL: bool = P::LEVEL;
    type Socket = OwnedFd;
    type Listener = OsListener;

    fn new(config: &Config) -> io::Result<Self> {
        config.check()?;
        Ok(Os {
            poller: P::new(config.events)?,
        })
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn descriptors(&self) -> usize {
        socket::descriptors()
    }

    fn waker(&mut self) -> io::Result<Waker> {
        self.poller.waker()
    }

    fn listen(&mut self, at: &Endpoint, how: &ListenOptions, calls: &mut Syscalls) -> io::Result<OsListener> {
        let (fd, file) = socket::listen(at, how, calls)?;
        Ok(OsListener { fd, _file: file })
    }

    fn accept(&mut self, listener: &OsListener) -> io::Result<(OwnedFd, Endpoint)> {
        socket::accept(&listener.fd)
    }

    fn dial(
        &mut self,
        to: &Endpoint,
        how: &DialOptions,
        calls: &mut Syscalls,
    ) -> io::Result<(OwnedFd, bool)> {
        socket::dial(to, how, calls)
    }

    fn dialed(&mut self, socket: &OwnedFd, calls: &mut Syscalls) -> io::Result<bool> {
        calls[Syscall::Option] += 2;
        socket::dialed(socket)
    }

    #[inline]
    fn read(&mut self, socket: &OwnedFd, into: &mut [u8]) -> io::Result<usize> {
        let (count, _) = rustix::net::recv(socket, into, RecvFlags::empty())?;
        Ok(count)
    }

    #[inline]
    fn write(&mut self, socket: &OwnedFd, from: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(socket, from, SendFlags::NOSIGNAL)?)
    }

    fn write_vectored(&mut self, socket: &OwnedFd, from: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(rustix::net::sendmsg(
            socket,
            from,
            &mut SendAncillaryBuffer::default(),
            SendFlags::NOSIGNAL,
        )?)
    }

    fn finish(&mut self, socket: &OwnedFd) -> io::Result<()> {
        Ok(rustix::net::shutdown(socket, Shutdown::Write)?)
    }

    fn error(&mut self, socket: &OwnedFd) -> Option<io::Error> {
        match sockopt::socket_error(socket) {
            Ok(Ok(())) => None,
            Ok(Err(error)) | Err(error) => Some(error.into()),
        }
    }

    fn close(&mut self, socket: OwnedFd, reset: bool, calls: &mut Syscalls) {
        if P::REMOVE_BEFORE_CLOSE {
            calls[Syscall::Register] += 1;
            if let Err(error) = self.poller.remove(socket.as_fd()) {
                tracing::debug!(%error, "deregistering failed");
            }
        }
        if reset {
            calls[Syscall::Option] += 1;
            // Fails on Unix sockets, which know no reset.
            let _ = sockopt::set_socket_linger(&socket, Some(Duration::ZERO));
        }
        calls[Syscall::Close] += 1;
        drop(socket);
    }

    fn local_addr(&self, socket: &OwnedFd) -> Option<Endpoint> {
        socket::local_addr(socket)
    }

    fn adopt(&mut self, socket: OwnedFd, calls: &mut Syscalls) -> io::Result<(OwnedFd, Endpoint)> {
        let peer = socket::adopt(&socket, calls)?;
        Ok((socket, peer))
    }

    fn detach(&mut self, socket: OwnedFd) -> io::Result<OwnedFd> {
        Ok(socket)
    }

    fn add(&mut self, socket: &OwnedFd, token: u64, interest: Interest) -> io::Result<()> {
        self.poller.add(socket.as_fd(), token, interest)
    }

    fn change(&mut self, socket: &OwnedFd, token: u64, interest: Interest) -> io::Result<()> {
        self.poller.change(socket.as_fd(), token, interest)
    }

    fn remove(&mut self, socket: &OwnedFd) -> io::Result<()> {
        self.poller.remove(socket.as_fd())
    }

    #[inline]
    fn wait(
        &mut self,
        timeout: Option<Duration>,
        calls: &mut Syscalls,
        each: &mut impl FnMut(Event),
    ) -> io::Result<()> {
        calls[Syscall::Wait] += P::WAIT_CALLS;
        self.poller.wait(timeout, each)
    }
}

impl<P: AsFd> AsFd for Os<P> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }
}

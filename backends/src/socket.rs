//! Making sockets of the real kernel.

use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{
    AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, bind, connect,
    listen as start_listening, socket_with, sockopt,
};
use rustix::process::{Resource, getrlimit};
use sockman::{DialOptions, Endpoint, ListenOptions, Syscall, Syscalls};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest time between two keep-alive probes.
const PROBE_EVERY: Duration = Duration::from_secs(75);

/// The file of a Unix listener; removed when dropped, unless another has taken its place.
pub(crate) struct UnixFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl UnixFile {
    fn at(path: &Path) -> Option<UnixFile> {
        Some(UnixFile {
            path: path.to_owned(),
            inode: inode(path)?,
        })
    }
}

impl Drop for UnixFile {
    fn drop(&mut self) {
        if inode(&self.path) == Some(self.inode) {
            // Gone already is as good.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::symlink_metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// An address as the kernel gives it; a peer without a name is a Unix endpoint with an empty path.
pub(crate) fn endpoint(address: Option<SocketAddrAny>) -> Endpoint {
    let Some(address) = address else {
        return Endpoint::Unix(PathBuf::new());
    };
    if let Ok(tcp) = SocketAddr::try_from(address.clone()) {
        return Endpoint::Tcp(tcp);
    }
    let unix = SocketAddrUnix::try_from(address).ok();
    let path = unix.as_ref().and_then(SocketAddrUnix::path_bytes);
    Endpoint::Unix(
        path.map(|bytes| std::ffi::OsStr::from_bytes(bytes).into())
            .unwrap_or_default(),
    )
}

fn stream(family: AddressFamily, calls: &mut Syscalls) -> io::Result<OwnedFd> {
    calls[Syscall::Connect] += 1;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(family, SocketType::STREAM, flags, None)?)
}

fn family(at: SocketAddr) -> AddressFamily {
    if at.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    }
}

/// Options that accepted sockets inherit from the one that listens, so that accepting costs no further calls.
fn tune(fd: &OwnedFd, nodelay: bool, keepalive: Option<Duration>, calls: &mut Syscalls) -> io::Result<()> {
    // Urgent data is a part of the stream (RFC 6093 section 5); out of it, it would cut receiving short in front of bytes
    // that nothing announces.
    calls[Syscall::Option] += 1;
    sockopt::set_socket_oobinline(fd, true)?;
    if nodelay {
        calls[Syscall::Option] += 1;
        sockopt::set_tcp_nodelay(fd, true)?;
    }
    if let Some(idle) = keepalive {
        calls[Syscall::Option] += 3;
        let idle = idle.max(Duration::from_secs(1));
        sockopt::set_socket_keepalive(fd, true)?;
        sockopt::set_tcp_keepidle(fd, idle)?;
        sockopt::set_tcp_keepintvl(fd, idle.min(PROBE_EVERY))?;
    }
    Ok(())
}

/// The backlog, as the kernel takes it.
pub(crate) fn backlog(how: &ListenOptions) -> i32 {
    how.backlog.min(i32::MAX as u32).cast_signed()
}

pub(crate) fn listen(
    at: &Endpoint,
    how: &ListenOptions,
    calls: &mut Syscalls,
) -> io::Result<(OwnedFd, Option<UnixFile>)> {
    let backlog = backlog(how);
    match at {
        Endpoint::Tcp(at) => {
            let fd = stream(family(*at), calls)?;
            calls[Syscall::Option] += 2 + u64::from(at.is_ipv6());
            sockopt::set_socket_reuseaddr(&fd, how.reuse_addr)?;
            sockopt::set_socket_reuseport(&fd, how.reuse_port)?;
            if at.is_ipv6() {
                sockopt::set_ipv6_v6only(&fd, how.v6_only)?;
            }
            tune(&fd, how.nodelay, how.keepalive, calls)?;
            calls[Syscall::Connect] += 2;
            bind(&fd, at)?;
            start_listening(&fd, backlog)?;
            Ok((fd, None))
        }
        Endpoint::Unix(path) => {
            let name = SocketAddrUnix::new(path.as_path())?;
            let fd = stream(AddressFamily::UNIX, calls)?;
            calls[Syscall::Connect] += 2;
            match bind(&fd, &name) {
                Err(Errno::ADDRINUSE) if how.unlink && is_stale(path, &name, calls) => {
                    fs::remove_file(path)?;
                    calls[Syscall::Connect] += 1;
                    bind(&fd, &name)?;
                }
                other => other?,
            }
            let file = if how.unlink { UnixFile::at(path) } else { None };
            start_listening(&fd, backlog)?;
            Ok((fd, file))
        }
    }
}

/// Whether `path` is a socket that nobody listens on.
fn is_stale(path: &Path, name: &SocketAddrUnix, calls: &mut Syscalls) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    calls[Syscall::Connect] += 1;
    is_socket
        && stream(AddressFamily::UNIX, calls)
            .is_ok_and(|probe| connect(&probe, name) == Err(Errno::CONNREFUSED))
}

/// Accepts one connection.
#[cfg(any(feature = "readiness", feature = "uring"))]
pub(crate) fn accept(listener: &OwnedFd) -> io::Result<(OwnedFd, Endpoint)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (fd, peer) = rustix::net::acceptfrom_with(listener, flags)?;
    Ok((fd, endpoint(peer)))
}

/// Our end's address.
pub(crate) fn local_addr(socket: &impl AsFd) -> Option<Endpoint> {
    let name = rustix::net::getsockname(socket).ok()?;
    Some(endpoint(Some(name)))
}

/// How many descriptors this process may have open.
pub(crate) fn descriptors() -> usize {
    getrlimit(Resource::Nofile)
        .current
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Whether a dial has been answered, by two calls; fails with the dial's own error.
#[cfg(any(feature = "readiness", feature = "uring"))]
pub(crate) fn dialed(socket: &OwnedFd) -> io::Result<bool> {
    sockopt::socket_error(socket)??;
    match rustix::net::getpeername(socket) {
        Ok(_) => Ok(true),
        Err(Errno::NOTCONN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A TCP socket to connect with.
pub(crate) fn caller(to: SocketAddr, how: &DialOptions, calls: &mut Syscalls) -> io::Result<OwnedFd> {
    let fd = stream(family(to), calls)?;
    tune(&fd, how.nodelay, how.keepalive, calls)?;
    if let Some(local) = &how.local {
        calls[Syscall::Connect] += 1;
        bind(&fd, local)?;
    }
    Ok(fd)
}

/// Starts to connect; whether it is connected already.
pub(crate) fn dial(to: &Endpoint, how: &DialOptions, calls: &mut Syscalls) -> io::Result<(OwnedFd, bool)> {
    let (fd, result) = match to {
        Endpoint::Tcp(to) => {
            let fd = caller(*to, how, calls)?;
            let result = connect(&fd, to);
            (fd, result)
        }
        Endpoint::Unix(path) => {
            let name = SocketAddrUnix::new(path.as_path())?;
            let fd = stream(AddressFamily::UNIX, calls)?;
            let result = connect(&fd, &name);
            (fd, result)
        }
    };
    calls[Syscall::Connect] += 1;
    match result {
        Ok(()) => Ok((fd, true)),
        Err(Errno::INPROGRESS | Errno::INTR) => Ok((fd, false)),
        Err(error) => Err(error.into()),
    }
}

/// Checks that `socket` is a connected stream socket and makes it fit the loop; tells who is at its other end.
pub(crate) fn adopt(socket: &OwnedFd, calls: &mut Syscalls) -> io::Result<Endpoint> {
    calls[Syscall::Option] += 3;
    if sockopt::socket_type(socket)? != SocketType::STREAM {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a stream socket"));
    }
    let peer = endpoint(rustix::net::getpeername(socket)?);
    ioctl_fionbio(socket, true)?;
    if peer.tcp().is_some() {
        tune(socket, true, None, calls)?;
    }
    Ok(peer)
}

//! The memory of a stream, and its owner.

use super::event_loop::Loop;
use super::{check, error};
use crate::socket;
use libuv_sys2::{
    uv_accept, uv_close, uv_fileno, uv_handle_t, uv_is_closing, uv_pipe_init, uv_pipe_open, uv_pipe_t,
    uv_stream_t, uv_tcp_close_reset, uv_tcp_init, uv_tcp_open, uv_tcp_t,
};
use rustix::net::sockopt;
use sockman::Endpoint;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Duration;

/// What the backend keeps for a connection.
pub struct Io {
    /// Nothing before a dial has a stream, and after detaching.
    pub(super) stream: Option<Handle>,
    /// libuv was told to read.
    pub(super) reading: bool,
    /// The turn that `left` is about.
    pub(super) turn: u32,
    /// Bytes that may still be read in that turn.
    pub(super) left: usize,
}

impl Io {
    pub(super) fn new(stream: Option<Handle>) -> Self {
        Io {
            stream,
            reading: false,
            turn: 0,
            left: 0,
        }
    }
}

/// The kinds of stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Tcp,
    Pipe,
}

impl Kind {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        match endpoint {
            Endpoint::Tcp(_) => Kind::Tcp,
            Endpoint::Unix(_) => Kind::Pipe,
        }
    }
}

#[repr(C)]
union Any {
    tcp: uv_tcp_t,
    pipe: uv_pipe_t,
}

/// libuv's handle comes first, so that a pointer to one is a pointer to the other.
#[repr(C)]
struct Stream {
    handle: Any,
    /// The bits of the id of the connection or listener.
    id: u64,
}

/// Owns a stream: closes it when dropped, and keeps its loop.
pub(super) struct Handle {
    stream: NonNull<Stream>,
    kind: Kind,
    on: Rc<Loop>,
}

/// The close callback: libuv is done with the handle.
pub(super) unsafe extern "C" fn closed(handle: *mut uv_handle_t) {
    // SAFETY: the handle is the first field of a `Stream` that `Handle::new` made a box of. Its owner has gone, or it would
    // not be closing, and libuv calls this once, last of all.
    unsafe { drop(Box::from_raw(handle.cast::<MaybeUninit<Stream>>())) };
}

/// The id of the connection or listener that a stream belongs to.
///
/// # Safety
///
/// The pointer is that of a [`Handle`]'s stream, which is not closed yet.
#[inline]
pub(super) unsafe fn id(stream: *mut uv_stream_t) -> u64 {
    // SAFETY: the caller says that it is the first field of a `Stream`.
    unsafe { (*stream.cast::<Stream>()).id }
}

impl Handle {
    /// A stream without a socket.
    fn new(on: &Rc<Loop>, kind: Kind) -> io::Result<Self> {
        let stream = Box::into_raw(Box::new(MaybeUninit::<Stream>::zeroed())).cast::<Stream>();
        // SAFETY: the memory is a box of its own that only `closed` frees, and large enough for either kind; the loop is
        // valid and will be as long as the handle is. All of `Stream` may be zero.
        let code = unsafe {
            match kind {
                Kind::Tcp => uv_tcp_init(on.raw(), stream.cast()),
                Kind::Pipe => uv_pipe_init(on.raw(), stream.cast(), 0),
            }
        };
        if let Err(error) = check(code) {
            // SAFETY: just made; where initialising fails libuv keeps no pointer to it.
            unsafe { drop(Box::from_raw(stream.cast::<MaybeUninit<Stream>>())) };
            return Err(error);
        }
        Ok(Handle {
            // SAFETY: a box is not null.
            stream: unsafe { NonNull::new_unchecked(stream) },
            kind,
            on: on.clone(),
        })
    }

    /// A stream over `fd`.
    pub(super) fn open(on: &Rc<Loop>, kind: Kind, fd: OwnedFd) -> io::Result<Self> {
        let handle = Handle::new(on, kind)?;
        let raw = fd.into_raw_fd();
        // SAFETY: the handle is initialised and has no socket. The descriptor is given up to it, if it takes it.
        let code = unsafe {
            match kind {
                Kind::Tcp => uv_tcp_open(handle.stream.as_ptr().cast(), raw),
                Kind::Pipe => uv_pipe_open(handle.stream.as_ptr().cast(), raw),
            }
        };
        if let Err(error) = check(code) {
            // SAFETY: it was ours, and libuv has not taken it.
            drop(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(raw) });
            return Err(error);
        }
        Ok(handle)
    }

    /// The connection that libuv has accepted at this listener.
    pub(super) fn accepted(&self) -> io::Result<Self> {
        let client = Handle::new(&self.on, self.kind)?;
        // SAFETY: both are valid streams of one loop; the client is initialised and has no socket.
        check(unsafe { uv_accept(self.raw(), client.raw()) })?;
        Ok(client)
    }

    /// For libuv's functions. Valid as long as `self` is.
    #[inline]
    pub(super) fn raw(&self) -> *mut uv_stream_t {
        self.stream.as_ptr().cast()
    }

    /// Callbacks are for this connection or listener.
    pub(super) fn belongs_to(&self, id: u64) {
        // SAFETY: the stream is valid until it is closed; libuv does not know the field.
        unsafe { (*self.stream.as_ptr()).id = id };
    }

    /// Its descriptor.
    pub(super) fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        let mut fd = -1;
        // SAFETY: the handle is valid; the descriptor is open as long as the handle is, and that is borrowed.
        unsafe {
            check(uv_fileno(self.raw().cast(), &raw mut fd))?;
            Ok(BorrowedFd::borrow_raw(fd))
        }
    }

    /// A copy of its descriptor.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(rustix::io::fcntl_dupfd_cloexec(self.fd()?.as_fd(), 0)?)
    }

    /// Our end's address.
    pub(super) fn local_addr(&self) -> Option<Endpoint> {
        socket::local_addr(&self.fd().ok()?)
    }

    /// The peer's address.
    pub(super) fn peer_addr(&self) -> io::Result<Endpoint> {
        Ok(socket::endpoint(rustix::net::getpeername(self.fd()?)?))
    }

    /// Closes by RST, where the kind of stream knows it.
    pub(super) fn reset(self) {
        if self.kind == Kind::Pipe {
            return;
        }
        // SAFETY: the handle is valid and not closing.
        let code = unsafe { uv_tcp_close_reset(self.stream.as_ptr().cast(), Some(closed)) };
        if code < 0 {
            // It is being half-closed, when libuv refuses.
            let linger = self
                .fd()
                .and_then(|fd| Ok(sockopt::set_socket_linger(fd, Some(Duration::ZERO))?));
            if let Err(linger) = linger {
                tracing::debug!(error = %error(code), %linger, "the connection is closed without RST");
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let handle = self.raw().cast::<uv_handle_t>();
        // SAFETY: the memory is valid until the close callback, which comes in a later run, or later in this one. Whether
        // it was closed by RST libuv knows.
        unsafe {
            if uv_is_closing(handle) == 0 {
                uv_close(handle, Some(closed));
            }
        }
    }
}

//! A server in C on libevent's evhttp, as a user of libevent would write it: `benches/c/evhttp.c`. Debian has libevent, and
//! what it was built without it cannot run.

#![cfg_attr(libevent, allow(unsafe_code, reason = "the server is a function in C"))]

use crate::serve::Ready;
use std::io;

/// Says that it is not there.
#[cfg(not(libevent))]
pub fn run(_: Ready<'_>) -> io::Result<()> {
    Err(io::Error::other(
        "built without libevent; where the Debian package libevent-dev is installed, building again finds it",
    ))
}

/// Runs it.
#[cfg(libevent)]
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    use crate::http::{AUTHORIZATION, HELLO};
    use crate::serve::{Running, listener};
    use rustix::net::sockopt;
    use std::ffi::{CStr, CString, c_char, c_int};
    use std::os::fd::IntoRawFd;

    unsafe extern "C" {
        /// The version of libevent.
        fn sockman_bench_libevent_version() -> *const c_char;

        /// Serves the connections of a listening socket, which becomes its own. Returns only when it cannot.
        fn sockman_bench_evhttp(listener: c_int, text: *const c_char, authorization: *const c_char) -> c_int;
    }

    let (listener, at) = listener()?;
    // Accepted sockets have it from the one that listens.
    sockopt::set_tcp_nodelay(&listener, true)?;
    let (text, authorization) = (CString::new(HELLO)?, CString::new(AUTHORIZATION)?);
    crate::heap::elsewhere();
    // SAFETY: it returns a string that is part of the library.
    let version = unsafe { CStr::from_ptr(sockman_bench_libevent_version()) };
    ready(Running {
        interface: format!("libevent {}", version.to_string_lossy()),
        ..Running::new(at)
    });
    // SAFETY: the descriptor is an open socket that nobody else has any more, and the strings live until it returns. It reads
    // them, and calls nothing of ours.
    let code = unsafe { sockman_bench_evhttp(listener.into_raw_fd(), text.as_ptr(), authorization.as_ptr()) };
    Err(io::Error::other(format!("evhttp ended with {code}")))
}

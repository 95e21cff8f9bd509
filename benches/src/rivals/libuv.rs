//! An echo server in C on libuv, as a user of libuv would write it: `benches/c/libuv_echo.c`.

#![allow(unsafe_code, reason = "the server is a function in C")]

use crate::heap;
use crate::serve::{BACKLOG, Ready, Running, listener};
// The C code calls what this crate links.
use libuv_sys2 as _;
use std::ffi::c_int;
use std::io;
use std::os::fd::IntoRawFd;

unsafe extern "C" {
    /// Serves the connections of a bound socket, which becomes its own. Returns only when it cannot, with libuv's code.
    fn sockman_bench_libuv_echo(listener: c_int, backlog: c_int) -> c_int;
}

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let (listener, at) = listener()?;
    heap::elsewhere();
    ready(Running {
        at,
        // libuv makes the system calls, and counts none of them.
        probe: Box::new(|| None),
        post: None,
    });
    // SAFETY: the descriptor is an open socket that nobody else has any more. The function keeps its state on its own stack
    // and calls nothing of ours.
    let code = unsafe { sockman_bench_libuv_echo(listener.into_raw_fd(), BACKLOG) };
    // Outside Windows libuv's codes are negated error numbers.
    Err(io::Error::from_raw_os_error(-code))
}

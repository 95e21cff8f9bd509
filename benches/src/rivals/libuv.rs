//! An echo server in C on libuv, as a user of libuv would write it: `benches/c/libuv_echo.c`.

#![allow(unsafe_code, reason = "the server is a function in C")]

use crate::heap;
use crate::serve::{BACKLOG, Ready, Running, listener};
// This crate links what the C code calls.
use libuv_sys2::uv_version_string;
use std::ffi::{CStr, c_int};
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
    // SAFETY: it returns a string that is part of the program.
    let version = unsafe { CStr::from_ptr(uv_version_string()) };
    ready(Running {
        interface: format!("libuv {}", version.to_string_lossy()),
        // It makes the system calls, and counts none of them.
        ..Running::new(at)
    });
    // SAFETY: the descriptor is an open socket that nobody else has any more. The function keeps its state on its own stack
    // and calls nothing of ours.
    let code = unsafe { sockman_bench_libuv_echo(listener.into_raw_fd(), BACKLOG) };
    // Outside Windows libuv's codes are negated error numbers.
    Err(io::Error::from_raw_os_error(-code))
}

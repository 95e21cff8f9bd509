//! libuv: a completion interface over its own streams, `uv_tcp_t` and `uv_pipe_t`.
//!
//! - `interface`: [`UvInterface`], the parts put together
//! - `event_loop`: the `uv_loop_t` with its timer; `waker`: its `uv_async_t`, for other threads
//! - `context`: how a callback of libuv finds the engine and the sink
//! - `stream`: the memory of a stream and its owner
//! - `listener`, `dial`: how connections come; `read`, `write`: receiving and sending
//!
//! **What libuv does, and what we do.** A turn is one `uv_run`. libuv waits, reads into the buffer that its allocation
//! callback lends it, and calls back; the handler is called from there. What a callback sends leaves by `uv_try_write`
//! when it returns, and what the kernel did not take by `uv_write`, from where it lies. Listening sockets are made and bound
//! as on the other backends, so that options and errors are the same, and then are libuv's. libuv accepts one connection
//! in a turn; those behind it are taken from the backlog by us and become streams by `uv_tcp_open`.
//!
//! **What is libuv's nature.**
//!
//! - It makes its system calls itself: [`Stats::syscalls`](sockman::Stats::syscalls) has those that can be known from
//!   outside: one wait for each `uv_run` (it may poll again after 1,024 events), one read for each read callback, one write
//!   for each `uv_try_write` and each piece given to `uv_write` (which may need several).
//! - Timeouts are whole milliseconds, rounded up.
//! - It half-closes, and tells the kernel what to report, at the next `uv_run`; until then
//!   [`next_deadline`](sockman::Driver::next_deadline) is past.
//! - After the peer's end it looks at a connection no more: a reset that follows shows when we write.
//! - When a client comes and no descriptor is free, it accepts and closes all that wait in the backlog. Our listener rests
//!   before that where it can: it keeps a descriptor in reserve, gives it up when accepting fails for want of one, and has
//!   libuv hold one connection with it, which stops libuv from accepting. A client that comes to an idle listener when others
//!   have used all descriptors up is closed nevertheless.
//! - A client that had gone before it was accepted is counted as an error of accepting: its address is not known any more.
//! - It writes by `write(2)`: a program must ignore `SIGPIPE`, as Rust's runtime does unless told otherwise.
//! - Two descriptors, for signals, stay open in the process once a loop has been made.
//!
//! **Why the unsafe code here is sound.**
//!
//! *Thread.* A loop, its handles and its requests are touched by one thread only: all our types hold raw pointers or an
//! [`Rc`](std::rc::Rc) and are neither `Send` nor `Sync`. The exception is `uv_async_send`, the one function that libuv
//! documents as callable from any thread; `waker` guards the handle's life with a mutex.
//!
//! *Callbacks run inside `uv_run` only.* libuv's documentation says so of every callback used here: `uv_close`'s "will be
//! called asynchronously after this call", write and shutdown callbacks run "after" the request is done, by the loop, and
//! `uv_try_write`, `uv_read_start`, `uv_read_stop`, `uv_accept` and `uv_listen` call none. `uv_run` is not reentrant, and
//! cannot be re-entered here: only [`Backend::turn`](sockman::Backend::turn), which needs the `&mut Engine` that the
//! running turn holds, and the end of the loop call it. So no callback runs inside a call of ours, and none inside another.
//!
//! *Borrows.* `wait` turns its `&mut Engine` and `&mut` sink into raw pointers and uses neither again until `uv_run` has
//! returned. A callback makes references from them, which end before it returns. Outside of `wait` the loop's context is
//! null, and callbacks (those of closing, when a loop is dropped) only free what is theirs.
//!
//! *Lifetimes.* A handle lies in a box of its own that is freed by its close callback and nowhere else; libuv
//! promises not to touch it afterwards. Its owner, `Handle`, closes it when dropped, and holds the loop by an `Rc`. When the
//! last is gone, the loop closes what is left and runs until every close callback has come, and only then goes itself.
//! Requests are boxes too, freed by their own callbacks, which libuv makes before the handle's close callback, with
//! `UV_ECANCELED` if need be; the queue whose bytes a write request sends is owned by the request.
//!
//! *Panics* of handlers are caught in the callback, stop further delivery, and go on when `uv_run` has returned.

#![allow(unsafe_code)]

mod context;
mod dial;
mod event_loop;
mod interface;
mod listener;
mod read;
mod stream;
mod waker;
mod write;

pub use interface::UvInterface;
pub use listener::Listening;
pub use stream::Io;

use std::io;

/// The backend over libuv.
pub type Uv = sockman::shared::Engine<UvInterface>;

/// libuv's error codes are the system's, negated.
fn error(code: impl Into<i64>) -> io::Error {
    let code = i32::try_from(-code.into()).unwrap_or(i32::MAX);
    io::Error::from_raw_os_error(code)
}

/// The error of a code, if it is one.
fn check(code: i32) -> io::Result<()> {
    if code < 0 { Err(error(code)) } else { Ok(()) }
}

//! What differs from backend to backend.

use crate::backend::Sink;
use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::id::{Conn, Listener};
use crate::options::{DialOptions, ListenOptions};
use crate::shared::engine::Engine;
use crate::shared::net::Net;
use crate::stats::Syscalls;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::Waker;
use std::time::{Duration, Instant};

/// A kernel interface, of the readiness or of the completion family: sockets, and a wait. [`Engine`]`<I>` is then a
/// [`Backend`](crate::Backend).
///
/// What the engine relies on:
///
/// - Nothing blocks but [`wait`](Interface::wait). What would block fails with [`io::ErrorKind::WouldBlock`].
/// - Errors are those of the operating system; [`io::ErrorKind::Interrupted`] means "again".
/// - Only [`wait`](Interface::wait) and [`serve`](Interface::serve), which are given a sink, call handlers.
pub trait Interface: Sized {
    /// The name of the backend.
    const NAME: &'static str;

    /// Its part of a connection.
    type Io;

    /// Its part of a listener. It frees what it holds when dropped.
    type Listening;

    /// Where bytes are received to; apart from the sockets, so that a handler can hold both at once.
    type Buffers;

    /// Makes one from settings alone. (A simulated one, which its network makes, refuses here.)
    fn new(config: &Config) -> io::Result<Self>;

    /// Makes the buffers that belong to it.
    fn buffers(&mut self, config: &Config) -> io::Result<Self::Buffers>;

    /// The time. It never goes backwards.
    fn now(&self) -> Instant;

    /// How many descriptors may be open.
    fn descriptors(&self) -> usize;

    /// A waker that ends a wait, also the next one if none is under way.
    fn waker(&mut self) -> io::Result<Waker>;

    /// How it works here: what it found the kernel to have, for [`Stats::interface`](crate::Stats::interface).
    fn description(&self) -> String;

    /// Makes a listening socket.
    fn listen(
        &mut self,
        at: &Endpoint,
        how: &ListenOptions,
        calls: &mut Syscalls,
    ) -> io::Result<Self::Listening>;

    /// A listener is to report connections, or to rest. Called when it is new, and around each rest.
    fn watch_listener(net: &mut Net<Self>, listener: Listener, on: bool) -> io::Result<()>;

    /// Closes a listener.
    fn unlisten(&mut self, listening: Self::Listening, calls: &mut Syscalls);

    /// Where a listener listens.
    fn listener_addr(&self, listening: &Self::Listening) -> Option<Endpoint>;

    /// Accepts one connection, if one waits.
    fn accept(
        &mut self,
        listening: &mut Self::Listening,
        calls: &mut Syscalls,
    ) -> io::Result<(Self::Io, Endpoint)>;

    /// The part of a connection that is not there yet.
    fn absent() -> Self::Io;

    /// Starts to connect; whether it is connected already. `WouldBlock` means that nothing was started and it is to be
    /// tried again (a Unix listener's backlog is full).
    fn dial(net: &mut Net<Self>, conn: Conn, to: &Endpoint, how: &DialOptions) -> io::Result<bool>;

    /// Takes over a connected socket, and tells who is at its other end.
    fn adopt(&mut self, socket: OwnedFd, calls: &mut Syscalls) -> io::Result<(Self::Io, Endpoint)>;

    /// Gives the socket of a connection away.
    fn detach(net: &mut Net<Self>, conn: Conn) -> io::Result<OwnedFd>;

    /// An accepted or adopted connection has been entered, before `open`.
    fn start(net: &mut Net<Self>, conn: Conn) -> io::Result<()>;

    /// The state of a connection has changed: from now on it is to receive, and to go on sending, what the state says
    /// ([`wants_reading`](super::ConnState::wants_reading), [`blocked`](super::ConnState::blocked)).
    fn watch(net: &mut Net<Self>, conn: Conn);

    /// A connection was paused. What is received nevertheless is to be kept until it is resumed.
    #[inline]
    fn paused(_net: &mut Net<Self>, _conn: Conn) {}

    /// Sends from `from`; how much was taken. What takes less, or nothing (`WouldBlock`), is called
    /// [`watch`](Interface::watch) for, and says when it can go on by clearing
    /// [`blocked`](super::ConnState::blocked) and [serving](Interface::serve) the connection.
    fn write(&mut self, io: &mut Self::Io, from: &[u8], calls: &mut Syscalls) -> io::Result<usize>;

    /// Sends from several pieces.
    fn write_vectored(
        &mut self,
        io: &mut Self::Io,
        from: &[IoSlice<'_>],
        calls: &mut Syscalls,
    ) -> io::Result<usize>;

    /// Sending has failed. What was received before is still to be delivered, and then the failure.
    #[inline]
    fn write_failed(_net: &mut Net<Self>, _conn: Conn) {}

    /// Half-closes our side: everything has been sent.
    fn finish(&mut self, io: &mut Self::Io, calls: &mut Syscalls);

    /// Closes; by RST if `reset` and the kind of socket knows it.
    fn close(&mut self, io: Self::Io, reset: bool, calls: &mut Syscalls);

    /// Our end's address.
    fn local_addr(&self, io: &Self::Io) -> Option<Endpoint>;

    /// Hands the kernel what was put together for it since the last call: after a turn, and after
    /// [`Driver::with`](crate::Driver::with).
    #[inline]
    fn submit(_net: &mut Net<Self>) {}

    /// Whether something has been reported that no wait has taken note of.
    #[inline]
    fn has_events(&self) -> bool {
        false
    }

    /// Whether a turn is due before a foreign loop may sleep on the descriptor, because that does not tell everything yet:
    /// what is still to be registered or finished. A [`wait`](Interface::wait) of ours does this by itself, and sleeps
    /// afterwards if it may.
    #[inline]
    fn is_behind(&self) -> bool {
        false
    }

    /// Waits until something is reported, at most for `timeout`, and takes note of it, or delivers it at once: then after
    /// [`Delivery::begin`](super::Delivery::begin). Returns how many events there were.
    fn wait(
        engine: &mut Engine<Self>,
        sink: &mut impl Sink<Net<Self>>,
        timeout: Option<Duration>,
    ) -> io::Result<usize>;

    /// Does what a connection of the ready list has to do, once, and no more than the turn's budget of bytes.
    fn serve(engine: &mut Engine<Self>, sink: &mut impl Sink<Net<Self>>, conn: Conn);
}

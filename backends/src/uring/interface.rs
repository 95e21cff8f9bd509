//! The io_uring interface: operations on sockets.

use super::listener::Listening;
use super::pool::Pool;
use super::ring::{Ring, kind};
use super::wake::{self, WakeFd};
use super::{receive, turn};
use crate::socket;
use io_uring::{opcode, types};
use rustix::event::PollFlags;
use rustix::net::{SendAncillaryBuffer, SendFlags, Shutdown, sockopt};
use sockman::shared::{Engine, Interface, Net, Pool as Spare, Unread};
use sockman::{
    Config, Conn, DialOptions, Endpoint, Id, ListenOptions, Listener, RawId, Sink, Syscall, Syscalls,
};
use std::cell::Cell;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// How far an operation is that goes on until it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Multishot {
    /// Not under way.
    Idle,
    /// Under way.
    Armed,
    /// Its end was asked for, and its last completion has not come.
    Ending,
}

/// What the backend keeps for a connection.
pub struct Io {
    /// Nothing before a dial has a socket, and after detaching.
    pub(super) socket: Option<OwnedFd>,
    pub(super) id: Option<RawId>,
    pub(super) receiving: Multishot,
    /// A poll for room, or for a dial's answer, is under way.
    pub(super) polled: bool,
    /// A poll for bytes that are to be read directly is under way.
    pub(super) polled_in: bool,
    /// That poll has come, and reading has not found the end of what there was.
    pub(super) readable: bool,
    /// The batch that a send of it is in.
    batch: u32,
    /// Bytes of this turn: its number, and how many were delivered.
    pub(super) turn: u32,
    pub(super) delivered: u32,
    /// Bytes that came while they could not be delivered.
    pub(super) parked: Option<Box<Unread>>,
    /// Parked bytes are being delivered: until that is over it is not known whether any are left.
    pub(super) unparking: bool,
    /// The peer's end (0), or what receiving failed with, has come and is to be told after what is parked.
    pub(super) end: Option<i32>,
    /// After the peer's end: something has happened to the socket.
    pub(super) hangup: bool,
}

impl Io {
    fn new(socket: Option<OwnedFd>) -> Io {
        Io {
            socket,
            id: None,
            receiving: Multishot::Idle,
            polled: false,
            polled_in: false,
            readable: false,
            batch: 0,
            turn: 0,
            delivered: 0,
            parked: None,
            unparking: false,
            end: None,
            hangup: false,
        }
    }
}

/// The io_uring interface.
pub struct UringInterface {
    pub(super) ring: Ring,
    /// Until it is handed over.
    pool: Option<Pool>,
    wake: Arc<WakeFd>,
    /// What a foreign loop polls: signalled with every completion once it has been asked for.
    signal: OwnedFd,
    signalled: Cell<bool>,
    /// Emptied buffers of parked bytes.
    pub(super) spare: Spare<Unread>,
    /// Where what comes first is read to directly; made when that happens first.
    pub(super) scratch: Box<[u8]>,
    /// Counts turns, for the budget of bytes.
    pub(super) turn: u32,
    /// Sends that may still leave at once in this turn, by a call each.
    at_once: usize,
    batch_from: usize,
    descriptors: usize,
}

/// A larger piece is not copied into a batch; it is sent at once, by a call of its own.
const BATCHED: usize = 8 << 10;

impl UringInterface {
    /// A turn with `events` begins: whether its sends leave at once or together.
    #[inline]
    pub(super) fn begin_turn(&mut self, events: usize) {
        self.turn = self.turn.wrapping_add(1);
        self.at_once = if events < self.batch_from {
            self.batch_from
        } else {
            0
        };
    }

    fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.0.as_fd()
    }

    /// Whether completions are signalled to a foreign loop.
    #[inline]
    pub(super) fn is_signalled(&self) -> bool {
        self.signalled.get()
    }

    /// Takes the signal to a foreign loop back.
    pub(super) fn clear_signal(&self, calls: &mut Syscalls) {
        calls[Syscall::Wait] += 1;
        // Fails when there is none.
        let _ = rustix::io::read(&self.signal, &mut [0; 8]);
    }

    /// Sends `len` bytes, now or with the batch; how many were taken.
    #[inline]
    fn send<'a>(
        &mut self,
        io: &mut Io,
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
        len: usize,
        calls: &mut Syscalls,
        now: impl FnOnce(&OwnedFd) -> rustix::io::Result<usize>,
    ) -> io::Result<usize> {
        let (Some(socket), Some(id)) = (&io.socket, io.id) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let would_block = || Err(io::ErrorKind::WouldBlock.into());
        if !self.ring.unsent.is_empty() && self.ring.is_unsent(id) {
            return would_block();
        }
        let in_batch = io.batch == self.ring.batch_number;
        let batched = len <= BATCHED && (in_batch || self.at_once == 0);
        // One send of a connection in a batch, or a first that is cut short would be overtaken.
        if in_batch && !(batched && self.ring.ends_with(id)) {
            self.ring.submit(&mut calls[Syscall::Wait]);
            if self.ring.is_unsent(id) {
                return would_block();
            }
        }
        if batched {
            if !self
                .ring
                .send(id, socket.as_raw_fd(), pieces, len, &mut calls[Syscall::Wait])
            {
                return would_block();
            }
            io.batch = self.ring.batch_number;
            return Ok(len);
        }
        self.at_once = self.at_once.saturating_sub(1);
        calls[Syscall::Write] += 1;
        #[cfg(feature = "uring-faults")]
        if let Some(result) = super::faults::sending(socket, pieces, len) {
            return Ok(result?);
        }
        Ok(now(socket)?)
    }
}

impl Interface for UringInterface {
    const NAME: &'static str = "uring";
    type Io = Io;
    type Listening = Listening;
    type Buffers = Pool;

    fn new(config: &Config) -> io::Result<Self> {
        let mut ring = Ring::new(config)?;
        let pool = ring.try_out()?;
        let wake = WakeFd::new()?;
        let mut interface = UringInterface {
            ring,
            pool: Some(pool),
            wake,
            signal: wake::make()?,
            signalled: Cell::new(false),
            spare: Spare::new(config.spare_buffers / 4),
            scratch: Box::default(),
            turn: 0,
            at_once: 0,
            batch_from: config.batch_from,
            descriptors: socket::descriptors(),
        };
        interface.poll_wake();
        Ok(interface)
    }

    fn buffers(&mut self, _: &Config) -> io::Result<Pool> {
        self.pool
            .take()
            .ok_or_else(|| io::Error::other("the buffers have been handed over"))
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn descriptors(&self) -> usize {
        self.descriptors
    }

    fn waker(&mut self) -> io::Result<Waker> {
        Ok(self.wake.clone().into())
    }

    fn description(&self) -> String {
        self.ring.found.to_string()
    }

    fn listen(&mut self, at: &Endpoint, how: &ListenOptions, calls: &mut Syscalls) -> io::Result<Listening> {
        let (fd, file) = socket::listen(at, how, calls)?;
        Ok(Listening::new(fd, file, how))
    }

    fn watch_listener(net: &mut Net<Self>, listener: Listener, on: bool) -> io::Result<()> {
        let room = net.core.max_connections.saturating_sub(net.core.conns.len());
        if let Some(l) = net.listeners.slots.get_mut(listener) {
            l.socket.id = Some(listener.raw());
            l.socket.on = on;
            l.socket.watch(&mut net.interface.ring, room);
        }
        Ok(())
    }

    fn unlisten(&mut self, listening: Listening, _: &mut Syscalls) {
        listening.close(&mut self.ring);
    }

    fn listener_addr(&self, listening: &Listening) -> Option<Endpoint> {
        socket::local_addr(listening.fd())
    }

    fn accept(&mut self, listening: &mut Listening, calls: &mut Syscalls) -> io::Result<(Io, Endpoint)> {
        let (fd, peer) = listening.accept(&mut self.ring, calls)?;
        Ok((Io::new(Some(fd)), peer))
    }

    fn absent() -> Io {
        Io::new(None)
    }

    fn dial(net: &mut Net<Self>, conn: Conn, to: &Endpoint, how: &DialOptions) -> io::Result<bool> {
        let (socket, connected) = socket::dial(to, how, &mut net.core.stats.syscalls)?;
        if let Some(c) = net.core.conns.get_mut(conn) {
            c.io.socket = Some(socket);
            c.io.id = Some(conn.raw());
            if !connected {
                net.interface.poll_writable(&mut c.io);
            }
        }
        Ok(connected)
    }

    fn adopt(&mut self, socket: OwnedFd, calls: &mut Syscalls) -> io::Result<(Io, Endpoint)> {
        let peer = socket::adopt(&socket, calls)?;
        Ok((Io::new(Some(socket)), peer))
    }

    /// Inside `open` nothing is under way yet.
    fn detach(net: &mut Net<Self>, conn: Conn) -> io::Result<OwnedFd> {
        let socket = net.core.conns.get_mut(conn).and_then(|c| c.io.socket.take());
        socket.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn start(net: &mut Net<Self>, conn: Conn) -> io::Result<()> {
        if let Some(c) = net.core.conns.get_mut(conn) {
            c.io.id = Some(conn.raw());
        }
        Ok(())
    }

    fn watch(net: &mut Net<Self>, conn: Conn) {
        receive::watch(net, conn);
    }

    #[inline]
    fn write(&mut self, io: &mut Io, from: &[u8], calls: &mut Syscalls) -> io::Result<usize> {
        self.send(io, std::iter::once(from), from.len(), calls, |socket| {
            rustix::net::send(socket, from, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
        })
    }

    fn write_vectored(
        &mut self,
        io: &mut Io,
        from: &[IoSlice<'_>],
        calls: &mut Syscalls,
    ) -> io::Result<usize> {
        let len = from.iter().map(|piece| piece.len()).sum();
        self.send(io, from.iter().map(|piece| &**piece), len, calls, |socket| {
            rustix::net::sendmsg(
                socket,
                from,
                &mut SendAncillaryBuffer::default(),
                SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
            )
        })
    }

    fn finish(&mut self, io: &mut Io, calls: &mut Syscalls) {
        if let Some(socket) = &io.socket {
            calls[Syscall::Shutdown] += 1;
            // Fails when the peer is gone, which receiving shows.
            let _ = rustix::net::shutdown(socket, Shutdown::Write);
        }
    }

    fn close(&mut self, io: Io, reset: bool, calls: &mut Syscalls) {
        if let Some(parked) = io.parked {
            self.spare.put(parked);
        }
        let Some(socket) = io.socket else { return };
        if reset {
            calls[Syscall::Option] += 1;
            // Fails on Unix sockets, which know no reset.
            let _ = sockopt::set_socket_linger(&socket, Some(Duration::ZERO));
        }
        self.ring.close(socket.into_raw_fd());
    }

    fn local_addr(&self, io: &Io) -> Option<Endpoint> {
        socket::local_addr(io.socket.as_ref()?)
    }

    #[inline]
    fn submit(net: &mut Net<Self>) {
        // What was cut short has its poll submitted too, or a foreign loop would sleep over it.
        while net.interface.ring.has_entries() {
            net.interface
                .ring
                .submit(&mut net.core.stats.syscalls[Syscall::Wait]);
            if !net.interface.ring.unsent.is_empty() {
                turn::account_unsent(net);
            }
        }
    }

    fn has_events(&self) -> bool {
        // A wait of ours finds by itself what the kernel has put off; a foreign loop's does not.
        let put_off = self.signalled.get() && self.ring.may_have_more();
        put_off || self.ring.has_events() || !self.ring.unsent.is_empty()
    }

    fn wait(
        engine: &mut Engine<Self>,
        sink: &mut impl Sink<Net<Self>>,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        turn::wait(engine, sink, timeout)
    }

    fn serve(engine: &mut Engine<Self>, sink: &mut impl Sink<Net<Self>>, conn: Conn) {
        receive::serve(engine, sink, conn);
    }
}

impl UringInterface {
    /// Asks to be told when the socket can be written, or a dial is answered.
    pub(super) fn poll_writable(&mut self, io: &mut Io) {
        if let (Some(socket), Some(id), false) = (&io.socket, io.id, io.polled) {
            io.polled = true;
            let entry = poll(socket.as_fd(), PollFlags::OUT).build();
            self.ring.start(entry, id, kind::WRITABLE);
        }
    }

    /// Asks to be told when there is something to read directly.
    pub(super) fn poll_readable(&mut self, io: &mut Io) {
        if let (Some(socket), Some(id), false) = (&io.socket, io.id, io.polled_in) {
            io.polled_in = true;
            let entry = poll(socket.as_fd(), PollFlags::IN).build();
            self.ring.start(entry, id, kind::READABLE);
        }
    }

    /// Asks to be told when a socket whose peer has finished fails, or has nothing more to do. Again and again, since the
    /// first report comes at once: the kernel adds the peer's end, which is there already, to whatever is asked for.
    pub(super) fn poll_hangup(&mut self, io: &Io) {
        if let (Some(socket), Some(id)) = (&io.socket, io.id) {
            let entry = poll(socket.as_fd(), PollFlags::empty()).multi(true).build();
            self.ring.start(entry, id, kind::HANGUP);
        }
    }

    pub(super) fn poll_wake(&mut self) {
        let entry = poll(self.wake_fd(), PollFlags::IN).multi(true).build();
        self.ring.start_own(entry, kind::WAKE);
    }
}

fn poll(fd: BorrowedFd<'_>, what: PollFlags) -> opcode::PollAdd {
    opcode::PollAdd::new(types::Fd(fd.as_raw_fd()), u32::from(what.bits()))
}

/// Readable when a turn has something to deliver. The ring's own descriptor would not do: what the kernel has put off until
/// we ask for it does not make that readable.
impl AsFd for UringInterface {
    fn as_fd(&self) -> BorrowedFd<'_> {
        if !self.signalled.replace(true) {
            // What came before is signalled by us.
            let ready = rustix::io::write(&self.signal, &1u64.to_ne_bytes()).map_err(io::Error::from);
            if let Err(error) = self.ring.signal(self.signal.as_raw_fd()).and(ready) {
                tracing::error!(%error, "completions cannot be signalled to a foreign loop");
            }
        }
        self.signal.as_fd()
    }
}

//! What a protocol implements.

use crate::endpoint::Endpoint;
use crate::id::{Conn, Listener};
use crate::net::SockMan;
use crate::reason::{Closed, DialError, Disconnect};
use bytes::Bytes;
use std::time::Duration;

/// Where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The key given with the listener, the dial or the adoption.
    pub key: u64,
    /// Which of the three it was.
    pub how: OriginKind,
    /// Who is at the other end.
    pub peer: Endpoint,
}

/// The three ways in which a connection comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// A peer dialled our listener.
    Accepted(Listener),
    /// We dialled.
    Dialed,
    /// The socket was handed to us connected.
    Adopted,
}

/// A protocol.
///
/// Written against [`SockMan`] and run by a [`Driver`](crate::Driver) over any backend. For each connection the calls
/// are: `open` once, then any of `received`, `posted`, `drained`, `eof` (once) and `deadline`, then `closed` once, and
/// nothing after it. After [`disconnect`](SockMan::disconnect) only `closed` follows. A connection that is
/// [paused](SockMan::pause) gets no `received`, no `eof`, and no `closed` of the peer's doing, until it is resumed.
///
/// What callbacks send leaves when the callback returns. Nothing a handler does re-enters it: closings that it causes
/// are reported after it has returned.
///
/// ```
/// use sockman::{Conn, Handler, Origin, SockMan};
///
/// struct Echo;
///
/// impl Handler for Echo {
///     type Session = ();
///
///     fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
///         Some(())
///     }
///
///     fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
///         // A peer that does not read its echoes is not read from either.
///         if net.send(conn, data).is_ok_and(|sent| sent.is_high()) {
///             net.pause(conn);
///         }
///         data.len()
///     }
///
///     fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
///         net.resume(conn);
///     }
/// }
/// ```
pub trait Handler {
    /// A connection's state, touched only by its own connection's callbacks. State that others must reach lives in a
    /// [`ConnMap`](crate::ConnMap).
    type Session;

    /// A connection is there. `None` refuses it: it is closed once what was sent here has been tried, without `closed`.
    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<Self::Session>;

    /// Bytes are there: `data` is everything unread, in order, in one piece, and may be changed in place.
    ///
    /// Returns how many bytes from the front were consumed (above the length means all). The rest comes back in front
    /// of the next bytes; it is not offered again before more has come or [`resume`](SockMan::resume) is called.
    fn received<S: SockMan>(
        &mut self,
        net: &mut S,
        conn: Conn,
        session: &mut Self::Session,
        data: &mut [u8],
    ) -> usize;

    /// Bytes that [`SockMan::post`] or [`Remote::post`](crate::Remote::post) handed to this connection. By default they
    /// are sent as they are; a protocol that frames or encrypts does so here.
    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut Self::Session, data: Bytes) {
        let _ = session;
        // Gone means that `closed` is on its way; there is nobody to tell.
        let _ = net.send_bytes(conn, data);
    }

    /// The send queue, which had crossed the high-water mark, is below the low-water mark again.
    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut Self::Session) {
        let _ = (net, conn, session);
    }

    /// The peer has finished sending. All its bytes were offered to `received` before; `unread` are those that were
    /// not consumed, offered for the last time. We may still send. By default: disconnect once the queue is sent.
    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut Self::Session, unread: &mut [u8]) {
        let _ = (session, unread);
        net.disconnect(conn, Disconnect::flush());
    }

    /// The connection's [deadline](SockMan::set_deadline) has passed. By default: disconnect at once.
    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut Self::Session) {
        let _ = session;
        net.disconnect(conn, Disconnect::Now);
    }

    /// A timer that [`SockMan::set_timer`] set has fired.
    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        let _ = (net, key);
    }

    /// [`Remote::wake`](crate::Remote::wake) was called, once or several times since the last `woken`.
    fn woken<S: SockMan>(&mut self, net: &mut S) {
        let _ = net;
    }

    /// A [dial](SockMan::dial) came to nothing.
    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        let _ = (net, key, why);
    }

    /// The connection is closed and its id dead. Called once for each connection that `open` took.
    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: Self::Session, why: Closed) {
        let _ = (net, conn, session, why);
    }

    /// The loop is asked to stop within `within`. By default everything is [shut down](SockMan::shut_down); a protocol
    /// that has requests in flight may instead stop listening, finish them, and disconnect each connection itself. What
    /// is left after the limit is closed with [`Closed::Stopped`].
    fn stopping<S: SockMan>(&mut self, net: &mut S, within: Duration) {
        net.shut_down(within);
    }
}

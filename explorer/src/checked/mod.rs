//! Sees that the contract is kept, whatever the protocol.
//!
//! - this file: [`Checked`], the handler around another
//! - `book`: what is known of each connection, and the rules
//! - `watched`: the `SockMan` that the inner handler is given, which notes what it asks for
//! - `turns`: [`Turns`], what holds of every turn of a loop
//! - `fates`: what became of connections, for whoever is at their other end

mod book;
mod fates;
#[cfg(test)]
mod tests;
mod turns;
mod watched;

pub use fates::{Fate, Fates};
pub use turns::Turns;
pub use watched::Watched;

use book::Book;
use sockman::{Bytes, Closed, Config, Conn, DialError, Handler, Origin, SockMan};
use sockman_backends::sim::Network;
use std::time::Duration;

/// A handler around another that checks each callback against what the inner handler asked for, and panics where the
/// contract is broken.
///
/// It notes by itself what has been paused, ended, sent, dialled and timed, and does not take the loop's word for it. So
/// everything has to go through it: what is done from outside callbacks by [`Checked::with`], and of a `Remote`'s commands
/// only posts, wakes and disconnections are allowed for. Callbacks are noted in the network's trace.
pub struct Checked<H> {
    handler: H,
    book: Book,
}

/// A session, and whose it is.
#[derive(Debug)]
pub struct Life<T> {
    session: T,
    conn: Conn,
}

impl<H: Handler> Checked<H> {
    /// Around `handler`, on a loop with these settings; in the trace it has this name.
    pub fn new(handler: H, name: &'static str, config: &Config, network: &Network) -> Self {
        Checked {
            handler,
            book: Book::new(name, config, network),
        }
    }

    /// Tells what becomes of its ends of connections, and checks it against what became of the other ends.
    #[must_use]
    pub fn between(mut self, own: &Fates, other: &Fates) -> Self {
        self.book.own = own.clone();
        self.book.other = Some(other.clone());
        self
    }

    /// The inner handler.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// How much has happened: callbacks, and operations that the inner handler asked for.
    pub fn activity(&self) -> u64 {
        self.book.callbacks + self.book.operations
    }

    /// Connections that were opened.
    pub fn opened(&self) -> u64 {
        self.book.opened
    }

    /// Gives access to the inner handler and the operations, outside callbacks.
    pub fn with<S: SockMan, R>(
        &mut self,
        net: &mut S,
        work: impl FnOnce(&mut H, &mut Watched<'_, S>) -> R,
    ) -> R {
        let Checked { handler, book } = self;
        work(handler, &mut Watched { net, book })
    }

    /// A remote is asked to disconnect it.
    pub fn expect_disconnect(&self, conn: Conn) {
        self.book.expect_disconnect(conn);
    }

    /// After a turn: nothing that was due has been left undone.
    pub fn after_turn<S: SockMan>(&self, net: &S) {
        self.book.after_turn(net);
    }

    /// At the end, when every connection should have been closed and every dial answered.
    pub fn finish(&self) {
        self.book.finish();
    }
}

impl<H: Handler> Handler for Checked<H> {
    type Session = Life<H::Session>;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<Self::Session> {
        let Checked { handler, book } = self;
        book.open(net, conn, origin);
        let session = handler.open(&mut Watched { net, book }, conn, origin);
        if session.is_none() {
            book.refused(conn);
        }
        session.map(|session| Life { session, conn })
    }

    fn received<S: SockMan>(
        &mut self,
        net: &mut S,
        conn: Conn,
        life: &mut Self::Session,
        data: &mut [u8],
    ) -> usize {
        let Checked { handler, book } = self;
        book.received(net, conn, life.conn, data);
        let consumed = handler.received(&mut Watched { net, book }, conn, &mut life.session, data);
        book.left(conn, data.len(), &data[consumed.min(data.len())..]);
        consumed
    }

    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Self::Session, data: Bytes) {
        let Checked { handler, book } = self;
        book.callback(net, conn, life.conn, "posted");
        handler.posted(&mut Watched { net, book }, conn, &mut life.session, data);
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Self::Session) {
        let Checked { handler, book } = self;
        book.drained(net, conn, life.conn);
        handler.drained(&mut Watched { net, book }, conn, &mut life.session);
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Self::Session, unread: &mut [u8]) {
        let Checked { handler, book } = self;
        book.eof(net, conn, life.conn, unread);
        handler.eof(&mut Watched { net, book }, conn, &mut life.session, unread);
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Self::Session) {
        let Checked { handler, book } = self;
        book.deadline(net, conn, life.conn);
        handler.deadline(&mut Watched { net, book }, conn, &mut life.session);
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        let Checked { handler, book } = self;
        book.timer(net, key);
        handler.timer(&mut Watched { net, book }, key);
    }

    fn woken<S: SockMan>(&mut self, net: &mut S) {
        let Checked { handler, book } = self;
        book.note(None, "woken", 0);
        handler.woken(&mut Watched { net, book });
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        let Checked { handler, book } = self;
        book.note(None, "dial_failed", key);
        book.dialled(key, "dial_failed");
        handler.dial_failed(&mut Watched { net, book }, key, why);
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: Self::Session, why: Closed) {
        let Checked { handler, book } = self;
        book.closed(net, conn, life.conn, &why);
        book.forget(conn, why.name());
        handler.closed(&mut Watched { net, book }, conn, life.session, why);
    }

    fn stopping<S: SockMan>(&mut self, net: &mut S, within: Duration) {
        let Checked { handler, book } = self;
        book.note(None, "stopping", 0);
        handler.stopping(&mut Watched { net, book }, within);
    }
}

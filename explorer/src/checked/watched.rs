//! What the inner handler is given.

use super::book::Book;
use sockman::{
    Bytes, Conn, DialOptions, Disconnect, Endpoint, Gone, Sent, SockMan, Timer, WantError, Wrapper,
};
use std::io;
use std::time::{Duration, Instant};

/// Notes what is asked for, and checks what is answered.
pub struct Watched<'a, S> {
    pub(super) net: &'a mut S,
    pub(super) book: &'a mut Book,
}

impl<S: SockMan> Watched<'_, S> {
    fn queued(&self, conn: Conn) -> usize {
        self.net.info(conn).map_or(0, |info| info.queued)
    }
}

impl<S: SockMan> Wrapper for Watched<'_, S> {
    type Inner = S;

    fn inner(&self) -> &S {
        self.net
    }

    fn inner_mut(&mut self) -> &mut S {
        self.net
    }

    fn dial(&mut self, to: &Endpoint, how: &DialOptions) -> io::Result<Conn> {
        let conn = self.net.dial(to, how)?;
        self.book.dials(how.key);
        Ok(conn)
    }

    fn send(&mut self, conn: Conn, data: &[u8]) -> Result<Sent, Gone> {
        let before = self.queued(conn);
        let sent = self.net.send(conn, data);
        self.book.sent(conn, before, data.len(), sent);
        sent
    }

    fn send_bytes(&mut self, conn: Conn, data: Bytes) -> Result<Sent, Gone> {
        let (before, count) = (self.queued(conn), data.len());
        let sent = self.net.send_bytes(conn, data);
        self.book.sent(conn, before, count, sent);
        sent
    }

    fn disconnect(&mut self, conn: Conn, how: Disconnect) {
        self.book.disconnects(self.net, conn, how);
        self.net.disconnect(conn, how);
        assert!(!self.net.is_open(conn), "{conn} is open after disconnect");
    }

    fn finish(&mut self, conn: Conn) {
        self.book.finishes(conn);
        self.net.finish(conn);
    }

    fn pause(&mut self, conn: Conn) {
        self.book.pauses(conn, true);
        self.net.pause(conn);
    }

    fn resume(&mut self, conn: Conn) {
        self.book.pauses(conn, false);
        self.net.resume(conn);
    }

    fn want(&mut self, conn: Conn, unread: usize) -> Result<(), WantError> {
        let answer = self.net.want(conn, unread);
        self.book.wants(conn, unread, answer);
        answer
    }

    fn set_deadline(&mut self, conn: Conn, at: Option<Instant>) {
        self.book.sets_deadline(self.net, conn, at);
        self.net.set_deadline(conn, at);
    }

    fn set_timer(&mut self, at: Instant, key: u64) -> Timer {
        let timer = self.net.set_timer(at, key);
        self.book.sets_timer(self.net, timer, at, key);
        timer
    }

    fn cancel(&mut self, timer: Timer) {
        self.book.cancels(timer);
        self.net.cancel(timer);
    }

    fn shut_down(&mut self, within: Duration) {
        self.book.shuts_down(self.net, within);
        self.net.shut_down(within);
    }
}

//! The handler of the server.

use sockman::{Bytes, Closed, Conn, Disconnect, Handler, Origin, SockMan};
use sockman_node::Echo;
use std::time::Duration;

/// What a late server says after the end of its client.
pub(super) const LAST: &[u8] = b"and that was all of it";

/// The handler of `sockman echo` as it is; or one that has a last word for clients that have finished, a while later: after
/// the peer's end we may still send.
pub(super) struct Server {
    pub(super) echo: Echo,
    /// How long after the end the last word comes, if it comes.
    pub(super) late: Option<Duration>,
}

/// Of a connection: whether its peer has finished.
pub(super) type Finished = bool;

impl Handler for Server {
    type Session = Finished;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<Finished> {
        self.echo.open(net, conn, origin).map(|()| false)
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut Finished, data: &mut [u8]) -> usize {
        self.echo.received(net, conn, &mut (), data)
    }

    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut Finished, data: Bytes) {
        self.echo.posted(net, conn, &mut (), data);
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut Finished) {
        self.echo.drained(net, conn, &mut ());
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, finished: &mut Finished, unread: &mut [u8]) {
        match self.late {
            None => self.echo.eof(net, conn, &mut (), unread),
            Some(late) => {
                *finished = true;
                net.set_deadline(conn, Some(net.now() + late));
            }
        }
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, finished: &mut Finished) {
        if *finished {
            let _ = net.send(conn, LAST);
            net.disconnect(conn, Disconnect::flush());
        } else {
            self.echo.deadline(net, conn, &mut ());
        }
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: Finished, why: Closed) {
        self.echo.closed(net, conn, (), why);
    }
}

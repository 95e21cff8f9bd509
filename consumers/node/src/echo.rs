//! The echo server.

use sockman_backends::sockman::{Conn, Handler, Origin, Sent, SockMan};
use std::time::Duration;

/// Sends back what it receives.
///
/// It stops reading from a peer that does not read its echoes, so that it never holds more than the high-water mark for
/// one. When the peer has finished, what is queued is still sent ([`Handler::eof`]'s default).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Echo {
    /// Closes a connection on which nothing has moved, in either direction, for this long.
    pub idle_timeout: Option<Duration>,
}

impl Echo {
    /// Something has moved: the connection may be idle for another while.
    #[inline]
    fn moved<S: SockMan>(&self, net: &mut S, conn: Conn) {
        if let Some(idle) = self.idle_timeout {
            net.set_deadline(conn, net.now().checked_add(idle));
        }
    }
}

impl Handler for Echo {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &Origin) -> Option<()> {
        self.moved(net, conn);
        Some(())
    }

    #[inline]
    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        self.moved(net, conn);
        if net.send(conn, data).is_ok_and(Sent::is_high) {
            net.pause(conn);
        }
        data.len()
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        self.moved(net, conn);
        net.resume(conn);
    }
}

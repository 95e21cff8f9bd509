//! The handler that every backend serves.

use sockman::{Conn, Handler, Origin, Sent, SockMan};

/// Sends back what it receives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl Handler for Echo {
    type Session = ();

    #[inline]
    fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
        Some(())
    }

    #[inline]
    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        // A peer that does not read its echoes is not read from either.
        if net.send(conn, data).is_ok_and(Sent::is_high) {
            net.pause(conn);
        }
        data.len()
    }

    #[inline]
    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        net.resume(conn);
    }
}

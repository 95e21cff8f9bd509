//! An echo server whose handler is behind a trait object: what this project does without.
//!
//! `Handler` has generic methods, so it cannot be a trait object itself; the object-safe pair `DynHandler` and
//! `DynSockMan` stands between. The test `no_vtables` looks for their vtables in this program, and so shows that it would
//! find one in `sockman`.

use sockman_backends::DefaultBackend;
use sockman_backends::sockman::{
    Config, Conn, Driver, Endpoint, Handler, ListenOptions, Origin, Sent, SockMan,
};

/// The operations that the handler uses.
trait DynSockMan {
    /// Sends, and tells whether the high-water mark was crossed.
    fn send(&mut self, conn: Conn, data: &[u8]) -> bool;
    fn pause(&mut self, conn: Conn);
    fn resume(&mut self, conn: Conn);
}

impl<S: SockMan> DynSockMan for S {
    fn send(&mut self, conn: Conn, data: &[u8]) -> bool {
        SockMan::send(self, conn, data).is_ok_and(Sent::is_high)
    }

    fn pause(&mut self, conn: Conn) {
        SockMan::pause(self, conn);
    }

    fn resume(&mut self, conn: Conn) {
        SockMan::resume(self, conn);
    }
}

/// The callbacks that the handler has.
trait DynHandler {
    fn received(&mut self, net: &mut dyn DynSockMan, conn: Conn, data: &mut [u8]) -> usize;
    fn drained(&mut self, net: &mut dyn DynSockMan, conn: Conn);
}

struct Echo;

impl DynHandler for Echo {
    fn received(&mut self, net: &mut dyn DynSockMan, conn: Conn, data: &mut [u8]) -> usize {
        if net.send(conn, data) {
            net.pause(conn);
        }
        data.len()
    }

    fn drained(&mut self, net: &mut dyn DynSockMan, conn: Conn) {
        net.resume(conn);
    }
}

/// Puts a boxed handler on a loop.
struct Boxed(Box<dyn DynHandler>);

impl Handler for Boxed {
    type Session = ();

    fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
        Some(())
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        self.0.received(net, conn, data)
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        self.0.drained(net, conn);
    }
}

fn main() -> std::io::Result<()> {
    // Kept from the optimiser, which would see through a box whose content it knows.
    let handler = Boxed(std::hint::black_box(Box::new(Echo)));
    let mut driver = Driver::<DefaultBackend, Boxed>::new(&Config::default(), handler)?;
    let at = Endpoint::Tcp(([127, 0, 0, 1], 7001).into());
    driver.with(|_, net| net.listen(&at, &ListenOptions::default()))?;
    driver.run()
}

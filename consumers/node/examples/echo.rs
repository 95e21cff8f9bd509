//! An echo server: the one in the README.

use sockman_backends::DefaultBackend;
use sockman_backends::sockman::{
    Config, Conn, Driver, Endpoint, Handler, ListenOptions, Origin, Sent, SockMan,
};

struct Echo;

impl Handler for Echo {
    type Session = (); // what a connection remembers: nothing

    fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
        Some(())
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        if net.send(conn, data).is_ok_and(Sent::is_high) {
            net.pause(conn); // the peer does not read: read no more from it either
        }
        data.len() // all of it is consumed
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        net.resume(conn);
    }
}

fn main() -> std::io::Result<()> {
    let mut driver = Driver::<DefaultBackend, Echo>::new(&Config::default(), Echo)?;
    let at = Endpoint::Tcp(([127, 0, 0, 1], 7000).into());
    driver.with(|_, net| net.listen(&at, &ListenOptions::default()))?;
    driver.run()
}

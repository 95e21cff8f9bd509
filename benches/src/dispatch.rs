//! A backend whose turns deliver bytes to random connections without a kernel: what is measured on it is the way from an
//! event to the handler. And the ways that it is compared with.

use crate::random::Random;
use crate::subject::DefaultBackend;
use sockman::bytes::Bytes;
use sockman::{Backend, Config, Conn, Endpoint, Handler, Id, Origin, OriginKind, RawId, Sink, SockMan, Turn};
use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// Events in a turn: as many as a backend takes from the kernel at once.
pub const EVENTS: usize = 1024;

/// Operations are those of a real backend, which knows none of the connections.
type Net = <DefaultBackend as Backend>::SockMan;

/// The backend without a kernel.
pub struct Null {
    inner: DefaultBackend,
    conns: Vec<Conn>,
    opened: bool,
    random: Random,
    data: [u8; 64],
}

impl Null {
    /// With so many connections, opened by the first turn.
    pub fn with(connections: usize) -> io::Result<Null> {
        let conns = (0..connections)
            .filter_map(|slot| RawId::new(Conn::KIND, slot, 1).map(Conn::from_raw))
            .collect();
        Ok(Null {
            inner: DefaultBackend::new(&Config::default())?,
            conns,
            opened: false,
            random: Random(1),
            data: [0; 64],
        })
    }
}

impl Backend for Null {
    const NAME: &'static str = "null";
    type SockMan = Net;

    fn new(_: &Config) -> io::Result<Self> {
        Null::with(1)
    }

    fn sockets(&mut self) -> &mut Net {
        self.inner.sockets()
    }

    fn flush(&mut self) {}

    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn turn(&mut self, sink: &mut impl Sink<Net>, _: Option<Duration>) -> io::Result<Turn> {
        let net = self.inner.sockets();
        if !self.opened {
            let origin = Origin {
                key: 0,
                how: OriginKind::Dialed,
                peer: Endpoint::Tcp((Ipv4Addr::LOCALHOST, 1).into()),
            };
            for conn in &self.conns {
                sink.open(net, *conn, &origin);
            }
            self.opened = true;
        }
        for _ in 0..EVENTS {
            let conn = self.conns[self.random.below(self.conns.len())];
            sink.received(net, conn, &mut self.data);
        }
        Ok(Turn {
            events: EVENTS,
            more: true,
        })
    }
}

/// A handler that does next to nothing: adds up the bytes of each connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum;

impl Handler for Sum {
    type Session = u64;

    fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<u64> {
        Some(0)
    }

    #[inline]
    fn received<S: SockMan>(&mut self, _: &mut S, _: Conn, sum: &mut u64, data: &mut [u8]) -> usize {
        *sum += data.len() as u64;
        data.len()
    }

    fn posted<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &mut u64, _: Bytes) {}
}

/// The same with the sessions looked up in a hash map by the connection, and reached through a trait object: the usual
/// shape of an object-oriented socket manager. Its own `Session` is empty.
#[derive(Default)]
pub struct Mapped(HashMap<Conn, Box<dyn Peer>>);

/// A session behind a trait object.
trait Peer {
    fn received(&mut self, data: &mut [u8]) -> usize;
}

impl Peer for u64 {
    fn received(&mut self, data: &mut [u8]) -> usize {
        *self += data.len() as u64;
        data.len()
    }
}

impl Handler for Mapped {
    type Session = ();

    fn open<S: SockMan>(&mut self, _: &mut S, conn: Conn, _: &Origin) -> Option<()> {
        self.0.insert(conn, Box::new(0_u64));
        Some(())
    }

    #[inline]
    fn received<S: SockMan>(&mut self, _: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        self.0.get_mut(&conn).map_or(0, |peer| peer.received(data))
    }
}

/// The sum again, with the sessions in the handler, as a trait object without type parameters has them: what
/// [`Boxed`](crate::rivals::dynamic::Boxed) and [`Awaited`](crate::rivals::async_trait::Awaited) call.
#[derive(Default)]
pub struct Table(sockman::ConnMap<u64>);

impl Handler for Table {
    type Session = ();

    fn open<S: SockMan>(&mut self, _: &mut S, conn: Conn, _: &Origin) -> Option<()> {
        self.0.insert(conn, 0);
        Some(())
    }

    #[inline]
    fn received<S: SockMan>(&mut self, _: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        if let Some(sum) = self.0.get_mut(conn) {
            *sum += data.len() as u64;
        }
        data.len()
    }
}

#[async_trait::async_trait(?Send)]
impl crate::rivals::async_trait::AsyncHandler for Table {
    async fn opened<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) {
        Handler::open(self, net, conn, origin);
    }

    async fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, data: &mut [u8]) -> usize {
        Handler::received(self, net, conn, &mut (), data)
    }

    async fn drained<S: SockMan>(&mut self, _: &mut S, _: Conn) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rivals::async_trait::Awaited;
    use crate::rivals::dynamic::Boxed;
    use sockman::Driver;

    fn turned<H: Handler>(handler: H) -> Driver<Null, H> {
        let mut driver = Driver::with_backend(Null::with(10).expect("backend"), handler);
        for _ in 0..3 {
            assert_eq!(driver.turn(None).expect("turn").events, EVENTS);
        }
        driver
    }

    #[test]
    fn every_event_reaches_a_session_whichever_way() {
        let all = 3 * EVENTS as u64 * 64;
        let driver = turned(Sum);
        let conns = (0..10).filter_map(|slot| RawId::new(Conn::KIND, slot, 1).map(Conn::from_raw));
        assert_eq!(conns.filter_map(|conn| driver.session(conn)).sum::<u64>(), all);
        let driver = turned(Awaited(Table::default()));
        assert_eq!(driver.handler().0.0.iter().map(|(_, sum)| sum).sum::<u64>(), all);
        assert_eq!(turned(Mapped::default()).handler().0.len(), 10);
        turned(Boxed(Box::new(Table::default())));
    }
}

//! What the loop calls.

use super::client::{Client, Stage};
use super::{Count, Provider};
use crate::mutant::{Mutant, planted};
use crate::source::Source;
use bytes::Bytes;
use sockman::{Closed, Conn, Disconnect, Handler, Origin, SockMan};
use std::time::Duration;
use tracing::debug;

/// The timer for handshakes that wait for their turn.
pub(super) const GREET: u64 = 0;

/// The timer for large answers that wait for their turn.
pub(super) const LARGE: u64 = 2;

/// The timer for templates: there may be better ones, or old ones to forget.
pub(super) const TEMPLATES: u64 = 1;

impl<T: Source> Handler for Provider<T> {
    /// Clients are in a table, where templates find them.
    type Session = ();

    fn open<N: SockMan>(&mut self, net: &mut N, conn: Conn, origin: &Origin) -> Option<()> {
        self.work(net, |doing| {
            let settings = &doing.own.settings;
            if doing.own.stopping || doing.state.clients.len() >= settings.max_clients {
                debug!(peer = %origin.peer, "refused: there is no room");
                doing.count(Count::refused);
                return None;
            }
            let unix = settings.clock.unix(doing.now);
            let client = Client::new(origin.peer.clone(), doing.now, unix, doing.own.number);
            let within = settings.handshake_within;
            doing.state.clients.insert(conn, client);
            doing.net.set_deadline(conn, Some(doing.now + within));
            doing.count(Count::accepted);
            Some(())
        })
    }

    fn received<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        self.work(net, |doing| doing.received(conn, data))
    }

    /// A client goes on that had its share: nothing else is posted.
    fn posted<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut (), _: Bytes) {
        self.work(net, |doing| {
            if let Some(client) = doing.client(conn) {
                client.yielded = false;
                doing.go_on(conn);
            }
        });
    }

    fn drained<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut ()) {
        self.work(net, |doing| {
            if let Some(client) = doing.client(conn) {
                client.high = false;
                if client.stage == Stage::Ready {
                    doing.net.set_deadline(conn, None);
                }
                let is_behind = doing
                    .client(conn)
                    .is_some_and(|client| std::mem::take(&mut client.behind));
                if is_behind && !planted(Mutant::BehindForever) {
                    doing.tell(conn);
                }
                doing.wait_again(conn);
                doing.go_on(conn);
            }
        });
    }

    /// What is unread is no whole frame: a client that has its answers still to take is not read from, and not told of its end.
    fn eof<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut (), _: &mut [u8]) {
        self.work(net, |doing| doing.part(conn, Disconnect::flush()));
    }

    fn deadline<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut ()) {
        self.work(net, |doing| {
            let stage = doing.client(conn).map(|client| client.stage);
            let what = match stage {
                Some(Stage::Hello | Stage::Queued) => Count::handshake_timeouts,
                Some(Stage::Setup) => Count::setup_timeouts,
                _ => Count::send_timeouts,
            };
            doing.fail(conn, what, "it took too long");
        });
    }

    fn timer<N: SockMan>(&mut self, net: &mut N, key: u64) {
        self.work(net, |doing| match key {
            GREET => doing.greet(),
            LARGE => doing.serve_large(),
            _ => doing.review(),
        });
    }

    fn woken<N: SockMan>(&mut self, net: &mut N) {
        self.work(net, |doing| {
            doing.look();
        });
    }

    fn closed<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): (), why: Closed) {
        self.work(net, |doing| {
            if let Some(client) = doing.state.clients.remove(conn) {
                debug!(peer = %client.peer, %why, "closed");
            }
            if planted(Mutant::TurnLost) {
                doing.own.queue.pop_back();
            }
        });
    }

    /// Ours are only our own listeners and clients: others may be on this loop who finish in their own way.
    fn stopping<N: SockMan>(&mut self, net: &mut N, within: Duration) {
        for listener in std::mem::take(&mut self.own.listeners) {
            net.unlisten(listener);
        }
        self.work(net, |doing| {
            doing.own.stopping = true;
            let clients: Vec<Conn> = doing.state.clients.iter().map(|(conn, _)| conn).collect();
            for conn in clients {
                doing.part(conn, Disconnect::Flush { within });
            }
            if let Some((_, timer)) = doing.own.armed.take() {
                doing.net.cancel(timer);
            }
        });
    }
}

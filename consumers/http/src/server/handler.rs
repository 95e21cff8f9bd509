//! What happens to a connection, and what is done then.

use super::counters::Count;
use super::queue::Queue;
use super::state::{Connection, Receiving};
use super::work::{self, Work};
use super::{SPARE_OUTPUT, Server};
use crate::deferred::Mail;
use crate::mutant::{Mutant, planted};
use crate::reply::later;
use crate::service::Service;
use sockman::{Closed, Conn, Endpoint, Handler, Origin, SockMan};
use std::time::Duration;

/// The key of the timer of the last call.
const LAST_CALL: u64 = 1;

impl<V: Service> Server<V> {
    /// Whether there is room for one more connection; counts one that there is not.
    fn has_room(&mut self, peer: &Endpoint) -> bool {
        let counters = &self.common.counters;
        if self
            .settings
            .connections
            .is_some_and(|most| self.connections.len() >= most)
        {
            counters.add(Count::connections_refused);
            return false;
        }
        let (Some(most), Some(address)) = (self.settings.connections_per_address, peer.tcp()) else {
            return true;
        };
        let count = self.addresses.entry(address.ip().to_canonical()).or_default();
        if *count >= most {
            counters.add(Count::address_refused);
            return false;
        }
        *count += 1;
        true
    }

    /// A connection is there no more.
    fn forget(&mut self, peer: &Endpoint) {
        let Some(address) = peer.tcp().map(|at| at.ip().to_canonical()) else {
            return;
        };
        if let Some(count) = self.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
    }

    /// Does `work` for a connection, if it is there and we have not hung up.
    pub(super) fn with<N: SockMan>(
        &mut self,
        net: &mut N,
        conn: Conn,
        work: impl FnOnce(&mut Work<'_, V, N>),
    ) {
        let Some(connection) = self.connections.get_mut(conn) else {
            return;
        };
        if !connection.state.disconnected {
            let shared = (&self.settings, &mut self.common);
            work::with(net, conn, shared, connection, |doing, _| work(doing));
        }
    }
}

impl<V: Service> Handler for Server<V> {
    /// The state is in a map, where answers of other threads find it.
    type Session = ();

    fn open<N: SockMan>(&mut self, net: &mut N, conn: Conn, origin: &Origin) -> Option<()> {
        // After the last call nobody is left to wait for a request.
        if self.common.called || !self.has_room(&origin.peer) {
            return None;
        }
        let counters = &self.common.counters;
        counters.add(Count::connections);
        self.common.mail.get_or_insert_with(|| Mail::new(net.remote()));
        let now = net.now();
        let mut connection = Connection::new(origin.peer.clone(), origin.key, now);
        connection.armed = connection.deadline(&self.settings, now);
        net.set_deadline(conn, connection.armed);
        self.connections.insert(conn, connection);
        Some(())
    }

    #[inline]
    fn received<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        let Some(connection) = self.connections.get_mut(conn) else {
            return data.len();
        };
        if connection.state.last {
            return data.len();
        }
        let shared = (&self.settings, &mut self.common);
        let limits = &self.settings.limits;
        work::with(net, conn, shared, connection, |work, decoder| {
            work.state.moved = work.now;
            let decoded = decoder.decode(data, limits, work);
            match decoded {
                Ok(consumed) if !work.state.last => consumed,
                Ok(_) => data.len(),
                Err(why) => {
                    work.refuse(why, decoder.refuses_head());
                    data.len()
                }
            }
        })
    }

    fn drained<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut ()) {
        if planted(Mutant::DrainedIgnored) {
            return;
        }
        self.with(net, conn, |work| {
            work.state.high = false;
            (work.state.moved, work.state.taken) = (work.now, work.now);
        });
    }

    fn eof<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut (), _: &mut [u8]) {
        // What was complete has been taken up, and is answered before we hang up; the rest never will be.
        self.with(net, conn, |work| {
            if planted(Mutant::EofDrops) {
                work.state.queue = Queue::new();
            }
            work.state.receiving = Receiving::Head;
            work.release();
            work.state.last = true;
        });
    }

    fn deadline<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut ()) {
        if let Some(connection) = self.connections.get_mut(conn) {
            connection.armed = None;
        }
        self.expired(net, conn);
    }

    fn woken<N: SockMan>(&mut self, net: &mut N) {
        let Some(mail) = &self.common.mail else { return };
        let mut messages = std::mem::take(&mut self.messages);
        mail.take(&mut messages);
        for message in messages.drain(..) {
            self.message(net, message);
        }
        self.messages = messages;
        self.common.out.shrink(SPARE_OUTPUT);
    }

    fn closed<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): (), _: Closed) {
        if let Some(mut connection) = self.connections.remove(conn) {
            self.common.counters.add(Count::connections_closed);
            self.common.collected -= connection.state.collected;
            connection.state.queue.abandon(net.now());
            if self.settings.connections_per_address.is_some() {
                self.forget(&connection.state.peer);
            }
        }
        self.common.out.shrink(SPARE_OUTPUT);
    }

    /// What is under way is finished, and the answers say that they are the last. Connections without a request have until
    /// [`Settings::last_call`](super::Settings::last_call) for one that is on its way.
    fn stopping<N: SockMan>(&mut self, net: &mut N, within: Duration) {
        for listener in std::mem::take(&mut self.listeners) {
            net.unlisten(listener);
        }
        self.common.draining = true;
        let call = later(net.now(), self.settings.last_call.min(within / 2));
        self.last_call = Some(self.last_call.map_or(call, |earlier| earlier.min(call)));
        net.set_timer(call, LAST_CALL);
    }

    fn timer<N: SockMan>(&mut self, net: &mut N, _: u64) {
        // From now on, those that have a request hang up after its answer, whatever that has said.
        self.common.called = true;
        for (conn, connection) in self.connections.iter_mut() {
            if connection.is_idle() && !connection.state.disconnected {
                connection.state.last = true;
                let shared = (&self.settings, &mut self.common);
                work::with(net, conn, shared, connection, |_, _| ());
            }
        }
    }
}

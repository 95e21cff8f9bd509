//! What the loop calls.

use super::{Node, Work};
use crate::state::Phase;
use crate::store::Store;
use sockman::{Closed, Conn, DialError, Disconnect, Handler, Origin, OriginKind, SockMan};
use std::time::{Duration, Instant};

/// The timer for what is to be done later: dialling, announcing, asking a second peer.
const TIMER: u64 = 0;

/// The timer for those whose requests wait for the next turn.
pub(super) const SERVE: u64 = 1;

impl<D: Store> Handler for Node<D> {
    /// Peers are in a table, where one finds the others.
    type Session = ();

    fn open<N: SockMan>(&mut self, net: &mut N, conn: Conn, origin: &Origin) -> Option<()> {
        self.work(net, |work| match origin.how {
            OriginKind::Accepted(_) | OriginKind::Adopted => work.accepted(conn, origin),
            OriginKind::Dialed => work.dialled(conn, origin),
        })
    }

    fn received<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        self.work(net, |work| work.messages(conn, data))
    }

    fn drained<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut ()) {
        self.work(net, |work| work.drained(conn));
    }

    /// A peer that has finished sending gets what is queued for it, and no more.
    fn eof<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut (), _: &mut [u8]) {
        self.work(net, |work| work.part(conn, Disconnect::flush()));
    }

    fn deadline<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): &mut ()) {
        self.work(net, |work| work.expired(conn));
    }

    fn timer<N: SockMan>(&mut self, net: &mut N, key: u64) {
        if key == TIMER {
            self.own.armed = None;
        }
        self.work(net, |work| {
            if key == SERVE {
                return work.serve_waiting();
            }
            work.dial_due();
            work.hedge();
        });
    }

    fn woken<N: SockMan>(&mut self, net: &mut N) {
        self.work(net, |work| {
            work.store_ready();
            while let Some(command) = work.state.commands.pop_front() {
                work.command(command);
            }
            if std::mem::take(&mut work.state.ask) {
                work.ask_everybody();
            }
            work.dial_due();
        });
    }

    fn dial_failed<N: SockMan>(&mut self, net: &mut N, key: u64, why: DialError) {
        self.work(net, |work| work.dial_failed(key, &why));
    }

    fn closed<N: SockMan>(&mut self, net: &mut N, conn: Conn, (): (), why: Closed) {
        self.work(net, |work| work.closed(conn, &why));
    }

    /// Ours are only our own listeners, dials and peers: others may be on this loop who finish in their own way.
    fn stopping<N: SockMan>(&mut self, net: &mut N, within: Duration) {
        for listener in std::mem::take(&mut self.own.listeners) {
            net.unlisten(listener);
        }
        self.work(net, |work| work.stop(within));
    }
}

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// What every callback ends with: a new tip is announced, and the timer is set for what comes next.
    pub(super) fn finish(&mut self) {
        if self.state.fresh {
            self.announce();
        }
        if self.state.stopping {
            return;
        }
        let announce = self.announce_at();
        let dial = self.state.targets.next_due();
        let next = [announce, dial, self.own.hedge_at].into_iter().flatten().min();
        self.arm(next);
    }

    /// Hangs up on all, once they have taken what they were sent.
    fn stop(&mut self, within: Duration) {
        self.state.stopping = true;
        self.tell_waiters();
        let dials = self.state.targets.iter().filter_map(|target| match target.phase {
            Phase::Dialling(conn) => Some(conn),
            _ => None,
        });
        let dials: Vec<Conn> = dials.collect();
        for conn in dials {
            self.net.disconnect(conn, Disconnect::Now);
        }
        let peers: Vec<Conn> = self.state.peers.iter().map(|(conn, _)| conn).collect();
        for conn in peers {
            self.part(conn, Disconnect::Flush { within });
        }
        if let Some((_, timer)) = self.own.armed.take() {
            self.net.cancel(timer);
        }
    }

    fn arm(&mut self, next: Option<Instant>) {
        let Some(next) = next else { return };
        match self.own.armed {
            // It will be looked at again then; that is early enough.
            Some((at, _)) if at <= next => return,
            Some((_, timer)) => self.net.cancel(timer),
            None => {}
        }
        self.own.armed = Some((next, self.net.set_timer(next, TIMER)));
    }

    /// Something happened that other threads may wait for.
    pub(super) fn tell_waiters(&self) {
        self.shared.tell_waiters();
    }
}

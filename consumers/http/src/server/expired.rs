//! What is done when a deadline has passed.

use super::Server;
use super::counters::Count;
use super::state::Unsent;
use super::work::Work;
use crate::service::Service;
use http::StatusCode;
use sockman::{Conn, Disconnect, SockMan};
use std::time::Instant;

impl<V: Service> Server<V> {
    /// A connection's deadline has passed: one of several.
    pub(super) fn expired<N: SockMan>(&mut self, net: &mut N, conn: Conn) {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself is not general enough"
        )]
        self.with(net, conn, |work| work.expired());
    }
}

impl<V: Service, N: SockMan> Work<'_, V, N> {
    fn expired(&mut self) {
        let (now, settings) = (self.now, self.settings);
        let since = |at: Instant| now.saturating_duration_since(at);
        if self
            .state
            .head_begun
            .is_some_and(|begun| since(begun) >= settings.head_within)
        {
            self.common.counters.add(Count::head_timeouts);
            self.give_up(StatusCode::REQUEST_TIMEOUT, "the head took too long", false);
            return;
        }
        if let Some((begun, bytes)) = self.state.period
            && since(begun) >= settings.body_stall
        {
            if self.state.body_bytes - bytes < settings.body_least {
                self.common.counters.add(Count::body_timeouts);
                self.give_up(StatusCode::REQUEST_TIMEOUT, "the body took too long", false);
                return;
            }
            self.state.period = Some((now, self.state.body_bytes));
        }
        if let Some(within) = settings.answer_within
            && let Some(before) = now.checked_sub(within)
        {
            for exchange in self.state.queue.waiting_since(before) {
                self.common.counters.add(Count::answer_timeouts);
                self.fail(
                    exchange,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the answer took too long",
                );
            }
        }
        if self.state.unsent != Unsent::No
            && !self.state.finished
            && since(self.state.looked.0) >= settings.look()
        {
            self.look();
        }
        if self.state.is_idle() && !self.state.finished && since(self.state.moved) >= settings.idle {
            self.common.counters.add(Count::idle_closes);
            self.state.last = true;
        }
    }

    /// Looks whether the client takes what is queued for it.
    pub(super) fn look(&mut self) {
        let Some(info) = self.net.info(self.conn) else {
            return;
        };
        let (now, state) = (self.now, &mut *self.state);
        let has_taken = info.bytes_out != state.looked.1;
        state.looked = (now, info.bytes_out);
        state.looks = state.looks.saturating_add(1);
        if has_taken {
            state.taken = now;
        }
        if has_taken && state.unsent == Unsent::Yes {
            state.moved = now;
        }
        if info.queued == 0 {
            state.unsent = Unsent::No;
            return;
        }
        state.unsent = Unsent::Yes;
        if now.saturating_duration_since(state.taken) >= self.settings.response_stall {
            self.common.counters.add(Count::response_stalls);
            self.disconnect(Disconnect::Reset);
        }
    }
}

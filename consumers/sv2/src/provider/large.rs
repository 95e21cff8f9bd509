//! Answers that take turns: those with many transactions, each of which takes milliseconds to encrypt.
//!
//! They are given in the order in which they were asked for, so many bytes a turn ([`Settings::turn`](crate::Settings::turn)), and
//! whoever waits for one is not read from. All others are answered meanwhile.

use super::Doing;
use super::client::Stage;
use super::handler::LARGE;
use crate::source::Source;
use sockman::{Conn, SockMan};
use std::collections::VecDeque;

/// Who waits for a large answer, and what was sent of them since the timer last fired.
#[derive(Default)]
pub(super) struct Large {
    waiting: VecDeque<Conn>,
    sent: usize,
    /// Whether the timer is set: it fires in the next turn.
    armed: bool,
}

impl<T: Source, N: SockMan> Doing<'_, T, N> {
    /// A client asks for what is large. Gives what that took of its share: nothing, if it has to wait.
    pub(super) fn ask_large(&mut self, conn: Conn, template: u64) -> usize {
        if self.own.large.waiting.is_empty() && self.has_room() {
            return self.answer_large(conn, template);
        }
        if let Some(client) = self.client(conn) {
            client.asked = Some(template);
            self.own.large.waiting.push_back(conn);
            self.next_turn();
        }
        0
    }

    /// A client that waits for a large answer has taken what it was sent before.
    pub(super) fn wait_again(&mut self, conn: Conn) {
        self.own.large.waiting.push_back(conn);
        self.next_turn();
    }

    /// The timer: a turn has gone by.
    pub(super) fn serve_large(&mut self) {
        self.own.large.armed = false;
        self.own.large.sent = 0;
        while self.has_room()
            && let Some(conn) = self.own.large.waiting.pop_front()
        {
            let Some(client) = self.state.clients.get_mut(conn) else {
                continue;
            };
            // Who has still to take something comes back when it has.
            if client.high || client.stage != Stage::Ready {
                continue;
            }
            if let Some(template) = client.asked.take() {
                self.answer_large(conn, template);
                self.go_on(conn);
            }
        }
        if !self.own.large.waiting.is_empty() {
            self.next_turn();
        }
    }

    fn has_room(&self) -> bool {
        self.own.large.sent < self.own.settings.turn.max(1)
    }

    fn answer_large(&mut self, conn: Conn, template: u64) -> usize {
        let sent = self.answer_data(conn, template);
        self.own.large.sent += sent;
        self.next_turn();
        sent
    }

    fn next_turn(&mut self) {
        if !self.own.stopping && !std::mem::replace(&mut self.own.large.armed, true) {
            self.net.set_timer(self.now, LARGE);
        }
    }
}

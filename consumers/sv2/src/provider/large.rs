//! Answers that take turns: those with many transactions, each of which takes milliseconds to encrypt.
//!
//! They are given in the order in which they were asked for, so many bytes a turn ([`Settings::turn`](crate::Settings::turn)), and
//! whoever waits for one is not read from. All others are answered meanwhile.

use super::client::Stage;
use super::handler::LARGE;
use super::{Count, Doing};
use crate::mutant::{Mutant, planted};
use crate::source::Source;
use sockman::{Conn, SockMan};

impl<T: Source, N: SockMan> Doing<'_, T, N> {
    /// A client asks for what is large. Gives what that took of its share: nothing, if it has to wait.
    pub(super) fn ask_large(&mut self, conn: Conn, template: u64) -> usize {
        let turn = self.net.stats().turns;
        if self.own.turns.is_free(turn) || planted(Mutant::LargeAtOnce) {
            return self.answer_large(conn, template);
        }
        if let Some(client) = self.client(conn) {
            client.asked = Some(template);
            self.wait_for_turn(conn);
        }
        0
    }

    /// A client that waits for a large answer has taken what it was sent before.
    pub(super) fn wait_again(&mut self, conn: Conn) {
        let waits = self.client(conn).is_some_and(|client| client.asked.is_some());
        if waits {
            self.wait_for_turn(conn);
        }
    }

    /// The timer: a turn has gone by.
    pub(super) fn serve_large(&mut self) {
        self.own.turns.begin(self.net.stats().turns);
        while let Some(conn) = self.own.turns.pop() {
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
        if self.own.turns.end() {
            self.net.set_timer(self.now, LARGE);
        }
    }

    fn answer_large(&mut self, conn: Conn, template: u64) -> usize {
        let sent = self.answer_data(conn, template);
        if sent > self.own.settings.share {
            self.count(Count::data_large);
        }
        self.own.turns.spend(sent);
        sent
    }

    fn wait_for_turn(&mut self, conn: Conn) {
        if self.own.turns.wait(conn, self.net.stats().turns) {
            self.net.set_timer(self.now, LARGE);
        }
    }
}

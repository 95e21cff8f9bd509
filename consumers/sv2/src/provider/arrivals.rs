//! Handshakes, and what a client says first.

use super::client::Stage;
use super::handler::GREET;
use super::{Count, Doing};
use crate::mutant::{Mutant, planted};
use crate::source::Source;
use crate::wire::{HELLO, Message, Setup, TEMPLATE_DISTRIBUTION, respond};
use sockman::{Conn, Disconnect, SockMan};
use tracing::debug;

/// The version of the protocol that we speak (specification, 3.6).
const VERSION: u16 = 2;

impl<T: Source, N: SockMan> Doing<'_, T, N> {
    /// A client's key is there: it waits for its turn. Nothing else is read from it meanwhile.
    pub(super) fn hello(&mut self, conn: Conn, hello: [u8; HELLO]) {
        if let Some(client) = self.client(conn) {
            client.hello = hello;
            client.stage = Stage::Queued;
            self.net.pause(conn);
            self.own.queue.push_back(conn);
            self.greet_later();
        }
    }

    fn greet_later(&mut self) {
        if !std::mem::replace(&mut self.own.greeting, true) {
            self.net.set_timer(self.now, GREET);
        }
    }

    /// Answers some of those who wait: others have their turn before the next.
    pub(super) fn greet(&mut self) {
        self.own.greeting = false;
        let mut left = match self.own.settings.handshakes.max(1) {
            _ if planted(Mutant::AllAtOnce) => usize::MAX,
            some => some,
        };
        while left > 0
            && let Some(conn) = self.own.queue.pop_front()
        {
            left -= usize::from(self.answer(conn));
        }
        if !self.own.queue.is_empty() {
            self.greet_later();
        }
    }

    /// Answers a client, if it is still there.
    fn answer(&mut self, conn: Conn) -> bool {
        let Some(client) = self.state.clients.get_mut(conn) else {
            return false;
        };
        if client.stage != Stage::Queued {
            return false;
        }
        let own = &mut *self.own;
        let now = own.settings.clock.unix(self.now);
        let answered = respond(
            &own.authority,
            client.hello,
            own.settings.certificate,
            now,
            &mut own.chance,
        );
        match answered {
            Ok((reply, transport)) => {
                client.transport = Some(transport);
                client.stage = Stage::Setup;
                // Gone means that `closed` is on its way.
                let _ = self.net.send(conn, &reply);
                let within = own.settings.setup_within;
                self.net.set_deadline(conn, Some(self.now + within));
                self.count(Count::handshakes);
                self.net.resume(conn);
            }
            Err(why) => self.fail(conn, Count::undecryptable, &why.to_string()),
        }
        true
    }

    /// A client has said what it speaks. If that is not what we do, it is told why, and hung up on.
    pub(super) fn setup(&mut self, conn: Conn, setup: Setup) {
        let (flags, code) = if setup.protocol != TEMPLATE_DISTRIBUTION {
            (0, "unsupported-protocol")
        } else if !(setup.min_version..=setup.max_version).contains(&VERSION) {
            (0, "protocol-version-mismatch")
        } else if setup.flags != 0 {
            // There are none in this protocol.
            (setup.flags, "unsupported-feature-flags")
        } else {
            return self.agree(conn, setup);
        };
        self.count(Count::setup_errors);
        if let Some(client) = self.client(conn) {
            debug!(peer = %client.peer, code, "refused");
        }
        let code = code.to_owned();
        if !planted(Mutant::ErrorLost) {
            self.send(conn, &Message::SetupConnectionError { flags, code });
        }
        let within = self.own.settings.setup_within;
        self.part(conn, Disconnect::Flush { within });
    }

    fn agree(&mut self, conn: Conn, setup: Setup) {
        if let Some(client) = self.client(conn) {
            debug!(peer = %client.peer, vendor = %setup.vendor, device = %setup.device, "ready");
            client.stage = Stage::Ready;
            client.setup = Some(setup);
        }
        if !planted(Mutant::DeadlineStays) {
            self.net.set_deadline(conn, None);
        }
        self.count(Count::setups);
        let (version, flags) = (VERSION, 0);
        self.send(conn, &Message::SetupConnectionSuccess { version, flags });
    }
}

//! The server's side of the Template Distribution Protocol.
//!
//! - this file: [`Provider`], and how it is put together; `handler`: what the loop calls
//! - `client`: what is known of a client; `handle`: what other threads may see of it; `counters`: what is counted
//! - `arrivals`: handshakes, and what a client says first
//! - `requests`: what it asks for, and what it hands in; `large`: answers that take turns; `templates`: what it is told

mod arrivals;
mod client;
mod counters;
mod handle;
mod handler;
mod large;
mod requests;
mod templates;

pub use client::Stage;
pub use counters::{Count, Counters};
pub use handle::{ClientInfo, Handle};

use crate::settings::Settings;
use crate::source::Source;
use crate::wire::{Authority, Chance, Encoder, Message, TooLarge, Transport};
use crate::work::Work;
use bytes::Bytes;
use client::Client;
use handle::State;
use sockman::{Conn, Disconnect, Endpoint, Listener, Sent, SockMan, Timer, Turns};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tracing::{debug, warn};

/// A template provider: a [`Handler`](sockman::Handler) that tells its clients what to mine.
pub struct Provider<T> {
    handle: Handle,
    own: Own<T>,
}

/// What is the loop's alone.
struct Own<T> {
    settings: Settings,
    authority: Authority,
    source: T,
    /// What the source gave last.
    latest: Option<Arc<Work>>,
    /// The largest number that a template has had.
    number: u64,
    encoder: Encoder,
    chance: Chance,
    listeners: Vec<Listener>,
    /// Clients that wait for their handshake.
    queue: VecDeque<Conn>,
    /// Whether the timer for them is set.
    greeting: bool,
    /// For large answers.
    turns: Turns,
    /// When the timer for templates is set for, and which it is.
    armed: Option<(Instant, Timer)>,
    stopping: bool,
}

/// What is done during one callback: the state is locked meanwhile.
struct Doing<'a, T, N> {
    state: &'a mut State,
    own: &'a mut Own<T>,
    net: &'a mut N,
    now: Instant,
}

impl<T: Source> Provider<T> {
    /// A provider for whom `authority` vouches, with work from `source`.
    pub fn new(settings: Settings, authority: Authority, source: T) -> Provider<T> {
        Provider {
            handle: Handle(Arc::default()),
            own: Own {
                chance: Chance::new(settings.seed.0),
                turns: Turns::new(settings.turn),
                settings,
                authority,
                source,
                latest: None,
                number: 0,
                encoder: Encoder::default(),
                listeners: Vec::new(),
                queue: VecDeque::new(),
                greeting: false,
                armed: None,
                stopping: false,
            },
        }
    }

    /// Listens for clients. Gives where it listens: with the port that the kernel chose. Fails as [`SockMan::listen`] does.
    pub fn listen<N: SockMan>(&mut self, net: &mut N, at: &Endpoint) -> io::Result<Endpoint> {
        let listener = net.listen(at, &self.own.settings.listen_options())?;
        self.own.listeners.push(listener);
        Ok(net.local_addr(listener).unwrap_or_else(|| at.clone()))
    }

    /// For other threads, and for handlers beside this one.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Where work comes from.
    pub fn source(&self) -> &T {
        &self.own.source
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.own.settings
    }

    /// Does something with the state locked.
    fn work<N: SockMan, R>(&mut self, net: &mut N, work: impl FnOnce(&mut Doing<'_, T, N>) -> R) -> R {
        let mut state = self.handle.lock();
        let now = net.now();
        state.now = Some(now);
        work(&mut Doing {
            state: &mut state,
            own: &mut self.own,
            net,
            now,
        })
    }
}

impl<T: Source, N: SockMan> Doing<'_, T, N> {
    fn client(&mut self, conn: Conn) -> Option<&mut Client> {
        self.state.clients.get_mut(conn)
    }

    fn count(&mut self, what: Count) {
        self.state.counters.add(what);
    }

    /// Sends a message, in one piece. Says how many bytes its frame has.
    fn send(&mut self, conn: Conn, message: &Message) -> usize {
        self.send_sealed(conn, |transport, encoder| transport.seal(encoder, message))
    }

    /// Sends what is sealed so.
    fn send_sealed(
        &mut self,
        conn: Conn,
        seal: impl FnOnce(&mut Transport, &mut Encoder) -> Result<Vec<u8>, TooLarge>,
    ) -> usize {
        let Some(client) = self.state.clients.get_mut(conn) else {
            return 0;
        };
        let Some(transport) = &mut client.transport else {
            return 0;
        };
        match seal(transport, &mut self.own.encoder) {
            Ok(frame) => {
                let length = frame.len();
                let sent = self.net.send_bytes(conn, Bytes::from(frame));
                if sent.is_ok_and(Sent::is_high) && !std::mem::replace(&mut client.high, true) {
                    let within = self.own.settings.taken_within;
                    self.net.set_deadline(conn, Some(self.now + within));
                }
                length
            }
            Err(why) => {
                warn!(peer = %client.peer, %why, "hung up on");
                self.part(conn, Disconnect::Now);
                0
            }
        }
    }

    /// Hangs up on a client for what it did.
    fn fail(&mut self, conn: Conn, what: Count, why: &str) {
        self.count(what);
        if let Some(client) = self.client(conn) {
            debug!(peer = %client.peer, reason = what.name(), why, "hung up on");
        }
        self.part(conn, Disconnect::Now);
    }

    fn part(&mut self, conn: Conn, how: Disconnect) {
        if let Some(client) = self.client(conn) {
            client.stage = Stage::Ending;
        }
        self.net.disconnect(conn, how);
    }
}

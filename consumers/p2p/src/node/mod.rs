//! The protocol.
//!
//! - `handler`: what the loop calls, and how it reaches the rest.
//! - `messages`: from bytes to messages, and when a peer's messages wait.
//! - `handshake`, `liveness`: how a connection begins, and what ends one of which nothing is heard.
//! - `headers`, `blocks`: what peers tell us. `requests`, `serve`, `announce`: what we tell them. `cache`: blocks to be told again.
//! - `dial`: whom we connect to. `control`: what other threads want.
//! - `punish`: how we part from peers.

mod announce;
mod blocks;
mod cache;
mod control;
mod dial;
mod handler;
mod handshake;
mod headers;
mod liveness;
mod messages;
mod punish;
mod requests;
mod serve;

use crate::settings::Settings;
use crate::state::{Bans, Chain, Handle, Kind, Shared, State};
use crate::store::Store;
use cache::Cache;
pub use handshake::services;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sockman::{Endpoint, Listener, SockMan, Timer, Turns};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// A node: a [`Handler`](sockman::Handler) that speaks the Bitcoin P2P protocol.
///
/// It goes through [`start`](Node::start) once before the loop runs. What it knows can be seen, and what it does be
/// influenced, by other threads and other handlers through its [`Handle`].
pub struct Node<D: Store> {
    shared: Arc<Shared<D>>,
    own: Own,
}

/// What is the loop's alone.
struct Own {
    settings: Settings,
    rng: ChaCha8Rng,
    /// Messages are written here before they are sent.
    out: Vec<u8>,
    cache: Cache,
    listeners: Vec<Listener>,
    /// For what peers ask.
    turns: Turns,
    /// When the timer is set for, and which it is.
    armed: Option<(Instant, Timer)>,
    /// When a late block is to be looked for.
    hedge_at: Option<Instant>,
    /// When tips were last announced.
    announced: Option<Instant>,
}

/// What is done during one callback: the state is locked meanwhile.
struct Work<'a, D: Store, N> {
    shared: &'a Arc<Shared<D>>,
    state: &'a mut State<D>,
    own: &'a mut Own,
    net: &'a mut N,
    now: Instant,
    /// Bytes that may still be read and sent for peers' requests before others have their turn.
    share: usize,
}

impl<D: Store> Node<D> {
    /// A node with this chain and these bans.
    pub fn new(settings: Settings, chain: Chain<D>, bans: Bans) -> Node<D> {
        let own = Own {
            rng: ChaCha8Rng::from_seed(settings.seed),
            out: Vec::new(),
            cache: Cache::new(settings.cache),
            listeners: Vec::new(),
            turns: Turns::new(settings.turn),
            armed: None,
            hedge_at: None,
            announced: None,
            settings: settings.clone(),
        };
        let Handle(shared) = Handle::new(chain, bans, settings);
        Node { shared, own }
    }

    /// For other threads, and for handlers beside this one.
    pub fn handle(&self) -> Handle<D> {
        Handle(self.shared.clone())
    }

    /// Listens at each of `listen`, and dials each of `connect` and whatever was added before. Gives where it listens: with
    /// the ports that the kernel chose.
    ///
    /// Fails as [`SockMan::listen`] does, with the address in the message.
    pub fn start<N: SockMan>(
        &mut self,
        net: &mut N,
        listen: &[Endpoint],
        connect: &[(String, Kind)],
    ) -> io::Result<Vec<Endpoint>> {
        self.shared.runs_on(net.remote());
        let mut listening = Vec::new();
        for at in listen {
            let listener = net
                .listen(at, &self.own.settings.listen_options(0))
                .map_err(|why| io::Error::new(why.kind(), format!("cannot listen on {at}: {why}")))?;
            self.own.listeners.push(listener);
            listening.push(net.local_addr(listener).unwrap_or_else(|| at.clone()));
        }
        let (now, retry) = (net.now(), self.own.settings.retry_after);
        self.work(net, |work| {
            work.state.listening.clone_from(&listening);
            for (name, kind) in connect {
                if !work.state.targets.has(name, *kind) {
                    work.state.targets.add(name, *kind, now, retry);
                }
            }
            work.dial_due();
        });
        Ok(listening)
    }

    /// Dials somebody from now on, unless that is done already.
    pub fn connect<N: SockMan>(&mut self, net: &mut N, name: &str, kind: Kind) {
        let (now, retry) = (net.now(), self.own.settings.retry_after);
        self.work(net, |work| {
            if !work.state.targets.has(name, kind) {
                work.state.targets.add(name, kind, now, retry);
            }
            work.dial_due();
        });
    }

    /// Does something with the state locked.
    fn work<N: SockMan, R>(&mut self, net: &mut N, work: impl FnOnce(&mut Work<'_, D, N>) -> R) -> R {
        let mut state = self.shared.lock();
        state.now = net.now();
        let mut doing = Work {
            now: state.now,
            // With none at all nobody would ever be served.
            share: self.own.settings.share.max(1),
            shared: &self.shared,
            state: &mut state,
            own: &mut self.own,
            net,
        };
        let done = work(&mut doing);
        doing.finish();
        done
    }
}

impl Own {
    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }
}

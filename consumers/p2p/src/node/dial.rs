//! Whom we connect to.

use super::Work;
use crate::state::{Command, Count, Kind, Peer, Phase, with_port};
use crate::store::Store;
use sockman::{Conn, DialError, DialOptions, Disconnect, Endpoint, SockMan};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread;

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// Dials all whose time has come.
    pub(super) fn dial_due(&mut self) {
        if self.state.stopping {
            return;
        }
        for id in self.state.targets.due(self.now) {
            self.dial_target(id);
        }
    }

    fn dial_target(&mut self, id: u64) {
        let port = self.state.chain.params().default_port;
        let Some(target) = self.state.targets.get_mut(id) else {
            return;
        };
        let name = with_port(&target.name, port);
        if let Ok(at) = name.parse() {
            return self.dial(id, at);
        }
        target.phase = Phase::Resolving;
        let (resolve, shared) = (self.own.settings.resolve, Arc::downgrade(self.shared));
        let look_up = move || {
            let addresses = resolve(&name).map_err(|why| why.to_string());
            if let Some(shared) = shared.upgrade() {
                let target = id;
                shared
                    .lock()
                    .commands
                    .push_back(Command::Resolved { target, addresses });
                shared.wake();
            }
        };
        let started = thread::Builder::new().name("sockman-dns".into()).spawn(look_up);
        if let Err(why) = started {
            self.failed(id, &why);
        }
    }

    /// A name was looked up.
    pub(super) fn resolved(&mut self, id: u64, addresses: Result<Vec<SocketAddr>, String>) {
        if self.state.stopping {
            return;
        }
        let Some(target) = self.state.targets.get_mut(id) else {
            return;
        };
        if target.phase != Phase::Resolving {
            return;
        }
        match addresses {
            _ if target.removed => self.retry(id),
            Err(why) => self.failed(id, &why),
            Ok(all) if all.is_empty() => self.failed(id, &"the name has no address"),
            Ok(all) => {
                // One after the other, should some not answer.
                let at = all[target.turn % all.len()];
                target.turn += 1;
                self.dial(id, at);
            }
        }
    }

    fn dial(&mut self, id: u64, at: SocketAddr) {
        if !self.is_noban(at.ip()) {
            let discouraged = &self.state.discouraged;
            // Whoever misbehaves at the address of one that we were told to connect to need not be that one.
            let told = self.state.targets.get(id).map(|target| target.kind) == Some(Kind::Connect);
            if self.state.bans.contains(at.ip(), self.unix())
                || discouraged.has_port(at, self.now)
                || (!told && discouraged.has_address(at.ip(), self.now))
            {
                return self.failed(id, &"banned or discouraged");
            }
        }
        let taken = |peer: &Peer| !peer.gone && !peer.is_inbound() && peer.address.tcp() == Some(at);
        if self.state.peers.iter().any(|(_, peer)| taken(peer)) {
            return self.failed(id, &"we are connected to it already");
        }
        let how = DialOptions {
            timeout: self.own.settings.dial_within,
            limits: Some(self.own.settings.limits()),
            ..DialOptions::key(id)
        };
        match self.net.dial(&Endpoint::Tcp(at), &how) {
            Ok(conn) => {
                if let Some(target) = self.state.targets.get_mut(id) {
                    target.phase = Phase::Dialling(conn);
                }
            }
            Err(why) => self.failed(id, &why),
        }
    }

    /// A dial came to nothing.
    pub(super) fn dial_failed(&mut self, id: u64, why: &DialError) {
        self.state.counters.add(Count::dials_failed);
        self.failed(id, why);
    }

    fn failed(&mut self, id: u64, why: &dyn std::fmt::Display) {
        if let Some(target) = self.state.targets.get_mut(id) {
            if target.cannot_be_reached(&why.to_string()) {
                tracing::warn!(name = target.name, %why, "cannot connect");
            } else {
                tracing::debug!(name = target.name, %why, "cannot connect");
            }
        }
        self.retry(id);
    }

    /// Dials somebody again, after a while that gets longer each time.
    pub(super) fn retry(&mut self, id: u64) {
        let most = self.own.settings.retry_most;
        let Some(target) = self.state.targets.get_mut(id) else {
            return;
        };
        let at = self.now + target.backoff;
        target.backoff = most.min(target.backoff * 2);
        self.state.targets.ended(id, at);
    }

    /// Hangs up on all who are banned.
    pub(super) fn drop_banned(&mut self) {
        let unix = self.unix();
        let banned = |ip: IpAddr| self.state.bans.contains(ip, unix);
        let peers = self.state.peers.iter();
        let all: Vec<Conn> = peers
            .filter(|(_, peer)| !peer.noban && peer.ip().is_some_and(banned))
            .map(|(conn, _)| conn)
            .collect();
        for conn in all {
            self.part(conn, Disconnect::Now);
        }
    }
}

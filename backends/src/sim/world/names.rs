//! Who listens where.

use super::hosts::HostId;
use super::{Errno, Result, SocketId};
use sockman::ListenOptions;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A TCP name that is taken.
struct Bound {
    at: SocketAddr,
    v6_only: bool,
    reuse_port: bool,
    listener: SocketId,
}

impl Bound {
    /// Whether a packet to this address is for it: its own address, or it takes all of this version.
    fn hears(&self, to: SocketAddr) -> bool {
        if self.at.ip().is_unspecified() {
            self.at.is_ipv4() == to.is_ipv4() || self.at.is_ipv6() && !self.v6_only
        } else {
            self.at.ip() == to.ip()
        }
    }

    /// Whether the two cannot listen at the same time.
    fn collides(&self, at: SocketAddr, how: &ListenOptions) -> bool {
        let other = Bound {
            at,
            v6_only: how.v6_only,
            reuse_port: how.reuse_port,
            listener: self.listener,
        };
        (self.hears(at) || other.hears(self.at)) && !(self.reuse_port && how.reuse_port)
    }
}

/// The names of all hosts.
#[derive(Default)]
pub(super) struct Names {
    ports: BTreeMap<(HostId, u16), Vec<Bound>>,
    /// Ports from which somebody has dialled.
    dialled: BTreeSet<(HostId, u16)>,
    /// Socket files; without a listener when nobody listens on them any more.
    files: BTreeMap<(HostId, PathBuf), Option<SocketId>>,
}

impl Names {
    pub(super) fn is_free(&self, host: HostId, at: SocketAddr, how: &ListenOptions) -> bool {
        self.ports
            .get(&(host, at.port()))
            .is_none_or(|bound| bound.iter().all(|bound| !bound.collides(at, how)))
            && !self.dialled.contains(&(host, at.port()))
    }

    pub(super) fn bind(&mut self, host: HostId, at: SocketAddr, how: &ListenOptions, listener: SocketId) {
        self.ports.entry((host, at.port())).or_default().push(Bound {
            at,
            v6_only: how.v6_only,
            reuse_port: how.reuse_port,
            listener,
        });
    }

    /// Who is to take a connection; `choice` decides between several that share the port. A listener's own address goes
    /// before one that takes all.
    pub(super) fn find(&self, host: HostId, to: SocketAddr, choice: u64) -> Option<SocketId> {
        let bound = self.ports.get(&(host, to.port()))?;
        let among = |exact: bool| {
            bound
                .iter()
                .filter(move |bound| bound.hears(to) && bound.at.ip().is_unspecified() != exact)
        };
        let exact = among(true).count() > 0;
        let count = among(exact).count() as u64;
        let chosen = among(exact).nth((choice % count.max(1)) as usize)?;
        Some(chosen.listener)
    }

    pub(super) fn unbind(&mut self, host: HostId, port: u16, listener: SocketId) {
        if let Some(bound) = self.ports.get_mut(&(host, port)) {
            bound.retain(|bound| bound.listener != listener);
            if bound.is_empty() {
                self.ports.remove(&(host, port));
            }
        }
    }

    /// Takes a port to dial from, if nobody has it.
    pub(super) fn dial_from(&mut self, host: HostId, port: u16) -> bool {
        !self.ports.contains_key(&(host, port)) && self.dialled.insert((host, port))
    }

    pub(super) fn dialled(&mut self, host: HostId, port: u16) {
        self.dialled.remove(&(host, port));
    }

    /// Makes a socket file. One that is there is in the way, unless nobody listens on it and `replace`.
    pub(super) fn make_file(
        &mut self,
        host: HostId,
        path: &Path,
        listener: SocketId,
        replace: bool,
    ) -> Result<()> {
        let key = (host, path.to_owned());
        if self
            .files
            .get(&key)
            .is_some_and(|owner| owner.is_some() || !replace)
        {
            return Err(Errno::ADDRINUSE);
        }
        self.files.insert(key, Some(listener));
        Ok(())
    }

    /// Who listens on a file.
    pub(super) fn file(&self, host: HostId, path: &Path) -> Result<SocketId> {
        match self.files.get(&(host, path.to_owned())) {
            None => Err(Errno::NOENT),
            Some(None) => Err(Errno::CONNREFUSED),
            Some(Some(listener)) => Ok(*listener),
        }
    }

    /// The listener of a file goes, and the file with it if `remove`.
    pub(super) fn leave_file(&mut self, host: HostId, path: &Path, listener: SocketId, remove: bool) {
        let key = (host, path.to_owned());
        if self.files.get(&key) != Some(&Some(listener)) {
            return;
        }
        if remove {
            self.files.remove(&key);
        } else {
            self.files.insert(key, None);
        }
    }

    /// A crash leaves the files, without anybody behind them.
    pub(super) fn crash(&mut self, host: HostId) {
        self.ports.retain(|(owner, _), _| *owner != host);
        self.dialled.retain(|(owner, _)| *owner != host);
        for ((owner, _), listener) in &mut self.files {
            if *owner == host {
                *listener = None;
            }
        }
    }
}

//! What other threads may see.

use super::client::{Client, Stage};
use super::counters::Counters;
use crate::wire::{Constraints, Setup};
use bitcoin::BlockHash;
use sockman::{Conn, ConnMap, Endpoint};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a provider knows.
#[derive(Default)]
pub(super) struct State {
    pub(super) clients: ConnMap<Client>,
    pub(super) counters: Counters,
    /// The loop's time, when it last did something.
    pub(super) now: Option<Instant>,
}

/// What is known of a client.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Its address.
    pub peer: Endpoint,
    /// How long it has been there.
    pub age: Duration,
    /// How far it is.
    pub stage: Stage,
    /// What it has said of itself.
    pub setup: Option<Setup>,
    /// The room that its outputs take.
    pub constraints: Option<Constraints>,
    /// The number of the last template that it was sent.
    pub template: Option<u64>,
    /// Templates that are kept for it.
    pub templates: usize,
    /// The block that it was told last to build on.
    pub prev_hash: Option<BlockHash>,
    /// What the block of the last template may pay, in satoshis.
    pub value: Option<u64>,
    /// Whether it has not taken what it was sent.
    pub behind: bool,
}

/// A provider, for other threads. Clones share it.
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Mutex<State>>);

impl Handle {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done by what may panic: a source, or the reading of a clock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has been counted.
    pub fn counters(&self) -> Counters {
        self.lock().counters.clone()
    }

    /// All clients.
    pub fn clients(&self) -> Vec<ClientInfo> {
        let state = self.lock();
        let now = state.now;
        let info = |(_, client): (Conn, &Client)| ClientInfo {
            peer: client.peer.clone(),
            age: now.map_or(Duration::ZERO, |now| now.saturating_duration_since(client.since)),
            stage: client.stage,
            setup: client.setup.clone(),
            constraints: client.room,
            template: client.last(),
            templates: client.kept(),
            prev_hash: client.told.as_ref().map(|told| told.work.basis().prev_hash),
            value: client.told.as_ref().map(|told| told.value),
            behind: client.high,
        };
        state.clients.iter().map(info).collect()
    }
}

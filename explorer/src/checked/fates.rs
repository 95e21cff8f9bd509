//! What became of connections, for whoever is at their other end.

use sockman::Endpoint;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is open.
    Open,
    /// It was closed, for the reason of this name.
    Closed(&'static str),
}

/// The fates of connections, by the address of their other end: the latest, if an address came again. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Fates(Rc<RefCell<BTreeMap<Endpoint, Fate>>>);

impl Fates {
    /// What became of the connection whose other end has this address; `None` if it was never opened.
    pub fn of(&self, peer: &Endpoint) -> Option<Fate> {
        self.0.borrow().get(peer).copied()
    }

    pub(super) fn open(&self, peer: &Endpoint) {
        self.0.borrow_mut().insert(peer.clone(), Fate::Open);
    }

    pub(super) fn closed(&self, peer: &Endpoint, why: &'static str) {
        self.0.borrow_mut().insert(peer.clone(), Fate::Closed(why));
    }
}

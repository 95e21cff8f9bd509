//! What became of connections, for whoever is at their other end.

use sockman::Endpoint;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What became of one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Why it was closed, by the name of the reason; `None` while it is open.
    pub closed: Option<&'static str>,
    /// Its side was finished, or it was disconnected once flushed: a FIN may have left.
    pub is_finished: bool,
    /// It was disconnected by RST.
    pub is_reset: bool,
}

/// The fates of one loop's ends of connections, by the address that dialled: the latest, if it dialled again. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Fates(Rc<RefCell<BTreeMap<Endpoint, Fate>>>);

impl Fates {
    /// What became of this loop's end of the connection that was dialled from here; `None` if it was never opened.
    pub fn of(&self, dialler: &Endpoint) -> Option<Fate> {
        self.0.borrow().get(dialler).copied()
    }

    pub(super) fn set(&self, dialler: &Endpoint, fate: Fate) {
        self.0.borrow_mut().insert(dialler.clone(), fate);
    }
}

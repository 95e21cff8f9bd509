//! What comes from outside the loops: answers from other threads, and the end of the server.

use super::app::{Pending, Shared};
use super::{LONGEST, Servers};
use crate::case::Run;
use fastrand::Rng;
use sockman_backends::sim::Simulated;
use std::rc::Rc;

pub(super) struct Outside {
    random: Rng,
    shared: Rc<Shared>,
    /// How seldom other threads do something.
    one_in: u8,
    /// After so many looks the server is stopped, if ever.
    stop_in: Option<u32>,
}

impl Outside {
    pub(super) fn new(run: &mut Run, shared: &Rc<Shared>) -> Outside {
        Outside {
            random: run.random.fork(),
            shared: shared.clone(),
            one_in: run.random.u8(1..20),
            stop_in: (run.random.u8(0..5) == 0).then(|| run.random.u32(1..2_000)),
        }
    }

    /// Perhaps does something.
    pub(super) fn act<B: Simulated>(&mut self, server: &Servers<B>) {
        if let Some(left) = &mut self.stop_in {
            *left -= 1;
            if *left == 0 {
                self.stop_in = None;
                self.shared.stop();
                // In as much time as anything may take.
                server.remote().stop(2 * LONGEST).expect("the loop is there");
            }
        }
        let count = self.shared.pending.borrow().len();
        if count > 0 && self.random.u8(0..self.one_in) == 0 {
            let place = self.random.usize(0..count);
            self.step(place);
        }
    }

    /// Does all that can be done; whether there was anything.
    pub(super) fn hurry(&mut self) -> bool {
        let count = self.shared.pending.borrow().len();
        (0..count).fold(false, |done, _| self.step(0) || done)
    }

    /// Does some of what is to be done, of this place; whether that could be done.
    fn step(&self, place: usize) -> bool {
        let pending: Pending = self.shared.pending.borrow_mut().remove(place);
        let (left, has_acted) = pending.act();
        self.shared.pending.borrow_mut().extend(left);
        has_acted
    }
}

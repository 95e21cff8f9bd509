//! What comes from other threads: other work, and the end.

use super::model::Model;
use super::place::{PATIENCE, Providers};
use crate::case::Run;
use fastrand::Rng;
use sockman_backends::sim::Simulated;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

pub(super) struct Outside {
    random: Rng,
    model: Rc<RefCell<Model>>,
    /// Work changes at one of so many turns.
    one_in: u32,
    /// Changes to come.
    changes: u32,
    /// After so many turns the provider is stopped, if ever.
    stop_in: Option<u32>,
}

impl Outside {
    pub(super) fn new(run: &mut Run, model: &Rc<RefCell<Model>>) -> Outside {
        Outside {
            random: run.random.fork(),
            model: model.clone(),
            one_in: [5, 30, 200][run.random.usize(0..3)],
            changes: run.random.u32(0..40),
            stop_in: (run.random.u8(0..6) == 0).then(|| run.random.u32(1..2_000)),
        }
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.model.borrow().is_stopped
    }

    /// After each turn: perhaps does something.
    pub(super) fn act<B: Simulated>(&mut self, provider: &Providers<B>) {
        if let Some(left) = &mut self.stop_in {
            *left -= 1;
            if *left == 0 {
                // In more time than clients take to notice, if nobody tells them: whoever turns a loop whose time is over
                // turns it for ever.
                self.stop(provider, 4 * PATIENCE);
            }
        }
        if self.random.u32(0..self.one_in) == 0 {
            self.change(provider);
        }
    }

    /// Stops the provider, unless that has been done.
    pub(super) fn stop<B: Simulated>(&mut self, provider: &Providers<B>, within: Duration) {
        self.stop_in = None;
        if !std::mem::replace(&mut self.model.borrow_mut().is_stopped, true) {
            let stopping = provider.remote().stop(within);
            stopping.expect("the loop is there");
        }
    }

    /// Nothing else happens.
    pub(super) fn hurry<B: Simulated>(&mut self, provider: &Providers<B>) {
        self.change(provider);
    }

    fn change<B: Simulated>(&mut self, provider: &Providers<B>) {
        let mut model = self.model.borrow_mut();
        if self.changes == 0 {
            // There is work in the end.
            if model.works.is_empty() {
                model.change();
                provider.remote().wake();
            }
            model.is_settled = true;
            return;
        }
        self.changes -= 1;
        model.change();
        drop(model);
        provider.remote().wake();
    }
}

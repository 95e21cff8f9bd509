//! What must hold of a provider after each of its turns.

use super::model::{Model, tip};
use super::place::Providers;
use sockman::SockMan;
use sockman_backends::sim::Simulated;
use sockman_sv2::{Count, Counters, Settings, Stage};
use std::cell::RefCell;
use std::rc::Rc;

pub(super) struct Watch {
    model: Rc<RefCell<Model>>,
    /// Handshakes that a turn may answer.
    handshakes: u64,
    /// Large answers that a turn may give.
    large: u64,
    templates: usize,
    /// When the last turn was over.
    turns: u64,
    counters: Counters,
}

impl Watch {
    pub(super) fn new(model: &Rc<RefCell<Model>>, settings: &Settings) -> Watch {
        Watch {
            model: model.clone(),
            handshakes: settings.handshakes as u64,
            // Each is larger than a client's share.
            large: settings.turn.div_ceil(settings.share + 1) as u64,
            templates: settings.templates,
            turns: 0,
            counters: Counters::default(),
        }
    }

    /// To be called after each turn. (Does nothing if there was none.)
    pub(super) fn check<B: Simulated>(&mut self, driver: &Providers<B>) {
        let turns = driver.backend().net().stats().turns;
        if turns == self.turns {
            return;
        }
        let handle = driver.handler().handler().handle();
        let counters = handle.counters();
        if turns == self.turns + 1 {
            let count = |what| counters.get(what) - self.counters.get(what);
            let (handshakes, large) = (count(Count::handshakes), count(Count::data_large));
            assert!(
                handshakes <= self.handshakes,
                "a turn answered {handshakes} handshakes"
            );
            assert!(large <= self.large, "a turn gave {large} large answers");
        }
        (self.turns, self.counters) = (turns, counters);
        // What was given last has been told to all who can be told, whoever else cannot.
        let model = self.model.borrow();
        let given = model.works.iter().rev().find(|made| made.given.is_some());
        for client in handle.clients() {
            assert!(
                client.templates <= self.templates,
                "{} templates are kept for {}",
                client.templates,
                client.peer
            );
            let is_to_be_told =
                client.stage == Stage::Ready && client.constraints.is_some() && !client.behind;
            if let Some(made) = given
                && is_to_be_told
            {
                assert_eq!(
                    client.prev_hash,
                    Some(tip(&made.work)),
                    "{} has not been told of the tip",
                    client.peer
                );
            }
        }
    }
}

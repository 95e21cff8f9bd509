//! What must hold of a provider after each of its turns.

use super::model::{Model, tip};
use super::place::Providers;
use sockman::SockMan;
use sockman_backends::sim::Simulated;
use sockman_sv2::{Count, Settings, Stage};
use std::cell::RefCell;
use std::rc::Rc;

pub(super) struct Watch {
    model: Rc<RefCell<Model>>,
    /// Handshakes that a turn may answer.
    handshakes: u64,
    templates: usize,
    /// When the last turn was over.
    turns: u64,
    answered: u64,
}

impl Watch {
    pub(super) fn new(model: &Rc<RefCell<Model>>, settings: &Settings) -> Watch {
        Watch {
            model: model.clone(),
            handshakes: settings.handshakes as u64,
            templates: settings.templates,
            turns: 0,
            answered: 0,
        }
    }

    /// To be called after each turn. (Does nothing if there was none.)
    pub(super) fn check<B: Simulated>(&mut self, driver: &Providers<B>) {
        let turns = driver.backend().net().stats().turns;
        if turns == self.turns {
            return;
        }
        let handle = driver.handler().handler().handle();
        let answered = handle.counters().get(Count::handshakes);
        if turns == self.turns + 1 {
            let count = answered - self.answered;
            assert!(count <= self.handshakes, "a turn answered {count} handshakes");
        }
        (self.turns, self.answered) = (turns, answered);
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

//! The loop: what [`Engine::turn`](crate::shared::Engine) does with its mailbox, in that order.

use super::bell::Bell;
use super::threads::Label;
use crate::remote::mailbox::ASLEEP;
use crate::remote::{Command, Mailbox};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What the loop leaves out or does wrongly, to show that it is needed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mistake {
    None,
    /// Not to ask, before it sleeps, whether anything came since it took the queue.
    NotAsking,
    /// To fall asleep without looking whether anything came: what it would ask is overwritten.
    BlindSleep,
    /// To take the queue first and then say that it is awake: what comes between is forgotten.
    TakingFirst,
}

pub(super) struct Loop {
    pub(super) mailbox: Mailbox,
    bell: Arc<Bell>,
    mistake: Mistake,
    commands: Vec<Command>,
    /// What each turn took, in order.
    pub(super) batches: Vec<Vec<Label>>,
    /// The largest sum of posted bytes that one turn took.
    pub(super) most_bytes: usize,
    /// How often the handler's `woken` is called.
    pub(super) woken: usize,
}

impl Loop {
    pub(super) fn new(bell: &Arc<Bell>, limit: usize, mistake: Mistake) -> Loop {
        Loop {
            mailbox: Mailbox::new(bell.clone().into(), limit),
            bell: bell.clone(),
            mistake,
            commands: Vec::new(),
            batches: Vec::new(),
            most_bytes: 0,
            woken: 0,
        }
    }

    /// Turns until it sleeps for ever.
    pub(super) fn run(&mut self) {
        while self.turn() {}
    }

    /// False if it sleeps for ever. Whether the turn waits or, on the descriptor, a foreign poll loop before it, is the same
    /// to the mailbox.
    fn turn(&mut self) -> bool {
        // `Engine::wait_time`, or `Driver::next_deadline` for a foreign loop.
        let pending = self.mistake != Mistake::NotAsking && self.mailbox.pending();
        if !pending && !self.bell.wait() {
            return false;
        }
        self.bell.take();
        self.begin();
        self.bell.sleep();
        if self.mistake == Mistake::BlindSleep {
            self.mailbox.remote.shared.state.store(ASLEEP, Ordering::SeqCst);
        } else {
            self.mailbox.sleep();
        }
        true
    }

    /// `Delivery::begin`, then `Delivery::commands` if there are any.
    pub(super) fn begin(&mut self) {
        if self.mistake == Mistake::TakingFirst {
            self.take();
            self.mailbox.awake();
        } else if self.mailbox.awake() {
            self.take();
        }
    }

    /// As the driver does.
    pub(super) fn take(&mut self) {
        let mut commands = mem::take(&mut self.commands);
        if self.mailbox.remote.take(&mut commands) {
            self.woken += 1;
        }
        let mut bytes = 0;
        let batch = commands.drain(..).map(|command| {
            if let Command::Post(_, data) = &command {
                bytes += data.len();
            }
            Label::of(&command)
        });
        self.batches.push(batch.collect());
        self.most_bytes = self.most_bytes.max(bytes);
        self.commands = commands;
    }

    /// All commands taken, in order.
    pub(super) fn taken(&self) -> impl Iterator<Item = Label> {
        self.batches.iter().flatten().copied()
    }
}

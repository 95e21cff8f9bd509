//! What holds of every turn: it costs what its ready connections cost, and what was sent has left.

use crate::checked::Checked;
use sockman::{Config, Driver, Handler, SockMan};
use sockman_backends::sim::Simulated;

/// System calls that an event or a callback may cost: to read, to write, to tell the poller, and to find that that is all.
const CALLS: u64 = 6;

/// Counters of a loop when its last turn was over.
#[derive(Default)]
pub(super) struct Turns {
    read_buffer: u64,
    turns: u64,
    calls: u64,
    events: u64,
    callbacks: u64,
    bytes: u64,
    /// Connections that had work left.
    waiting: u64,
}

impl Turns {
    pub(super) fn new(config: &Config) -> Turns {
        Turns {
            read_buffer: config.read_buffer as u64,
            ..Turns::default()
        }
    }

    /// Whether there has been a turn, which is then checked.
    pub(super) fn check<B: Simulated, H: Handler>(&mut self, driver: &Driver<B, Checked<H>>) -> bool {
        let stats = driver.backend().net().stats();
        if stats.turns == self.turns {
            return false;
        }
        let now = Turns {
            read_buffer: self.read_buffer,
            turns: stats.turns,
            calls: stats.syscalls.total(),
            events: stats.events,
            callbacks: driver.handler().callbacks(),
            bytes: stats.bytes_in,
            waiting: driver.backend().waiting() as u64,
        };
        // (What was done before the first turn is of no turn.)
        if self.turns > 0 && now.turns == self.turns + 1 {
            let reasons = now.events - self.events + now.callbacks - self.callbacks + self.waiting;
            // What a connection sends after it was disconnected is read, and nobody is called.
            let discarded = (now.bytes - self.bytes).div_ceil(self.read_buffer);
            let most = 2 + CALLS * reasons + discarded;
            let calls = now.calls - self.calls;
            assert!(
                calls <= most,
                "a turn made {calls} system calls, with {reasons} reasons to"
            );
        }
        *self = now;
        true
    }
}

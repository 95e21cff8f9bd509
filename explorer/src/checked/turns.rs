//! What holds of every turn: it costs what its ready connections cost, and what was sent has left.

use super::Checked;
use sockman::{Config, Driver, Handler, SockMan};
use sockman_backends::sim::{Network, Simulated};

/// System calls that an event, a callback or an operation may cost: to read, to write, to tell the poller, and to find that
/// that is all.
const CALLS: u64 = 6;

/// Those of a turn in which nothing happens: the wait, and a listener whose rest is over.
const BESIDES: u64 = 4;

/// Counters of a loop when its last turn was over, by which the next one is judged.
#[derive(Default)]
pub struct Turns {
    read_buffer: u64,
    byte_budget: u64,
    accept_budget: u64,
    turns: u64,
    calls: u64,
    events: u64,
    activity: u64,
    bytes: u64,
    accepts: u64,
    /// Connections that had work left.
    waiting: u64,
    /// Faults that had happened, each of which makes a call for nothing.
    faults: u64,
}

impl Turns {
    /// Of a loop with these settings that has one listener at most.
    pub fn new(config: &Config) -> Turns {
        Turns {
            read_buffer: config.read_buffer as u64,
            byte_budget: config.byte_budget as u64,
            accept_budget: config.accept_budget as u64,
            ..Turns::default()
        }
    }

    /// To be called after each turn: checks it. (Does nothing if there was none.)
    pub fn check<B: Simulated, H: Handler>(&mut self, network: &Network, driver: &Driver<B, Checked<H>>) {
        let stats = driver.backend().net().stats();
        if stats.turns == self.turns {
            return;
        }
        let now = Turns {
            read_buffer: self.read_buffer,
            byte_budget: self.byte_budget,
            accept_budget: self.accept_budget,
            turns: stats.turns,
            calls: stats.syscalls.total(),
            events: stats.events,
            activity: driver.handler().activity(),
            bytes: stats.bytes_in,
            accepts: stats.accepts,
            waiting: driver.backend().waiting() as u64,
            faults: network.count() as u64,
        };
        // (What was done before the first turn is of no turn.)
        if self.turns > 0 && now.turns == self.turns + 1 {
            let reasons = now.events - self.events + now.activity - self.activity + self.waiting;
            // What a connection sends after it was disconnected is read, and nobody is called.
            let discarded = (now.bytes - self.bytes).div_ceil(self.read_buffer);
            let faults = now.faults - self.faults;
            let most = BESIDES + CALLS * reasons + discarded + faults;
            let calls = now.calls - self.calls;
            assert!(
                calls <= most,
                "a turn made {calls} system calls, with {reasons} reasons to"
            );
            let bytes = now.bytes - self.bytes;
            assert!(
                bytes <= self.byte_budget * reasons,
                "a turn read {bytes} bytes, with {reasons} reasons to"
            );
            let accepts = now.accepts - self.accepts;
            assert!(
                accepts <= self.accept_budget,
                "a turn accepted {accepts} connections"
            );
        }
        driver.handler().after_turn(driver.backend().net());
        let unflushed = driver.backend().unflushed();
        assert_eq!(
            unflushed, 0,
            "what was sent to {unflushed} connections has not been tried"
        );
        *self = now;
    }
}

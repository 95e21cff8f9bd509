//! A stage with a trace, and the steps of scenarios.

use super::trace::{Trace, quoted};
use crate::recorder::Recorder;
use crate::rig::{Peer, Rig};
use crate::stage::{LIMIT, Stage};
use sockman::{Config, Conn, Driver, Handler, SockMan};
use std::time::Duration;

pub(super) struct Play<'t, R: Rig> {
    pub(super) stage: Stage<R>,
    trace: &'t Trace,
}

impl<'t, R: Rig> Play<'t, R> {
    /// With the default settings.
    pub(super) fn new(trace: &'t Trace, recorder: Recorder) -> Self {
        Play::with(trace, &Config::default(), recorder)
    }

    /// With these settings.
    pub(super) fn with(trace: &'t Trace, config: &Config, recorder: Recorder) -> Self {
        let stage = Stage::with(config, recorder.traced(trace, ""));
        Play { stage, trace }
    }

    /// Waits for all that came of the step before, and begins a step.
    pub(super) fn step(&mut self, what: impl Into<String>) {
        settle(&self.stage.rig, &mut self.stage.driver);
        self.trace.script(what);
    }

    /// A step from outside callbacks.
    pub(super) fn act<T>(
        &mut self,
        what: &str,
        work: impl FnOnce(&mut <R::Backend as sockman::Backend>::SockMan) -> T,
    ) -> T {
        self.step(what);
        self.stage.driver.with(|_, net| work(net))
    }

    /// A peer connects.
    pub(super) fn connect(&mut self) -> (Conn, R::Peer) {
        self.step("a peer connects");
        self.stage.connect()
    }

    /// A peer writes.
    pub(super) fn says(&mut self, peer: &mut R::Peer, data: &[u8]) {
        self.step(format!("the peer says {}", quoted(data)));
        self.stage.write_all(peer, data);
    }

    /// A peer half-closes.
    pub(super) fn finishes(&mut self, peer: &mut R::Peer) {
        self.step("the peer finishes");
        peer.finish();
    }

    /// A peer closes.
    pub(super) fn leaves(&mut self, peer: R::Peer) {
        self.step("the peer closes");
        drop(peer);
    }

    /// A peer resets.
    pub(super) fn resets(&mut self, peer: R::Peer) {
        self.step("the peer resets");
        peer.reset();
    }

    /// A peer reads this many bytes.
    pub(super) fn hears(&mut self, peer: &mut R::Peer, count: usize) {
        let data = self.stage.read(peer, count);
        self.step(format!("the peer heard {}", quoted(&data)));
    }

    /// A peer reads to the end.
    pub(super) fn hears_the_end(&mut self, peer: &mut R::Peer) {
        let (data, end) = self.stage.read_end(peer);
        let end = end.map_or_else(|error| format!("{:?}", error.kind()), |()| "the end".to_owned());
        self.step(format!("the peer heard {} and {end}", quoted(&data)));
    }

    /// This callback comes in this step.
    pub(super) fn comes(&mut self, call: &str) {
        let trace = self.trace;
        self.stage.until(call, |_| trace.has(call));
    }

    /// The handler has consumed this much of the connection by the end of this step.
    pub(super) fn consumes(&mut self, conn: Conn, count: usize) {
        self.stage
            .until("consumed", |stage| stage.seen().bytes(conn).len() >= count);
    }

    /// The end: all that comes has come.
    pub(super) fn end(mut self) {
        self.step("the end");
        let connections = self.stage.driver.with(|_, net| net.connections());
        self.trace.script(format!("{connections} connections are left"));
    }
}

/// Takes turns until nothing comes of them any more.
pub(super) fn settle<R: Rig, H: Handler>(rig: &R, driver: &mut Driver<R::Backend, H>) {
    // A turn that waits this long for nothing, so often, has nothing to come: on loopback everything is there at once.
    const PATIENCE: Duration = Duration::from_millis(1);
    const QUIET: usize = 3;
    let by = rig.now() + LIMIT;
    let mut quiet = 0;
    while quiet < QUIET {
        assert!(rig.now() < by, "the loop does not come to rest");
        let turn = driver.turn(Some(PATIENCE)).expect("a turn");
        quiet = if turn.events == 0 && !turn.more {
            quiet + 1
        } else {
            0
        };
    }
}

/// Takes turns until this callback has come in this step.
pub(super) fn comes<R: Rig, H: Handler>(
    rig: &R,
    driver: &mut Driver<R::Backend, H>,
    trace: &Trace,
    call: &str,
) {
    let by = rig.now() + LIMIT;
    while !trace.has(call) {
        assert!(rig.now() < by, "did not happen: {call}");
        driver.turn(Some(Duration::from_millis(5))).expect("a turn");
    }
}

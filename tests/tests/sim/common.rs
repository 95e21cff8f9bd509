//! What the tests have in common.

use crate::Rig;
use sockman::Config;
use sockman_backends::sim::{Fault, Plan, When};
use sockman_tests::{Recorder, Stage};

/// A loop with this handler, on a network where this happens.
pub(crate) fn stage(plan: Plan, recorder: Recorder) -> Stage<Rig> {
    Stage::on(Rig::planned(plan), &Config::default(), recorder)
}

/// The fault happens at its first opportunity.
pub(crate) fn first(fault: Fault) -> Plan {
    Plan::new(5).with(fault, When::At(0))
}

/// A stage with a connection, after which the fault happens once.
pub(crate) fn after_opening(
    fault: Fault,
    recorder: Recorder,
) -> (Stage<Rig>, sockman::Conn, <Rig as sockman_tests::Rig>::Peer) {
    let mut stage = stage(Plan::default(), recorder);
    let (conn, peer) = stage.connect();
    stage.rig.network.set_plan(first(fault));
    (stage, conn, peer)
}

/// How often the fault has happened.
pub(crate) fn count(stage: &Stage<Rig>, fault: Fault) -> usize {
    let happened = stage.rig.network.happened();
    happened
        .iter()
        .filter(|occurrence| occurrence.fault == fault)
        .count()
}

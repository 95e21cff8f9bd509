//! Contract 11 and 15: idle connections cost no turns, and a turn costs what its ready connections cost, in counts.

use crate::recorder::Recorder;
use crate::rig::{Rig, raise_descriptor_limit};
use crate::stage::{Stage, stuff};
use sockman::{SockMan, Stats};
use std::time::Duration;

/// A stage with so many idle connections.
fn idle<R: Rig>(count: usize) -> (Stage<R>, Vec<R::Peer>) {
    let room = raise_descriptor_limit().saturating_sub(64) / 2;
    let count = count.min(usize::try_from(room).unwrap_or(usize::MAX));
    let mut stage = Stage::<R>::new(Recorder::echo());
    let at = stage.at.clone();
    let mut peers = Vec::new();
    while peers.len() < count {
        let burst = (count - peers.len()).min(50);
        peers.extend((0..burst).map(|_| stage.rig.connect(&at)));
        stage.until("open", |s| {
            s.driver.with(|_, net| net.connections()) == peers.len()
        });
    }
    stage.idle();
    (stage, peers)
}

/// A thousand idle connections and nothing armed: one turn sleeps a second through, and nothing wakes it.
pub fn idle_connections_wake_nobody<R: Rig>() {
    let (mut stage, _peers) = idle::<R>(1000);
    assert_eq!(stage.driver.next_deadline(), None, "nothing is due");
    let before = stage.stats();
    let from = stage.rig.now();
    let turn = stage.driver.turn(Some(Duration::from_secs(1))).expect("a turn");
    assert!(
        stage.rig.now() - from >= Duration::from_secs(1),
        "it did not sleep through"
    );
    let after = stage.stats();
    assert_eq!((turn.events, turn.more), (0, false));
    assert_eq!(after.turns - before.turns, 1);
    assert_eq!(after.wakeups, before.wakeups);
    assert_eq!(after.events, before.events);
    let calls = after.syscalls.total() - before.syscalls.total();
    assert!(calls <= 8, "{calls} system calls in a turn that only sleeps");
}

/// The counts that one round trip adds.
fn round_trip<R: Rig>(stage: &mut Stage<R>, peer: &mut R::Peer) -> Stats {
    let before = stage.stats();
    assert_eq!(stuff(peer, b"ping"), 4);
    let seen = stage.seen().log.len();
    while stage.seen().log.len() == seen {
        stage.driver.turn(Some(crate::stage::LIMIT)).expect("a turn");
    }
    let mut after = stage.stats();
    assert_eq!(stage.hear(peer, 4), b"ping");
    after.turns -= before.turns;
    after.events -= before.events;
    for kind in [
        sockman::Syscall::Wait,
        sockman::Syscall::Read,
        sockman::Syscall::Write,
    ] {
        after.syscalls[kind] -= before.syscalls[kind];
    }
    after
}

/// A message costs the same system calls, events and turns beside a thousand idle connections as beside ten.
pub fn a_message_costs_the_same_beside_idle_connections<R: Rig>() {
    let mut costs = Vec::new();
    for count in [10, 1000] {
        let (mut stage, mut peers) = idle::<R>(count);
        let middle = peers.len() / 2;
        round_trip(&mut stage, &mut peers[middle]);
        let cost = round_trip(&mut stage, &mut peers[middle]);
        let kinds = [
            sockman::Syscall::Wait,
            sockman::Syscall::Read,
            sockman::Syscall::Write,
        ];
        costs.push((cost.turns, cost.events, kinds.map(|kind| cost.syscalls[kind])));
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!((costs[0].0, costs[0].1), (1, 1));
}

/// A short message is at most one read and one write: the read that would only find nothing is left out. (Where bytes come
/// by completions, there is no read.)
pub fn a_short_message_is_one_read_and_one_write<R: Rig>() {
    let (mut stage, mut peers) = idle::<R>(2);
    round_trip(&mut stage, &mut peers[0]);
    let cost = round_trip(&mut stage, &mut peers[0]);
    assert!(cost.syscalls[sockman::Syscall::Read] <= 1);
    assert!(cost.syscalls[sockman::Syscall::Write] <= 1);
}

//! In which order a turn serves what there is for it.

use crate::Rig;
use sockman::{Config, Conn, SockMan};
use sockman_tests::{Event, Recorder, Stage, stuff};
use std::time::Duration;

/// What is read of a connection in a turn.
const BUDGET: usize = 4 << 10;

fn stage() -> Stage<Rig> {
    let config = Config {
        read_buffer: BUDGET,
        byte_budget: BUDGET,
        ..Config::default()
    };
    Stage::with(&config, Recorder::new())
}

/// One turn: what happened, with whose it was.
fn turn(stage: &mut Stage<Rig>) -> Vec<(Option<Conn>, Event)> {
    let from = stage.seen().log.len();
    stage.poll();
    stage.seen().log[from..].to_vec()
}

/// Whoever sends little does not wait for what a flood has left over from the turn before.
#[test]
fn what_has_just_come_is_before_what_is_left_over() {
    let mut stage = stage();
    let (flooder, mut flood) = stage.connect();
    let (other, mut peer) = stage.connect();
    let all = vec![1; 32 * BUDGET];
    assert_eq!(stuff(&mut flood, &all), all.len());
    stage.until("the flood", |s| !s.seen().bytes(flooder).is_empty());
    assert_eq!(
        stage.seen().bytes(flooder).len(),
        BUDGET,
        "the rest is for later turns"
    );
    assert_eq!(stuff(&mut peer, b"ping"), 4);
    let served = loop {
        let happened = turn(&mut stage);
        let served: Vec<_> = happened.iter().filter_map(|(conn, _)| *conn).collect();
        if served != [flooder] {
            break served;
        }
    };
    assert_eq!(served, [other, flooder], "and each once");
    assert!(stage.seen().bytes(flooder).len() < all.len());
}

/// What is put off to a timer is done after what has come meanwhile.
#[test]
fn what_has_just_come_is_before_timers() {
    let mut stage = stage();
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"ping"), 4);
    stage.rig.network.pass(Duration::from_millis(10));
    stage.driver.with(|_, net| {
        net.set_timer(net.now(), 7);
    });
    let happened = turn(&mut stage);
    assert!(
        matches!(&happened[..], [(Some(first), received), (None, Event::Timer(7))]
            if *first == conn && received.is_received()),
        "{happened:?}"
    );
}

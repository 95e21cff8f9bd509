//! A canary for each fault: what can be seen of it from outside, and that the contract holds beside it.

use crate::Rig;
use crate::common::{after_opening, count, first, stage};
use sockman::{Config, DialError, DialOptions, SockMan};
use sockman_backends::sim::{Fault, Occurrence, Plan, When};
use sockman_tests::{Event, Host as _, Recorder, Rig as _, Stage, pattern, stuff};
use std::io::ErrorKind;
use std::time::Duration;

/// The test that stands for each fault: one that has none does not compile.
#[test]
fn every_fault_has_a_canary() {
    let canary = |fault| -> fn() {
        match fault {
            Fault::ShortRead => a_short_read_gets_less_and_loses_nothing,
            Fault::ShortWrite => a_short_write_leaves_the_rest_for_later,
            Fault::ReadAgain => a_read_that_finds_nothing_is_made_again,
            Fault::WriteAgain => a_write_that_finds_no_room_is_made_again,
            Fault::AcceptAgain => an_accept_that_finds_nothing_is_made_again,
            Fault::Interrupted => an_interrupted_wait_is_a_turn_without_events,
            Fault::NoBuffers => want_of_buffers_is_a_failure_with_its_error,
            Fault::Reset => a_reset_on_the_way_lets_a_prefix_through,
            Fault::AcceptFiles => want_of_descriptors_rests_the_listener_and_it_recovers,
            Fault::AcceptAborted => an_aborted_connection_is_counted_and_the_next_one_taken,
            Fault::DialFailed | Fault::DialRefused | Fault::DialUnreachable => dials_fail_in_three_ways,
            Fault::Lost => a_lost_packet_arrives_when_it_is_sent_again,
            Fault::Partition => a_partition_holds_everything_up_until_it_heals,
            Fault::Spurious => a_spurious_event_harms_nobody,
            Fault::Shuffled => shuffled_events_come_in_another_order,
            Fault::WakeLate => late_wakes_are_one_and_not_lost,
            Fault::ClockJump => a_clock_leaps,
            Fault::Stalled => a_host_stops_for_a_while,
            Fault::Crash => a_crash_takes_everything_and_tells_nobody,
        }
    };
    let canaries: Vec<_> = Fault::ALL.into_iter().map(canary).collect();
    assert_eq!(canaries.len(), Fault::ALL.len());
}

#[test]
fn a_short_read_gets_less_and_loses_nothing() {
    let (mut stage, conn, mut peer) = after_opening(Fault::ShortRead, Recorder::new());
    let data = pattern(100, 1);
    assert_eq!(stuff(&mut peer, &data), 100);
    stage.until("all of it", |s| s.seen().bytes(conn).len() == 100);
    assert_eq!(count(&stage, Fault::ShortRead), 1);
    let pieces = stage.seen().count(Event::is_received);
    assert_eq!((pieces, stage.seen().bytes(conn)), (2, &data[..]));
}

#[test]
fn a_short_write_leaves_the_rest_for_later() {
    let (mut stage, conn, mut peer) = after_opening(Fault::ShortWrite, Recorder::new());
    let data = pattern(1000, 2);
    stage.send(conn, &data).expect("open");
    let mut heard = vec![0; 1000];
    let count = peer.read(&mut heard).expect("some of it");
    assert!(count < 1000, "{count}");
    heard.truncate(count);
    heard.extend(stage.read(&mut peer, 1000 - count));
    assert_eq!(heard, data);
}

#[test]
fn a_read_that_finds_nothing_is_made_again() {
    let (mut stage, conn, mut peer) = after_opening(Fault::ReadAgain, Recorder::new());
    assert_eq!(stuff(&mut peer, b"there"), 5);
    stage.poll();
    assert_eq!(stage.seen().bytes(conn), b"");
    stage.poll();
    assert_eq!(stage.seen().bytes(conn), b"there");
}

#[test]
fn a_write_that_finds_no_room_is_made_again() {
    let (mut stage, conn, mut peer) = after_opening(Fault::WriteAgain, Recorder::new());
    stage.send(conn, b"later").expect("open");
    let none = peer.read(&mut [0; 5]).expect_err("nothing was written");
    assert_eq!(none.kind(), ErrorKind::WouldBlock);
    assert_eq!(stage.read(&mut peer, 5), b"later");
}

#[test]
fn an_accept_that_finds_nothing_is_made_again() {
    let mut stage = stage(first(Fault::AcceptAgain), Recorder::new());
    let at = stage.at.clone();
    let _peer = stage.rig.connect(&at);
    stage.poll();
    assert_eq!(stage.seen().opened().len(), 0);
    stage.poll();
    assert_eq!(stage.seen().opened().len(), 1);
}

#[test]
fn an_interrupted_wait_is_a_turn_without_events() {
    let (mut stage, conn, mut peer) = after_opening(Fault::Interrupted, Recorder::new());
    assert_eq!(stuff(&mut peer, b"there"), 5);
    let turn = stage.driver.turn(Some(Duration::ZERO)).expect("no failure");
    assert_eq!((turn.events, stage.seen().bytes(conn).len()), (0, 0));
    stage.poll();
    assert_eq!(stage.seen().bytes(conn), b"there");
}

/// Read, write and accept are interrupted too, and nothing is lost by it.
#[test]
fn interrupted_calls_are_made_again() {
    let plan = Plan::new(3).with(Fault::Interrupted, When::Every(2));
    let mut stage = stage(plan, Recorder::echo());
    let (_, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"there and back"), 14);
    assert_eq!(stage.read(&mut peer, 14), b"there and back");
    assert!(count(&stage, Fault::Interrupted) >= 4);
}

#[test]
fn want_of_buffers_is_a_failure_with_its_error() {
    let (mut stage, conn, _peer) = after_opening(Fault::NoBuffers, Recorder::new());
    stage.send(conn, b"lost").expect("queued");
    let why = stage.closing(conn);
    assert_eq!(why.name(), "failed");
    assert!(why.to_string().contains("No buffer space"), "{why}");
}

#[test]
fn a_reset_on_the_way_lets_a_prefix_through() {
    let (mut stage, conn, mut peer) = after_opening(Fault::Reset, Recorder::new());
    let data = pattern(1000, 3);
    stage.send(conn, &data).expect("open");
    let (heard, end) = stage.read_end(&mut peer);
    assert_eq!(end.expect_err("reset").kind(), ErrorKind::ConnectionReset);
    assert!(data.starts_with(&heard) && heard.len() < 1000);
    assert_eq!(stage.closing(conn).name(), "reset");
}

#[test]
fn want_of_descriptors_rests_the_listener_and_it_recovers() {
    let mut stage = stage(first(Fault::AcceptFiles), Recorder::new());
    let at = stage.at.clone();
    let _peer = stage.rig.connect(&at);
    stage.poll();
    assert_eq!(
        (stage.stats().accept_backoffs, stage.seen().opened().len()),
        (1, 0)
    );
    let since = stage.rig.now();
    stage.until("open", |s| s.seen().opened().len() == 1);
    assert!(stage.rig.now() - since >= Duration::from_millis(90));
    assert_eq!(stage.stats().accepts, 1);
}

/// The same by the limit itself, and a connection that closes ends the rest.
#[test]
fn a_host_has_no_more_descriptors_than_its_limit() {
    let rig = Rig::new();
    rig.near.set_descriptors(3);
    let config = Config {
        max_connections: Some(100),
        ..Config::default()
    };
    let mut stage = Stage::on(rig, &config, Recorder::new());
    let at = stage.at.clone();
    let peers: Vec<_> = (0..4).map(|_| stage.rig.connect(&at)).collect();
    stage.poll();
    // The listener is one of the three.
    assert_eq!(
        (stage.seen().opened().len(), stage.stats().accept_backoffs),
        (2, 1)
    );
    let dial = stage.dial(&at, &DialOptions::key(1));
    stage.poll();
    assert!(
        matches!(stage.seen().failed_dials[..], [(1, DialError::Failed(_))]),
        "{dial}"
    );
    drop(peers);
    stage.until("all had their turn", |s| s.seen().opened().len() == 4);
}

#[test]
fn an_aborted_connection_is_counted_and_the_next_one_taken() {
    let mut stage = stage(first(Fault::AcceptAborted), Recorder::new());
    let at = stage.at.clone();
    let (gone, _peer) = (stage.rig.connect(&at), stage.rig.connect(&at));
    stage.poll();
    assert_eq!((stage.stats().accept_errors, stage.seen().opened().len()), (1, 1));
    let error = gone.read(&mut [0; 1]).expect_err("aborted");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

/// How a dial ends under a fault.
fn dial_under(fault: Fault) -> (Stage<Rig>, String) {
    let mut rig = Rig::planned(Plan::default());
    let host = rig.host();
    // What comes of a knock is the doing of the host that is knocked at, and that is spared; so the loop dials itself.
    let mut stage = Stage::on(rig, &Config::default(), Recorder::new());
    let at = stage.at.clone();
    stage.rig.network.set_plan(first(fault));
    stage.dial(&at, &DialOptions::key(7));
    stage.until("it fails", |s| s.seen().failed_dials.len() == 1);
    let name = format!("{:?}", stage.seen().failed_dials[0].1);
    stage.dial(&host.at(), &DialOptions::key(8));
    stage.until("the next one opens", |s| s.seen().opened().len() == 1);
    (stage, name)
}

#[test]
fn dials_fail_in_three_ways() {
    for (fault, name) in [
        (Fault::DialFailed, "Failed("),
        (Fault::DialRefused, "Refused("),
        (Fault::DialUnreachable, "Unreachable("),
    ] {
        let (stage, why) = dial_under(fault);
        assert!(why.starts_with(name), "{fault}: {why}");
        assert_eq!(stage.seen().failed_dials.len(), 1);
    }
}

#[test]
fn a_lost_packet_arrives_when_it_is_sent_again() {
    let (mut stage, conn, mut peer) = after_opening(Fault::Lost, Recorder::new());
    let since = stage.rig.now();
    stage.send(conn, b"lost ").expect("open");
    // Behind it, and not past it.
    stage.send(conn, b"and found").expect("open");
    assert_eq!(stage.read(&mut peer, 14), b"lost and found");
    assert!(stage.rig.now() - since >= Duration::from_millis(200));
}

#[test]
fn a_partition_holds_everything_up_until_it_heals() {
    let (mut stage, conn, mut peer) = after_opening(Fault::Partition, Recorder::new());
    stage.send(conn, b"patience").expect("open");
    let none = peer.read(&mut [0; 8]).expect_err("cut off");
    assert_eq!(none.kind(), ErrorKind::WouldBlock);
    let since = stage.rig.now();
    assert_eq!(stage.read(&mut peer, 8), b"patience");
    assert!(stage.rig.now() > since && stage.rig.now() - since < Duration::from_secs(11));
}

#[test]
fn a_spurious_event_harms_nobody() {
    let plan = Plan::new(9).with(Fault::Spurious, When::Every(1));
    let mut stage = stage(plan, Recorder::echo());
    let at = stage.at.clone();
    let mut peer = stage.rig.connect(&at);
    let turn = stage.driver.turn(Some(Duration::ZERO)).expect("a turn");
    assert_eq!(turn.events, 2, "one is not so");
    assert_eq!(stuff(&mut peer, b"true"), 4);
    assert_eq!(stage.read(&mut peer, 4), b"true");
}

#[test]
fn shuffled_events_come_in_another_order() {
    let order = |plan: Plan| {
        let mut stage = stage(Plan::default(), Recorder::new());
        let mut all: Vec<_> = (0..6).map(|_| stage.connect()).collect();
        stage.rig.network.set_plan(plan);
        for (_, peer) in &mut all {
            assert_eq!(stuff(peer, b"x"), 1);
        }
        stage.poll();
        let log = &stage.seen().log;
        log.iter()
            .filter(|(_, event)| event.is_received())
            .map(|(conn, _)| *conn)
            .collect::<Vec<_>>()
    };
    let (usual, other) = (order(Plan::default()), order(first(Fault::Shuffled)));
    assert_eq!((usual.len(), other.len()), (6, 6));
    assert_ne!(usual, other);
}

#[test]
fn late_wakes_are_one_and_not_lost() {
    // (Some are late by nanoseconds.)
    let took: Vec<_> = (0..10).map(late_wake).collect();
    assert!(
        took.iter().any(|took| *took > Duration::from_millis(1)),
        "{took:?}"
    );
    assert!(
        took.iter().all(|took| *took <= Duration::from_millis(11)),
        "{took:?}"
    );
}

/// How long a wake takes that a plan of this seed makes late, and those that come meanwhile.
fn late_wake(seed: u64) -> Duration {
    let (mut stage, _, _peer) = after_opening(Fault::WakeLate, Recorder::new());
    let (remote, network) = (stage.driver.remote(), stage.rig.network.clone());
    // Nothing else is to wake it.
    stage.idle();
    network.set_plan(Plan::new(seed).with(Fault::WakeLate, When::At(0)));
    let since = stage.rig.now();
    let mut asked = false;
    let ran = network.run_until(&mut stage.driver, Duration::from_secs(1), |driver| {
        if !std::mem::replace(&mut asked, true) {
            remote.wake();
            remote.wake();
        }
        driver.handler().count(|event| *event == Event::Woken) > 0
    });
    assert!(ran.expect("no turn fails").is_done());
    let took = stage.rig.now() - since;
    stage.idle();
    assert_eq!(stage.seen().count(|event| *event == Event::Woken), 1);
    took
}

#[test]
fn a_clock_leaps() {
    let (mut stage, _, _peer) = after_opening(Fault::ClockJump, Recorder::new());
    let (before, clock) = (stage.rig.now(), stage.rig.near.now());
    stage.poll();
    let passed = stage.rig.now() - before;
    assert!(stage.rig.near.now() - clock > passed, "ahead of the network");
    assert!(
        stage.rig.far.now() - clock <= passed,
        "the peer's clock has not leapt"
    );
    // Timers go by the host's own clock.
    stage
        .driver
        .with(|_, net| net.set_timer(net.now() + Duration::from_millis(5), 1));
    stage.until("the timer", |s| {
        s.seen().count(|event| *event == Event::Timer(1)) == 1
    });
    assert!(stage.rig.now() - before < Duration::from_millis(20));
}

#[test]
fn a_host_stops_for_a_while() {
    // (Some stalls last a nanosecond; of several, one does not.)
    let plan = Plan::new(2).with(Fault::Stalled, When::First(10));
    let mut stage = stage(plan, Recorder::new());
    let since = stage.rig.now();
    for _ in 0..10 {
        stage.poll();
    }
    assert!(stage.rig.now() - since > Duration::from_millis(5));
    assert_eq!(count(&stage, Fault::Stalled), 10);
}

#[test]
fn a_crash_takes_everything_and_tells_nobody() {
    let (mut stage, conn, mut peer) = after_opening(Fault::Crash, Recorder::echo());
    let near = stage.rig.near.clone();
    assert!(stage.rig.network.occurs(Fault::Crash, &near).is_some());
    assert!(
        stage.rig.network.occurs(Fault::Crash, &near).is_none(),
        "once was asked for"
    );
    near.crash();
    assert_eq!(stuff(&mut peer, b"anybody?"), 8);
    stage.rig.pass(Duration::from_secs(1));
    let none = peer.read(&mut [0; 8]).expect_err("nobody");
    assert_eq!(none.kind(), ErrorKind::WouldBlock, "and nobody says so");
    assert!(
        stage.driver.turn(Some(Duration::ZERO)).is_err(),
        "there is no host to run on"
    );
    assert_eq!(
        stage.send(conn, b"still"),
        Ok(sockman::Sent::Queued(5)),
        "a dead loop has not heard of it"
    );
    // The host comes back and knows nothing of the connection.
    near.restart();
    let again = near.backend(&Config::default()).expect("a new loop");
    stage.driver = sockman::Driver::with_backend(again, Recorder::echo());
    stage.rig.pass(Duration::from_secs(1));
    let reset = peer.read(&mut [0; 8]).expect_err("reset");
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    let at = stage.at.clone();
    stage
        .driver
        .with(|_, net| net.listen(&at, &sockman::ListenOptions::default()))
        .expect("the port is free");
    let (_, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"again"), 5);
    assert_eq!(stage.read(&mut peer, 5), b"again");
}

/// A fault can be asked for at a moment.
#[test]
fn a_fault_happens_at_its_time() {
    let plan = Plan::new(1).at(Fault::ReadAgain, Duration::from_secs(3));
    let mut stage = stage(plan, Recorder::new());
    let (conn, mut peer) = stage.connect();
    for (wait, expected) in [(0, 1), (1, 2), (2, 2)] {
        stage.rig.pass(Duration::from_secs(wait));
        assert_eq!(stuff(&mut peer, b"x"), 1);
        stage.poll();
        assert_eq!(stage.seen().bytes(conn).len(), expected);
    }
    stage.poll();
    assert_eq!(stage.seen().bytes(conn).len(), 3);
}

/// What happened by chance can be made to happen again, without the chance, and written down.
#[test]
fn occurrences_are_repeated_by_name() {
    let run = |plan: Plan| {
        let mut stage = stage(plan, Recorder::echo());
        let (_, mut peer) = stage.connect();
        for round in 0..30 {
            let data = pattern(500, round);
            stage.write_all(&mut peer, &data);
            assert_eq!(stage.read(&mut peer, 500), data);
        }
        (stage.rig.network.happened(), stage.rig.network.elapsed())
    };
    let chance = run(Plan::new(77).by_chance(6));
    assert!(chance.0.len() > 10, "{:?}", chance.0);
    let texts: Vec<_> = chance.0.iter().map(ToString::to_string).collect();
    let named: Vec<Occurrence> = texts.iter().map(|text| text.parse().expect("a name")).collect();
    assert_eq!(run(Plan::new(77).only(&named)), chance);
    for bad in ["", "ShortRead", "ShortRead@", "ShortRead@x", "Nothing@1"] {
        assert!(bad.parse::<Occurrence>().is_err(), "{bad}");
    }
}

/// A dial's own host is not spared its faults, its listener's is: what a dial meets is the business of both ends.
#[test]
fn spared_hosts_meet_no_fault() {
    let plan = Plan::new(4).with(Fault::DialRefused, When::Every(1));
    let mut stage = stage(plan, Recorder::new());
    let host = stage.rig.host();
    stage.dial(&host.at(), &DialOptions::key(1));
    stage.until("open", |s| s.seen().opened().len() == 1);
    assert_eq!(count(&stage, Fault::DialRefused), 0);
}

//! Time, ways, windows and hosts.

use crate::Rig;
use crate::common::stage;
use sockman::{
    Backend as _, Closed, Config, Conn, DialOptions, Driver, Handler, ListenOptions, Origin, SockMan,
};
use sockman_backends::sim::{Link, Network, Plan, Ran, Settings, Sim, SimLevel, Tracing};
use sockman_tests::{Event, Host as _, Recorder, Rig as _, Stage, pattern, stuff};
use std::io::ErrorKind;
use std::num::NonZeroU64;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn between(link: Link) -> Stage<Rig> {
    let rig = Rig::new();
    rig.network.set_link(&rig.near, &rig.far, link);
    Stage::on(rig, &Config::default(), Recorder::echo())
}

/// A connection that the loop dials, with its other end.
fn dialled(stage: &mut Stage<Rig>) -> (Conn, <Rig as sockman_tests::Rig>::Peer) {
    let mut host = stage.rig.host();
    let conn = stage.dial(&host.at(), &DialOptions::default());
    stage.until("open", |s| s.seen().opened() == [conn]);
    let mut peer = None;
    stage.until("confirmed", |_| {
        peer = host.accept();
        peer.is_some()
    });
    (conn, peer.expect("just accepted"))
}

#[test]
fn latency_is_the_time_of_each_packet() {
    let mut stage = between(Link::latency(7 * MS));
    let since = stage.rig.now();
    let (conn, mut peer) = dialled(&mut stage);
    // There, back and there.
    let took = stage.rig.now() - since;
    assert!(took >= 21 * MS && took < 27 * MS, "{took:?}");
    let since = stage.rig.now();
    assert_eq!(stuff(&mut peer, b"echo"), 4);
    assert_eq!(stage.read(&mut peer, 4), b"echo");
    let took = stage.rig.now() - since;
    assert!(took >= 14 * MS && took < 30 * MS, "{took:?}");
    assert_eq!(stage.seen().bytes(conn), b"echo");
}

#[test]
fn jitter_varies_and_keeps_the_order() {
    let link = Link {
        latency: MS,
        jitter: 20 * MS,
        bandwidth: None,
    };
    let mut stage = between(link);
    let (conn, mut peer) = dialled(&mut stage);
    let mut times = Vec::new();
    for round in 0..20_u8 {
        let since = stage.rig.now();
        stage.send(conn, &[round]).expect("open");
        assert_eq!(stage.hear(&mut peer, 1), [round]);
        times.push((stage.rig.now() - since).as_millis());
    }
    assert!(times.iter().max() > times.iter().min(), "{times:?}");
    for round in 0..50_u8 {
        stage.send(conn, &[round]).expect("open");
    }
    assert_eq!(stage.hear(&mut peer, 50), (0..50).collect::<Vec<_>>());
}

#[test]
fn bandwidth_is_bytes_per_second() {
    let link = Link {
        bandwidth: NonZeroU64::new(100_000),
        ..Link::default()
    };
    let mut stage = between(link);
    let (conn, mut peer) = dialled(&mut stage);
    let since = stage.rig.now();
    for seed in 0..5 {
        stage.send(conn, &pattern(10_000, seed)).expect("open");
    }
    stage.read(&mut peer, 50_000);
    let took = stage.rig.now() - since;
    assert!(took >= 500 * MS && took < 520 * MS, "{took:?}");
}

#[test]
fn a_sender_sees_a_full_peer() {
    let mut stage = stage(Plan::default(), Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| net.pause(conn));
    let data = pattern(1 << 20, 4);
    let window = stuff(&mut peer, &data);
    assert_eq!(window, Settings::default().window);
    let full = peer.write(b"x").expect_err("full");
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    stage.driver.with(|_, net| net.resume(conn));
    stage.until("all read", |s| s.seen().bytes(conn).len() == window);
    assert_eq!(stuff(&mut peer, &data[window..]), window);
}

#[test]
fn a_partition_heals_and_nothing_is_lost() {
    let mut stage = between(Link::latency(MS));
    let (conn, mut peer) = dialled(&mut stage);
    let (near, far) = (stage.rig.near.clone(), stage.rig.far.clone());
    stage.rig.network.part(&near, &far);
    stage.send(conn, b"held").expect("open");
    peer.finish().expect("connected");
    for _ in 0..100 {
        stage.driver.turn(Some(MS * 10)).expect("a turn");
    }
    assert_eq!(
        peer.read(&mut [0; 4]).expect_err("cut").kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(stage.of(conn).len(), 1, "and no end is heard of");
    stage.rig.network.heal(&near, &far);
    assert_eq!(stage.read(&mut peer, 4), b"held");
    assert_eq!(stage.closing(conn).name(), "flushed");
}

#[test]
fn a_black_hole_answers_nothing() {
    let mut stage = stage(Plan::default(), Recorder::new());
    let hole = std::net::Ipv4Addr::new(192, 0, 2, 7);
    stage.rig.network.black_hole(hole.into());
    let how = DialOptions {
        timeout: Duration::from_secs(3),
        ..DialOptions::default()
    };
    stage.dial(&sockman::Endpoint::Tcp((hole, 1).into()), &how);
    let since = stage.rig.now();
    stage.until("it fails", |s| s.seen().failed_dials.len() == 1);
    assert_eq!(format!("{:?}", stage.seen().failed_dials[0].1), "TimedOut");
    assert_eq!((stage.rig.now() - since).as_secs(), 3);
}

#[test]
fn a_peer_that_is_cut_off_for_good_is_given_up() {
    let mut stage = between(Link::latency(MS));
    let (conn, _peer) = dialled(&mut stage);
    stage.rig.network.part(&stage.rig.near, &stage.rig.far);
    stage.send(conn, b"hello?").expect("open");
    // Linux's tcp_retries2 lasts a quarter of an hour.
    stage
        .driver
        .turn(Some(Duration::from_secs(1000)))
        .expect("a turn");
    assert_eq!(stage.closing(conn).name(), "failed");
}

#[test]
fn resets_between_hosts_reach_both_ends() {
    let mut stage = stage(Plan::default(), Recorder::new());
    let (conn, peer) = stage.connect();
    let (near, far) = (stage.rig.near.clone(), stage.rig.far.clone());
    stage.rig.network.reset(&near, &far);
    assert_eq!(
        peer.read(&mut [0; 1]).expect_err("reset").kind(),
        ErrorKind::ConnectionReset
    );
    assert_eq!(stage.closing(conn).name(), "reset");
}

/// Without a limit, and with nothing that could end it, a wait says so instead of never returning.
#[test]
fn a_wait_that_would_never_end_fails() {
    let mut stage = stage(Plan::default(), Recorder::new());
    let error = stage.driver.turn(None).expect_err("nothing can happen");
    assert_eq!(error.kind(), ErrorKind::Deadlock);
}

#[test]
fn a_simulated_backend_is_not_made_from_settings_alone() {
    let error = Sim::new(&Config::default()).err().expect("there is no network");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let error = SimLevel::new(&Config::default())
        .err()
        .expect("there is no network");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// Sends its first word to each that it meets, and each that it hears back, until it has heard `rounds`.
struct PingPong {
    rounds: u32,
}

impl Handler for PingPong {
    type Session = ();
    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        if origin.key == 1 {
            let _ = net.send(conn, b"ping");
        }
        Some(())
    }
    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        self.rounds -= 1;
        if self.rounds > 0 {
            let _ = net.send(conn, data);
        }
        data.len()
    }
}

/// Two loops in virtual time, of either kind of trigger: the same seed gives the same trace, another seed another.
#[test]
fn loops_of_several_hosts_run_by_the_next_event() {
    let run = |seed| {
        let link = Link {
            latency: 50 * MS,
            jitter: 10 * MS,
            bandwidth: None,
        };
        let network = Network::new(Settings {
            seed,
            link,
            tracing: Tracing::Text,
            ..Settings::default()
        });
        let (near, far) = (network.host(), network.host());
        let here = near.backend::<Sim>(&Config::default()).expect("a backend");
        let there = far.backend::<SimLevel>(&Config::default()).expect("a backend");
        let mut here = Driver::with_backend(here, PingPong { rounds: 100 });
        let mut there = Driver::with_backend(there, PingPong { rounds: 100 });
        here.with(|_, net| net.listen(&near.at(7), &ListenOptions::default()))
            .expect("free");
        there
            .with(|_, net| net.dial(&near.at(7), &DialOptions::key(1)))
            .expect("right");
        let mut loops = (here, there);
        let short = network.run_until(&mut loops, Duration::from_secs(1), |_| false);
        assert_eq!(short.expect("no turn fails"), Ran::TimeUp);
        assert_eq!(network.elapsed(), Duration::from_secs(1));
        let ran = network.run_until(&mut loops, Duration::from_secs(60), |(here, _)| {
            here.handler().rounds == 0
        });
        assert_eq!(ran.expect("no turn fails"), Ran::Done);
        let took = network.elapsed();
        assert!(
            took > Duration::from_secs(10) && took < Duration::from_secs(13),
            "{took:?}"
        );
        let quiet = network.run_until(&mut loops, Duration::from_secs(60), |_| false);
        assert_eq!(
            quiet.expect("no turn fails"),
            Ran::Quiet,
            "nobody has anything to do"
        );
        network.note(format_args!("the end of {seed}"));
        (network.trace_hash(), network.trace())
    };
    let (hash, text) = run(1);
    assert_eq!(run(1), (hash, text.clone()));
    assert_ne!(run(2).0, hash);
    for word in [
        "h0 listen",
        "h1 dial",
        "h0 accept",
        "h1 write",
        "h0 read",
        "the end of 1",
    ] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

/// Loops that are always busy do not outlast the limit.
#[test]
fn busy_loops_keep_to_the_limit() {
    let network = Network::new(Settings::default());
    let (near, far) = (network.host(), network.host());
    let here = near.backend::<Sim>(&Config::default()).expect("a backend");
    let there = far.backend::<Sim>(&Config::default()).expect("a backend");
    let mut here = Driver::with_backend(here, PingPong { rounds: 100_000 });
    let mut there = Driver::with_backend(there, PingPong { rounds: 100_000 });
    here.with(|_, net| net.listen(&near.at(7), &ListenOptions::default()))
        .expect("free");
    there
        .with(|_, net| net.dial(&near.at(7), &DialOptions::key(1)))
        .expect("right");
    let ran = network.run_until(&mut (here, there), 10 * MS, |_| false);
    assert_eq!(ran.expect("no turn fails"), Ran::TimeUp);
    assert!(network.elapsed() < 11 * MS);
}

/// A refusal that does not get through is not the last word: the dial knocks again.
#[test]
fn a_refusal_that_is_lost_comes_again() {
    let mut stage = between(Link::latency(MS));
    let nowhere = sockman_tests::Rig::nowhere(&mut stage.rig);
    let how = DialOptions {
        timeout: Duration::from_secs(100),
        ..DialOptions::default()
    };
    stage.dial(&nowhere, &how);
    let (near, far) = (stage.rig.near.clone(), stage.rig.far.clone());
    stage.rig.pass(MS);
    stage.rig.network.part(&near, &far);
    stage.rig.pass(500 * MS);
    assert_eq!(stage.seen().failed_dials.len(), 0);
    stage.rig.network.heal(&near, &far);
    stage.until("it fails", |s| s.seen().failed_dials.len() == 1);
    assert!(format!("{:?}", stage.seen().failed_dials[0].1).starts_with("Refused("));
}

/// A loop does not notice how many do nothing: a message costs three calls and one turn beside a hundred thousand.
#[test]
fn a_hundred_thousand_idle_connections_cost_nothing() {
    const IDLE: usize = 100_000;
    let network = Network::new(Settings {
        descriptors: usize::MAX,
        ..Settings::default()
    });
    let near = network.host();
    let config = Config {
        max_connections: Some(IDLE + 1),
        ..Config::default()
    };
    let backend = near.backend::<Sim>(&config).expect("a backend");
    let mut driver = Driver::with_backend(backend, PingPong { rounds: u32::MAX });
    driver
        .with(|_, net| net.listen(&near.at(7), &ListenOptions::default()))
        .expect("free");
    let mut crowd = Vec::new();
    while crowd.len() < IDLE {
        let far = network.host();
        crowd.extend((0..1_000).map(|_| far.connect(&near.at(7)).expect("the backlog has room")));
        while driver.turn(Some(Duration::ZERO)).expect("a turn").more {}
    }
    assert_eq!(driver.with(|_, net| net.connections()), IDLE);
    let counters = |driver: &mut Driver<Sim, PingPong>| {
        driver.with(|_, net| (net.stats().turns, net.stats().syscalls.total()))
    };
    let before = counters(&mut driver);
    for peer in crowd.iter().step_by(IDLE / 100) {
        peer.write(b"ping").expect("there is room");
        driver.turn(Some(Duration::ZERO)).expect("a turn");
        assert_eq!(peer.read(&mut [0; 9]).expect("an answer"), 4);
    }
    let after = counters(&mut driver);
    // A wait, a read and a write.
    assert_eq!((after.0 - before.0, after.1 - before.1), (100, 300));
}

/// `run` takes turns, in virtual time, until the loop was stopped and everything is closed.
#[test]
fn stop_ends_run_once_everything_is_flushed() {
    let mut stage = stage(Plan::default(), Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.send(conn, b"the last words").expect("open");
    let since = stage.rig.now();
    stage
        .driver
        .remote()
        .stop(Duration::from_secs(30))
        .expect("the loop is there");
    // The peer never closes: the limit ends it.
    stage.driver.run().expect("no turn fails");
    assert_eq!((stage.rig.now() - since).as_secs(), 30);
    assert_eq!(stage.hear(&mut peer, 14), b"the last words");
    assert_eq!(stage.closing(conn).name(), "flushed");
}

/// A connection that the kernel gives up ends with that error, whichever it is; what had been received before is still
/// delivered, and a pause still respected.
#[test]
fn what_came_before_a_connection_was_given_up_is_delivered() {
    let mut ways = std::collections::BTreeSet::new();
    for seed in 0..12 {
        let network = Network::new(Settings {
            seed,
            ..Settings::default()
        });
        let (near, far) = (network.host(), network.host());
        let backend = near.backend::<Sim>(&Config::default()).expect("a backend");
        let mut driver = Driver::with_backend(backend, Recorder::new());
        driver
            .with(|_, net| net.listen(&near.at(7), &ListenOptions::default()))
            .expect("free");
        let peer = far.connect(&near.at(7)).expect("it listens");
        driver.turn(Some(Duration::ZERO)).expect("a turn");
        let conn = driver.handler().opened()[0];
        driver.with(|_, net| net.pause(conn));
        peer.write(b"before").expect("connected");
        network.part(&near, &far);
        driver
            .with(|_, net| net.send(conn, b"into the void"))
            .expect("open");
        network.pass(Duration::from_secs(1_000));
        // Hears of it, and is paused.
        driver.with(|_, net| net.send(conn, b"again")).expect("open");
        for _ in 0..3 {
            driver.turn(Some(MS)).expect("a turn");
        }
        assert!(driver.handler().reason(conn).is_none(), "told while paused");
        driver.with(|_, net| net.resume(conn));
        for _ in 0..3 {
            driver.turn(Some(MS)).expect("a turn");
        }
        assert_eq!(driver.handler().bytes(conn), b"before", "seed {seed}");
        match driver.handler().reason(conn) {
            Some(Closed::Failed(error)) => ways.insert(format!("{:?}", error.kind())),
            other => panic!("seed {seed}: {other:?}"),
        };
    }
    assert_eq!(
        ways.into_iter().collect::<Vec<_>>(),
        ["HostUnreachable", "TimedOut"]
    );
}

/// A clock that is put forward takes its loop's timers along, and nobody else's.
#[test]
fn a_clock_may_be_put_forward() {
    let mut stage = stage(Plan::default(), Recorder::new());
    let before = stage.rig.now();
    stage
        .driver
        .with(|_, net| net.set_timer(net.now() + Duration::from_secs(3600), 1));
    stage.idle();
    stage.rig.near.leap(Duration::from_secs(3600));
    stage.until("the timer", |s| {
        s.seen().count(|event| *event == Event::Timer(1)) == 1
    });
    assert!(stage.rig.now() - before < Duration::from_secs(1));
}

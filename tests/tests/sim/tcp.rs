//! What TCP does, where simulations are easily wrong: with plain sockets, without any loop.

use sockman::ListenOptions;
use sockman_backends::sim::{Fault, Host, Link, Network, Plain, PlainListener, Plan, Settings, When};
use std::io::{self, ErrorKind};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// Two hosts that are a millisecond apart, and a listener on the first.
struct Wire {
    network: Network,
    near: Host,
    far: Host,
    listener: PlainListener,
}

impl Wire {
    fn new(settings: Settings, backlog: u32) -> Wire {
        let link = Link::latency(MS);
        let network = Network::new(Settings { link, ..settings });
        let (near, far) = (network.host(), network.host());
        let how = ListenOptions {
            backlog,
            ..ListenOptions::default()
        };
        let listener = near.listen(&near.at(80), &how).expect("the port is free");
        Wire {
            network,
            near,
            far,
            listener,
        }
    }

    fn dial(&self) -> Plain {
        self.far.connect(&self.near.at(80)).expect("it dials")
    }

    /// Both ends of a connection.
    fn pair(&self) -> (Plain, Plain) {
        let caller = self.dial();
        self.network.pass(10 * MS);
        (caller, self.listener.accept().expect("it is there"))
    }
}

/// Reads to the end, or to an error.
fn all(socket: &Plain) -> (Vec<u8>, io::Result<()>) {
    let mut data = Vec::new();
    let mut buffer = [0; 64];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return (data, Ok(())),
            Ok(count) => data.extend_from_slice(&buffer[..count]),
            Err(error) => return (data, Err(error)),
        }
    }
}

/// A client may be gone before its connection is accepted: what it said is still there, and its end.
#[test]
fn a_client_that_speaks_and_leaves_at_once_is_heard() {
    let wire = Wire::new(Settings::default(), 8);
    let client = wire.dial();
    wire.network.pass(2 * MS);
    assert!(client.is_connected().expect("answered"));
    assert_eq!(client.write(b"fire and forget").expect("connected"), 15);
    drop(client);
    wire.network.pass(10 * MS);
    let server = wire.listener.accept().expect("it was connected");
    let (data, end) = all(&server);
    assert_eq!((&data[..], end.is_ok()), (&b"fire and forget"[..], true));
}

/// A socket that was closed in order sends what it has to, however late, whatever comes meanwhile.
#[test]
fn what_was_sent_before_an_orderly_close_arrives_late_and_whole() {
    let wire = Wire::new(Settings::default(), 8);
    let (client, server) = wire.pair();
    wire.network.set_plan(Plan::new(1).with(Fault::Lost, When::At(0)));
    assert_eq!(server.write(b"greeting").expect("connected"), 8);
    drop(server);
    client.finish().expect("connected");
    wire.network.pass(Duration::from_secs(100));
    let (data, end) = all(&client);
    assert_eq!((&data[..], end.is_ok()), (&b"greeting"[..], true));
}

/// Bytes for a socket that is gone, or over, are answered by RST.
#[test]
fn who_writes_to_nobody_is_reset() {
    let wire = Wire::new(Settings::default(), 8);
    let (client, server) = wire.pair();
    drop(server);
    wire.network.pass(10 * MS);
    assert_eq!(client.write(b"hello?").expect("nobody has said no"), 6);
    wire.network.pass(10 * MS);
    assert_eq!(
        client.write(b"hello?").expect_err("reset").kind(),
        ErrorKind::BrokenPipe
    );
    // One end has been reset, and the other has not heard of it.
    let (client, server) = wire.pair();
    wire.network
        .set_plan(Plan::new(1).with(Fault::Reset, When::At(0)));
    wire.network.part(&wire.near, &wire.far);
    let _ = client.write(b"x");
    wire.network.pass(10 * MS);
    wire.network.heal(&wire.near, &wire.far);
    wire.network.pass(Duration::from_secs(1));
    assert_eq!(
        all(&client).1.expect_err("reset").kind(),
        ErrorKind::ConnectionReset
    );
    server.write(b"hello?").expect("nobody has said no");
    wire.network.pass(10 * MS);
    assert_eq!(
        all(&server).1.expect_err("reset").kind(),
        ErrorKind::ConnectionReset
    );
}

/// A host that is gone between SYN and SYN-ACK does not keep its place in the backlog.
#[test]
fn half_open_connections_expire() {
    let wire = Wire::new(Settings::default(), 0);
    let client = wire.dial();
    wire.network.pass(MS + MS / 2);
    wire.far.crash();
    drop(client);
    wire.network.pass(Duration::from_secs(3600));
    let third = wire.network.host();
    let client = third.connect(&wire.near.at(80)).expect("it dials");
    wire.network.pass(Duration::from_secs(10));
    assert!(client.is_connected().expect("answered"));
}

/// A dial whose answers never arrive is given up after Linux's six retries.
#[test]
fn a_dial_whose_answers_are_held_times_out() {
    let wire = Wire::new(Settings::default(), 8);
    let client = wire.dial();
    wire.network.pass(MS + MS / 2);
    wire.network.part(&wire.near, &wire.far);
    wire.network.pass(Duration::from_secs(60));
    assert!(!client.is_connected().expect("not yet"));
    wire.network.pass(Duration::from_secs(100));
    assert_eq!(
        client.is_connected().expect_err("given up").kind(),
        ErrorKind::TimedOut
    );
}

#[test]
fn aborted_accepts_keep_no_descriptor() {
    let settings = Settings {
        descriptors: 2,
        plan: Plan::new(1).with(Fault::AcceptAborted, When::First(3)),
        ..Settings::default()
    };
    let wire = Wire::new(settings, 8);
    let clients = [wire.dial(), wire.dial()];
    // The client's host has a limit too.
    let third = wire.network.host();
    let others = [
        third.connect(&wire.near.at(80)).expect("it dials"),
        third.connect(&wire.near.at(80)).expect("it dials"),
    ];
    wire.network.pass(10 * MS);
    for _ in 0..3 {
        assert_eq!(
            wire.listener.accept().err().map(|e| e.kind()),
            Some(ErrorKind::ConnectionAborted)
        );
        assert_eq!(wire.near.descriptors(), 1, "the listener's");
    }
    let server = wire.listener.accept().expect("there is a descriptor left");
    assert_eq!(wire.near.descriptors(), 2);
    drop((server, clients, others));
    assert_eq!((wire.near.descriptors(), wire.far.descriptors()), (1, 0));
}

/// A port is one socket's at a time.
#[test]
fn ports_are_taken_and_given_back() {
    let wire = Wire::new(Settings::default(), 8);
    let client = wire.dial();
    let at = client.local_addr().expect("it has an address");
    let taken = wire.far.listen(&at, &ListenOptions::default());
    assert_eq!(taken.err().map(|e| e.kind()), Some(ErrorKind::AddrInUse));
    drop(client);
    wire.far
        .listen(&at, &ListenOptions::default())
        .expect("it is free again");
    let (first, second) = (wire.dial(), wire.dial());
    assert_ne!(first.local_addr(), second.local_addr());
}

/// What a plan made happen at a moment happens again by name.
#[test]
fn occurrences_of_a_moment_are_repeated_by_name() {
    let run = |plan: Plan| {
        let wire = Wire::new(
            Settings {
                plan,
                ..Settings::default()
            },
            8,
        );
        let (client, server) = wire.pair();
        let mut came = Vec::new();
        for _ in 0..6 {
            client.write(b"x").expect("connected");
            wire.network.pass(Duration::from_secs(1));
            came.push(server.read(&mut [0; 9]).is_ok());
        }
        (wire.network.happened(), came)
    };
    let first = run(Plan::new(1).at(Fault::ReadAgain, Duration::from_secs(3)));
    assert_eq!(first.1.iter().filter(|came| !**came).count(), 1);
    assert_eq!(run(Plan::new(1).only(&first.0)), first);
}

/// What does not happen often, at a frequency of none, does not happen.
#[test]
fn nothing_happens_every_zeroth_time() {
    let plan = Plan::new(1)
        .with(Fault::ReadAgain, When::Every(0))
        .with(Fault::ShortRead, When::OneIn(0));
    let wire = Wire::new(
        Settings {
            plan,
            ..Settings::default()
        },
        8,
    );
    let (client, server) = wire.pair();
    client.write(b"all of it").expect("connected");
    wire.network.pass(10 * MS);
    assert_eq!(server.read(&mut [0; 20]).expect("it is there"), 9);
    assert_eq!(wire.network.count(), 0);
}

//! Contract 3: bytes arrive complete and in order, before `eof` or `closed`, also when they come with the hang-up.

use crate::recorder::{Event, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{Stage, pattern, stuff};
use sockman::{Config, SockMan};

/// A megabyte in a stream, whatever pieces it comes in.
pub fn bytes_arrive_in_order<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(1 << 20, 1);
    stage.write_all(&mut peer, &data);
    drop(peer);
    stage.closing(conn);
    assert!(
        stage.seen().bytes(conn) == data,
        "bytes were lost or changed places"
    );
}

/// What an echo sends back is what came, in order, while both directions are busy.
pub fn an_echo_returns_every_byte<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::echo());
    let (_, mut peer) = stage.connect();
    let data = pattern(3 << 20, 2);
    let (mut written, mut heard) = (0, Vec::new());
    stage.until("the echo is back", |_| {
        written += stuff(&mut peer, &data[written..]);
        crate::stage::take(&mut peer, &mut heard, usize::MAX).expect("the peer's read");
        heard.len() == data.len()
    });
    assert!(heard == data, "bytes were lost or changed places");
}

/// A few bytes and the end of the stream, reported in one event.
pub fn data_and_hang_up_in_one_event<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"last words"), 10);
    drop(peer);
    stage.closing(conn);
    assert_eq!(stage.seen().bytes(conn), b"last words");
    let events = stage.of(conn);
    assert_eq!(
        events[1..],
        [Event::Received(10), Event::Eof(0), Event::Closed("flushed")]
    );
}

/// The same when our side was half-closed before, so that the kernel reports both directions as hung up.
pub fn data_and_hang_up_after_our_half_close<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| net.finish(conn));
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard.is_empty() && end.is_ok());
    let data = pattern(100_000, 3);
    assert_eq!(
        stuff(&mut peer, &data),
        data.len(),
        "the socket's buffer takes it"
    );
    drop(peer);
    stage.closing(conn);
    assert!(stage.seen().bytes(conn) == data);
    assert_eq!(stage.seen().count(Event::is_eof), 1);
}

/// Much more than one read and one turn's budget takes, with the hang-up already reported.
pub fn a_long_tail_and_hang_up_in_one_event<R: Rig>() {
    let config = Config {
        read_buffer: 1 << 10,
        byte_budget: 4 << 10,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(100_000, 4);
    assert_eq!(
        stuff(&mut peer, &data),
        data.len(),
        "the socket's buffer takes it"
    );
    drop(peer);
    stage.closing(conn);
    assert!(stage.seen().bytes(conn) == data);
    assert_eq!(stage.seen().count(Event::is_eof), 1);
}

/// What fills the read buffer exactly is no sign that more is there, nor that the end is not.
pub fn a_read_that_fills_the_buffer_exactly_loses_nothing<R: Rig>() {
    let config = Config {
        read_buffer: 64,
        byte_budget: 64,
        ..Config::default()
    };
    for count in [63, 64, 65, 128] {
        let mut stage = Stage::<R>::with(&config, Recorder::echo());
        let (conn, mut peer) = stage.connect();
        let data = pattern(count, 5);
        assert_eq!(stuff(&mut peer, &data), count);
        assert_eq!(stage.read(&mut peer, count), data);
        assert_eq!(stuff(&mut peer, &data), count);
        drop(peer);
        stage.closing(conn);
        assert_eq!(stage.seen().bytes(conn), [&data[..], &data[..]].concat());
    }
}

/// Bytes that had arrived when the peer reset the connection are delivered before `closed` says so. TCP only.
pub fn bytes_before_a_reset_are_delivered<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(50_000, 6);
    assert_eq!(stuff(&mut peer, &data), data.len());
    peer.reset();
    stage.closing(conn);
    assert!(
        stage.seen().bytes(conn) == data,
        "{} of {}",
        stage.seen().bytes(conn).len(),
        data.len()
    );
    assert_eq!(stage.of(conn).last(), Some(&Event::Closed("reset")));
    assert_eq!(
        stage.seen().count(Event::is_eof),
        0,
        "a reset is no end of the stream"
    );
}

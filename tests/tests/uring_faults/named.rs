//! A test for each kind of fault: the connection goes on, and no byte is lost, doubled or given to another.

use sockman::{Bytes, Config, Disconnect, SockMan};
use sockman_backends::Uring;
use sockman_backends::uring::faults::{self, Fault, Plan, When, happened, install};
use sockman_tests::faults::{Crowd, can_inject};
use sockman_tests::{Event, Host, Peer, Real, Recorder, Rig, Stage, Tcp, Unix, embedding, pattern, wanting};
use std::time::Duration;

/// Everything leaves by the ring.
fn batching() -> Config {
    Config {
        batch_from: 0,
        accept_backoff: Duration::from_millis(5),
        ..Config::default()
    }
}

/// A crowd talks, and comes again, while `fault` happens at `when`, at least `least` times, over sockets of the rig.
fn crowd_with<R: Rig<Backend = Uring>>(fault: Fault, when: When, least: u64) -> Stage<R> {
    install(Plan::default().with(fault, when));
    let mut stage = Stage::<R>::with(&batching(), Recorder::echo());
    for _ in 0..3 {
        let before = stage.seen().opened().len();
        let mut crowd = Crowd::connect(&mut stage, 15, 40_000);
        crowd.talk(&mut stage);
        let conns = stage.seen().opened().split_off(before);
        crowd.check(&stage, &conns);
    }
    assert_happened(fault, least);
    stage
}

fn crowd(fault: Fault, when: When, least: u64) {
    if can_inject() {
        crowd_with::<Real<Uring, Tcp>>(fault, when, least);
        crowd_with::<Real<Uring, Unix>>(fault, when, least);
    }
}

fn assert_happened(fault: Fault, least: u64) {
    let times = happened(fault);
    assert!(
        times >= least,
        "{fault:?} happened {times} of {} times",
        faults::opportunities(fault)
    );
}

#[test]
fn receiving_may_end_with_each_completion() {
    crowd(Fault::ReceiveOnce, When::From(0), 90);
}

#[test]
fn receiving_may_be_cut_after_each_completion() {
    crowd(Fault::ReceiveCut, When::From(0), 45);
}

#[test]
fn receiving_may_find_no_buffer() {
    crowd(Fault::ReceiveDry, When::Every(2), 20);
}

#[test]
fn receiving_may_be_cancelled() {
    crowd(Fault::ReceiveCanceled, When::Every(2), 20);
}

#[test]
fn receiving_may_be_interrupted() {
    crowd(Fault::ReceiveInterrupted, When::Every(2), 20);
}

#[test]
fn receiving_may_end_with_eagain() {
    crowd(Fault::ReceiveAgain, When::Every(2), 20);
}

/// Large messages are read directly, when a poll says that there is something.
#[test]
fn the_poll_for_bytes_may_fail() {
    if can_inject() {
        install(Plan::default().with(Fault::ReadableEnds, When::Every(2)));
        wanting::wanted_messages_of_all_sizes_come_whole::<Real<Uring, Tcp>>();
        wanting::a_wanted_message_may_drip_and_be_paused::<Real<Uring, Unix>>();
        assert_happened(Fault::ReadableEnds, 3);
    }
}

#[test]
fn accepting_may_end_with_each_connection() {
    crowd(Fault::AcceptOnce, When::From(0), 3);
}

#[test]
fn accepting_may_be_cut_after_each_connection() {
    crowd(Fault::AcceptCut, When::From(0), 2);
}

#[test]
fn accepting_may_be_cancelled() {
    crowd(Fault::AcceptCanceled, When::First(3), 3);
}

#[test]
fn accepting_may_be_interrupted() {
    crowd(Fault::AcceptInterrupted, When::First(3), 3);
}

#[test]
fn accepting_may_end_with_eagain() {
    crowd(Fault::AcceptAgain, When::First(3), 3);
}

#[test]
fn accepting_may_find_a_connection_aborted() {
    if can_inject() {
        let mut stage = crowd_with::<Real<Uring, Tcp>>(Fault::AcceptAborted, When::First(3), 3);
        assert_eq!(stage.stats().accept_errors, 3);
        assert_eq!(stage.stats().accept_backoffs, 0);
    }
}

#[test]
fn accepting_may_find_no_descriptor() {
    if can_inject() {
        let mut stage = crowd_with::<Real<Uring, Tcp>>(Fault::AcceptNoFiles, When::First(3), 3);
        assert_eq!(stage.stats().accept_backoffs, 3);
    }
}

#[test]
fn the_poll_of_a_listener_may_fail() {
    // With little room listeners are polled, and accept by calls.
    if can_inject() {
        install(Plan::default().with(Fault::AcceptableEnds, When::Every(2)));
        let config = Config {
            max_connections: Some(100),
            ..Config::default()
        };
        let mut stage = Stage::<Real<Uring, Tcp>>::with(&config, Recorder::echo());
        for _ in 0..5 {
            Crowd::connect(&mut stage, 15, 1000).talk(&mut stage);
        }
        assert_happened(Fault::AcceptableEnds, 3);
    }
}

#[test]
fn the_poll_for_room_may_fail() {
    if can_inject() {
        install(Plan::default().with(Fault::WritableEnds, When::First(5)));
        let mut stage = Stage::<Real<Uring, Unix>>::new(Recorder::new());
        let (conn, mut peer) = stage.connect();
        let data = pattern(4 << 20, 1);
        let block = Bytes::from(data.clone());
        stage
            .driver
            .with(|_, net| net.send_bytes(conn, block))
            .expect("open");
        stage.idle();
        assert_happened(Fault::WritableEnds, 5);
        assert!(stage.read(&mut peer, data.len()) == data);
    }
}

#[test]
fn the_poll_for_a_dials_answer_may_fail() {
    if can_inject() {
        install(Plan::default().with(Fault::WritableEnds, When::First(5)));
        let mut stage = Stage::<Real<Uring, Tcp>>::new(Recorder::echo());
        let mut host = stage.rig.deaf_host();
        stage.dial(&host.at(), &sockman::DialOptions::default());
        stage.until("it has failed five times", |_| happened(Fault::WritableEnds) == 5);
        assert!(stage.seen().opened().is_empty());
        stage.until("there is room, and it opens", |stage| {
            drop(host.accept());
            !stage.seen().opened().is_empty()
        });
    }
}

#[test]
fn the_poll_for_a_reset_may_fail() {
    if can_inject() {
        install(Plan::default().with(Fault::HangupEnds, When::First(3)));
        let mut stage = Stage::<Real<Uring, Tcp>>::new(Recorder::new().on_eof(|_, _| ()));
        let (conn, mut peer) = stage.connect();
        peer.finish();
        stage.until("eof", |stage| stage.seen().count(Event::is_eof) == 1);
        stage.idle();
        assert_happened(Fault::HangupEnds, 3);
        peer.reset();
        assert_eq!(stage.closing(conn).name(), "reset");
    }
}

#[test]
fn the_poll_for_wakes_may_fail() {
    for (fault, when) in [
        (Fault::WakeEnds, When::First(4)),
        (Fault::WakeOnce, When::From(0)),
    ] {
        if !can_inject() {
            return;
        }
        install(Plan::default().with(fault, when));
        let mut stage = Stage::<Real<Uring, Unix>>::new(Recorder::new());
        for wakes in 1..=5 {
            stage.driver.remote().wake();
            stage.until("woken", |stage| {
                stage.seen().count(|event| *event == Event::Woken) == wakes
            });
            stage.poll();
        }
        assert_happened(fault, 4);
    }
}

/// Each connection answers in several pieces, which other connections' come between, and in one that fits no batch.
fn scattered(fault: Fault, when: When) {
    if !can_inject() {
        return;
    }
    let (size, count) = (3_000, 8_usize);
    install(Plan::default().with(fault, when));
    let recorder = Recorder::new().on_received(move |net, conn, data| {
        // A piece, then one from the next turn's callbacks' side, then large ones.
        let _ = net.send(conn, &data[..data.len() / 3]);
        net.post(conn, Bytes::copy_from_slice(&data[data.len() / 3..]));
        data.len()
    });
    let mut stage = Stage::<Real<Uring, Unix>>::with(&batching(), recorder);
    let mut crowd = Crowd::connect(&mut stage, count, size);
    let conns = stage.seen().opened();
    // What callbacks send is flushed with each of them: the same connection has several sends in one turn.
    crowd.talk(&mut stage);
    // From outside, by turns, small and large.
    let blocks: Vec<_> = (0..count)
        .map(|number| pattern(30_000, 100 + number as u64))
        .collect();
    stage.driver.with(|_, net| {
        for piece in 0..30 {
            for (conn, block) in conns.iter().zip(&blocks) {
                let _ = net.send(*conn, &block[piece * 1000..(piece + 1) * 1000]);
            }
        }
    });
    let peers: Vec<_> = crowd.peers().collect();
    for (peer, block) in peers.into_iter().zip(&blocks) {
        assert!(stage.read(peer, block.len()) == *block);
    }
    assert_happened(fault, 5);
}

#[test]
fn a_send_of_a_batch_may_be_cut_short() {
    scattered(Fault::SendShort, When::Every(2));
}

#[test]
fn a_send_of_a_batch_may_find_no_room() {
    scattered(Fault::SendAgain, When::Every(2));
}

#[test]
fn a_send_of_a_batch_may_be_interrupted() {
    scattered(Fault::SendInterrupted, When::Every(2));
}

#[test]
fn a_send_of_a_batch_may_fail() {
    if can_inject() {
        install(Plan::default().with(Fault::SendBroken, When::At(0)));
        let mut stage = Stage::<Real<Uring, Unix>>::with(&batching(), Recorder::echo());
        let (conn, mut peer) = stage.connect();
        stage.write_all(&mut peer, b"lost");
        stage.until("it was sent", |_| happened(Fault::SendBroken) == 1);
        drop(peer);
        assert_eq!(stage.closing(conn).name(), "reset");
        Crowd::connect(&mut stage, 5, 10_000).talk(&mut stage);
    }
}

#[test]
fn a_send_by_a_call_may_be_cut_short() {
    if can_inject() {
        for fault in [Fault::CallShort, Fault::CallAgain] {
            install(Plan::default().with(fault, When::Every(2)));
            let config = Config {
                batch_from: 10_000,
                ..Config::default()
            };
            let mut stage = Stage::<Real<Uring, Tcp>>::with(&config, Recorder::echo());
            Crowd::connect(&mut stage, 10, 40_000).talk(&mut stage);
            assert_happened(fault, 5);
        }
    }
}

/// Nothing to send is nothing that waits for room.
#[test]
fn an_empty_send_blocks_nobody() {
    if can_inject() {
        install(Plan::default().with(Fault::CallAgain, When::From(0)));
        let mut stage = Stage::<Real<Uring, Unix>>::new(Recorder::new());
        let (conn, mut peer) = stage.connect();
        stage.send(conn, b"").expect("open");
        assert_eq!(happened(Fault::CallAgain), 0);
        install(Plan::default());
        stage.send(conn, b"words").expect("open");
        assert_eq!(stage.read(&mut peer, 5), b"words");
    }
}

#[test]
fn submitting_may_take_a_part() {
    crowd(Fault::EnterPart, When::Every(2), 10);
}

#[test]
fn submitting_may_find_the_kernel_busy() {
    crowd(Fault::EnterBusy, When::Every(2), 20);
}

#[test]
fn submitting_may_find_the_kernel_short() {
    crowd(Fault::EnterAgain, When::Every(2), 20);
}

#[test]
fn submitting_may_be_interrupted() {
    crowd(Fault::EnterInterrupted, When::Every(2), 20);
}

#[test]
fn submitting_may_find_no_memory() {
    crowd(Fault::EnterNoMemory, When::Every(2), 20);
}

/// The kernel is asked again for what it could not be asked: a foreign loop would sleep over it otherwise.
#[test]
fn an_interrupted_call_does_not_leave_a_foreign_loop_asleep() {
    for fault in [Fault::EnterInterrupted, Fault::EnterBusy, Fault::EnterAgain] {
        install(Plan::default().with(fault, When::Every(3)));
        embedding::a_foreign_loop_is_told_of_writability::<Real<Uring, Unix>>();
        assert_happened(fault, 3);
    }
}

/// A ring that is lost is an error of every turn, also of those that do not wait, and not a loop that goes round idly.
/// (What was lent to the kernel is leaked then, as it must be: a leak checker reports that, and is right.)
#[test]
fn a_lost_ring_ends_the_loop() {
    for timeout in [Duration::ZERO, Duration::from_millis(5)] {
        install(Plan::default());
        let mut stage = Stage::<Real<Uring, Unix>>::new(Recorder::echo());
        let (conn, _peer) = stage.connect();
        install(Plan::default().with(Fault::EnterBroken, When::From(0)));
        for _ in 0..3 {
            let error = stage.driver.turn(Some(timeout)).expect_err("the ring is lost");
            // EBADFD.
            assert_eq!(error.raw_os_error(), Some(77));
        }
        stage.driver.with(|_, net| net.disconnect(conn, Disconnect::Now));
        assert_happened(Fault::EnterBroken, 1);
    }
}

//! `sockman echo`, run as a program: every backend that is compiled in, over TCP and over Unix sockets.

use crate::peer::{Peer, connect, expect_end, ping};
use crate::server::Server;
use sockman_node::Choice;
use std::io::{Read, Write};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Runs `script` against a server listening on IPv4, IPv6 and a Unix socket, on every backend; the scripts get one
/// address after the other.
fn everywhere(more: &[&str], script: impl Fn(&str)) {
    for backend in Choice::compiled().map(Choice::name) {
        let folder = TempDir::new().expect("a temporary folder");
        let unix = format!("unix:{}", folder.path().join("echo").display());
        let mut at = vec!["127.0.0.1:0", &unix];
        if std::net::TcpListener::bind("[::1]:0").is_ok() {
            at.push("[::1]:0");
        }
        let server = Server::start(backend, &at, more);
        for at in &server.at {
            assert!(!at.ends_with(":0"), "the real port is printed, not {at}");
            script(at);
        }
        server.stop();
    }
}

/// Bytes that are different at every place that could be mixed up with another.
fn pattern(count: usize) -> Vec<u8> {
    (0..count as u64)
        .flat_map(|n| (n * 0x9e37_79b9).to_le_bytes())
        .take(count)
        .collect()
}

#[test]
fn what_is_sent_comes_back() {
    everywhere(&[], |at| {
        let mut one = connect(at);
        let mut other = connect(at);
        for round in 0..50 {
            ping(&mut *one, format!("one {round}").as_bytes());
            ping(&mut *other, format!("the other {round}").as_bytes());
        }
    });
}

#[test]
fn a_peer_that_half_closes_gets_its_answer_and_then_the_end() {
    everywhere(&[], |at| {
        let mut peer = connect(at);
        peer.write_all(b"last words").expect("the server reads");
        peer.finish();
        let mut back = Vec::new();
        peer.read_to_end(&mut back).expect("an orderly end");
        assert_eq!(back, b"last words");
    });
}

/// The writer is held up by the server, which does not read from a peer that does not read; nothing is lost.
#[test]
fn a_large_echo_reaches_a_client_that_reads_late() {
    let data = pattern(16 << 20);
    everywhere(&[], |at| {
        let mut reader = connect(at);
        let mut writer: Box<dyn Peer> = reader.another();
        thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(&data).expect("the server reads");
                writer.finish();
            });
            thread::sleep(Duration::from_millis(300));
            let mut back = Vec::with_capacity(data.len());
            reader.read_to_end(&mut back).expect("an orderly end");
            // No assert_eq: nobody wants to read 16 MiB.
            assert!(
                back == data,
                "{} of {} bytes came back, or wrong ones",
                back.len(),
                data.len()
            );
        });
    });
}

#[test]
fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    everywhere(&["--idle-timeout", "1.5"], |at| {
        let mut idle = connect(at);
        let mut busy = connect(at);
        ping(&mut *idle, b"once");
        let pings = thread::spawn(move || {
            for _ in 0..30 {
                ping(&mut *busy, b"again");
                thread::sleep(Duration::from_millis(100));
            }
        });
        expect_end(&mut *idle);
        pings.join().expect("the busy connection stays open");
    });
}

#[test]
fn connections_above_the_limit_wait_for_their_turn() {
    for backend in Choice::compiled().map(Choice::name) {
        let server = Server::start(backend, &["127.0.0.1:0"], &["--max-connections", "1"]);
        let mut first = connect(&server.at[0]);
        ping(&mut *first, b"first");
        let mut second = connect(&server.at[0]);
        second.write_all(b"second").expect("the backlog takes it");
        ping(&mut *first, b"first again");
        drop(first);
        let mut back = [0; 6];
        second.read_exact(&mut back).expect("its turn has come");
        assert_eq!(&back, b"second");
        server.stop();
    }
}

/// TCP's urgent data is a part of the stream, and does not hide what comes behind it.
#[test]
fn bytes_behind_urgent_data_arrive() {
    for backend in Choice::compiled().map(Choice::name) {
        let server = Server::start(backend, &["127.0.0.1:0"], &[]);
        let mut peer = std::net::TcpStream::connect(&server.at[0]).expect("the server listens");
        peer.set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a limit");
        ping(&mut peer, b"hello");
        // All of it is there before the server looks.
        server.halt();
        peer.write_all(b"abc").expect("the kernel takes it");
        rustix::net::send(&peer, b"!", rustix::net::SendFlags::OOB).expect("the kernel takes it");
        peer.write_all(b"def").expect("the kernel takes it");
        server.signal(rustix::process::Signal::CONT);
        let mut back = [0; 7];
        peer.read_exact(&mut back).expect("all of it comes back");
        assert_eq!(&back, b"abc!def");
        drop(peer);
        server.stop();
    }
}

#[test]
fn there_is_room_for_descriptors_from_the_beginning() {
    for backend in Choice::compiled().map(Choice::name) {
        for server in [
            Server::start(backend, &["127.0.0.1:0"], &[]),
            Server::http(backend, &["127.0.0.1:0"], &[]),
        ] {
            server.assert_has_room_for_descriptors();
            server.stop();
        }
    }
}

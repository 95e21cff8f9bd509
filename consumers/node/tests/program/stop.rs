//! Stopping `sockman echo` by signals, and what it leaves behind.

use crate::peer::{connect, expect_end, ping};
use crate::server::{Ended, Server};
use rustix::process::Signal;
use sockman_node::Choice;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn on_each_backend(script: impl Fn(&str)) {
    Choice::compiled().map(Choice::name).for_each(script);
}

/// The value of a counter in what `--stats` printed.
fn counter(ended: &Ended, name: &str) -> u64 {
    let value = ended
        .stdout
        .iter()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or_else(|| panic!("no counter {name} in {:#?}", ended.stdout))
}

#[test]
fn both_signals_end_it_with_open_connections_closed_in_order() {
    on_each_backend(|backend| {
        for signal in [Signal::TERM, Signal::INT] {
            let server = Server::start(backend, &["127.0.0.1:0"], &["--stats"]);
            let mut peer = connect(&server.at[0]);
            ping(&mut *peer, b"hello");
            server.signal(signal);
            expect_end(&mut *peer);
            drop(peer);
            let ended = server.wait();
            assert_eq!(ended.status.code(), Some(0), "{ended:?}");
            assert_eq!(ended.stderr, "");
            assert_eq!(counter(&ended, "accepts"), 1);
            assert_eq!(counter(&ended, "bytes_in"), 5);
            assert_eq!(counter(&ended, "bytes_out"), 5);
            assert_eq!(counter(&ended, "closes.flushed"), 1);
        }
    });
}

/// What the server has taken and not yet sent back is still sent after the signal.
#[test]
fn what_is_queued_is_drained() {
    on_each_backend(|backend| {
        let server = Server::start(backend, &["127.0.0.1:0"], &["--drain", "50", "--stats"]);
        let mut reader = connect(&server.at[0]);
        let mut writer = reader.another();
        // More than the kernel's buffers and the server's marks hold, so that the server has something queued.
        let writing = thread::spawn(move || {
            let mut sent = 0_u64;
            while let Ok(count @ 1..) = writer.write(&[7; 16 << 10]) {
                sent += count as u64;
                if sent > 64 << 20 {
                    break;
                }
            }
        });
        thread::sleep(Duration::from_millis(300));
        server.signal(Signal::TERM);
        thread::sleep(Duration::from_millis(100));
        let mut back = 0_u64;
        let mut buffer = [0; 16 << 10];
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            back += count as u64;
        }
        drop(reader);
        let ended = server.wait();
        writing.join().expect("writing ends when the server does");
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert_eq!(counter(&ended, "closes.flushed"), 1, "{ended:#?}");
        assert_eq!(back, counter(&ended, "bytes_out"), "all that was sent came");
    });
}

#[test]
fn a_peer_that_does_not_read_is_given_up_after_the_drain_limit() {
    on_each_backend(|backend| {
        let server = Server::start(backend, &["127.0.0.1:0"], &["--drain", "0.3"]);
        let mut peer = connect(&server.at[0]);
        let mut writer = peer.another();
        let writing = thread::spawn(move || while writer.write_all(&[7; 16 << 10]).is_ok() {});
        thread::sleep(Duration::from_millis(300));
        server.stop();
        writing.join().expect("writing ends when the server does");
        // Whatever was in the kernel's buffers: it ends, and that is all.
        let _ = peer.read_to_end(&mut Vec::new());
    });
}

#[test]
fn a_second_signal_ends_it_at_once() {
    on_each_backend(|backend| {
        let server = Server::start(backend, &["127.0.0.1:0"], &["--drain", "100000", "--stats"]);
        let mut peer = connect(&server.at[0]);
        ping(&mut *peer, b"hello");
        server.signal(Signal::TERM);
        // The end of the stream: the first signal has been carried out. Our own side stays open, so that the server
        // goes on waiting for us.
        expect_end(&mut *peer);
        server.signal(Signal::TERM);
        let ended = server.wait();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    });
}

#[test]
fn the_file_of_a_unix_socket_is_removed_and_a_stale_one_replaced() {
    on_each_backend(|backend| {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("echo");
        let at = format!("unix:{}", path.display());

        let server = Server::start(backend, &[&at], &[]);
        ping(&mut *connect(&at), b"first");
        server.signal(Signal::KILL);
        assert_eq!(server.wait().status.code(), None, "killed");
        assert!(path.exists(), "a killed server leaves its file");
        // With io_uring the kernel takes a moment after the process has gone.
        let by = Instant::now() + Duration::from_secs(10);
        while UnixStream::connect(&path).is_ok() {
            assert!(Instant::now() < by, "a killed server listens on");
            thread::sleep(Duration::from_millis(5));
        }

        let server = Server::start(backend, &[&at], &[]);
        ping(&mut *connect(&at), b"second");
        server.stop();
        assert!(!path.exists(), "a stopped one does not");
    });
}

//! An end under load.

use crate::measure::{HELLO, hear};
use crate::on_each_backend;
use crate::server::Server;
use rustix::process::Signal;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What a client has seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    answered: u64,
    /// Of these, after the signal.
    late: u64,
    /// Connections that the server had not taken when it stopped listening.
    not_taken: u64,
}

/// Asks on one connection after the other, until there is no server any more. A request on a connection that the server has
/// taken (it has answered on it before) must have its answer, and the last answer must say that it is the last.
fn ask(at: &str, each: usize, signalled: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    'connections: loop {
        let Ok(mut stream) = TcpStream::connect(at) else {
            assert!(signalled.load(Ordering::SeqCst), "refused before the signal");
            return seen;
        };
        for number in 0..each {
            let sent = stream.write_all(HELLO);
            let answer = if sent.is_ok() { hear(&mut stream) } else { None };
            let Some(answer) = answer else {
                assert_eq!(
                    number, 0,
                    "a request on an open connection is left without its answer"
                );
                assert!(
                    signalled.load(Ordering::SeqCst),
                    "a connection is broken before the signal"
                );
                seen.not_taken += 1;
                continue 'connections;
            };
            seen.answered += 1;
            seen.late += u64::from(signalled.load(Ordering::SeqCst));
            if answer.contains("connection: close") {
                continue 'connections;
            }
        }
    }
}

#[test]
fn sigterm_under_load() {
    on_each_backend("SIGTERM", |backend| {
        // Long enough for a request that is on its way, however busy the machine is.
        let flags = ["--last-call", "2"];
        let server = Server::http(backend, &["127.0.0.1:0"], &flags);
        let signalled = AtomicBool::new(false);
        let seen = thread::scope(|scope| {
            let (at, signalled) = (&server.at[0], &signalled);
            let clients: Vec<_> = (0..32)
                // Some stay for long, others come anew for each few requests.
                .map(|number| {
                    scope.spawn(move || ask(at, if number < 24 { usize::MAX } else { 3 }, signalled))
                })
                .collect();
            thread::sleep(Duration::from_millis(500));
            signalled.store(true, Ordering::SeqCst);
            server.signal(Signal::TERM);
            let seen = clients
                .into_iter()
                .map(|client| client.join().expect("nothing is left unanswered"));
            seen.fold(Seen::default(), |all, one| Seen {
                answered: all.answered + one.answered,
                late: all.late + one.late,
                not_taken: all.not_taken + one.not_taken,
            })
        });
        assert_eq!(server.wait().status.code(), Some(0));
        assert!(seen.late > 0, "some were under way");
        format!(
            "{} answered, {} of them after the signal, 0 left without an answer; {} connections not taken any more",
            seen.answered, seen.late, seen.not_taken
        )
    });
}

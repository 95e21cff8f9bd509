//! Cases on a real backend, on one thread: the server's loop turns while its client waits.

use crate::app::App;
use crate::table::Case;
use crate::transcript::{Outcome, masked, parse, splits, transcript};
use sockman_backends::sockman::{Backend, Config, Driver, Endpoint, ListenOptions, SockMan};
use sockman_http::{Server, Settings};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// Turns into which nothing has come, of a millisecond or more, before something counts as lost.
const PATIENCE: u32 = 20_000;

struct Served<B: Backend> {
    driver: Driver<B, Server<App>>,
    at: Endpoint,
    /// Bytes that clients have sent.
    sent: u64,
}

impl<B: Backend> Served<B> {
    fn new() -> Served<B> {
        let config = Config::default();
        let server = Server::new(App::default(), Settings::default());
        let mut driver = Driver::<B, _>::new(&config, server).expect("a backend");
        let any = "127.0.0.1:0".parse().expect("an address");
        let at = driver.with(|server, net| {
            let listener = server.listen(net, &any, &ListenOptions::default())?;
            Ok::<_, std::io::Error>(net.local_addr(listener))
        });
        let at = at.expect("a port is free").expect("it listens");
        Served { driver, at, sent: 0 }
    }

    fn turn(&mut self) {
        self.driver
            .turn(Some(Duration::from_millis(1)))
            .expect("no turn fails");
    }

    /// Sends a piece, and turns until the loop has received it, or never will.
    fn send(&mut self, client: &mut TcpStream, mut piece: &[u8], outcome: &mut Outcome) {
        let before = self.received();
        self.sent = before + piece.len() as u64;
        let mut patience = 0;
        while (!piece.is_empty() || self.received() < self.sent) && !outcome.is_closed {
            match client.write(piece) {
                Ok(count) => piece = &piece[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
            self.turn();
            hear(client, outcome);
            patience += 1;
            assert!(
                patience < PATIENCE,
                "{} bytes are not received",
                self.sent - self.received()
            );
        }
    }

    fn received(&mut self) -> u64 {
        self.driver.with(|_, net| net.stats().bytes_in)
    }

    /// What comes of bytes in these pieces. If the connection is to stay open, the client finishes, so as to see all that
    /// comes without waiting for more.
    fn run(&mut self, pieces: &[&[u8]], stays: bool) -> Outcome {
        let at = self.at.tcp().expect("it is of TCP");
        let mut client = TcpStream::connect(at).expect("it listens");
        client.set_nodelay(true).expect("a socket");
        client.set_nonblocking(true).expect("a socket");
        let mut outcome = Outcome {
            heard: Vec::new(),
            is_closed: false,
        };
        for piece in pieces {
            self.send(&mut client, piece, &mut outcome);
        }
        if stays {
            assert!(!outcome.is_closed, "the connection was closed");
            client.shutdown(Shutdown::Write).expect("it is connected");
        }
        let mut patience = 0;
        while !outcome.is_closed {
            self.turn();
            hear(&mut client, &mut outcome);
            patience += 1;
            assert!(patience < PATIENCE, "the connection was not closed");
        }
        outcome.is_closed = !stays;
        outcome
    }
}

/// Reads what is there.
fn hear(client: &mut TcpStream, outcome: &mut Outcome) {
    let mut buffer = [0; 16 << 10];
    while !outcome.is_closed {
        match client.read(&mut buffer) {
            Ok(0) => outcome.is_closed = true,
            Ok(count) => outcome.heard.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => outcome.is_closed = true,
        }
    }
}

/// Runs every case whole and split, and holds what comes against the file of transcripts.
pub(crate) fn check<B: Backend>(cases: &[Case], file: &str) {
    let golden = parse(file);
    let mut served = Served::<B>::new();
    for case in cases {
        let expected = golden[case.name];
        let stays = expected.ends_with("= open\n");
        let whole = served.run(&[&case.bytes], stays);
        let text = transcript(case, &whole);
        assert!(
            text == expected,
            "{} on {}: {text}\ninstead of {expected}",
            case.name,
            B::NAME
        );
        let whole = masked(&whole.heard);
        for cut in splits(case) {
            let split = served.run(&[&case.bytes[..cut], &case.bytes[cut..]], stays);
            let heard = masked(&split.heard);
            assert!(
                heard == whole,
                "{} on {}, split at {cut}: {}",
                case.name,
                B::NAME,
                heard.escape_ascii()
            );
        }
    }
}

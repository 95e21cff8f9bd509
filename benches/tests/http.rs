//! Runs every server of HTTP as `compare` does, and asks it what the load asks.

use sockman_bench::http::Exchange;
use sockman_bench::serve::Usage;
use sockman_bench::subject::{self, Subject};
use sockman_bench::work::Work;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How the reason begins why a subject cannot run.
const UNABLE: &str = "unable: ";

/// Limits are generous: they turn hangs into failures.
const LONG: Duration = Duration::from_secs(20);

const WORKS: [Work; 6] = [
    Work::Http,
    Work::HttpPipeline,
    Work::HttpClose,
    Work::HttpPost,
    Work::Jsonrpc,
    Work::HttpTail,
];

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    at: SocketAddr,
}

impl Server {
    /// Starts one, or tells why it cannot run on this machine.
    fn start(subject: &Subject, work: Work) -> Result<Server, String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_compare"))
            .args(["serve", subject.name, "--work", work.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let input = child.stdin.take().expect("piped");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        if let Some(why) = line.strip_prefix(UNABLE) {
            child.wait().expect("it ends");
            return Err(why.to_owned());
        }
        let at = line.split_whitespace().next().expect("an address");
        Ok(Server {
            at: at.parse().expect("an address"),
            child,
            input,
            output,
        })
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.at).expect("it listens");
        socket.set_read_timeout(Some(LONG)).expect("a socket");
        socket
    }

    fn usage(&mut self) -> Usage {
        writeln!(self.input, "usage").expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("a usage")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The head of an answer, in small letters, and its body.
fn answer(from: &mut impl BufRead) -> (String, Vec<u8>) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(
            from.read_line(&mut head).expect("an answer"),
            0,
            "it ended: {head}"
        );
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.expect("a length").trim().parse().expect("a number");
    let mut body = vec![0; length];
    from.read_exact(&mut body).expect("a body");
    (head, body)
}

/// The type that an answer is to have.
fn kind(work: Work) -> &'static str {
    match work {
        Work::HttpPost => "application/octet-stream",
        Work::Jsonrpc => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

/// Everybody who does a work over HTTP and can run here.
fn for_each(mut check: impl FnMut(&Subject, Work, Server)) {
    for work in WORKS {
        for subject in subject::ALL.iter().filter(|subject| subject.does(work)) {
            match Server::start(subject, work) {
                Ok(server) => check(subject, work, server),
                // Not everybody has Debian's packages, and machines may forbid io_uring.
                Err(why) => assert!(
                    ["nginx", "libevent", "io_uring"]
                        .iter()
                        .any(|what| why.contains(what)),
                    "{}: {why}",
                    subject.name
                ),
            }
        }
    }
}

#[test]
fn every_server_answers_what_the_load_asks() {
    for_each(|subject, work, server| {
        let of = format!("{} at {}", subject.name, work.name());
        let exchange = Exchange::new(work, 3);
        let mut socket = server.connect();
        let mut requests = Vec::new();
        let count = if work == Work::HttpClose { 1 } else { 3 };
        for number in 0..count {
            exchange.ask(number, &mut requests);
        }
        socket.write_all(&requests).expect("it reads");
        let mut from = BufReader::new(socket);
        for number in 0..count {
            let (head, body) = answer(&mut from);
            assert!(head.starts_with("http/1.1 200 "), "{of}: {head}");
            assert!(head.contains("\ndate:"), "{of}: {head}");
            let kind = format!("\ncontent-type: {}\r", kind(work));
            assert!(head.contains(&kind), "{of}: {head}");
            assert!(
                exchange.is_answer(number, &body),
                "{of}: {}",
                String::from_utf8_lossy(&body)
            );
        }
        if work == Work::HttpClose {
            assert_eq!(from.read(&mut [0]).expect("an end"), 0, "{of}");
        }
    });
}

#[test]
fn requests_may_come_in_pieces() {
    for_each(|subject, work, server| {
        let exchange = Exchange::new(work, 1);
        let mut request = Vec::new();
        exchange.ask(0, &mut request);
        let mut socket = server.connect();
        socket.set_nodelay(true).expect("a socket");
        for piece in request.chunks(request.len() / 3 + 1) {
            socket.write_all(piece).expect("it reads");
            thread::sleep(Duration::from_millis(3));
        }
        let (head, body) = answer(&mut BufReader::new(socket));
        let of = format!("{} at {}: {head}", subject.name, work.name());
        assert!(exchange.is_answer(0, &body), "{of}");
    });
}

#[test]
fn what_is_done_is_counted_wherever_it_is_done() {
    for_each(|subject, work, mut server| {
        if work != Work::Http {
            return;
        }
        let before = server.usage();
        let exchange = Exchange::new(work, 1);
        let mut request = Vec::new();
        exchange.ask(0, &mut request);
        let mut from = BufReader::new(server.connect());
        for _ in 0..200 {
            from.get_ref().write_all(&request).expect("it reads");
            answer(&mut from);
        }
        let after = server.usage();
        assert!(after.cpu_ns > before.cpu_ns, "{}", subject.name);
        assert!(
            after.rss_kib > 0 && after.peak_kib >= after.rss_kib,
            "{}",
            subject.name
        );
    });
}

#[test]
fn nothing_stays_behind_when_a_server_is_killed() {
    for_each(|subject, work, server| {
        if work != Work::Http {
            return;
        }
        let at = server.at;
        drop(server);
        let end = Instant::now() + LONG;
        while TcpStream::connect(at).is_ok() {
            assert!(Instant::now() < end, "{} still listens", subject.name);
            thread::sleep(Duration::from_millis(2));
        }
    });
}

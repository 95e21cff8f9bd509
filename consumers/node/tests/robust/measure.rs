//! Memory and CPU time of the server; a client.

use crate::server::{Ended, PATIENCE, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Raises this process's limit of descriptors as far as it may, for this process and those that it starts. Returns it.
pub(crate) fn raise_descriptor_limit() -> usize {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a process may raise its limit so far");
    maximum.map_or(usize::MAX, |limit| usize::try_from(limit).expect("64 bits"))
}

/// A line of `/proc/PID/status`, in KiB.
fn status(server: &Server, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// Memory of the server at present, in KiB.
pub(crate) fn memory(server: &Server) -> u64 {
    status(server, "VmRSS:")
}

/// The most memory that the server has had, in KiB.
pub(crate) fn peak(server: &Server) -> u64 {
    status(server, "VmHWM:")
}

/// CPU time that the server has had so far.
pub(crate) fn cpu(server: &Server) -> Duration {
    let text = fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("it runs");
    // The name, in brackets, may hold anything; behind it the fields are numbers: utime and stime are the 14th and the 15th.
    let (_, rest) = text.rsplit_once(") ").expect("a name in brackets");
    let ticks: u64 = rest
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    // USER_HZ is 100 on every architecture of Linux that matters.
    Duration::from_millis(ticks * 10)
}

/// The value of a counter in what `--stats` printed.
pub(crate) fn counter(ended: &Ended, name: &str) -> u64 {
    let value = ended
        .stdout
        .iter()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or_else(|| panic!("no counter {name} in {:#?}", ended.stdout))
}

/// Connects.
pub(crate) fn connect(at: &str) -> TcpStream {
    let stream = TcpStream::connect(at).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream.set_write_timeout(Some(PATIENCE)).expect("a limit");
    stream.set_nodelay(true).expect("TCP");
    stream
}

pub(crate) const HELLO: &[u8] = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

/// Reads the answer to [`HELLO`].
pub(crate) fn hear_hello(stream: &mut TcpStream) {
    let text = hear(stream).expect("an answer");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
}

/// Reads the answer to [`HELLO`], if there is one.
pub(crate) fn hear(stream: &mut TcpStream) -> Option<String> {
    let mut buffer = [0; 4096];
    let mut got = Vec::new();
    while !got.ends_with(b"Hello, world!") {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => got.extend_from_slice(&buffer[..count]),
            other => {
                assert!(got.is_empty(), "half an answer, then {other:?}: {got:?}");
                return None;
            }
        }
    }
    Some(String::from_utf8(got).expect("text"))
}

/// Asks once.
pub(crate) fn hello(stream: &mut TcpStream) {
    stream.write_all(HELLO).expect("the server reads");
    hear_hello(stream);
}

/// Some of many durations, in milliseconds: the middle, the 99th percentile, the longest.
pub(crate) fn spread(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    let millis = |part: usize| all[(all.len() - 1) * part / 100].as_secs_f64() * 1e3;
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        millis(50),
        millis(99),
        millis(100)
    )
}

//! Each limit, just kept and just exceeded; and what a request costs.

use crate::{check_with, decode};
use sockman_http::Limits;
use sockman_http::http1::{Decoder, Flow, Head, Header, Requests};
use std::fmt::Write as _;

fn get(target: usize, fields: usize, value: usize) -> Vec<u8> {
    let mut text = format!("GET /{} HTTP/1.1\r\nHost: x\r\n", "a".repeat(target));
    for number in 1..fields {
        let _ = write!(text, "f{number}: {}\r\n", "v".repeat(value));
    }
    (text + "\r\n").into_bytes()
}

fn post(size: &str, rest: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\n{rest}").into_bytes()
}

#[test]
fn a_request_line_of_8000_octets_passes_and_one_above_the_limit_is_414() {
    let limits = Limits::default();
    let line = |length: usize| get(length - "GET / HTTP/1.1".len(), 1, 0);
    assert!(decode(&line(8_000), [], &limits).ends_with("1.1 keep;"));
    assert!(decode(&line(16 << 10), [], &limits).ends_with("1.1 keep;"));
    check_with("a line too long", &line((16 << 10) + 1), "414", &limits);
    // Also one that never ends, and one that ends wrongly.
    check_with(
        "a line too long that ends wrongly",
        &[b"GET /", &vec![b'a'; 20_000][..], b"\n"].concat(),
        "414",
        &limits,
    );
    check_with(
        "an endless target",
        &[b"GET /", &vec![b'a'; 20_000][..]].concat(),
        "414",
        &limits,
    );
    check_with(
        "an endless version",
        &[b"GET / ", &vec![b'a'; 20_000][..]].concat(),
        "414",
        &limits,
    );
    // What is too long then is no target.
    check_with("an endless method", &vec![b'a'; 20_000], "400", &limits);
    let method = [&vec![b'a'; 20_000][..], b" / HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
    check_with("a method too long", &method, "400", &limits);
}

#[test]
fn four_hundred_fields_pass_and_more_than_the_limit_are_431() {
    let limits = Limits::default();
    assert_eq!(decode(&get(0, 400, 9), [], &limits), "GET / 1.1 keep;");
    assert_eq!(decode(&get(0, 1_000, 9), [], &limits), "GET / 1.1 keep;");
    check_with("1,001 fields", &get(0, 1_001, 9), "431", &limits);
}

#[test]
fn a_head_above_its_limit_is_431() {
    let limits = Limits {
        head: 1_000,
        ..Limits::default()
    };
    let head = |length: usize| {
        let value = length - get(0, 2, 0).len();
        get(0, 2, value)
    };
    check_with("a head", &head(1_000), "GET / 1.1 keep;", &limits);
    check_with("a head too large", &head(1_001), "431", &limits);
}

#[test]
fn a_body_above_its_limit_is_413_before_it_comes() {
    let limits = Limits {
        body: 10,
        ..Limits::default()
    };
    let known =
        |length: u64| format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    check_with("declared", &known(10), "POST / 1.1 keep 10…", &limits);
    check_with("declared too large", &known(11), "413", &limits);
    check_with("declared far too large", &known(u64::MAX), "413", &limits);
    check_with(
        "chunks",
        &post("a", "0123456789\r\n0\r\n\r\n"),
        "POST / 1.1 keep chunked '0123456789';",
        &limits,
    );
    check_with(
        "a chunk too large",
        &post("b", ""),
        "POST / 1.1 keep chunked413",
        &limits,
    );
    check_with(
        "chunks too large",
        &post("a", "0123456789\r\n1\r\n"),
        "POST / 1.1 keep chunked413",
        &limits,
    );
}

#[test]
fn chunk_lines_and_extensions_are_bounded() {
    let limits = Limits {
        chunk_line: 20,
        extensions: 30,
        ..Limits::default()
    };
    check_with(
        "an extension",
        &post("1;a=0123456789abc", "x\r\n0\r\n\r\n"),
        "POST / 1.1 keep chunked 'x';",
        &limits,
    );
    check_with(
        "a chunk's line too long",
        &post("1;a=0123456789abcdefgh", ""),
        "POST / 1.1 keep chunked400",
        &limits,
    );
    let many = "x\r\n1;a=0123456789abc\r\nx\r\n1;a=b\r\nx\r\n";
    check_with(
        "extensions without end",
        &post("1;a=0123456789abc", many),
        "POST / 1.1 keep chunked400",
        &limits,
    );
    check_with(
        "zeros without end",
        &post("0000000000000000000000001", ""),
        "POST / 1.1 keep chunked400",
        &limits,
    );
}

#[test]
fn trailers_are_bounded() {
    let limits = Limits {
        trailers: 40,
        fields: 3,
        ..Limits::default()
    };
    let ends = |trailers: &str| post("0", &format!("{trailers}\r\n"));
    check_with(
        "trailers",
        &ends("a: 1\r\nb: 2\r\nc: 3\r\n"),
        "POST / 1.1 keep chunked +a=1 +b=2 +c=3;",
        &limits,
    );
    let long = format!("a: {}\r\n", "v".repeat(40));
    check_with(
        "trailers too long",
        &ends(&long),
        "POST / 1.1 keep chunked431",
        &limits,
    );
    check_with(
        "too many",
        &ends("a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n"),
        "POST / 1.1 keep chunked431",
        &limits,
    );
}

#[test]
fn empty_lines_before_a_request_are_few() {
    let request = |lines: usize| ["\r\n".repeat(lines).as_bytes(), &get(0, 1, 0)].concat();
    let limits = Limits::default();
    check_with("one", &request(1), "GET / 1.1 keep;", &limits);
    check_with("two", &request(2), "400", &limits);
    check_with(
        "one each",
        &request(1).repeat(3),
        "GET / 1.1 keep; GET / 1.1 keep; GET / 1.1 keep;",
        &limits,
    );
}

/// Counts what is given to it, and stops where it is told to.
#[derive(Default)]
struct Stops {
    heads: usize,
    bytes: usize,
    ends: usize,
}

impl Requests for Stops {
    fn head(&mut self, _: &Head<'_>, _: &[u8]) -> Flow {
        self.heads += 1;
        Flow::Stop
    }
    fn body(&mut self, data: &[u8]) -> Flow {
        self.bytes += data.len();
        Flow::Stop
    }
    fn trailers(&mut self, _: &[Header<'_>]) {}
    fn end(&mut self) -> Flow {
        self.ends += 1;
        Flow::Stop
    }
}

#[test]
fn it_stops_where_it_is_told_to_and_goes_on_from_there() {
    let mut decoder = Decoder::new();
    let mut stops = Stops::default();
    let mut data =
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x\r\n\r\n"
            .to_vec();
    let mut seen = Vec::new();
    for _ in 0..6 {
        let consumed = decoder
            .decode(&mut data, &Limits::default(), &mut stops)
            .expect("right");
        data.drain(..consumed);
        seen.push((stops.heads, stops.bytes, stops.ends));
    }
    assert_eq!(
        seen,
        [(1, 0, 0), (1, 3, 0), (1, 3, 1), (2, 3, 1), (2, 3, 2), (2, 3, 2)]
    );
    assert!(data.is_empty());
}

/// Nine hundred requests in one piece are nine hundred requests.
#[test]
fn pipelines_are_deep() {
    let one = get(3, 3, 3);
    let all = one.repeat(900);
    let text = decode(&all, [], &Limits::default());
    assert_eq!(text.matches("GET /aaa 1.1 keep;").count(), 900);
    let text = decode(&all, (0..all.len()).step_by(7), &Limits::default());
    assert_eq!(text.matches("GET /aaa 1.1 keep;").count(), 900);
}

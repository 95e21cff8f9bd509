//! Requests as clients of Bitcoin Core's RPC may send them: what that dialect takes besides, and what it calls 400.

use crate::check_with;
use sockman_http::Limits;
use std::fmt::Write as _;

fn check(name: &str, bytes: &[u8], expected: &str) {
    check_with(name, bytes, expected, &Limits::bitcoin_core());
}

/// A head of so many bytes, with so many fields.
fn head(length: usize, fields: usize) -> Vec<u8> {
    let mut text = String::from("POST / HTTP/1.1\r\nHost: x\r\n");
    for number in 2..fields {
        let _ = write!(text, "f{number}: v\r\n");
    }
    let rest = length - text.len() - "last: \r\n\r\n".len();
    let _ = write!(text, "last: {}\r\n\r\n", "v".repeat(rest));
    assert_eq!(text.len(), length);
    text.into_bytes()
}

#[test]
fn a_request_needs_no_host() {
    check("none", b"POST / HTTP/1.1\r\n\r\n", "POST / 1.1 keep;");
    check("two", b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400");
}

#[test]
fn of_two_lengths_the_coding_counts_and_the_connection_closes() {
    let both = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    check("both", both, "POST / 1.1 close chunked 'ab';");
}

#[test]
fn another_version_is_400() {
    check("2.0", b"POST / HTTP/2.0\r\nHost: x\r\n\r\n", "400");
    check("a word", b"POST / HTTP/x\r\nHost: x\r\n\r\n", "400");
}

#[test]
fn heads_of_8192_bytes_pass_with_any_number_of_fields_and_larger_ones_are_400() {
    for fields in [3, 400, 700] {
        check("all that fits", &head(8192, fields), "POST / 1.1 keep;");
        check("one more", &head(8193, fields), "400");
    }
    let line = [b"GET /", &vec![b'a'; 9_000][..]].concat();
    check("an endless line", &line, "400");
}

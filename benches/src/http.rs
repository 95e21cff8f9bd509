//! What the works over HTTP ask, and what must come back: for the load, which sends it and checks, and for the floors among
//! the servers, which know it beforehand instead of parsing it.

use crate::work::Work;
use serde::Deserialize;
use std::ops::Range;

/// What `GET /hello` and `GET /worker` are answered with.
pub const HELLO: &str = "Hello, world!";

/// Its type.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// Bytes of the body that is posted.
pub const BODY: usize = 1024;

/// The user of JSON-RPC, and the password.
pub const USER: &str = "bench";

/// What the header `Authorization` must be for it: `Basic`, and user and password, which is the same, in base64.
pub const AUTHORIZATION: &str = "Basic YmVuY2g6YmVuY2g=";

/// The only method of JSON-RPC there is: its result is its parameters.
pub const METHOD: &str = "echo";

/// The parameters of every call.
pub const PARAMS: &str = r#"["hello",1]"#;

/// What every request has behind its first line, about as much as a command-line client sends.
const USUAL: &str = "host: localhost\r\nuser-agent: sockman-bench\r\naccept: */*\r\n";

/// What one connection asks, time and again, and what must come back: all of it is known but a number.
#[derive(Clone, Debug)]
pub struct Exchange {
    work: Work,
    /// A request, with zeros for its number.
    request: Vec<u8>,
    /// Where its body begins.
    body: usize,
    /// Where its number is.
    number: Range<usize>,
}

impl Exchange {
    /// What the connection of that number does.
    pub fn new(work: Work, connection: usize) -> Exchange {
        let (line, body) = match work {
            Work::HttpPost => ("POST /echo HTTP/1.1\r\n", posted(connection)),
            Work::Jsonrpc => ("POST / HTTP/1.1\r\n", call()),
            Work::HttpTail => ("GET /worker HTTP/1.1\r\n", Vec::new()),
            _ => ("GET /hello HTTP/1.1\r\n", Vec::new()),
        };
        let length = format!("content-length: {}\r\n", body.len());
        let headers = match work {
            Work::HttpPost => "content-type: application/octet-stream\r\n".to_owned() + &length,
            Work::Jsonrpc => {
                format!("authorization: {AUTHORIZATION}\r\ncontent-type: application/json\r\n{length}")
            }
            Work::HttpClose => "connection: close\r\n".to_owned(),
            _ => String::new(),
        };
        let head = [line, USUAL, &headers, "\r\n"].concat();
        let number = match work {
            Work::HttpPost => head.len()..head.len() + NUMBER,
            Work::Jsonrpc => head.len() + BEFORE_ID.len()..head.len() + BEFORE_ID.len() + NUMBER,
            _ => 0..0,
        };
        Exchange {
            work,
            body: head.len(),
            request: [head.as_bytes(), &body].concat(),
            number,
        }
    }

    /// Bytes of each request.
    pub fn size(&self) -> usize {
        self.request.len()
    }

    /// Where in a request its number is, as that many digits; empty where it has none.
    pub fn number(&self) -> Range<usize> {
        self.number.clone()
    }

    /// Appends the request of that number.
    pub fn ask(&self, number: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.request);
        if !self.number.is_empty() {
            out[start..][self.number.clone()].copy_from_slice(&digits(number));
        }
    }

    /// Whether that is the body of the answer to the request of that number.
    pub fn is_answer(&self, number: u64, answer: &[u8]) -> bool {
        match self.work {
            Work::HttpPost => answer.split_first_chunk().is_some_and(|(first, rest)| {
                *first == digits(number) && *rest == self.request[self.body + NUMBER..]
            }),
            Work::Jsonrpc => serde_json::from_slice(answer).is_ok_and(|answer: Answer<'_>| {
                answer.id == FIRST + number && answer.result == Some(("hello", 1))
            }),
            _ => answer == HELLO.as_bytes(),
        }
    }
}

/// Digits of a number.
const NUMBER: usize = 16;

/// What is added to every number, so that it has as many digits without a zero in front, which JSON does not allow.
const FIRST: u64 = 1_000_000_000_000_000;

/// A number in decimal.
fn digits(number: u64) -> [u8; NUMBER] {
    let mut rest = FIRST + number;
    let mut digits = [b'0'; NUMBER];
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    digits
}

/// What is posted: a number, then the connection's own pattern, so that no other body passes for it.
fn posted(connection: usize) -> Vec<u8> {
    let pattern = (NUMBER..BODY).map(|at| (at.wrapping_mul(31) ^ connection.wrapping_mul(131)) as u8);
    digits(0).into_iter().chain(pattern).collect()
}

/// How a call begins, up to its number.
const BEFORE_ID: &str = r#"{"jsonrpc":"2.0","id":"#;

fn call() -> Vec<u8> {
    let mut call = BEFORE_ID.as_bytes().to_vec();
    call.extend_from_slice(&digits(0));
    call.extend_from_slice(format!(r#","method":"{METHOD}","params":{PARAMS}}}"#).as_bytes());
    call
}

/// What an answer to a call says.
#[derive(Deserialize)]
struct Answer<'a> {
    id: u64,
    #[serde(borrow)]
    result: Option<(&'a str, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(work: Work, connection: usize, number: u64) -> (String, Vec<u8>) {
        let exchange = Exchange::new(work, connection);
        let mut bytes = Vec::new();
        exchange.ask(number, &mut bytes);
        let body = bytes.split_off(exchange.body);
        (String::from_utf8(bytes).expect("text"), body)
    }

    #[test]
    fn requests_have_the_size_that_they_declare_and_it_does_not_vary() {
        for work in [Work::HttpPost, Work::Jsonrpc] {
            let (head, body) = text(work, 3, 77);
            assert!(
                head.ends_with(&format!("content-length: {}\r\n\r\n", body.len())),
                "{head}"
            );
            assert_eq!(head.len() + body.len(), Exchange::new(work, 0).size());
        }
        let (head, body) = text(Work::HttpClose, 0, 0);
        assert!(head.ends_with("connection: close\r\n\r\n") && body.is_empty());
        assert_eq!(text(Work::HttpPost, 0, 0).1.len(), BODY);
    }

    #[test]
    fn calls_are_json_with_their_number() {
        let (_, body) = text(Work::Jsonrpc, 3, 77);
        let call: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(call["id"], FIRST + 77);
        assert_eq!(call["params"], serde_json::json!(["hello", 1]));
    }

    #[test]
    fn a_body_passes_for_its_own_answer_and_for_no_other() {
        let (_, body) = text(Work::HttpPost, 3, 77);
        let passes = |connection, number| Exchange::new(Work::HttpPost, connection).is_answer(number, &body);
        assert!(passes(3, 77));
        assert!(!passes(3, 78) && !passes(4, 77));
    }

    #[test]
    fn results_are_checked_in_whatever_order_they_are_written() {
        let passes = |text: &str| Exchange::new(Work::Jsonrpc, 0).is_answer(5, text.as_bytes());
        assert!(passes(
            r#"{"result":["hello",1],"error":null,"id":1000000000000005}"#
        ));
        assert!(passes(
            r#"{ "jsonrpc": "2.0", "id": 1000000000000005, "result": ["hello", 1] }"#
        ));
        assert!(
            !passes(r#"{"result":["hello",1],"id":1000000000000006}"#),
            "another's"
        );
        assert!(!passes(r#"{"result":["hello",2],"id":1000000000000005}"#));
        assert!(!passes(r#"{"error":{"code":-32601},"id":1000000000000005}"#));
        assert!(!passes("Hello, world!"));
    }
}

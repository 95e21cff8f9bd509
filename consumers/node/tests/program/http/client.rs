//! A client that sends what it is told and shows what it gets.

use crate::peer::{Peer, connect, expect_end};
use std::io::{Read, Write};

/// A connection, and what has come and was not looked at.
pub(crate) struct Client {
    pub(crate) peer: Box<dyn Peer>,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// All of it up to the empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A field's value. No field of an answer is there twice.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().skip(1).filter_map(|line| {
            let (field, value) = line.split_once(": ").expect("a field");
            field.eq_ignore_ascii_case(name).then_some(value)
        });
        let value = values.next();
        assert_eq!(values.next(), None, "{name} is there twice: {}", self.head);
        value
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("text")
    }
}

impl Client {
    pub(crate) fn new(at: &str) -> Client {
        Client {
            peer: connect(at),
            unread: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.peer.write_all(bytes.as_ref()).expect("the server reads");
    }

    /// Sends a request without a body, and gives its answer.
    pub(crate) fn ask(&mut self, method: &str, target: &str) -> Answer {
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        self.answer_to(method)
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target)
    }

    /// Sends a request with a body, and gives its answer.
    pub(crate) fn post(&mut self, method: &str, target: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        // In one piece: the kernel would hold the second back until it hears of the first.
        self.send([head.as_bytes(), body].concat());
        self.answer_to(method)
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    pub(crate) fn answer_to(&mut self, method: &str) -> Answer {
        let head = self.until(b"\r\n\r\n");
        let head = String::from_utf8(head).expect("heads are text");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut answer = Answer {
            status: status.unwrap_or_else(|| panic!("no status: {head}")),
            head: head.trim_end().to_owned(),
            body: Vec::new(),
        };
        if method == "HEAD" || matches!(answer.status, 100..200 | 204 | 304) {
            return answer;
        }
        if let Some(length) = answer.field("content-length") {
            let length = length.parse().expect("a number");
            answer.body = self.take(length);
        } else if answer.field("transfer-encoding") == Some("chunked") {
            while let piece @ [_, ..] = &self.chunk()[..] {
                answer.body.extend_from_slice(piece);
            }
        } else {
            assert_eq!(
                answer.field("connection"),
                Some("close"),
                "an answer without a length"
            );
            self.peer.read_to_end(&mut self.unread).expect("an orderly end");
            answer.body = std::mem::take(&mut self.unread);
        }
        answer
    }

    /// The head of an answer alone, without its empty line.
    pub(crate) fn head(&mut self) -> String {
        let head = self.until(b"\r\n\r\n");
        String::from_utf8(head)
            .expect("heads are text")
            .trim_end()
            .to_owned()
    }

    /// A chunk; the last is empty.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let line = self.until(b"\r\n");
        let digits = str::from_utf8(&line).expect("a size").trim_end();
        let size = usize::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("no size: {digits}"));
        let mut chunk = self.take(size + 2);
        assert!(chunk.ends_with(b"\r\n"));
        chunk.truncate(size);
        chunk
    }

    /// Expects the end, with nothing before it.
    pub(crate) fn end(mut self) {
        assert_eq!(String::from_utf8_lossy(&self.unread), "");
        expect_end(&mut *self.peer);
    }

    fn until(&mut self, mark: &[u8]) -> Vec<u8> {
        loop {
            let found = self.unread.windows(mark.len()).position(|window| window == mark);
            if let Some(place) = found {
                return self.take(place + mark.len());
            }
            self.more();
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            self.more();
        }
        let rest = self.unread.split_off(count);
        std::mem::replace(&mut self.unread, rest)
    }

    fn more(&mut self) {
        let mut buffer = [0; 16 << 10];
        let count = self.peer.read(&mut buffer).expect("the server answers");
        assert_ne!(
            count,
            0,
            "the end came after {:?}",
            String::from_utf8_lossy(&self.unread)
        );
        self.unread.extend_from_slice(&buffer[..count]);
    }
}

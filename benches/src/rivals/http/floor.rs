//! What the floors know of their requests beforehand: where one ends, and what it is answered with. They look at nothing
//! else, so no server can do with less.

use crate::http::{BODY, Exchange, HELLO, PARAMS, TEXT};
use crate::work::Work;
use memchr::memmem;
use std::ops::Range;

/// Requests of one kind, and their answers.
pub trait Script: Default {
    /// Whether the connection is closed behind the answer.
    const CLOSES: bool = false;

    /// The length of the request that `data` begins with, if all of it is there.
    fn whole(&self, data: &[u8]) -> Option<usize>;

    /// Appends the answer.
    fn answer(&self, request: &[u8], out: &mut Vec<u8>);

    /// Appends the answers to what was received, and keeps the beginning of a request that is not complete.
    #[inline]
    fn answer_all(&self, kept: &mut Vec<u8>, mut data: &[u8], out: &mut Vec<u8>) {
        if kept.is_empty() {
            while let Some(length) = self.whole(data) {
                self.answer(&data[..length], out);
                data = &data[length..];
            }
            kept.extend_from_slice(data);
            return;
        }
        let mut joined = std::mem::take(kept);
        joined.extend_from_slice(data);
        self.answer_all(kept, &joined, out);
    }
}

/// The head of an answer, as long as other servers' are; it is always the same day.
fn head(of: &str, length: usize, more: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-type: {of}\r\ncontent-length: {length}\r\n{more}\r\n"
    )
}

/// Requests without a body, answered with a text.
#[derive(Clone, Debug)]
pub struct Get<const CLOSES: bool> {
    /// Bytes of the load's requests.
    size: usize,
    answer: String,
}

/// How a request without a body ends.
const END: &[u8] = b"\r\n\r\n";

impl<const CLOSES: bool> Default for Get<CLOSES> {
    fn default() -> Self {
        let more = if CLOSES { "connection: close\r\n" } else { "" };
        let work = if CLOSES { Work::HttpClose } else { Work::Http };
        Get {
            size: Exchange::new(work, 0).size(),
            answer: head(TEXT, HELLO.len(), more) + HELLO,
        }
    }
}

impl<const CLOSES: bool> Script for Get<CLOSES> {
    const CLOSES: bool = CLOSES;

    #[inline]
    fn whole(&self, data: &[u8]) -> Option<usize> {
        if data.get(self.size - END.len()..self.size) == Some(END) {
            return Some(self.size);
        }
        // Other clients' requests have other sizes.
        Some(memmem::find(data, END)? + END.len())
    }

    #[inline]
    fn answer(&self, _: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.answer.as_bytes());
    }
}

/// Requests of the size that the load's have, with a body that is sent back.
#[derive(Clone, Debug)]
pub struct Post {
    size: usize,
    head: String,
}

impl Default for Post {
    fn default() -> Self {
        Post {
            size: Exchange::new(Work::HttpPost, 0).size(),
            head: head("application/octet-stream", BODY, ""),
        }
    }
}

impl Script for Post {
    #[inline]
    fn whole(&self, data: &[u8]) -> Option<usize> {
        (data.len() >= self.size).then_some(self.size)
    }

    #[inline]
    fn answer(&self, request: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(&request[request.len() - BODY..]);
    }
}

/// Calls of the size that the load's have, with their id at the same place.
#[derive(Clone, Debug)]
pub struct Rpc {
    size: usize,
    /// Where the id is.
    id: Range<usize>,
    before: String,
}

impl Default for Rpc {
    fn default() -> Self {
        let exchange = Exchange::new(Work::Jsonrpc, 0);
        let id = exchange.number();
        let body = format!(r#"{{"jsonrpc":"2.0","result":{PARAMS},"id":"#);
        Rpc {
            size: exchange.size(),
            before: head("application/json", body.len() + id.len() + 1, "") + &body,
            id,
        }
    }
}

impl Script for Rpc {
    #[inline]
    fn whole(&self, data: &[u8]) -> Option<usize> {
        (data.len() >= self.size).then_some(self.size)
    }

    #[inline]
    fn answer(&self, request: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        out.extend_from_slice(&request[self.id.clone()]);
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What two requests are answered with, in whatever pieces they come.
    fn answers<S: Script>(work: Work) -> Vec<u8> {
        let script = S::default();
        let mut requests = Vec::new();
        let exchange = Exchange::new(work, 3);
        exchange.ask(0, &mut requests);
        exchange.ask(1, &mut requests);
        let mut whole = Vec::new();
        script.answer_all(&mut Vec::new(), &requests, &mut whole);
        for size in [1, 7, requests.len() / 2 + 1] {
            let (mut kept, mut out) = (Vec::new(), Vec::new());
            for piece in requests.chunks(size) {
                script.answer_all(&mut kept, piece, &mut out);
            }
            assert_eq!(out, whole, "pieces of {size}");
        }
        whole
    }

    #[test]
    fn answers_are_what_the_load_expects() {
        for (work, bytes) in [
            (Work::Http, answers::<Get<false>>(Work::Http)),
            (Work::HttpClose, answers::<Get<true>>(Work::HttpClose)),
            (Work::HttpPost, answers::<Post>(Work::HttpPost)),
            (Work::Jsonrpc, answers::<Rpc>(Work::Jsonrpc)),
        ] {
            let mut rest = &bytes[..];
            for number in 0..2 {
                let end = memmem::find(rest, b"\r\n\r\n").expect("a head") + 4;
                let head = String::from_utf8(rest[..end].to_vec()).expect("text");
                let line = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = line.and_then(|length| length.parse().ok()).expect("a length");
                assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
                let body = &rest[end..end + length];
                assert!(Exchange::new(work, 3).is_answer(number, body), "{}", work.name());
                rest = &rest[end + length..];
            }
            assert!(rest.is_empty());
        }
    }
}

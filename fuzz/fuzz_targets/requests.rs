//! The decoder of HTTP requests: what comes of bytes does not depend on how they are split, and nothing is given out of turn.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockman_http::http1::{Decoder, Flow, Head, Header, Requests};
use sockman_http::{Limits, Reject};

/// What came of some bytes.
#[derive(Debug, Default, PartialEq)]
struct Log {
    heads: Vec<String>,
    bodies: Vec<Vec<u8>>,
    trailers: usize,
    ends: usize,
    refused: Option<Reject>,
}

impl Requests for Log {
    fn head(&mut self, head: &Head<'_>, _: &[u8]) -> Flow {
        assert_eq!(self.heads.len(), self.ends, "a head inside a request");
        let fields: Vec<_> = head
            .fields
            .iter()
            .map(|field| (field.name, field.value))
            .collect();
        self.heads.push(format!(
            "{} {} {:?} {fields:?}",
            head.method, head.target, head.length
        ));
        self.bodies.push(Vec::new());
        Flow::On
    }

    fn body(&mut self, data: &[u8]) -> Flow {
        assert!(!data.is_empty() && self.heads.len() == self.ends + 1);
        self.bodies
            .last_mut()
            .expect("inside a request")
            .extend_from_slice(data);
        Flow::On
    }

    fn trailers(&mut self, fields: &[Header<'_>]) {
        self.trailers += fields.len();
    }

    fn end(&mut self) -> Flow {
        self.ends += 1;
        Flow::On
    }
}

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Log {
    // Small, so that they are met.
    let limits = Limits {
        request_line: 60,
        head: 200,
        fields: 5,
        body: 100,
        chunk_line: 20,
        extensions: 30,
        trailers: 50,
        ..Limits::default()
    };
    let mut decoder = Decoder::new();
    let mut log = Log::default();
    let mut unread = Vec::new();
    for piece in pieces {
        unread.extend_from_slice(piece);
        match decoder.decode(&mut unread, &limits, &mut log) {
            Ok(consumed) => drop(unread.drain(..consumed)),
            Err(why) => {
                log.refused = Some(why);
                break;
            }
        }
    }
    if log.refused.is_some() {
        // How much of the body of a refused request came before depends on how it came.
        log.bodies.truncate(log.ends);
    }
    log
}

fuzz_target!(|input: (Vec<u8>, u8)| {
    let (bytes, size) = input;
    let split = decode(bytes.chunks(usize::from(size).max(1)));
    assert_eq!(split, decode(std::iter::once(&bytes[..])));
});

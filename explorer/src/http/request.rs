//! Requests, and what must be answered to each.

use super::kinds::{Kind, What, text};
use fastrand::Rng;
use sockman_http::Settings;

/// A request, and its answer.
pub(super) struct Exchange {
    pub(super) bytes: Vec<u8>,
    /// The client does not send more than so many bytes of it before it has heard 100 (Continue).
    pub(super) barrier: Option<usize>,
    pub(super) expected: Expected,
}

/// What must be answered.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) number: u32,
    /// Whether the application is asked.
    pub(super) is_served: bool,
    /// Whether 100 (Continue) comes first.
    pub(super) continues: bool,
    pub(super) status: u16,
    pub(super) framing: Framing,
    /// Whether no body follows, whatever the head says.
    pub(super) is_head: bool,
    /// What comes of a body.
    pub(super) body: Vec<u8>,
    /// Whether the body breaks off after that.
    pub(super) breaks: bool,
    pub(super) connection: Option<&'static str>,
    /// Whether nothing follows it, and the server hangs up.
    pub(super) is_last: bool,
    /// That end is a reset, which may destroy what came before.
    pub(super) resets: bool,
}

/// How a body's end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Length(usize),
    /// By some length, of a text that begins with the status.
    Text,
    Chunked,
    /// By the connection's end.
    Close,
}

/// How a body is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sends {
    Nothing,
    Length,
    Chunks,
    /// Chunks of which one is malformed.
    BadChunks,
}

/// Refused by their heads: the bytes, the status, and whether the answer has a body.
const BAD: [(&str, u16, bool); 10] = [
    ("GET / HTTP/1.1\r\n\r\n", 400, true),
    ("HEAD / HTTP/1.1\r\n\r\n", 400, false),
    ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505, true),
    ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
    (
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
        true,
    ),
    (
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20001\r\n\r\n",
        413,
        true,
    ),
    (
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        501,
        true,
    ),
    (
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: something\r\n\r\n",
        417,
        true,
    ),
    ("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501, true),
    ("GET / HTTP/1.1\nHost: x\r\n\r\n", 400, true),
];

/// Makes the requests of one connection.
pub(super) struct Requests<'a> {
    pub(super) random: &'a mut Rng,
    pub(super) settings: &'a Settings,
    /// Requests that are served, so far.
    pub(super) count: u64,
}

impl Requests<'_> {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.usize(0..from.len())]
    }

    fn one_in(&mut self, number: u8) -> bool {
        self.random.u8(0..number) == 0
    }

    fn what(&mut self, number: u32) -> What {
        let kind = self.pick(&Kind::ALL);
        let small = [0, 1, 10, 100, 3_000];
        let size = match kind {
            Kind::Shared => self.pick(&[10, 16_384, 40_000]),
            Kind::Written => self.pick(&[1, 10, 1_000]),
            Kind::Status => self.pick(&[204, 304]),
            _ => self.pick(&small),
        };
        What {
            kind,
            number,
            size,
            count: self.random.usize(0..5),
            ms: self.pick(&[0, 0, 1, 50]),
            flag: match kind {
                Kind::Written | Kind::Deferred => self.one_in(6),
                _ => self.random.bool(),
            },
        }
    }

    /// The next request.
    pub(super) fn next(&mut self, number: u32) -> Exchange {
        if self.one_in(25) {
            let (text, status, has_body) = self.pick(&BAD);
            return refused(number, text, status, has_body);
        }
        let what = self.what(number);
        let is_old = self.one_in(8);
        let (method, sends) = self.method(what.kind, is_old);
        self.request(what, method, sends, is_old)
    }

    fn method(&mut self, kind: Kind, is_old: bool) -> (&'static str, Sends) {
        let chunks = if is_old { Sends::Length } else { Sends::Chunks };
        let bad = if is_old { Sends::Length } else { Sends::BadChunks };
        match kind {
            Kind::Echo | Kind::Upload | Kind::Nothing => {
                let sends = match self.random.u8(0..14) {
                    0 => bad,
                    1 => Sends::Nothing,
                    2..=7 => Sends::Length,
                    _ => chunks,
                };
                (self.pick(&["POST", "PUT", "GET", "HEAD"]), sends)
            }
            _ => (
                self.pick(&["GET", "GET", "HEAD", "OPTIONS", "DELETE"]),
                Sends::Nothing,
            ),
        }
    }

    fn request(&mut self, what: What, method: &'static str, sends: Sends, is_old: bool) -> Exchange {
        let keeps = self.random.bool();
        let says = match (is_old, keeps) {
            (true, true) => Some("keep-alive"),
            (false, _) if self.one_in(20) => Some("Close"),
            _ => None,
        };
        let size = self.pick(&[1, 3, 15, 200, 2_000]);
        let body = if sends == Sends::Nothing {
            Vec::new()
        } else {
            text(!what.number, size)
        };
        let expects = sends != Sends::Nothing && self.one_in(4);
        let waits = expects && self.random.bool();
        let version = if is_old { "1.0" } else { "1.1" };
        let mut bytes = format!("{method} {} HTTP/{version}\r\nHost: x\r\n", what.target());
        for (name, value) in [
            ("Connection", says.map(str::to_owned)),
            ("Expect", expects.then(|| "100-continue".to_owned())),
            (
                "Content-Length",
                (sends == Sends::Length).then(|| body.len().to_string()),
            ),
            (
                "Transfer-Encoding",
                matches!(sends, Sends::Chunks | Sends::BadChunks).then(|| "chunked".to_owned()),
            ),
        ] {
            if let Some(value) = value {
                bytes.extend([name, ": ", &value, "\r\n"]);
            }
        }
        let mut bytes = (bytes + "\r\n").into_bytes();
        let barrier = (waits && !is_old).then_some(bytes.len());
        match sends {
            Sends::Nothing => {}
            Sends::Length => bytes.extend_from_slice(&body),
            Sends::Chunks | Sends::BadChunks => self.chunks(&body, sends == Sends::BadChunks, &mut bytes),
        }
        if self.one_in(10) {
            // An empty line behind a request belongs to nothing.
            bytes.extend_from_slice(b"\r\n");
        }
        let how = How {
            method,
            is_old,
            says,
            sends,
            expects: expects && !is_old,
        };
        let expected = self.expected(what, &how, body);
        Exchange {
            bytes,
            barrier,
            expected,
        }
    }

    fn chunks(&mut self, mut body: &[u8], is_bad: bool, bytes: &mut Vec<u8>) {
        let extension = self.pick(&["", "", ";a", ";a=\"b c\""]);
        while !body.is_empty() {
            let (chunk, rest) = body.split_at(self.random.usize(1..=body.len()));
            body = rest;
            bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            // (Where a CRLF should be.)
            bytes.extend_from_slice(if is_bad && body.is_empty() { b"??" } else { b"\r\n" });
        }
        let trailers = self.pick(&["", "", "A: b\r\n"]);
        bytes.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
    }

    /// What is answered to a request that is right, at least as far as its head goes.
    fn expected(&mut self, what: What, how: &How, sent: Vec<u8>) -> Expected {
        let is_bad = how.sends == Sends::BadChunks;
        let mut expected = Expected {
            number: what.number,
            is_served: true,
            continues: how.expects && what.kind != Kind::Nothing,
            status: 200,
            framing: Framing::None,
            is_head: how.method == "HEAD",
            body: Vec::new(),
            breaks: false,
            connection: None,
            is_last: false,
            resets: false,
        };
        if is_bad && what.kind != Kind::Nothing {
            // Its answer is that of a request that is refused.
            let refused = refused(what.number, "", 400, how.method != "HEAD").expected;
            return Expected {
                continues: expected.continues,
                ..refused
            };
        }
        self.count += 1;
        let size = sent.len() as u64;
        let (mut closes, mut unknown) = (false, false);
        match what.kind {
            Kind::Close => (expected.body, closes) = (what.piece(0), true),
            Kind::Echo | Kind::Upload => expected.body = sent,
            Kind::Deferred if what.flag => {
                (expected.status, expected.body) = (500, b"500: no answer\n".to_vec());
            }
            Kind::Written => (expected.body, unknown, expected.breaks) = (what.pieces(), true, what.flag),
            Kind::Stream => (expected.body, unknown) = (what.pieces(), !what.flag),
            Kind::Status => expected.status = what.size as u16,
            Kind::Now | Kind::Shared | Kind::After | Kind::Deferred => expected.body = what.piece(0),
            Kind::Nothing => {
                closes = how.expects || how.sends == Sends::Length && size > self.settings.discard;
                // Chunks are counted, and found to be wrong, when the answer has been given.
                expected.is_last = is_bad || size > self.settings.discard;
            }
        }
        expected.framing = match how {
            _ if what.kind == Kind::Status => Framing::None,
            _ if !unknown => Framing::Length(expected.body.len()),
            How { is_old: false, .. } => Framing::Chunked,
            How { method: "HEAD", .. } => Framing::None,
            _ => Framing::Close,
        };
        closes |= how.says == Some("Close") || how.is_old && how.says.is_none();
        closes |= self.settings.requests.is_some_and(|most| self.count >= most);
        closes |= expected.framing == Framing::Close;
        if expected.is_head {
            (expected.body, expected.breaks) = (Vec::new(), false);
        }
        expected.is_last |= closes || expected.breaks;
        expected.resets = expected.breaks && expected.framing == Framing::Close;
        expected.connection = match (closes, how.is_old) {
            (true, _) => Some("close"),
            (false, true) => Some("keep-alive"),
            (false, false) => None,
        };
        expected
    }
}

/// How a request was sent.
struct How {
    method: &'static str,
    is_old: bool,
    says: Option<&'static str>,
    sends: Sends,
    expects: bool,
}

/// A request that is refused, for a reason that this is about: only its length is known.
fn refused(number: u32, text: &str, status: u16, has_body: bool) -> Exchange {
    Exchange {
        bytes: text.as_bytes().to_vec(),
        barrier: None,
        expected: Expected {
            number,
            is_served: false,
            continues: false,
            status,
            framing: Framing::Text,
            is_head: !has_body,
            body: Vec::new(),
            breaks: false,
            connection: Some("close"),
            is_last: true,
            resets: false,
        },
    }
}

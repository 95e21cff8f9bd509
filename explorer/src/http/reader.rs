//! Reads answers as they come, and holds them against what must come.

use super::request::{Expected, Framing};

/// Something has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// 100 (Continue).
    Continue,
    /// All of an answer; `closes`: it says that it is the last.
    Answer { closes: bool },
}

/// How far an answer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// So much of a body is to come.
    Body(usize),
    ChunkSize,
    ChunkData(usize),
    ChunkEnd,
    /// At the empty line behind the last chunk.
    LastEnd,
    /// To the end of the connection.
    ToEnd,
}

pub(super) struct Reader {
    bytes: Vec<u8>,
    state: State,
    /// What has come of the body.
    body: Vec<u8>,
    closes: bool,
}

impl Reader {
    pub(super) fn new() -> Reader {
        Reader {
            bytes: Vec::new(),
            state: State::Head,
            body: Vec::new(),
            closes: false,
        }
    }

    pub(super) fn hear(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
    }

    /// Whether it is between two answers.
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Head && self.bytes.is_empty()
    }

    /// Whether the end of the connection is, or shows, the end of this answer.
    pub(super) fn ends_with(&self, expected: &Expected) -> bool {
        match self.state {
            State::ToEnd => self.body == expected.body && !expected.breaks,
            State::ChunkSize => self.body == expected.body && expected.breaks,
            _ => false,
        }
    }

    /// What is next, if that is complete. `may_close`: it may say that it is the last though that is not expected.
    pub(super) fn next(&mut self, expected: &Expected, may_close: bool) -> Option<Event> {
        loop {
            match self.state {
                State::Head => {
                    let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
                    let head: Vec<u8> = self.bytes.drain(..end).collect();
                    let head = String::from_utf8(head).expect("heads are ASCII");
                    if head == "HTTP/1.1 100 Continue\r\n\r\n" {
                        return Some(Event::Continue);
                    }
                    self.head(&head, expected, may_close);
                }
                State::Body(left) => {
                    let left = left - self.take(left, expected);
                    self.state = State::Body(left);
                    if left > 0 {
                        return None;
                    }
                    return Some(self.end(expected));
                }
                State::ChunkSize => {
                    let end = self.bytes.windows(2).position(|two| two == b"\r\n")?;
                    let size = std::str::from_utf8(&self.bytes[..end]).ok();
                    let size = size.and_then(|size| usize::from_str_radix(size, 16).ok());
                    self.bytes.drain(..end + 2);
                    self.state = match size.expect("a chunk's size") {
                        0 => State::LastEnd,
                        size => State::ChunkData(size),
                    };
                }
                State::ChunkData(left) => {
                    let left = left - self.take(left, expected);
                    self.state = State::ChunkData(left);
                    if left > 0 {
                        return None;
                    }
                    self.state = State::ChunkEnd;
                }
                State::ChunkEnd | State::LastEnd => {
                    if self.bytes.len() < 2 {
                        return None;
                    }
                    assert!(self.bytes.starts_with(b"\r\n"), "no CRLF behind a chunk");
                    self.bytes.drain(..2);
                    if self.state == State::LastEnd {
                        assert!(!expected.breaks, "an answer that breaks off is whole");
                        return Some(self.end(expected));
                    }
                    self.state = State::ChunkSize;
                }
                State::ToEnd => {
                    self.take(usize::MAX, expected);
                    return None;
                }
            }
        }
    }

    /// Takes so many bytes of a body at most.
    fn take(&mut self, most: usize, expected: &Expected) -> usize {
        let count = most.min(self.bytes.len());
        self.body.extend(self.bytes.drain(..count));
        let number = expected.number;
        if expected.framing == Framing::Text {
            return count;
        }
        assert!(
            expected.body.starts_with(&self.body),
            "request {number}: of {} bytes of its body some are wrong, of {} that are expected: {}",
            self.body.len(),
            expected.body.len(),
            self.body[self.body.len().min(expected.body.len())..].escape_ascii()
        );
        count
    }

    fn end(&mut self, expected: &Expected) -> Event {
        let number = expected.number;
        if expected.framing == Framing::Text {
            let status = expected.status.to_string();
            assert!(
                expected.is_head || self.body.starts_with(status.as_bytes()),
                "request {number}: another text"
            );
        } else {
            assert_eq!(
                self.body.len(),
                expected.body.len(),
                "request {number}: a body too short"
            );
        }
        self.body.clear();
        self.state = State::Head;
        Event::Answer { closes: self.closes }
    }

    /// Checks a head, and what it says of the body.
    fn head(&mut self, head: &str, expected: &Expected, may_close: bool) {
        let number = expected.number;
        let status = format!("HTTP/1.1 {} ", expected.status);
        assert!(
            head.starts_with(&status),
            "request {number}: instead of {} came {head}",
            expected.status
        );
        let field = |name: &str| {
            let mut values = head.lines().filter_map(|line| {
                let (its, value) = line.split_once(": ")?;
                its.eq_ignore_ascii_case(name).then_some(value)
            });
            let value = values.next();
            assert!(
                values.next().is_none(),
                "request {number}: more than one {name}: {head}"
            );
            value
        };
        let date = field("date");
        assert!(
            date.is_some_and(|date| date.len() == 29 && date.ends_with(" GMT")),
            "request {number}: no date: {head}"
        );
        let connection = field("connection");
        self.closes = connection == Some("close");
        assert!(
            connection == expected.connection || may_close && self.closes,
            "request {number}: {:?} is expected: {head}",
            expected.connection
        );
        let (length, coding) = (field("content-length"), field("transfer-encoding"));
        let length = length.map(|length| length.parse::<usize>().expect("a length"));
        let is_right = match expected.framing {
            Framing::None | Framing::Close => length.is_none() && coding.is_none(),
            Framing::Length(expected) => length == Some(expected) && coding.is_none(),
            Framing::Text => length.is_some() && coding.is_none(),
            Framing::Chunked => length.is_none() && coding == Some("chunked"),
        };
        assert!(
            is_right,
            "request {number}: {:?} is expected: {head}",
            expected.framing
        );
        self.state = match expected.framing {
            _ if expected.is_head => State::Body(0),
            Framing::None => State::Body(0),
            Framing::Length(_) | Framing::Text => State::Body(length.unwrap_or_default()),
            Framing::Chunked => State::ChunkSize,
            Framing::Close => State::ToEnd,
        };
    }
}

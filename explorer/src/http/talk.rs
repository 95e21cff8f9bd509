//! What one connection of the client sends and hears.

use super::app::Shared;
use super::kinds::What;
use super::reader::{Event, Reader};
use super::request::{Exchange, Requests};
use fastrand::Rng;
use sockman_http::Settings;
use std::fmt;

/// The requests of one connection, and how far they and their answers are.
pub(super) struct Talk {
    exchanges: Vec<Exchange>,
    /// Bytes behind them that are no whole request.
    rest: Vec<u8>,
    /// The exchange that is being sent, and how many bytes of it were.
    sending: (usize, usize),
    /// The exchange whose answer is being heard.
    hearing: usize,
    /// It was told to go on.
    continued: bool,
    reader: Reader,
    /// It heard that nothing will follow.
    is_over: bool,
    /// Its end has come, and was judged.
    has_ended: bool,
    /// Whatever may still come is nobody's.
    pub(super) is_aborted: bool,
    /// The queue is above its mark.
    pub(super) is_high: bool,
    pub(super) is_finished: bool,
}

impl Talk {
    /// Makes requests; `numbers` counts all requests.
    pub(super) fn new(random: &mut Rng, settings: &Settings, numbers: &mut u32) -> Talk {
        let count = match random.u8(0..10) {
            0 => 0,
            1 => random.usize(20..80),
            _ => random.usize(1..10),
        };
        let mut requests = Requests {
            random,
            settings,
            count: 0,
        };
        let next = |_| {
            *numbers += 1;
            requests.next(*numbers)
        };
        let exchanges = (0..count).map(next).collect();
        let mut rest = Vec::new();
        if random.u8(0..8) == 0 {
            *numbers += 1;
            let what = What {
                number: *numbers,
                ..What::default()
            };
            rest = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", what.target()).into_bytes();
            rest.truncate(random.usize(1..rest.len()));
        }
        Talk {
            exchanges,
            rest,
            sending: (0, 0),
            hearing: 0,
            continued: false,
            reader: Reader::new(),
            is_over: false,
            has_ended: false,
            is_aborted: false,
            is_high: false,
            is_finished: false,
        }
    }

    /// Whether everything has been sent.
    pub(super) fn is_sent(&self) -> bool {
        self.sending.0 == self.exchanges.len() && self.rest.is_empty()
    }

    /// Whether it sends nothing before it is told to go on.
    pub(super) fn waits(&self) -> bool {
        let (number, sent) = self.sending;
        let is_told = self.hearing > number || self.hearing == number && self.continued;
        let exchange = self.exchanges.get(number);
        !is_told && exchange.is_some_and(|exchange| exchange.barrier == Some(sent))
    }

    /// The next bytes to send, so many at most; none while it waits for 100 (Continue).
    pub(super) fn next(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < most {
            let (number, sent) = self.sending;
            let Some(exchange) = self.exchanges.get(number) else {
                let count = self.rest.len().min(most - bytes.len());
                bytes.extend(self.rest.drain(..count));
                break;
            };
            let is_told = self.hearing > number || self.hearing == number && self.continued;
            let end = match exchange.barrier {
                Some(barrier) if !is_told => barrier,
                _ => exchange.bytes.len(),
            };
            let count = (end - sent).min(most - bytes.len());
            bytes.extend_from_slice(&exchange.bytes[sent..sent + count]);
            self.sending.1 += count;
            if self.sending.1 == exchange.bytes.len() {
                self.sending = (number + 1, 0);
            } else if self.sending.1 == end {
                break;
            }
        }
        bytes
    }

    /// Checks what comes.
    pub(super) fn hear(&mut self, data: &[u8], shared: &Shared, is_excused: bool) {
        self.reader.hear(data);
        loop {
            if self.is_over {
                assert!(self.reader.is_between(), "something comes after the last answer");
                return;
            }
            let Some(exchange) = self.exchanges.get(self.hearing) else {
                // (A deadline that passes is answered too.)
                assert!(
                    is_excused || self.reader.is_between(),
                    "more answers than requests"
                );
                return;
            };
            let expected = &exchange.expected;
            match self.reader.next(expected, shared.is_stopped()) {
                None => return,
                Some(Event::Continue) => {
                    let number = expected.number;
                    assert!(
                        expected.continues,
                        "request {number} is to go on, and did not ask for that"
                    );
                    assert!(!self.continued, "request {number} is to go on twice");
                    self.continued = true;
                }
                Some(Event::Answer { closes }) => {
                    let number = expected.number;
                    assert!(
                        self.sending.0 >= self.hearing,
                        "request {number} is answered before it is asked"
                    );
                    assert!(
                        self.continued || !expected.continues,
                        "request {number} has its answer and was not told to go on"
                    );
                    assert_eq!(
                        shared.is_served(number),
                        expected.is_served,
                        "request {number} is answered"
                    );
                    self.is_over = expected.is_last || closes;
                    self.hearing += 1;
                    self.continued = false;
                }
            }
        }
    }

    /// The server has finished, or the connection is no more: what must have come has come, unless that is excused.
    pub(super) fn end(&mut self, shared: &Shared, is_excused: bool) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let expected = self
            .exchanges
            .get(self.hearing)
            .map(|exchange| &exchange.expected);
        let (breaks, resets) = expected.map_or((false, false), |expected| (expected.breaks, expected.resets));
        if let Some(expected) = expected
            && !self.is_over
            && self.reader.ends_with(expected)
        {
            self.hearing += 1;
            self.is_over = true;
        }
        let heard = self.hearing;
        // Nothing behind the last answer was served. (Beside one that breaks off others may have been.)
        if self.is_over && !breaks {
            for exchange in &self.exchanges[heard..] {
                let number = exchange.expected.number;
                assert!(
                    !shared.is_served(number),
                    "request {number} is served after the last answer; {self}"
                );
            }
        }
        if is_excused || self.is_aborted {
            return;
        }
        let last = (self.exchanges.iter()).position(|exchange| exchange.expected.is_last);
        let due = last.map_or(self.exchanges.len(), |last| last + 1);
        // A reset destroys what is on its way.
        if resets
            || breaks && shared.is_stopped()
            || last.is_some_and(|last| self.exchanges[last].expected.resets)
        {
            return;
        }
        if shared.is_stopped() {
            for exchange in &self.exchanges[heard..] {
                let number = exchange.expected.number;
                assert!(
                    !shared.is_served(number),
                    "request {number} is served, and its answer never comes"
                );
            }
        } else {
            assert_eq!(
                heard, due,
                "the connection ends, and so many answers were heard of those that were due; {self}"
            );
        }
    }
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = self
            .exchanges
            .get(self.hearing)
            .map(|exchange| &exchange.expected);
        let text = expected.map_or("nothing".to_owned(), |expected| {
            format!(
                "request {} ({} {:?})",
                expected.number, expected.status, expected.framing
            )
        });
        write!(
            f,
            "{} of {} requests sent, {} answered, waiting for {text}",
            self.sending.0,
            self.exchanges.len(),
            self.hearing
        )
    }
}

//! A connection that stays.

use super::answers::Answers;
use crate::Failure;
use crate::cli::LoadArgs;
use crate::http::Exchange;
use crate::load::line::Line;
use crate::load::{Client, Event};
use rustix::fd::OwnedFd;
use std::time::Instant;

/// A connection on which requests follow each other. Several at a time are written together, and no more until all of them
/// are answered: how they come back must not decide in what pieces the next ones leave.
pub struct Kept {
    line: Line,
    exchange: Exchange,
    /// Requests that are put off until what is outstanding is answered.
    put_off: usize,
    /// The number of the next request, and of the next answer.
    asked: u64,
    answered: u64,
    answers: Answers,
}

impl Client for Kept {
    fn connect(args: &LoadArgs, index: usize) -> Result<Kept, Failure> {
        Ok(Kept {
            line: Line::connect(args.at, index)?,
            exchange: Exchange::new(args.work, index),
            put_off: 0,
            asked: 0,
            answered: 0,
            answers: Answers::default(),
        })
    }

    fn round_trip(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        self.append();
        self.line.flush()?;
        while self.answered < self.asked {
            let count = self.line.receive_some(buffer)?;
            self.take(&buffer[..count])?;
        }
        Ok(())
    }

    fn register(&mut self, poll: &OwnedFd) -> Result<(), Failure> {
        self.line.register(poll)
    }

    fn send(&mut self, poll: &OwnedFd, count: usize, now: Instant) -> Result<(), Failure> {
        self.put_off += count;
        if self.put_off == 0 || self.line.outstanding() > 0 {
            return Ok(());
        }
        let count = std::mem::take(&mut self.put_off);
        for _ in 0..count {
            self.append();
        }
        self.line.begun(count, now);
        self.line.flush_and_watch(poll)
    }

    fn event(&mut self, event: &mut Event<'_>) -> Result<usize, Failure> {
        if event.writable {
            self.line.flush_and_watch(event.poll)?;
        }
        self.receive(event.buffer)
    }

    fn latency(&mut self, now: Instant) -> u64 {
        self.line.latency(now)
    }

    fn expect_nothing(&mut self) -> Result<(), Failure> {
        if !self.answers.is_between() {
            return Err("more came back than was sent".into());
        }
        self.line.expect_nothing()
    }
}

impl Kept {
    fn append(&mut self) {
        self.exchange.ask(self.asked, &mut self.line.unsent);
        self.asked += 1;
    }

    /// Receives once, and tells how many answers were completed by that.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let count = self.line.receive(buffer)?;
        self.take(&buffer[..count])
    }

    fn take(&mut self, data: &[u8]) -> Result<usize, Failure> {
        self.answers.feed(data, |body| {
            if self.answered == self.asked {
                return Err("more came back than was asked".into());
            }
            if !self.exchange.is_answer(self.answered, body) {
                let body = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
                return Err(format!("request {} was answered with `{body}`", self.answered).into());
            }
            self.answered += 1;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::{args, pair};
    use crate::work::Work;
    use std::io::{Read, Write};

    const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nHello, world!";

    #[test]
    fn requests_leave_together_when_all_before_them_are_answered() {
        let (mut client, mut peer, poll) = pair::<Kept>(&args(Work::HttpPipeline, 0));
        let size = Exchange::new(Work::HttpPipeline, 0).size();
        client.send(&poll, 3, Instant::now()).expect("send");
        let mut bytes = vec![0; 3 * size];
        peer.read_exact(&mut bytes).expect("three requests");
        peer.set_nonblocking(true).expect("socket");
        for left in [2, 1, 0] {
            peer.write_all(HELLO).expect("write");
            assert_eq!(client.receive(&mut [0; 999]).expect("an answer"), 1);
            client.latency(Instant::now());
            client.send(&poll, 1, Instant::now()).expect("send");
            assert_eq!(
                peer.read(&mut bytes).unwrap_or(0),
                if left == 0 { 3 * size } else { 0 }
            );
        }
    }

    #[test]
    fn a_wrong_answer_and_one_too_many_are_found() {
        let (mut client, mut peer, poll) = pair::<Kept>(&args(Work::Http, 0));
        client.send(&poll, 1, Instant::now()).expect("send");
        peer.write_all(&[HELLO, HELLO].concat()).expect("write");
        assert!(client.receive(&mut [0; 999]).is_err(), "two");

        let (mut client, mut peer, poll) = pair::<Kept>(&args(Work::Http, 0));
        client.send(&poll, 1, Instant::now()).expect("send");
        peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nBye")
            .expect("write");
        let error = client.receive(&mut [0; 999]).expect_err("wrong");
        assert!(error.to_string().contains("Bye"), "{error}");
    }
}

//! The harness that feeds handlers: right ones are none the worse, and each kind of wrong one is found out.

use proptest::collection::vec;
use proptest::prelude::*;
use sockman::{Conn, Disconnect, Handler, Origin, Sent, SockMan};
use sockman_explorer::feed::{End, Input, Likely, Piece, feed};
use sockman_node::Echo;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn input() -> impl Strategy<Value = Input> {
    let piece = (vec(any::<u8>(), 0..200), 0..3_u8).prop_map(|(bytes, pause)| Piece { bytes, pause });
    let end = prop_oneof![4 => Just(End::Finish), 1 => Just(End::Close), 1 => Just(End::Reset)];
    let likely = (any::<u8>(), any::<u8>()).prop_map(|(fault, one_in)| Likely { fault, one_in });
    (vec(piece, 0..30), end, any::<u64>(), vec(likely, 0..5)).prop_map(|(pieces, end, seed, faults)| Input {
        pieces,
        end,
        seed,
        faults,
    })
}

/// Answers each line with its length; what it does wrong is for the tests to find.
struct Lines {
    wrong: Wrong,
    lines: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// Takes the end of what it is offered for the end of a line.
    Splits,
    /// Indexes what may not be there.
    Panics,
    /// Waits for ever where the peer has finished.
    Stays,
}

impl Lines {
    fn new(wrong: Wrong) -> Lines {
        let lines = Vec::new();
        Lines { wrong, lines }
    }
}

impl Handler for Lines {
    type Session = ();

    fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
        Some(())
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        let mut consumed = 0;
        while let Some(length) = data[consumed..].iter().position(|byte| *byte == b'\n') {
            assert!(self.wrong != Wrong::Panics || length != 7, "a line of seven");
            consumed += length + 1;
            self.lines.push(length);
            if net
                .send(conn, format!("{length}\n").as_bytes())
                .is_ok_and(Sent::is_high)
            {
                net.pause(conn);
                break;
            }
        }
        if self.wrong == Wrong::Splits && consumed == 0 {
            self.lines.push(data.len());
            return data.len();
        }
        consumed
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        net.resume(conn);
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), _: &mut [u8]) {
        if self.wrong != Wrong::Stays {
            net.disconnect(conn, Disconnect::flush());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_echo_answers_with_what_it_was_fed(input in input()) {
        let answer = feed(Echo::default, |_| (), &input);
        if input.end == End::Finish {
            let all: Vec<u8> = input.pieces.iter().flat_map(|piece| piece.bytes.clone()).collect();
            prop_assert_eq!(answer.heard, all);
        }
    }

    #[test]
    fn a_right_parser_is_none_the_worse(input in input()) {
        let answer = feed(|| Lines::new(Wrong::Nothing), |lines| lines.lines.clone(), &input);
        if input.end == End::Finish {
            let lines: Vec<_> = answer.known.iter().map(ToString::to_string).collect();
            let text: Vec<u8> = lines.iter().flat_map(|line| line.bytes().chain([b'\n'])).collect();
            prop_assert_eq!(answer.heard, text);
        }
    }
}

/// How a input with these pieces ends for the handler.
fn fails(wrong: Wrong, pieces: &[&str]) -> Option<String> {
    let pieces = pieces.iter().map(|text| Piece {
        bytes: text.as_bytes().to_vec(),
        pause: 1,
    });
    let input = Input {
        pieces: pieces.collect(),
        ..Input::default()
    };
    let run = || feed(|| Lines::new(wrong), |lines| lines.lines.clone(), &input);
    let panic = catch_unwind(AssertUnwindSafe(run)).err()?;
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
}

#[test]
fn wrong_handlers_are_found_out() {
    assert_eq!(fails(Wrong::Nothing, &["one\ntw", "o\n"]), None);
    for (wrong, pieces, word) in [
        (
            Wrong::Splits,
            &["tw", "o\n"][..],
            "depends on how the bytes were split",
        ),
        (Wrong::Panics, &["seven..\n"], "a line of seven"),
        (Wrong::Stays, &["one\n"], "was not closed"),
    ] {
        let text = fails(wrong, pieces).expect("it is wrong");
        assert!(text.contains(word), "{text}");
    }
}

/// A input larger than all queues, to a peer that reads only while it writes: nothing stalls.
#[test]
fn a_large_input_comes_back() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
    let input = Input {
        pieces: vec![Piece { bytes, pause: 0 }],
        ..Input::default()
    };
    assert_eq!(feed(Echo::default, |_| (), &input).heard.len(), 3_000_000);
}

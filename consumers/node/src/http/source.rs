//! Answers that come piece by piece.

use super::site::Shared;
use sockman_http::sse::Event;
use sockman_http::{Pull, Source};
use std::time::Duration;

/// What a [`Site`](super::Site) sends piece by piece.
#[derive(Clone, Debug)]
pub enum Pieces {
    /// `/stream/N`
    Letters(Letters),
    /// `/sse`
    Ticks(Ticks),
}

impl Source for Pieces {
    fn pull(&mut self, to: &mut Vec<u8>) -> Pull {
        match self {
            Pieces::Letters(letters) => letters.pull(to),
            Pieces::Ticks(ticks) => ticks.pull(to),
        }
    }
}

const ALPHABET: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";

/// Whole alphabets, so that every piece begins by `a`.
static BLOCK: [u8; 26 << 10] = {
    let mut block = [0; 26 << 10];
    let mut place = 0;
    while place < block.len() {
        block[place] = ALPHABET[place % ALPHABET.len()];
        place += 1;
    }
    block
};

/// So many letters: the alphabet over and over, so that whoever receives them can tell whether any is missing.
#[derive(Clone, Debug)]
pub struct Letters {
    left: u64,
}

impl Letters {
    /// So many.
    pub fn new(count: u64) -> Letters {
        Letters { left: count }
    }
}

impl Source for Letters {
    fn pull(&mut self, to: &mut Vec<u8>) -> Pull {
        let count = self.left.min(BLOCK.len() as u64);
        to.extend_from_slice(&BLOCK[..count as usize]);
        self.left -= count;
        if self.left == 0 { Pull::End } else { Pull::More }
    }
}

/// Server-sent events, one at once and then one each period, until the client leaves or the server stops.
#[derive(Clone, Debug)]
pub struct Ticks {
    next: u64,
    every: Duration,
    shared: Shared,
}

impl Ticks {
    /// Events from this number on.
    pub fn new(first: u64, every: Duration, shared: Shared) -> Ticks {
        Ticks {
            next: first,
            every,
            shared,
        }
    }
}

impl Source for Ticks {
    fn pull(&mut self, to: &mut Vec<u8>) -> Pull {
        if self.shared.is_stopping() {
            return Pull::End;
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        Event::new(&format!("tick {number}"))
            .id(&number.to_string())
            .write(to);
        Pull::After(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_where_they_were() {
        for count in [
            0,
            1,
            25,
            26,
            27,
            (26 << 10) - 1,
            26 << 10,
            (26 << 10) + 1,
            100_000,
        ] {
            let mut letters = Letters::new(count);
            let mut all = Vec::new();
            while letters.pull(&mut all) == Pull::More {}
            assert_eq!(all.len() as u64, count);
            let is_right = |(place, letter): (usize, &u8)| *letter == ALPHABET[place % 26];
            assert!(all.iter().enumerate().all(is_right), "{count}");
        }
    }

    #[test]
    fn ticks_are_numbered_and_end_with_the_server() {
        let shared = Shared::default();
        let mut ticks = Ticks::new(7, Duration::from_secs(2), shared.clone());
        let mut text = Vec::new();
        assert_eq!(ticks.pull(&mut text), Pull::After(Duration::from_secs(2)));
        assert_eq!(ticks.pull(&mut text), Pull::After(Duration::from_secs(2)));
        assert_eq!(text, b"id: 7\ndata: tick 7\n\nid: 8\ndata: tick 8\n\n");
        shared.stop();
        assert_eq!(ticks.pull(&mut text), Pull::End);
    }
}

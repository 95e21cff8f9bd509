//! How fast it goes.

use indicatif::HumanDuration;
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// How far something is at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Blocks that are there.
    pub(crate) blocks: u64,
    /// Blocks that there will be, if that is known.
    pub(crate) all_blocks: Option<u64>,
    /// Bytes that were read, written or received so far.
    pub(crate) bytes: u64,
    /// Blocks whose coins are known, where these are still far behind.
    pub(crate) coins: Option<u64>,
    /// Peers, if there can be any.
    pub(crate) peers: Option<usize>,
}

/// How fast it goes is told of the last so many seconds.
const WINDOW: Duration = Duration::from_secs(10);

/// Less than this tells nothing of how fast it goes.
const LEAST: Duration = Duration::from_millis(500);

/// Tells how fast it goes.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Of the last [`WINDOW`], oldest first, and one from before.
    samples: VecDeque<(Instant, Sample)>,
}

impl Meter {
    /// It is so far.
    pub(crate) fn add(&mut self, now: Instant, sample: Sample) -> Report {
        self.samples.push_back((now, sample));
        let is_old = |at: &Instant| now.saturating_duration_since(*at) >= WINDOW;
        while self.samples.get(1).is_some_and(|(at, _)| is_old(at)) {
            self.samples.pop_front();
        }
        let (then, first) = self.samples.front().copied().unwrap_or((now, sample));
        let time = now.saturating_duration_since(then);
        let rate = |done: u64, before: u64| {
            let done = done.saturating_sub(before) as f64;
            if time < LEAST {
                0.0
            } else {
                done / time.as_secs_f64()
            }
        };
        let all = sample.all_blocks.unwrap_or_default();
        let left = all.saturating_sub(sample.blocks);
        let blocks = rate(sample.blocks, first.blocks);
        Report {
            sample,
            blocks,
            bytes: rate(sample.bytes, first.bytes),
            left: (left > 0 && blocks > 0.0)
                .then(|| Duration::try_from_secs_f64(left as f64 / blocks).ok())
                .flatten(),
        }
    }
}

/// How far it is and how fast it goes, as a line of text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    sample: Sample,
    /// In a second.
    blocks: f64,
    /// In a second.
    bytes: f64,
    /// How long it will take, if that can be told.
    left: Option<Duration>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sample {
            blocks,
            all_blocks,
            coins,
            peers,
            ..
        } = self.sample;
        match (peers, all_blocks) {
            (Some(_), Some(all)) => write!(f, "height {blocks} of {all}")?,
            (Some(_), None) => write!(f, "height {blocks}")?,
            (None, Some(all)) => write!(f, "{blocks} of {all} blocks")?,
            (None, None) => write!(f, "{blocks} blocks")?,
        }
        if self.blocks > 0.0 || self.bytes >= 100_000.0 {
            write!(f, ", {:.0} blocks/s, {:.1} MB/s", self.blocks, self.bytes / 1e6)?;
        }
        if let Some(coins) = coins {
            write!(f, ", coins of {coins}")?;
        }
        match peers {
            Some(1) => f.write_str(", 1 peer")?,
            Some(peers) => write!(f, ", {peers} peers")?,
            None => {}
        }
        match self.left {
            Some(left) => write!(f, ", {} left", HumanDuration(left)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said after so many seconds, each with so much more.
    fn said(seconds: u64, sample: impl Fn(u64) -> Sample) -> String {
        let (start, mut meter) = (Instant::now(), Meter::default());
        let mut text = String::new();
        for second in 0..=seconds {
            let report = meter.add(start + Duration::from_secs(second), sample(second));
            text = report.to_string();
        }
        text
    }

    #[test]
    fn how_fast_and_how_long() {
        let sample = |second| Sample {
            blocks: 100 * second,
            all_blocks: Some(10_000),
            bytes: 2_500_000 * second,
            coins: None,
            peers: Some(3),
        };
        assert_eq!(said(0, sample), "height 0 of 10000, 3 peers");
        assert_eq!(
            said(40, sample),
            "height 4000 of 10000, 100 blocks/s, 2.5 MB/s, 3 peers, 60 seconds left"
        );
        assert_eq!(
            said(100, sample),
            "height 10000 of 10000, 100 blocks/s, 2.5 MB/s, 3 peers"
        );
    }

    #[test]
    fn without_peers_it_is_blocks() {
        let sample = |second| Sample {
            blocks: second,
            all_blocks: Some(80),
            bytes: 1_000_000 * second,
            ..Sample::default()
        };
        assert_eq!(
            said(20, sample),
            "20 of 80 blocks, 1 blocks/s, 1.0 MB/s, 60 seconds left"
        );
        let none = |_| Sample {
            all_blocks: Some(0),
            ..Sample::default()
        };
        assert_eq!(said(5, none), "0 of 0 blocks");
    }

    /// Nothing is known of the end before somebody has told of it.
    #[test]
    fn an_end_that_is_not_known() {
        let sample = |peers| Sample {
            blocks: 7,
            peers,
            ..Sample::default()
        };
        assert_eq!(said(0, |_| sample(Some(1))), "height 7, 1 peer");
        assert_eq!(said(0, |_| sample(None)), "7 blocks");
    }

    #[test]
    fn coins_that_are_far_behind_are_told() {
        let sample = |_| Sample {
            blocks: 700,
            all_blocks: Some(700),
            coins: Some(30),
            peers: Some(2),
            ..Sample::default()
        };
        assert_eq!(said(0, sample), "height 700 of 700, coins of 30, 2 peers");
    }

    /// What was long ago does not count.
    #[test]
    fn only_the_last_seconds_count() {
        let sample = |second: u64| Sample {
            blocks: 1_000 * second.min(10),
            all_blocks: Some(20_000),
            peers: Some(1),
            ..Sample::default()
        };
        assert_eq!(
            said(15, sample),
            "height 10000 of 20000, 500 blocks/s, 0.0 MB/s, 1 peer, 20 seconds left"
        );
        assert_eq!(said(21, sample), "height 10000 of 20000, 1 peer");
    }
}

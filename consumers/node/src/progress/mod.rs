//! How far something is, on standard error: a bar on a terminal, and otherwise a line now and then.
//!
//! - this file: what is shown, and when; `meter`: how fast it goes

mod meter;

pub(crate) use meter::Sample;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use meter::Meter;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};
use tracing_subscriber::filter::LevelFilter;

/// Shows how far something is.
pub(crate) struct Progress {
    meter: Meter,
    shown: Shown,
}

enum Shown {
    Bar {
        bar: ProgressBar,
        /// How it looks once it is known how much there is. Until then it only moves.
        style: Option<ProgressStyle>,
    },
    Lines {
        every: Duration,
        /// When the next may come, and what the last one said.
        next: Option<Instant>,
        last: String,
    },
}

/// A line on standard error. With that closed there is nobody left to tell.
fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

impl Progress {
    /// `every`: how far lines are apart.
    pub(crate) fn new(every: Duration) -> Self {
        // A bar and a log would write over each other.
        let is_logged = LevelFilter::current() != LevelFilter::OFF;
        let shown = if io::stderr().is_terminal() && !is_logged {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(spinner) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(spinner);
            }
            Shown::Bar {
                bar,
                style: ProgressStyle::with_template("{bar:30} {msg}").ok(),
            }
        } else {
            Shown::Lines {
                every,
                next: None,
                last: String::new(),
            }
        };
        let meter = Meter::default();
        Progress { meter, shown }
    }

    /// It is so far.
    pub(crate) fn show(&mut self, now: Instant, sample: Sample) {
        let report = self.meter.add(now, sample);
        match &mut self.shown {
            Shown::Bar { bar, style } => {
                match sample.all_blocks {
                    Some(all) => {
                        if let Some(style) = style.take() {
                            bar.set_style(style);
                        }
                        bar.set_length(all);
                        bar.set_position(sample.blocks);
                    }
                    None => bar.tick(),
                }
                bar.set_message(report.to_string());
            }
            Shown::Lines { every, next, last } => {
                let due = *next.get_or_insert(now + *every);
                if now < due {
                    return;
                }
                *next = Some(now + *every);
                let text = report.to_string();
                // Nothing has happened: nothing is said.
                if text != *last {
                    line(&text);
                    *last = text;
                }
            }
        }
    }

    /// Says something beside it.
    pub(crate) fn say(&self, text: &str) {
        match &self.shown {
            Shown::Bar { bar, .. } => bar.suspend(|| line(text)),
            Shown::Lines { .. } => line(text),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar { bar, .. } = &self.shown {
            bar.finish_and_clear();
        }
    }
}

//! What is told while seeds run: how far it is, and which of them does not end.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A run that takes longer is told of: most take less than a millisecond, and none a second.
const LONG: Duration = Duration::from_secs(30);

/// Where no bar can be drawn, a line is printed this often.
const LINES: Duration = Duration::from_secs(10);

const TICK: Duration = Duration::from_millis(100);

/// What one thread is at.
#[derive(Default)]
struct Job {
    seed: AtomicU64,
    /// Since when, in milliseconds since the search began; 0 between runs.
    since: AtomicU64,
    is_told: AtomicBool,
}

/// The progress of a search.
pub(crate) struct Watch {
    bar: ProgressBar,
    jobs: Vec<Job>,
    began: Instant,
    is_over: AtomicBool,
}

impl Watch {
    pub(crate) fn new(seeds: u64, jobs: u64) -> Watch {
        let bar = ProgressBar::new(seeds);
        let style = "{elapsed_precise} {bar:40} {pos}/{len} seeds, {per_sec}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("a template"));
        Watch {
            bar,
            jobs: (0..jobs).map(|_| Job::default()).collect(),
            began: Instant::now(),
            is_over: AtomicBool::new(false),
        }
    }

    /// A thread begins with a seed.
    pub(crate) fn begin(&self, job: usize, seed: u64) {
        let job = &self.jobs[job];
        job.seed.store(seed, Ordering::Relaxed);
        job.is_told.store(false, Ordering::Relaxed);
        let since = self.began.elapsed().as_millis() as u64 + 1;
        job.since.store(since, Ordering::Relaxed);
    }

    /// It has ended.
    pub(crate) fn end(&self, job: usize) {
        self.jobs[job].since.store(0, Ordering::Relaxed);
        self.bar.inc(1);
    }

    /// All threads have ended; how long it took.
    pub(crate) fn finish(&self) -> Duration {
        self.is_over.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
        self.began.elapsed()
    }

    /// Tells, until all threads have ended.
    pub(crate) fn tell(&self) {
        let is_drawn = stderr().is_terminal();
        let mut next = LINES;
        while !self.is_over.load(Ordering::Relaxed) {
            thread::sleep(TICK);
            let now = self.began.elapsed();
            if is_drawn {
                self.bar.tick();
            } else if now >= next {
                next += LINES;
                let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
                eprintln!(
                    "{done} of {all} seeds, {:.0} a second",
                    done as f64 / now.as_secs_f64()
                );
            }
            self.jobs.iter().for_each(|job| self.tell_of(job, now));
        }
    }

    fn tell_of(&self, job: &Job, now: Duration) {
        let since = Duration::from_millis(job.since.load(Ordering::Relaxed));
        if !since.is_zero() && now > since + LONG && !job.is_told.swap(true, Ordering::Relaxed) {
            let seed = job.seed.load(Ordering::Relaxed);
            self.bar
                .suspend(|| eprintln!("seed {seed} has been running for {LONG:?}: does it end?"));
        }
    }
}

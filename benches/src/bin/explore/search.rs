//! Many seeds, on all cores.

use crate::cli::Cli;
use crate::watch::Watch;
use sockman_backends::sim::Fault;
use sockman_explorer::{Case, Ran, Target, report, shrink};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What all runs came to.
#[derive(Default)]
struct Sum {
    runs: u64,
    turns: u64,
    opened: u64,
    bytes: u64,
    elapsed: Duration,
    faults: [u64; Fault::ALL.len()],
}

impl Sum {
    fn add(&mut self, ran: &Ran) {
        self.runs += 1;
        self.turns += ran.turns;
        self.opened += ran.opened;
        self.bytes += ran.bytes;
        self.elapsed += ran.elapsed;
        for occurrence in &ran.happened {
            self.faults[occurrence.fault as usize] += 1;
        }
    }

    fn join(&mut self, other: &Sum) {
        self.runs += other.runs;
        self.turns += other.turns;
        self.opened += other.opened;
        self.bytes += other.bytes;
        self.elapsed += other.elapsed;
        for (fault, count) in self.faults.iter_mut().zip(other.faults) {
            *fault += count;
        }
    }
}

/// Runs seed after seed, until one fails or all are done; whether one failed.
pub(crate) fn search(target: &Target, cli: &Cli) -> bool {
    let watch = Watch::new(cli.seeds, cli.jobs());
    let next = AtomicU64::new(0);
    let failed = Mutex::new(None::<(u64, Ran)>);
    let sum = Mutex::new(Sum::default());
    let work = |job| {
        let mut own = Sum::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= cli.seeds {
                break;
            }
            let seed = cli.first.wrapping_add(number);
            watch.begin(job, seed);
            let ran = target.run(&Case::seed(seed));
            watch.end(job);
            own.add(&ran);
            if ran.violation.is_some() {
                // Those before it are finished, those behind it are not begun: the first that fails is the one told.
                next.store(cli.seeds, Ordering::Relaxed);
                let mut slot = failed.lock().expect("no thread panics here");
                if slot.as_ref().is_none_or(|(other, _)| seed < *other) {
                    *slot = Some((seed, ran));
                }
            }
        }
        sum.lock().expect("no thread panics here").join(&own);
    };
    let took = thread::scope(|scope| {
        scope.spawn(|| watch.tell());
        let jobs: Vec<_> = (0..cli.jobs() as usize)
            .map(|job| scope.spawn(move || work(job)))
            .collect();
        for job in jobs {
            job.join().expect("no thread panics here");
        }
        watch.finish()
    });
    summary(
        target,
        cli,
        &sum.into_inner().expect("no thread panics here"),
        took,
    );
    let failed = failed.into_inner().expect("no thread panics here");
    match &failed {
        Some((seed, ran)) => tell(target, cli, *seed, ran),
        None => println!("nothing is violated"),
    }
    failed.is_some()
}

fn summary(target: &Target, cli: &Cli, sum: &Sum, took: Duration) {
    let each = sum.runs as f64 / took.as_secs_f64();
    println!(
        "{} scenarios of `{}` in {:.1} s: {each:.0} seeds a second, {:.0} a minute on each of {} threads",
        sum.runs,
        target.name,
        took.as_secs_f64(),
        each * 60.0 / cli.jobs() as f64,
        cli.jobs()
    );
    println!(
        "{} turns, {} connections opened, {} bytes received, {:.1} h of the networks' time",
        sum.turns,
        sum.opened,
        sum.bytes,
        sum.elapsed.as_secs_f64() / 3600.0
    );
    let faults: Vec<_> = Fault::ALL
        .iter()
        .zip(sum.faults)
        .map(|(fault, count)| format!("{fault} {count}"))
        .collect();
    println!("faults: {}", faults.join(", "));
}

/// Tells what is to be known of a seed that failed.
fn tell(target: &Target, cli: &Cli, seed: u64, ran: &Ran) {
    let case = Case::seed(seed);
    let shrunk = shrink(target, &case, ran, cli.shrink);
    println!("\n{}", report(target, &case, ran, &shrunk));
}

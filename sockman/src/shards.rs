//! Several loops, each on a thread of its own.

use crate::backend::Backend;
use crate::driver::Driver;
use crate::handler::Handler;
use crate::net::SockMan as _;
use crate::reason::RemoteError;
use crate::remote::Remote;
use crate::stats::Stats;
use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Loops on threads of their own: the same handler several times, sharing nothing unless the program shares it.
///
/// How connections come to them is for `make` to say: each loop listens on the same port with
/// [`reuse_port`](crate::ListenOptions::reuse_port), and the kernel chooses by the client's address (which is uneven with few
/// connections), or one accepts for all by [`Spread`](crate::Spread).
///
/// Whoever drops it without having [joined](Shards::join) stops all loops at once and waits until they have ended, so that no
/// thread is left behind; their errors and panics are lost then. Joining and dropping are not for the threads of the loops
/// themselves, which would wait for their own end.
///
/// ```no_run
/// # use sockman::{Backend, Config, Driver, Endpoint, Handler, ListenOptions, Shards, SockMan};
/// # fn run<B: Backend, H: Handler>(at: Endpoint, echo: fn() -> H) -> std::io::Result<()> {
/// let shards = Shards::start(4, move |_| {
///     let mut driver = Driver::<B, H>::new(&Config::default(), echo())?;
///     let how = ListenOptions { reuse_port: true, ..ListenOptions::default() };
///     driver.with(|_, net| net.listen(&at, &how))?;
///     Ok(driver)
/// })?;
/// shards.join().map(drop)
/// # }
/// ```
#[derive(Debug)]
pub struct Shards {
    shards: Vec<Shard>,
    /// The numbers of those that have ended, in the order of their ends. The lock is never taken: it is for `Sync`.
    ends: Mutex<Receiver<usize>>,
}

#[derive(Debug)]
struct Shard {
    remote: Remote,
    /// Until it has been waited for.
    thread: Option<JoinHandle<io::Result<Stats>>>,
}

/// Tells, when it is dropped, that a loop has ended, by whatever.
struct Ending {
    number: usize,
    say: Sender<usize>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Where nobody hears it the threads themselves are waited for.
        let _ = self.say.send(self.number);
    }
}

impl Shards {
    /// Starts `count` threads. On each, `make` is given its number and makes its driver, which is then run; one after the other,
    /// so that the first can choose what the others need, such as a port.
    ///
    /// Fails when a thread cannot be started or `make` fails, and panics when `make` does; those that had been started are
    /// stopped and have ended then. A loop that ends while others are still being made does not hold that up:
    /// [`join`](Shards::join) tells what became of it.
    pub fn start<B: Backend, H: Handler>(
        count: usize,
        make: impl Fn(usize) -> io::Result<Driver<B, H>> + Send + Sync + 'static,
    ) -> io::Result<Shards> {
        let make = Arc::new(make);
        let (say, ends) = channel();
        let mut shards = Shards {
            shards: Vec::new(),
            ends: Mutex::new(ends),
        };
        for number in 0..count {
            let say = say.clone();
            // When it fails, those that run are stopped by being dropped.
            let shard = start(Ending { number, say }, make.clone())?;
            shards.shards.push(shard);
        }
        Ok(shards)
    }

    /// How the loops are reached, in their order.
    pub fn remotes(&self) -> impl Iterator<Item = Remote> {
        self.shards.iter().map(|shard| shard.remote.clone())
    }

    /// Stops all of them, as [`Remote::stop`] does.
    pub fn stop(&self, within: Duration) {
        for shard in &self.shards {
            match shard.remote.stop(within) {
                // A loop that is gone has ended already; the command to stop is never too much.
                Ok(()) | Err(RemoteError::Gone | RemoteError::Full) => {}
            }
        }
    }

    /// Waits until all have ended, and gives what each has counted, in their order.
    ///
    /// As soon as a backend fails or a handler panics, on whichever loop, the others are stopped at once; when they have ended
    /// too, this fails with that error, or goes on with that panic. A loop that ends because its [`Remote`] has stopped it does
    /// not stop the others.
    pub fn join(mut self) -> io::Result<Vec<Stats>> {
        let (mut counted, mut failure) = (Vec::new(), None);
        while let Some((number, end)) = self.next_end() {
            match end {
                Ok(Ok(stats)) => counted.push((number, stats)),
                failed => {
                    self.stop(Duration::ZERO);
                    failure.get_or_insert(failed);
                }
            }
        }
        match failure {
            Some(Err(panic)) => resume_unwind(panic),
            Some(Ok(Err(why))) => Err(why),
            Some(Ok(Ok(_))) | None => {
                counted.sort_unstable_by_key(|(number, _)| *number);
                Ok(counted.into_iter().map(|(_, stats)| stats).collect())
            }
        }
    }

    /// Waits until one more has ended. `None` when all have: each drops its sender after it has said so.
    fn next_end(&mut self) -> Option<(usize, thread::Result<io::Result<Stats>>)> {
        let ends = self.ends.get_mut().unwrap_or_else(PoisonError::into_inner);
        let number = ends.recv().ok()?;
        let thread = self.shards.get_mut(number)?.thread.take()?;
        Some((number, thread.join()))
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        // Those that were joined are gone, and take no notice.
        self.stop(Duration::ZERO);
        for thread in self.shards.iter_mut().filter_map(|shard| shard.thread.take()) {
            if let Ok(Err(error)) = thread.join() {
                tracing::debug!(%error, "a loop failed, and nobody joined it");
            }
        }
    }
}

fn start<B: Backend, H: Handler>(
    ending: Ending,
    make: Arc<impl Fn(usize) -> io::Result<Driver<B, H>> + Send + Sync + 'static>,
) -> io::Result<Shard> {
    let (said, hears) = sync_channel(1);
    let thread = thread::Builder::new()
        .name(format!("shard-{}", ending.number))
        .spawn(move || {
            // Dropped last: what the driver had is gone when its end is told.
            let ending = ending;
            run(ending.number, &*make, &said)
        })?;
    match hears.recv() {
        Ok(remote) => Ok(Shard {
            remote,
            thread: Some(thread),
        }),
        // It has ended without a word.
        Err(_) => match thread.join() {
            Ok(Err(why)) => Err(why),
            Ok(Ok(_)) => Err(io::Error::other("the loop ended before it began")),
            Err(panic) => resume_unwind(panic),
        },
    }
}

fn run<B: Backend, H: Handler>(
    number: usize,
    make: &impl Fn(usize) -> io::Result<Driver<B, H>>,
    say: &SyncSender<Remote>,
) -> io::Result<Stats> {
    // A driver stays on the thread that it is made on.
    let mut driver = make(number)?;
    // Whoever started this thread waits for the word.
    let _ = say.send(driver.remote());
    driver.run()?;
    Ok(driver.with(|_, net| net.stats().clone()))
}

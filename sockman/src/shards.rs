//! Several loops, each on a thread of its own.

use crate::backend::Backend;
use crate::driver::Driver;
use crate::handler::Handler;
use crate::net::SockMan as _;
use crate::reason::RemoteError;
use crate::remote::Remote;
use crate::stats::Stats;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Loops on threads of their own: the same handler several times, sharing nothing unless the program shares it.
///
/// How connections come to them is for `make` to say: each loop listens on the same port with
/// [`reuse_port`](crate::ListenOptions::reuse_port), and the kernel chooses by the client's address (which is uneven with few
/// connections), or one accepts for all by [`Spread`](crate::Spread).
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
}

#[derive(Debug)]
struct Shard {
    remote: Remote,
    thread: JoinHandle<io::Result<Stats>>,
}

impl Shards {
    /// Starts `count` threads. On each, `make` is given its number and makes its driver, which is then run; one after the other,
    /// so that the first can choose what the others need, such as a port. Fails when a thread cannot be started or `make` fails;
    /// those that had been started are stopped.
    pub fn start<B: Backend, H: Handler>(
        count: usize,
        make: impl Fn(usize) -> io::Result<Driver<B, H>> + Send + Sync + 'static,
    ) -> io::Result<Shards> {
        let make = Arc::new(make);
        let mut shards = Shards { shards: Vec::new() };
        for number in 0..count {
            match start(number, make.clone()) {
                Ok(shard) => shards.shards.push(shard),
                Err(why) => {
                    shards.stop(Duration::ZERO);
                    // Why the others ended is of no interest then.
                    let _ = shards.join();
                    return Err(why);
                }
            }
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

    /// Waits until all have ended, and gives what each has counted. Fails with the first error of a backend, having stopped the
    /// others; a handler's panic goes on here.
    pub fn join(self) -> io::Result<Vec<Stats>> {
        let remotes: Vec<Remote> = self.remotes().collect();
        let mut result = Ok(Vec::new());
        for shard in self.shards {
            match shard.thread.join() {
                Ok(Ok(stats)) => {
                    if let Ok(all) = &mut result {
                        all.push(stats);
                    }
                }
                Ok(Err(why)) => {
                    if result.is_ok() {
                        result = Err(why);
                        for remote in &remotes {
                            let _ = remote.stop(Duration::ZERO);
                        }
                    }
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    }
}

fn start<B: Backend, H: Handler>(
    number: usize,
    make: Arc<impl Fn(usize) -> io::Result<Driver<B, H>> + Send + Sync + 'static>,
) -> io::Result<Shard> {
    let (said, hears) = sync_channel(1);
    let thread = thread::Builder::new()
        .name(format!("shard-{number}"))
        .spawn(move || run(number, &*make, &said))?;
    match hears.recv() {
        Ok(remote) => Ok(Shard { remote, thread }),
        // It has ended without a word.
        Err(_) => match thread.join() {
            Ok(Err(why)) => Err(why),
            Ok(Ok(_)) => Err(io::Error::other("the loop ended before it began")),
            Err(panic) => std::panic::resume_unwind(panic),
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

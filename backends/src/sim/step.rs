//! Running loops: whichever is due takes its turn, and time leaps to the next event.

use super::host::Host;
use super::kernel::Simulated;
use super::network::Network;
use super::world::{HostId, Nanos, World, nanos};
use sockman::{Driver, Handler};
use std::io;
use std::time::{Duration, Instant};

/// One loop of a simulation.
pub trait Step {
    /// The host it runs on.
    fn host(&self) -> &Host;

    /// When it is due without an event, by its host's clock.
    fn due(&self) -> Option<Instant>;

    /// One turn, which does not wait. Fails as [`Driver::turn`] does.
    fn step(&mut self) -> io::Result<()>;
}

impl<B: Simulated, H: Handler> Step for Driver<B, H> {
    fn host(&self) -> &Host {
        self.backend().host()
    }

    fn due(&self) -> Option<Instant> {
        self.next_deadline()
    }

    fn step(&mut self) -> io::Result<()> {
        self.turn(Some(Duration::ZERO)).map(drop)
    }
}

/// Loops that [`Network::run_until`] runs: a driver, a tuple of loops, a `Vec` of them; an `Option` for one whose host may
/// have crashed.
pub trait Loops {
    /// Shows each to `visitor`, always in the same order.
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut dyn Step));
}

impl<B: Simulated, H: Handler> Loops for Driver<B, H> {
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut dyn Step)) {
        visitor(self);
    }
}

impl<L: Loops> Loops for Vec<L> {
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut dyn Step)) {
        for each in self {
            each.visit(visitor);
        }
    }
}

impl<L: Loops> Loops for Option<L> {
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut dyn Step)) {
        if let Some(each) = self {
            each.visit(visitor);
        }
    }
}

impl<A: Loops, B: Loops> Loops for (A, B) {
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut dyn Step)) {
        self.0.visit(visitor);
        self.1.visit(visitor);
    }
}

impl<A: Loops, B: Loops, C: Loops> Loops for (A, B, C) {
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut dyn Step)) {
        self.0.visit(visitor);
        self.1.visit(visitor);
        self.2.visit(visitor);
    }
}

impl<L: Loops + ?Sized> Loops for &mut L {
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut dyn Step)) {
        (**self).visit(visitor);
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// What was waited for has come.
    Done,
    /// The time was over.
    TimeUp,
    /// Nothing will ever happen again by itself.
    Quiet,
}

impl Ran {
    /// Whether what was waited for has come.
    pub fn is_done(self) -> bool {
        self == Ran::Done
    }
}

/// A loop that sleeps: where, and until when by the clock of its host.
struct Sleeper {
    host: HostId,
    until: Option<Nanos>,
}

impl Sleeper {
    fn new(each: &dyn Step) -> Sleeper {
        let host = each.host();
        let base = host.world.borrow().base();
        let until = each.due().map(|due| nanos(due.saturating_duration_since(base)));
        Sleeper { host: host.id, until }
    }

    /// When it is due, by the network's clock.
    fn due(&self, world: &mut World) -> Option<Nanos> {
        if world.has_events(self.host) {
            return Some(world.now);
        }
        let ahead = world.clock(self.host) - world.now;
        self.until.map(|until| until.saturating_sub(ahead))
    }
}

impl Network {
    /// Runs loops until `done`, or for `limit`, or until nothing will ever happen again. Fails when a turn does.
    ///
    /// A loop sleeps until the time it named when its last turn ended, or when this was called; only an event, or a wake
    /// through its waker, ends that sooner. `done` is asked after each turn, and can look at the loops and reach them
    /// through a [`Remote`](sockman::Remote), as another thread would.
    pub fn run_until<L: Loops>(
        &self,
        loops: &mut L,
        limit: Duration,
        mut done: impl FnMut(&L) -> bool,
    ) -> io::Result<Ran> {
        let until = self.world.borrow().now.saturating_add(nanos(limit));
        let mut sleepers = Vec::new();
        loops.visit(&mut |each| sleepers.push(Sleeper::new(each)));
        loop {
            if done(loops) {
                return Ok(Ran::Done);
            }
            if self.world.borrow().now > until {
                return Ok(Ran::TimeUp);
            }
            let next = next(&mut self.world.borrow_mut(), &sleepers);
            match next {
                Next::At(at) if at > until => {
                    self.world.borrow_mut().advance(until);
                    return Ok(Ran::TimeUp);
                }
                Next::At(at) => self.world.borrow_mut().advance(at),
                Next::Turn(which) => sleepers[which].until = turn(loops, which)?,
                Next::Never => return Ok(Ran::Quiet),
            }
        }
    }
}

enum Next {
    /// The loop of this number is due.
    Turn(usize),
    At(Nanos),
    Never,
}

/// What happens next. Of several loops that are due, chance decides.
fn next(world: &mut World, sleepers: &[Sleeper]) -> Next {
    let (mut due, mut chosen, mut at) = (0, 0, None);
    for (number, sleeper) in sleepers.iter().enumerate() {
        let time = sleeper.due(world);
        if time.is_some_and(|time| time <= world.now) {
            due += 1;
            // Each of those that are due is chosen equally often.
            if due == 1 || world.random.u64(0..due) == 0 {
                chosen = number;
            }
        }
        at = [at, time].into_iter().flatten().min();
    }
    // (A wake that was noticed just now may be among what is to happen.)
    at = [at, world.next_time()].into_iter().flatten().min();
    match at {
        _ if due > 0 => Next::Turn(chosen),
        Some(at) => Next::At(at),
        None => Next::Never,
    }
}

/// A turn of one loop; until when it sleeps.
fn turn(loops: &mut impl Loops, which: usize) -> io::Result<Option<Nanos>> {
    let (mut number, mut until) = (0, Ok(None));
    loops.visit(&mut |each| {
        if number == which {
            until = each.step().map(|()| Sleeper::new(each).until);
        }
        number += 1;
    });
    until
}

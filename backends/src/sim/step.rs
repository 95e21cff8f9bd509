//! Running loops: whichever is due takes its turn, and time leaps to the next event.

use super::host::Host;
use super::kernel::Simulated;
use super::network::Network;
use super::world::Nanos;
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

impl Network {
    /// Runs loops until `done`, or for `limit`, or until nothing will ever happen again. `done` is asked after each turn.
    /// Fails when a turn does.
    pub fn run_until<L: Loops>(
        &self,
        loops: &mut L,
        limit: Duration,
        mut done: impl FnMut(&mut L) -> bool,
    ) -> io::Result<Ran> {
        let until = self.world.borrow().now.saturating_add(super::world::nanos(limit));
        loop {
            if done(loops) {
                return Ok(Ran::Done);
            }
            match self.next(loops) {
                Next::Turn(which) => turn(loops, which)?,
                Next::At(at) if at <= until => self.world.borrow_mut().advance(at),
                Next::At(_) => {
                    self.world.borrow_mut().advance(until);
                    return Ok(Ran::TimeUp);
                }
                Next::Never => return Ok(Ran::Quiet),
            }
            if self.world.borrow().now > until {
                return Ok(Ran::TimeUp);
            }
        }
    }

    /// What happens next. Of several loops that are due, chance decides.
    fn next(&self, loops: &mut impl Loops) -> Next {
        let mut world = self.world.borrow_mut();
        let now = world.now;
        let (mut count, mut due, mut chosen, mut at) = (0, 0, 0, world.next_time());
        loops.visit(&mut |each| {
            let host = each.host().id;
            let time = if world.has_events(host) {
                Some(now)
            } else {
                // By the host's own clock, which may be ahead.
                let ahead = world.clock(host) - now;
                let since = |due: Instant| due.saturating_duration_since(world.base());
                each.due()
                    .map(|due| super::world::nanos(since(due)).saturating_sub(ahead))
            };
            if time.is_some_and(|time| time <= now) {
                due += 1;
                // Each of those that are due is chosen equally often.
                if due == 1 || world.random.u64(0..due) == 0 {
                    chosen = count;
                }
            }
            at = [at, time].into_iter().flatten().min();
            count += 1;
        });
        match at {
            _ if due > 0 => Next::Turn(chosen),
            Some(at) => Next::At(at.max(now)),
            None => Next::Never,
        }
    }
}

enum Next {
    /// The loop of this number is due.
    Turn(usize),
    At(Nanos),
    Never,
}

fn turn(loops: &mut impl Loops, which: usize) -> io::Result<()> {
    let (mut count, mut came) = (0, Ok(()));
    loops.visit(&mut |each| {
        if count == which {
            came = each.step();
        }
        count += 1;
    });
    came
}

//! Which faults there are, when they happen, and what has happened.

use super::world::{Nanos, nanos};
pub use crate::when::When;
use crate::when::{STEP, mix};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A way in which the world fails. Its *opportunity* is each call or packet to which it can happen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every fault.
            pub const ALL: [Fault; [$(Fault::$name),*].len()] = [$(Fault::$name),*];

            /// The name, as it is written in Rust.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$name => stringify!($name),)* }
            }
        }
    };
}

faults! {
    /// A read gets fewer bytes than are there, down to one. A fresh edge follows.
    ShortRead,
    /// A write takes fewer bytes than there is room for, down to one. A fresh edge follows.
    ShortWrite,
    /// A read finds nothing (`EAGAIN`), whatever is there. A fresh edge follows.
    ReadAgain,
    /// A write finds no room (`EAGAIN`), whatever there is. A fresh edge follows.
    WriteAgain,
    /// An accept finds nothing (`EAGAIN`). A fresh edge follows.
    AcceptAgain,
    /// A read, write, accept or wait ends with `EINTR`.
    Interrupted,
    /// A write fails with `ENOBUFS`.
    NoBuffers,
    /// The connection is reset on its way, at some byte of what is being written: what stands before it arrives.
    Reset,
    /// An accept fails with `EMFILE`; the connection stays in the backlog.
    AcceptFiles,
    /// An accept fails with `ECONNABORTED`; the connection is gone.
    AcceptAborted,
    /// A dial fails at once with `EADDRNOTAVAIL`.
    DialFailed,
    /// A dial is answered by RST.
    DialRefused,
    /// A dial is answered by `EHOSTUNREACH`.
    DialUnreachable,
    /// A packet is lost, and arrives when it is sent again: after 200 ms or a multiple (RFC 6298), a dial's first packet
    /// after a second.
    Lost,
    /// The two hosts of a packet see nothing of each other for up to ten seconds, this packet included.
    Partition,
    /// A wait reports something that is not so.
    Spurious,
    /// A wait reports its events in another order.
    Shuffled,
    /// A wake from outside arrives up to 10 ms late; those that come meanwhile are one with it.
    WakeLate,
    /// The host's clock leaps forward, by up to ten seconds, before a wait.
    ClockJump,
    /// The host stops for up to 50 ms before a wait.
    Stalled,
    /// The host crashes. Asked by whoever runs the hosts, with [`Network::occurs`](super::Network::occurs), as it is they
    /// who can put another loop in the place of the one that is lost.
    Crash,
}

impl Fault {
    /// Whether connections survive it: it costs time, and nothing else.
    pub fn is_survived(self) -> bool {
        use Fault::{
            AcceptAborted, ClockJump, Crash, DialFailed, DialRefused, DialUnreachable, NoBuffers, Reset,
        };
        !matches!(
            self,
            NoBuffers
                | Reset
                | AcceptAborted
                | DialFailed
                | DialRefused
                | DialUnreachable
                | ClockJump
                | Crash
        )
    }

    /// A number that the fault needs, from the chance that made it happen: 1 to `most`, the small ones more often.
    pub(super) fn amount(chance: u64, most: u64) -> u64 {
        let most = match chance & 3 {
            0 => 1,
            1 => most.min(16),
            _ => most,
        };
        1 + (chance >> 2) % most.max(1)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// That something happened: a fault, and at which of its opportunities, counted from 0. Written as `ShortRead@17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Occurrence {
    /// What happened.
    pub fault: Fault,
    /// At which of its opportunities.
    pub number: u64,
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.fault, self.number)
    }
}

/// A text that is no [`Occurrence`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOccurrence(String);

impl fmt::Display for BadOccurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no fault: write one as ShortRead@17", self.0)
    }
}

impl std::error::Error for BadOccurrence {}

impl FromStr for Occurrence {
    type Err = BadOccurrence;

    fn from_str(text: &str) -> Result<Self, BadOccurrence> {
        let parse = || {
            let (name, number) = text.split_once('@')?;
            let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name)?;
            let number = number.parse().ok()?;
            Some(Occurrence { fault, number })
        };
        parse().ok_or_else(|| BadOccurrence(text.to_owned()))
    }
}

/// What is to happen. By itself, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    seed: u64,
    when: [When; Fault::ALL.len()],
    /// At the first opportunity from this time on, since the network was made.
    at: [Option<Duration>; Fault::ALL.len()],
    /// Sorted.
    single: Vec<Occurrence>,
}

impl Plan {
    /// Nothing happens. The seed decides where chance does, and how short a short read is.
    pub fn new(seed: u64) -> Plan {
        Plan {
            seed,
            ..Plan::default()
        }
    }

    /// Adds a fault.
    #[must_use]
    pub fn with(mut self, fault: Fault, when: When) -> Plan {
        self.when[fault as usize] = when;
        self
    }

    /// The fault happens at its first opportunity from this time on, counted since the network was made.
    #[must_use]
    pub fn at(mut self, fault: Fault, time: Duration) -> Plan {
        self.at[fault as usize] = Some(time);
        self
    }

    /// Adds every fault that is survived, each at one of `one_in` of its opportunities, by chance.
    #[must_use]
    pub fn by_chance(mut self, one_in: u64) -> Plan {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.is_survived()) {
            self = self.with(fault, When::OneIn(one_in));
        }
        self
    }

    /// What happens is exactly this, as it happened under another plan with the same seed.
    #[must_use]
    pub fn only(mut self, occurrences: &[Occurrence]) -> Plan {
        (self.when, self.at) = Default::default();
        self.single = occurrences.to_vec();
        self.single.sort_unstable();
        self
    }
}

/// A fault of a plan, and what has become of it.
#[derive(Clone, Copy, Default)]
struct Planned {
    when: When,
    /// At the first opportunity from this time on.
    at: Option<Nanos>,
    /// Makes its chances its own.
    salt: u64,
    opportunities: u64,
}

/// A plan, and what has become of it.
#[derive(Default)]
pub(super) struct Faults {
    planned: [Planned; Fault::ALL.len()],
    /// Sorted.
    single: Vec<Occurrence>,
    /// Nothing can happen: the common case, and the quick one.
    idle: bool,
    pub(super) happened: Vec<Occurrence>,
    /// How many of them connections need not survive.
    pub(super) fatal: usize,
}

impl Faults {
    pub(super) fn new(plan: Plan) -> Faults {
        let planned = Fault::ALL.map(|fault| Planned {
            when: plan.when[fault as usize],
            at: plan.at[fault as usize].map(nanos),
            salt: mix(plan.seed.wrapping_add(STEP.wrapping_mul(fault as u64 + 1))),
            opportunities: 0,
        });
        Faults {
            idle: plan.single.is_empty()
                && plan.when.iter().all(|when| *when == When::Never)
                && plan.at.iter().all(Option::is_none),
            planned,
            single: plan.single,
            happened: Vec::new(),
            fatal: 0,
        }
    }

    /// An opportunity for `fault`, at this time since the network was made: if it is to happen, a random number for its
    /// use, which is the same whenever this opportunity of this seed comes.
    #[inline]
    pub(super) fn hits(&mut self, fault: Fault, now: Nanos) -> Option<u64> {
        let planned = &mut self.planned[fault as usize];
        let number = planned.opportunities;
        planned.opportunities += 1;
        let chance = || mix(planned.salt ^ number);
        let occurrence = Occurrence { fault, number };
        let is_time = planned.at.is_some_and(|at| at <= now);
        if is_time {
            planned.at = None;
        }
        let hit = is_time
            || planned.when.hits(number, chance)
            || !self.single.is_empty() && self.single.binary_search(&occurrence).is_ok();
        hit.then(|| {
            self.happened.push(occurrence);
            self.fatal += usize::from(!fault.is_survived());
            mix(chance().wrapping_add(STEP))
        })
    }

    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.idle
    }
}

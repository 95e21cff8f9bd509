//! Which faults there are, and when they happen.

pub use crate::when::When;
use crate::when::{STEP, mix};
use std::cell::RefCell;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A way in which the kernel fails or cuts short what it was asked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every fault.
            pub const ALL: [Fault; [$(Fault::$name),*].len()] = [$(Fault::$name),*];
        }
    };
}

faults! {
    /// Receiving ends with its first completion, which brings bytes or the end: `F_MORE` is missing.
    ReceiveOnce,
    /// Receiving ends with `ENOBUFS`, before anything was received.
    ReceiveDry,
    /// Receiving ends with `ECANCELED`, though nobody asked for that.
    ReceiveCanceled,
    /// Receiving ends with `EINTR`.
    ReceiveInterrupted,
    /// Receiving ends with `EAGAIN`.
    ReceiveAgain,
    /// Receiving is cancelled behind our back after a completion that promised more.
    ReceiveCut,
    /// Accepting ends with its first connection: `F_MORE` is missing.
    AcceptOnce,
    /// Accepting ends with `ECONNABORTED`.
    AcceptAborted,
    /// Accepting ends with `EMFILE`.
    AcceptNoFiles,
    /// Accepting ends with `ECANCELED`, though nobody asked for that.
    AcceptCanceled,
    /// Accepting ends with `EINTR`.
    AcceptInterrupted,
    /// Accepting ends with `EAGAIN`.
    AcceptAgain,
    /// Accepting is cancelled behind our back after a connection that promised more.
    AcceptCut,
    /// The poll of a listener ends with `ECANCELED`.
    AcceptableEnds,
    /// The poll for bytes that are to be read directly ends with `ECANCELED`.
    ReadableEnds,
    /// The poll for room to send, or for a dial's answer, ends with `ECANCELED`.
    WritableEnds,
    /// The poll that tells of a reset after the peer's end ends with `ECANCELED`.
    HangupEnds,
    /// The poll that other threads wake the loop through ends with `ECANCELED`.
    WakeEnds,
    /// That poll ends with its first event: `F_MORE` is missing.
    WakeOnce,
    /// Half of a send of a batch is taken.
    SendShort,
    /// Nothing of a send of a batch is taken: `EAGAIN`.
    SendAgain,
    /// A send of a batch ends with `EINTR`.
    SendInterrupted,
    /// A send of a batch fails with `EPIPE`: the connection is lost.
    SendBroken,
    /// Half of a send that is a call of its own is taken.
    CallShort,
    /// Nothing of a send that is a call of its own is taken: `EAGAIN`.
    CallAgain,
    /// `io_uring_enter` submits about half of what it is given, and does not wait.
    EnterPart,
    /// `io_uring_enter` fails with `EBUSY`.
    EnterBusy,
    /// `io_uring_enter` fails with `EAGAIN`.
    EnterAgain,
    /// `io_uring_enter` fails with `EINTR`.
    EnterInterrupted,
    /// `io_uring_enter` fails with `ENOMEM`.
    EnterNoMemory,
    /// `io_uring_enter` fails with `EBADFD`: the ring is lost.
    EnterBroken,
}

impl Fault {
    /// Whether connections and the loop survive it.
    pub fn is_survived(self) -> bool {
        !matches!(self, Fault::SendBroken | Fault::EnterBroken)
    }
}

/// What is to happen. By itself, nothing.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    seed: u64,
    when: [When; Fault::ALL.len()],
    pub(super) entries: Option<u32>,
    pub(super) old: bool,
}

impl Plan {
    /// Adds a fault.
    #[must_use]
    pub fn with(mut self, fault: Fault, when: When) -> Plan {
        self.when[fault as usize] = when;
        self
    }

    /// Adds every fault that is survived, each at one of `one_in` of its opportunities, by chance.
    #[must_use]
    pub fn by_chance(mut self, seed: u64, one_in: u64) -> Plan {
        self.seed = seed;
        for fault in Fault::ALL.into_iter().filter(|fault| fault.is_survived()) {
            self = self.with(fault, When::OneIn(one_in));
        }
        self
    }

    /// Rings have queues of only so many entries, so that the completion queue overflows.
    #[must_use]
    pub fn queues(mut self, entries: u32) -> Plan {
        self.entries = Some(entries);
        self
    }

    /// The kernel is as one before 6.1, as far as this can be had: it does not defer task work.
    #[must_use]
    pub fn old_kernel(mut self) -> Plan {
        self.old = true;
        self
    }
}

/// The plan of a thread, and what has become of it.
pub(super) struct State {
    pub(super) plan: Plan,
    opportunities: [u64; Fault::ALL.len()],
    happened: [u64; Fault::ALL.len()],
    random: u64,
    pub(super) overflows: u64,
    pub(super) dried: u64,
    /// User data of operations to be cancelled with the next submission.
    pub(super) cuts: Vec<u64>,
}

thread_local! {
    /// A ring is used by one thread alone, and so are its faults.
    static STATE: RefCell<State> = RefCell::new(State::new(Plan::default()));
}

impl State {
    fn new(plan: Plan) -> State {
        State {
            random: plan.seed,
            plan,
            opportunities: [0; Fault::ALL.len()],
            happened: [0; Fault::ALL.len()],
            overflows: 0,
            dried: 0,
            cuts: Vec::new(),
        }
    }

    /// An opportunity for `fault`: whether it is to happen.
    pub(super) fn hits(&mut self, fault: Fault) -> bool {
        let number = self.opportunities[fault as usize];
        self.opportunities[fault as usize] += 1;
        let when = self.plan.when[fault as usize];
        let hit = when.hits(number, || {
            self.random = self.random.wrapping_add(STEP);
            mix(self.random)
        });
        self.happened[fault as usize] += u64::from(hit);
        hit
    }

    /// The first of `faults` that is to happen.
    pub(super) fn first(&mut self, faults: &[Fault]) -> Option<Fault> {
        faults.iter().copied().find(|fault| self.hits(*fault))
    }
}

/// What the hooks do with the state.
pub(super) fn with<T>(act: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(act)
}

/// From now on this thread's rings fail by `plan`, and what happened is counted from 0.
pub fn install(plan: Plan) {
    with(|state| *state = State::new(plan));
}

/// How often `fault` has happened on this thread since [`install`].
pub fn happened(fault: Fault) -> u64 {
    with(|state| state.happened[fault as usize])
}

/// How often a completion queue was found to have overflowed on this thread since [`install`]. These are the kernel's own
/// doing, with a plan of small [queues](Plan::queues).
pub fn overflows() -> u64 {
    with(|state| state.overflows)
}

/// How many receives have ended for want of a buffer on this thread since [`install`], injected ones among them.
pub fn dried() -> u64 {
    with(|state| state.dried)
}

/// How often `fault` could have happened on this thread since [`install`].
pub fn opportunities(fault: Fault) -> u64 {
    with(|state| state.opportunities[fault as usize])
}

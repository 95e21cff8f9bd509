//! Bugs that can be planted, to see that whoever looks for bugs finds them.
//!
//! With `--cfg mutants` each can be planted, with `plant`, on one thread; without it
//! [`planted`] is a constant, and nothing is left of what asks it.

/// Makes `Mutant` of a list of bugs, with `planted` and, under `--cfg mutants`, `plant`. For the crates of this project.
#[macro_export]
#[doc(hidden)]
macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        impl Mutant {
            /// Every one.
            pub const ALL: [Mutant; [$(Mutant::$name),*].len()] = [$(Mutant::$name),*];
        }

        #[cfg(mutants)]
        thread_local! {
            static PLANTED: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
        }

        /// Plants a bug on this thread, or takes it out.
        #[cfg(mutants)]
        pub fn plant(mutant: Option<Mutant>) {
            PLANTED.set(mutant);
        }

        /// Whether the bug is planted.
        #[cfg(mutants)]
        #[inline]
        pub fn planted(mutant: Mutant) -> bool {
            PLANTED.get() == Some(mutant)
        }

        /// It is not.
        #[cfg(not(mutants))]
        #[inline]
        pub const fn planted(_: Mutant) -> bool {
            false
        }
    };
}

mutants! {
    /// What the kernel did not take of a staged send is lost.
    TailForgotten,
    /// Who finds the loop asleep does not wake it.
    WakeDropped,
    /// The peer's end is told as soon as it is reported, before the bytes behind the first read.
    EofOvertakes,
    /// An id finds whatever is in its slot.
    StaleId,
    /// A connection that is paused before its first byte gets it nevertheless.
    PauseLeaks,
    /// The handler does not hear that the queue is below its low-water mark.
    DrainedForgotten,
    /// What the budget of bytes left over is not read until more comes.
    BudgetForgets,
    /// A flooding peer is read without a budget.
    FloodStarves,
    /// A peer may have any number of bytes unread.
    UnreadUnbounded,
    /// A send overtakes what is queued.
    OrderBroken,
    /// Every turn looks at every connection.
    IdleSwept,
    /// A disconnection once flushed does not wait for the queue.
    FlushCut,
    /// A reset is not reported.
    ClosingLost,
    /// A connection is closed as if it were reset, and was not.
    ClosedUnasked,
    /// Accepting knows no budget.
    AcceptUnbounded,
    /// Timers and deadlines come a second late.
    TimersLate,
    /// `drained` comes below the high-water mark.
    DrainedEarly,
    /// The limit of the send queue strikes at the high-water mark.
    SendLimitEarly,
    /// A disconnection once flushed has no time.
    FlushHasty,
    /// A disconnection once flushed has ten times the time.
    FlushEndless,
    /// Some dials fail that were answered.
    DialsFail,
    /// After the peer's end nothing is sent any more.
    EndSilences,
    /// A disconnection by RST is one by FIN.
    ResetByFin,
}

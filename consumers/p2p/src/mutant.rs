//! Bugs that can be planted, to see that whoever looks for bugs finds them: as in `sockman::mutant`.
//!
//! With `--cfg mutants` each can be planted, with `plant`, on one thread; without it `planted` is a constant, and nothing is left
//! of what asks it.

sockman::mutants! {
    /// The window does not move on while a branch has less work than the active chain.
    WindowStuck,
    /// The window has no end.
    WindowUnbounded,
    /// What a peer was asked for that is gone is asked of nobody else.
    FlightLeaks,
    /// A peer whose connection is closed is asked for what it owed itself.
    AsksTheDead,
    /// Whoever sends a block, asked or not, ends the wait for it, whatever is in it.
    AnyoneLands,
    /// What is stored is asked for.
    AskedAgain,
    /// There is no bound on the blocks that are asked for twice.
    HedgesUnbounded,
    /// Of a tip that comes too soon after the last one nobody is told.
    AnnouncementLost,
    /// A peer that has less than the best header known is not asked what it has.
    LessUnasked,
    /// Headers are told of blocks that are not there.
    TellsAhead,
    /// Who has all headers gets no answer.
    EmptyUnanswered,
    /// One message of headers that connects to nothing is a crime.
    UnconnectedBlamed,
    /// A block that was changed on its way makes its header invalid.
    TwinCondemns,
    /// Of two chains with the same work the last one is active.
    TieMoves,
    /// The highest chain is active, whatever its work.
    HeightWins,
    /// Blocks that the index does not know are left out at the start.
    FoundForgotten,
    /// Blocks that the index does not know are left out if their parents are not known either.
    OrphansForgotten,
    /// Headers are forgotten that peers build on.
    PruneTooMuch,
    /// When a peer has taken what it was sent, it does not get the rest.
    DrainedForgotten,
    /// Who was connected once is not dialled again.
    RetryForgotten,
    /// The loop does not hear of blocks that other threads hand in.
    WakeLost,
    /// Pings count as unanswered, whatever is answered.
    PongIgnored,
}

//! Bugs that can be planted, to see that whoever looks for bugs finds them: as in `sockman::mutant`.
//!
//! With `--cfg mutants` each can be planted, with `plant`, on one thread; without it `planted` is a constant, and nothing is left
//! of what asks it.

sockman::mutants! {
    /// A template is activated before it is sent.
    PrevHashFirst,
    /// A client that was behind is not told the latest once it has caught up.
    BehindForever,
    /// What a client asked for that has not taken its answers is forgotten.
    RequestForgotten,
    /// Templates of a tip that is gone are forgotten at once.
    StaleAtOnce,
    /// Templates of a tip that is gone are never forgotten.
    StaleForever,
    /// A new tip is told only to clients that have asked for something since the last one.
    OnlyTheBusy,
    /// Two templates have the same number.
    SameNumber,
    /// A handshake that waits for its turn is forgotten when another client leaves.
    TurnLost,
    /// More of the same tip is told without waiting for the interval.
    Impatient,
    /// Better templates that came too early are not told later.
    LaterNever,
    /// A solution is handed on whatever its hash is.
    AnyHash,
    /// A client that has said what it speaks still has a deadline.
    DeadlineStays,
    /// All handshakes that wait are answered in one turn.
    AllAtOnce,
    /// While one client is behind, those after it are not told.
    OneDelaysAll,
    /// The transactions are told that the work has, and not those that the template has.
    AllTransactions,
    /// Of constraints that come again nothing is told.
    ToldOnce,
    /// Why a client is refused is not sent before it is hung up on.
    ErrorLost,
    /// Requests for what is forgotten are not answered.
    StaleUnanswered,
    /// A solution is handed on that has another commitment.
    AnyOutputs,
    /// Large answers are given at once, however many there are.
    LargeAtOnce,
}

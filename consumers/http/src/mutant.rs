//! Bugs that can be planted, to see that whoever looks for bugs finds them: as in `sockman::mutant`.
//!
//! With `--cfg mutants` each can be planted, with `plant`, on one thread; without it `planted` is a constant, and nothing is left
//! of what asks it.

sockman::mutants! {
    /// An answer from another thread is given to whichever request has waited longest.
    AnswersSwapped,
    /// What another thread says does not wake the loop.
    WakeLost,
    /// When the client has taken what was queued, nothing goes on.
    DrainedIgnored,
    /// What stopped the decoder is over, and it is not told.
    DecoderForgotten,
    /// A body that was stopped at its last piece never ends.
    UploadEndless,
    /// A stream in chunks has no last one.
    LastChunkMissing,
    /// An answer that breaks off is taken for whole.
    BreakHidden,
    /// After an error the connection stays, and what follows is read as a request.
    ErrorSurvived,
    /// A body that is wrong is answered, though its request has been.
    AnsweredTwice,
    /// The answer to `HEAD` has a body, if it comes from another thread.
    HeadHasBody,
    /// A client that waits for 100 (Continue) waits for ever.
    ContinueForgotten,
    /// A connection serves one request more than it may.
    OneMore,
    /// It hangs up with its last request, and not with the answer to it.
    HangsUpEarly,
    /// When the peer has finished, the answers under way are dropped.
    EofDrops,
    /// In HTTP/1.0 something may follow an answer whose end is the connection's.
    CloseFollowed,
    /// A body that nobody wants may be of any length.
    DiscardUnbounded,
}

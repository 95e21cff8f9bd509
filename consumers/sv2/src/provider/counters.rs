//! What a provider counts.

sockman::counts! {
    /// Connections that were taken.
    accepted,
    /// Connections that were refused because there was no room for them.
    refused,
    /// Handshakes that were answered.
    handshakes,
    /// Clients that did not complete the handshake in time.
    handshake_timeouts,
    /// Clients that did not say in time what they speak.
    setup_timeouts,
    /// Clients that did not take in time what they were sent.
    send_timeouts,
    /// Clients that were told that we speak the same.
    setups,
    /// Clients that were told that we do not.
    setup_errors,
    /// Frames received whole.
    frames,
    /// Frames that were ignored: of other extensions, or of types that are not known.
    frames_ignored,
    /// Messages that cannot be read.
    malformed,
    /// Messages that nobody may send at that moment.
    unexpected,
    /// Connections on which something came that could not be decrypted.
    undecryptable,
    /// Frames longer than any may be.
    too_long,
    /// Constraints by which not even an empty block has room.
    no_room,
    /// Templates sent.
    templates,
    /// New tips told.
    prev_hashes,
    /// Times that a client was told later because it had not taken what it was sent before.
    behind,
    /// Requests for transactions that were answered with them.
    data,
    /// Those of them whose answers were so large that they take turns.
    data_large,
    /// Requests for transactions of templates that are forgotten.
    data_stale,
    /// Requests for transactions of templates that there never were.
    data_unknown,
    /// Solutions handed on.
    solutions,
    /// Solutions that are none.
    solutions_refused,
    /// Solutions of templates that are not known, or not any more.
    solutions_unknown,
}

sockman::counters! {
    /// The counters of a provider.
}

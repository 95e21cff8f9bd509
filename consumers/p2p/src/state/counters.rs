//! What a node counts.

sockman::counts! {
    /// Peers that dialled us and were taken.
    inbound,
    /// Peers that were refused because there was no room for them.
    inbound_refused,
    /// Peers that were refused because they are banned.
    banned_refused,
    /// Dials that came to a connection.
    outbound,
    /// Dials that failed.
    dials_failed,
    /// Handshakes that were completed.
    handshakes,
    /// Connections to ourselves.
    self_connections,
    /// Peers that did not complete the handshake in time.
    handshake_timeouts,
    /// Peers that were silent for too long.
    silences,
    /// Times that a peer sent what nobody sends by mistake; all but those that are not to be punished are dropped for it.
    misbehaving,
    /// Peers that held up the download and were dropped.
    stalled,
    /// Messages received whole.
    messages,
    /// Messages whose checksum was wrong.
    bad_checksums,
    /// Connections that were not of this protocol, or this chain.
    bad_magics,
    /// Messages declared longer than any may be.
    bad_lengths,
    /// Messages that could not be read.
    bad_messages,
    /// Messages whose command is not known.
    unknown_messages,
    /// Headers received.
    headers,
    /// Headers that were refused.
    headers_refused,
    /// Blocks received.
    blocks,
    /// Bytes of blocks received.
    block_bytes,
    /// Blocks received that were there already.
    blocks_duplicate,
    /// Blocks received that nobody had asked for and that were not taken.
    blocks_unrequested,
    /// Blocks that were refused.
    blocks_refused,
    /// Blocks asked for a second time because the first peer was slow.
    hedged,
    /// Blocks sent.
    blocks_served,
    /// Bytes of blocks sent.
    block_bytes_served,
    /// Times that a peer was not answered before it had taken what it was sent.
    send_pauses,
    /// Times that a peer was not read from because its messages wait.
    receive_pauses,
    /// Addresses received.
    addresses,
    /// Pings answered.
    pings,
    /// Pongs that answered none of our pings.
    bad_pongs,
}

sockman::counters! {
    /// The counters of a node.
}

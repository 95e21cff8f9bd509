//! From bytes to messages.

use super::Work;
use crate::state::{Count, Request, Span};
use crate::store::Store;
use crate::wire::{self, Command, DecodeError, Frame, FrameError, Message, Next};
use sockman::{Conn, Gone, Sent, SockMan};

/// What a message counts for at least, in bytes of blocks: a tiny one takes a microsecond or two.
const LEAST: usize = 1 << 10;

/// What a byte of other messages than blocks counts for: they are decoded entry by entry.
const ENTRIES: usize = 4;

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// Takes the messages that are there whole. Says how many bytes they have.
    pub(super) fn messages(&mut self, conn: Conn, data: &[u8]) -> usize {
        let magic = self.state.chain.params().magic;
        let (mut taken, mut share) = (0, 0);
        loop {
            let unread = &data[taken..];
            let now = self.now;
            let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| !peer.gone) else {
                return data.len();
            };
            peer.moved = now;
            if peer.is_busy(&self.own.settings) {
                self.hold(conn, unread.len());
                return taken;
            }
            if share >= self.own.settings.share && !unread.is_empty() {
                self.net.resume(conn);
                return taken;
            }
            match wire::next(unread, magic) {
                Ok(Next::Wants(count)) => {
                    // What is wanted is a message at most, for which there is room.
                    let _ = self.net.want(conn, count);
                    return taken;
                }
                // Nobody waits for the disk but who brings what is to be put there.
                Ok(Next::Whole(frame)) if is_recorded(&frame) && self.state.is_swamped() => {
                    self.hold(conn, unread.len());
                    return taken;
                }
                Ok(Next::Whole(frame)) => {
                    taken += frame.bytes.len();
                    share += cost(&frame);
                    self.frame(conn, &frame);
                }
                Err(why) => {
                    self.state.counters.add(match why {
                        FrameError::Magic => Count::bad_magics,
                        FrameError::Length(_) => Count::bad_lengths,
                    });
                    self.drop_peer(conn, format_args!("{why}"));
                    return data.len();
                }
            }
        }
    }

    /// The peer's messages wait until it has taken what it asked for. When many wait it is not read from any more.
    fn hold(&mut self, conn: Conn, unread: usize) {
        if let Some(peer) = self.state.peers.get_mut(conn) {
            peer.held = true;
        }
        if unread >= self.own.settings.receive {
            self.state.counters.add(Count::receive_pauses);
            self.net.pause(conn);
        } else {
            let _ = self.net.want(conn, self.own.settings.receive);
        }
    }

    /// The peer's messages need not wait any more.
    pub(super) fn release(&mut self, conn: Conn) {
        let _ = self.net.want(conn, 0);
        self.net.resume(conn);
    }

    /// The store may be ready again for those whose messages wait because it was not. What they are late with is not their fault.
    pub(super) fn store_ready(&mut self) {
        if !self.state.swamped || self.state.chain.store().is_swamped() {
            return;
        }
        self.state.swamped = false;
        self.tell_waiters();
        let now = self.now;
        self.state.download.begin_anew(now);
        let mut held = Vec::new();
        for (conn, peer) in self.state.peers.iter_mut().filter(|(_, peer)| !peer.gone) {
            peer.excuse(now);
            if peer.held && !peer.is_busy(&self.own.settings) {
                peer.held = false;
                held.push(conn);
            }
        }
        for conn in held {
            self.release(conn);
        }
    }

    fn frame(&mut self, conn: Conn, frame: &Frame<'_>) {
        self.state.counters.add(Count::messages);
        let size = frame.bytes.len() as u64;
        self.state.bytes.0 += size;
        let command = frame.header.command;
        let decoded = frame.is_intact().then(|| frame.decode());
        if let Some(peer) = self.state.peers.get_mut(conn) {
            let counted_as = match decoded {
                None | Some(Ok(Message::Unknown(_))) => OTHER,
                Some(_) => command,
            };
            *peer.traffic.received.entry(counted_as).or_default() += size;
            peer.traffic.last_received = Some(self.now);
        }
        match decoded {
            Some(Ok(message)) => self.message(conn, frame, message),
            None => {
                self.state.counters.add(Count::bad_checksums);
                tracing::debug!(%conn, %command, "wrong checksum");
            }
            Some(Err(DecodeError::TooMany { .. })) => {
                let why = "more entries than there may be";
                // Who has not said yet who it is may not even be of this network.
                if self.state.peers.get(conn).is_some_and(|peer| peer.ready) {
                    self.misbehaves(conn, why);
                } else {
                    self.state.counters.add(Count::bad_messages);
                    self.drop_peer(conn, format_args!("{why}"));
                }
            }
            Some(Err(why)) => {
                self.state.counters.add(Count::bad_messages);
                tracing::debug!(%conn, %command, %why, "cannot be read");
            }
        }
    }

    fn message(&mut self, conn: Conn, frame: &Frame<'_>, message: Message<'_>) {
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        // Core's rules: nothing but a version comes first, and nothing but what belongs to the handshake before its end.
        let (greeted, ready) = (peer.version.is_some(), peer.ready);
        match message {
            Message::Version(version) if !greeted => self.version(conn, &version),
            Message::Verack if greeted && !ready => self.verack(conn),
            Message::WtxidRelay | Message::SendAddrV2 if ready => {
                self.drop_peer(
                    conn,
                    format_args!("features are agreed on before verack (BIP 155, BIP 339)"),
                );
            }
            Message::WtxidRelay if greeted => peer.wtxid_relay = true,
            Message::SendAddrV2 if greeted => peer.wants_addrv2 = true,
            Message::SendHeaders if greeted => peer.wants_headers = true,
            Message::SendCmpct { announce, version } if greeted => peer.compact = Some((announce, version)),
            Message::Unknown(_) => self.state.counters.add(Count::unknown_messages),
            _ if !ready => {}
            Message::FeeFilter(rate) => peer.fee_filter = u64::try_from(rate).unwrap_or_default(),
            Message::Ping(nonce) => self.ping(conn, nonce),
            Message::Pong(nonce) => self.pong(conn, nonce),
            Message::Headers(headers) => self.headers(conn, &headers),
            Message::Inv(inventory) => self.inv(conn, &inventory),
            Message::Block(_) => self.block(conn, frame),
            Message::NotFound(inventory) => self.not_found(conn, &inventory),
            Message::GetHeaders { locator, stop } => {
                self.request(conn, Request::Headers(Box::new(Span { locator, stop })));
            }
            Message::GetBlocks { locator, stop } => {
                self.request(conn, Request::Blocks(Box::new(Span { locator, stop })));
            }
            Message::GetData(inventory) => self.get_data(conn, inventory),
            Message::GetAddr => self.request(conn, Request::Addresses),
            Message::Addr(addresses) => self.addresses(conn, addresses.len()),
            Message::AddrV2(addresses) => self.addresses(conn, addresses.len()),
            // Transactions are not relayed, and we say so. A second version or verack is ignored, as by Core.
            Message::Tx(_)
            | Message::MemPool
            | Message::Version(_)
            | Message::Verack
            | Message::WtxidRelay
            | Message::SendAddrV2
            | Message::SendHeaders
            | Message::SendCmpct { .. } => {}
        }
    }

    /// Sends a message.
    pub(super) fn send(&mut self, conn: Conn, message: &Message<'_>) {
        self.own.out.clear();
        wire::encode(&mut self.own.out, self.state.chain.params().magic, message);
        let size = self.own.out.len();
        let sent = self.net.send(conn, &self.own.out);
        self.sent(conn, message.command(), size, sent);
    }

    /// Something was sent, or could not be.
    pub(super) fn sent(&mut self, conn: Conn, command: Command, size: usize, sent: Result<Sent, Gone>) {
        self.spend(size);
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        let Ok(sent) = sent else {
            // What it has sent before it went is looked at. It gets nothing any more.
            return peer.serving.end();
        };
        self.state.bytes.1 += size as u64;
        *peer.traffic.sent.entry(command).or_default() += size as u64;
        peer.traffic.last_sent = Some(self.now);
        if peer.high {
            peer.over += size;
        } else if sent.is_high() {
            peer.high = true;
            let taken = self.net.info(conn).map_or(0, |info| info.bytes_out);
            peer.stuck = Some((self.now, taken));
            self.state.counters.add(Count::send_pauses);
            self.rearm(conn);
        }
    }
}

/// Whether a message brings what may have to be put on the disk.
fn is_recorded(frame: &Frame<'_>) -> bool {
    matches!(frame.header.command, Command::HEADERS | Command::BLOCK)
}

/// What a message takes of the peer's share of a turn.
fn cost(frame: &Frame<'_>) -> usize {
    let each = if frame.header.command == Command::BLOCK {
        1
    } else {
        ENTRIES
    };
    LEAST.max(each * frame.bytes.len())
}

/// What messages are counted as that are not known, or not as they were sent (Core's `NET_MESSAGE_TYPE_OTHER`).
const OTHER: Command = Command::from_bytes(*b"*other*\0\0\0\0\0");

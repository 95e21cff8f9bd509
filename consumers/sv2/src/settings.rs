//! What a provider may be told, and how much a client may cost it.

use sockman::{Clock, Limits, ListenOptions};
use std::fmt;
use std::time::Duration;

/// What random numbers come from. It is shown to nobody.
#[derive(Clone, Copy)]
pub struct Seed(pub [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// Settings of a provider. Every field has a default; change what matters.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Clients at once, whatever their address; more are refused. Default 1,000.
    pub max_clients: usize,
    /// The time that the handshake may take. Default 10 s.
    pub handshake_within: Duration,
    /// The time after it until the client has said what it speaks. After that a client may be silent as long as it likes. Default 10 s.
    pub setup_within: Duration,
    /// Handshakes that are answered in one turn of the loop: each takes half a millisecond, and others have their turn between them.
    /// Default 2.
    pub handshakes: usize,
    /// Bytes that are received from a client and sent to it in one go, before others have their turn; a message counts as 512 at
    /// least. Default 64 KiB, which takes less than a millisecond. One message or answer more than that is all it can be.
    pub share: usize,
    /// Bytes of answers larger than [`share`](Settings::share) that all clients together are sent in one turn of the loop: who asks for
    /// more waits in a queue. An answer is not divided. Default 1 MiB.
    pub turn: usize,
    /// Bytes that a frame of a client may have. Default 256 KiB; the largest that makes sense, a solution, has 64.
    pub frame: usize,
    /// High-water mark of a client's send queue, in bytes: above it nothing more is answered, and new templates wait until it has
    /// taken what it was sent. Then it is told the latest. Default 256 KiB.
    pub send_high: usize,
    /// Bytes that may wait to be sent to a client: one answer can have 16 MiB. Default 20 MiB.
    pub send_most: usize,
    /// A client that has more to take than [`send_high`](Settings::send_high) is to have taken most of it in this time. Default 60 s.
    pub taken_within: Duration,
    /// The least time between two templates of the same tip. Default 30 s.
    pub interval: Duration,
    /// How much more a template of the same tip has to pay than the last, in satoshis. Default 1,000.
    pub fee_delta: u64,
    /// How long templates are kept once their tip is not the last any more: whoever asks for the transactions of one later, or waits
    /// longer for its turn, is told that it is stale. Default 10 s.
    pub stale_for: Duration,
    /// Templates that are kept for a client. Those of the last tip live as long as their client; but of more than this the oldest
    /// are forgotten, except the one that the client was told the tip with. Default 256, more
    /// than two hours' with the other defaults.
    pub templates: usize,
    /// How long a certificate is valid; only the handshake looks at it. Default 1 h.
    pub certificate: Duration,
    /// TCP keep-alive: after so much silence the kernel asks whether a client is still there. Default 60 s.
    pub keepalive: Option<Duration>,
    /// The time of day.
    pub clock: Clock,
    /// What the random numbers come from: two providers must not have the same, and nobody may know it.
    pub seed: Seed,
}

impl Settings {
    /// The defaults, with the seed of the random numbers.
    pub fn new(seed: [u8; 32]) -> Settings {
        Settings {
            max_clients: 1_000,
            handshake_within: Duration::from_secs(10),
            setup_within: Duration::from_secs(10),
            handshakes: 2,
            share: 64 << 10,
            turn: 1 << 20,
            frame: 256 << 10,
            send_high: 256 << 10,
            send_most: 20 << 20,
            taken_within: Duration::from_secs(60),
            interval: Duration::from_secs(30),
            fee_delta: 1_000,
            stale_for: Duration::from_secs(10),
            templates: 256,
            certificate: Duration::from_secs(60 * 60),
            keepalive: Some(Duration::from_secs(60)),
            clock: Clock::System,
            seed: Seed(seed),
        }
    }

    /// What a connection may hold: this is what each is given, whatever the loop's own [`Config`](sockman::Config) says.
    pub fn limits(&self) -> Limits {
        Limits {
            // What is wanted at once is at most 64 KiB; what came behind it waits.
            unread: 256 << 10,
            high: self.send_high,
            low: self.send_high.div_ceil(4),
            queued: self.send_most,
        }
    }

    pub(crate) fn listen_options(&self) -> ListenOptions {
        ListenOptions {
            keepalive: self.keepalive,
            limits: Some(self.limits()),
            ..ListenOptions::default()
        }
    }
}

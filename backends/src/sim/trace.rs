//! What has happened, call by call and packet by packet: as a number that sums it up, or as text.

use super::faults::Occurrence;
use crate::when::mix;
use rustix::io::Errno;
use sockman::{Id, RawId};
use std::fmt::{self, Write as _};
use std::io;
use std::time::Duration;

/// What is kept of what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracing {
    /// Nothing.
    #[default]
    Off,
    /// A number that depends on all of it, every byte included.
    Hash,
    /// That number, and the text.
    Text,
    /// That number; and the text goes to the standard error stream as it happens, so that it is there whatever comes.
    Print,
}

/// In the environment it asks for simulations to print what happens.
const ASKED: &str = "SOCKMAN_TRACE";

impl Tracing {
    /// [`Tracing::Print`] if `SOCKMAN_TRACE` is in the environment, otherwise nothing: for tests and fuzz targets.
    pub fn from_env() -> Tracing {
        if std::env::var_os(ASKED).is_some() {
            Tracing::Print
        } else {
            Tracing::Off
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Tracing::Text | Tracing::Print)
    }
}

/// Names a socket of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SocketId(RawId);

impl Id for SocketId {
    // No other id carries it, so that it is never taken for one of the engine's.
    const KIND: u8 = 14;
    fn from_raw(raw: RawId) -> Self {
        SocketId(raw.with_kind(SocketId::KIND))
    }
    fn raw(self) -> RawId {
        self.0
    }
}

/// As `s7.3`: slot and generation.
impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}.{}", self.0.slot(), self.0.generation())
    }
}

/// What a line of the trace is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Listen,
    Accept,
    Dial,
    Dialed,
    Read,
    Write,
    Finish,
    Close,
    Reset,
    Register,
    Wait,
    Report,
    Syn,
    SynAck,
    Ack,
    Arrive,
    Finished,
    Refused,
    Room,
    Wake,
    Held,
    Crashed,
    Restarted,
    Parted,
    Healed,
}

/// What came of it: a number, or an error.
pub(super) type Outcome = Result<u64, Errno>;

/// What is kept.
#[derive(Default)]
pub(super) struct Trace {
    tracing: Tracing,
    hash: u64,
    text: String,
}

impl Trace {
    pub(super) fn new(tracing: Tracing) -> Trace {
        Trace {
            tracing,
            ..Trace::default()
        }
    }

    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.tracing != Tracing::Off
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn fold(&mut self, word: u64) {
        self.hash = mix(self.hash.rotate_left(5) ^ word);
    }

    /// Writes a line of the text, if there is to be one.
    fn write(&mut self, now: u64, line: fmt::Arguments<'_>) {
        let now = Duration::from_nanos(now);
        let (seconds, nanos) = (now.as_secs(), now.subsec_nanos());
        match self.tracing {
            Tracing::Off | Tracing::Hash => {}
            // Writing to a String does not fail.
            Tracing::Text => drop(writeln!(self.text, "{seconds:>5}.{nanos:09} {line}")),
            Tracing::Print => eprintln!("{seconds:>5}.{nanos:09} {line}"),
        }
    }

    /// A call, a packet or an event. (Called only when on.)
    pub(super) fn line(&mut self, now: u64, host: u32, what: What, socket: Option<SocketId>, came: Outcome) {
        self.fold(now);
        self.fold(u64::from(host) << 32 | what as u64);
        self.fold(socket.map_or(0, |socket| socket.0.to_bits()));
        self.fold(came.unwrap_or_else(|error| !u64::from(error.raw_os_error().unsigned_abs())));
        if self.tracing.is_text() {
            let what = format!("{what:?}").to_lowercase();
            let socket = socket.map_or_else(String::new, |socket| format!(" {socket}"));
            let came = match came {
                Ok(count) => count.to_string(),
                Err(Errno::MFILE) => "EMFILE".to_owned(),
                Err(Errno::NOBUFS) => "ENOBUFS".to_owned(),
                Err(error) => format!("{:?}", io::Error::from(error).kind()),
            };
            self.write(now, format_args!("h{host} {what:<9}{socket} {came}"));
        }
    }

    /// Bytes that were read or written. (Called only when on.)
    pub(super) fn bytes(&mut self, data: &[u8]) {
        let mut words = data.chunks_exact(8);
        for word in &mut words {
            self.fold(word.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
        }
        for byte in words.remainder() {
            self.fold(u64::from(*byte));
        }
    }

    /// A fault.
    pub(super) fn fault(&mut self, now: u64, host: u32, occurrence: Occurrence) {
        if !self.is_on() {
            return;
        }
        self.fold(now);
        self.fold((occurrence.fault as u64) << 48 | occurrence.number);
        self.write(now, format_args!("h{host} FAULT     {occurrence}"));
    }

    /// What somebody above has to say.
    pub(super) fn note(&mut self, now: u64, text: fmt::Arguments<'_>) {
        if !self.is_on() {
            return;
        }
        let text = text.to_string();
        self.bytes(text.as_bytes());
        self.write(now, format_args!("   {text}"));
    }
}

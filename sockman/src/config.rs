//! Limits and settings of a loop and of its connections.

use std::io;
use std::time::Duration;

/// What one connection may hold.
///
/// A listener or a dial may have its own ([`ListenOptions::limits`](crate::ListenOptions::limits)); otherwise
/// [`Config::limits`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Received bytes the handler has not consumed. A peer whose handler was offered this many and consumed none is
    /// closed with [`Closed::UnreadLimit`](crate::Closed::UnreadLimit). Default 1 MiB.
    pub unread: usize,
    /// High-water mark of the send queue: above it `send` answers [`Sent::High`](crate::Sent::High). Default 256 KiB.
    pub high: usize,
    /// Low-water mark: below it, after a [`Sent::High`](crate::Sent::High), `drained` is called. Default 64 KiB.
    pub low: usize,
    /// Bytes that may wait in the send queue. Above it the connection is closed with
    /// [`Closed::SendLimit`](crate::Closed::SendLimit). Default 64 MiB.
    pub queued: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            unread: 1 << 20,
            high: 256 << 10,
            low: 64 << 10,
            queued: 64 << 20,
        }
    }
}

impl Limits {
    /// Refuses, with [`io::ErrorKind::InvalidInput`], limits that contradict each other.
    pub fn check(&self) -> io::Result<()> {
        if self.unread == 0 {
            return Err(invalid("Limits::unread is 0: nothing could be received"));
        }
        if self.low == 0 || self.low > self.high || self.high > self.queued {
            return Err(invalid("Limits: 0 < low <= high <= queued does not hold"));
        }
        Ok(())
    }
}

/// Settings of a loop. Every field has a default; change what matters and hand it to `Driver::new`.
///
/// ```
/// use sockman::Config;
/// let mut config = Config::default();
/// config.max_connections = Some(10_000);
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Limits of connections that have none of their own.
    pub limits: Limits,
    /// Connections at once, dials included. Above it connections stay in the listener's backlog until one closes,
    /// and dials fail. Default: the descriptor limit of the process (`RLIMIT_NOFILE`) less 64.
    pub max_connections: Option<usize>,
    /// Bytes read from, and written to, one connection in one turn before others have theirs. Default 256 KiB.
    pub byte_budget: usize,
    /// Connections accepted from one listener in one turn. Default 128.
    pub accept_budget: usize,
    /// How long a listener rests when accepting fails for want of descriptors or memory, unless a connection closes
    /// sooner. Default 100 ms.
    pub accept_backoff: Duration,
    /// Size of the one buffer that reads go to, or of each buffer lent to the kernel. Default 64 KiB.
    pub read_buffer: usize,
    /// From this size on, bytes given to `send` are offered to the kernel at once, behind what is queued, instead of
    /// being copied into the queue first. Default 16 KiB.
    pub direct_write: usize,
    /// Kernel events taken in one turn. Default 1,024.
    pub events: usize,
    /// Bytes of emptied buffers kept for reuse. Default 8 MiB.
    pub spare_buffers: usize,
    /// Backends that can submit many sends with one call (`uring`): from this many events in a turn on they do, at its end;
    /// below it, each send leaves at once. 0 always batches. Default 3.
    pub batch_from: usize,
    /// Backends that lend buffers to the kernel (`uring`): bytes lent, for all connections together, in buffers of
    /// [`read_buffer`](Config::read_buffer) bytes. What has never been received into costs no memory. Fewer than some forty
    /// buffers run dry under load, which costs more than anything else. Default 8 MiB.
    pub lent_buffers: usize,
    /// Bytes that other threads may have posted and the loop not yet taken; above it
    /// [`Remote::post`](crate::Remote::post) answers [`RemoteError::Full`](crate::RemoteError::Full). Default 64 MiB.
    pub remote_queue: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            limits: Limits::default(),
            max_connections: None,
            byte_budget: 256 << 10,
            accept_budget: 128,
            accept_backoff: Duration::from_millis(100),
            read_buffer: 64 << 10,
            direct_write: 16 << 10,
            events: 1024,
            spare_buffers: 8 << 20,
            batch_from: 3,
            lent_buffers: 8 << 20,
            remote_queue: 64 << 20,
        }
    }
}

impl Config {
    /// Refuses, with [`io::ErrorKind::InvalidInput`], settings under which a loop could not work. Every backend calls it.
    pub fn check(&self) -> io::Result<()> {
        self.limits.check()?;
        let positive = [
            (self.byte_budget, "byte_budget"),
            (self.accept_budget, "accept_budget"),
            (self.read_buffer, "read_buffer"),
            (self.events, "events"),
            (self.lent_buffers, "lent_buffers"),
            (self.max_connections.unwrap_or(1), "max_connections"),
        ];
        match positive.iter().find(|(value, _)| *value == 0) {
            Some((_, name)) => Err(invalid(&format!("Config::{name} is 0"))),
            None => Ok(()),
        }
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_refused() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config
                .check()
                .is_err_and(|error| error.kind() == io::ErrorKind::InvalidInput)
        };
        assert!(refused(|c| c.limits.unread = 0));
        assert!(refused(|c| c.limits.low = 0));
        assert!(refused(|c| c.limits.low = c.limits.high + 1));
        assert!(refused(|c| c.limits.queued = c.limits.high - 1));
        assert!(refused(|c| c.byte_budget = 0));
        assert!(refused(|c| c.accept_budget = 0));
        assert!(refused(|c| c.read_buffer = 0));
        assert!(refused(|c| c.events = 0));
        assert!(refused(|c| c.lent_buffers = 0));
        assert!(refused(|c| c.max_connections = Some(0)));
        assert!(!refused(|_| ()));
    }
}

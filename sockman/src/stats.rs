//! Counters of a loop.

use crate::reason::Closed;
use std::ops::{Index, IndexMut};

/// The kinds of system call that a loop makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Syscall {
    /// Waiting for events, and what the interface needs around it.
    Wait,
    /// Receiving.
    Read,
    /// Sending.
    Write,
    /// Accepting.
    Accept,
    /// Making, binding and connecting sockets.
    Connect,
    /// Telling the poller about a descriptor.
    Register,
    /// Half-closing.
    Shutdown,
    /// Closing.
    Close,
    /// Socket options and names.
    Option,
}

/// System calls by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Syscalls([u64; Syscalls::KINDS]);

impl Syscalls {
    /// How many kinds there are.
    pub const KINDS: usize = 9;

    /// The names of the kinds, in their order.
    pub const NAMES: [&'static str; Syscalls::KINDS] = [
        "wait", "read", "write", "accept", "connect", "register", "shutdown", "close", "option",
    ];

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each kind's name with its count.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Syscalls::NAMES.into_iter().zip(self.0)
    }
}

impl Index<Syscall> for Syscalls {
    type Output = u64;
    #[inline]
    fn index(&self, kind: Syscall) -> &u64 {
        &self.0[kind as usize]
    }
}

impl IndexMut<Syscall> for Syscalls {
    #[inline]
    fn index_mut(&mut self, kind: Syscall) -> &mut u64 {
        &mut self.0[kind as usize]
    }
}

/// Counters of a loop since it was made. Read them with [`SockMan::stats`](crate::SockMan::stats).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How the backend works here: the kernel interface, and what it was found to have.
    pub interface: String,
    /// Turns taken.
    pub turns: u64,
    /// Turns that slept and were ended by something other than the caller's own time limit.
    pub wakeups: u64,
    /// Turns that found commands of a [`Remote`](crate::Remote).
    pub remote_wakeups: u64,
    /// Events that the kernel reported.
    pub events: u64,
    /// System calls by kind.
    pub syscalls: Syscalls,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes given to the kernel.
    pub bytes_out: u64,
    /// Connections accepted.
    pub accepts: u64,
    /// Connections that [`open`](crate::Handler::open) refused.
    pub refusals: u64,
    /// Connections that the kernel could not hand over, the client having gone (`ECONNABORTED`) and the like.
    pub accept_errors: u64,
    /// Times a listener rested for want of descriptors or memory.
    pub accept_backoffs: u64,
    /// Times a listener waited because of [`Config::max_connections`](crate::Config::max_connections).
    pub accept_waits: u64,
    /// Dials that opened.
    pub dials: u64,
    /// Dials that failed.
    pub dial_failures: u64,
    /// Closed connections by reason, in the order of [`Closed::NAMES`].
    pub closes: [u64; Closed::KINDS],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_and_a_sum() {
        let mut calls = Syscalls::default();
        calls[Syscall::Wait] += 1;
        calls[Syscall::Option] += 2;
        assert_eq!(calls.total(), 3);
        assert_eq!(
            calls.iter().find(|(name, _)| *name == "option"),
            Some(("option", 2))
        );
        assert_eq!(calls.iter().count(), Syscall::Option as usize + 1);
    }
}

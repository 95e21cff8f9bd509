//! Sends that leave together.

use io_uring::{opcode, squeue, types};
use sockman::RawId;
use std::os::fd::RawFd;

/// Sends put together in one place, to be submitted together.
///
/// Each is submitted with `MSG_DONTWAIT`: the kernel tries it while it is submitted and never waits for room, so that every
/// send of a batch is over when the call that submits it returns. A send that was whole makes no completion. That is why
/// one piece of memory serves all batches, and why bytes of one connection keep their order: it has at most one send in a
/// batch.
pub(super) struct Batch {
    bytes: Box<[u8]>,
    used: usize,
    sends: Vec<Send>,
}

#[derive(Clone, Copy)]
struct Send {
    conn: RawId,
    fd: RawFd,
    start: usize,
    len: usize,
}

impl Batch {
    /// Room for `size` bytes.
    pub(super) fn new(size: usize) -> Batch {
        Batch {
            bytes: vec![0; size].into_boxed_slice(),
            used: 0,
            sends: Vec::new(),
        }
    }

    /// How many sends it holds.
    pub(super) fn len(&self) -> usize {
        self.sends.len()
    }

    /// Adds `pieces`, of together `len` bytes, behind the last send if that is of the same connection; whether there was
    /// room. A connection that has a send further in front must not be given.
    pub(super) fn add<'a>(
        &mut self,
        conn: RawId,
        fd: RawFd,
        pieces: impl Iterator<Item = &'a [u8]>,
        len: usize,
    ) -> bool {
        if self.used + len > self.bytes.len() {
            return false;
        }
        match self.sends.last_mut().filter(|send| send.conn == conn) {
            Some(send) => send.len += len,
            None => self.sends.push(Send {
                conn,
                fd,
                start: self.used,
                len,
            }),
        }
        for piece in pieces {
            self.bytes[self.used..self.used + piece.len()].copy_from_slice(piece);
            self.used += piece.len();
        }
        true
    }

    /// Whether the last send is of this connection.
    pub(super) fn ends_with(&self, conn: RawId) -> bool {
        self.sends.last().is_some_and(|send| send.conn == conn)
    }

    /// Each send as an entry of the submission queue, `kind` telling what its completion is about.
    pub(super) fn entries(&self, kind: u8) -> impl Iterator<Item = squeue::Entry> {
        self.sends.iter().map(move |send| {
            let bytes = &self.bytes[send.start..send.start + send.len];
            opcode::Send::new(types::Fd(send.fd), bytes.as_ptr(), bytes.len() as u32)
                .flags(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
                .build()
                .flags(squeue::Flags::SKIP_SUCCESS)
                .user_data(conn_bits(send.conn, kind))
        })
    }

    /// The bytes that `conn` still has to send, when `sent` of them were taken.
    pub(super) fn rest(&self, conn: RawId, sent: usize) -> &[u8] {
        let found = self.sends.iter().find(|send| send.conn == conn);
        found.map_or(&[], |send| {
            &self.bytes[send.start + sent.min(send.len)..send.start + send.len]
        })
    }

    /// All have been submitted.
    pub(super) fn clear(&mut self) {
        self.sends.clear();
        self.used = 0;
    }
}

fn conn_bits(conn: RawId, kind: u8) -> u64 {
    conn.with_kind(kind).to_bits()
}

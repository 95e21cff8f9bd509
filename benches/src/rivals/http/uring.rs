//! The floor on `io_uring`: what the echo server has, and the answers written into the buffers that the requests came in.

use super::floor::Script;
use crate::rivals::uring::{Protocol, serve};
use crate::serve::Ready;
use std::io;

/// Runs it.
pub fn run<S: Script>(ready: Ready<'_>) -> io::Result<()> {
    serve(
        Answers {
            script: S::default(),
            out: Vec::new(),
        },
        ready,
    )
}

struct Answers<S> {
    script: S,
    out: Vec<u8>,
}

impl<S: Script> Protocol for Answers<S> {
    type State = Vec<u8>;
    const CLOSES: bool = S::CLOSES;

    #[inline]
    fn reply(&mut self, kept: &mut Vec<u8>, buffer: &mut [u8], length: usize) -> usize {
        self.out.clear();
        self.script.answer_all(kept, &buffer[..length], &mut self.out);
        // More are not asked at once than fit; what does not is missed, and the load says so.
        let sent = self.out.len().min(buffer.len());
        buffer[..sent].copy_from_slice(&self.out[..sent]);
        sent
    }
}

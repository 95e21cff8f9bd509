//! What a request may be.

use crate::args::values::Size;
use crate::failure::Failure;
use sockman_http::{Dialect, Limits};

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What a request may be")]
pub(super) struct RequestArgs {
    /// Bytes of a request line; above it 414. 8KiB with --bitcoin-compat.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().request_line),
        default_value_if("bitcoin_compat", "true", "8KiB"))]
    max_request_line: Size,
    /// Bytes of a request line and all fields; above it 431. 8KiB with --bitcoin-compat.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().head),
        default_value_if("bitcoin_compat", "true", "8KiB"))]
    max_head: Size,
    /// Fields of a head or of trailers; above it 431. 8192 with --bitcoin-compat.
    #[arg(long, value_name = "N", default_value_t = Limits::default().fields,
        default_value_if("bitcoin_compat", "true", "8192"))]
    max_fields: usize,
    /// Bytes of a body, decoded; above it 413.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().body as usize))]
    max_body: Size,
    /// Bytes of a chunk's first line; above it 400.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().chunk_line))]
    max_chunk_line: Size,
    /// Bytes of all chunk extensions of a body; above it 400.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().extensions))]
    max_extensions: Size,
    /// Bytes of a trailer section; above it 431.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().trailers))]
    max_trailers: Size,
}

impl RequestArgs {
    pub(super) fn limits(&self, bitcoin_compat: bool) -> Limits {
        Limits {
            request_line: self.max_request_line.0,
            head: self.max_head.0,
            fields: self.max_fields,
            body: self.max_body.0 as u64,
            chunk_line: self.max_chunk_line.0,
            extensions: self.max_extensions.0,
            trailers: self.max_trailers.0,
            dialect: if bitcoin_compat {
                Dialect::BitcoinCore
            } else {
                Dialect::Strict
            },
        }
    }

    pub(super) fn body(&self) -> Size {
        self.max_body
    }

    /// Refuses what could never be received, because it would not fit among the bytes that may wait unread.
    pub(super) fn check(&self, unread: Size) -> Result<(), Failure> {
        let unread_whole = [
            (self.max_head, "--max-head"),
            (self.max_trailers, "--max-trailers"),
            (self.max_chunk_line, "--max-chunk-line"),
        ];
        // The empty line or the line's own end comes on top.
        match unread_whole.iter().find(|(size, _)| size.0 + 4 > unread.0) {
            Some((size, flag)) => Err(Failure::Usage(format!(
                "{flag} ({size}) must be below --max-unread ({unread}), where it waits until it is complete"
            ))),
            None => Ok(()),
        }
    }
}

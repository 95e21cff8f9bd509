//! What a client may send.

/// Bounds of one request. None depends on what a client says it will send, and nothing is allocated for a declared length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the request line, without its CRLF; above it 414 (URI Too Long). Default 16 KiB. (RFC 9112 section 3 recommends
    /// to take at least 8,000.)
    pub request_line: usize,
    /// Bytes of a head, from the request line to the empty line; above it 431. Default 64 KiB.
    pub head: usize,
    /// Fields of a head, and of a trailer section; above it 431. Default 1,000.
    pub fields: usize,
    /// Bytes of a body, decoded; above it 413. Default 32 MiB.
    pub body: u64,
    /// Bytes of a chunk's first line, extensions included; above it 400. Default 4 KiB.
    pub chunk_line: usize,
    /// Bytes of all chunk extensions of a body; above it 400. Default 16 KiB.
    pub extensions: usize,
    /// Bytes of a trailer section; above it 431. Default 16 KiB.
    pub trailers: usize,
    /// How strictly what is sent is read. Default [`Dialect::Strict`].
    pub dialect: Dialect,
}

/// How strictly requests are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As RFC 9112 has it.
    #[default]
    Strict,
    /// As clients of Bitcoin Core's RPC may rely on: a request needs no `Host`, and may have more than one
    /// `Content-Type`; of two lengths `Transfer-Encoding` counts, and the connection is closed (which RFC 9112 section 6.3
    /// allows); and what HTTP has statuses of its own for (414, 431, 505) is 400.
    BitcoinCore,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_line: 16 << 10,
            head: 64 << 10,
            fields: 1_000,
            body: 32 << 20,
            chunk_line: 4 << 10,
            extensions: 16 << 10,
            trailers: 16 << 10,
            dialect: Dialect::Strict,
        }
    }
}

impl Limits {
    /// Those of Bitcoin Core's RPC: heads of 8,192 bytes, with as many fields as fit into them.
    pub fn bitcoin_core() -> Limits {
        Limits {
            request_line: 8192,
            head: 8192,
            fields: 8192,
            dialect: Dialect::BitcoinCore,
            ..Limits::default()
        }
    }
}

//! Why a request is refused.

use crate::limits::Dialect;

macro_rules! rejects {
    ($($(#[$doc:meta])* $name:ident $status:literal $text:literal,)*) => {
        /// Why a request is refused. After it the connection is to be closed: nothing that follows can be told apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Reject {
            $($(#[$doc])* #[error($text)] $name,)*
        }

        impl Reject {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Reject] = &[$(Reject::$name,)*];

            /// The name, as in metrics.
            pub fn name(self) -> &'static str {
                match self { $(Reject::$name => stringify!($name),)* }
            }

            /// The status code of the answer (RFC 9110 section 15).
            pub fn status(self) -> u16 {
                match self { $(Reject::$name => $status,)* }
            }

            /// The status code in a dialect: Bitcoin Core knows 400 alone for heads that are malformed or too large.
            pub fn status_in(self, dialect: Dialect) -> u16 {
                match (dialect, self.status()) {
                    (Dialect::BitcoinCore, 414 | 431 | 505) => 400,
                    (_, status) => status,
                }
            }
        }
    };
}

rejects! {
    /// No request line: method, target and version with one space between (RFC 9112 section 3).
    RequestLine 400 "malformed request line",
    /// No HTTP version (RFC 9112 section 2.3).
    Version 400 "malformed version",
    /// A major version other than 1 (RFC 9110 section 15.6.6).
    MajorVersion 505 "not HTTP/1",
    /// The request line is above [`Limits::request_line`](crate::Limits::request_line).
    LineTooLong 414 "request line too long",
    /// Empty lines without end in front of a request (RFC 9112 section 2.2).
    BlankLines 400 "too many empty lines before a request",
    /// A line that ends by LF alone (RFC 9112 section 2.2 lets a server refuse it).
    BareLf 400 "a line feed without a carriage return",
    /// No field line: a bad name or value, white space before the colon, a folded line, a bare CR, a NUL (RFC 9112 section 5).
    Field 400 "malformed field",
    /// The head is above [`Limits::head`](crate::Limits::head), or has more than [`Limits::fields`](crate::Limits::fields), or
    /// its trailers are above theirs.
    HeadTooLarge 431 "head too large",
    /// No `Host` in HTTP/1.1 (RFC 9112 section 3.2).
    HostMissing 400 "no Host",
    /// More than one `Host` (RFC 9112 section 3.2).
    HostRepeated 400 "more than one Host",
    /// A `Host` that is none (RFC 9112 section 3.2).
    HostMalformed 400 "malformed Host",
    /// A target of no form that the method allows (RFC 9112 section 3.2).
    Target 400 "malformed target",
    /// `CONNECT`: there are no tunnels, and what follows would be meant for one (RFC 9110 section 9.3.6).
    Tunnel 501 "no tunnels",
    /// A `Content-Length` that is no number, or does not fit, or is there more than once (RFC 9112 section 6.3).
    ContentLength 400 "malformed or repeated Content-Length",
    /// `Content-Length` beside `Transfer-Encoding`: a reader that believes the other sees another request (RFC 9112
    /// section 6.3).
    BothLengths 400 "both Content-Length and Transfer-Encoding",
    /// `chunked` is not the last coding, or is there twice; or the version has no codings (RFC 9112 sections 6.1 and 6.3).
    TransferEncoding 400 "malformed Transfer-Encoding",
    /// Another coding below `chunked` (RFC 9112 section 6.1).
    Coding 501 "unknown transfer coding",
    /// An expectation other than `100-continue` (RFC 9110 section 10.1.1).
    Expectation 417 "unknown expectation",
    /// More than one `Content-Type`: readers differ in which of them counts (RFC 9110 section 8.3).
    ContentType 400 "more than one Content-Type",
    /// The body is above [`Limits::body`](crate::Limits::body).
    BodyTooLarge 413 "body too large",
    /// A chunk's size or its extensions are malformed or too long, or its data do not end where they should (RFC 9112
    /// section 7.1).
    Chunk 400 "malformed chunk",
    /// A trailer field that only a head may have: on it depend framing, routing or authentication (RFC 9110 section 6.5.1).
    Trailer 400 "a field that no trailer section may have",
}

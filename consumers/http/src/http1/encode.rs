//! Heads of responses, and the framing of what follows them.

use super::head::Version;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// What the answer to a request depends on besides what the application says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The version of the request.
    pub version: Version,
    /// Whether it was `HEAD`: no body follows, whatever the head says (RFC 9110 section 9.3.2).
    pub is_head: bool,
    /// Whether the connection stays open.
    pub keep_alive: bool,
}

impl Terms {
    /// Of an answer that is the last, whatever the request was.
    pub const LAST: Terms = Terms {
        version: Version::V11,
        is_head: false,
        keep_alive: false,
    };
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// It has none.
    Empty,
    /// So many bytes are still to come.
    Length(u64),
    /// The chunked coding (RFC 9112 section 7.1).
    Chunked,
    /// The connection's end, for clients that know no chunks (RFC 9112 section 6.3, rule 8).
    Close,
}

/// The interim response that a client waits for before it sends a body (RFC 9110 section 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The end of a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The status line and `Date`, whose value is `date`.
pub fn start(out: &mut Vec<u8>, status: StatusCode, date: &[u8]) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    // The reason may be empty, the space before it must be there (RFC 9112 section 4).
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\ndate: ");
    out.extend_from_slice(date);
    out.extend_from_slice(b"\r\n");
}

/// The status of an answer: 500 in place of an interim one (1xx), which would leave the request without an answer and shift those
/// behind it (RFC 9110 section 15.2).
pub fn final_status(status: StatusCode) -> StatusCode {
    if status.is_informational() {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        status
    }
}

/// Whether only the server writes this field, since the framing or the connection depends on it.
pub fn is_reserved(name: &HeaderName) -> bool {
    // By their lengths, few names need to be compared.
    match name.as_str().len() {
        4 => *name == header::DATE,
        10 => *name == header::CONNECTION,
        14 => *name == header::CONTENT_LENGTH,
        17 => *name == header::TRANSFER_ENCODING,
        _ => false,
    }
}

/// A field, unless it is [reserved](is_reserved).
pub fn field(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    if !is_reserved(name) {
        line(out, name.as_str().as_bytes(), value.as_bytes());
    }
}

/// All fields of a map.
pub fn fields(out: &mut Vec<u8>, map: &HeaderMap) {
    for (name, value) in map {
        field(out, name, value);
    }
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Ends a head whose body is `length` bytes long, or of unknown length. Tells how the body is to be framed; one that a status
/// or a method forbids is [`Framing::Empty`].
pub fn end(out: &mut Vec<u8>, status: StatusCode, terms: Terms, length: Option<u64>) -> Framing {
    // RFC 9110 section 8.6 and RFC 9112 section 6.1: neither field with 1xx and 204; and 304 speaks of another body.
    let has_none =
        status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    // RFC 9110 section 15.3.6: 205 has no content, and says so.
    let length = if status == StatusCode::RESET_CONTENT {
        Some(0)
    } else {
        length
    };
    let mut framing = Framing::Empty;
    if !has_none {
        framing = match length {
            Some(length) => {
                out.extend_from_slice(b"content-length: ");
                out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
                out.extend_from_slice(b"\r\n");
                Framing::Length(length)
            }
            None if terms.version == Version::V11 => {
                line(out, b"transfer-encoding", b"chunked");
                Framing::Chunked
            }
            None => Framing::Close,
        };
    }
    if terms.is_head || status == StatusCode::RESET_CONTENT {
        framing = Framing::Empty;
    }
    let stays = terms.keep_alive && framing != Framing::Close;
    match (terms.version, stays) {
        (Version::V11, true) => {}
        (Version::V10, true) => line(out, b"connection", b"keep-alive"),
        (_, false) => line(out, b"connection", b"close"),
    }
    out.extend_from_slice(b"\r\n");
    framing
}

/// The line before the data of a chunk, which is not empty and is followed by CRLF.
pub fn chunk_size(out: &mut Vec<u8>, size: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (size.max(1).ilog2() / 4 + 1) as usize;
    for place in (0..digits).rev() {
        out.push(DIGITS[size >> (4 * place) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &[u8] = b"Sun, 06 Nov 1994 08:49:37 GMT";

    fn head(status: u16, terms: Terms, length: Option<u64>) -> (String, Framing) {
        let mut out = Vec::new();
        let status = StatusCode::from_u16(status).expect("a status");
        start(&mut out, status, DATE);
        let framing = end(&mut out, status, terms, length);
        let text = String::from_utf8(out).expect("ASCII");
        (
            text.replace("date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ""),
            framing,
        )
    }

    fn terms(version: Version, is_head: bool, keep_alive: bool) -> Terms {
        Terms {
            version,
            is_head,
            keep_alive,
        }
    }

    #[test]
    fn heads_say_how_the_body_ends_and_whether_the_connection_stays() {
        let new = |keep| terms(Version::V11, false, keep);
        let old = |keep| terms(Version::V10, false, keep);
        let say = |text: &str, framing| (format!("HTTP/1.1 {text}\r\n\r\n"), framing);
        assert_eq!(
            head(200, new(true), Some(5)),
            say("200 OK\r\ncontent-length: 5", Framing::Length(5))
        );
        assert_eq!(
            head(200, new(false), Some(0)),
            say(
                "200 OK\r\ncontent-length: 0\r\nconnection: close",
                Framing::Length(0)
            )
        );
        assert_eq!(
            head(200, old(true), Some(5)),
            say(
                "200 OK\r\ncontent-length: 5\r\nconnection: keep-alive",
                Framing::Length(5)
            )
        );
        assert_eq!(
            head(200, new(true), None),
            say("200 OK\r\ntransfer-encoding: chunked", Framing::Chunked)
        );
        assert_eq!(
            head(200, old(true), None),
            say("200 OK\r\nconnection: close", Framing::Close)
        );
        assert_eq!(
            head(204, new(true), Some(5)),
            say("204 No Content", Framing::Empty)
        );
        assert_eq!(
            head(304, new(true), None),
            say("304 Not Modified", Framing::Empty)
        );
        assert_eq!(
            head(299, new(true), Some(1)),
            say("299 \r\ncontent-length: 1", Framing::Length(1))
        );
        assert_eq!(
            head(200, terms(Version::V11, true, true), Some(5)),
            say("200 OK\r\ncontent-length: 5", Framing::Empty)
        );
    }

    #[test]
    fn chunk_sizes_are_hexadecimal() {
        for size in [1, 9, 15, 16, 255, 256, 4095, 4096, 65_535, 1 << 20, usize::MAX] {
            let mut out = Vec::new();
            chunk_size(&mut out, size);
            assert_eq!(out, format!("{size:x}\r\n").as_bytes());
        }
    }

    #[test]
    fn what_frames_is_not_the_applications_to_say() {
        let mut map = HeaderMap::new();
        for name in ["connection", "content-length", "transfer-encoding", "date", "x-a"] {
            map.insert(
                HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                HeaderValue::from_static("v"),
            );
        }
        let mut out = Vec::new();
        fields(&mut out, &map);
        assert_eq!(out, b"x-a: v\r\n");
    }
}

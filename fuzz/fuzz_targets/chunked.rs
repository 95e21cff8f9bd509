//! Chunked bodies: what the decoder makes of them, in any pieces, is what a reader makes of them that sees all at once and is as
//! simple as the grammar (RFC 9112 section 7.1).
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockman_http::Limits;
use sockman_http::http1::{Decoder, Flow, Head, Header, Requests};

/// How a body came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is whole, and so many bytes are behind it.
    Whole(usize),
    /// More is to come.
    Open,
    /// Its data are whole, and a trailer section has begun.
    Trailers,
    /// It is refused with this status.
    Refused(u16),
}

/// What was read of it.
#[derive(Default)]
struct Read {
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
    ends: usize,
}

impl Requests for Read {
    fn head(&mut self, _: &Head<'_>, _: &[u8]) -> Flow {
        Flow::On
    }

    fn body(&mut self, data: &[u8]) -> Flow {
        assert!(!data.is_empty());
        self.body.extend_from_slice(data);
        Flow::On
    }

    fn trailers(&mut self, fields: &[Header<'_>]) {
        let field = |field: &Header<'_>| (field.name.to_owned(), field.value.to_vec());
        self.trailers.extend(fields.iter().map(field));
    }

    fn end(&mut self) -> Flow {
        self.ends += 1;
        // What is behind it is not looked at.
        Flow::Stop
    }
}

fn limits() -> Limits {
    Limits {
        body: 100,
        chunk_line: 30,
        extensions: 40,
        trailers: 60,
        fields: 4,
        ..Limits::default()
    }
}

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (End, Read) {
    let limits = limits();
    let (mut decoder, mut read) = (Decoder::new(), Read::default());
    let mut unread = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let mut behind = 0;
    for piece in pieces {
        if read.ends > 0 {
            behind += piece.len();
            continue;
        }
        unread.extend_from_slice(piece);
        match decoder.decode(&mut unread, &limits, &mut read) {
            Ok(consumed) => drop(unread.drain(..consumed)),
            Err(why) => return (End::Refused(why.status()), read),
        }
    }
    let end = match read.ends {
        0 => End::Open,
        _ => End::Whole(unread.len() + behind),
    };
    (end, read)
}

/// A line, and what is behind it.
type Line<'a> = (&'a [u8], &'a [u8]);

/// The next line without its CRLF, and what is behind it. A line that is too long, whether or not it ends, is refused, as
/// is one that ends by LF alone.
fn line(data: &[u8], most: usize, status: u16) -> Result<Option<Line<'_>>, u16> {
    match data.iter().position(|byte| *byte == b'\n') {
        None if data.len() > most => Err(status),
        None => Ok(None),
        Some(end) if end > most => Err(status),
        Some(end) => match data[..end].strip_suffix(b"\r") {
            Some(line) => Ok(Some((line, &data[end + 1..]))),
            None => Err(400),
        },
    }
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`, by trying what may come next.
fn is_extension(text: &[u8]) -> bool {
    let space = |mut text: &'_ [u8]| -> usize {
        let all = text.len();
        while let [b' ' | b'\t', rest @ ..] = text {
            text = rest;
        }
        all - text.len()
    };
    let mut at = 0;
    while at < text.len() {
        at += space(&text[at..]);
        if text.get(at) != Some(&b';') {
            return false;
        }
        at += 1;
        at += space(&text[at..]);
        let name = text[at..].iter().take_while(|byte| is_tchar(**byte)).count();
        if name == 0 {
            return false;
        }
        at += name;
        let gap = space(&text[at..]);
        if text.get(at + gap) == Some(&b'=') {
            at += gap + 1;
            at += space(&text[at..]);
            if text.get(at) == Some(&b'"') {
                at += 1;
                loop {
                    match text.get(at) {
                        Some(b'"') => break,
                        Some(b'\\') => at += 1,
                        _ => {}
                    }
                    match text.get(at) {
                        Some(b'\t' | b' '..=b'~' | 0x80..) => at += 1,
                        _ => return false,
                    }
                }
                at += 1;
            } else {
                let value = text[at..].iter().take_while(|byte| is_tchar(**byte)).count();
                if value == 0 {
                    return false;
                }
                at += value;
            }
        }
    }
    true
}

/// What a body is, seen as a whole.
fn reference(mut data: &[u8]) -> (End, Vec<u8>) {
    let limits = limits();
    let mut body = Vec::new();
    let (mut total, mut extensions) = (0_u64, 0);
    loop {
        let (size, rest) = match line(data, limits.chunk_line, 400) {
            Ok(Some(found)) => found,
            Ok(None) => return (End::Open, body),
            Err(status) => return (End::Refused(status), body),
        };
        let digits = size.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (digits, extension) = size.split_at(digits);
        let number = digits
            .iter()
            .try_fold(0_u64, |number, digit| {
                let digit = char::from(*digit).to_digit(16)?;
                number.checked_mul(16)?.checked_add(u64::from(digit))
            })
            .filter(|_| !digits.is_empty());
        extensions += extension.len();
        let Some(number) = number.filter(|_| extensions <= limits.extensions && is_extension(extension))
        else {
            return (End::Refused(400), body);
        };
        let Some(sum) = total.checked_add(number) else {
            return (End::Refused(400), body);
        };
        total = sum;
        if total > limits.body {
            return (End::Refused(413), body);
        }
        data = rest;
        if number == 0 {
            break;
        }
        let count = data.len().min(number as usize);
        body.extend_from_slice(&data[..count]);
        data = &data[count..];
        if count < number as usize {
            return (End::Open, body);
        }
        match data {
            [] | [b'\r'] => return (End::Open, body),
            [b'\r', b'\n', rest @ ..] => data = rest,
            _ => return (End::Refused(400), body),
        }
    }
    match data {
        [b'\r', b'\n', rest @ ..] => (End::Whole(rest.len()), body),
        [] | [b'\r'] => (End::Open, body),
        // Trailers: their fields are those of any head.
        _ => (End::Trailers, body),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else {
        return;
    };
    let (split, split_read) = decode(bytes.chunks(usize::from(*size).max(1)));
    let (whole, whole_read) = decode(std::iter::once(bytes));
    assert_eq!(split, whole);
    if !matches!(whole, End::Refused(_)) {
        // (How much of the body of a refused request comes before depends on how it came.)
        assert_eq!(split_read.body, whole_read.body);
        assert_eq!(split_read.trailers, whole_read.trailers);
    }
    let (expected, body) = reference(bytes);
    assert!(body.starts_with(&split_read.body) || split_read.body == body);
    match (whole, expected) {
        (End::Refused(400 | 431) | End::Open | End::Whole(_), End::Trailers) => {}
        (whole, expected) => assert_eq!(whole, expected),
    }
    if let End::Whole(_) = whole {
        assert_eq!(whole_read.body, body);
    }
});

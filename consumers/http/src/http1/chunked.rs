//! The chunked coding (RFC 9112 section 7.1).

use super::body::take_piece;
use super::field::{is_token_char, trimmed};
use super::lines::Lines;
use super::{Flow, Requests, Step};
use crate::limits::Limits;
use crate::reject::Reject;
use httparse::{EMPTY_HEADER, Status};
use memchr::memchr;

/// How far the decoder is.
enum State {
    /// In the line of a chunk's size; so much of it has been looked at.
    Size(usize),
    /// So many bytes of a chunk are still to come.
    Data(u64),
    /// At the CRLF behind a chunk.
    DataEnd,
    /// In the trailer section.
    Trailers(Lines),
    Done,
}

pub(super) struct Chunked {
    state: State,
    /// Bytes of the body so far.
    total: u64,
    /// Bytes of chunk extensions so far.
    extensions: usize,
}

impl Chunked {
    pub(super) fn new() -> Chunked {
        Chunked {
            state: State::Size(0),
            total: 0,
            extensions: 0,
        }
    }

    pub(super) fn take(
        &mut self,
        data: &[u8],
        limits: &Limits,
        to: &mut impl Requests,
    ) -> Result<Step, Reject> {
        match &mut self.state {
            State::Size(scanned) => {
                let Some(end) = find_line(data, scanned, limits.chunk_line, Reject::Chunk)? else {
                    return Ok(Step::Wait);
                };
                self.size(&data[..end - 2], limits)?;
                Ok(Step::Took(end, Flow::On))
            }
            State::Data(_) if data.is_empty() => Ok(Step::Wait),
            State::Data(left) => {
                let (count, flow) = take_piece(left, data, to);
                if *left == 0 {
                    self.state = State::DataEnd;
                }
                Ok(Step::Took(count, flow))
            }
            State::DataEnd => match data {
                [b'\r', b'\n', ..] => {
                    self.state = State::Size(0);
                    Ok(Step::Took(2, Flow::On))
                }
                [] | [b'\r'] => Ok(Step::Wait),
                _ => Err(Reject::Chunk),
            },
            State::Trailers(lines) => {
                if !lines.has_begun() {
                    match data {
                        [b'\r', b'\n', ..] => {
                            self.state = State::Done;
                            return Ok(Step::Took(2, Flow::On));
                        }
                        [] | [b'\r'] => return Ok(Step::Wait),
                        _ => {}
                    }
                }
                // The first line of a trailer section is a field like the others.
                let own = Limits {
                    fields: limits.fields.saturating_sub(1),
                    request_line: limits.trailers,
                    head: limits.trailers,
                    ..limits.clone()
                };
                let too_large = |why| {
                    if why == Reject::LineTooLong {
                        Reject::HeadTooLarge
                    } else {
                        why
                    }
                };
                let Some(end) = lines.find_end(data, &own).map_err(too_large)? else {
                    return Ok(Step::Wait);
                };
                trailers(&data[..end], lines.fields() + 1, to)?;
                self.state = State::Done;
                Ok(Step::Took(end, Flow::On))
            }
            State::Done => Ok(Step::End),
        }
    }

    /// `chunk-size [ chunk-ext ]`.
    fn size(&mut self, line: &[u8], limits: &Limits) -> Result<(), Reject> {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, extension) = line.split_at(digits);
        let size = std::str::from_utf8(size)
            .ok()
            .and_then(|text| u64::from_str_radix(text, 16).ok());
        let size = size.ok_or(Reject::Chunk)?;
        self.extensions += extension.len();
        if self.extensions > limits.extensions || !is_extension(extension) {
            return Err(Reject::Chunk);
        }
        self.total = self.total.checked_add(size).ok_or(Reject::Chunk)?;
        if self.total > limits.body {
            return Err(Reject::BodyTooLarge);
        }
        self.state = match size {
            0 => State::Trailers(Lines::new()),
            size => State::Data(size),
        };
        Ok(())
    }
}

/// Where a line ends, behind its CRLF, if that is there.
fn find_line(data: &[u8], scanned: &mut usize, most: usize, why: Reject) -> Result<Option<usize>, Reject> {
    let found = memchr(b'\n', &data[*scanned..]).map(|place| *scanned + place);
    if found.unwrap_or(data.len()) > most {
        return Err(why);
    }
    match found {
        None => {
            *scanned = data.len();
            Ok(None)
        }
        Some(end) if end > 0 && data[end - 1] == b'\r' => Ok(Some(end + 1)),
        Some(_) => Err(why),
    }
}

/// `*( BWS ";" BWS name [ BWS "=" BWS value ] )`, where a value is a token or a quoted string.
fn is_extension(text: &[u8]) -> bool {
    let mut rest = trimmed_start(text);
    if rest.is_empty() {
        // White space behind a size, with nothing behind it, is nothing that the grammar has.
        return text.is_empty();
    }
    while let [b';', after @ ..] = rest {
        let (name, after) = token(trimmed_start(after));
        if name.is_empty() {
            return false;
        }
        rest = trimmed_start(after);
        if let [b'=', after @ ..] = rest {
            let after = trimmed_start(after);
            rest = match after {
                [b'"', inside @ ..] => match quoted(inside) {
                    Some(after) => after,
                    None => return false,
                },
                _ => {
                    let (value, after) = token(after);
                    if value.is_empty() {
                        return false;
                    }
                    after
                }
            };
            rest = trimmed_start(rest);
        }
    }
    rest.is_empty() && trimmed(text).len() == trimmed_start(text).len()
}

fn trimmed_start(text: &[u8]) -> &[u8] {
    let space = text
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &text[space..]
}

fn token(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| is_token_char(**byte)).count())
}

/// What is behind a quoted string, whose opening quote has been taken (RFC 9110 section 5.6.4).
fn quoted(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        text = match text {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'\t' | b' '..=b'~' | 0x80.., rest @ ..]
            | [
                b'\t' | b' ' | b'!' | b'#'..=b'[' | b']'..=b'~' | 0x80..,
                rest @ ..,
            ] => rest,
            _ => return None,
        };
    }
}

/// Reads a complete trailer section, and gives it away.
fn trailers(data: &[u8], count: usize, to: &mut impl Requests) -> Result<(), Reject> {
    let mut table = vec![EMPTY_HEADER; count];
    match httparse::parse_headers(data, &mut table) {
        Ok(Status::Complete((_, fields))) if fields.iter().any(|field| is_for_heads(field.name)) => {
            Err(Reject::Trailer)
        }
        Ok(Status::Complete((_, fields))) => {
            to.trailers(fields);
            Ok(())
        }
        _ => Err(Reject::Field),
    }
}

/// Whether a field of this name means something only before the body (RFC 9110 section 6.5.1). Whoever merged the trailers into
/// the head would be told by them where the request ends, whom it is for, or who sent it.
fn is_for_heads(name: &str) -> bool {
    const NAMES: [&str; 4] = ["host", "authorization", "content-length", "transfer-encoding"];
    NAMES.iter().any(|other| name.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the line of a chunk's size comes, each byte is looked at once: that is what makes it linear.
    #[test]
    fn what_was_looked_at_is_not_looked_at_again() {
        let line = b"5;extension=\"value\"\r\n";
        let mut scanned = 0;
        for end in 1..line.len() {
            let found = find_line(&line[..end], &mut scanned, 100, Reject::Chunk);
            assert_eq!((found, scanned), (Ok(None), end));
        }
        // What stands before that place does not matter any more.
        let mut changed = *line;
        changed[..line.len() - 2].fill(b'\n');
        let found = find_line(&changed, &mut scanned, 100, Reject::Chunk);
        assert_eq!(found, Ok(Some(line.len())));
    }
}

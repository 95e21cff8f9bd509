//! The answers in a stream of bytes: parsed just enough to know where each ends, and that it is one.

use crate::Failure;
use memchr::memmem;

/// No head is longer.
const MOST: usize = 16 << 10;

/// Finds answers in what is received, in whatever pieces that is.
#[derive(Default)]
pub(super) struct Answers {
    /// The beginning of an answer whose end has not come yet.
    kept: Vec<u8>,
}

impl Answers {
    /// Takes what was received and gives each body that is complete to `check`; how many there were.
    pub(super) fn feed(
        &mut self,
        data: &[u8],
        mut check: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<usize, Failure> {
        if self.kept.is_empty() {
            let (used, count) = each(data, &mut check)?;
            self.kept.extend_from_slice(&data[used..]);
            return Ok(count);
        }
        self.kept.extend_from_slice(data);
        let (used, count) = each(&self.kept, &mut check)?;
        self.kept.drain(..used);
        Ok(count)
    }

    /// Whether no answer has begun.
    pub(super) fn is_between(&self) -> bool {
        self.kept.is_empty()
    }

    /// Forgets what there is of an answer.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }
}

/// The bytes of the whole answers at the beginning of `data`, and how many they are.
fn each(
    data: &[u8],
    check: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(usize, usize), Failure> {
    let (mut used, mut count) = (0, 0);
    while let Some((head, length)) = head(&data[used..])? {
        let start = used + head;
        let Some(body) = data.get(start..start + length) else {
            break;
        };
        check(body)?;
        (used, count) = (start + length, count + 1);
    }
    Ok((used, count))
}

/// The lengths of the head that `data` begins with and of the body that follows it; `None` when the head is not complete.
fn head(data: &[u8]) -> Result<Option<(usize, usize)>, Failure> {
    let Some(end) = memmem::find(data, b"\r\n\r\n") else {
        return match data.len() {
            0..MOST => Ok(None),
            _ => Err("the head of an answer does not end".into()),
        };
    };
    let mut lines = data[..end].split(|byte| *byte == b'\n');
    let status = lines.next().unwrap_or_default();
    if !status.starts_with(b"HTTP/1.1 200 ") {
        return Err(format!("answered with `{}`", String::from_utf8_lossy(status).trim_end()).into());
    }
    let mut length = None;
    for line in lines {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (
            halves.next().unwrap_or_default(),
            halves.next().unwrap_or_default(),
        );
        if name.eq_ignore_ascii_case(b"content-length") {
            let value = str::from_utf8(value)
                .ok()
                .and_then(|value| value.trim().parse().ok());
            length = Some(value.ok_or("an answer has a content-length that is no number")?);
        }
    }
    let length: usize = length.ok_or("an answer has no content-length")?;
    Ok(Some((end + 4, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 \r\na: b\r\ncontent-length:3\r\n\r\ntwo";

    fn bodies(pieces: &[&[u8]]) -> Vec<String> {
        let mut answers = Answers::default();
        let mut bodies = Vec::new();
        let mut count = 0;
        for piece in pieces {
            let fed = answers.feed(piece, |body| {
                bodies.push(String::from_utf8_lossy(body).into_owned());
                Ok(())
            });
            count += fed.expect("answers");
        }
        assert_eq!(count, bodies.len());
        assert!(answers.is_between());
        bodies
    }

    #[test]
    fn answers_are_found_in_any_pieces() {
        assert_eq!(bodies(&[TWO]), ["one", "two"]);
        for at in 0..TWO.len() {
            assert_eq!(bodies(&[&TWO[..at], &TWO[at..]]), ["one", "two"], "cut at {at}");
        }
        let bytes: Vec<&[u8]> = TWO.chunks(1).collect();
        assert_eq!(bodies(&bytes), ["one", "two"]);
    }

    #[test]
    fn anything_else_is_an_error() {
        let says = |text: &str, why: &str| {
            let error = Answers::default()
                .feed(text.as_bytes(), |_| Ok(()))
                .expect_err("no answer");
            assert!(error.to_string().contains(why), "{error}");
        };
        says(
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found",
        );
        says(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "no content-length",
        );
        says("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "no number");
        says(&"x".repeat(MOST), "does not end");
        assert!(Answers::default().feed(TWO, |_| Err("other".into())).is_err());
    }
}

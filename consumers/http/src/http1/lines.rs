//! Finding the end of a head.

use crate::limits::Limits;
use crate::reject::Reject;
use memchr::memchr;

/// How far the lines of a head have been found. Bytes are looked at once, however they come.
pub(super) struct Lines {
    /// Bytes before this have been looked at.
    scanned: usize,
    /// Where the current line begins.
    start: usize,
    /// Lines that are complete, without the empty one.
    count: usize,
    /// The length of the first line, without its CRLF.
    first: usize,
}

impl Lines {
    pub(super) fn new() -> Lines {
        Lines {
            scanned: 0,
            start: 0,
            count: 0,
            first: 0,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.scanned > 0
    }

    /// The length of the request line.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// How many field lines there are.
    pub(super) fn fields(&self) -> usize {
        self.count - 1
    }

    /// Where the head ends, behind its empty line, if that is there. `data` begins with the head.
    pub(super) fn find_end(&mut self, data: &[u8], limits: &Limits) -> Result<Option<usize>, Reject> {
        while let Some(end) = find_lf(data, self.scanned) {
            // What is too long is refused for that, whether or not its end is there.
            self.scanned = end;
            self.check(limits)?;
            self.scanned = end + 1;
            if end == self.start || data[end - 1] != b'\r' {
                return Err(Reject::BareLf);
            }
            let length = end - 1 - self.start;
            if length == 0 {
                // All of it counts, the empty line too.
                return if end < limits.head {
                    Ok(Some(end + 1))
                } else {
                    Err(Reject::HeadTooLarge)
                };
            }
            self.count += 1;
            if self.count == 1 {
                self.first = length;
            }
            self.start = end + 1;
            self.check(limits)?;
        }
        self.scanned = data.len();
        self.check(limits)?;
        Ok(None)
    }

    #[inline]
    fn check(&self, limits: &Limits) -> Result<(), Reject> {
        let line = if self.count == 0 {
            self.scanned.saturating_sub(1)
        } else {
            self.first
        };
        if line > limits.request_line {
            Err(Reject::LineTooLong)
        } else if self.scanned > limits.head || self.count > limits.fields + 1 {
            Err(Reject::HeadTooLarge)
        } else {
            Ok(())
        }
    }
}

/// Where the next line feed is, from `from` on. Most lines are shorter than what makes a call of `memchr` worth its while.
#[inline]
fn find_lf(data: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const SHORT: usize = 64;
    let mut at = from;
    while at < from + SHORT
        && let Some(word) = data.get(at..).and_then(|rest| rest.first_chunk())
    {
        // A byte of `odd` is 0 where there is a line feed; the lowest bit that is left marks the first of them.
        let odd = u64::from_le_bytes(*word) ^ (ONES * u64::from(b'\n'));
        let marks = odd.wrapping_sub(ONES) & !odd & (ONES << 7);
        if marks != 0 {
            return Some(at + (marks.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    memchr(b'\n', &data[at..]).map(|place| at + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_feeds_are_found_wherever_they_are() {
        for length in 0..100 {
            for place in 0..length {
                let mut data = vec![b'\n' ^ 1; length];
                data[place] = b'\n';
                for from in 0..=length {
                    let expected = (place >= from).then_some(place);
                    assert_eq!(find_lf(&data, from), expected, "{length} {place} {from}");
                }
                data[place..].fill(b'\n');
                assert_eq!(find_lf(&data, 0), Some(place), "the first of several");
            }
        }
    }

    /// However a head comes, each byte is looked at once: that is what makes it linear.
    #[test]
    fn what_was_looked_at_is_not_looked_at_again() {
        let head = b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n";
        let mut lines = Lines::new();
        for end in 1..head.len() {
            assert_eq!(lines.find_end(&head[..end], &Limits::default()), Ok(None));
            assert_eq!(lines.scanned, end);
        }
        // What stands before that place does not matter any more.
        let mut changed = *head;
        changed[..head.len() - 4].fill(b'\n');
        assert_eq!(lines.find_end(&changed, &Limits::default()), Ok(Some(head.len())));
        assert_eq!((lines.first(), lines.fields()), (14, 2));
    }
}

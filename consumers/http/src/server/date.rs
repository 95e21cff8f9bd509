//! The value of `Date`, made once a second.

use httpdate::HttpDate;
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where the date comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// The loop's own time, from this date on: in a simulation, so that it repeats.
    Since(SystemTime),
}

/// What stands before the date.
const OK: &str = "HTTP/1.1 200 OK\r\ndate: ";

/// How long a date is: it is always the same.
const LENGTH: usize = "Sun, 06 Nov 1994 08:49:37 GMT".len();

/// The current date as text (IMF-fixdate, RFC 9110 section 5.6.7).
#[derive(Debug)]
pub(crate) struct Date {
    clock: Clock,
    /// The status line and `Date` of an answer of status 200.
    ok: String,
    /// When the text was made first.
    start: Option<Instant>,
    /// When it is out of date.
    until: Option<Instant>,
}

impl Date {
    pub(crate) fn new(clock: Clock) -> Date {
        Date {
            clock,
            ok: String::new(),
            start: None,
            until: None,
        }
    }

    /// Brings it up to date.
    #[inline]
    pub(crate) fn refresh(&mut self, now: Instant) {
        if self.until.is_none_or(|until| now >= until) {
            self.make(now);
        }
    }

    fn make(&mut self, now: Instant) {
        let start = *self.start.get_or_insert(now);
        let wall = match self.clock {
            Clock::System => SystemTime::now(),
            Clock::Since(date) => date + now.saturating_duration_since(start),
        };
        self.ok.clear();
        let _ = write!(self.ok, "{OK}{}\r\n", HttpDate::from(wall));
        let past = wall
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos());
        self.until = Some(now + Duration::from_nanos(1_000_000_000 - u64::from(past)));
    }

    /// The date.
    pub(crate) fn text(&self) -> &[u8] {
        self.ok
            .as_bytes()
            .get(OK.len()..OK.len() + LENGTH)
            .unwrap_or_default()
    }

    /// The status line and `Date` of an answer of status 200, which are most.
    #[inline]
    pub(crate) fn ok(&self) -> &[u8] {
        self.ok.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_changes_with_the_second_and_not_before() {
        let epoch = UNIX_EPOCH + Duration::from_millis(784_111_777_400);
        let mut date = Date::new(Clock::Since(epoch));
        let start = Instant::now();
        let mut at = |millis| {
            date.refresh(start + Duration::from_millis(millis));
            String::from_utf8_lossy(date.text()).into_owned()
        };
        assert_eq!(at(0), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(599), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(600), "Sun, 06 Nov 1994 08:49:38 GMT");
        assert_eq!(at(61_000), "Sun, 06 Nov 1994 08:50:38 GMT");
    }
}

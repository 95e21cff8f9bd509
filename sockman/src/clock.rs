//! The time of day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where the time of day comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// From the operating system.
    System,
    /// It was `unix`, in seconds, at `at`, and goes as the loop's clock: for the simulation.
    Virtual {
        /// Unix seconds.
        unix: u64,
        /// When it was that late.
        at: Instant,
    },
}

impl Clock {
    /// A time at which a loop may begin.
    pub fn begin(&self) -> Instant {
        match self {
            Clock::System => Instant::now(),
            Clock::Virtual { at, .. } => *at,
        }
    }

    /// Unix seconds at `now`, which is the present. A system's clock that is before 1970 tells 0.
    pub fn unix(&self, now: Instant) -> u64 {
        let since_1970 = match self {
            Clock::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Clock::Virtual { unix, at } => Duration::from_secs(*unix) + now.saturating_duration_since(*at),
        };
        since_1970.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_goes_as_the_loop() {
        let at = Instant::now();
        let clock = Clock::Virtual { unix: 1_000, at };
        assert_eq!(clock.begin(), at);
        assert_eq!(clock.unix(at), 1_000);
        assert_eq!(clock.unix(at + Duration::from_millis(1_999)), 1_001);
    }
}

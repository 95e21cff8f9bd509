//! When an injected fault happens.

/// At which of its opportunities, counted from 0, a fault happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// At none.
    #[default]
    Never,
    /// At one.
    At(u64),
    /// At this one and all that follow.
    From(u64),
    /// At the first so many.
    First(u64),
    /// At the last of every so many.
    Every(u64),
    /// At one of so many, by chance.
    OneIn(u64),
}

impl When {
    /// Whether it happens at the opportunity of this number; `random` is asked where chance decides.
    #[inline]
    pub(crate) fn hits(self, number: u64, random: impl FnOnce() -> u64) -> bool {
        match self {
            When::Never => false,
            When::At(at) => number == at,
            When::From(from) => number >= from,
            When::First(count) => number < count,
            When::Every(count) => count > 0 && number % count == count - 1,
            // The part of all numbers that is below 1/count; without a division.
            When::OneIn(count) => count > 0 && (u128::from(random()) * u128::from(count)) >> 64 == 0,
        }
    }
}

/// The finisher of Steele and Vigna's `SplitMix64`: every bit of the result depends on every bit of `word`.
#[inline]
pub(crate) fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// The step between two numbers that [`mix`] is to turn into independent ones.
pub(crate) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

//! Which connection comes next, the same in each run.

/// Numbers that follow from a seed (xorshift).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next one.
    #[inline]
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The high half times the end, so that no division is timed.
        (((self.0 >> 32) * end as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_stay_below_their_end() {
        let mut random = Random(7);
        assert!((0..1000).all(|_| random.below(3) < 3));
    }
}

//! Random numbers.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{CryptoRng, Error, RngCore, SeedableRng};

/// The random numbers of handshakes, from a seed: with the same one a simulation replays byte for byte.
pub struct Chance(ChaCha20Rng);

impl Chance {
    /// Two servers must not have the same seed, and nobody may know it.
    pub fn new(seed: [u8; 32]) -> Chance {
        Chance(ChaCha20Rng::from_seed(seed))
    }
}

impl RngCore for Chance {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.0.try_fill_bytes(out)
    }
}

impl CryptoRng for Chance {}

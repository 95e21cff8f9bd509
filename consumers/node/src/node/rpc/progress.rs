//! How much of the chain is there, by its transactions.

use crate::node::json::Real;
use bitcoin::Network;

/// What is known of a network's transactions (Core's `ChainTxData`, of version 31).
struct Known {
    /// When it was known, in Unix seconds.
    time: f64,
    /// How many there had been.
    txs: f64,
    /// How many there are in a second.
    rate: f64,
}

fn known(network: Network) -> Known {
    let (time, txs, rate) = match network {
        Network::Bitcoin => (1_772_055_173.0, 1_315_805_869.0, 5.401_110_064_961_22),
        Network::Testnet4 => (1_772_013_387.0, 14_191_421.0, 0.018_485_795_795_284_12),
        Network::Signet => (1_772_055_248.0, 28_676_833.0, 0.067_366_234_363_389_29),
        Network::Testnet | Network::Regtest => (0.0, 0.0, 0.001),
    };
    Known { time, txs, rate }
}

/// How far the chain is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Far {
    /// Its transactions.
    pub(super) txs: u64,
    /// The time of its last block, in Unix seconds.
    pub(super) time: u32,
    /// Headers whose blocks are still to come.
    pub(super) missing: u32,
    /// Seconds that there should be between two blocks.
    pub(super) spacing: u32,
}

/// How much of the chain is there, from 0 to 1, as it can be guessed (Core's `GuessVerificationProgress`). `now`: in Unix seconds.
pub(super) fn verification_progress(network: Network, far: Far, now: u64) -> Real {
    /// A chain whose last block is no older, or younger, than so many seconds is judged by its headers.
    const RECENT: f64 = 2.0 * 60.0 * 60.0;

    let Known {
        time: then,
        txs: before,
        rate,
    } = known(network);
    let (txs, now, time) = (far.txs as f64, now as f64, f64::from(far.time));
    let all = if txs <= before {
        before + (now - then) * rate
    } else {
        let behind = if (now - time).abs() <= RECENT {
            f64::from(far.missing) * f64::from(far.spacing)
        } else {
            now - time
        };
        txs + behind * rate
    };
    // A clock that is behind makes it no more than all of it.
    Real((txs / all).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(network: Network, txs: u64, time: u32, missing: u32, now: u64) -> f64 {
        let spacing = 600;
        let far = Far {
            txs,
            time,
            missing,
            spacing,
        };
        verification_progress(network, far, now).0
    }

    #[test]
    fn by_what_was_known() {
        // At the time that it was known, the chain was so long.
        let half = at(Network::Bitcoin, 657_902_934, 1_500_000_000, 0, 1_772_055_173);
        assert!((half - 0.5).abs() < 1e-8, "{half}");
    }

    #[test]
    fn by_what_is_there() {
        // 1,000 transactions, and 10,000 seconds for ten more.
        let after = at(Network::Regtest, 1_000, 50_000, 7, 60_000);
        assert!((after - 1_000.0 / 1_010.0).abs() < 1e-12, "{after}");
        // Recent: by what its headers promise.
        for now in [55_000, 45_000] {
            let recent = at(Network::Regtest, 1_000, 50_000, 5, now);
            assert!((recent - 1_000.0 / 1_003.0).abs() < 1e-12, "{now}: {recent}");
            let whole = at(Network::Regtest, 1_000, 50_000, 0, now);
            assert!((whole - 1.0).abs() < f64::EPSILON, "{now}: {whole}");
        }
        let behind = at(Network::Regtest, 1_000, 50_000, 0, 0);
        assert!(
            (behind - 1.0).abs() < f64::EPSILON,
            "a clock that is far behind: {behind}"
        );
    }
}

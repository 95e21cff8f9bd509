//! How much of the chain is there, by its transactions.

use crate::node::json::Real;
use bitcoin::Network;

/// What is known of a network's transactions (Core's `ChainTxData`, of version 28).
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
        Network::Bitcoin => (1_723_649_144.0, 1_059_312_821.0, 6.721_086_701_157_182),
        Network::Testnet4 => (1_723_651_702.0, 757_229.0, 0.015_704_026_334_724_92),
        Network::Signet => (1_723_655_233.0, 5_507_045.0, 0.062_710_732_772_614_94),
        Network::Testnet | Network::Regtest => (0.0, 0.0, 0.001),
    };
    Known { time, txs, rate }
}

/// How much of the chain is there, from 0 to 1, as it can be guessed (Core's `GuessVerificationProgress`): `txs` transactions up
/// to a block of this `time`, of as many as there should be by `now`. Times are in Unix seconds.
pub(super) fn verification_progress(network: Network, txs: u64, time: u32, now: u64) -> Real {
    let Known {
        time: then,
        txs: before,
        rate,
    } = known(network);
    let (txs, now) = (txs as f64, now as f64);
    let all = if txs <= before {
        before + (now - then) * rate
    } else {
        txs + (now - f64::from(time)) * rate
    };
    // A clock that is behind makes it no more than all of it.
    Real((txs / all).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_what_was_known_or_by_what_is_there() {
        let at = |network, txs, time, now| verification_progress(network, txs, time, now).0;
        // At the time that it was known, the chain was so long.
        let half = at(Network::Bitcoin, 529_656_410, 1_500_000_000, 1_723_649_144);
        assert!((half - 0.5).abs() < 1e-8, "{half}");
        // 1,000 transactions, and 1,000 seconds for one more.
        let after = at(Network::Regtest, 1_000, 5_000, 6_000);
        assert!((after - 1_000.0 / 1_001.0).abs() < 1e-12, "{after}");
        for now in [0, 4_000, 5_000] {
            let whole = at(Network::Regtest, 1_000, 5_000, now);
            assert!((whole - 1.0).abs() < f64::EPSILON, "{now}: {whole}");
        }
    }
}

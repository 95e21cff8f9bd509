//! The place of the next block.

use bitcoin::block::Version;
use sockman_p2p::chain::{Id, Slot, Tree, slot, subsidy};
use sockman_sv2::Basis;
use std::time::Duration;

/// The place of a block on top of `parent`, as it is at this time in Unix seconds; and after how long it is another one, if it is: on
/// test networks a block that comes late may be of least difficulty.
pub(super) fn basis(tree: &Tree, parent: Id, now: u64) -> (Basis, Option<Duration>) {
    let (params, over) = (tree.params(), tree.entry(parent));
    let Slot {
        height,
        least_time,
        time,
        bits,
        segwit,
    } = slot(tree, parent, now);
    let late = over.header.time.saturating_add(2 * params.pow_spacing + 1);
    let changes = time < late && tree.next_bits(parent, late) != bits;
    let basis = Basis {
        prev_hash: over.hash,
        height,
        version: Version::NO_SOFT_FORK_SIGNALLING.to_consensus().cast_unsigned(),
        bits,
        least_time,
        subsidy: subsidy(params, height).to_sat(),
        segwit,
    };
    let until = Duration::from_secs(u64::from(late).saturating_sub(now));
    (basis, changes.then_some(until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Network;
    use sockman_p2p::chain::Params;

    #[test]
    fn on_a_test_network_a_late_block_is_easy() {
        let easy = Params::of(Network::Testnet4).pow_limit.to_compact_lossy();
        // Its genesis is of least difficulty already.
        let mut params = Params::of(Network::Testnet4);
        params.genesis.header.bits = bitcoin::CompactTarget::from_consensus(0x1c00_ffff);
        let tree = Tree::new(params);
        let time = u64::from(tree.entry(Id::GENESIS).header.time);
        let (in_time, until) = basis(&tree, Id::GENESIS, time + 1_000);
        assert_eq!(in_time.bits.to_consensus(), 0x1c00_ffff);
        assert_eq!(until, Some(Duration::from_secs(201)));
        let (last, until) = basis(&tree, Id::GENESIS, time + 1_200);
        assert_eq!((last.bits, until), (in_time.bits, Some(Duration::from_secs(1))));
        let (late, until) = basis(&tree, Id::GENESIS, time + 1_201);
        assert_eq!((late.bits, until), (easy, None));
    }

    #[test]
    fn elsewhere_it_stays_as_it_is() {
        for network in [Network::Bitcoin, Network::Regtest, Network::Signet] {
            let tree = Tree::new(Params::of(network));
            let genesis = tree.entry(Id::GENESIS);
            let (basis, until) = basis(&tree, Id::GENESIS, u64::from(genesis.header.time));
            assert_eq!((basis.prev_hash, basis.height, until), (genesis.hash, 1, None));
            assert_eq!((basis.bits, basis.version), (genesis.header.bits, 0x2000_0000));
            assert_eq!(basis.least_time, genesis.header.time + 1);
            assert_eq!(
                (basis.subsidy, basis.segwit),
                (5_000_000_000, network != Network::Bitcoin)
            );
        }
    }
}

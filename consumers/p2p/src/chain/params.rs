//! What sets one network apart from another.

use bitcoin::blockdata::constants::genesis_block;
use bitcoin::{Block, Network, Target, Work};

/// The rules of a network, and how it is found.
///
/// The values are Bitcoin Core's (`kernel/chainparams.cpp`). They are all public, so that a test can have a network with rules of
/// its own; [`Params::of`] gives those that exist.
#[derive(Clone, Debug)]
pub struct Params {
    /// Which network it is.
    pub network: Network,
    /// The four bytes that every message on the wire begins with.
    pub magic: [u8; 4],
    /// The TCP port that its nodes listen on.
    pub default_port: u16,
    /// The TCP port of Core's JSON-RPC.
    pub rpc_port: u16,
    /// The first block.
    pub genesis: Block,
    /// The greatest target that a block may have: the least difficulty.
    pub pow_limit: Target,
    /// Seconds that there should be between blocks.
    pub pow_spacing: u32,
    /// Seconds that a period of one difficulty should last.
    pub pow_timespan: u32,
    /// Whether difficulty is set anew with every period.
    pub retarget: bool,
    /// Whether a block that comes more than twice `pow_spacing` after its parent must be of least difficulty.
    pub min_difficulty: bool,
    /// Whether the rules of BIP 94 hold: the next difficulty follows from the first block of a period, and no period begins long
    /// before the last one ended.
    pub bip94: bool,
    /// The first height at which a coinbase must begin with its height (BIP 34), and blocks are of version 2 or above.
    pub bip34_height: u32,
    /// The first height at which blocks are of version 4 or above (BIP 65).
    pub bip65_height: u32,
    /// The first height at which blocks are of version 3 or above (BIP 66).
    pub bip66_height: u32,
    /// The first height at which lock times are compared with the median of times (BIP 113).
    pub csv_height: u32,
    /// The first height at which a block may have witnesses (BIP 141).
    pub segwit_height: u32,
    /// Blocks after which the subsidy is halved.
    pub halving_interval: u32,
    /// The work of a chain that is not to be taken for an attempt to deceive: what the network's own had when this was written.
    pub minimum_work: Work,
}

impl Params {
    /// Those of `network`.
    pub fn of(network: Network) -> Params {
        let params = Params {
            network,
            magic: network.magic().to_bytes(),
            default_port: 8333,
            rpc_port: 8332,
            genesis: genesis_block(network),
            pow_limit: Target::MAX_ATTAINABLE_MAINNET,
            pow_spacing: 10 * 60,
            pow_timespan: 14 * 24 * 60 * 60,
            retarget: true,
            min_difficulty: false,
            bip94: false,
            bip34_height: 1,
            bip65_height: 1,
            bip66_height: 1,
            csv_height: 1,
            segwit_height: 1,
            halving_interval: 210_000,
            minimum_work: work(0),
        };
        match network {
            Network::Bitcoin => Params {
                bip34_height: 227_931,
                bip65_height: 388_381,
                bip66_height: 363_725,
                csv_height: 419_328,
                segwit_height: 481_824,
                minimum_work: work(0x0001_1287_50f8_2f4c_3661_53a3_a030),
                ..params
            },
            Network::Testnet => Params {
                default_port: 18333,
                rpc_port: 18332,
                pow_limit: Target::MAX_ATTAINABLE_TESTNET,
                min_difficulty: true,
                bip34_height: 21_111,
                bip65_height: 581_885,
                bip66_height: 330_776,
                csv_height: 770_112,
                segwit_height: 834_624,
                minimum_work: work(0x17dd_e1c6_49f3_708d_14b6),
                ..params
            },
            Network::Testnet4 => Params {
                default_port: 48333,
                rpc_port: 48332,
                pow_limit: Target::MAX_ATTAINABLE_TESTNET,
                min_difficulty: true,
                bip94: true,
                minimum_work: work(0x09a0_fe15_d017_7d08_6304),
                ..params
            },
            Network::Signet => Params {
                default_port: 38333,
                rpc_port: 38332,
                pow_limit: Target::MAX_ATTAINABLE_SIGNET,
                minimum_work: work(0x0b46_3ea0_a4b8),
                ..params
            },
            Network::Regtest => Params {
                default_port: 18444,
                rpc_port: 18443,
                pow_limit: Target::MAX_ATTAINABLE_REGTEST,
                pow_timespan: 24 * 60 * 60,
                retarget: false,
                min_difficulty: true,
                segwit_height: 0,
                halving_interval: 150,
                ..params
            },
        }
    }

    /// Blocks in a period of one difficulty.
    pub fn retarget_interval(&self) -> u32 {
        (self.pow_timespan / self.pow_spacing.max(1)).max(1)
    }
}

fn work(value: u128) -> Work {
    let mut bytes = [0; 32];
    bytes[16..].copy_from_slice(&value.to_be_bytes());
    Work::from_be_bytes(bytes)
}

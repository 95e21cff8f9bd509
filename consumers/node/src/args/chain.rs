//! The command lines of `sockman chain-gen` and `sockman chain-import`.

use super::node::data::DataArgs;
use super::node::store::StoreArgs;
use super::values::{Seconds, positive};
use sockman_p2p::chain::generate::GenerateOptions;
use std::path::PathBuf;
use std::time::Duration;

fn default() -> GenerateOptions {
    GenerateOptions::default()
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GenArgs {
    /// Blocks on top of the genesis block.
    #[arg(long, value_name = "N")]
    blocks: u32,
    /// Transactions of a block besides its coinbase, from height 101 on, if there is room for so many.
    #[arg(long, value_name = "M", default_value_t = default().txs)]
    txs: u32,
    /// What sets this chain apart from others that are alike.
    #[arg(long, value_name = "S", default_value_t = default().seed)]
    seed: u64,
    /// Where to write it, as Core's `blk*.dat`: it can be given to `sockman chain-import` and to Core's `-loadblock`.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Spend P2SH and not P2WSH: full blocks have a million bytes then, and otherwise up to four.
    #[arg(long)]
    no_witness: bool,
    /// Blocks, evenly spread from height 101 on, that are filled up to --max-weight.
    #[arg(long, value_name = "N", default_value_t = default().full)]
    full: u32,
    /// What full blocks weigh, and others at most, in weight units: from 100000 to 4000000.
    #[arg(long, value_name = "N", default_value_t = default().max_weight, value_parser = weight)]
    max_weight: usize,
    /// The time from which --step is counted, in seconds since 1970.
    #[arg(long, value_name = "TIME", default_value_t = default().start)]
    start: u32,
    /// Seconds from one block to the next.
    #[arg(long, value_name = "SECS", default_value_t = default().step)]
    step: u32,
}

fn weight(text: &str) -> Result<usize, String> {
    let weight: usize = text
        .parse()
        .map_err(|_| "not a number of weight units".to_owned())?;
    if (100_000..=4_000_000).contains(&weight) {
        Ok(weight)
    } else {
        Err("not between 100000 and 4000000".to_owned())
    }
}

impl GenArgs {
    pub(crate) fn options(&self) -> GenerateOptions {
        GenerateOptions {
            blocks: self.blocks,
            txs: self.txs,
            seed: self.seed,
            full: self.full,
            witness: !self.no_witness,
            max_weight: self.max_weight,
            start: self.start,
            step: self.step,
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// How many seconds apart the lines are that tell how far it is, where there is no terminal for a bar.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(Duration::from_secs(10)))]
    progress_every: Seconds,
    /// Files as Core's `blk*.dat`, or directories of such, whose `xor.dat` is heeded. The blocks may be in any order.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

impl ImportArgs {
    pub(crate) fn progress_every(&self) -> Duration {
        self.progress_every.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser;

    type Set = fn(&mut GenerateOptions);

    fn options(more: &[&str]) -> GenerateOptions {
        let start = ["sockman", "chain-gen", "--blocks", "3", "--out", "x"];
        match Args::parse_from(start.iter().chain(more)).command {
            Command::ChainGen(args) => args.options(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_set_what_they_say() {
        let like = GenerateOptions {
            blocks: 3,
            ..default()
        };
        assert_eq!(options(&[]), like);
        let cases: [(&[&str], Set); 7] = [
            (&["--txs", "5"], |to| to.txs = 5),
            (&["--seed", "5"], |to| to.seed = 5),
            (&["--no-witness"], |to| to.witness = false),
            (&["--full", "5"], |to| to.full = 5),
            (&["--max-weight", "200000"], |to| to.max_weight = 200_000),
            (&["--start", "5"], |to| to.start = 5),
            (&["--step", "5"], |to| to.step = 5),
        ];
        for (flags, set) in cases {
            let mut expected = like;
            set(&mut expected);
            assert_eq!(options(flags), expected, "{flags:?}");
        }
    }

    #[test]
    fn a_block_has_its_bounds() {
        assert_eq!(weight("100000"), Ok(100_000));
        assert_eq!(weight("4000000"), Ok(4_000_000));
        for bad in ["99999", "4000001", "x", ""] {
            assert!(weight(bad).is_err(), "{bad}");
        }
    }
}

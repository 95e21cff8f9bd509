//! `sockman chain-gen`

use super::print;
use crate::args::chain::GenArgs;
use crate::failure::Failure;
use crate::progress::{Progress, Sample};
use bitcoin::{Network, consensus};
use sockman_p2p::chain::generate::Generator;
use sockman_p2p::chain::{Params, peek_header};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

/// Makes the chain, and writes it.
pub(crate) fn run(args: &GenArgs) -> Result<(), Failure> {
    let path = args.out.display();
    let file = File::create(&args.out).map_err(Failure::system(format!("make {path}")))?;
    let is_file = file.metadata().is_ok_and(|about| about.is_file());
    match write(args, file) {
        Ok(written) => print(&format!("{written}\n")),
        Err(why) => {
            if is_file {
                // A part of a chain under its name could be taken for all of it.
                let _ = fs::remove_file(&args.out);
            }
            Err(Failure::system(format!("write {path}"))(why))
        }
    }
}

/// Writes genesis and all blocks as Core's files have them: the magic, the length, the block. Tells what was written.
fn write(args: &GenArgs, file: File) -> io::Result<String> {
    let mut to = BufWriter::with_capacity(1 << 20, file);
    let params = Params::of(Network::Regtest);
    let generator = Generator::new(args.options());
    let all = generator.len() as u64;
    let mut progress = Progress::new(Duration::from_secs(10));
    let (mut bytes, mut tip) = (0, params.genesis.block_hash());
    let genesis = consensus::serialize(&params.genesis);
    for (height, block) in std::iter::once(genesis).chain(generator).enumerate() {
        let length = u32::try_from(block.len()).map_err(io::Error::other)?;
        to.write_all(&params.magic)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(&block)?;
        bytes += 8 + block.len() as u64;
        (_, tip) = peek_header(&block).map_err(io::Error::other)?;
        progress.show(
            Instant::now(),
            Sample {
                blocks: height as u64,
                all_blocks: Some(all),
                bytes,
                ..Sample::default()
            },
        );
    }
    to.flush()?;
    let path = args.out.display();
    Ok(format!(
        "{all} blocks and genesis, {bytes} bytes, up to {tip} in {path}"
    ))
}

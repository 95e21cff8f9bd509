//! `sockman chain-gen`

use super::print;
use crate::args::chain::GenArgs;
use crate::failure::Failure;
use crate::progress::{Progress, Sample};
use bitcoin::{Network, consensus};
use sockman_p2p::chain::generate::Generator;
use sockman_p2p::chain::{Params, peek_header};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Makes the chain, and writes it: beside what there may be under its name, whose place it takes once it is whole.
pub(crate) fn run(args: &GenArgs) -> Result<(), Failure> {
    let failed = |why| Failure::system(format!("write {}", args.out.display()))(why);
    // What is no file, as a pipe, cannot be replaced.
    if fs::metadata(&args.out).is_ok_and(|about| !about.is_file()) {
        let file = OpenOptions::new().write(true).open(&args.out).map_err(failed)?;
        let (_, written) = write(args, file).map_err(failed)?;
        return print(&written);
    }
    let mut part = args.out.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let file = File::create(&part).map_err(Failure::system(format!("make {}", args.out.display())))?;
    let written = write(args, file).and_then(|(file, written)| {
        file.sync_all()?;
        fs::rename(&part, &args.out)?;
        Ok(written)
    });
    match written {
        Ok(written) => print(&written),
        Err(why) => {
            // It is of no use, and may be large.
            let _ = fs::remove_file(&part);
            Err(failed(why))
        }
    }
}

/// Writes genesis and all blocks as Core's files have them: the magic, the length, the block. Gives the file back, and tells what
/// was written.
fn write(args: &GenArgs, file: File) -> io::Result<(File, String)> {
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
    let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
    let path = args.out.display();
    let written = format!("{all} blocks and genesis, {bytes} bytes, up to {tip} in {path}\n");
    Ok((file, written))
}

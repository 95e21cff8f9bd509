//! `sockman chain-import`

use super::{node, print, warn};
use crate::args::chain::ImportArgs;
use crate::failure::Failure;
use crate::progress::{Progress, Sample};
use sockman_p2p::Clock;
use sockman_p2p::chain::Params;
use sockman_p2p::state::{AcceptError, Chain, Refused};
use sockman_p2p::store::import::Import;
use sockman_p2p::store::{Disk, Store, directory};
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Blocks, or parts of files, that are told one by one; of more only the number is told.
const TOLD: u64 = 20;

/// What came of the blocks.
#[derive(Default)]
struct Counted {
    taken: u64,
    known: u64,
    refused: u64,
}

/// Reads the files into the data directory.
pub(crate) fn run(args: &ImportArgs) -> Result<(), Failure> {
    let params = Params::of(args.data.network());
    let magic = params.magic;
    let dir = directory(&args.data.datadir()?, params.network);
    node::make(&dir)?;
    // First, so that nobody waits for files to be looked through in vain.
    let (disk, loaded) = Disk::open(&dir, magic, args.store.options())?;
    loaded.notes.iter().for_each(|note| warn(note));
    let import = Import::open(&args.files, magic)?;
    let damaged = import.damaged().len() as u64;
    let mut told = Told::default();
    import.damaged().iter().for_each(|damaged| told.tell(damaged));

    let now = Clock::System.unix(Instant::now());
    let mut chain = Chain::new(params, disk, loaded, now)?;
    let counted = take(&mut chain, import, now, &mut told, args.progress_every());
    told.end();
    // Also if something failed: what was taken is to be there.
    let synced = chain.store_mut().sync();
    let Counted {
        taken,
        known,
        refused,
    } = counted?;
    synced?;
    let tip = chain.entry(chain.tip());
    print(&format!(
        "{taken} blocks were taken, {known} were there, {refused} were refused; height {}, {}\n",
        tip.height, tip.hash
    ))?;
    match refused + damaged {
        0 => Ok(()),
        _ => Err(Failure::Files { refused, damaged }),
    }
}

/// Takes all blocks that can be taken. `every`: how far lines are apart that tell how far it is.
fn take<D: Store>(
    chain: &mut Chain<D>,
    import: Import,
    now: u64,
    told: &mut Told,
    every: Duration,
) -> Result<Counted, Failure> {
    let mut progress = Progress::new(every);
    let mut counted = Counted::default();
    let (all, mut bytes) = (import.len() as u64, 0);
    for (number, imported) in (1..).zip(import) {
        let imported = imported?;
        chain.catch_up();
        match chain.accept_block(&imported.frame, now) {
            Ok(_) => counted.taken += 1,
            Err(AcceptError::Refused(Refused::Duplicate(_))) => counted.known += 1,
            Err(AcceptError::Refused(why)) => {
                counted.refused += 1;
                let (path, offset) = (imported.path.display(), imported.offset);
                told.tell(&format_args!("{path} at {offset}: {why}"));
            }
            Err(AcceptError::Store(why)) => return Err(why.into()),
        }
        bytes += imported.frame.len() as u64;
        progress.show(
            Instant::now(),
            Sample {
                blocks: number,
                all_blocks: Some(all),
                bytes,
                ..Sample::default()
            },
        );
    }
    Ok(counted)
}

/// Tells what is wrong with files, but not without end.
#[derive(Default)]
struct Told(u64);

impl Told {
    fn tell(&mut self, what: &dyn Display) {
        self.0 += 1;
        if self.0 <= TOLD {
            warn(what);
        }
    }

    fn end(&self) {
        if self.0 > TOLD {
            warn(&format_args!("and {} more", self.0 - TOLD));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Network;
    use sockman_p2p::chain::generate::{GenerateOptions, Generator};
    use sockman_p2p::store::Memory;
    use std::fs;

    /// Changes that may wait.
    const QUEUE: usize = 16;

    #[test]
    fn the_index_is_waited_for() {
        let params = Params::of(Network::Regtest);
        let magic = params.magic;
        let blocks = GenerateOptions {
            blocks: 50,
            txs: 0,
            full: 0,
            ..GenerateOptions::default()
        };
        let records = Generator::new(blocks).map(|block| {
            let length = (block.len() as u32).to_le_bytes();
            [&magic[..], &length, &block].concat()
        });
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chain");
        fs::write(&path, records.collect::<Vec<_>>().concat()).unwrap();

        let (store, loaded) = Memory::new(magic).crash(0);
        store.set_slow(Some(QUEUE));
        let now = u64::from(u32::MAX);
        let mut chain = Chain::new(params, store.clone(), loaded, now).unwrap();
        let import = Import::open(&[path], magic).unwrap();
        let counted = take(
            &mut chain,
            import,
            now,
            &mut Told::default(),
            Duration::from_secs(10),
        )
        .unwrap();
        assert_eq!((counted.taken, chain.height()), (50, 50));
        // Of each block there are two: its header, and where it is.
        assert!(store.pending() <= QUEUE + 1, "{}", store.pending());
    }
}

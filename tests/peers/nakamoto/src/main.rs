//! nakamoto's light client as a peer on regtest: syncs the headers of a node's chain, then fetches
//! some of its blocks.
//!
//! `nakamoto-peer HOST:PORT HEIGHT TIP FOLDER` prints "good" at the end.

use nakamoto_client::handle::Handle as _;
use nakamoto_client::{Client, Config, Network};
use std::error::Error;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use std::{env, thread};

type Reactor = nakamoto_net_poll::Reactor<TcpStream>;

/// Far more than anything here takes: it only turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let [_, at, height, tip, folder] = args.as_slice() else {
        return Err("nakamoto-peer HOST:PORT HEIGHT TIP FOLDER".into());
    };
    let at: SocketAddr = at.parse()?;
    let height: u64 = height.parse()?;

    let client = Client::<Reactor>::new()?;
    let mut handle = client.handle();
    handle.set_timeout(PATIENCE);
    let config = Config {
        connect: vec![at],
        listen: Vec::new(),
        root: folder.into(),
        ..Config::new(Network::Regtest)
    };
    let running = thread::spawn(|| client.run(config));

    let found = handle.wait_for_height(height)?;
    if found.to_string() != *tip {
        return Err(format!("{found} at {height}, where {tip} is expected").into());
    }
    // One after the other, though it takes a second for each: its loop panics where it finds two orders when it wakes.
    let blocks = handle.blocks();
    let step = height.div_ceil(8).max(1);
    let mut transactions = 0;
    for height in (1..height).step_by(usize::try_from(step)?).chain([height]) {
        let header = handle.get_block_by_height(height)?.ok_or("a header is missing")?;
        handle.get_block(&header.block_hash())?;
        let (block, at) = blocks.recv_timeout(PATIENCE)?;
        if (at, block.header) != (height, header) || !block.check_merkle_root() {
            return Err(format!("another block at {height}").into());
        }
        transactions += block.txdata.len();
    }
    handle.shutdown()?;
    running.join().map_err(|_| "the client panicked")??;
    println!("good: {height} headers, {transactions} transactions");
    Ok(())
}

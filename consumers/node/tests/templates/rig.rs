//! A node without a network.

pub(crate) use crate::spend::spend;
use bitcoin::consensus::serialize;
use bitcoin::hex::DisplayHex as _;
use bitcoin::{Block, BlockHash, Network, OutPoint, ScriptBuf, Transaction, Txid};
use serde_json::{Value, json};
use sockman_http::rpc::{Access, Dispatcher, Instance, On, Place};
use sockman_node::node::{Context, rpc};
use sockman_node::templates::{Feed, Follower, Running, Templates};
use sockman_p2p::chain::{Params, mine, template};
use sockman_p2p::coins::{Coins, CoinsOptions};
use sockman_p2p::pool::PoolSettings;
use sockman_p2p::state::{Bans, Chain, Handle};
use sockman_p2p::store::Memory;
use sockman_p2p::{Node, Settings};
use sockman_sv2::{Source as _, Work};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a coinbase makes at the heights of these tests.
pub(crate) const SUBSIDY: u64 = 5_000_000_000;

/// A directory, in memory where the system has such.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a directory")
}

/// A node whose templates are not made yet.
pub(crate) struct Resting {
    pub(crate) handle: Handle<Memory>,
    pub(crate) memory: Memory,
    pub(crate) templates: Templates<Memory>,
    follower: Follower<Memory>,
    dispatcher: Dispatcher<Context<Memory>>,
    dir: TempDir,
}

/// A node whose templates are made.
pub(crate) struct World {
    pub(crate) handle: Handle<Memory>,
    pub(crate) memory: Memory,
    pub(crate) templates: Templates<Memory>,
    pub(crate) running: Option<Running<Memory>>,
    pub(crate) feed: Feed,
    dispatcher: Dispatcher<Context<Memory>>,
    woken: Receiver<()>,
    dir: TempDir,
}

/// Whoever can be asked for blocks, and by calls.
pub(crate) trait Asked {
    fn handle(&self) -> &Handle<Memory>;
    fn dispatcher(&self) -> &Dispatcher<Context<Memory>>;

    /// A block on the block with this hash, with these transactions; those with another mark are others.
    fn block(&self, on: BlockHash, txs: Vec<Transaction>, mark: u8) -> Block {
        let now = self.handle().unix();
        let mut block = self.handle().with(|state| {
            let tree = state.chain.tree();
            let parent = tree.find(&on).expect("it is known");
            template(
                tree,
                parent,
                ScriptBuf::from_bytes(vec![0x51; 1 + usize::from(mark)]),
                now,
                txs,
            )
        });
        assert!(mine(&mut block.header, u64::from(u32::MAX)));
        self.handle().submit(&serialize(&block)).expect("it is good");
        block
    }

    /// So many blocks on top, all without transactions.
    fn grow(&self, count: u32) -> Vec<Block> {
        (0..count)
            .map(|_| self.block(self.tip(), Vec::new(), 0))
            .collect()
    }

    fn tip(&self) -> BlockHash {
        self.handle()
            .with(|state| state.chain.entry(state.chain.tip()).hash)
    }

    /// The answer to a call.
    fn ask(&self, method: &str, params: &Value) -> Value {
        let access = Access::everything("test");
        let on = On {
            access: &access,
            wallet: false,
            place: Place::Worker,
        };
        let body = json!({"id": 1, "method": method, "params": params}).to_string();
        let answer = self
            .dispatcher()
            .run(&self.dispatcher().read(body.as_bytes()), on);
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// What a method returns.
    fn call(&self, method: &str, params: &Value) -> Value {
        let mut answer = self.ask(method, params);
        assert_eq!(answer["error"], Value::Null, "{method} {params}");
        answer["result"].take()
    }

    /// The error that a method fails with.
    fn fail(&self, method: &str, params: &Value) -> (i64, String) {
        let answer = self.ask(method, params);
        let error = &answer["error"];
        let code = error["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("{method} {params}: {answer}"));
        (code, error["message"].as_str().expect("a message").to_owned())
    }
}

impl Asked for Resting {
    fn handle(&self) -> &Handle<Memory> {
        &self.handle
    }

    fn dispatcher(&self) -> &Dispatcher<Context<Memory>> {
        &self.dispatcher
    }
}

impl Asked for World {
    fn handle(&self) -> &Handle<Memory> {
        &self.handle
    }

    fn dispatcher(&self) -> &Dispatcher<Context<Memory>> {
        &self.dispatcher
    }
}

fn node(params: Params) -> (Handle<Memory>, Memory) {
    let (memory, loaded) = Memory::new(params.magic).crash(0);
    let chain = Chain::new(params, memory.clone(), loaded, u64::from(u32::MAX)).expect("there is room");
    let node = Node::new(Settings::new([1; 32]), chain, Bans::default());
    (node.handle(), memory)
}

fn dispatcher(handle: &Handle<Memory>, templates: Option<Templates<Memory>>) -> Dispatcher<Context<Memory>> {
    let context = Context::new(handle.clone(), 1, None, templates);
    Dispatcher::new(rpc::methods(), Instance::new("test"), context)
}

/// The answer to a call of a node that has no pool.
pub(crate) fn fail_without_pool(method: &str, params: &Value) -> (i64, String) {
    let mut resting = Resting::new();
    resting.dispatcher = dispatcher(&resting.handle, None);
    resting.fail(method, params)
}

impl Resting {
    pub(crate) fn new() -> Resting {
        Resting::with(PoolSettings::default(), |_| {})
    }

    /// With these limits, and something done to the directory before.
    pub(crate) fn with(settings: PoolSettings, before: impl FnOnce(&Path)) -> Resting {
        Resting::with_index(CoinsOptions::default(), settings, before)
    }

    /// With these limits of the index too.
    pub(crate) fn with_index(
        options: CoinsOptions,
        settings: PoolSettings,
        before: impl FnOnce(&Path),
    ) -> Resting {
        let params = Params::of(Network::Regtest);
        let dir = directory();
        before(dir.path());
        let path = dir.path().join("coins.redb");
        let opened = Coins::open(&path, params.genesis.block_hash(), options);
        let (coins, _) = opened.expect("it opens");
        let (handle, memory) = node(params);
        let (templates, follower) =
            Templates::new(handle.clone(), coins, settings).expect("they can be read");
        Resting {
            dispatcher: dispatcher(&handle, Some(templates.clone())),
            handle,
            memory,
            templates,
            follower,
            dir,
        }
    }

    pub(crate) fn start(self) -> World {
        let (wake, woken) = channel();
        let running = self.follower.start(move || {
            let _ = wake.send(());
        });
        World {
            feed: self.templates.feed(),
            handle: self.handle,
            memory: self.memory,
            templates: self.templates,
            running: Some(running.expect("threads")),
            dispatcher: self.dispatcher,
            woken,
            dir: self.dir,
        }
    }
}

impl World {
    pub(crate) fn new() -> World {
        Resting::new().start()
    }

    /// A node with so many coinbases that can be spent, lowest first.
    pub(crate) fn rich(count: u32) -> (World, Vec<OutPoint>) {
        let resting = Resting::new();
        let blocks = resting.grow(99 + count);
        let coins = blocks.iter().take(count as usize);
        let coins = coins
            .map(|block| OutPoint::new(block.txdata[0].compute_txid(), 0))
            .collect();
        let world = resting.start();
        world.ready();
        (world, coins)
    }

    /// Waits until the coins are those of the last block.
    pub(crate) fn ready(&self) {
        let by = Instant::now() + PATIENCE;
        while self.templates.at().hash != self.tip() {
            assert!(Instant::now() < by, "the coins do not come");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The next other work.
    pub(crate) fn next_work(&self) -> Arc<Work> {
        self.woken.recv_timeout(PATIENCE).expect("other work");
        self.feed.work().expect("there is some")
    }

    /// Waits for such work.
    pub(crate) fn work(&self, is_it: impl Fn(&Work) -> bool) -> Arc<Work> {
        let by = Instant::now() + PATIENCE;
        loop {
            if let Some(work) = self.feed.work().filter(|work| is_it(work)) {
                return work;
            }
            let left = by.saturating_duration_since(Instant::now());
            self.woken.recv_timeout(left).expect("such work");
        }
    }

    /// Waits for work on the last block that has these transactions, and no others.
    pub(crate) fn work_with(&self, txids: &[Txid]) -> Arc<Work> {
        let tip = self.tip();
        self.work(|work| {
            let chosen = work.transactions().iter().map(|tx| tx.txid);
            work.basis().prev_hash == tip && chosen.eq(txids.iter().copied())
        })
    }

    /// Hands in a transaction.
    pub(crate) fn send(&self, tx: &Transaction) {
        let txid = self.call("sendrawtransaction", &json!([hex(tx)]));
        assert_eq!(txid, tx.compute_txid().to_string());
    }

    /// The ids in the pool.
    pub(crate) fn pool(&self) -> Vec<Txid> {
        self.templates.look(|pool| {
            let all = pool.in_order();
            all.iter().map(|entry| entry.transaction().txid).collect()
        })
    }

    /// Where its files are.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Stops it; gives what was told meanwhile.
    pub(crate) fn stop(&mut self) -> Vec<String> {
        self.running = None;
        self.templates.take_notes()
    }
}

pub(crate) fn hex(tx: &Transaction) -> String {
    serialize(tx).to_lower_hex_string()
}

/// The first output of a transaction.
pub(crate) fn first(tx: &Transaction) -> OutPoint {
    OutPoint::new(tx.compute_txid(), 0)
}

//! A provider with a loop on a thread, and work that the test makes.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness, consensus,
};
use sockman_backends::sockman::{Backend, Config, Driver, Endpoint, Remote, SockMan, Stats};
use sockman_sv2::wire::{Authority, Chance};
use sockman_sv2::{Basis, Count, Handle, Provider, Settings, Solution, Source, Transaction, Work};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The target of regtest: every other hash is below it.
pub(crate) const BITS: u32 = 0x207f_ffff;

/// The least time of all blocks: later than the present, so that it is what clients are told.
pub(crate) const TIME: u32 = 4_000_000_000;

/// What blocks may create.
pub(crate) const SUBSIDY: u64 = 5_000_000_000;

/// The first transactions of those that there are: each pays `fee`.
pub(crate) fn transactions(count: u32, fee: u64) -> Vec<Arc<Transaction>> {
    (0..count).map(|number| transaction(number, fee)).collect()
}

fn transaction(number: u32, fee: u64) -> Arc<Transaction> {
    let tx = bitcoin::Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::hash(&number.to_le_bytes()), number),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[vec![7; 71], number.to_be_bytes().to_vec()]),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(u64::from(number) + 1_000),
            script_pubkey: ScriptBuf::from_bytes(vec![0x51; 22]),
        }],
    };
    Arc::new(Transaction {
        bytes: consensus::serialize(&tx).into(),
        txid: tx.compute_txid(),
        wtxid: tx.compute_wtxid(),
        fee,
        weight: u32::try_from(tx.weight().to_wu()).expect("it is small"),
        sigops: 1,
    })
}

/// The hash of the block at a height.
pub(crate) fn block_hash(height: u32) -> BlockHash {
    BlockHash::hash(&height.to_le_bytes())
}

/// Work for the block at a height.
pub(crate) fn work(height: u32, transactions: Vec<Arc<Transaction>>) -> Arc<Work> {
    let basis = Basis {
        prev_hash: block_hash(height - 1),
        height,
        version: 0x2000_0000,
        bits: CompactTarget::from_consensus(BITS),
        least_time: TIME,
        subsidy: SUBSIDY,
        segwit: true,
    };
    Arc::new(Work::new(basis, transactions))
}

/// Where the provider's work comes from.
struct Templates {
    work: Arc<Mutex<Option<Arc<Work>>>>,
    solved: mpsc::Sender<Solution>,
}

impl Source for Templates {
    fn work(&self) -> Option<Arc<Work>> {
        self.work.lock().expect("nobody panics with it").clone()
    }

    fn solved(&mut self, solution: Solution) {
        // A test that is over does not look.
        let _ = self.solved.send(solution);
    }
}

/// What the loop has counted, after each turn.
#[derive(Default)]
struct Seen {
    stats: Mutex<Stats>,
    changed: Condvar,
}

/// A provider.
pub(crate) struct Served {
    pub(crate) at: SocketAddr,
    /// Its authority's public key, as text.
    pub(crate) key: String,
    pub(crate) handle: Handle,
    pub(crate) solved: mpsc::Receiver<Solution>,
    work: Arc<Mutex<Option<Arc<Work>>>>,
    seen: Arc<Seen>,
    remote: Remote,
    thread: Option<JoinHandle<()>>,
}

/// The defaults, with a seed.
pub(crate) fn settings() -> Settings {
    Settings::new([1; 32])
}

impl Served {
    /// One with this work on this backend.
    pub(crate) fn start<B: Backend>(settings: Settings, work: Arc<Work>) -> Served {
        let authority = Authority::generate(&mut Chance::new([2; 32]));
        let key = authority.key().to_string();
        let work = Arc::new(Mutex::new(Some(work)));
        let (solve, solved) = mpsc::channel();
        let seen = Arc::<Seen>::default();
        let (tell, told) = mpsc::channel();
        let (shared, counts) = (work.clone(), seen.clone());
        let thread = thread::spawn(move || {
            let source = Templates {
                work: shared,
                solved: solve,
            };
            let provider = Provider::new(settings, authority, source);
            let mut driver = Driver::<B, _>::new(&Config::default(), provider).expect("a backend");
            let any: Endpoint = "127.0.0.1:0".parse().expect("an address");
            let at = driver.with(|provider, net| provider.listen(net, &any));
            let at = at.expect("a port is free").tcp().expect("it is of TCP");
            tell.send((at, driver.handler().handle(), driver.remote()))
                .expect("the test waits for it");
            while !driver.is_stopped() {
                driver.turn(None).expect("no turn fails");
                let stats = driver.with(|_, net| net.stats().clone());
                *counts.stats.lock().expect("nobody panics with it") = stats;
                counts.changed.notify_all();
            }
        });
        let (at, handle, remote) = told.recv().expect("it listens");
        Served {
            at,
            key,
            handle,
            solved,
            work,
            seen,
            remote,
            thread: Some(thread),
        }
    }

    /// Changes the work, as a node does: from another thread than the loop's.
    pub(crate) fn tell(&self, work: Arc<Work>) {
        *self.work.lock().expect("nobody panics with it") = Some(work);
        self.remote.wake();
    }

    pub(crate) fn count(&self, what: Count) -> u64 {
        self.handle.counters().get(what)
    }

    /// What the loop had counted after its last turn.
    pub(crate) fn stats(&self) -> Stats {
        self.seen.stats.lock().expect("nobody panics with it").clone()
    }

    /// Waits until that is so after a turn.
    #[track_caller]
    pub(crate) fn until(&self, so: impl Fn(&Stats) -> bool) -> Stats {
        let stats = self.seen.stats.lock().expect("nobody panics with it");
        let waited = self
            .seen
            .changed
            .wait_timeout_while(stats, PATIENCE, |stats| !so(stats));
        let (stats, waited) = waited.expect("nobody panics with it");
        assert!(!waited.timed_out(), "it did not come to that: {stats:?}");
        stats.clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.remote.stop(Duration::ZERO);
        if let Some(Err(why)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(why);
        }
    }
}

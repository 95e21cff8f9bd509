//! Three protocols on one loop: what each costs the others.
//!
//! A node downloads a long chain, answers calls of JSON-RPC, and feeds two pools, each alone and all at once. Every client asks, waits
//! for its answer, and asks again a millisecond later.

use crate::killed::{BLOCKS, connect, make_chain};
use crate::measure::spread;
use crate::rig::{Node, Rpc, USER, arguments};
use crate::{on_each_backend, released};
use serde_json::json;
use sockman_sv2::wire::{
    AuthorityKey, Chance, Constraints, Encoder, Initiator, Message, REPLY, Setup, Transport,
};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// How long those ask who are alone.
const ALONE: Duration = Duration::from_secs(1);

/// Between an answer and the next question.
const PAUSE: Duration = Duration::from_millis(1);

/// No answer may take so long, whatever else the node does: blocks are checked between two turns, and machines are slow at times.
const MOST: Duration = Duration::from_secs(5);

/// How long answers took.
type Took = Vec<Duration>;

#[test]
fn three_protocols_share_a_loop() {
    let program = released::program();
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let from = folder.path().join("source");
    let tip = make_chain(&program, folder.path(), &from);
    on_each_backend("together", |backend| {
        let start = |data: &Path| {
            let mut command = Command::new(&program);
            command.env_remove("SOCKMAN_LOG");
            arguments(
                &mut command,
                backend,
                data,
                &[&USER[..], &["--sv2-bind", "127.0.0.1:0"]].concat(),
            );
            Node::spawn(&mut command, backend, data)
        };
        let source = start(&from);
        let download = |node: &Node| {
            connect(node, &source);
            let since = Instant::now();
            node.call("waitforblockheight", &json!([BLOCKS, 120_000]));
            assert_eq!(node.tip(), tip);
            since.elapsed()
        };

        let quiet = start(&folder.path().join(format!("{backend}-alone")));
        let (rpc_alone, _) = ask(&quiet, true, false, || thread::sleep(ALONE));
        let (_, sv2_alone) = ask(&quiet, false, true, || thread::sleep(ALONE));
        let (rpc_both, sv2_both) = ask(&quiet, true, true, || thread::sleep(ALONE));
        let alone = download(&quiet);
        quiet.stop();

        let busy = start(&folder.path().join(format!("{backend}-busy")));
        let mut together = Duration::ZERO;
        let (rpc_all, sv2_all) = ask(&busy, true, true, || together = download(&busy));
        busy.stop();
        source.stop();
        for took in [&rpc_both, &sv2_both, &rpc_all, &sv2_all] {
            assert!(took.iter().all(|took| *took < MOST), "{}", spread(took.clone()));
        }
        let lines = [
            ("JSON-RPC alone", rpc_alone),
            ("JSON-RPC beside two pools", rpc_both),
            ("JSON-RPC beside two pools and a download", rpc_all),
            ("templates alone", sv2_alone),
            ("templates beside JSON-RPC", sv2_both),
            ("templates beside JSON-RPC and a download", sv2_all),
        ];
        let lines = lines.map(|(name, took)| format!("\n    {name:42} {}", spread(took)));
        format!(
            "{:.2} s for the download alone, {:.2} s beside the others{}",
            alone.as_secs_f64(),
            together.as_secs_f64(),
            lines.concat()
        )
    });
}

/// Asks a node by JSON-RPC, and for two pools, while something else is done.
fn ask(node: &Node, rpc: bool, sv2: bool, meanwhile: impl FnOnce()) -> (Took, Took) {
    let over = AtomicBool::new(false);
    let info = node.call("getsv2info", &json!([]));
    let key: AuthorityKey = info["authority_public_key"]
        .as_str()
        .and_then(|key| key.parse().ok())
        .expect("a key");
    // What goes to other threads: the node itself cannot.
    let (calls, at) = (node.rpc(), node.sv2());
    thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let mut client = calls.client();
            again_and_again(rpc, &over, || {
                drop(Rpc::call_on(&mut client, "getblockcount", &json!([])))
            })
        });
        let pools = [1, 2].map(|number| {
            let over = &over;
            scope.spawn(move || {
                let mut pool = sv2.then(|| Pool::new(at, key, number));
                again_and_again(sv2, over, || pool.iter_mut().for_each(Pool::ask))
            })
        });
        meanwhile();
        over.store(true, Ordering::Relaxed);
        let rpc = caller.join().expect("answers");
        let sv2 = pools.map(|pool| pool.join().expect("answers")).concat();
        (rpc, sv2)
    })
}

fn again_and_again(wanted: bool, over: &AtomicBool, mut ask: impl FnMut()) -> Took {
    let mut took = Took::new();
    while wanted && !over.load(Ordering::Relaxed) {
        let since = Instant::now();
        ask();
        took.push(since.elapsed());
        thread::sleep(PAUSE);
    }
    took
}

/// A pool: it wants the transactions of the last template again and again.
struct Pool {
    stream: TcpStream,
    transport: Transport,
    encoder: Encoder,
    unread: Vec<u8>,
    template: u64,
}

impl Pool {
    fn new(at: &str, key: AuthorityKey, number: u8) -> Pool {
        let mut stream = crate::measure::connect(at);
        let (hello, initiator) = Initiator::new(Some(key), &mut Chance::new([number; 32])).expect("a key");
        stream.write_all(&hello).expect("the server reads");
        let mut reply = [0; REPLY];
        stream.read_exact(&mut reply).expect("an answer");
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is after 1970");
        let mut pool = Pool {
            stream,
            transport: initiator.finish(reply, now.as_secs()).expect("a certificate"),
            encoder: Encoder::default(),
            unread: Vec::new(),
            template: 0,
        };
        pool.send(&Message::SetupConnection(Setup::template_distribution("test")));
        assert!(matches!(pool.hear(), Message::SetupConnectionSuccess { .. }));
        pool.send(&Message::CoinbaseOutputConstraints(Constraints {
            size: 100,
            sigops: 4,
        }));
        while pool.template == 0 {
            pool.hear();
        }
        pool
    }

    /// Asks, and waits for the answer; meanwhile there may be other templates.
    fn ask(&mut self) {
        let template = self.template;
        self.send(&Message::RequestTransactionData { template });
        loop {
            match self.hear() {
                Message::RequestTransactionDataSuccess { template: told, .. } => {
                    return assert_eq!(told, template);
                }
                Message::NewTemplate(_) | Message::SetNewPrevHash(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn send(&mut self, message: &Message) {
        let frame = self
            .transport
            .seal(&mut self.encoder, message)
            .expect("it is small");
        self.stream.write_all(&frame).expect("the server reads");
    }

    fn hear(&mut self) -> Message {
        loop {
            let opened = self.transport.open(&self.unread, 16 << 20).expect("it is for us");
            self.unread.drain(..opened.taken);
            if let Some(frame) = opened.frame {
                let message = frame
                    .message()
                    .expect("it can be read")
                    .expect("it is of the protocol");
                if let Message::SetNewPrevHash(prev) = &message {
                    self.template = prev.template;
                }
                return message;
            }
            let mut piece = [0; 16 << 10];
            let read = self.stream.read(&mut piece).expect("an answer");
            assert!(read > 0, "hung up on");
            self.unread.extend_from_slice(&piece[..read]);
        }
    }
}

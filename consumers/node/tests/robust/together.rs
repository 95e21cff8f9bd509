//! Three protocols on one loop: what each costs the others.
//!
//! A node downloads a long chain, answers calls of JSON-RPC, and feeds two pools, each alone and all at once. Every client asks, waits
//! for its answer, and asks again a millisecond later.

use crate::killed::{BLOCKS, connect, make_chain};
use crate::measure::spread;
use crate::rig::{Node, Rpc, USER, arguments};
use crate::sv2::peer::{Data, Peer, request};
use crate::{on_each_backend, released};
use parsers_sv2::TemplateDistribution;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
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
    let key = info["authority_public_key"].as_str().expect("a key");
    // What goes to other threads: the node itself cannot.
    let (calls, at) = (node.rpc(), node.sv2().parse().expect("an address"));
    thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let mut client = calls.client();
            again_and_again(rpc, &over, || {
                drop(Rpc::call_on(&mut client, "getblockcount", &json!([])));
            })
        });
        let pools = [(); 2].map(|()| {
            let over = &over;
            scope.spawn(move || {
                let mut pool = sv2.then(|| Pool::new(at, key));
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
    peer: Peer,
    template: u64,
}

impl Pool {
    fn new(at: SocketAddr, key: &str) -> Pool {
        let mut peer = Peer::ready(at, key);
        let (template, _) = peer.begin();
        let template = template.id;
        Pool { peer, template }
    }

    /// Asks, and waits for the answer; meanwhile there may be other templates.
    fn ask(&mut self) {
        let template = self.template;
        self.peer.say(request(template));
        loop {
            let mut frame = self.peer.hear();
            match frame.templates() {
                TemplateDistribution::NewTemplate(_) => {}
                TemplateDistribution::SetNewPrevHash(prev) => self.template = prev.template_id,
                answer => {
                    Data::of(template, answer).expect("it is not forgotten so soon");
                    return;
                }
            }
        }
    }
}

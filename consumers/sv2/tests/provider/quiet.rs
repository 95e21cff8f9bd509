//! When nothing happens nothing is done, and what happens is decided by what came before.

use crate::raw::{Raw, solved};
use crate::source::work;
use crate::world::{World, ms, secs, settings};
use sockman_backends::sim::{self, Tracing};
use sockman_sv2::Settings;
use sockman_sv2::wire::Message;

#[test]
fn a_hundred_clients_that_say_nothing_cost_no_turn() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raws: Vec<Raw> = (0..100).map(|_| Raw::fed(&mut world)).collect();
    // Old templates are forgotten, and nothing is due any more.
    world.set(work(2, 5));
    world.pass(secs(60));
    let turns = world.turns();
    world.pass(secs(3600));
    assert_eq!(world.turns(), turns);
    for raw in &mut raws {
        raw.hear();
        assert!(!raw.closed && raw.heard.len() == 4);
    }
}

/// Work that is not worth telling does not keep it awake either.
#[test]
fn small_changes_cost_the_turn_of_their_wake() {
    let mut world = World::at(
        Settings {
            fee_delta: 1_000_000,
            ..settings()
        },
        work(1, 1),
    );
    let mut raw = Raw::fed(&mut world);
    raw.tip();
    world.pass(secs(60));
    let turns = world.turns();
    for count in 2..12 {
        world.set(work(1, count));
        world.pass(secs(60));
    }
    assert!(world.turns() - turns <= 20, "{}", world.turns() - turns);
}

/// All that some clients hear.
fn run() -> (Vec<Vec<u8>>, u64) {
    let settings = Settings {
        interval: secs(1),
        ..settings()
    };
    let network = sim::Settings {
        tracing: Tracing::Hash,
        ..sim::Settings::default()
    };
    let mut world = World::with(settings, &sockman::Config::default(), &network);
    world.set(work(1, 5));
    let mut raws: Vec<Raw> = (0..5).map(|_| Raw::fed(&mut world)).collect();
    for (raw, tip) in raws.iter_mut().zip(2..) {
        let (template, prev) = raw.tip();
        raw.send(
            &mut world,
            &Message::RequestTransactionData {
                template: template.template,
            },
        );
        let job = solved(&template, &prev);
        raw.send(&mut world, &Message::SubmitSolution(job.submission()));
        raw.pass(&mut world, ms(5));
        world.set(work(tip, 5));
    }
    for raw in &mut raws {
        raw.pass(&mut world, secs(3));
    }
    assert_eq!(world.mine.solved().len(), 5);
    let heard = raws.into_iter().map(|raw| raw.bytes).collect();
    (heard, world.network.trace_hash())
}

#[test]
fn the_same_seed_gives_the_same_bytes_handshakes_included() {
    let (first, second) = (run(), run());
    assert!(first.0.iter().all(|bytes| bytes.len() > 1_000));
    assert!(first == second);
    assert!(first.1 != 0);
}

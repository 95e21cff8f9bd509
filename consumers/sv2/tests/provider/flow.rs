//! Clients that do not read, that ask too much, and those beside them.

use crate::raw::{ROOM, Raw};
use crate::source::{basis, transaction, work};
use crate::world::{World, ms, secs, settings};
use sockman::Config;
use sockman_backends::sim;
use sockman_sv2::wire::{Message, Setup};
use sockman_sv2::{Count, Settings, Work};
use std::sync::Arc;

/// Little is on its way at once.
fn narrow() -> sim::Settings {
    sim::Settings {
        window: 2_000,
        ..sim::Settings::default()
    }
}

fn world(settings: Settings) -> World {
    World::with(settings, &Config::default(), &narrow())
}

/// The last tip that was heard, and whether every one was told as it should be: a future template, and what names it.
fn last_tip(heard: &[Message]) -> [u8; 32] {
    let mut last = [0; 32];
    for pair in heard.chunks(2) {
        match pair {
            [Message::NewTemplate(template), Message::SetNewPrevHash(prev)] => {
                assert!(template.future && template.template == prev.template);
                last = prev.hash;
            }
            _ => panic!("not a tip: {pair:?}"),
        }
    }
    last
}

#[test]
fn who_does_not_read_is_behind_and_told_the_latest_when_it_reads() {
    let mut world = world(Settings {
        send_high: 4_000,
        taken_within: secs(100_000),
        ..settings()
    });
    world.set(work(1, 3));
    let mut slow = Raw::fed(&mut world);
    let mut other = Raw::fed(&mut world);
    slow.tip();
    other.tip();
    slow.deaf = true;
    let mut most = 0;
    for tip in 2..250 {
        world.set(work(tip, 3));
        // Others are told at once.
        world.turn(2);
        other.hear();
        assert_eq!(other.tip().1.hash, [tip; 32]);
        let told = world.count(Count::templates) - u64::from(tip);
        most = most.max(told);
    }
    // Of two hundred tips it was told as many as fit into what may be on its way to it, and not more.
    assert!(most < 30, "{most}");
    assert!(world.count(Count::behind) > 200);
    assert!(world.clients().iter().any(|client| client.behind));
    world.pass(secs(60));
    let turns = world.turns();
    world.pass(secs(3600));
    assert_eq!(world.turns(), turns, "it waits for it without turning");
    slow.deaf = false;
    slow.drain(&mut world);
    let heard = slow.take();
    assert_eq!(last_tip(&heard), [249; 32]);
    assert!(heard.len() < 60);
    assert!(world.clients().iter().all(|client| !client.behind));
}

#[test]
fn better_templates_wait_too() {
    let mut world = world(Settings {
        send_high: 4_000,
        interval: ms(0),
        ..settings()
    });
    world.set(work(1, 1));
    let mut slow = Raw::fed(&mut world);
    slow.tip();
    slow.deaf = true;
    for count in 2..300 {
        world.set(work(1, count));
        world.turn(2);
    }
    slow.deaf = false;
    slow.drain(&mut world);
    let heard = slow.take();
    assert!(heard.len() < 60, "{}", heard.len());
    assert!(
        matches!(heard.last(), Some(Message::NewTemplate(last)) if last.value == 5_000_000_000 + 299_000)
    );
}

#[test]
fn who_asks_and_does_not_read_is_not_answered_until_it_does() {
    let mut world = world(Settings {
        send_high: 20_000,
        ..settings()
    });
    let all: Vec<_> = (0..10).map(|number| transaction(number, 1_000, 10)).collect();
    world.set(Work::new(basis(1, 100), all));
    let mut slow = Raw::fed(&mut world);
    let template = slow.tip().0.template;
    slow.deaf = true;
    // Each answer has ten thousand bytes.
    let mut bytes = Vec::new();
    for _ in 0..300 {
        bytes.extend(slow.sealed(&Message::RequestTransactionData { template }));
    }
    let mut sent = 0;
    for _ in 0..200 {
        sent += slow.try_write(&bytes[sent..]);
        world.pass(ms(1));
    }
    let answered = world.count(Count::data);
    assert!(answered < 6, "{answered} answers wait");
    assert!(sent < bytes.len(), "it is not read from either");
    slow.deaf = false;
    while sent < bytes.len() {
        sent += slow.try_write(&bytes[sent..]);
        slow.pass(&mut world, ms(1));
    }
    slow.drain(&mut world);
    assert_eq!(slow.take().len(), 300);
}

/// The end of a client that has not taken its answers is known when it has.
#[test]
fn all_is_answered_that_was_asked_before_the_end() {
    let mut world = world(Settings {
        send_high: 5_000,
        ..settings()
    });
    let all: Vec<_> = (0..10).map(|number| transaction(number, 1_000, 10)).collect();
    world.set(Work::new(basis(1, 100), all));
    let mut raw = Raw::fed(&mut world);
    let template = raw.tip().0.template;
    raw.deaf = true;
    for _ in 0..20 {
        raw.send(&mut world, &Message::RequestTransactionData { template });
    }
    raw.finish();
    world.pass(secs(5));
    raw.deaf = false;
    raw.drain(&mut world);
    assert_eq!(raw.take().len(), 20);
    assert!(raw.closed);
    assert_eq!(world.clients().len(), 0);
}

#[test]
fn more_than_may_wait_to_be_sent_ends_the_connection() {
    let all: Vec<_> = (0..30).map(|number| transaction(number, 100_000, 10)).collect();
    for (send_most, is_sent) in [(4 << 20, true), (1 << 20, false)] {
        let mut world = world(Settings {
            send_high: 10_000,
            send_most,
            ..settings()
        });
        world.set(Work::new(basis(1, 100), all.clone()));
        let mut raw = Raw::fed(&mut world);
        let template = raw.tip().0.template;
        raw.send(&mut world, &Message::RequestTransactionData { template });
        raw.drain(&mut world);
        assert_eq!(raw.take().len(), usize::from(is_sent));
        assert_eq!(raw.closed, !is_sent);
    }
}

/// A client sends as many requests as there is room for; another one asks now and then, and does not wait for them all.
#[test]
fn a_flood_of_requests_leaves_others_their_turn() {
    let share = 4_096;
    let mut world = World::at(
        Settings {
            share,
            send_high: 16 << 20,
            ..settings()
        },
        work(1, 0),
    );
    let mut flood = Raw::fed(&mut world);
    let mut other = Raw::fed(&mut world);
    let template = other.tip().0.template;
    flood.take();
    let mut bytes = Vec::new();
    for _ in 0..3_000 {
        bytes.extend(flood.sealed(&Message::RequestTransactionData { template: 1 }));
    }
    assert!(flood.try_write(&bytes) > 100_000);
    world.turn(3);
    for _ in 0..20 {
        let frame = other.sealed(&Message::RequestTransactionData { template });
        assert_eq!(other.try_write(&frame), frame.len());
        let before = world.count(Count::data_unknown);
        other.take();
        while other.heard.is_empty() {
            let frames = world.count(Count::frames);
            world.turn(1);
            // Each message counts at least 512 bytes.
            let done = world.count(Count::frames) - frames;
            assert!(done <= 1 + share as u64 / 512, "{done} requests in one turn");
            other.hear();
        }
        let meanwhile = world.count(Count::data_unknown) - before;
        assert!(
            meanwhile <= 4 * share as u64 / 512,
            "{meanwhile} before the other"
        );
    }
    assert!(world.count(Count::data_unknown) < 2_000);
    flood.drain(&mut world);
    assert!(flood.take().len() > 1_000);
}

/// What a share is does not change what is answered.
#[test]
fn answers_do_not_depend_on_the_share() {
    let mut all = Vec::new();
    for share in [0, 1, 600, 5_000, 1 << 20] {
        let mut world = World::at(Settings { share, ..settings() }, work(1, 20));
        let mut raw = Raw::fed(&mut world);
        let template = raw.tip().0.template;
        let mut bytes = Vec::new();
        for number in 0..200 {
            let template = if number % 3 == 0 { template } else { number };
            bytes.extend(raw.sealed(&Message::RequestTransactionData { template }));
        }
        raw.write(&mut world, &bytes);
        raw.pass(&mut world, secs(1));
        all.push(raw.bytes);
    }
    assert!(all.iter().all(|bytes| *bytes == all[0]));
}

/// Everything a client says, as one: set-up, constraints, and 64 requests.
fn session(world: &mut World, pieces: usize) -> Vec<u8> {
    let mut raw = Raw::shaken(world);
    let mut bytes = raw.set_up(&Setup::template_distribution("pieces"));
    bytes.extend(raw.sealed(&Message::CoinbaseOutputConstraints(ROOM)));
    let first = (crate::world::BEGIN << 16) + 1;
    for number in 0..64 {
        let template = if number % 2 == 0 { first } else { number };
        bytes.extend(raw.sealed(&Message::RequestTransactionData { template }));
        bytes.extend(raw.frame(5, 5, &vec![5; number as usize * 10]));
    }
    for piece in bytes.chunks(pieces) {
        raw.write(world, piece);
        if pieces < bytes.len() {
            world.turn(4);
            raw.hear();
        }
    }
    raw.drain(world);
    let heard = raw.take();
    assert_eq!(heard.len(), 67);
    let answered = heard
        .iter()
        .filter(|message| matches!(message, Message::RequestTransactionDataSuccess { .. }));
    assert_eq!(answered.count(), 32);
    raw.bytes
}

#[test]
fn byte_by_byte_or_64_requests_in_one_segment_the_answers_are_the_same() {
    let answers = [1, 7, 44, 1_000, usize::MAX].map(|pieces| {
        let mut world = World::at(settings(), work(1, 10));
        session(&mut world, pieces)
    });
    assert!(answers.iter().all(|bytes| *bytes == answers[0]));
    // And with reads as short as can be.
    let config = Config {
        read_buffer: 1,
        byte_budget: 1,
        ..Config::default()
    };
    let mut world = World::with(settings(), &config, &sim::Settings::default());
    world.set(work(1, 10));
    assert_eq!(session(&mut world, usize::MAX), answers[0]);
}

/// Work is shared: it is not made anew for each client.
#[test]
fn work_is_kept_for_as_long_as_a_template_of_it_and_not_longer() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raw = Raw::fed(&mut world);
    raw.tip();
    let first = Arc::downgrade(&sockman_sv2::Source::work(&world.mine).unwrap());
    world.set(work(2, 5));
    raw.pass(&mut world, secs(9));
    assert!(first.upgrade().is_some());
    raw.pass(&mut world, secs(2));
    assert!(first.upgrade().is_none());
    let second = Arc::downgrade(&sockman_sv2::Source::work(&world.mine).unwrap());
    drop(raw);
    world.set(work(3, 5));
    world.pass(ms(5));
    assert!(second.upgrade().is_none());
}

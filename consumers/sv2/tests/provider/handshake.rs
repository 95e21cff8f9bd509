//! How a connection begins: Noise, and its limits.

use crate::raw::{ROOM, Raw};
use crate::source::work;
use crate::world::{World, ms, secs, settings};
use sockman_sv2::wire::{Authority, Chance, HELLO, Initiator, Message, REPLY};
use sockman_sv2::{Count, Settings, Stage};

/// The answer to a hello, as it is on the wire.
fn reply(world: &mut World, hello: [u8; HELLO]) -> [u8; REPLY] {
    let mut raw = Raw::dial(world);
    raw.write(world, &hello);
    raw.pass(world, ms(2));
    raw.bytes[..]
        .try_into()
        .expect("an answer is as long as answers are")
}

#[test]
fn who_knows_the_authority_knows_the_provider() {
    let mut world = World::new(settings());
    let other = Authority::generate(&mut Chance::new([77; 32])).key();
    let unix = world.unix();
    for (key, is_right) in [(Some(world.key), true), (Some(other), false), (None, true)] {
        let (hello, waiting) = Initiator::new(key, &mut Chance::new([78; 32])).unwrap();
        let reply = reply(&mut world, hello);
        assert_eq!(waiting.finish(reply, unix).is_ok(), is_right, "{key:?}");
    }
    assert_eq!(world.count(Count::handshakes), 3);
}

#[test]
fn a_certificate_is_valid_from_the_handshake_on_for_as_long_as_is_set() {
    let mut world = World::new(Settings {
        certificate: secs(1_000),
        ..settings()
    });
    world.pass(secs(500));
    let unix = world.unix();
    // Clients allow for ten seconds.
    for (now, is_right) in [
        (unix - 11, false),
        (unix - 10, true),
        (unix + 1_010, true),
        (unix + 1_012, false),
    ] {
        let (hello, waiting) = Initiator::new(Some(world.key), &mut Chance::new([78; 32])).unwrap();
        let reply = reply(&mut world, hello);
        assert_eq!(waiting.finish(reply, now).is_ok(), is_right, "{now}");
    }
}

#[test]
fn every_handshake_has_keys_of_its_own() {
    let mut world = World::new(settings());
    let (hello, _) = Initiator::new(None, &mut Chance::new([78; 32])).unwrap();
    let replies = [(); 2].map(|()| reply(&mut world, hello));
    assert!(replies[0][..64] != replies[1][..64], "ephemeral keys");
}

#[test]
fn what_cannot_be_decrypted_ends_the_connection() {
    let mut world = World::at(settings(), work(1, 0));
    for place in [0, 21, 22, 27] {
        let mut raw = Raw::ready(&mut world);
        let mut frame = raw.sealed(&Message::CoinbaseOutputConstraints(ROOM));
        frame[place] ^= 1;
        raw.write(&mut world, &frame);
        raw.pass(&mut world, ms(2));
        assert!(raw.closed && raw.heard.is_empty(), "byte {place}");
    }
    // Without a handshake there is nothing to decrypt it with.
    let mut raw = Raw::dial(&mut world);
    raw.write(&mut world, &[0; 1_000]);
    raw.pass(&mut world, ms(2));
    assert!(raw.closed);
    assert_eq!(world.count(Count::undecryptable), 5);
    assert_eq!(world.clients().len(), 0);
}

#[test]
fn whoever_says_nothing_is_cut_when_the_handshake_should_be_over() {
    let mut world = World::new(settings());
    let mut silent = Raw::dial(&mut world);
    let mut halfway = Raw::dial(&mut world);
    halfway.write(&mut world, &[7; HELLO - 1]);
    silent.pass(&mut world, ms(9_990));
    halfway.hear();
    assert!(!silent.closed && !halfway.closed);
    silent.pass(&mut world, ms(20));
    halfway.hear();
    assert!(silent.closed && halfway.closed);
    assert_eq!(world.count(Count::handshake_timeouts), 2);
}

#[test]
fn a_byte_a_second_is_too_slow_for_the_handshake_and_for_the_set_up() {
    let mut world = World::new(settings());
    let mut raw = Raw::dial(&mut world);
    let hello = raw.begin(&mut world);
    let mut sent = 0;
    while !raw.closed && sent < HELLO {
        raw.write(&mut world, &hello[sent..=sent]);
        raw.pass(&mut world, secs(1));
        sent += 1;
    }
    assert_eq!(sent, 10);
    assert_eq!(world.count(Count::handshake_timeouts), 1);

    let mut raw = Raw::shaken(&mut world);
    let setup = raw.sealed(&Message::SetupConnection(
        sockman_sv2::wire::Setup::template_distribution("slow"),
    ));
    let mut sent = 0;
    while !raw.closed && sent < setup.len() {
        raw.write(&mut world, &setup[sent..=sent]);
        raw.pass(&mut world, secs(1));
        sent += 1;
    }
    assert_eq!(sent, 10);
    assert_eq!(world.count(Count::setup_timeouts), 1);
}

#[test]
fn the_time_for_the_set_up_begins_when_the_handshake_is_over() {
    let mut world = World::new(settings());
    let mut raw = Raw::dial(&mut world);
    raw.pass(&mut world, secs(9));
    raw.hello(&mut world);
    raw.pass(&mut world, ms(9_900));
    assert!(!raw.closed && raw.transport.is_some());
    raw.pass(&mut world, ms(200));
    assert!(raw.closed);
    assert_eq!(world.count(Count::setup_timeouts), 1);
    assert_eq!(world.count(Count::handshake_timeouts), 0);
}

#[test]
fn who_has_said_what_it_speaks_may_be_silent_for_ever() {
    let mut world = World::new(settings());
    let mut raw = Raw::ready(&mut world);
    raw.pass(&mut world, secs(24 * 3600));
    assert!(!raw.closed);
    raw.constrain(&mut world, ROOM);
    raw.pass(&mut world, secs(24 * 3600));
    assert!(!raw.closed);
    world.set(work(1, 3));
    raw.pass(&mut world, ms(5));
    raw.tip();
}

#[test]
fn there_are_so_many_clients_at_once_and_others_are_refused() {
    let mut world = World::new(Settings {
        max_clients: 3,
        ..settings()
    });
    let mut raws: Vec<Raw> = (0..3).map(|_| Raw::ready(&mut world)).collect();
    for count in 1..4 {
        let mut more = Raw::dial(&mut world);
        more.pass(&mut world, ms(2));
        assert!(more.closed);
        assert_eq!(world.count(Count::refused), count);
    }
    drop(raws.pop());
    world.pass(ms(2));
    raws.push(Raw::ready(&mut world));
    assert_eq!(world.clients().len(), 3);
    assert_eq!(world.count(Count::accepted), 4);
}

/// Five hundred clients dial at once and send their keys. Each turn answers two of them, and whoever is ready has its own answers
/// between them.
#[test]
fn handshakes_leave_others_their_turn() {
    let mut world = World::at(settings(), work(1, 3));
    let mut ready = Raw::fed(&mut world);
    let (template, _) = ready.tip();
    let mut crowd: Vec<Raw> = (0..500).map(|_| Raw::dial_only(&world)).collect();
    world.pass(ms(1));
    let before = world.count(Count::handshakes);
    for raw in &mut crowd {
        let hello = raw.begin(&mut world);
        assert_eq!(raw.try_write(&hello), HELLO);
    }
    let mut answered = 0;
    while world.count(Count::handshakes) < before + 500 {
        let asked = Message::RequestTransactionData {
            template: template.template,
        };
        let frame = ready.sealed(&asked);
        assert_eq!(ready.try_write(&frame), frame.len());
        let handshakes = world.count(Count::handshakes);
        // The answer is there when the turn is over in which the request was.
        while ready.take().is_empty() {
            let before = world.count(Count::handshakes);
            world.turn(1);
            let done = world.count(Count::handshakes) - before;
            assert!(done <= 2, "{done} handshakes in one turn");
            ready.hear();
        }
        let meanwhile = world.count(Count::handshakes) - handshakes;
        assert!(meanwhile <= 4, "{meanwhile} handshakes before an answer");
        answered += 1;
        // (A request takes some turns: time goes on by itself only while there is nothing to do.)
        world.turn(1);
    }
    assert!(answered > 80, "{answered}");
    for raw in &mut crowd {
        raw.pass(&mut world, ms(1));
        assert!(raw.transport.is_some());
    }
}

#[test]
fn who_leaves_before_its_turn_takes_nobody_elses() {
    let mut world = World::new(Settings {
        handshakes: 1,
        ..settings()
    });
    let mut crowd: Vec<Raw> = (0..20).map(|_| Raw::dial_only(&world)).collect();
    world.pass(ms(1));
    for raw in &mut crowd {
        let hello = raw.begin(&mut world);
        assert_eq!(raw.try_write(&hello), HELLO);
    }
    world.turn(3);
    // Every second of them leaves.
    let mut stay = Vec::new();
    for (number, raw) in crowd.into_iter().enumerate() {
        if number % 2 == 0 {
            stay.push(raw);
        } else {
            raw.reset();
        }
    }
    world.pass(ms(5));
    for raw in &mut stay {
        raw.pass(&mut world, ms(1));
        assert!(raw.transport.is_some());
    }
    assert_eq!(world.clients().len(), 10);
    assert!(world.clients().iter().all(|client| client.stage == Stage::Setup));
}

//! Frames that are too long, that nobody knows, or that cannot be read.

use crate::raw::{ROOM, Raw};
use crate::source::work;
use crate::world::{World, ms, settings};
use sockman_sv2::wire::{Constraints, HEADER, Message};
use sockman_sv2::{Count, Settings};

/// A request that is answered.
fn is_alive(world: &mut World, raw: &mut Raw) -> bool {
    raw.send(world, &Message::RequestTransactionData { template: 1 });
    raw.pass(world, ms(2));
    matches!(
        raw.take()[..],
        [Message::RequestTransactionDataError { template: 1, .. }]
    )
}

#[test]
fn what_nobody_has_agreed_to_is_ignored() {
    let mut world = World::new(settings());
    let mut raw = Raw::ready(&mut world);
    let mut count = 0;
    for (extension, kind) in [
        (1, 0x74),
        (1, 0x00),
        (0x0002, 0x01),
        (0x7fff, 0x70),
        (0x8001, 0x74),
        (0, 0x03),
        (0, 0x04),
        (0, 0x1a),
        (0, 0x50),
        (0, 0x6f),
        (0, 0x77),
        (0, 0xff),
    ] {
        for payload in [vec![], vec![1, 2, 3], vec![0xff; 70_000]] {
            let frame = raw.frame(extension, kind, &payload);
            raw.write(&mut world, &frame);
            assert!(is_alive(&mut world, &mut raw), "{extension:#x} {kind:#x}");
            count += 1;
        }
    }
    assert_eq!(world.count(Count::frames_ignored), count);
    // Before the set-up too.
    let mut raw = Raw::shaken(&mut world);
    let frame = raw.frame(7, 0, &[0; 10]);
    raw.write(&mut world, &frame);
    raw.pass(&mut world, ms(2));
    assert!(!raw.closed);
}

#[test]
fn what_cannot_be_read_ends_the_connection() {
    let mut world = World::at(settings(), work(1, 1));
    let cut: [(u8, &[u8]); 9] = [
        (0x70, &[]),
        (0x70, &[1, 2, 3, 4, 5]),
        (0x73, &[0; 7]),
        (0x76, &[0; 20]),
        // A coinbase of more bytes than there are.
        (0x76, &[0xff; 30]),
        (0x00, &[]),
        (0x00, &[2, 2, 0, 2, 0, 0, 0, 0, 0, 255, 1]),
        (0x71, &[0; 3]),
        (0x74, &[0xff; 12]),
    ];
    for (kind, payload) in cut {
        let mut raw = Raw::ready(&mut world);
        let frame = raw.frame(0, kind, payload);
        raw.write(&mut world, &frame);
        raw.pass(&mut world, ms(2));
        assert!(raw.closed && raw.heard.is_empty(), "{kind:#x} {payload:?}");
    }
    assert_eq!(world.count(Count::malformed), 9);
}

#[test]
fn what_only_a_server_may_say_ends_the_connection() {
    let mut world = World::at(settings(), work(1, 1));
    let mut fed = Raw::fed(&mut world);
    let (template, prev) = fed.tip();
    let code = String::new();
    for message in [
        Message::SetupConnectionSuccess { version: 2, flags: 0 },
        Message::SetupConnectionError { flags: 0, code },
        Message::NewTemplate(template),
        Message::SetNewPrevHash(prev),
        Message::RequestTransactionDataSuccess {
            template: 1,
            excess: Vec::new(),
            transactions: Vec::new(),
        },
        Message::RequestTransactionDataError {
            template: 1,
            code: "?".into(),
        },
    ] {
        let mut raw = Raw::ready(&mut world);
        raw.send(&mut world, &message);
        raw.pass(&mut world, ms(2));
        assert!(raw.closed && raw.heard.is_empty(), "{message:?}");
    }
    assert_eq!(world.count(Count::unexpected), 6);
}

/// Whether a frame of so many bytes, with its header, is taken.
fn passes(world: &mut World, frame: usize) -> bool {
    let mut raw = Raw::ready(world);
    let frame = raw.frame(0, 0x77, &vec![0; frame - HEADER]);
    raw.write(world, &frame);
    raw.pass(world, ms(5));
    !raw.closed && is_alive(world, &mut raw)
}

#[test]
fn frames_may_have_as_many_bytes_as_is_set() {
    // At and around the ends of the pieces in which frames are encrypted too.
    for frame in [
        7, 1_000, 65_519, 65_520, 65_525, 65_526, 131_044, 131_045, 200_000,
    ] {
        let mut world = World::new(Settings { frame, ..settings() });
        // (A set-up must pass.)
        if frame < 100 {
            continue;
        }
        assert!(passes(&mut world, frame - 1), "{frame}");
        assert!(passes(&mut world, frame), "{frame}");
        assert_eq!(world.count(Count::too_long), 0);
        assert!(!passes(&mut world, frame + 1), "{frame}");
        assert_eq!(world.count(Count::too_long), 1);
    }
    let mut world = World::new(settings());
    for frame in [128 << 10, 256 << 10] {
        assert!(passes(&mut world, frame));
    }
    assert!(!passes(&mut world, (256 << 10) + 1));
}

/// Memory is taken for what has come: there is nothing more to be had by saying more.
#[test]
fn a_length_that_is_only_declared_costs_nothing() {
    let mut world = World::new(settings());
    let mut raw = Raw::ready(&mut world);
    let frame = raw.frame(0, 0x77, &vec![0; 2 << 20]);
    // Its header says how much there is.
    raw.write(&mut world, &frame[..22]);
    raw.pass(&mut world, ms(2));
    assert!(!raw.closed);
    let taken = 22 + 3 * 65_535;
    raw.write(&mut world, &frame[22..taken]);
    raw.pass(&mut world, ms(5));
    assert!(!raw.closed);
    // It is cut where the limit is, long before its end.
    let mut sent = taken;
    while !raw.closed && sent < frame.len() {
        sent += raw.try_write(&frame[sent..(sent + 1_000).min(frame.len())]);
        raw.pass(&mut world, ms(1));
    }
    assert!(sent < 400_000, "{sent}");
    assert_eq!(world.count(Count::too_long), 1);
}

#[test]
fn bytes_that_are_changed_on_the_way_are_noticed_wherever_they_are() {
    let mut world = World::at(settings(), work(1, 1));
    for place in 0..44 {
        let mut raw = Raw::ready(&mut world);
        let mut frame = raw.sealed(&Message::CoinbaseOutputConstraints(Constraints {
            size: 1,
            sigops: 2,
        }));
        assert_eq!(frame.len(), 44);
        frame[place] ^= 0x80;
        raw.write(&mut world, &frame);
        // What comes behind is thrown away.
        raw.try_write(&[0; 1_000]);
        raw.pass(&mut world, ms(2));
        assert!(raw.closed && raw.heard.is_empty(), "{place}");
    }
    assert_eq!(world.count(Count::undecryptable), 44);
}

#[test]
fn who_closes_or_resets_at_any_point_leaves_nothing() {
    let mut world = World::at(settings(), work(1, 20));
    for step in 0..6 {
        for how in 0..3 {
            let mut raw = Raw::dial(&mut world);
            if step > 0 {
                raw.hello(&mut world);
            }
            if step > 1 {
                raw.pass(&mut world, ms(2));
            }
            if step > 2 {
                let setup = raw.set_up(&sockman_sv2::wire::Setup::template_distribution("x"));
                raw.write(&mut world, &setup);
            }
            if step > 3 {
                let asked = raw.sealed(&Message::CoinbaseOutputConstraints(ROOM));
                raw.write(&mut world, &asked[..asked.len() - usize::from(step == 4)]);
            }
            match how {
                0 => drop(raw),
                1 => raw.reset(),
                _ => {
                    raw.finish();
                    raw.pass(&mut world, ms(5));
                    assert!(raw.closed, "{step}");
                    assert_eq!(raw.heard.len(), [0, 0, 0, 1, 1, 3][step], "{step}");
                }
            }
            world.pass(ms(5));
            assert_eq!(world.clients().len(), 0, "{step} {how}");
        }
    }
}

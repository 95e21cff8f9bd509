//! What a client says first.

use crate::raw::{ROOM, Raw};
use crate::source::work;
use crate::world::{World, ms, settings};
use sockman_sv2::wire::{Message, Setup};
use sockman_sv2::{Count, Stage};

fn setup() -> Setup {
    Setup::template_distribution("raw")
}

/// What is answered to this, and whether the connection is over then.
fn answer(world: &mut World, setup: &Setup) -> (Vec<Message>, bool) {
    let mut raw = Raw::shaken(world);
    let frame = raw.set_up(setup);
    raw.write(world, &frame);
    raw.pass(world, ms(5));
    (raw.take(), raw.closed)
}

fn refused(flags: u32, code: &str) -> (Vec<Message>, bool) {
    let code = code.to_owned();
    (vec![Message::SetupConnectionError { flags, code }], true)
}

#[test]
fn what_we_speak_is_agreed_to() {
    let mut world = World::new(settings());
    for (min_version, max_version) in [(2, 2), (0, 2), (2, u16::MAX), (1, 3)] {
        let (said, closed) = answer(
            &mut world,
            &Setup {
                min_version,
                max_version,
                ..setup()
            },
        );
        assert_eq!(said, [Message::SetupConnectionSuccess { version: 2, flags: 0 }]);
        assert!(!closed);
    }
    assert_eq!(world.count(Count::setups), 4);
}

#[test]
fn another_protocol_is_not_supported() {
    let mut world = World::new(settings());
    // There are three: the others are not known to anybody yet, and answered all the same.
    for protocol in [0, 1, 3, 4, 77, 255] {
        let said = answer(&mut world, &Setup { protocol, ..setup() });
        assert_eq!(said, refused(0, "unsupported-protocol"), "protocol {protocol}");
    }
    assert_eq!(world.count(Count::setup_errors), 6);
    assert_eq!(world.count(Count::malformed), 0);
}

#[test]
fn another_version_does_not_match() {
    let mut world = World::new(settings());
    for (min_version, max_version) in [(0, 1), (3, 3), (3, u16::MAX), (3, 1)] {
        let said = answer(
            &mut world,
            &Setup {
                min_version,
                max_version,
                ..setup()
            },
        );
        assert_eq!(said, refused(0, "protocol-version-mismatch"));
    }
}

#[test]
fn flags_that_nobody_knows_are_told_back() {
    let mut world = World::new(settings());
    for flags in [1, 0x8000_0000, u32::MAX] {
        let said = answer(&mut world, &Setup { flags, ..setup() });
        assert_eq!(said, refused(flags, "unsupported-feature-flags"));
    }
}

/// What follows a set-up that is refused is thrown away: with the error still on its way, and after it.
#[test]
fn frames_behind_a_refused_set_up_do_nothing() {
    let mut world = World::at(settings(), work(1, 1));
    let mut raw = Raw::shaken(&mut world);
    let mut bytes = raw.sealed(&Message::SetupConnection(Setup {
        protocol: 0,
        ..setup()
    }));
    for _ in 0..20 {
        bytes.extend(raw.sealed(&Message::CoinbaseOutputConstraints(ROOM)));
        bytes.extend(raw.sealed(&Message::SetupConnection(setup())));
        bytes.extend([0xff; 100]);
    }
    raw.write(&mut world, &bytes);
    let turns = world.turns();
    // It goes on sending, as long as it can.
    for _ in 0..50 {
        raw.try_write(&bytes);
        raw.pass(&mut world, ms(1));
    }
    let refused = refused(0, "unsupported-protocol");
    assert_eq!((raw.take(), raw.closed), refused);
    world.pass(crate::world::secs(3600));
    let turns = world.turns() - turns;
    assert!(turns < 120, "{turns} turns");
    assert_eq!(world.clients().len(), 0);
    assert_eq!(world.count(Count::undecryptable), 0);
    assert_eq!(world.count(Count::frames), 1);
}

/// It does not read, and so the error stays on its way; and is cut in the end.
#[test]
fn who_does_not_read_why_it_is_refused_is_cut() {
    let mut world = World::new(settings());
    let mut raw = Raw::shaken(&mut world);
    raw.deaf = true;
    raw.send(
        &mut world,
        &Message::SetupConnection(Setup {
            min_version: 9,
            ..setup()
        }),
    );
    let turns = world.turns();
    world.pass(crate::world::secs(60));
    assert_eq!(world.clients().len(), 0);
    assert!(world.turns() - turns < 10);
    raw.deaf = false;
    raw.hear();
    assert_eq!((raw.take(), raw.closed), refused(0, "protocol-version-mismatch"));
}

#[test]
fn nothing_else_may_come_first_and_it_may_not_come_twice() {
    let mut world = World::new(settings());
    let first = [
        Message::CoinbaseOutputConstraints(ROOM),
        Message::RequestTransactionData { template: 1 },
        Message::SetupConnectionSuccess { version: 2, flags: 0 },
    ];
    for message in first {
        let mut raw = Raw::shaken(&mut world);
        raw.send(&mut world, &message);
        raw.pass(&mut world, ms(2));
        assert!(raw.closed && raw.heard.is_empty(), "{message:?}");
    }
    let mut raw = Raw::ready(&mut world);
    raw.send(&mut world, &Message::SetupConnection(setup()));
    raw.pass(&mut world, ms(2));
    assert!(raw.closed && raw.heard.is_empty());
    assert_eq!(world.count(Count::unexpected), 4);
}

#[test]
fn what_a_client_says_of_itself_is_known() {
    let mut world = World::new(settings());
    let mut raw = Raw::shaken(&mut world);
    assert_eq!(world.clients()[0].stage, Stage::Setup);
    let setup = Setup {
        host: "pool.example".into(),
        port: 8_442,
        vendor: "a vendor".into(),
        hardware: "h".into(),
        firmware: "f".into(),
        device: "d".repeat(255),
        ..setup()
    };
    raw.send(&mut world, &Message::SetupConnection(setup.clone()));
    raw.constrain(&mut world, ROOM);
    let client = &world.clients()[0];
    assert_eq!(client.stage, Stage::Ready);
    assert_eq!(client.setup.as_ref(), Some(&setup));
    assert_eq!(client.constraints, Some(ROOM));
    assert_eq!((client.template, client.templates, client.value), (None, 0, None));
}

//! The end of a provider.

use crate::raw::{ROOM, Raw};
use crate::source::{basis, transaction, work};
use crate::world::{World, ms, secs, settings};
use sockman::Config;
use sockman_backends::sim;
use sockman_sv2::wire::Message;
use sockman_sv2::{Settings, Work};

#[test]
fn what_was_answered_is_sent_and_all_are_hung_up_on() {
    let all: Vec<_> = (0..10).map(|number| transaction(number, 10_000, 10)).collect();
    let network = sim::Settings {
        window: 10_000,
        ..sim::Settings::default()
    };
    let mut world = World::with(settings(), &Config::default(), &network);
    world.set(Work::new(basis(1, 100), all));
    let mut quiet = Raw::fed(&mut world);
    let mut busy = Raw::fed(&mut world);
    let mut shaking = Raw::dial(&mut world);
    shaking.write(&mut world, &[1; 10]);
    quiet.tip();
    let template = busy.tip().0.template;
    busy.deaf = true;
    busy.send(&mut world, &Message::RequestTransactionData { template });
    world.pass(ms(2));
    // What changes at the last moment sets no timer.
    world.set(work(1, 20));
    world.provider.remote().stop(secs(5)).unwrap();
    world.pass(ms(2));
    busy.deaf = false;
    for raw in [&mut quiet, &mut shaking] {
        raw.pass(&mut world, ms(5));
        assert!(raw.closed);
    }
    busy.drain(&mut world);
    assert!(busy.closed);
    assert!(
        matches!(&busy.take()[..], [Message::RequestTransactionDataSuccess { transactions, .. }] if transactions.len() == 10)
    );
    // It waits for the other ends, as long as it may.
    drop((quiet, busy, shaking));
    world.pass(ms(5));
    assert!(world.provider.is_stopped());
    assert_eq!(world.clients().len(), 0);
    assert_eq!(world.host.descriptors(), 0);
    let late = world.network.host().connect(&world.endpoint()).unwrap();
    world.pass(ms(5));
    assert!(late.is_connected().is_err());
}

#[test]
fn who_takes_nothing_is_cut_when_the_time_is_over() {
    let network = sim::Settings {
        window: 1_000,
        ..sim::Settings::default()
    };
    let mut world = World::with(
        Settings {
            stale_for: secs(1_000),
            ..settings()
        },
        &Config::default(),
        &network,
    );
    world.set(work(1, 20));
    let mut raw = Raw::fed(&mut world);
    raw.tip();
    raw.deaf = true;
    for tip in 2..20 {
        world.set(work(tip, 20));
        world.pass(ms(2));
    }
    raw.constrain(&mut world, ROOM);
    world.provider.remote().stop(secs(5)).unwrap();
    world.pass(ms(4_900));
    assert_eq!(world.clients().len(), 1);
    world.pass(ms(200));
    assert_eq!(world.clients().len(), 0);
    assert!(world.provider.is_stopped());
}

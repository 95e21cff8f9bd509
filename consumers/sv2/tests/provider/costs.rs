//! What a client may cost the others, and for how long.

use crate::raw::{ROOM, Raw};
use crate::source::{basis, transaction, work};
use crate::world::{World, ms, secs, settings};
use sockman::Config;
use sockman_backends::sim;
use sockman_sv2::wire::{Constraints, Message};
use sockman_sv2::{Count, Settings, Work};

/// Little is on its way at once, and the queue is soon full.
fn narrow() -> World {
    let network = sim::Settings {
        window: 2_000,
        ..sim::Settings::default()
    };
    let settings = Settings {
        send_high: 4_000,
        taken_within: secs(30),
        ..settings()
    };
    World::with(settings, &Config::default(), &network)
}

/// More than anybody's share.
fn large() -> Work {
    let all = (0..100).map(|number| transaction(number, 1_000, 10)).collect();
    Work::new(basis(1, 100), all)
}

/// A client whose queue is full.
fn deaf(world: &mut World) -> Raw {
    let mut slow = Raw::fed(world);
    slow.tip();
    slow.deaf = true;
    for tip in 2..60 {
        world.set(work(tip, 3));
        world.turn(2);
    }
    assert!(world.clients()[0].behind);
    slow
}

#[test]
fn who_takes_nothing_is_hung_up_on_in_the_end() {
    let mut world = narrow();
    world.set(work(1, 3));
    let mut slow = deaf(&mut world);
    slow.pass(&mut world, secs(29));
    assert_eq!(world.clients().len(), 1);
    slow.pass(&mut world, secs(2));
    assert_eq!(world.clients().len(), 0);
    assert_eq!(world.count(Count::send_timeouts), 1);
}

#[test]
fn who_takes_it_in_time_may_be_silent_again() {
    let mut world = narrow();
    world.set(work(1, 3));
    let mut slow = deaf(&mut world);
    slow.pass(&mut world, secs(29));
    slow.deaf = false;
    slow.drain(&mut world);
    slow.pass(&mut world, secs(3_600));
    assert_eq!((world.clients().len(), world.count(Count::send_timeouts)), (1, 0));
    assert!(!slow.closed);
}

/// Whether a client reads has nothing to do with how long what it was told is good for.
#[test]
fn who_is_behind_has_its_old_templates_forgotten_too() {
    let mut world = narrow();
    world.set(work(1, 3));
    let mut slow = Raw::fed(&mut world);
    let old = slow.tip().0.template;
    slow.deaf = true;
    for tip in 2..60 {
        world.set(work(tip, 3));
        world.turn(2);
    }
    slow.pass(&mut world, secs(12));
    assert_eq!(world.clients()[0].templates, 0);
    slow.deaf = false;
    slow.drain(&mut world);
    slow.take();
    assert_eq!(
        slow.request(&mut world, old),
        Message::RequestTransactionDataError {
            template: old,
            code: "stale-template-id".to_owned()
        }
    );
}

/// Several who ask for much are answered one a turn.
#[test]
fn large_answers_take_turns() {
    let mut world = World::new(Settings {
        turn: 50_000,
        ..settings()
    });
    world.set(large());
    let mut clients: Vec<Raw> = (0..8).map(|_| Raw::fed(&mut world)).collect();
    for client in &mut clients {
        client.ask_now();
    }
    let before = world.count(Count::data);
    let mut answered = 0;
    for _ in 0..100 {
        world.turn(1);
        let now = world.count(Count::data) - before;
        assert!(now <= answered + 1, "{now} after {answered}");
        answered = now;
    }
    assert_eq!(answered, 8);
    for client in &mut clients {
        client.drain(&mut world);
        assert!(matches!(
            client.take()[..],
            [Message::RequestTransactionDataSuccess { .. }]
        ));
    }
    let turns = world.turns();
    world.pass(secs(3_600));
    assert_eq!(world.turns(), turns, "nothing goes on");
}

/// Those who have to wait are answered in the order in which they asked.
#[test]
fn who_asks_for_much_first_is_answered_first() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let mut world = World::new(Settings {
            turn: 1,
            ..settings()
        });
        world.set(large());
        let mut clients: Vec<Raw> = (0..4).map(|_| Raw::fed(&mut world)).collect();
        for number in order {
            clients[number].ask_now();
        }
        let mut answered = Vec::new();
        for _ in 0..20 {
            world.turn(1);
            for (number, client) in clients.iter_mut().enumerate() {
                client.hear();
                answered.extend(client.take().iter().map(|_| number));
            }
        }
        assert_eq!(answered, order);
    }
}

/// A new tip comes while clients wait for their turns, and they do not take it in time: their turns pass, and come again when they have.
#[test]
fn who_waits_and_has_a_tip_to_take_gets_its_answer_later() {
    let network = sim::Settings {
        window: 300,
        ..sim::Settings::default()
    };
    let settings = Settings {
        turn: 1,
        send_high: 200,
        ..settings()
    };
    let mut world = World::with(settings, &Config::default(), &network);
    world.set(large());
    let mut clients: Vec<Raw> = (0..4).map(|_| Raw::fed(&mut world)).collect();
    clients.iter_mut().for_each(Raw::ask_now);
    for tip in 2..5 {
        world.set(work(tip, 3));
        world.turn(1);
    }
    world.pass(secs(1));
    assert_eq!(
        world.count(Count::data_large),
        1,
        "the turns of the others have passed"
    );
    for client in &mut clients {
        client.drain(&mut world);
        let is_answer = |message: &&Message| matches!(message, Message::RequestTransactionDataSuccess { .. });
        assert_eq!(client.take().iter().filter(is_answer).count(), 1);
    }
}

/// Those who ask for much, and take it, again and again hold up nobody: neither each other, nor who asks for little.
#[test]
fn who_asks_for_little_is_answered_beside_those_who_ask_for_much() {
    let mut world = World::new(Settings {
        turn: 50_000,
        ..settings()
    });
    world.set(large());
    let mut greedy: Vec<Raw> = (0..4).map(|_| Raw::fed(&mut world)).collect();
    let templates: Vec<u64> = greedy.iter_mut().map(|client| client.tip().0.template).collect();
    let mut modest = Raw::fed(&mut world);
    modest.tip();
    let mut answers = [0; 4];
    for _ in 0..50 {
        for (client, template) in greedy.iter_mut().zip(&templates) {
            let ask = client.sealed(&Message::RequestTransactionData { template: *template });
            client.try_write(&ask);
        }
        // A number that no template has: the answer is small.
        let ask = modest.sealed(&Message::RequestTransactionData { template: 1 });
        assert_eq!(modest.try_write(&ask), ask.len());
        world.turn(2);
        modest.hear();
        assert_eq!(modest.take().len(), 1, "it is answered at once");
        world.turn(6);
        for (client, answers) in greedy.iter_mut().zip(&mut answers) {
            client.hear();
            *answers += client.take().len();
        }
    }
    let (least, most) = (answers.iter().min().unwrap(), answers.iter().max().unwrap());
    assert!(*least > 25 && most - least <= 2, "{answers:?}");
}

/// A block that has to be put together for one client takes it all of its share.
#[test]
fn constraints_take_turns() {
    let mut world = World::new(settings());
    let all: Vec<_> = (0..420).map(|number| transaction(number, 9_000, 10)).collect();
    world.set(Work::new(basis(1, 100), all));
    let mut client = Raw::fed(&mut world);
    client.tip();
    let mut asks = Vec::new();
    for number in 1..9 {
        let size = 30_000 * number;
        asks.extend(client.sealed(&Message::CoinbaseOutputConstraints(Constraints { size, ..ROOM })));
    }
    assert_eq!(client.try_write(&asks), asks.len());
    let mut told = world.count(Count::templates);
    for _ in 0..200 {
        world.turn(1);
        let now = world.count(Count::templates);
        assert!(now <= told + 2, "{now} after {told}");
        told = now;
    }
    client.pass(&mut world, ms(10));
    assert_eq!(client.take().len(), 16);
}

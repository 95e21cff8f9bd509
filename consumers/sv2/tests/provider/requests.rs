//! Requests for the transactions of a template.

use crate::raw::{ROOM, Raw};
use crate::source::{basis, transaction, work};
use crate::world::{World, ms, secs, settings};
use bytes::Bytes;
use sockman_sv2::wire::{Constraints, Message};
use sockman_sv2::{Basis, Count, Settings, Work};

/// The answer with so many transactions.
fn data(template: u64, count: u32) -> Message {
    Message::RequestTransactionDataSuccess {
        template,
        excess: vec![0; 32],
        transactions: (0..count)
            .map(|number| transaction(number, 30, 1_000).bytes.clone())
            .collect(),
    }
}

fn error(template: u64, code: &str) -> Message {
    let code = code.to_owned();
    Message::RequestTransactionDataError { template, code }
}

#[test]
fn transactions_are_told_in_the_order_of_the_block_without_the_coinbase() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raw = Raw::fed(&mut world);
    let id = raw.tip().0.template;
    assert_eq!(raw.request(&mut world, id), data(id, 5));
    assert_eq!(world.count(Count::data), 1);
}

#[test]
fn an_empty_block_has_none_and_without_witnesses_there_is_no_excess() {
    let mut world = World::at(settings(), work(1, 0));
    let mut raw = Raw::fed(&mut world);
    let id = raw.tip().0.template;
    assert_eq!(raw.request(&mut world, id), data(id, 0));
    let basis = Basis {
        segwit: false,
        ..basis(2, 100)
    };
    world.set(Work::new(basis, Vec::new()));
    raw.pass(&mut world, ms(2));
    let template = raw.tip().0.template;
    let (excess, transactions) = (Vec::new(), Vec::new());
    assert_eq!(
        raw.request(&mut world, template),
        Message::RequestTransactionDataSuccess {
            template,
            excess,
            transactions
        }
    );
}

#[test]
fn what_a_client_has_no_room_for_it_is_not_told() {
    let all: Vec<_> = (0..39)
        .map(|number| transaction(number, 100_000, 10_000))
        .collect();
    let mut world = World::at(settings(), Work::new(basis(1, 100), all.clone()));
    let mut raw = Raw::ready(&mut world);
    raw.constrain(
        &mut world,
        Constraints {
            size: 900_000,
            sigops: 0,
        },
    );
    let (template, _) = raw.tip();
    let count = usize::try_from((template.value - 5_000_000_000) / 10_000).unwrap();
    assert!(count > 0 && count < 10);
    raw.send(
        &mut world,
        &Message::RequestTransactionData {
            template: template.template,
        },
    );
    raw.pass(&mut world, ms(10));
    let expected: Vec<Bytes> = all[..count].iter().map(|tx| tx.bytes.clone()).collect();
    assert!(matches!(
        &raw.take()[..],
        [Message::RequestTransactionDataSuccess { transactions, .. }] if *transactions == expected
    ));
}

#[test]
fn a_template_that_never_was_is_not_found() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raw = Raw::ready(&mut world);
    assert_eq!(raw.request(&mut world, 1), error(1, "template-id-not-found"));
    raw.constrain(&mut world, ROOM);
    let id = raw.tip().0.template;
    for other in [0, 1, id - 1, id + 1, id + 1_000, u64::MAX] {
        assert_eq!(
            raw.request(&mut world, other),
            error(other, "template-id-not-found")
        );
    }
    // Nor is that of another connection.
    let mut other = Raw::fed(&mut world);
    let others = other.tip().0.template;
    assert!(others > id);
    assert_eq!(other.request(&mut world, id), error(id, "template-id-not-found"));
    assert_eq!(
        raw.request(&mut world, others),
        error(others, "template-id-not-found")
    );
    assert_eq!(world.count(Count::data_unknown), 9);
}

/// It is kept before it is sent: who asks in the same breath gets it.
#[test]
fn a_template_can_be_asked_for_as_soon_as_it_is_sent() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raw = Raw::fed(&mut world);
    let id = raw.tip().0.template;
    let mut bytes = raw.sealed(&Message::CoinbaseOutputConstraints(ROOM));
    let template = id + 1;
    bytes.extend(raw.sealed(&Message::RequestTransactionData { template }));
    raw.write(&mut world, &bytes);
    raw.pass(&mut world, ms(2));
    let heard = raw.take();
    assert!(
        matches!(&heard[..], [Message::NewTemplate(new), Message::SetNewPrevHash(_), last] if new.template == template && *last == data(template, 5)),
        "{heard:?}"
    );
}

#[test]
fn templates_of_an_old_tip_are_told_for_ten_seconds_and_are_stale_then() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raw = Raw::fed(&mut world);
    let old = raw.tip().0.template;
    world.pass(secs(1_000));
    assert_eq!(raw.request(&mut world, old), data(old, 5));
    world.set(work(2, 3));
    raw.pass(&mut world, ms(2));
    let new = raw.tip().0.template;
    raw.pass(&mut world, ms(9_990));
    assert_eq!(raw.request(&mut world, old), data(old, 5));
    assert_eq!(world.clients()[0].templates, 2);
    raw.pass(&mut world, ms(10));
    assert_eq!(raw.request(&mut world, old), error(old, "stale-template-id"));
    assert_eq!(raw.request(&mut world, new), data(new, 3));
    // It is forgotten without anybody asking.
    assert_eq!(world.clients()[0].templates, 1);
    assert_eq!(world.count(Count::data_stale), 1);
}

#[test]
fn each_tip_has_its_own_ten_seconds() {
    let mut world = World::at(settings(), work(1, 1));
    let mut raw = Raw::fed(&mut world);
    let first = raw.tip().0.template;
    world.set(work(2, 2));
    raw.pass(&mut world, secs(6));
    let second = raw.tip().0.template;
    world.set(work(3, 3));
    raw.pass(&mut world, secs(5));
    raw.tip();
    assert_eq!(raw.request(&mut world, first), error(first, "stale-template-id"));
    assert_eq!(raw.request(&mut world, second), data(second, 2));
    raw.pass(&mut world, secs(5));
    assert_eq!(
        raw.request(&mut world, second),
        error(second, "stale-template-id")
    );
    assert_eq!(world.clients()[0].templates, 1);
}

/// A pool gives the first template of a tip to whoever comes later, and its solutions name the number.
#[test]
fn templates_of_the_last_tip_live_as_long_as_their_client() {
    let settings = Settings {
        interval: ms(0),
        ..settings()
    };
    let mut world = World::at(settings, work(1, 1));
    let mut raw = Raw::fed(&mut world);
    let mut ids = vec![raw.tip().0.template];
    for count in 2..20 {
        world.set(work(1, count));
        raw.pass(&mut world, secs(60));
        ids.push(raw.better().template);
    }
    raw.pass(&mut world, secs(100_000));
    for (id, count) in ids.into_iter().zip(1..) {
        assert_eq!(raw.request(&mut world, id), data(id, count));
    }
}

#[test]
fn of_too_many_templates_the_oldest_are_forgotten_but_for_that_of_the_tip() {
    let settings = Settings {
        interval: ms(0),
        templates: 5,
        ..settings()
    };
    let mut world = World::at(settings, work(1, 1));
    let mut raw = Raw::fed(&mut world);
    let mut ids = vec![raw.tip().0.template];
    for count in 2..=20 {
        world.set(work(1, count));
        raw.pass(&mut world, ms(2));
        ids.push(raw.better().template);
        assert!(world.clients()[0].templates <= 5);
    }
    for (number, id) in ids.into_iter().enumerate() {
        let count = u32::try_from(number).unwrap() + 1;
        let expected = if count == 1 || count > 16 {
            data(id, count)
        } else {
            error(id, "stale-template-id")
        };
        assert_eq!(raw.request(&mut world, id), expected, "{count}");
    }
    // Also who only says its constraints again and again.
    for _ in 0..100 {
        raw.constrain(&mut world, ROOM);
        assert!(world.clients()[0].templates <= 5);
    }
}

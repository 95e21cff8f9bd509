//! Contract 9, and 3, 7 and 14 with it: large messages that are waited for with `want`, which backends read in ways of their own.

use crate::recorder::{Event, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{LIMIT, Stage, pattern, stuff};
use sockman::{Config, Limits, SockMan};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Bytes of the length in front of a message.
const HEAD: usize = 4;

/// The longest message there is room for.
const LONGEST: usize = 1_500_000;

/// Messages that came.
type Messages = Rc<RefCell<Vec<Vec<u8>>>>;

/// A handler of messages, and what it has had. It wants each whole, and sees that it is not called before.
fn framed() -> (Recorder, Messages) {
    let messages = Messages::default();
    let list = messages.clone();
    let mut all_wanted = BTreeMap::new();
    let recorder = Recorder::new().on_received(move |net, conn, data| {
        let wanted = all_wanted.entry(conn).or_insert(0);
        assert!(
            data.len() >= *wanted,
            "{} bytes, where {wanted} are wanted",
            data.len()
        );
        let mut taken = 0;
        loop {
            let rest = &data[taken..];
            let head = rest.first_chunk::<HEAD>().map(|head| u32::from_le_bytes(*head));
            *wanted = HEAD + head.map_or(0, |length| length as usize);
            if head.is_none() || rest.len() < *wanted {
                net.want(conn, *wanted).expect("within the bound");
                return taken;
            }
            list.borrow_mut().push(rest[HEAD..*wanted].to_vec());
            taken += *wanted;
        }
    });
    (recorder, messages)
}

/// Small buffers and budgets, and the usual ones.
fn configs() -> [Config; 2] {
    let limits = Limits {
        unread: HEAD + LONGEST,
        ..Limits::default()
    };
    let usual = Config {
        limits,
        ..Config::default()
    };
    let small = Config {
        read_buffer: 4 << 10,
        byte_budget: BUDGET,
        ..usual.clone()
    };
    [usual, small]
}

const BUDGET: usize = 16 << 10;

fn message(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = (length as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(&pattern(length, seed));
    bytes
}

/// Large and small ones by turns, each once and whole, and the end after the last.
pub fn wanted_messages_of_all_sizes_come_whole<R: Rig>() {
    const SIZES: [usize; 19] = [
        1, 600_000, 0, 16_380, 131_072, 3, 1_000_000, 1_000_000, 65_532, 65_536, 70_000, 10, LONGEST,
        250_000, 131_068, 5_000, LONGEST, 400_000, 7,
    ];
    for config in configs() {
        let (recorder, messages) = framed();
        let mut stage = Stage::<R>::with(&config, recorder);
        let (conn, mut peer) = stage.connect();
        let mut all = Vec::new();
        for (seed, size) in SIZES.into_iter().enumerate() {
            all.extend_from_slice(&message(size, seed as u64));
        }
        stage.write_all(&mut peer, &all);
        stage.until("all messages", |_| messages.borrow().len() == SIZES.len());
        for (seed, size) in SIZES.into_iter().enumerate() {
            assert!(
                messages.borrow()[seed] == pattern(size, seed as u64),
                "message {seed}"
            );
        }
        peer.finish();
        stage.closing(conn);
        assert!(stage.of(conn).contains(&Event::Eof(0)));
    }
}

/// A large message that comes a little at a time, with pauses in it.
pub fn a_wanted_message_may_drip_and_be_paused<R: Rig>() {
    for config in configs() {
        let (recorder, messages) = framed();
        let mut stage = Stage::<R>::with(&config, recorder);
        let (conn, mut peer) = stage.connect();
        for seed in 0..3 {
            let bytes = message(700_000, seed);
            for (number, piece) in bytes.chunks(130_000).enumerate() {
                let paused = number % 2 == 1;
                if paused {
                    stage.driver.with(|_, net| net.pause(conn));
                }
                let written = stuff(&mut peer, piece);
                stage.idle();
                assert_eq!(messages.borrow().len(), seed as usize, "not before the last byte");
                if paused {
                    stage.driver.with(|_, net| net.resume(conn));
                }
                stage.write_all(&mut peer, &piece[written..]);
                if number % 3 == 0 {
                    stage.idle();
                }
                if number == bytes.chunks(130_000).len() - 1 {
                    stage.until("the message", |_| messages.borrow().len() == seed as usize + 1);
                }
            }
            assert!(messages.borrow()[seed as usize] == pattern(700_000, seed));
        }
    }
}

/// The last byte of a wanted message comes while the connection is paused: it is delivered when that is over, and so is the end.
pub fn a_pause_at_the_end_of_a_wanted_message_holds<R: Rig>() {
    for config in configs() {
        let (recorder, messages) = framed();
        let mut stage = Stage::<R>::with(&config, recorder);
        let (conn, mut peer) = stage.connect();
        let bytes = message(500_000, 1);
        let (most, last) = bytes.split_at(bytes.len() - 1_000);
        stage.write_all(&mut peer, most);
        stage.until("most of it", |s| {
            s.driver.with(|_, net| net.info(conn)).map(|info| info.unread) == Some(most.len())
        });
        stage.driver.with(|_, net| net.pause(conn));
        assert_eq!(stuff(&mut peer, last), last.len());
        peer.finish();
        stage.idle();
        assert!(messages.borrow().is_empty() && stage.seen().count(Event::is_eof) == 0);
        stage.driver.with(|_, net| net.resume(conn));
        stage.closing(conn);
        assert!(messages.borrow()[..] == [pattern(500_000, 1)]);
        assert!(stage.of(conn).contains(&Event::Eof(0)));
    }
}

/// A stream that ends inside a wanted message: what came of it is offered, and then the end.
pub fn the_end_inside_a_wanted_message_gives_what_there_is<R: Rig>() {
    for config in configs() {
        let mut wanted = false;
        let recorder = Recorder::new().on_received(move |net, conn, data| {
            if !wanted {
                wanted = true;
                net.want(conn, 1_000_000).expect("within the bound");
                return 0;
            }
            data.len()
        });
        let mut stage = Stage::<R>::with(&config, recorder);
        let (conn, mut peer) = stage.connect();
        let bytes = pattern(600_000, 2);
        stage.write_all(&mut peer, &bytes);
        peer.finish();
        stage.closing(conn);
        assert!(stage.seen().bytes(conn) == bytes);
        let events = stage.of(conn);
        let end = &events[events.len() - 3..];
        assert_eq!(
            end,
            [Event::Received(600_000), Event::Eof(0), Event::Closed("flushed")]
        );
    }
}

/// A connection that is closed inside a wanted message leaves the loop and the others in order.
pub fn closing_inside_a_wanted_message_concerns_nobody_else<R: Rig>() {
    for config in configs() {
        let (recorder, messages) = framed();
        let mut stage = Stage::<R>::with(&config, recorder);
        for round in 0..3 {
            let (conn, mut peer) = stage.connect();
            let bytes = message(1_000_000, 1);
            stage.write_all(&mut peer, &bytes[..600_000]);
            stage.until("some of it", |s| {
                s.driver.with(|_, net| net.info(conn)).map(|info| info.unread) == Some(600_000)
            });
            stage
                .driver
                .with(|_, net| net.disconnect(conn, sockman::Disconnect::Now));
            stuff(&mut peer, &bytes[600_000..]);
            stage.closing(conn);
            let (other, mut next) = stage.connect();
            stage.write_all(&mut next, &message(300_000, round));
            stage.until("the other's message", |_| {
                messages.borrow().len() == round as usize + 1
            });
            assert!(messages.borrow()[round as usize] == pattern(300_000, round));
            stage
                .driver
                .with(|_, net| net.disconnect(other, sockman::Disconnect::Now));
            stage.closing(other);
        }
    }
}

/// However much a flooding peer's handler wants, it is read a budget at a time, and others are answered.
pub fn a_wanted_flood_does_not_starve_the_pings<R: Rig>() {
    let [_, config] = configs();
    let mut first = None;
    let recorder = Recorder::new().on_received(move |net, conn, data| {
        if *first.get_or_insert(conn) == conn {
            net.want(conn, LONGEST).expect("within the bound");
            return if data.len() < LONGEST { 0 } else { LONGEST };
        }
        let _ = net.send(conn, data);
        data.len()
    });
    let mut stage = Stage::<R>::with(&config, recorder);
    let (flooder, mut flood) = stage.connect();
    let block = vec![0xff; 1 << 20];
    stuff(&mut flood, &block);
    stage.until("the flood", |s| s.seen().count(Event::is_received) > 0);
    let mut pings: Vec<_> = (0..20).map(|_| stage.connect()).collect();
    let got = |s: &mut Stage<R>| {
        s.driver
            .with(|_, net| net.info(flooder))
            .map_or(0, |info| info.unread)
    };
    for round in 1..=20 {
        for (_, peer) in &mut pings {
            assert_eq!(stuff(peer, b"ping"), 4);
        }
        let by = stage.rig.now() + LIMIT;
        while (pings.iter()).any(|(conn, _)| stage.seen().bytes(*conn).len() < 4 * round) {
            assert!(stage.rig.now() < by, "starved");
            let (before, whole) = (got(&mut stage), stage.seen().bytes(flooder).len());
            stuff(&mut flood, &block);
            stage.poll();
            let taken = got(&mut stage) + stage.seen().bytes(flooder).len() - whole - before;
            assert!(taken <= BUDGET, "{taken} bytes of one connection in one turn");
        }
        for (_, peer) in &mut pings {
            assert_eq!(stage.read(peer, 4), b"ping");
        }
    }
}

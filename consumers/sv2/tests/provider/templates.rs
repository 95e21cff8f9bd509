//! What clients are told, and when.

use crate::raw::{ROOM, Raw};
use crate::source::{basis, transaction, transaction_with, work};
use crate::world::{BEGIN, World, ms, secs, settings};
use bitcoin::hashes::Hash;
use bitcoin::{Target, TxMerkleNode, merkle_tree};
use sockman_sv2::wire::{Constraints, Message, NewTemplate};
use sockman_sv2::{Basis, Count, Settings, Transaction, Work};
use std::sync::Arc;
use std::time::Duration;

const INTERVAL: Duration = Duration::from_secs(30);

/// The Merkle root of a block with this coinbase, by the template.
fn root(template: &NewTemplate, coinbase: [u8; 32]) -> [u8; 32] {
    let step = |hash: [u8; 32], beside: &[u8; 32]| {
        bitcoin::hashes::sha256d::Hash::hash(&[hash, *beside].concat()).to_byte_array()
    };
    template.merkle_path.iter().fold(coinbase, step)
}

/// The same by the transactions.
fn true_root(coinbase: [u8; 32], transactions: &[Arc<Transaction>]) -> [u8; 32] {
    let txids = transactions.iter().map(|tx| tx.txid.to_byte_array());
    let all = std::iter::once(coinbase).chain(txids);
    let root = merkle_tree::calculate_root(all.map(TxMerkleNode::from_byte_array));
    root.unwrap().to_byte_array()
}

#[test]
fn constraints_are_answered_at_once_with_a_template_and_its_tip() {
    let mut world = World::at(settings(), work(7, 5));
    let mut raw = Raw::ready(&mut world);
    raw.constrain(&mut world, ROOM);
    let (template, prev) = raw.tip();
    let transactions: Vec<_> = (0..5).map(|number| transaction(number, 30, 1_000)).collect();
    assert_eq!(template.value, 5_000_000_000 + 5 * 1_000);
    assert_eq!(template.version, 0x2000_0000);
    assert_eq!(template.coinbase_version, 2);
    assert_eq!(template.coinbase_prefix, [1, 100]);
    assert_eq!(template.coinbase_sequence, u32::MAX);
    assert_eq!(template.coinbase_locktime, 0);
    assert_eq!(root(&template, [3; 32]), true_root([3; 32], &transactions));
    // The one output that commits to witnesses (BIP 141).
    assert_eq!(template.outputs_count, 1);
    assert_eq!(template.outputs.len(), 8 + 1 + 38);
    assert_eq!(
        template.outputs[..15],
        [0, 0, 0, 0, 0, 0, 0, 0, 38, 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed]
    );
    assert_eq!(prev.hash, [7; 32]);
    assert_eq!(prev.bits, 0x207f_ffff);
    let target = Target::from_compact(bitcoin::CompactTarget::from_consensus(0x207f_ffff));
    assert_eq!(prev.target, target.to_le_bytes());
    assert_eq!(u64::from(prev.time), world.unix());
}

#[test]
fn an_empty_block_before_segregated_witness_commits_to_nothing() {
    let basis = Basis {
        segwit: false,
        ..basis(1, 100)
    };
    let mut world = World::at(settings(), Work::new(basis, Vec::new()));
    let (template, _) = Raw::fed(&mut world).tip();
    assert_eq!((template.outputs_count, template.outputs.len()), (0, 0));
    assert!(template.merkle_path.is_empty());
    assert_eq!(template.value, 5_000_000_000);
}

/// BIP 34; and heights that have an opcode.
#[test]
fn the_height_is_what_the_coinbase_begins_with() {
    let mut world = World::new(settings());
    let mut raw = Raw::fed(&mut world);
    let numbers = (1..=16).map(|height| (height, vec![0x50 + u8::try_from(height).unwrap()]));
    let others = [
        (17, vec![1, 17]),
        (127, vec![1, 127]),
        (128, vec![2, 128, 0]),
        (900_000, vec![3, 0xa0, 0xbb, 0x0d]),
    ];
    for (height, prefix) in numbers.chain(others) {
        let tip = u8::try_from(height % 251).unwrap();
        world.set(Work::new(basis(tip, height), Vec::new()));
        raw.pass(&mut world, ms(2));
        assert_eq!(raw.tip().0.coinbase_prefix, prefix, "{height}");
    }
}

#[test]
fn a_client_is_told_at_once_again_when_it_says_its_constraints_again() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raw = Raw::fed(&mut world);
    let mut last = raw.tip().0.template;
    for _ in 0..10 {
        raw.constrain(&mut world, ROOM);
        let (template, _) = raw.tip();
        assert!(template.template > last);
        last = template.template;
    }
}

#[test]
fn on_a_chain_where_nothing_happens_too() {
    let mut world = World::at(settings(), work(1, 5));
    world.pass(secs(1_000_000));
    let mut raw = Raw::fed(&mut world);
    let (_, prev) = raw.tip();
    assert_eq!(u64::from(prev.time), world.unix());
    raw.pass(&mut world, secs(100_000));
    assert!(raw.heard.is_empty());
    raw.constrain(&mut world, ROOM);
    raw.tip();
}

#[test]
fn as_long_as_there_is_no_work_nothing_is_told_and_then_it_is() {
    let mut world = World::new(settings());
    let mut raws: Vec<Raw> = (0..3).map(|_| Raw::fed(&mut world)).collect();
    let mut quiet = Raw::ready(&mut world);
    raws[0].pass(&mut world, secs(100));
    raws[0].constrain(&mut world, ROOM);
    assert!(raws[0].heard.is_empty());
    world.set(work(1, 2));
    for raw in &mut raws {
        raw.pass(&mut world, ms(2));
        raw.tip();
    }
    // Who has not asked is not told.
    quiet.pass(&mut world, ms(2));
    assert!(quiet.heard.is_empty() && !quiet.closed);
}

#[test]
fn a_new_tip_is_told_to_all_at_once() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raws: Vec<Raw> = (0..20).map(|_| Raw::fed(&mut world)).collect();
    let mut ids: Vec<u64> = raws.iter_mut().map(|raw| raw.tip().0.template).collect();
    for tip in 2..10 {
        world.set(work(tip, u32::from(tip)));
        // The turn that the wake begins, and one for what of it is left.
        world.turn(2);
        for (raw, id) in raws.iter_mut().zip(&mut ids) {
            raw.hear();
            let (template, prev) = raw.tip();
            assert_eq!(prev.hash, [tip; 32]);
            assert!(template.template > *id);
            *id = template.template;
        }
    }
    assert_eq!(world.count(Count::prev_hashes), 20 * 9);
}

/// A pool to which a miner connects between the two cannot go on.
#[test]
fn a_template_and_its_tip_leave_together() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raw = Raw::ready(&mut world);
    let before = world.writes();
    raw.constrain(&mut world, ROOM);
    assert_eq!(world.writes() - before, 1);
    raw.tip();
    let before = world.writes();
    world.set(work(2, 5));
    raw.pass(&mut world, ms(2));
    assert_eq!(world.writes() - before, 1);
    raw.tip();
}

#[test]
fn a_target_that_changes_makes_a_new_tip_of_the_same_parent() {
    let mut world = World::at(settings(), work(1, 5));
    let mut raw = Raw::fed(&mut world);
    raw.tip();
    let basis = Basis {
        bits: bitcoin::CompactTarget::from_consensus(0x1d00_ffff),
        ..basis(1, 100)
    };
    world.set(Work::new(basis, Vec::new()));
    raw.pass(&mut world, ms(2));
    let (_, prev) = raw.tip();
    assert_eq!((prev.hash, prev.bits), ([1; 32], 0x1d00_ffff));
}

#[test]
fn the_time_is_the_present_or_what_the_chain_allows_if_that_is_later() {
    let now = u32::try_from(BEGIN).unwrap();
    for (least, expected) in [(now - 10, now), (now + 77, now + 77)] {
        let basis = Basis {
            least_time: least,
            ..basis(1, 100)
        };
        let mut world = World::at(settings(), Work::new(basis, Vec::new()));
        let (_, prev) = Raw::fed(&mut world).tip();
        assert_eq!(prev.time, expected);
    }
}

#[test]
fn better_fees_are_told_at_most_every_interval() {
    let mut world = World::at(settings(), work(1, 1));
    let mut raw = Raw::fed(&mut world);
    let (first, _) = raw.tip();
    // At once it is too early, and when it is time the latest is told.
    for count in [3, 5, 7] {
        world.set(work(1, count));
        raw.pass(&mut world, secs(9));
        assert!(raw.heard.is_empty());
    }
    raw.pass(&mut world, secs(4));
    let second = raw.better();
    assert_eq!(second.value, 5_000_000_000 + 7_000);
    assert!(second.template > first.template);
    // After that the interval begins anew.
    world.set(work(1, 9));
    raw.pass(&mut world, secs(26));
    assert!(raw.heard.is_empty());
    raw.pass(&mut world, secs(4));
    assert_eq!(raw.better().value, 5_000_000_000 + 9_000);
    // When it is over already, it is told at once.
    raw.pass(&mut world, INTERVAL);
    world.set(work(1, 10));
    world.turn(2);
    raw.hear();
    assert_eq!(raw.better().value, 5_000_000_000 + 10_000);
}

#[test]
fn only_so_much_more_is_worth_telling() {
    let fees = |fee| Work::new(basis(1, 100), vec![transaction(0, 0, fee)]);
    let mut world = World::at(
        Settings {
            fee_delta: 500,
            interval: Duration::ZERO,
            ..settings()
        },
        fees(1_000),
    );
    let mut raw = Raw::fed(&mut world);
    raw.tip();
    for fee in [1_000, 1_499, 10, 0] {
        world.set(fees(fee));
        raw.pass(&mut world, secs(60));
        assert!(raw.heard.is_empty(), "{fee}");
    }
    world.set(fees(1_500));
    raw.pass(&mut world, ms(2));
    assert_eq!(raw.better().value, 5_000_001_500);
    world.set(fees(2_100));
    raw.pass(&mut world, ms(2));
    assert_eq!(raw.better().value, 5_000_002_100);
}

#[test]
fn a_template_of_the_same_tip_has_its_own_transactions() {
    let settings = Settings {
        interval: Duration::ZERO,
        ..settings()
    };
    let mut world = World::at(settings, work(1, 2));
    let mut raw = Raw::fed(&mut world);
    raw.tip();
    world.set(work(1, 40));
    raw.pass(&mut world, ms(2));
    let template = raw.better();
    let transactions: Vec<_> = (0..40).map(|number| transaction(number, 30, 1_000)).collect();
    assert_eq!(root(&template, [5; 32]), true_root([5; 32], &transactions));
}

#[test]
fn numbers_rise_also_from_one_connection_to_the_next() {
    let mut world = World::at(settings(), work(1, 1));
    let mut last = 0;
    for tip in 2..30 {
        // Within the same second, and over one.
        let mut raw = Raw::fed(&mut world);
        world.set(work(tip, 1));
        raw.pass(&mut world, ms(2));
        for message in raw.take() {
            if let Message::NewTemplate(template) = message {
                assert!(template.template > last, "{} after {last}", template.template);
                last = template.template;
            }
        }
        if tip % 5 == 0 {
            world.pass(secs(1));
        }
    }
}

#[test]
fn a_provider_that_is_started_again_goes_on_with_higher_numbers() {
    let mut world = World::at(settings(), work(1, 1));
    let (before, _) = Raw::fed(&mut world).tip();
    let mut later = World::at(settings(), work(1, 1));
    later.pass(secs(1));
    let (after, _) = Raw::fed(&mut later).tip();
    assert!(after.template > before.template);
}

/// A client with outputs that take a lot of room has fewer transactions: the first ones, whatever comes behind.
#[test]
fn constraints_cut_the_block() {
    // Ten of a hundred thousand weight units, and then some that would fit beside them.
    let large = (0..39).map(|number| transaction(number, 100_000, 10_000));
    let small = (100..120).map(|number| transaction(number, 0, 1));
    let all: Vec<_> = large.chain(small).collect();
    let each = u64::from(all[0].weight);
    let count_in = |weight: u64| usize::try_from(weight / each).unwrap();
    let mut world = World::at(settings(), Work::new(basis(1, 100), all.clone()));
    let mut raw = Raw::ready(&mut world);
    // Header, number of transactions, and the coinbase but for the client's outputs, by the specification.
    let besides = 4 * (80 + 9 + 150 + 9 + 47) + 36;
    for size in [0, 1_000, 100_000, 250_000, 500_000, 900_000, 999_600] {
        raw.constrain(&mut world, Constraints { size, sigops: 0 });
        let (template, _) = raw.tip();
        let room = 4_000_000_u64.saturating_sub(besides + 4 * u64::from(size));
        let count = count_in(room).min(39);
        let expected = if count == 39 { &all[..] } else { &all[..count] };
        let fees: u64 = expected.iter().map(|tx| tx.fee).sum();
        assert_eq!(template.value, 5_000_000_000 + fees, "{size}");
        assert_eq!(root(&template, [1; 32]), true_root([1; 32], expected), "{size}");
    }
}

#[test]
fn signature_operations_cut_the_block() {
    let all: Vec<_> = (0..100)
        .map(|number| transaction_with(number, 0, 1_000, 1_000))
        .collect();
    let mut world = World::at(settings(), Work::new(basis(1, 100), all.clone()));
    let mut raw = Raw::ready(&mut world);
    // A thousand of the client's cost four thousand; and who needs few has the room that is usual.
    for (sigops, count) in [
        (0, 79),
        (250, 79),
        (251, 78),
        (1_000, 76),
        (19_750, 1),
        (20_000, 0),
    ] {
        raw.constrain(&mut world, Constraints { size: 100, sigops });
        let (template, _) = raw.tip();
        assert_eq!(template.value, 5_000_000_000 + count * 1_000, "{sigops}");
    }
}

#[test]
fn who_leaves_no_room_for_a_block_is_hung_up_on() {
    for room in [
        Constraints {
            size: u32::MAX,
            sigops: 0,
        },
        Constraints {
            size: 1_000_000,
            sigops: 0,
        },
        Constraints {
            size: 0,
            sigops: 20_001,
        },
    ] {
        let mut world = World::at(settings(), work(1, 1));
        let mut raw = Raw::ready(&mut world);
        raw.constrain(&mut world, room);
        assert!(raw.closed && raw.heard.is_empty(), "{room:?}");
        assert_eq!(world.count(Count::no_room), 1);
        // Also if that is known only later.
        let mut world = World::new(settings());
        let mut raw = Raw::ready(&mut world);
        raw.constrain(&mut world, room);
        let mut other = Raw::fed(&mut world);
        world.set(work(1, 1));
        other.pass(&mut world, ms(2));
        raw.hear();
        assert!(raw.closed && raw.heard.is_empty(), "{room:?}");
        other.tip();
    }
}

/// Clients with different room have different templates of the same work.
#[test]
fn each_client_has_the_templates_that_it_has_room_for() {
    let all: Vec<_> = (0..39)
        .map(|number| transaction(number, 100_000, 10_000))
        .collect();
    let mut world = World::new(settings());
    let sizes = [0, 200_000, 0, 400_000, 600_000, 400_000];
    let mut raws: Vec<Raw> = sizes.map(|_| Raw::ready(&mut world)).into();
    for (raw, size) in raws.iter_mut().zip(sizes) {
        raw.constrain(&mut world, Constraints { size, sigops: 0 });
    }
    for tip in 1..4 {
        world.set(Work::new(basis(tip, 100), all.clone()));
        let mut values = Vec::new();
        for raw in &mut raws {
            raw.pass(&mut world, ms(2));
            values.push(raw.tip().0.value - 5_000_000_000);
        }
        assert_eq!(values, [390_000, 310_000, 390_000, 230_000, 150_000, 230_000]);
    }
}

//! Blocks that clients find.

use crate::raw::{Raw, solved};
use crate::source::{basis, transaction, work};
use crate::world::{World, ms, secs, settings};
use bitcoin::consensus::encode::deserialize;
use bitcoin::{Amount, Block, OutPoint, ScriptBuf, TxOut, Witness};
use sockman_sv2::wire::{Message, Submission};
use sockman_sv2::{Basis, Count, Job, Solution, Work};

/// Hands it in. Gives what the source was handed on.
fn submit(world: &mut World, raw: &mut Raw, found: Submission) -> Vec<Solution> {
    raw.send(world, &Message::SubmitSolution(found));
    raw.pass(world, ms(2));
    assert!(!raw.closed && raw.heard.is_empty(), "it is not answered");
    world.mine.solved()
}

/// A world, a client, and a job by its template.
fn found(work: Work) -> (World, Raw, Job) {
    let mut world = World::at(settings(), work);
    let mut raw = Raw::fed(&mut world);
    let (template, prev) = raw.tip();
    let job = solved(&template, &prev);
    (world, raw, job)
}

/// What is handed on is the block that was found, as others judge it.
#[track_caller]
fn is_block(solution: &Solution, job: &Job, count: usize) {
    let bytes = solution.block();
    let block: Block = deserialize(&bytes).unwrap();
    assert_eq!(block.header, job.header);
    assert_eq!(block.block_hash(), solution.hash());
    assert!(block.check_merkle_root());
    assert!(block.check_witness_commitment());
    assert!(block.header.validate_pow(block.header.target()).is_ok());
    assert_eq!(block.txdata.len(), 1 + count);
    assert_eq!(block.txdata[0].compute_txid(), job.coinbase.compute_txid());
}

/// The job as it is after `change`, solved again, is refused.
#[track_caller]
fn refused(change: impl Fn(&mut Job)) {
    let (mut world, mut raw, mut job) = found(work(1, 3));
    change(&mut job);
    job.seal();
    assert!(job.solve(1_000));
    assert!(submit(&mut world, &mut raw, job.submission()).is_empty());
    assert_eq!(world.count(Count::solutions_refused), 1);
    // And is right without it.
    let (template, prev) = {
        raw.constrain(&mut world, crate::raw::ROOM);
        raw.tip()
    };
    let right = solved(&template, &prev);
    assert_eq!(submit(&mut world, &mut raw, right.submission()).len(), 1);
}

#[test]
fn a_block_that_was_found_is_handed_on() {
    for count in [0, 1, 2, 7] {
        let (mut world, mut raw, job) = found(work(1, count));
        let solutions = submit(&mut world, &mut raw, job.submission());
        assert_eq!(solutions.len(), 1);
        is_block(&solutions[0], &job, count as usize);
        assert_eq!(solutions[0].height(), 100);
        assert_eq!(world.count(Count::solutions), 1);
    }
}

#[test]
fn at_every_height_and_with_both_forms_of_the_coinbase() {
    for height in (1..=17).chain([128, 300, 900_000]) {
        for stripped in [false, true] {
            let (mut world, mut raw, mut job) = found(Work::new(
                basis(1, height),
                vec![transaction(1, 50, 10), transaction(2, 0, 10)],
            ));
            if stripped {
                job.coinbase.input[0].witness = Witness::new();
            }
            let solutions = submit(&mut world, &mut raw, job.submission());
            assert_eq!(solutions.len(), 1, "{height} {stripped}");
            is_block(&solutions[0], &job, 2);
            let block: Block = deserialize(&solutions[0].block()).unwrap();
            if height >= 17 {
                assert_eq!(block.bip34_block_height(), Ok(u64::from(height)));
            }
        }
    }
}

#[test]
fn a_block_before_segregated_witness_has_none() {
    let basis = Basis {
        segwit: false,
        ..basis(1, 100)
    };
    let (mut world, mut raw, mut job) = found(Work::new(basis, vec![transaction(1, 0, 10)]));
    let solutions = submit(&mut world, &mut raw, job.submission());
    assert_eq!(solutions.len(), 1);
    is_block(&solutions[0], &job, 1);
    // Pools send one all the same: it is taken off.
    job.coinbase.input[0].witness = Witness::from_slice(&[[0; 32]]);
    let solutions = submit(&mut world, &mut raw, job.submission());
    assert_eq!(solutions.len(), 1);
    is_block(&solutions[0], &job, 1);
    let block: Block = deserialize(&solutions[0].block()).unwrap();
    assert!(block.txdata[0].input[0].witness.is_empty());
}

#[test]
fn the_version_may_change_where_it_is_the_miners() {
    for bit in 0..32 {
        let (mut world, mut raw, mut job) = found(work(1, 1));
        let version = job.header.version.to_consensus() ^ (1_i32 << bit);
        job.header.version = bitcoin::block::Version::from_consensus(version);
        assert!(job.solve(1_000));
        // BIP 323.
        let expected = usize::from((5..29).contains(&bit));
        let solutions = submit(&mut world, &mut raw, job.submission());
        assert_eq!(solutions.len(), expected, "bit {bit}");
    }
}

#[test]
fn the_time_may_be_any_that_the_chain_allows() {
    for (time, expected) in [(999, 0), (1_000, 1), (1_700_007_000, 1)] {
        let (mut world, mut raw, mut job) = found(work(1, 1));
        job.header.time = time;
        assert!(job.solve(1_000));
        let solutions = submit(&mut world, &mut raw, job.submission());
        assert_eq!(solutions.len(), expected, "{time}");
    }
}

#[test]
fn the_hash_must_be_below_the_target() {
    let (mut world, mut raw, mut job) = found(work(1, 1));
    let target = job.header.target();
    let mut right = 0;
    for nonce in 0..100 {
        job.header.nonce = nonce;
        let solves = target.is_met_by(job.header.block_hash());
        right += u64::from(solves);
        let solutions = submit(&mut world, &mut raw, job.submission());
        assert_eq!(solutions.len(), usize::from(solves), "{nonce}");
    }
    assert!(right > 20 && right < 80);
    assert_eq!(world.count(Count::solutions), right);
    assert_eq!(world.count(Count::solutions_refused), 100 - right);
}

#[test]
fn the_coinbase_must_be_one() {
    refused(|job| job.coinbase.input[0].previous_output = OutPoint::new(job.coinbase.compute_txid(), 0));
    refused(|job| {
        let again = job.coinbase.input[0].clone();
        job.coinbase.input.push(again);
    });
    for bytes in [&[][..], &[1], &[0xff; 100]] {
        let (mut world, mut raw, job) = found(work(1, 1));
        let broken = Submission {
            coinbase: bytes.to_vec(),
            ..job.submission()
        };
        assert!(submit(&mut world, &mut raw, broken).is_empty());
        let mut longer = job.submission();
        longer.coinbase.push(0);
        assert!(submit(&mut world, &mut raw, longer).is_empty());
        let mut shorter = job.submission();
        shorter.coinbase.pop();
        assert!(submit(&mut world, &mut raw, shorter).is_empty());
        assert_eq!(submit(&mut world, &mut raw, job.submission()).len(), 1);
    }
}

#[test]
fn its_script_must_begin_with_the_height_and_have_2_to_100_bytes() {
    refused(|job| job.coinbase.input[0].script_sig = ScriptBuf::from_bytes(vec![1, 101, 0, 0]));
    refused(|job| job.coinbase.input[0].script_sig = ScriptBuf::new());
    let script = |length: usize| {
        let mut script = vec![1, 100];
        script.resize(length, 0);
        ScriptBuf::from_bytes(script)
    };
    refused(|job| job.coinbase.input[0].script_sig = script(101));
    for length in [2, 3, 100] {
        let (mut world, mut raw, mut job) = found(work(1, 1));
        job.coinbase.input[0].script_sig = script(length);
        job.seal();
        assert!(job.solve(1_000));
        assert_eq!(submit(&mut world, &mut raw, job.submission()).len(), 1);
    }
    // At the first heights the number alone is too short.
    for (script, expected) in [(vec![0x55], 0), (vec![0x55, 0], 1)] {
        let (mut world, mut raw, mut job) = found(Work::new(basis(1, 5), Vec::new()));
        job.coinbase.input[0].script_sig = ScriptBuf::from_bytes(script);
        job.seal();
        assert!(job.solve(1_000));
        assert_eq!(submit(&mut world, &mut raw, job.submission()).len(), expected);
    }
}

#[test]
fn it_must_commit_to_the_witnesses() {
    refused(|job| {
        job.coinbase.output.pop();
    });
    refused(|job| job.coinbase.output.swap(0, 1));
    refused(|job| {
        let last = job.coinbase.output.last_mut().unwrap();
        let mut script = last.script_pubkey.to_bytes();
        script[20] ^= 1;
        last.script_pubkey = script.into();
    });
    refused(|job| job.coinbase.input[0].witness = Witness::from_slice(&[[1; 32]]));
    refused(|job| job.coinbase.input[0].witness = Witness::from_slice(&[[0; 31]]));
    refused(|job| job.coinbase.input[0].witness = Witness::from_slice(&[[0; 32], [0; 32]]));
}

#[test]
fn it_may_pay_what_there_is_and_not_more() {
    refused(|job| job.coinbase.output[0].value += Amount::from_sat(1));
    refused(|job| job.coinbase.output[0].value = Amount::MAX);
    refused(|job| {
        let more = TxOut {
            value: Amount::from_sat(u64::MAX),
            script_pubkey: ScriptBuf::new(),
        };
        job.coinbase.output.insert(0, more);
    });
    let (mut world, mut raw, mut job) = found(work(1, 3));
    job.coinbase.output[0].value = Amount::ZERO;
    job.seal();
    assert!(job.solve(1_000));
    assert_eq!(submit(&mut world, &mut raw, job.submission()).len(), 1);
}

/// A block with a coinbase without outputs is none, also where nothing is to be committed to.
#[test]
fn it_must_have_outputs() {
    let basis = Basis {
        segwit: false,
        ..basis(1, 100)
    };
    let (mut world, mut raw, mut job) = found(Work::new(basis, Vec::new()));
    job.coinbase.output.clear();
    job.seal();
    assert!(job.solve(1_000));
    assert!(submit(&mut world, &mut raw, job.submission()).is_empty());
}

/// A lock time that is not reached yet makes the coinbase, and so the block, invalid.
#[test]
fn it_must_be_final() {
    let locked = |job: &mut Job| {
        job.coinbase.lock_time = bitcoin::absolute::LockTime::from_consensus(100);
        job.coinbase.input[0].sequence = bitcoin::Sequence(0);
    };
    refused(locked);
    for (lock, sequence) in [(99, 0), (100, u32::MAX), (0, 0), (1_699_999_000, 5)] {
        let (mut world, mut raw, mut job) = found(work(1, 1));
        job.coinbase.lock_time = bitcoin::absolute::LockTime::from_consensus(lock);
        job.coinbase.input[0].sequence = bitcoin::Sequence(sequence);
        job.seal();
        assert!(job.solve(1_000));
        let expected = usize::from(lock < 500_000_000);
        let solutions = submit(&mut world, &mut raw, job.submission());
        assert_eq!(solutions.len(), expected, "{lock}");
    }
}

/// A coinbase of more than the client has said makes the block too large.
#[test]
fn it_must_leave_the_block_its_room() {
    let all: Vec<_> = (0..39)
        .map(|number| transaction(number, 100_000, 10_000))
        .collect();
    let weight: u64 = all.iter().map(|tx| u64::from(tx.weight)).sum();
    for (more, expected) in [(0_u64, 1), (1, 0)] {
        let (mut world, mut raw, mut job) = found(Work::new(basis(1, 100), all.clone()));
        let weigh = |job: &Job| 4 * (80 + 1) + job.coinbase.weight().to_wu() + weight;
        // An output in front that fills the block to the last unit, or one byte more.
        job.coinbase.output.insert(
            0,
            TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::from_bytes(vec![0; 300]),
            },
        );
        let left = (4_000_000 - weigh(&job)) / 4;
        assert!(left < 60_000);
        job.coinbase.output[0].script_pubkey =
            ScriptBuf::from_bytes(vec![0; usize::try_from(300 + left + more).unwrap()]);
        job.seal();
        assert!(job.solve(1_000));
        let solutions = submit(&mut world, &mut raw, job.submission());
        assert_eq!(solutions.len(), expected, "{}", weigh(&job));
    }
}

#[test]
fn and_its_signature_operations() {
    let all: Vec<_> = (0..79)
        .map(|number| crate::source::transaction_with(number, 0, 1_000, 1_000))
        .collect();
    // Each OP_CHECKSIG costs four: 250 are left.
    for (count, expected) in [(250, 1), (251, 0)] {
        let (mut world, mut raw, mut job) = found(Work::new(basis(1, 100), all.clone()));
        job.coinbase.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0xac; count]);
        job.seal();
        assert!(job.solve(1_000));
        let solutions = submit(&mut world, &mut raw, job.submission());
        assert_eq!(solutions.len(), expected, "{count}");
    }
}

#[test]
fn the_largest_coinbase_that_can_be_sent_is_read() {
    let (mut world, mut raw, mut job) = found(work(1, 1));
    let room = 65_535 - job.submission().coinbase.len() - 9 - 2;
    job.coinbase.output.insert(
        0,
        TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::from_bytes(vec![0; room]),
        },
    );
    job.seal();
    assert!(job.solve(1_000));
    assert!(job.submission().coinbase.len() > 65_000);
    let solutions = submit(&mut world, &mut raw, job.submission());
    assert_eq!(solutions.len(), 1);
    is_block(&solutions[0], &job, 1);
}

#[test]
fn a_template_that_is_not_known_has_no_solution() {
    let (mut world, mut raw, job) = found(work(1, 1));
    for template in [0, job.template - 1, job.template + 1, u64::MAX] {
        let other = Submission {
            template,
            ..job.submission()
        };
        assert!(submit(&mut world, &mut raw, other).is_empty());
    }
    assert_eq!(world.count(Count::solutions_unknown), 4);
    // Nor is it another client's.
    let mut other = Raw::fed(&mut world);
    other.take();
    assert!(submit(&mut world, &mut other, job.submission()).is_empty());
}

/// Whether a block beside the tip is of use, the source decides; until the template is forgotten.
#[test]
fn an_old_template_has_solutions_as_long_as_it_is_kept() {
    let (mut world, mut raw, job) = found(work(1, 1));
    assert_eq!(submit(&mut world, &mut raw, job.submission()).len(), 1);
    assert_eq!(submit(&mut world, &mut raw, job.submission()).len(), 1);
    world.set(work(2, 1));
    raw.pass(&mut world, secs(9));
    raw.tip();
    assert_eq!(submit(&mut world, &mut raw, job.submission()).len(), 1);
    raw.pass(&mut world, secs(1));
    assert!(submit(&mut world, &mut raw, job.submission()).is_empty());
    assert_eq!(world.count(Count::solutions_unknown), 1);
}

#[test]
fn a_template_of_the_same_tip_has_solutions_too() {
    let (mut world, mut raw, _) = found(work(1, 1));
    raw.constrain(&mut world, crate::raw::ROOM);
    let (_, prev) = raw.tip();
    raw.pass(&mut world, secs(40));
    world.set(work(1, 30));
    raw.pass(&mut world, ms(2));
    let job = solved(&raw.better(), &prev);
    let solutions = submit(&mut world, &mut raw, job.submission());
    assert_eq!(solutions.len(), 1);
    is_block(&solutions[0], &job, 30);
}

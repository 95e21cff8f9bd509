//! Whatever comes and goes: all sums are what the links say, limits hold, and a block can be made of every beginning of what is chosen.

use crate::rig::{NEXT, NOW, VALUE, accept, candidate, coin, ledger, mined, out, spend};
use bitcoin::{OutPoint, ScriptBuf, Transaction, Txid};
use proptest::prelude::*;
use sockman_p2p::pool::{Pool, PoolSettings, Refused, Sums};
use std::collections::{BTreeMap, BTreeSet, HashSet};

const COINS: u32 = 12;

/// What happens to a pool.
#[derive(Clone, Debug)]
enum Event {
    /// A transaction comes that spends some coins, and some outputs of others that have come.
    Come {
        spends: Vec<usize>,
        outputs: usize,
        fee: u64,
        size: usize,
    },
    /// A block has some of those that have come, whether all that they need is in it or not.
    Mined(Vec<usize>),
    /// The chain is another one, with the same coins.
    Again,
}

fn event() -> impl Strategy<Value = Event> {
    let come = (
        prop::collection::vec(0..64_usize, 1..4),
        1..4_usize,
        0..5_000_u64,
        prop_oneof![Just(22_usize), 22..4_000_usize],
    );
    let come = come.prop_map(|(spends, outputs, fee, size)| Event::Come {
        spends,
        outputs,
        fee,
        size,
    });
    prop_oneof![
        20 => come,
        1 => prop::collection::vec(0..64_usize, 1..4).prop_map(Event::Mined),
        1 => Just(Event::Again),
    ]
}

/// All that one needs in the pool, and it itself, by its parents alone; or all that need it, by their children.
fn closure(pool: &Pool, txid: Txid, up: bool) -> BTreeSet<Txid> {
    let mut all = BTreeSet::new();
    let mut open = vec![txid];
    while let Some(txid) = open.pop() {
        if all.insert(txid) {
            let entry = pool.get(&txid).expect("links lead to what is there");
            if up {
                open.extend(entry.parents());
            } else {
                open.extend(entry.children());
            }
        }
    }
    all
}

fn sum<'a>(pool: &Pool, txids: impl IntoIterator<Item = &'a Txid>) -> Sums {
    let mut sum = Sums::default();
    for txid in txids {
        sum += pool.get(txid).expect("it is there").own();
    }
    sum
}

fn check(pool: &Pool) {
    let settings = pool.settings();
    assert!(pool.len() <= settings.count && pool.bytes() <= settings.bytes);
    let entries = pool.in_order();
    let txids: Vec<Txid> = entries.iter().map(|entry| entry.transaction().txid).collect();
    assert_eq!(pool.total(), sum(pool, &txids));
    let mut seen = HashSet::new();
    let mut spent = BTreeMap::new();
    for entry in entries {
        let txid = entry.transaction().txid;
        assert!(
            entry.parents().all(|parent| seen.contains(&parent)),
            "parents first"
        );
        seen.insert(txid);
        let (up, down) = (closure(pool, txid, true), closure(pool, txid, false));
        assert_eq!(entry.ancestors(), sum(pool, &up));
        assert_eq!(entry.descendants(), sum(pool, &down));
        assert!(up.len() <= settings.ancestors);
        let tx: Transaction = bitcoin::consensus::deserialize(&entry.transaction().bytes).unwrap();
        for input in &tx.input {
            let of = &input.previous_output;
            assert_eq!(spent.insert(*of, txid), None, "spent twice");
            assert_eq!(pool.spender(of), Some(txid));
            let is_parent = entry.parents().any(|parent| parent == of.txid);
            assert_eq!(is_parent, pool.get(&of.txid).is_some());
        }
    }
}

/// Every beginning has parents first; together they are within the limits; and nothing is left out that has room.
fn check_choice(pool: &Pool, weight: u64, sigops: u64) {
    let chosen = pool.select(weight, sigops);
    let mut seen = HashSet::new();
    let (mut used_weight, mut used_sigops) = (0, 0);
    for tx in &chosen {
        let entry = pool.get(&tx.txid).expect("only what is there");
        assert!(
            entry.parents().all(|parent| seen.contains(&parent)),
            "parents first"
        );
        assert!(seen.insert(tx.txid), "once");
        used_weight += u64::from(tx.weight);
        used_sigops += u64::from(tx.sigops);
    }
    assert!(used_weight <= weight && used_sigops <= sigops);
    for entry in pool.in_order() {
        let txid = entry.transaction().txid;
        if !seen.contains(&txid) && entry.parents().all(|parent| seen.contains(&parent)) {
            let own = entry.own();
            let has_room = used_weight + own.weight <= weight && used_sigops + own.sigops <= sigops;
            assert!(!has_room, "one more would have had room");
        }
    }
    // No package that was passed over pays more than the first one.
    let first = chosen.first().map(|_| {
        let rate = |entry: &&sockman_p2p::pool::Entry| entry.ancestors();
        let fits = |sums: &Sums| sums.weight <= weight && sums.sigops <= sigops;
        let all = pool.in_order().into_iter().map(|entry| rate(&entry)).filter(fits);
        all.max_by(Sums::cmp_rate).unwrap()
    });
    if let Some(best) = first {
        let mut sum = Sums::default();
        let is_best = chosen.iter().any(|tx| {
            sum += pool.get(&tx.txid).unwrap().own();
            sum.cmp_rate(&best).is_eq()
        });
        assert!(is_best, "the best comes first");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_and_goes(
        events in prop::collection::vec(event(), 1..60),
        count in 1..30_usize,
        bytes in 3_000..60_000_usize,
        ancestors in 1..8_usize,
        weight in 0..60_000_u64,
        sigops in 0..200_u64,
    ) {
        let settings = PoolSettings { bytes, count, ancestors, min_feerate: 0 };
        let mut pool = Pool::new(settings, NEXT);
        let mut ledger = ledger(COINS);
        let mut values: BTreeMap<OutPoint, u64> = (0..COINS).map(|number| (coin(number), VALUE)).collect();
        let mut come: Vec<Transaction> = Vec::new();
        for event in events {
            match event {
                Event::Come { spends, outputs, fee, size } => {
                    let known: Vec<OutPoint> = values.keys().copied().collect();
                    let spends: BTreeSet<OutPoint> = spends.iter().map(|at| known[at % known.len()]).collect();
                    let spends: Vec<OutPoint> = spends.into_iter().collect();
                    let total: u64 = spends.iter().map(|spent| values[spent]).sum();
                    let each = total.saturating_sub(fee) / outputs as u64;
                    let mut tx = spend(&spends, &vec![each; outputs]);
                    // Every hundredth byte is a signature operation.
                    let script: Vec<u8> = (0..size).map(|at| if at % 100 == 7 { 0xac } else { 0x51 }).collect();
                    tx.output[0].script_pubkey = ScriptBuf::from_bytes(script);
                    let before: BTreeSet<Txid> = pool.in_order().iter().map(|entry| entry.transaction().txid).collect();
                    match accept(&mut pool, &ledger, &tx) {
                        Ok(fee) => {
                            prop_assert_eq!(fee, total - each * outputs as u64);
                            for vout in 0..outputs as u32 {
                                values.insert(out(&tx, vout), each);
                            }
                            come.push(tx);
                        }
                        Err(why) => {
                            let after: BTreeSet<Txid> = pool.in_order().iter().map(|entry| entry.transaction().txid).collect();
                            prop_assert_eq!(before, after, "{}", why);
                            let is_expected = matches!(
                                why,
                                Refused::Full | Refused::Conflict | Refused::MissingInputs | Refused::Known
                                    | Refused::TooManyAncestors(_) | Refused::Confirmed
                            );
                            prop_assert!(is_expected, "{}", why);
                        }
                    }
                }
                Event::Mined(which) if !come.is_empty() => {
                    let txs: Vec<&Transaction> = which.iter().map(|at| &come[at % come.len()]).collect();
                    let block: Vec<_> = txs.iter().map(|tx| mined(tx)).collect();
                    for tx in txs {
                        for input in &tx.input {
                            ledger.coins.remove(&input.previous_output);
                        }
                        for (vout, output) in (0..).zip(&tx.output) {
                            let one = sockman_p2p::coins::Coin { value: output.value.to_sat(), height: 990, coinbase: false };
                            ledger.coins.insert(out(tx, vout), one);
                        }
                    }
                    pool.connect(&block, NEXT);
                    prop_assert!(block.iter().all(|mined| pool.get(&mined.txid).is_none()));
                }
                Event::Mined(_) => {}
                Event::Again => {
                    let lost: Vec<_> = come.iter().take(3).map(candidate).collect();
                    pool.reorganise(lost, &ledger, NEXT, NOW).unwrap();
                }
            }
            check(&pool);
        }
        check_choice(&pool, weight, sigops);
        check_choice(&pool, 4_000_000, 80_000);
    }
}

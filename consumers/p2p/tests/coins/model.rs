//! Whatever blocks come, in whatever order: the index has what somebody has who keeps every coin in a map.

use crate::rig::{World, small};
use proptest::prelude::*;
use sockman_p2p::chain::generate::{FIRST_SPEND, GenerateOptions, Generator};
use sockman_p2p::coins::CoinsOptions;

/// What happens to a chain.
#[derive(Clone, Debug)]
enum Event {
    /// So many blocks come on the branch that grows.
    Grow(usize),
    /// Another branch begins, so many blocks below the end of this one.
    Fork { below: usize, seed: u64 },
    /// The index takes so many steps.
    Steps(usize),
    /// It is closed, and opened again.
    Reopen,
    /// A step is begun and not ended.
    Abandon,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..6_usize).prop_map(Event::Grow),
        2 => (0..9_usize, any::<u64>()).prop_map(|(below, seed)| Event::Fork { below, seed }),
        3 => (1..4_usize).prop_map(Event::Steps),
        1 => Just(Event::Reopen),
        1 => Just(Event::Abandon),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_is_what_the_blocks_say(
        events in prop::collection::vec(event(), 1..25),
        step_coins in 1..200_usize,
        undo in 0..12_u32,
    ) {
        let options = CoinsOptions { step_coins, undo, ..small() };
        let mut world = World::new();
        let mut coins = world.open(options.clone());
        // All generators of the branch that grows, by height, so that another can begin at any.
        let start = Generator::new(GenerateOptions { blocks: 400, txs: 6, full: 0, ..GenerateOptions::default() });
        let mut line = vec![start];
        let grow = |world: &mut World, line: &mut Vec<Generator>| {
            let mut next = line.last().unwrap().clone();
            world.give(&next.next().unwrap());
            line.push(next);
        };
        for _ in 0..FIRST_SPEND + 2 {
            grow(&mut world, &mut line);
        }
        world.follow(&mut coins);
        for event in events {
            match event {
                Event::Grow(count) => (0..count).for_each(|_| grow(&mut world, &mut line)),
                Event::Fork { below, seed } => {
                    line.truncate(line.len() - below);
                    let last = line.last_mut().unwrap();
                    *last = last.branch(seed);
                }
                Event::Steps(count) => {
                    for _ in 0..count {
                        world.step(&mut coins);
                    }
                }
                Event::Reopen => {
                    drop(coins);
                    coins = world.open(options.clone());
                }
                Event::Abandon => world.abandon(&coins),
            }
            let view = coins.view().unwrap();
            prop_assert_eq!(view.at(), coins.at());
        }
        world.check(&coins);
        world.follow(&mut coins);
        world.check(&coins);
        prop_assert_eq!(coins.missing(), 0);
    }
}

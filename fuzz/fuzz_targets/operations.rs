//! Any operations on any connections, from the loop, from remotes and from peers, against a model; under any faults.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sockman_backends::sim::{Fault, Plan, Sim, SimLevel, Simulated as Backend, When};
use sockman_tests::model::{Step, World};
use sockman_tests::{Net, Simulated, Tcp, Unix};

#[derive(Arbitrary, Debug)]
struct Script {
    is_level: bool,
    is_unix: bool,
    seed: u64,
    /// Each fault happens at one of so many opportunities; below two none does.
    one_in: u8,
    steps: Vec<Step>,
}

fuzz_target!(|script: Script| {
    match (script.is_level, script.is_unix) {
        (false, false) => play::<Sim, Tcp>(&script),
        (false, true) => play::<Sim, Unix>(&script),
        (true, false) => play::<SimLevel, Tcp>(&script),
        (true, true) => play::<SimLevel, Unix>(&script),
    }
});

fn play<B: Backend, N: Net>(script: &Script) {
    let plan = Plan::new(script.seed);
    let plan = match script.one_in {
        0 | 1 => plan,
        // A reset that a partition swallows is never heard of, and no time limit is set here.
        one_in => plan.by_chance(one_in.into()).with(Fault::Partition, When::Never),
    };
    let mut world = World::on(Simulated::<B, N>::planned(plan));
    for step in &script.steps {
        world.carry_out(*step);
    }
    world.end();
}

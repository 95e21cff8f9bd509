//! Any operations on any connections, from the loop, from remotes and from peers, against a model; under any faults.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sockman_backends::sim::{Fault, Plan, Sim, SimLevel, Simulated as Backend};
use sockman_explorer::feed::Likely;
use sockman_tests::model::{Step, World};
use sockman_tests::{Net, Simulated, Tcp, Unix};

#[derive(Arbitrary, Debug)]
struct Script {
    is_level: bool,
    is_unix: bool,
    seed: u64,
    faults: Vec<Likely>,
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
    // The model knows of no connection that breaks by itself. A reset that a partition swallows is never heard of, and no
    // time limit is set here.
    let faults = script.faults.iter().filter(|likely| likely.fault().is_survived());
    let faults = faults.filter(|likely| likely.fault() != Fault::Partition);
    let plan = faults.fold(Plan::new(script.seed), |plan, likely| likely.add_to(plan));
    let mut world = World::on(Simulated::<B, N>::planned(plan));
    for step in &script.steps {
        world.carry_out(*step);
    }
    world.end();
}

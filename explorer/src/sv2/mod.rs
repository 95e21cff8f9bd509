//! A template provider, under clients that ask, mine, stall, lie and do not read, while its work changes.
//!
//! - this file: two hosts, a provider and the clients, run until everything is over
//! - `place`: the provider's settings; `watch`: what must hold of it after each of its turns
//! - `model`: the work that there was, and the solutions that were handed in; `outside`: who changes the work, and stops the provider
//! - `client`: the handler of the clients; `talk`: what one of them says, and the way it goes wrong; `hears`: what it must be told
//!
//! What is promised: numbers of templates rise, from one connection to the next as well; a tip names the future template that
//! was sent just before it; every template is what its work and the client's constraints make it; every request has the one answer
//! that is right, in order; solutions are handed on if they are right, and only then; a client that does not read delays no other;
//! and when all is quiet everybody has been told the last tip, and what it pays.

mod client;
mod hears;
mod model;
mod outside;
mod place;
mod talk;
mod watch;

use crate::case::Run;
use crate::checked::{Checked, Fates, Turns};
use crate::ends::{self, is_idle};
use crate::surroundings;
use client::Client;
use model::Model;
use outside::Outside;
use place::{PATIENCE, PORT, Providers};
use sockman::Driver;
use sockman_backends::sim::{Ran, Sim, SimLevel, Simulated};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use watch::Watch;

/// No scenario takes longer, in the network's time.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// The loops are looked at at least as often.
const HASTE: Duration = Duration::from_secs(5);

/// No scenario takes more steps of the network.
const MOST_STEPS: u64 = 2_000_000;

type Clients<B> = Driver<B, Checked<Client>>;

pub(crate) fn scenario(run: &mut Run) {
    match run.random.u8(0..4) {
        0 => explore::<Sim, Sim>(run),
        1 => explore::<SimLevel, SimLevel>(run),
        2 => explore::<Sim, SimLevel>(run),
        _ => explore::<SimLevel, Sim>(run),
    }
}

fn explore<A: Simulated, B: Simulated>(run: &mut Run) {
    let network = run.network.clone();
    let (near, far) = (network.host(), network.host());
    let (here_fates, there_fates) = (Fates::default(), Fates::default());
    let settings = place::settings(&mut run.random, &near);
    let here = place::config(&mut run.random, &settings);
    let there = place::clients_config(&surroundings::config(&mut run.random));
    let model = Rc::new(RefCell::new(Model::new(&mut run.random, &near, &settings)));
    let (provider, key) =
        place::start::<A>(run, &near, &here, &settings, &model, (&here_fates, &there_fates));
    let client = Client::new(run, near.at(PORT), key, &settings, &model);
    let client = Checked::new(client, "client", &there, &network).between(&there_fates, &here_fates);
    let backend = far.backend(&there).expect("the settings are right");
    let mut client: Clients<B> = Driver::with_backend(backend, client);
    client.with(|client, net| client.with(net, |client, net| client.begin(net)));
    let mut outside = Outside::new(run, &model);
    let mut watch = Watch::new(&model, &settings);
    let mut turns = [Turns::new(&here), Turns::new(&there)];
    let mut steps = 0;
    let mut loops: (Providers<A>, Clients<B>) = (provider, client);
    loop {
        let ran = network.run_until(&mut loops, HASTE, |(provider, client)| {
            steps += 1;
            assert!(steps < MOST_STEPS, "the loops do not come to rest");
            turns[0].check(&network, provider);
            turns[1].check(&network, client);
            watch.check(provider);
            outside.act(provider);
            is_idle(provider) && client.handler().handler().is_over() && is_idle(client)
        });
        if ran.expect("no turn fails") == Ran::Done {
            break;
        }
        assert!(
            network.elapsed() < LONGEST,
            "not everything is over: {}",
            loops.1.handler().handler().status()
        );
        // Who changes the work does so also while the network is quiet.
        outside.hurry(&loops.0);
        let clients_are_over = loops.1.handler().handler().is_over() && is_idle(&loops.1);
        if run.deaf && clients_are_over {
            // A client that is gone is not missed: only its kernel could say so (keep-alive), and that is not simulated.
            outside.stop(&loops.0, PATIENCE);
        }
    }
    // What is still on its way arrives.
    let until = network.elapsed() + LONGEST;
    while network.elapsed() < until {
        // (Whoever turns a loop that is stopped turns it for ever.)
        let ran = if loops.0.is_stopped() {
            network.run_until(&mut loops.1, HASTE * 10, |_| false)
        } else {
            network.run_until(&mut loops, HASTE * 10, |_| false)
        };
        if ran.expect("no turn fails") == Ran::Quiet {
            break;
        }
    }
    assert!(
        network.elapsed() < until,
        "everything is over, and the loops go on"
    );
    let (mut provider, client) = loops;
    ends::check(
        run,
        &network,
        (&near, &far),
        &mut provider,
        &client,
        outside.has_stopped(),
    );
}

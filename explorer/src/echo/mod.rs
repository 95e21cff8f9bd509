//! The echo server, under clients that do everything to their connections.
//!
//! - this file: two hosts, a server and a client, run until everything is over; what is done to them from outside
//! - `server`: the handler of the server; `client`: the handler of the client; `stream`: what one of its connections sends and hears
//! - `outside`: another thread, and crashes
//!
//! The server runs the handler of `sockman echo` as it is, or with a last word after its client's end. Its own promise: each
//! byte comes back once, in order, and when a client has finished, all of them have come back before the end.

mod client;
mod outside;
mod server;
mod stream;

use crate::case::Run;
use crate::checked::{Checked, Fates, Turns};
use crate::ends::{self, count, is_idle};
use crate::surroundings;
use client::Client;
use outside::Outside;
use server::Server;
use sockman::{Config, Driver, ListenOptions, SockMan};
use sockman_backends::sim::{Host, Ran, Sim, SimLevel, Simulated};
use sockman_node::Echo;
use std::time::Duration;

/// No scenario takes longer, in the network's time. (A peer that is cut off is given up after a quarter of an hour.)
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// No scenario takes more steps of the network.
const MOST_STEPS: u64 = 500_000;

const PORT: u16 = 7;

/// What became of connections at each end.
#[derive(Default)]
struct Both {
    server: Fates,
    client: Fates,
}

type Servers<B> = Driver<B, Checked<Server>>;
type Clients<B> = Driver<B, Checked<Client>>;

pub(crate) fn scenario(run: &mut Run) {
    match run.random.u8(0..4) {
        0 => explore::<Sim, Sim>(run),
        1 => explore::<SimLevel, SimLevel>(run),
        2 => explore::<Sim, SimLevel>(run),
        _ => explore::<SimLevel, Sim>(run),
    }
}

/// Where an end may never hear that the other has reset, connections on which nothing moves are closed after this long.
const PATIENCE: Duration = Duration::from_secs(1_000);

fn serve<B: Simulated>(run: &Run, host: &Host, config: &Config, fates: &Both) -> Servers<B> {
    let backend = host.backend(config).expect("the settings are right");
    let handler = Server {
        echo: Echo {
            idle_timeout: run.deaf.then_some(PATIENCE),
        },
        late: run.late,
    };
    let handler = Checked::new(handler, "server", config, &run.network).between(&fates.server, &fates.client);
    let mut server: Servers<B> = Driver::with_backend(backend, handler);
    let how = ListenOptions {
        backlog: 16,
        ..ListenOptions::default()
    };
    server
        .with(|_, net| net.listen(&host.at(PORT), &how))
        .expect("the port is free");
    server
}

fn explore<A: Simulated, B: Simulated>(run: &mut Run) {
    let network = run.network.clone();
    let (near, far) = (network.host(), network.host());
    let here = surroundings::config(&mut run.random);
    let there = surroundings::config(&mut run.random);
    let fates = Both::default();
    let client = Client::new(run, near.at(PORT), there.clone(), fates.server.clone());
    let client = Checked::new(client, "client", &there, &network).between(&fates.client, &fates.server);
    let backend = far.backend(&there).expect("the settings are right");
    let mut client: Clients<B> = Driver::with_backend(backend, client);
    let mut server: Option<Servers<A>> = Some(serve(run, &near, &here, &fates));
    client.with(|client, net| client.with(net, |client, net| client.begin(net)));
    let mut outside = Outside::new(run, &near);
    let mut turns = [Turns::new(&here), Turns::new(&there)];
    let mut steps = 0;
    loop {
        let mut loops = (server, client);
        let ran = network.run_until(&mut loops, LONGEST, |(server, client)| {
            steps += 1;
            assert!(steps < MOST_STEPS, "the loops do not come to rest");
            if let Some(server) = server {
                turns[0].check(&network, server);
            }
            turns[1].check(&network, client);
            outside.act(client);
            outside.crash_is_due(server.is_some()) || server.as_ref().is_some_and(is_idle) && is_over(client)
        });
        let ran = ran.expect("no turn fails");
        (server, client) = loops;
        if outside.crashes(server.is_some()) {
            if let Some(server) = &server {
                count(run, server);
            }
            // First the host: a loop that is dropped says good-bye.
            near.crash();
            server = None;
        } else if server.is_none() {
            near.restart();
            server = Some(serve(run, &near, &here, &fates));
            turns[0] = Turns::new(&here);
        } else {
            assert_eq!(
                ran,
                Ran::Done,
                "the network is {ran:?}, and not everything is over"
            );
            break;
        }
    }
    // What is still on its way to nobody.
    let mut loops = (server, client);
    let ran = network
        .run_until(&mut loops, LONGEST, |_| false)
        .expect("no turn fails");
    assert_eq!(ran, Ran::Quiet, "everything is over, and the loops go on");
    let (server, mut client) = loops;
    outside.last_wake(&mut client);
    let mut server = server.expect("it is up when everything is over");
    ends::check(run, &network, (&near, &far), &mut server, &client, false);
}

fn is_over<B: Simulated>(client: &Clients<B>) -> bool {
    client.handler().handler().is_over() && is_idle(client)
}

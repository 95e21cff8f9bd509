//! The HTTP server, under clients that pipeline requests of all kinds.
//!
//! - this file: two hosts, a server and a client, run until everything is over
//! - `request`: requests, and what must be answered to each; `kinds`: what they are about
//! - `app`: what the server serves; `outside`: answers from other threads, and stopping
//! - `client`: the handler of the client; `talk`: what one of its connections sends and hears; `reader`: answers, as they come
//!
//! What is promised: each request gets the one answer that its model tells (status, body, framing, and whether the connection
//! stays), in order; nothing behind the last one is served; what the application has begun is answered, also when the
//! server is stopped. Only faults that break connections excuse what is missing, and nothing excuses what is wrong.

mod app;
mod client;
mod kinds;
mod outside;
mod reader;
mod request;
mod talk;

use crate::case::Run;
use crate::checked::{Checked, Fates, Turns};
use crate::ends::{self, is_idle};
use crate::surroundings;
use app::{App, Shared};
use client::Client;
use fastrand::Rng;
use outside::Outside;
use sockman::{Config, Driver, Limits as ConnectionLimits, ListenOptions};
use sockman_backends::sim::{Host, Ran, Sim, SimLevel, Simulated};
use sockman_http::{Clock, Limits, Server, Settings};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

/// No scenario takes longer, in the network's time.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Other threads do something in any such time.
const HASTE: Duration = Duration::from_secs(10);

/// No scenario takes more steps of the network.
const MOST_STEPS: u64 = 2_000_000;

/// Nothing takes so long but what will never come: an end may never hear that the other has reset.
const PATIENCE: Duration = Duration::from_secs(1_000);

const PORT: u16 = 80;

type Servers<B> = Driver<B, Checked<Server<App>>>;
type Clients<B> = Driver<B, Checked<Client>>;

pub(crate) fn scenario(run: &mut Run) {
    match run.random.u8(0..4) {
        0 => explore::<Sim, Sim>(run),
        1 => explore::<SimLevel, SimLevel>(run),
        2 => explore::<Sim, SimLevel>(run),
        _ => explore::<SimLevel, Sim>(run),
    }
}

/// Settings of the server: small ones, so that their bounds are met.
fn settings(random: &mut Rng) -> Settings {
    let mut pick = |from: &[usize]| from[random.usize(0..from.len())];
    Settings {
        limits: Limits {
            request_line: 300,
            head: 500,
            body: 20_000,
            chunk_line: 50,
            trailers: 100,
            ..Limits::default()
        },
        head_within: PATIENCE,
        body_stall: PATIENCE,
        response_stall: PATIENCE,
        idle: PATIENCE,
        linger: PATIENCE,
        pipeline: pick(&[1, 2, 5, 64]),
        held: pick(&[0, 1_000, 100_000]),
        discard: pick(&[10, 300, 10_000]) as u64,
        requests: Some(pick(&[1, 3, 6, 1_000, 1_000, 1_000]) as u64),
        request_ids: pick(&[0, 1]) == 1,
        clock: Clock::Since(UNIX_EPOCH + Duration::from_secs(784_111_777)),
        ..Settings::default()
    }
}

fn serve<B: Simulated>(
    run: &mut Run,
    host: &Host,
    config: &Config,
    settings: Settings,
    shared: &Rc<Shared>,
    fates: (&Fates, &Fates),
) -> Servers<B> {
    let backend = host.backend(config).expect("the settings are right");
    let server = Server::new(App::new(shared), settings);
    let handler = Checked::new(server, "server", config, &run.network).between(fates.0, fates.1);
    let mut server: Servers<B> = Driver::with_backend(backend, handler);
    let how = ListenOptions {
        backlog: 16,
        limits: Some(config.limits.clone()),
        ..ListenOptions::default()
    };
    server
        .with(|server, net| server.with(net, |server, net| server.listen(net, &host.at(PORT), &how)))
        .expect("the port is free");
    server
}

/// What loops have in common with those of other targets, but for bounds within which the server can work.
fn config(random: &mut Rng) -> Config {
    let config = surroundings::config(random);
    Config {
        limits: ConnectionLimits {
            unread: config.limits.unread.max(600),
            queued: 4 << 20,
            ..config.limits
        },
        ..config
    }
}

fn explore<A: Simulated, B: Simulated>(run: &mut Run) {
    let network = run.network.clone();
    let (near, far) = (network.host(), network.host());
    let (here, there) = (config(&mut run.random), config(&mut run.random));
    let settings = settings(&mut run.random);
    let (here_fates, there_fates) = (Fates::default(), Fates::default());
    let shared = Rc::<Shared>::default();
    let mut server: Servers<A> = serve(
        run,
        &near,
        &here,
        settings.clone(),
        &shared,
        (&here_fates, &there_fates),
    );
    let client = Client::new(run, near.at(PORT), settings, &shared, here_fates.clone());
    let client = Checked::new(client, "client", &there, &network).between(&there_fates, &here_fates);
    let backend = far.backend(&there).expect("the settings are right");
    let mut client: Clients<B> = Driver::with_backend(backend, client);
    client.with(|client, net| client.with(net, |client, net| client.begin(net)));
    let mut outside = Outside::new(run, &shared);
    let mut turns = [Turns::new(&here), Turns::new(&there)];
    let mut steps = 0;
    let mut loops = (server, client);
    loop {
        let ran = network.run_until(&mut loops, HASTE, |(server, client)| {
            steps += 1;
            assert!(steps < MOST_STEPS, "the loops do not come to rest");
            turns[0].check(&network, server);
            turns[1].check(&network, client);
            outside.act(server);
            is_idle(server) && client.handler().handler().is_over() && is_idle(client)
        });
        let ran = ran.expect("no turn fails");
        if ran == Ran::Done {
            break;
        }
        // Perhaps everybody waits for another thread. If for nobody, something was lost.
        let goes_on = outside.hurry() || ran == Ran::TimeUp && network.elapsed() < LONGEST;
        assert!(
            goes_on,
            "the network is {ran:?}, and not everything is over: {}",
            loops.1.handler().handler().status()
        );
    }
    // What is still on its way arrives, and what other threads still have to say goes nowhere.
    let until = network.elapsed() + LONGEST;
    loop {
        let ran = network
            .run_until(&mut loops, HASTE * 10, |_| false)
            .expect("no turn fails");
        let is_over = ran == Ran::Quiet || shared.is_stopped() && loops.0.is_stopped();
        if !outside.hurry() && is_over {
            break;
        }
        assert!(
            network.elapsed() < until,
            "everything is over, and the loops go on"
        );
    }
    (server, client) = loops;
    shared.finish();
    ends::check(
        run,
        &network,
        (&near, &far),
        &mut server,
        &client,
        shared.is_stopped(),
    );
}

//! How a run of two loops ends.

use crate::case::Run;
use crate::checked::Checked;
use sockman::{Driver, Handler, SockMan as _};
use sockman_backends::sim::{Host, Network, Simulated};

/// Whether a loop has no connections.
pub(crate) fn is_idle<B: Simulated, H: Handler>(driver: &Driver<B, H>) -> bool {
    driver.backend().net().connections() == 0
}

/// Adds what a loop has done to what the run has.
pub(crate) fn count<B: Simulated, H: Handler>(run: &mut Run, driver: &Driver<B, Checked<H>>) {
    let stats = driver.backend().net().stats();
    run.turns += stats.turns;
    run.bytes += stats.bytes_in;
    run.opened += driver.handler().opened();
}

/// Everything is over: both handlers have been told all there was to be told, and nothing is left but the server's listener, if it
/// was not `told_to_stop`. `hosts`: the server's and the client's.
pub(crate) fn check<A: Simulated, B: Simulated, S: Handler, C: Handler>(
    run: &mut Run,
    network: &Network,
    hosts: (&Host, &Host),
    server: &mut Driver<A, Checked<S>>,
    client: &Driver<B, Checked<C>>,
    told_to_stop: bool,
) {
    client.handler().finish();
    server.handler().finish();
    count(run, server);
    count(run, client);
    let listeners = usize::from(!told_to_stop);
    assert_eq!(
        network.sockets(),
        listeners,
        "sockets are left beside the listener"
    );
    assert_eq!(
        (hosts.0.descriptors(), hosts.1.descriptors()),
        (listeners, 0),
        "descriptors are left"
    );
    assert!(
        listeners == 1 || server.is_stopped(),
        "it was stopped, and goes on"
    );
}

//! What a node counts, as text in Prometheus' exposition format.

use super::context::Context;
use sockman_http::{Counters, metrics};
use sockman_p2p::store::Store;
use std::fmt::{Display, Write as _};

/// The counters of the P2P protocol, and behind them those of Stratum V2, of the pool and the coins, and of HTTP.
pub(super) fn text<D: Store>(context: &Context<D>, http: &[Counters]) -> String {
    let mut text = String::with_capacity(8192);
    // Copied first: what is made of it need not be made with the node standing still.
    let (counted, bytes, gauges) = context.handle().with(|state| {
        let (chain, peers) = (&state.chain, &state.peers);
        let best = chain.entry(chain.tree().best());
        let tip = chain.entry(chain.tip());
        let gauges = [
            ("height", u64::from(tip.height)),
            ("headers_height", u64::from(best.height)),
            ("tip_time_seconds", u64::from(tip.header.time)),
            ("stored_bytes", chain.stored_bytes()),
            ("blocks_in_flight", state.download.in_flight() as u64),
            ("peers_ready", peers.ready() as u64),
            ("synced", u64::from(state.is_synced())),
        ];
        let directions = (peers.inbound(), peers.len() - peers.inbound());
        (state.counters.clone(), state.bytes, (gauges, directions))
    });
    for (name, value) in counted.iter() {
        counter(&mut text, "p2p", name, value);
    }
    counter(&mut text, "p2p", "received_bytes", bytes.0);
    counter(&mut text, "p2p", "sent_bytes", bytes.1);
    let (gauges, (inbound, outbound)) = gauges;
    for (name, value) in gauges {
        gauge(&mut text, "p2p", name, value);
    }
    text.push_str("# TYPE sockman_p2p_peers gauge\n");
    for (direction, count) in [("inbound", inbound), ("outbound", outbound)] {
        let _ = writeln!(text, "sockman_p2p_peers{{direction=\"{direction}\"}} {count}");
    }
    if let Some(sv2) = context.sv2() {
        let counted = sv2.handle.counters();
        for (name, value) in counted.iter() {
            counter(&mut text, "sv2", name, value);
        }
        gauge(&mut text, "sv2", "clients", sv2.handle.clients().len() as u64);
    }
    if let Some(figures) = context.figures() {
        gauge(&mut text, "mempool", "transactions", figures.transactions as u64);
        gauge(&mut text, "mempool", "bytes", figures.bytes as u64);
        gauge(&mut text, "coins", "height", figures.height.into());
        counter(&mut text, "coins", "missing", figures.missing);
    }
    text.push_str(&metrics::text(http));
    text
}

fn counter(text: &mut String, protocol: &str, name: &str, value: impl Display) {
    let name = format_args!("sockman_{protocol}_{name}_total");
    let _ = writeln!(text, "# TYPE {name} counter\n{name} {value}");
}

fn gauge(text: &mut String, protocol: &str, name: &str, value: u64) {
    let name = format_args!("sockman_{protocol}_{name}");
    let _ = writeln!(text, "# TYPE {name} gauge\n{name} {value}");
}

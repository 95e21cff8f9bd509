//! Counters as text, in Prometheus' exposition format.

use crate::reject::Reject;
use crate::server::counters::{Count, Counters};
use std::fmt::Write as _;

/// The media type of [`text`].
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The counters of several servers together, as of one program's loops.
pub fn text(servers: &[Counters]) -> String {
    let mut text = String::with_capacity(4096);
    for count in Count::ALL {
        let name = format!("sockman_http_{}_total", count.name());
        let _ = writeln!(
            text,
            "# TYPE {name} counter\n{name} {}",
            sum(servers, |server| server.get(*count))
        );
    }
    let open = sum(servers, |server| server.get(Count::connections))
        .saturating_sub(sum(servers, |server| server.get(Count::connections_closed)));
    let _ = writeln!(
        text,
        "# TYPE sockman_http_connections_open gauge\nsockman_http_connections_open {open}"
    );
    text.push_str("# TYPE sockman_http_responses_total counter\n");
    let mut statuses: Vec<u16> = (servers.iter())
        .flat_map(|server| server.statuses().map(|(status, _)| status))
        .collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let count = sum(servers, |server| server.status(status));
        let _ = writeln!(text, "sockman_http_responses_total{{code=\"{status}\"}} {count}");
    }
    text.push_str("# TYPE sockman_http_rejects_total counter\n");
    for why in Reject::ALL {
        let count = sum(servers, |server| server.rejects(*why));
        let name = why.name();
        let _ = writeln!(text, "sockman_http_rejects_total{{reason=\"{name}\"}} {count}");
    }
    text
}

fn sum(servers: &[Counters], what: impl Fn(&Counters) -> u64) -> u64 {
    servers.iter().map(what).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    #[test]
    fn servers_are_added_up() {
        let (a, b) = (Counters::new(), Counters::new());
        a.add(Count::connections);
        a.add(Count::connections);
        a.add(Count::connections_closed);
        b.add(Count::connections);
        a.answered(StatusCode::OK);
        b.answered(StatusCode::OK);
        b.answered(StatusCode::NOT_FOUND);
        a.rejected(Reject::Field);
        let text = text(&[a, b]);
        for line in [
            "sockman_http_connections_total 3",
            "sockman_http_connections_open 2",
            "sockman_http_responses_total{code=\"200\"} 2",
            "sockman_http_responses_total{code=\"404\"} 1",
            "sockman_http_rejects_total{reason=\"Field\"} 1",
            "sockman_http_rejects_total{reason=\"Coding\"} 0",
        ] {
            assert!(
                text.lines().any(|other| other == line),
                "{line} is not in\n{text}"
            );
        }
    }
}

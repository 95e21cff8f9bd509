//! The access log: one line for each request, whatever becomes of it.

use crate::rig::{Rig, get, ms, secs};
use sockman_http::Settings;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Counts lines.
struct Lines(Arc<AtomicUsize>);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sockman_http::access"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn every_request_has_its_line() {
    let lines = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Lines(lines.clone()), || {
        let mut rig = Rig::new(Settings::default());
        for request in [
            get("/answered"),
            "REFUSED\r\n\r\n".to_owned(),
            get("/stream?count=1&size=3&length=10"),
            get("/deferred?never"),
            get("/stream?count=100&size=3&ms=100"),
        ] {
            let before = lines.load(Ordering::Relaxed);
            let mut client = rig.connect();
            rig.send(&mut client, &request);
            rig.pass(ms(50), &mut [&mut client]);
            client.reset();
            rig.wait(secs(1));
            assert_eq!(lines.load(Ordering::Relaxed) - before, 1, "{request}");
        }
    });
}

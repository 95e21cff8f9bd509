//! What level triggering has of its own.

use crate::Rig;
use crate::common::stage;
use sockman::{Config, Sent, SockMan};
use sockman_backends::sim::{Fault, Plan, When};
use sockman_tests::{Recorder, Rig as _, Stage, pattern, stuff};

/// A report of a hang-up that is not so does not silence a connection that waits to send: it still hears of room.
#[test]
fn a_wrong_hang_up_does_not_silence_a_blocked_writer() {
    let recorder = || {
        Recorder::new()
            .on_received(|net, conn, data| {
                if net.send(conn, data).is_ok_and(Sent::is_high) {
                    net.pause(conn);
                }
                data.len()
            })
            .on_drained(|net, conn| net.resume(conn))
    };
    let data = pattern(2 << 20, 1);
    let mut lies = 0;
    for seed in 0..20 {
        let mut stage = stage(Plan::default(), recorder());
        let (conn, mut peer) = stage.connect();
        let mut written = 0;
        stage.until("it is blocked and paused", |s| {
            written += stuff(&mut peer, &data[written..]);
            s.driver.with(|_, net| net.info(conn)).expect("open").paused
        });
        // What it is told from here on may be wrong, and it cannot go on before its peer reads.
        stage
            .rig
            .network
            .set_plan(Plan::new(seed).with(Fault::Spurious, When::Every(1)));
        let at = stage.at.clone();
        let _others = [stage.rig.connect(&at), stage.rig.connect(&at)];
        stage.idle();
        let mut other = stage.rig.connect(&at);
        stuff(&mut other, b"x");
        stage.idle();
        lies += stage.rig.network.count();
        let heard = stage.read(&mut peer, written);
        assert!(data.starts_with(&heard), "seed {seed}");
    }
    assert!(lies > 20, "{lies}");
}

/// The same settings, and the kernel says so.
#[test]
fn it_says_that_it_is_level_triggered() {
    let mut stage = Stage::on(Rig::new(), &Config::default(), Recorder::new());
    assert_eq!(stage.stats().interface, "simulated, level-triggered");
}

//! What the kernel does by itself when little is lent to it, and what is left when all is over.

use sockman::{Config, SockMan};
use sockman_backends::Uring;
use sockman_backends::uring::faults::{self, Plan, install};
use sockman_tests::faults::Crowd;
use sockman_tests::{Real, Recorder, Rig, Stage, Tcp, Unix, pattern, stuff, take};

/// A pool that two hundred paused connections could drain many times over serves a live one.
fn dry<R: Rig<Backend = Uring>>(plan: Plan) {
    install(plan);
    let config = Config {
        lent_buffers: 4 << 10,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::echo());
    let mut silent: Vec<_> = (0..200).map(|_| stage.connect()).collect();
    let paused: Vec<_> = silent.iter().map(|(conn, _)| *conn).collect();
    stage
        .driver
        .with(|_, net| paused.iter().for_each(|conn| net.pause(*conn)));
    let mut live = Crowd::connect(&mut stage, 1, 100_000);
    for (number, (_, peer)) in silent.iter_mut().enumerate() {
        assert_eq!(stuff(peer, &pattern(10_000, number as u64)), 10_000);
    }
    for _ in 0..3 {
        live.talk(&mut stage);
    }
    assert!(faults::dried() > 0, "the pool was never dry");
    assert!(paused.iter().all(|conn| stage.seen().bytes(*conn).is_empty()));
    stage.driver.with(|_, net| {
        let (free, count) = faults::lent(net).expect("Linux 6.8");
        assert_eq!(free, count, "paused connections hold buffers");
        for conn in &paused {
            net.resume(*conn);
        }
    });
    for (number, (conn, peer)) in silent.iter_mut().enumerate() {
        let data = pattern(10_000, number as u64);
        assert!(stage.read(peer, data.len()) == data);
        assert!(stage.seen().bytes(*conn) == data);
    }
}

#[test]
fn a_dry_pool_serves_who_is_not_paused() {
    dry::<Real<Uring, Unix>>(Plan::default());
    dry::<Real<Uring, Tcp>>(Plan::default());
}

#[test]
fn a_dry_pool_of_an_old_kernel_serves_who_is_not_paused() {
    dry::<Real<Uring, Unix>>(Plan::default().old_kernel());
}

/// Hundreds of connections send at once, and many more completions come than the queue holds.
fn overflowing<R: Rig<Backend = Uring>>(plan: Plan, batch_from: usize) {
    install(plan.queues(4));
    let config = Config {
        batch_from,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::echo());
    let mut crowd = Crowd::connect(&mut stage, 300, 2_000);
    for _ in 0..3 {
        crowd.talk(&mut stage);
    }
    assert!(faults::overflows() > 0, "the queue never overflowed");
    // All of them end at once, too.
    let conns = stage.seen().opened();
    drop(crowd);
    stage.until("all are closed", |stage| {
        stage.seen().closings.len() == conns.len()
    });
}

#[test]
fn the_completion_queue_may_overflow() {
    overflowing::<Real<Uring, Unix>>(Plan::default(), 0);
    overflowing::<Real<Uring, Tcp>>(Plan::default(), 4);
}

#[test]
fn the_completion_queue_of_an_old_kernel_may_overflow() {
    overflowing::<Real<Uring, Unix>>(Plan::default().old_kernel(), 0);
}

/// What newer kernels have is not needed, and which way was taken is told.
#[test]
fn an_old_kernel_serves() {
    install(Plan::default().old_kernel());
    let mut stage = Stage::<Real<Uring, Tcp>>::new(Recorder::echo());
    let how = stage.stats().interface;
    assert!(how.contains("cooperative"), "{how}");
    let mut crowd = Crowd::connect(&mut stage, 20, 100_000);
    crowd.talk(&mut stage);
    let conns = stage.seen().opened();
    crowd.check(&stage, &conns);
    for peer in crowd.peers() {
        let mut more = Vec::new();
        take(peer, &mut more, 1).expect("the peer's read");
        assert!(more.is_empty(), "more than was said");
    }
}

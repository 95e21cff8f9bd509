//! Contract 16: the caller owns the loop: driven from a foreign poll(2) or epoll it does the same.

use crate::recorder::{Event, Recorder};
use crate::rig::{Machine, Peer};
use crate::stage::{LIMIT, Stage, pattern, stuff, take};
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use sockman::{Config, SockMan};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// A foreign loop: waits for one descriptor; whether it became readable.
trait Foreign {
    fn new(fd: &impl AsFd) -> Self;
    fn wait(&mut self, fd: &impl AsFd, timeout: Duration) -> bool;
}

struct Poll;

struct Epoll(OwnedFd);

fn timespec(timeout: Duration) -> Timespec {
    // Rounded up to the millisecond, as a loop that knows no finer unit does.
    let whole = Duration::from_millis(timeout.as_nanos().div_ceil(1_000_000) as u64);
    Timespec::try_from(whole).expect("some seconds")
}

impl Foreign for Poll {
    fn new(_: &impl AsFd) -> Self {
        Poll
    }

    fn wait(&mut self, fd: &impl AsFd, timeout: Duration) -> bool {
        let mut fds = [PollFd::new(fd, PollFlags::IN)];
        match poll(&mut fds, Some(&timespec(timeout))) {
            Ok(count) => count > 0,
            Err(error) => panic!("poll: {}", io::Error::from(error)),
        }
    }
}

impl Foreign for Epoll {
    fn new(fd: &impl AsFd) -> Self {
        let foreign = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll");
        epoll::add(&foreign, fd, epoll::EventData::new_u64(1), epoll::EventFlags::IN).expect("epoll_ctl");
        Epoll(foreign)
    }

    fn wait(&mut self, _: &impl AsFd, timeout: Duration) -> bool {
        let mut events = Vec::with_capacity(4);
        let room = rustix::buffer::spare_capacity(&mut events);
        epoll::wait(&self.0, room, Some(&timespec(timeout))).expect("epoll_wait") > 0
    }
}

/// One round of a foreign loop: sleeps on the driver's descriptor until its next deadline at most, then a turn that does
/// not wait. Fails the script when nothing came in time.
fn round<R: Machine, F: Foreign>(stage: &mut Stage<R>, foreign: &mut F) {
    let now = Instant::now();
    let until = stage.driver.next_deadline();
    let timeout = until
        .map_or(LIMIT, |at| at.saturating_duration_since(now))
        .min(LIMIT);
    let readable = foreign.wait(&stage.driver, timeout);
    assert!(
        readable || timeout < LIMIT,
        "the foreign loop slept over something"
    );
    stage.poll();
}

fn foreign_loop<R: Machine, F: Foreign>() {
    let config = Config {
        read_buffer: 1 << 10,
        byte_budget: 4 << 10,
        accept_budget: 3,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::echo());
    let mut foreign = F::new(&stage.driver);

    // Accepting, over several turns.
    let at = stage.at.clone();
    let mut peers: Vec<_> = (0..10).map(|_| stage.rig.connect(&at)).collect();
    while stage.seen().opened().len() < 10 {
        round(&mut stage, &mut foreign);
    }
    // More than a turn's budget from each, answered in full.
    let data = pattern(60_000, 1);
    for peer in &mut peers {
        assert_eq!(stuff(peer, &data), data.len());
    }
    let opened = stage.seen().opened();
    while opened
        .iter()
        .any(|conn| stage.seen().bytes(*conn).len() < data.len())
    {
        round(&mut stage, &mut foreign);
    }
    for peer in &mut peers {
        let mut heard = Vec::new();
        while heard.len() < data.len() {
            take(peer, &mut heard, usize::MAX).expect("the peer's read");
            if heard.len() < data.len() && stage.driver.next_deadline().is_some() {
                round(&mut stage, &mut foreign);
            }
        }
        assert!(heard == data);
    }
    // A timer and a deadline, by `next_deadline` alone.
    stage.driver.with(|_, net| {
        net.set_timer(net.now() + Duration::from_millis(20), 1);
        net.set_deadline(opened[0], Some(net.now() + Duration::from_millis(30)));
    });
    while stage.seen().reason(opened[0]).is_none() {
        round(&mut stage, &mut foreign);
    }
    assert_eq!(stage.seen().count(|e| *e == Event::Timer(1)), 1);
    // A remote, between turns.
    stage.driver.remote().wake();
    while stage.seen().count(|e| *e == Event::Woken) == 0 {
        round(&mut stage, &mut foreign);
    }
    // A post from outside callbacks is due at once.
    stage
        .driver
        .with(|_, net| net.post(opened[1], sockman::Bytes::from_static(b"posted")));
    while stage.seen().count(|e| *e == Event::Posted(6)) == 0 {
        round(&mut stage, &mut foreign);
    }
    assert_eq!(stage.hear(&mut peers[1], 6), b"posted");
    // A dial.
    let host = stage.rig.host();
    stage.dial(&crate::rig::Host::at(&host), &sockman::DialOptions::key(9));
    while stage.seen().opened().len() < 11 {
        round(&mut stage, &mut foreign);
    }
    // The ends.
    for peer in &mut peers {
        peer.finish();
    }
    drop(peers);
    while stage.seen().closings.len() < 10 {
        round(&mut stage, &mut foreign);
    }
    // And then it sleeps. (A report may be of what was done meanwhile, but not again and again.)
    stage.idle();
    assert_eq!(stage.driver.next_deadline(), None);
    let quiet = (0..3).find(|_| {
        let readable = foreign.wait(&stage.driver, Duration::from_millis(20));
        stage.poll();
        !readable
    });
    assert!(quiet.is_some(), "readable with nothing to deliver");
}

/// Driven from poll(2): accepting, echoing, timers, deadlines, remotes, posts, dials and ends all come.
pub fn a_foreign_poll_loop_gets_the_same_results<R: Machine>() {
    foreign_loop::<R, Poll>();
}

/// Driven from an epoll of the caller's.
pub fn a_foreign_epoll_loop_gets_the_same_results<R: Machine>() {
    foreign_loop::<R, Epoll>();
}

/// A large send that does not fit leaves as the peer reads, by the descriptor alone.
pub fn a_foreign_loop_is_told_of_writability<R: Machine>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let mut foreign = Poll;
    let data = pattern(12 << 20, 2);
    stage.send(conn, &data).expect("open");
    let mut heard = Vec::new();
    while heard.len() < data.len() {
        let before = heard.len();
        take(&mut peer, &mut heard, usize::MAX).expect("the peer's read");
        if heard.len() == before {
            round(&mut stage, &mut foreign);
        }
    }
    assert!(heard == data);
}

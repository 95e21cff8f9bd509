//! A hundred thousand connections come and go, and everything returns to the start: descriptors, memory, what the kernel has
//! under way and what it was lent.
#![cfg(feature = "uring")]

use sockman::{Config, Conn, Disconnect, Driver, Endpoint, Handler, ListenOptions, Origin, SockMan};
use sockman_backends::Uring;
use sockman_tests::{LIMIT, Peer, Plain, in_child, named, open_descriptors};
use std::fs;
use std::time::{Duration, Instant};

/// Connections at once.
const BATCH: usize = 100;

/// How a connection ends.
#[derive(Clone, Copy)]
enum End {
    /// The peer closes; we answer by closing.
    Peer,
    /// The peer finishes, and waits for our end.
    Finish,
    /// The peer resets (or closes, a Unix socket).
    PeerReset,
    /// We close when the first byte comes.
    Now,
    /// We reset.
    Reset,
    /// We flush and close.
    Flush,
    /// We pause, and close with bytes unread.
    Paused,
}

const ENDS: [End; 7] = [
    End::Peer,
    End::Finish,
    End::PeerReset,
    End::Now,
    End::Reset,
    End::Flush,
    End::Paused,
];

/// Does what the first byte says. Keeps nothing but counts.
#[derive(Default)]
struct Ender {
    opened: usize,
    closed: usize,
}

impl Handler for Ender {
    type Session = ();

    fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
        self.opened += 1;
        Some(())
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        match ENDS.get(usize::from(data[0])) {
            Some(End::Now) => net.disconnect(conn, Disconnect::Now),
            Some(End::Reset) => net.disconnect(conn, Disconnect::Reset),
            Some(End::Flush) => {
                let _ = net.send(conn, data);
                net.disconnect(conn, Disconnect::flush());
            }
            Some(End::Paused) => {
                net.pause(conn);
                net.set_deadline(conn, Some(net.now() + Duration::from_millis(1)));
            }
            _ => {
                let _ = net.send(conn, data);
            }
        }
        data.len()
    }

    fn closed<S: SockMan>(&mut self, _: &mut S, _: Conn, (): (), _: sockman::Closed) {
        self.closed += 1;
    }
}

/// What is to return to the start.
#[derive(Debug, PartialEq)]
struct State {
    descriptors: usize,
    /// Operations that wait, by the kernel's own account.
    waiting: usize,
    connections: usize,
    #[cfg(feature = "uring-faults")]
    under_way: usize,
    #[cfg(feature = "uring-faults")]
    lent: (usize, usize),
}

fn state(driver: &mut Driver<Uring, Ender>) -> State {
    driver.with(|_, net| State {
        descriptors: open_descriptors(),
        waiting: waiting(),
        connections: net.connections(),
        #[cfg(feature = "uring-faults")]
        under_way: sockman_backends::uring::faults::under_way(net),
        #[cfg(feature = "uring-faults")]
        lent: sockman_backends::uring::faults::lent(net).expect("Linux 6.8"),
    })
}

/// How many operations wait in the rings of this process: the kernel lists them with a ring's descriptor.
fn waiting() -> usize {
    let rings = fs::read_dir("/proc/self/fdinfo").expect("/proc is there");
    let texts = rings.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    texts
        .map(|text| {
            text.lines()
                .filter(|line| line.trim_start().starts_with("op="))
                .count()
        })
        .sum()
}

/// Resident memory, in pages; nothing where a sanitizer keeps what is freed. (They reserve terabytes of addresses.)
fn resident() -> Option<usize> {
    let text = fs::read_to_string("/proc/self/statm").expect("/proc is there");
    let mut pages = text.split(' ').map(|number| number.parse().expect("a number"));
    let (all, resident): (usize, usize) = (pages.next()?, pages.next()?);
    (all < 1 << 28).then_some(resident)
}

fn turn_until(driver: &mut Driver<Uring, Ender>, what: &str, done: impl Fn(&Ender) -> bool) {
    let by = Instant::now() + LIMIT;
    while !done(driver.handler()) {
        assert!(Instant::now() < by, "did not happen: {what}");
        driver.turn(Some(Duration::from_millis(1))).expect("a turn");
    }
}

/// A batch of connections comes, says how it is to end, and goes.
fn batch(driver: &mut Driver<Uring, Ender>, at: &Endpoint, number: usize) {
    let mut peers: Vec<_> = (0..BATCH)
        .map(|_| Plain::connect(at).expect("the backlog has room"))
        .collect();
    for (peer, end) in peers.iter_mut().zip((number..).map(|end| end % ENDS.len())) {
        let words = [end as u8, 0, 0, 0];
        assert_eq!(peer.write(&words).expect("it is connected"), words.len());
    }
    let all = driver.handler().opened.next_multiple_of(BATCH) + BATCH;
    turn_until(driver, "all are open", |ender| ender.opened == all);
    let mut stay = Vec::new();
    for (mut peer, end) in peers.into_iter().zip(number..) {
        match ENDS[end % ENDS.len()] {
            End::Peer => drop(peer),
            End::PeerReset => peer.reset(),
            End::Finish => {
                peer.finish();
                stay.push(peer);
            }
            _ => stay.push(peer),
        }
    }
    let by = Instant::now() + LIMIT;
    // Whoever waits for our end closes when it comes.
    while driver.handler().closed < all {
        assert!(Instant::now() < by, "{} of {all} closed", driver.handler().closed);
        driver.turn(Some(Duration::from_millis(1))).expect("a turn");
        stay.retain_mut(|peer| match peer.read(&mut [0; 64]) {
            Ok(count) => count > 0,
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        });
    }
}

fn come_and_go(max_connections: usize, at: &Endpoint, batches: usize) {
    let config = Config {
        max_connections: Some(max_connections),
        ..Config::default()
    };
    let mut driver = Driver::<Uring, _>::new(&config, Ender::default()).expect("io_uring works here");
    let how = ListenOptions {
        backlog: 256,
        ..ListenOptions::default()
    };
    let at = driver.with(|_, net| {
        let listener = net.listen(at, &how).expect("the address is free");
        net.local_addr(listener).expect("it listens somewhere")
    });
    // The first make what is kept for reuse.
    let warm_up = 20;
    let mut start = None;
    for number in 0..warm_up + batches {
        if number == warm_up {
            start = Some((settled(&mut driver), resident()));
        }
        batch(&mut driver, &at, number);
    }
    let (before, pages) = start.expect("there are more batches than that");
    assert_eq!(settled(&mut driver), before, "after {batches} batches of {BATCH}");
    let grown = resident()
        .zip(pages)
        .map(|(now, pages)| now.saturating_sub(pages));
    assert!(
        grown.is_none_or(|grown| grown < 256),
        "{grown:?} more pages, of {pages:?}, after {batches} batches of {BATCH}"
    );
}

/// The state when nothing is left to do.
fn settled(driver: &mut Driver<Uring, Ender>) -> State {
    for _ in 0..10 {
        driver.turn(Some(Duration::from_millis(2))).expect("a turn");
    }
    let state = state(driver);
    assert_eq!(state.connections, 0);
    #[cfg(feature = "uring-faults")]
    assert_eq!(state.lent.0, state.lent.1, "not all buffers are back");
    state
}

#[test]
fn a_hundred_thousand_connections_leave_nothing() {
    named(
        concat!(module_path!(), "::a_hundred_thousand_connections_leave_nothing"),
        || {
            in_child(|| {
                let descriptors = open_descriptors();
                let path = std::env::temp_dir().join(format!("sockman-returns-{}", std::process::id()));
                let unix = Endpoint::Unix(path);
                let tcp = Endpoint::Tcp(([127, 0, 0, 1], 0).into());
                // With ample room connections are accepted by one operation that goes on, with little room by calls.
                come_and_go(10_000, &unix, 850);
                come_and_go(150, &unix, 100);
                come_and_go(10_000, &tcp, 40);
                come_and_go(150, &tcp, 10);
                assert_eq!(open_descriptors(), descriptors, "descriptors of dropped loops");
                assert_eq!(waiting(), 0);
            });
        },
    );
}

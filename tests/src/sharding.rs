//! Several loops: connections that one accepts go to whichever has the fewest.

use crate::rig::{Machine, Peer};
use crate::stage::take;
use sockman::{
    Config, Conn, Driver, Endpoint, Handler, ListenOptions, Origin, OriginKind, Seat, Shards, SockMan, Spread,
};
use std::io;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Says which loop it is on, and how the connection came; hangs up when the peer does.
struct Named(usize);

impl Handler for Named {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        let how = u8::from(origin.how == OriginKind::Adopted);
        assert_eq!(origin.key, 7, "the listener's key comes along");
        net.send(conn, &[self.0 as u8, how]).ok()?;
        Some(())
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        // Gone means that the peer is.
        let _ = net.send(conn, data);
        data.len()
    }
}

/// What a peer is sent, `count` bytes.
fn hear<P: Peer>(peer: &mut P, count: usize) -> Vec<u8> {
    let (mut heard, end) = (Vec::new(), Instant::now() + Duration::from_secs(20));
    while heard.len() < count {
        let is_over = take(peer, &mut heard, count).expect("still open");
        assert!(!is_over, "the end after {heard:?}");
        assert!(Instant::now() < end, "heard only {heard:?}");
        thread::sleep(Duration::from_millis(1));
    }
    heard
}

/// Loops on threads, the first of which accepts for all.
fn spread<R: Machine>(rig: &mut R, count: usize) -> (Shards, Endpoint) {
    let seats = Seat::group(count);
    let (address, at) = (rig.address(), Arc::new(OnceLock::new()));
    let told = at.clone();
    let shards = Shards::start(count, move |shard| {
        let spread = Spread::new(Named(shard), seats[shard].clone());
        let mut driver = Driver::<R::Backend, _>::new(&Config::default(), spread)?;
        driver.with(|spread, net| {
            spread.join(net);
            if shard == 0 {
                let listener = net.listen(&address, &ListenOptions::key(7))?;
                told.get_or_init(|| net.local_addr(listener).expect("it listens"));
            }
            io::Result::Ok(())
        })?;
        Ok(driver)
    });
    let at = at.get().expect("the first loop listens").clone();
    (shards.expect("they start"), at)
}

/// A few connections are spread evenly, whoever has accepted them, and all are served; places that become free are given
/// again.
pub fn connections_go_to_the_loop_with_the_fewest<R: Machine>() {
    let mut rig = R::new();
    let (shards, at) = spread(&mut rig, 3);
    let mut peers: Vec<(usize, R::Peer)> = Vec::new();
    for number in 0..9 {
        let mut peer = rig.connect(&at);
        let heard = hear(&mut peer, 2);
        assert_eq!(
            heard[1],
            u8::from(heard[0] != 0),
            "only what is handed over is adopted"
        );
        assert_eq!(peer.write(&[number]).expect("room"), 1);
        assert_eq!(hear(&mut peer, 1), [number]);
        peers.push((usize::from(heard[0]), peer));
    }
    let on = |peers: &[(usize, R::Peer)], shard| peers.iter().filter(|(on, _)| *on == shard).count();
    assert_eq!([0, 1, 2].map(|shard| on(&peers, shard)), [3, 3, 3]);

    // All of the second loop's go: the next three are its own.
    let (gone, rest): (Vec<_>, Vec<_>) = peers.into_iter().partition(|(on, _)| *on == 1);
    peers = rest;
    for (_, mut peer) in gone {
        peer.finish();
        // Its end says that the loop has closed it.
        while peer.read(&mut [0]).is_err() {
            thread::sleep(Duration::from_millis(1));
        }
    }
    for _ in 0..3 {
        let mut peer = rig.connect(&at);
        let heard = hear(&mut peer, 2);
        peers.push((usize::from(heard[0]), peer));
    }
    assert_eq!([0, 1, 2].map(|shard| on(&peers, shard)), [3, 3, 3]);
    drop(peers);
    shards.stop(Duration::from_secs(5));
    let stats = shards.join().expect("no backend fails");
    let accepts: Vec<bool> = stats.iter().map(|stats| stats.accepts > 0).collect();
    assert_eq!(accepts, [true, false, false], "each has counted for itself");
}

/// What fails on one thread stops all, and is told.
pub fn shards_that_cannot_start_say_why<R: Machine>() {
    let started = Arc::new(Mutex::new(Vec::new()));
    let list = started.clone();
    let shards = Shards::start(3, move |shard| {
        list.lock().expect("no panic").push(shard);
        if shard == 1 {
            return Err(io::Error::other("no second"));
        }
        Driver::<R::Backend, _>::new(&Config::default(), Named(shard))
    });
    assert_eq!(shards.expect_err("the second fails").to_string(), "no second");
    assert_eq!(*started.lock().expect("no panic"), [0, 1]);
}

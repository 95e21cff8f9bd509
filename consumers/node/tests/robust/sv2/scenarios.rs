//! What hostile clients do.

use super::peer::{Greeting, Peer, constraints, dial, request};
use super::served::Served;
use super::{WITHIN, everywhere, everywhere_within};
use rustix::net::sockopt::set_socket_send_buffer_size;
use sockman_sv2::{ClientInfo, Count};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long clients flood.
const FLOOD: Duration = Duration::from_secs(3);

/// Waits until the server has hung up on it.
fn hung_up(stream: &mut TcpStream) {
    let mut bytes = vec![0; 64 << 10];
    while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
}

/// Waits until that is so.
#[track_caller]
fn wait(so: impl Fn() -> bool) {
    let latest = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < latest, "it did not come to that");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Four clients ask two thousand times each for a full block's transactions, and never read.
#[test]
fn sv2_never_reads() {
    const ASKED: usize = 2_000;
    // Of each an answer that waits, what the kernel has of it, and the requests behind it.
    everywhere("sv2 never reads", 48, |served| {
        let mut peers: Vec<_> = (0..4).map(|_| Peer::ready(served.at, &served.key)).collect();
        let mut templates = Vec::new();
        for peer in &mut peers {
            let template = peer.begin().0.id;
            let asked: Vec<_> = (0..ASKED).map(|_| peer.seal(request(template))).collect();
            peer.write(&asked.concat());
            templates.push(template);
        }
        thread::sleep(FLOOD);
        let is_stuck = |client: &ClientInfo| client.behind;
        wait(|| {
            served
                .handle
                .clients()
                .iter()
                .filter(|client| is_stuck(client))
                .count()
                == 4
        });
        // One that reads after all gets what it has asked for.
        let (peer, template) = (&mut peers[0], templates[0]);
        for _ in 0..20 {
            let data = super::Data::of(template, peer.hear().templates());
            assert!(data.expect("its tip is the last").transactions.len() > 4_000);
        }
        "4 stuck".into()
    });
}

/// Fifty clients that send a byte a second before their handshake, and ten after it: those are cut, and these are not.
#[test]
fn sv2_drips() {
    everywhere("sv2 drips", 16, |served| {
        let greeting = Greeting::new(&served.key);
        let mut slow: Vec<_> = (0..50).map(|_| dial(served.at)).collect();
        let mut ready: Vec<_> = (0..10)
            .map(|_| {
                let mut peer = Peer::ready(served.at, &served.key);
                let frame = peer.seal(constraints(100, 4));
                (peer, frame)
            })
            .collect();
        let since = Instant::now();
        for second in 0..4 {
            let byte = [greeting.hello[second]];
            // The server hangs up by and by, which is what they are here for.
            for stream in &mut slow {
                let _ = stream.write(&byte);
            }
            for (peer, frame) in &mut ready {
                peer.write(&frame[second..=second]);
            }
            thread::sleep(Duration::from_secs(1));
        }
        slow.iter_mut().for_each(hung_up);
        let cut = since.elapsed();
        assert_eq!(served.count(Count::handshake_timeouts), 50);
        for (peer, frame) in &mut ready {
            peer.write(&frame[4..]);
            peer.hear();
        }
        assert!(cut >= WITHIN);
        "50 cut before the handshake, 10 answered after it".into()
    });
}

/// Asks as fast as it can, for what there is and for what there is not, and takes the answers.
///
/// The kernel gets little room for what the server has not taken: otherwise the client would first encrypt some ten thousands of
/// requests, on the processors that the server and those beside it need too. The server reads requests as it answers them, and until
/// the kernel takes more may last long. So the connection is cut at its time, in the middle of a request.
fn flood(mut peer: Peer, room: u32) {
    peer.say(constraints(room, 0));
    let template = super::Template::of(peer.hear().templates()).id;
    let clone = || peer.stream.try_clone().expect("a socket");
    let (mut reads, cut) = (clone(), clone());
    set_socket_send_buffer_size(&peer.stream, 4 << 10).expect("a socket");
    let since = Instant::now();
    let reader = thread::spawn(move || hung_up(&mut reads));
    let end = thread::spawn(move || {
        thread::sleep(FLOOD);
        cut.shutdown(Shutdown::Both).expect("it is connected");
    });
    loop {
        let asked = (0..100).map(|number| peer.seal(request(template + number % 2)));
        let asked: Vec<_> = asked.collect();
        if peer.stream.write_all(&asked.concat()).is_err() {
            break;
        }
    }
    assert!(since.elapsed() >= FLOOD, "the server hung up");
    end.join().expect("it was connected to the end");
    reader.join().expect("it ends with the connection");
}

/// A client that asks for a small template's transactions.
#[test]
fn sv2_floods() {
    // io_uring lends the kernel 8 MiB to receive into, and a loop keeps as much for the next that need it.
    everywhere("sv2 floods", 32, |served| {
        let before = served.count(Count::frames);
        flood(Peer::ready(served.at, &served.key), 990_000);
        format!("{} requests", served.count(Count::frames) - before)
    });
}

/// Three that ask for a full block's.
#[test]
fn sv2_floods_of_blocks() {
    // As above, and of each an answer and what the kernel has of it.
    everywhere("sv2 floods of blocks", 64, |served| {
        let before = served.count(Count::data);
        let peers = (0..3).map(|_| Peer::ready(served.at, &served.key));
        let floods = peers.map(|peer| thread::spawn(move || flood(peer, 100)));
        for flood in floods.collect::<Vec<_>>() {
            flood.join().expect("it takes all answers");
        }
        format!("{} answers", served.count(Count::data) - before)
    });
}

/// Five hundred connections of which nothing comes, or not enough: they are cut at their deadline.
#[test]
fn sv2_stalls_in_the_handshake() {
    everywhere("sv2 stalls, 500", 16, |served| {
        let since = Instant::now();
        let mut stalled: Vec<_> = (0..500).map(|_| dial(served.at)).collect();
        for stream in stalled.iter_mut().step_by(2) {
            stream.write_all(&[7; 63]).expect("the kernel takes it");
        }
        stalled.iter_mut().for_each(hung_up);
        let cut = since.elapsed();
        assert!(cut >= WITHIN, "{cut:?}");
        assert_eq!(served.count(Count::handshake_timeouts), 500);
        // And so are those that stall after it.
        let mut shaken: Vec<_> = (0..20).map(|_| Peer::shaken(served.at, &served.key)).collect();
        for peer in &mut shaken {
            hung_up(&mut peer.stream);
        }
        assert_eq!(served.count(Count::setup_timeouts), 20);
        format!("cut after {:.2} s", cut.as_secs_f64())
    });
}

/// Connects time and again, from four threads, and lets the server answer the handshake. What comes then is said by `then`.
fn handshakes(served: &Served, then: impl Fn(&mut TcpStream) + Sync) -> u64 {
    let (over, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let (at, key) = (served.at, &served.key);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let hello = Greeting::new(key).hello;
                let mut reply = vec![0; noise_sv2::INITIATOR_EXPECTED_HANDSHAKE_MESSAGE_SIZE];
                while !over.load(Ordering::Relaxed) {
                    let mut stream = dial(at);
                    stream.write_all(&hello).expect("the server reads");
                    stream.read_exact(&mut reply).expect("the server answers");
                    then(&mut stream);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(FLOOD);
        over.store(true, Ordering::Relaxed);
    });
    count.into_inner()
}

/// Handshakes one after the other, from four threads.
#[test]
fn sv2_flood_of_handshakes() {
    everywhere("sv2 handshakes", 16, |served| {
        let count = handshakes(served, |_| {});
        wait(|| served.count(Count::handshakes) >= count);
        format!("{count} handshakes")
    });
}

/// The same, with something behind it that nobody can decrypt.
#[test]
fn sv2_flood_of_wrong_handshakes() {
    everywhere("sv2 wrong handshakes", 16, |served| {
        let count = handshakes(served, |stream| {
            stream.write_all(&[7; 100]).expect("the server reads");
            hung_up(stream);
        });
        wait(|| served.count(Count::undecryptable) >= count);
        format!("{count} handshakes")
    });
}

/// Nine hundred keys at once: others have their turn between them.
#[test]
fn sv2_handshakes_at_once() {
    const COUNT: usize = 900;
    // They wait for each other; nobody is to be cut for that, however slow the machine is.
    everywhere_within(Duration::from_secs(60), "sv2 900 at once", 32, |served| {
        let hello = Greeting::new(&served.key).hello;
        let mut streams: Vec<_> = (0..COUNT).map(|_| dial(served.at)).collect();
        let since = Instant::now();
        for stream in &mut streams {
            stream.write_all(&hello).expect("the kernel takes it");
        }
        let mut answered = 0;
        for stream in &mut streams {
            let mut byte = [0];
            answered += u32::from(stream.read(&mut byte).is_ok_and(|count| count > 0));
        }
        assert_eq!(answered as usize, COUNT);
        format!("all answered within {:.2} s", since.elapsed().as_secs_f64())
    });
}

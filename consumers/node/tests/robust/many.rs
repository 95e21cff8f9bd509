//! Many connections: at once, idle, and more than there are descriptors for.

use crate::measure::{HELLO, connect, counter, cpu, hear, hear_hello, hello, memory, raise_descriptor_limit};
use crate::server::Server;
use crate::{everywhere, on_each_backend};
use rustix::process::Signal;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// A thousand clients have connected and asked before the server looks.
#[test]
fn a_thousand_at_once() {
    everywhere("1000 at once", &[], |server| {
        hello(&mut connect(&server.at[0]));
        server.halt();
        let mut streams: Vec<TcpStream> = (0..1000).map(|_| connect(&server.at[0])).collect();
        for stream in &mut streams {
            stream.write_all(HELLO).expect("the kernel takes it");
        }
        let since = Instant::now();
        server.signal(Signal::CONT);
        streams.iter_mut().for_each(hear_hello);
        format!(
            "all answered within {:.1} ms",
            since.elapsed().as_secs_f64() * 1e3
        )
    });
}

/// Ten thousand clients that have asked once and stay: what each costs, and that they cost no time.
#[test]
fn ten_thousand_idle() {
    // Each has a descriptor here and one there.
    let count = raise_descriptor_limit().saturating_sub(200).min(10_000);
    on_each_backend("idle", |backend| {
        let server = Server::http(backend, &["127.0.0.1:0"], &["--stats", "--idle-timeout", "600"]);
        let at = &server.at[0];
        hello(&mut connect(at));
        let before = memory(&server);
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            let mut stream = connect(at);
            hello(&mut stream);
            streams.push(stream);
        }
        let after = memory(&server);
        let (busy, idle) = (cpu(&server), Duration::from_secs(2));
        thread::sleep(idle);
        let spent = cpu(&server).saturating_sub(busy);
        assert!(spent < idle / 2, "it spins: {spent:?}");
        // Beside them one is active.
        let mut active = connect(at);
        let mut latencies = Vec::new();
        for _ in 0..1000 {
            let since = Instant::now();
            hello(&mut active);
            latencies.push(since.elapsed());
        }
        // All of them are still there.
        for stream in &mut streams {
            hello(stream);
        }
        drop(streams);
        drop(active);
        let ended = server.stop();
        assert_eq!(counter(&ended, "accepts") as usize, count + 2);
        let each = (after.saturating_sub(before)) as f64 * 1024.0 / count as f64;
        assert!(each < 16384.0, "{each} bytes each");
        format!(
            "{count} connections, {each:.0} bytes each; CPU in 2 s: {spent:?}; one active beside them: {}",
            crate::measure::spread(latencies)
        )
    });
}

/// There are descriptors for some forty of two hundred clients. The others wait, nothing spins, and all are answered by and by.
/// (libuv, when it is out of descriptors, turns clients away instead.)
#[test]
fn out_of_descriptors() {
    on_each_backend("EMFILE", |backend| {
        let flags = ["--max-connections", "100000", "--stats", "--last-call", "0"];
        let server = Server::http_with_descriptors(64, backend, "127.0.0.1:0", &flags);
        let mut streams: Vec<TcpStream> = (0..200).map(|_| connect(&server.at[0])).collect();
        for stream in &mut streams {
            stream.write_all(HELLO).expect("the kernel takes it");
        }
        hear_hello(&mut streams[0]);
        let (busy, idle) = (cpu(&server), Duration::from_secs(2));
        thread::sleep(idle);
        let spent = cpu(&server).saturating_sub(busy);
        assert!(spent < idle / 2, "it spins: {spent:?}");
        let mut streams = streams.into_iter();
        let mut answered = usize::from(streams.next().is_some());
        let mut turned_away = 0;
        // Each that leaves makes room for another.
        for mut stream in streams {
            match hear(&mut stream) {
                Some(_) => answered += 1,
                None => turned_away += 1,
            }
        }
        assert!(
            turned_away == 0 || backend == "uv",
            "{turned_away} were turned away"
        );
        // And it has recovered.
        hello(&mut connect(&server.at[0]));
        let ended = server.stop();
        let (turns, rests) = (counter(&ended, "turns"), counter(&ended, "accept_backoffs"));
        assert!(turns < 20_000, "it spins: {turns} turns");
        format!(
            "{answered} of 200 answered, {turned_away} turned away; {rests} rests, {turns} turns; CPU in 2 s: {spent:?}"
        )
    });
}

/// Without a limit of its own it keeps below the descriptors that there are, and never runs out of them.
#[test]
fn below_the_limit_of_descriptors() {
    on_each_backend("descriptors", |backend| {
        let server =
            Server::http_with_descriptors(128, backend, "127.0.0.1:0", &["--stats", "--last-call", "0"]);
        let mut streams: Vec<TcpStream> = (0..300).map(|_| connect(&server.at[0])).collect();
        for stream in &mut streams {
            stream.write_all(HELLO).expect("the kernel takes it");
        }
        for mut stream in streams {
            hear_hello(&mut stream);
        }
        let ended = server.stop();
        assert_eq!(counter(&ended, "accept_backoffs"), 0, "{ended:?}");
        format!(
            "300 of 300 answered with 128 descriptors; waited {} times",
            counter(&ended, "accept_waits")
        )
    });
}

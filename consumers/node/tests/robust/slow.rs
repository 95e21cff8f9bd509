//! Clients that send slowly, or never read.

use crate::everywhere;
use crate::measure::{connect, cpu, hello, memory, peak, spread};
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Five hundred clients whose heads come byte by byte, and never to an end; beside them others are served as usual. Each slow
/// one is told 408 when its time is over, whatever it has sent meanwhile.
#[test]
fn slowloris() {
    everywhere("slowloris", &["--head-timeout", "2"], |server| {
        let at = &server.at[0];
        let mut slow: Vec<_> = (0..500).map(|_| connect(at)).collect();
        let over = AtomicBool::new(false);
        let mut latencies = Vec::new();
        thread::scope(|scope| {
            let normal: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut stream = connect(at);
                        let mut latencies = Vec::new();
                        while !over.load(Ordering::Relaxed) {
                            let since = Instant::now();
                            hello(&mut stream);
                            latencies.push(since.elapsed());
                            thread::sleep(Duration::from_millis(1));
                        }
                        latencies
                    })
                })
                .collect();
            let head = b"GET /hello HTTP/1.1\r\nHost: x\r\nx: "
                .iter()
                .chain(std::iter::repeat(&b'y'));
            let until = Instant::now() + Duration::from_secs(3);
            for byte in head {
                // The server has hung up on some by and by, which is what they are here for.
                slow.iter_mut().for_each(|stream| drop(stream.write(&[*byte])));
                thread::sleep(Duration::from_millis(50));
                if Instant::now() > until {
                    break;
                }
            }
            over.store(true, Ordering::Relaxed);
            for client in normal {
                latencies.extend(client.join().expect("every answer came"));
            }
        });
        let mut told = 0;
        for stream in &mut slow {
            let mut answer = Vec::new();
            // We have gone on sending after the server had closed: a reset may follow the answer.
            let _ = stream.read_to_end(&mut answer);
            told += u32::from(answer.starts_with(b"HTTP/1.1 408 "));
        }
        assert_eq!(told, 500, "each slow client is told so");
        assert!(
            latencies.len() > 100,
            "the others were served: {}",
            latencies.len()
        );
        format!(
            "500 told 408; beside them {} answered, {}",
            latencies.len(),
            spread(latencies)
        )
    });
}

/// A client that sends echoes of 64 KiB, one behind the other, and never reads: it is not read from any more, so that it costs
/// no more than the marks of its queue.
#[test]
fn never_reads() {
    everywhere("never reads", &[], |server| {
        let at = &server.at[0];
        let before = memory(server);
        let mut request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n".to_vec();
        request.resize(request.len() + 65536, b'x');
        let mut stream = connect(at);
        // Until nothing more is taken.
        stream
            .set_write_timeout(Some(Duration::from_secs(1)))
            .expect("a limit");
        let mut sent = 0;
        let stalled = loop {
            match stream.write(&request[sent % request.len()..]) {
                Ok(count) => sent += count,
                Err(why) => break why.kind(),
            }
            assert!(sent < 1 << 30, "it is read from without end");
        };
        assert!(
            matches!(stalled, ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{stalled:?}"
        );
        hello(&mut connect(at));
        let (busy, idle) = (cpu(server), Duration::from_secs(1));
        thread::sleep(idle);
        let used = cpu(server) - busy;
        assert!(used < idle / 2, "it spins: {used:?}");
        let peak = peak(server);
        assert!(peak < 64 << 10, "{peak} KiB");
        format!(
            "{:.1} MiB taken from it, then none; memory {:.1} MiB, at most {:.1} MiB; CPU in the second after: {used:?}",
            sent as f64 / 1_048_576.0,
            before as f64 / 1024.0,
            peak as f64 / 1024.0,
        )
    });
}

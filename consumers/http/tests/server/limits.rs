//! Every limit, just kept and just exceeded, with its status or its silent close, and its counter.

use crate::rig::{End, Rig, get, ms, post, secs};
use sockman::{Config, Limits as ConnectionLimits};
use sockman_http::{Count, Limits, Reject, Settings};

fn limited(limits: Limits) -> Rig {
    Rig::new(Settings {
        limits,
        ..Settings::default()
    })
}

/// What is sent passes, or is refused for this reason, with its status, and the connection ends.
fn check(limits: &Limits, data: &str, refused: Option<Reject>) {
    let mut rig = limited(limits.clone());
    let mut client = rig.connect();
    rig.send(&mut client, data);
    let (status, end) = refused.map_or((200, End::Open), |why| (why.status(), End::Finished));
    assert_eq!(
        (client.statuses(), client.end),
        (vec![status], end),
        "{refused:?}"
    );
    assert_eq!(client.answers()[0].closes(), refused.is_some());
    for why in Reject::ALL {
        assert_eq!(
            rig.counters.rejects(*why),
            u64::from(refused == Some(*why)),
            "{why}"
        );
    }
    assert_eq!(rig.counters.status(status), 1);
}

#[test]
fn request_lines() {
    let limits = Limits {
        request_line: 50,
        ..Limits::default()
    };
    let line = |length: usize| get(&format!("/{}", "a".repeat(length - 14)));
    check(&limits, &line(50), None);
    check(&limits, &line(51), Some(Reject::LineTooLong));
    check(&limits, &line(51)[..52], Some(Reject::LineTooLong));
}

#[test]
fn heads() {
    let limits = Limits {
        head: 100,
        ..Limits::default()
    };
    let head = |length: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n",
            "a".repeat(length - 32)
        )
    };
    check(&limits, &head(100), None);
    check(&limits, &head(110), Some(Reject::HeadTooLarge));
    let fields = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
            "A: b\r\n".repeat(count - 1)
        )
    };
    let limits = Limits {
        fields: 5,
        ..Limits::default()
    };
    check(&limits, &fields(5), None);
    check(&limits, &fields(6), Some(Reject::HeadTooLarge));
}

#[test]
fn bodies() {
    let limits = Limits {
        body: 10,
        ..Limits::default()
    };
    check(&limits, &post("/", "0123456789"), None);
    check(&limits, &post("/", "01234567890"), Some(Reject::BodyTooLarge));
    let chunks =
        |chunks: &str| format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    check(&limits, &chunks("5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), None);
    check(
        &limits,
        &chunks("5\r\n01234\r\n6\r\n56789"),
        Some(Reject::BodyTooLarge),
    );
    let limits = Limits {
        chunk_line: 20,
        trailers: 30,
        ..Limits::default()
    };
    check(&limits, &chunks("1;a=0123456789\r\nx\r\n0\r\n\r\n"), None);
    check(
        &limits,
        &chunks("1;a=0123456789012345\r\nx\r\n0\r\n\r\n"),
        Some(Reject::Chunk),
    );
    check(&limits, &chunks("0\r\nA: 0123456789\r\n\r\n"), None);
    check(
        &limits,
        &chunks("0\r\nA: 0123456789012345678901234567\r\n\r\n"),
        Some(Reject::HeadTooLarge),
    );
}

/// An upload that is refused reads its answer, though it goes on sending.
#[test]
fn a_client_that_sends_too_much_reads_its_413() {
    for head in [
        "Content-Length: 5000000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n4c4b40\r\n",
    ] {
        let mut rig = limited(Limits {
            body: 1_000,
            ..Limits::default()
        });
        let mut client = rig.connect();
        // It does not read before it has sent all.
        client.deaf = true;
        rig.send(&mut client, format!("POST / HTTP/1.1\r\nHost: x\r\n{head}"));
        rig.send(&mut client, vec![b'x'; 5_000_000]);
        client.deaf = false;
        client.hear();
        assert_eq!((client.statuses(), client.end), (vec![413], End::Finished));
        // It lingers until the client has closed, and no longer than it may.
        assert_eq!(rig.connections(), 1);
        let patient = rig.connect();
        rig.pass(secs(4), &mut []);
        client.finish();
        rig.wait(ms(5));
        assert_eq!(rig.connections(), 1);
        drop(patient);
    }
}

#[test]
fn lingering_has_its_time() {
    let mut rig = Rig::new(Settings {
        linger: secs(3),
        ..Settings::default()
    });
    let mut client = rig.connect();
    rig.send(&mut client, get("/close"));
    rig.pass(secs(3).saturating_sub(ms(5)), &mut [&mut client]);
    assert_eq!((client.end, rig.connections()), (End::Finished, 1));
    rig.wait(ms(10));
    assert_eq!(rig.connections(), 0);
}

#[test]
fn requests_of_a_connection() {
    let mut rig = Rig::new(Settings {
        requests: Some(3),
        ..Settings::default()
    });
    for requests in [vec![get("/").repeat(4)], vec![get("/"); 4]] {
        let mut client = rig.connect();
        for request in requests {
            rig.send(&mut client, request);
        }
        let closes: Vec<_> = client
            .answers()
            .iter()
            .map(crate::answers::Answer::closes)
            .collect();
        assert_eq!((closes, client.end), (vec![false, false, true], End::Finished));
    }
    assert_eq!(rig.count(Count::requests_spent), 2);
    // Deferred ones count when they begin.
    let mut client = rig.connect();
    rig.send(
        &mut client,
        (0..4).map(|n| get(&format!("/deferred?{n}"))).collect::<String>(),
    );
    for number in (0..3).rev() {
        rig.complete(&number.to_string(), "x");
    }
    rig.pass(ms(5), &mut [&mut client]);
    let closes: Vec<_> = client
        .answers()
        .iter()
        .map(crate::answers::Answer::closes)
        .collect();
    assert_eq!((closes, client.end), (vec![false, false, true], End::Finished));
}

#[test]
fn connections_in_all() {
    let mut rig = Rig::new(Settings {
        connections: Some(3),
        ..Settings::default()
    });
    let mut clients: Vec<_> = (0..3).map(|_| rig.connect()).collect();
    for client in &mut clients {
        assert_eq!(rig.ask(client, get("/")).len(), 1, "just kept");
    }
    let mut refused = rig.connect();
    rig.send(&mut refused, get("/"));
    assert_eq!(refused.heard, b"");
    assert_ne!(refused.end, End::Open);
    assert_eq!(rig.count(Count::connections_refused), 1);
    clients.pop();
    rig.wait(ms(5));
    let mut client = rig.connect();
    assert_eq!(rig.ask(&mut client, get("/")).len(), 1);
    assert_eq!(
        (
            rig.count(Count::connections),
            rig.count(Count::connections_closed)
        ),
        (4, 1)
    );
}

#[test]
fn connections_of_an_address() {
    let mut rig = Rig::new(Settings {
        connections_per_address: Some(2),
        ..Settings::default()
    });
    let (here, there) = (rig.far.clone(), rig.network.host());
    for _ in 0..3 {
        let mut clients = vec![
            rig.connect_from(&here),
            rig.connect_from(&there),
            rig.connect_from(&here),
        ];
        for client in &mut clients {
            assert_eq!(rig.ask(client, get("/")).len(), 1, "just kept");
        }
        let mut refused = rig.connect_from(&here);
        rig.send(&mut refused, get("/"));
        assert_ne!((refused.heard.len(), refused.end), (0, End::Open));
        let mut other = rig.connect_from(&there);
        assert_eq!(rig.ask(&mut other, get("/")).len(), 1);
        drop((clients, other));
        rig.wait(ms(5));
    }
    assert_eq!(
        (
            rig.count(Count::address_refused),
            rig.count(Count::connections_refused)
        ),
        (3, 0)
    );
}

#[test]
fn requests_in_flight() {
    for pipeline in [1, 2, 5] {
        let mut rig = Rig::new(Settings {
            pipeline,
            ..Settings::default()
        });
        let mut client = rig.connect();
        rig.send(
            &mut client,
            (0..7).map(|n| get(&format!("/deferred?{n}"))).collect::<String>(),
        );
        assert_eq!(rig.calls().len(), pipeline);
        assert_eq!(rig.count(Count::pipeline_pauses), 1);
        for number in 0..7 {
            rig.complete(&number.to_string(), "x");
            rig.pass(ms(5), &mut [&mut client]);
            assert_eq!(rig.calls().len(), 7.min(pipeline + number + 1));
        }
        assert_eq!(client.statuses(), [200; 7]);
    }
}

#[test]
fn bytes_that_wait_for_an_earlier_answer() {
    let mut rig = Rig::new(Settings {
        held: 10_000,
        ..Settings::default()
    });
    let mut client = rig.connect();
    rig.send(
        &mut client,
        get("/deferred?a") + &get("/large?size=4900").repeat(10),
    );
    // Two answers with their heads are just below, three are above.
    assert_eq!((rig.calls().len(), rig.count(Count::pipeline_pauses)), (4, 1));
    rig.complete("a", "a");
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(client.statuses(), [200; 11]);
}

#[test]
fn queued_bytes_stop_reading_and_dispatching() {
    let mut rig = Rig::narrow(Settings::default(), 20_000, 5_000, 10_000);
    let mut client = rig.connect();
    client.deaf = true;
    for _ in 0..10 {
        rig.send(&mut client, get("/large?size=25000"));
    }
    // (What is read and not yet flushed may be one more.)
    assert_eq!((rig.calls().len(), rig.count(Count::queue_pauses)), (2, 1));
    client.deaf = false;
    rig.pass(secs(1), &mut [&mut client]);
    assert_eq!(client.statuses(), [200; 10]);
    assert_eq!(rig.count(Count::response_stalls), 0);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let zero = std::time::Duration::ZERO;
    let good = Settings::default();
    assert!(good.check(&ConnectionLimits::default()).is_ok());
    for bad in [
        Settings {
            pipeline: 0,
            ..good.clone()
        },
        Settings {
            requests: Some(0),
            ..good.clone()
        },
        Settings {
            connections: Some(0),
            ..good.clone()
        },
        Settings {
            connections_per_address: Some(0),
            ..good.clone()
        },
        Settings {
            head_within: zero,
            ..good.clone()
        },
        Settings {
            body_stall: zero,
            ..good.clone()
        },
        Settings {
            response_stall: zero,
            ..good.clone()
        },
        Settings {
            idle: zero,
            ..good.clone()
        },
        Settings {
            limits: Limits {
                head: 2 << 20,
                ..Limits::default()
            },
            ..good.clone()
        },
        Settings {
            limits: Limits {
                trailers: 2 << 20,
                ..Limits::default()
            },
            ..good.clone()
        },
    ] {
        let error = bad
            .check(&ConnectionLimits::default())
            .expect_err("it contradicts itself");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}

/// A head that may be sent must fit into what may be unread: of the listener, or else of the loop.
#[test]
fn settings_that_the_loop_cannot_keep_are_refused() {
    let small = ConnectionLimits {
        unread: 4096,
        ..ConnectionLimits::default()
    };
    let config = Config {
        limits: small.clone(),
        ..Config::default()
    };
    let network = sockman_backends::sim::Network::new(sockman_backends::sim::Settings::default());
    let host = network.host();
    let backend = host.backend::<sockman_backends::sim::Sim>(&config);
    let server = sockman_http::Server::new(
        sockman_http::service_fn(|_, _, reply| reply.ok().empty()),
        Settings::default(),
    );
    let mut driver = sockman::Driver::with_backend(backend.expect("the settings are right"), server);
    let mut listen = |port, limits| {
        let how = sockman::ListenOptions {
            limits,
            ..sockman::ListenOptions::default()
        };
        let listened = driver.with(|server, net| server.listen(net, &host.at(port), &how));
        listened.map(drop).map_err(|why| why.kind())
    };
    assert_eq!(listen(1, None), Err(std::io::ErrorKind::InvalidInput));
    assert_eq!(listen(2, Some(ConnectionLimits::default())), Ok(()));
    assert_eq!(listen(3, Some(small)), Err(std::io::ErrorKind::InvalidInput));
}

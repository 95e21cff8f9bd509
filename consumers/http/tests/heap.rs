//! What requests cost on the heap, on a real backend: nothing for a plain keep-alive GET, and nothing for a length that is only
//! declared.

#![allow(
    unsafe_code,
    reason = "an allocator is unsafe to implement; this one only counts"
)]

use sockman::{Config, Driver, ListenOptions, SockMan};
use sockman_backends::Mio;
use sockman_http::{Deferred, Server, Service, Settings, service_fn};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    /// Allocations of this thread, and the bytes that it holds.
    static COUNT: Cell<(u64, isize)> = const { Cell::new((0, 0)) };
}

struct Counting;

impl Counting {
    fn count(allocations: u64, bytes: isize) {
        // (At the thread's end it is gone, and nobody counts.)
        let _ = COUNT.try_with(|count| {
            let (all, live) = count.get();
            count.set((all + allocations, live + bytes));
        });
    }
}

// SAFETY: both methods hand their arguments to the system's allocator as they are and return what that returns, so its
// guarantees hold; counting touches no memory but the counter. The other methods are made of these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::count(1, layout.size().cast_signed());
        // SAFETY: the caller keeps alloc's contract, which is System's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Counting::count(0, -layout.size().cast_signed());
        // SAFETY: `memory` came from System through this allocator, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

fn allocations() -> u64 {
    COUNT.get().0
}

fn live() -> isize {
    COUNT.get().1
}

/// A server on this thread.
struct Served<V: Service>(Driver<Mio, Server<V>>, std::net::SocketAddr);

impl<V: Service> Served<V> {
    fn new(service: V) -> Served<V> {
        let server = Server::new(service, Settings::default());
        let mut driver = Driver::<Mio, _>::new(&Config::default(), server).expect("a poller");
        let any = "127.0.0.1:0".parse().expect("an address");
        let at = driver.with(|server, net| {
            let listener = server.listen(net, &any, &ListenOptions::default())?;
            Ok::<_, std::io::Error>(net.local_addr(listener))
        });
        let at = at.expect("a port is free").and_then(|at| at.tcp());
        Served(driver, at.expect("it is of TCP"))
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.1).expect("it listens")
    }

    /// Turns until nothing has happened for a little while.
    fn rest(&mut self) {
        while self
            .0
            .turn(Some(Duration::from_millis(20)))
            .expect("a turn")
            .events
            > 0
        {}
    }

    /// Writes, and turns until `answers` answers of `size` bytes have come.
    fn exchange(&mut self, client: &mut TcpStream, data: &[u8], expected: usize) {
        client.write_all(data).expect("it is connected");
        client.set_nonblocking(true).expect("a socket");
        let (mut buffer, mut heard) = ([0; 4096], 0);
        while heard < expected {
            self.0.turn(Some(Duration::from_millis(1))).expect("a turn");
            while let Ok(count) = client.read(&mut buffer) {
                assert!(count > 0, "the connection was closed");
                heard += count;
            }
        }
        assert_eq!(heard, expected);
    }
}

const GET: &[u8] =
    b"GET /path?query=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: a/1.0\r\nAccept: */*\r\n\r\n";

#[test]
fn a_plain_get_allocates_nothing() {
    let mut served = Served::new(service_fn(|_, _, reply| reply.text("Hello, world!")));
    let mut client = served.connect();
    let size = "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 13\r\n\r\nHello, world!".len();
    let pipeline = GET.repeat(16);
    // Buffers that all connections share find their size.
    for _ in 0..10 {
        served.exchange(&mut client, GET, size);
        served.exchange(&mut client, &pipeline, 16 * size);
    }
    let before = allocations();
    for _ in 0..100 {
        served.exchange(&mut client, GET, size);
        served.exchange(&mut client, &pipeline, 16 * size);
    }
    assert_eq!(allocations() - before, 0);
}

#[test]
fn a_small_body_that_comes_with_its_head_allocates_nothing() {
    let mut served = Served::new(service_fn(|_, body, reply| reply.ok().send(body)));
    let mut client = served.connect();
    let size =
        "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 5\r\n\r\nhello".len();
    let post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    for _ in 0..10 {
        served.exchange(&mut client, post, size);
    }
    let before = allocations();
    for _ in 0..100 {
        served.exchange(&mut client, post, size);
    }
    assert_eq!(allocations() - before, 0);
}

#[test]
fn nothing_is_allocated_for_a_declared_length() {
    let mut served = Served::new(service_fn(|_, _, reply| reply.text("got it")));
    let mut clients = Vec::new();
    for start in [
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2000000\r\nx",
    ] {
        let mut client = served.connect();
        served.rest();
        let before = live();
        client.write_all(start.as_bytes()).expect("it is connected");
        served.rest();
        assert!(live() - before < 4_000, "{} bytes for {start:?}", live() - before);
        clients.push(client);
    }
}

/// A request that comes byte by byte takes no more memory than one that comes whole, and no more for each byte the longer it is.
#[test]
fn dripped_bytes_are_allocated_for_once() {
    let mut served = Served::new(service_fn(|_, _, reply| reply.text("got it")));
    let mut client = served.connect();
    client.set_nodelay(true).expect("a socket");
    served.rest();
    let mut drip = |length: usize| {
        let before = allocations();
        let head = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(length));
        for byte in head.as_bytes() {
            client.write_all(&[*byte]).expect("it is connected");
            served.0.turn(Some(Duration::from_millis(100))).expect("a turn");
        }
        allocations() - before
    };
    drip(1_000);
    assert_eq!(drip(2_000), drip(4_000));
}

/// Clients that have gone leave nothing.
#[test]
fn answers_that_nobody_waits_for_any_more_are_freed() {
    let waiting: Rc<RefCell<Vec<Deferred>>> = Rc::default();
    let kept = waiting.clone();
    let mut served = Served::new(service_fn(move |_, _, reply| {
        let (deferred, answered) = reply.defer();
        kept.borrow_mut().push(deferred);
        answered
    }));
    let mut round = || {
        let mut clients: Vec<_> = (0..20).map(|_| served.connect()).collect();
        for client in &mut clients {
            client.write_all(&GET.repeat(60)).expect("it is connected");
        }
        served.rest();
        let all = waiting.take();
        assert_eq!(all.len(), 1_200);
        // Some have begun, and some will never be.
        let mut writers = Vec::new();
        for (number, deferred) in all.into_iter().enumerate() {
            match number % 3 {
                0 => writers.push(deferred.stream(http::Response::new(()), 1 << 20)),
                1 => deferred.respond(http::Response::new("x".repeat(1_000).into())),
                _ => {}
            }
        }
        for writer in &mut writers {
            writer.send("y".repeat(1_000).into()).expect("there is room");
        }
        served.rest();
        drop(clients);
        served.rest();
        drop(writers);
        served.rest();
        assert_eq!(served.0.handler().connections(), 0);
    };
    round();
    let before = live();
    for _ in 0..3 {
        round();
    }
    assert!(live() <= before, "{} bytes more", live() - before);
}

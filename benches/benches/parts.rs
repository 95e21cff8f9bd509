//! The parts that every backend shares: send queue, timers, id look-up.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sockman::bytes::Bytes;
use sockman::shared::{SendQueue, Slots, Timers};
use sockman::{Conn, ConnMap};
use sockman_bench::random::Random;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// As many as the hardest cost target speaks of.
const CONNECTIONS: usize = 10_000;

/// Operations in an iteration.
const TIMES: usize = 1024;

fn conns() -> (Slots<Conn, u64>, Vec<Conn>) {
    let mut slots = Slots::new();
    let conns = (0..CONNECTIONS as u64)
        .map(|value| slots.insert(value).expect("there is room"))
        .collect();
    (slots, conns)
}

fn send_queue(c: &mut Criterion) {
    let mut group = c.benchmark_group("send-queue");
    group.throughput(Throughput::Elements(1));
    let mut queue = SendQueue::default();
    group.bench_function("push and advance 64 bytes", |b| {
        b.iter(|| {
            queue.push(black_box(&[7; 64]));
            queue.advance(black_box(queue.first().0.len()));
        });
    });
    // What a slow reader leaves behind: the queue never empties.
    queue.push(&[7; 4096]);
    group.bench_function("push and advance 64 bytes behind 4 KiB", |b| {
        b.iter(|| {
            queue.push(black_box(&[7; 64]));
            queue.advance(black_box(64));
        });
    });
    let mut queue = SendQueue::default();
    let block = Bytes::from(vec![7; 1 << 20]);
    group.bench_function("push and advance a header and a shared MiB", |b| {
        b.iter(|| {
            queue.push(black_box(&[7; 24]));
            queue.push_bytes(block.clone());
            queue.advance(black_box(queue.len()));
        });
    });
    group.finish();
}

fn timers(c: &mut Criterion) {
    let (_, conns) = conns();
    let base = Instant::now();
    let mut timers = Timers::new(base);
    let mut now = base;
    for conn in &conns {
        timers.set_deadline(*conn, Some(now + Duration::from_secs(30)));
    }
    let mut random = Random(1);
    let mut group = c.benchmark_group("timers");
    group.throughput(Throughput::Elements(TIMES as u64));
    group.bench_function("rewrite one of 10,000 deadlines", |b| {
        b.iter(|| {
            for _ in 0..TIMES {
                now += Duration::from_nanos(100);
                let conn = conns[random.below(CONNECTIONS)];
                timers.set_deadline(conn, Some(now + Duration::from_secs(30)));
            }
        });
    });
    group.bench_function("set and cancel a timer among 10,000 deadlines", |b| {
        b.iter(|| {
            for _ in 0..TIMES {
                let timer = timers.insert(now + Duration::from_secs(1), 7);
                timers.cancel(timer);
            }
        });
    });
    group.finish();
}

fn look_up(c: &mut Criterion) {
    let (slots, conns) = conns();
    let mut in_map = ConnMap::new();
    let mut hashed = HashMap::new();
    for (value, conn) in (0_u64..).zip(&conns) {
        in_map.insert(*conn, value);
        hashed.insert(*conn, value);
    }
    let mut random = Random(1);
    let mut group = c.benchmark_group("look-up among 10,000");
    group.throughput(Throughput::Elements(TIMES as u64));
    let mut run = |name: &str, find: &dyn Fn(Conn) -> u64| {
        group.bench_function(name, |b| {
            b.iter(|| {
                (0..TIMES).fold(0, |sum: u64, _| {
                    sum.wrapping_add(find(conns[random.below(CONNECTIONS)]))
                })
            });
        });
    };
    run("none", &|conn| u64::from(conn > conns[0]));
    run("Slots::get", &|conn| slots.get(conn).copied().unwrap_or(0));
    run("ConnMap::get", &|conn| in_map.get(conn).copied().unwrap_or(0));
    run("HashMap::get", &|conn| hashed.get(&conn).copied().unwrap_or(0));
    group.finish();
}

criterion_group!(benches, send_queue, timers, look_up);
criterion_main!(benches);

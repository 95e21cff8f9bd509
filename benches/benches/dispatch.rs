//! From an event to the handler: generic, through trait objects, through a hash map of boxed sessions, through
//! async-trait; per event, at 125 and at 10,000 connections.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sockman::{Driver, Handler};
use sockman_bench::dispatch::{EVENTS, Mapped, Null, Sum, Table};
use sockman_bench::random::Random;
use sockman_bench::rivals::async_trait::Awaited;
use sockman_bench::rivals::dynamic::Boxed;
use std::hint::black_box;

fn dispatch(c: &mut Criterion) {
    let mut group = c.benchmark_group("dispatch");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for connections in [125, 10_000] {
        let mut run = |name: &str, turn: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(name, connections), |b| b.iter(&mut *turn));
        };
        // What choosing the connection takes, to be subtracted from the others.
        let mut random = Random(1);
        let conns: Vec<u64> = (0..connections as u64).collect();
        run("none", &mut || {
            for _ in 0..EVENTS {
                black_box(conns[random.below(conns.len())]);
            }
        });
        run("generic", &mut turns(Sum, connections));
        run("dyn", &mut turns(Boxed(Box::new(Table::default())), connections));
        run("hash-map", &mut turns(Mapped::default(), connections));
        run("async-trait", &mut turns(Awaited(Table::default()), connections));
    }
    group.finish();
}

fn turns<H: Handler>(handler: H, connections: usize) -> impl FnMut() {
    let backend = Null::with(connections).expect("the default backend works here");
    let mut driver = Driver::with_backend(backend, handler);
    move || {
        black_box(driver.turn(None).expect("it reaches no kernel"));
    }
}

criterion_group!(benches, dispatch);
criterion_main!(benches);

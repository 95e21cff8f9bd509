//! The floor of answers by a worker: a queue to its thread, a queue back, and an eventfd in the epoll.

use super::floor::{Get, Script};
use super::worker::Worker;
use crate::rivals::parts::{Clients, wait};
use crate::serve::{Ready, Running, Tally, listener};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io;
use std::sync::mpsc;

/// The listener's key and that of the eventfd; a descriptor is never that high.
const LISTENER: u64 = u64::MAX;
const WAKE: u64 = u64::MAX - 1;

/// What is remembered of a connection.
#[derive(Default)]
struct State {
    /// Its number among all there were: an answer may come when another has its descriptor.
    serial: u64,
    kept: Vec<u8>,
}

/// A request whose answer the worker makes: that connection's, whose number is that.
type Job = (usize, u64, Vec<u8>);

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let tally = Tally::default();
    let (listener, at) = listener()?;
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    // Edge-triggered, so that it need not be read.
    let edge = EventFlags::IN | EventFlags::ET;
    epoll::add(&poll, &wake, EventData::new_u64(WAKE), edge)?;
    let (done, answers) = mpsc::channel::<Job>();
    let script = Get::<false>::default();
    let worker = Worker::start(move |(key, serial, request): Job| {
        let mut out = Vec::new();
        script.answer_all(&mut Vec::new(), &request, &mut out);
        // The loop ends with the process; and the eventfd refuses only when it is full, and has woken the loop then.
        let _ = done.send((key, serial, out));
        let _ = rustix::io::write(&wake, &1_u64.to_ne_bytes());
    })?;
    // The worker makes system calls as well, which this tally knows nothing of.
    ready(Running::new(at));
    let mut clients = Clients::<State>::default();
    let mut serials = 0..;
    let mut events: Vec<Event> = Vec::with_capacity(1024);
    let mut buffer = vec![0; 64 << 10];
    let script = Get::<false>::default();
    loop {
        wait(&poll, &mut events, &tally)?;
        for event in &events {
            let key = match event.data.u64() {
                LISTENER => {
                    clients.accept(&listener, &tally, |socket, key| {
                        let all = EventFlags::IN | EventFlags::RDHUP;
                        Ok(epoll::add(&poll, socket, EventData::new_u64(key as u64), all)?)
                    })?;
                    continue;
                }
                WAKE => {
                    for (key, serial, answer) in answers.try_iter() {
                        if let Some(client) = clients.get(key)
                            && client.state.serial == serial
                            // So short that the kernel always takes it.
                            && !client.send(&answer, &tally)
                        {
                            clients.close(key, &tally);
                        }
                    }
                    continue;
                }
                key => key as usize,
            };
            let Some(client) = clients.get(key) else {
                continue;
            };
            tally.call();
            let received = match recv(&client.socket, &mut buffer[..], RecvFlags::empty()) {
                Ok((received, _)) => received,
                Err(Errno::AGAIN | Errno::INTR) => continue,
                Err(_) => 0,
            };
            if received == 0 {
                clients.close(key, &tally);
                continue;
            }
            if client.state.serial == 0 {
                client.state.serial = serials.next().unwrap_or(0) + 1;
            }
            client.state.kept.extend_from_slice(&buffer[..received]);
            while let Some(length) = script.whole(&client.state.kept) {
                let request = client.state.kept.drain(..length).collect();
                worker.hand((key, client.state.serial, request));
            }
        }
    }
}

//! Any handler, fed any bytes in any pieces, under any faults.
//!
//! [`feed`] is what fuzz targets call: it runs the handler on a simulated network with a plain peer that writes the bytes,
//! once in the pieces and under the faults of the [`Input`], and once in one piece and under none. Whatever the handler, it
//! must not panic, must keep to the contract ([`Checked`]), and must close its connection; its queues keep to [`limits`]; and what it answers must not depend on how the bytes were split.

use crate::checked::Checked;
use sockman::{Config, Driver, Handler, Limits, ListenOptions, SockMan};
use sockman_backends::sim::{Fault, Network, Plain, Plan, Ran, Settings, Sim, Simulated, Tracing, When};
use std::fmt::Debug;
use std::io;
use std::time::Duration;

/// What a handler is fed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Input {
    /// The bytes, in pieces.
    pub pieces: Vec<Piece>,
    /// How it ends.
    pub end: End,
    /// Decides what is left to chance.
    pub seed: u64,
    /// The faults that happen.
    pub faults: Vec<Likely>,
}

impl Input {
    /// Whether no fault can end the connection.
    fn survives(&self) -> bool {
        self.faults.iter().all(|likely| likely.fault().is_survived())
    }
}

/// A fault, and how likely it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Likely {
    /// Its place in [`Fault::ALL`], which is begun again at its end.
    pub fault: u8,
    /// It happens at one of so many opportunities, at least two: a call that always fails never ends.
    pub one_in: u8,
}

impl Likely {
    /// The fault.
    pub fn fault(self) -> Fault {
        Fault::ALL[usize::from(self.fault) % Fault::ALL.len()]
    }

    /// Adds it to a plan.
    #[must_use]
    pub fn add_to(self, plan: Plan) -> Plan {
        plan.with(self.fault(), When::OneIn(u64::from(self.one_in.max(2))))
    }
}

/// Some bytes, and how long they are the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Piece {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Milliseconds until what follows.
    pub pause: u8,
}

/// How a peer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum End {
    /// It half-closes, and reads to the end.
    #[default]
    Finish,
    /// It closes.
    Close,
    /// It resets.
    Reset,
}

/// What a handler answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The bytes that the peer heard.
    pub heard: Vec<u8>,
    /// What the handler knows after the connection was closed.
    pub known: T,
}

/// The limits under which handlers are fed.
pub fn limits() -> Limits {
    Limits {
        unread: 64 << 10,
        high: 16 << 10,
        low: 4 << 10,
        queued: 4 << 20,
    }
}

/// A connection that is not closed after this long will not be.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Feeds a handler that `make` makes, and checks all that is to be checked. `know` tells what the handler knows when all is
/// over; that too must not depend on how the bytes were split.
///
/// With `SOCKMAN_TRACE` in the environment everything that happens is printed.
///
/// Returns the answer to the bytes in one piece. Where the peer ends before it has read, only what it heard until then is
/// compared.
pub fn feed<H: Handler, T: PartialEq + Debug>(
    make: impl Fn() -> H,
    know: impl Fn(&H) -> T,
    input: &Input,
) -> Answer<T> {
    feed_masked(make, know, |_| {}, input)
}

/// The same where a handler hangs up at once on who offends: what it had queued then is lost, so that of two answers one may be a
/// beginning of the other.
pub fn feed_cut<H: Handler, T: PartialEq + Debug>(
    make: impl Fn() -> H,
    know: impl Fn(&H) -> T,
    input: &Input,
) -> Answer<T> {
    let (whole, split) = feed_both(make, know, |_| {}, input);
    if let Some(split) = split {
        same_beginning(&split, &whole);
        if input.end == End::Finish && input.survives() {
            assert_eq!(
                split.known, whole.known,
                "what is known depends on how the bytes were split"
            );
        }
    }
    whole
}

/// The same where answers have parts that may differ, such as the time: `mask` takes them out, in place, so that lengths stay.
pub fn feed_masked<H: Handler, T: PartialEq + Debug>(
    make: impl Fn() -> H,
    know: impl Fn(&H) -> T,
    mask: impl Fn(&mut [u8]),
    input: &Input,
) -> Answer<T> {
    let (whole, split) = feed_both(make, know, mask, input);
    match split {
        Some(split) if input.end == End::Finish && input.survives() => {
            assert_eq!(split, whole, "the answer depends on how the bytes were split");
        }
        Some(split) => same_beginning(&split, &whole),
        None => {}
    }
    whole
}

fn same_beginning<T>(split: &Answer<T>, whole: &Answer<T>) {
    let shorter = split.heard.len().min(whole.heard.len());
    assert_eq!(
        split.heard[..shorter],
        whole.heard[..shorter],
        "the answer depends on how the bytes were split"
    );
}

/// The answers to the bytes in one piece, and to the pieces, if a connection comes about.
fn feed_both<H: Handler, T>(
    make: impl Fn() -> H,
    know: impl Fn(&H) -> T,
    mask: impl Fn(&mut [u8]),
    input: &Input,
) -> (Answer<T>, Option<Answer<T>>) {
    let whole = Input {
        pieces: vec![Piece {
            bytes: input
                .pieces
                .iter()
                .flat_map(|piece| piece.bytes.iter().copied())
                .collect(),
            pause: 0,
        }],
        faults: Vec::new(),
        ..input.clone()
    };
    let mut whole = serve(make(), &know, &whole).expect("without a fault every dial is answered");
    mask(&mut whole.heard);
    let mut split = serve(make(), &know, input);
    if let Some(split) = &mut split {
        mask(&mut split.heard);
    }
    (whole, split)
}

/// What the handler answers, if a connection comes about: faults may prevent that.
fn serve<H: Handler, T>(handler: H, know: impl Fn(&H) -> T, input: &Input) -> Option<Answer<T>> {
    let plan = input
        .faults
        .iter()
        .fold(Plan::new(input.seed), |plan, likely| likely.add_to(plan));
    let network = Network::new(Settings {
        seed: input.seed,
        plan,
        tracing: Tracing::from_env(),
        ..Settings::default()
    });
    let (near, far) = (network.host(), network.host());
    far.spare();
    let config = Config {
        limits: limits(),
        // Small, so that large inputs take several reads.
        read_buffer: 4 << 10,
        byte_budget: 16 << 10,
        ..Config::default()
    };
    let backend = near.backend::<Sim>(&config).expect("the settings are right");
    let handler = Checked::new(handler, "handler", &config, &network);
    let driver = Driver::with_backend(backend, handler);
    let mut served = Served {
        network,
        driver,
        heard: Vec::new(),
    };
    let at = near.at(1);
    served
        .driver
        .with(|_, net| net.listen(&at, &ListenOptions::default()))
        .expect("the port is free");
    let peer = far.connect(&at).expect("there is a listener");
    let is_connected = served.take(peer, input);
    let Served { driver, heard, .. } = served;
    driver.handler().finish();
    is_connected.then(|| Answer {
        heard,
        known: know(driver.handler().handler()),
    })
}

/// A handler, and what its peer has heard.
struct Served<H: Handler> {
    network: Network,
    driver: Driver<Sim, Checked<H>>,
    heard: Vec<u8>,
}

impl<H: Handler> Served<H> {
    /// Serves the peer with its input to the end; whether they were ever connected.
    fn take(&mut self, peer: Plain, input: &Input) -> bool {
        let mut answer = Ok(false);
        let ran = self.network.run_until(&mut self.driver, PATIENCE, |_| {
            answer = peer.is_connected();
            !matches!(answer, Ok(false))
        });
        assert_eq!(
            ran.expect("no turn fails"),
            Ran::Done,
            "the listener does not answer"
        );
        if answer.is_err() {
            return false;
        }
        for piece in &input.pieces {
            self.write(&peer, &piece.bytes);
            self.turns(Duration::from_millis(piece.pause.into()), &peer);
        }
        match input.end {
            End::Finish => {
                // It may have been closed already.
                let _ = peer.finish();
                // (A reset may be lost, and then the peer never hears of the end.)
                self.await_end(Some(&peer), input.survives());
            }
            End::Close => {
                drop(peer);
                self.await_end(None, false);
            }
            End::Reset => {
                peer.reset();
                self.await_end(None, false);
            }
        }
        true
    }

    /// Writes all of it, with turns in between, unless the connection is over.
    fn write(&mut self, peer: &Plain, mut data: &[u8]) {
        let until = self.network.elapsed() + PATIENCE;
        while !data.is_empty() && self.network.elapsed() < until {
            match peer.write(data) {
                Ok(count) => data = &data[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.turns(Duration::from_millis(1), peer);
                }
                Err(_) => return,
            }
        }
        assert!(data.is_empty(), "the handler has not read for an hour");
    }

    /// Turns until this time has passed, with the peer reading.
    fn turns(&mut self, time: Duration, peer: &Plain) {
        let heard = &mut self.heard;
        self.network
            .run_until(&mut self.driver, time, |_| {
                hear(peer, heard);
                false
            })
            .expect("no turn fails");
        hear(peer, heard);
    }

    /// Turns until the connection has been closed, and the peer has heard of it if it must.
    fn await_end(&mut self, peer: Option<&Plain>, must_hear: bool) {
        let mut is_over = false;
        let heard = &mut self.heard;
        let ran = self.network.run_until(&mut self.driver, PATIENCE, |driver| {
            if let Some(peer) = peer {
                is_over |= hear(peer, heard);
            }
            driver.backend().net().connections() == 0 && (is_over || !must_hear)
        });
        assert_eq!(
            ran.expect("no turn fails"),
            Ran::Done,
            "the connection was not closed"
        );
    }
}

/// Reads what is there; whether the connection is over.
fn hear(peer: &Plain, heard: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4 << 10];
    loop {
        match peer.read(&mut buffer) {
            Ok(0) => return true,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

//! A toy encrypting layer, to see that the traits compose: a `Handler` around another, which decrypts the unread bytes in
//! place and hands the inner one a wrapped `SockMan` whose sends encrypt. Its keys lie in a `ConnMap`, because whoever
//! sends to a connection from another one's callback needs that connection's key.
//!
//! The cipher is a keystream of no strength whatever; it shows every byte that slips past it.

use crate::recorder::{Event, Recorder};
use crate::rig::{Machine, Peer, Rig};
use crate::stage::{LIMIT, stuff, take};
use sockman::{
    Bytes, Closed, Config, Conn, ConnMap, DialError, Disconnect, Driver, Gone, Handler, ListenOptions,
    Origin, Sent, SockMan, Wrapper,
};
use std::time::Duration;

/// The state of one direction: a position in its keystream.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: u64,
    at: u64,
}

impl Stream {
    fn new(key: u64) -> Self {
        Stream { key, at: 0 }
    }

    fn apply(&mut self, data: &mut [u8]) {
        for byte in data {
            let mut word = self.key ^ self.at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            word = (word ^ word >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte ^= (word >> 56) as u8;
            self.at += 1;
        }
    }
}

/// Encrypts what `H` sends and decrypts what it receives.
pub struct Cipher<H> {
    /// The protocol above.
    pub inner: H,
    outgoing: ConnMap<Stream>,
}

/// The session of a connection: the inner one, and the state of the incoming direction.
#[derive(Debug)]
pub struct Secret<T> {
    inner: T,
    incoming: Stream,
    /// Unread bytes, from the front, that are decrypted already.
    clear: usize,
}

/// What the inner handler is given.
pub struct Sealed<'a, S> {
    net: &'a mut S,
    outgoing: &'a mut ConnMap<Stream>,
}

impl<S: SockMan> Wrapper for Sealed<'_, S> {
    type Inner = S;

    fn inner(&self) -> &S {
        self.net
    }

    fn inner_mut(&mut self) -> &mut S {
        self.net
    }

    fn send(&mut self, conn: Conn, data: &[u8]) -> Result<Sent, Gone> {
        if !self.net.is_open(conn) {
            return Err(Gone);
        }
        let stream = self.outgoing.get_mut(conn).ok_or(Gone)?;
        let mut sealed = data.to_vec();
        stream.apply(&mut sealed);
        self.net.send(conn, &sealed)
    }

    fn send_bytes(&mut self, conn: Conn, data: Bytes) -> Result<Sent, Gone> {
        Wrapper::send(self, conn, &data)
    }
}

impl<H: Handler> Cipher<H> {
    /// Puts the layer under `inner`.
    pub fn new(inner: H) -> Self {
        Cipher {
            inner,
            outgoing: ConnMap::new(),
        }
    }

    fn parts<'a, S>(&'a mut self, net: &'a mut S) -> (&'a mut H, Sealed<'a, S>) {
        let outgoing = &mut self.outgoing;
        (&mut self.inner, Sealed { net, outgoing })
    }

    /// Decrypts the fresh part of the unread bytes, where they lie.
    fn open_bytes(session: &mut Secret<H::Session>, data: &mut [u8]) {
        session.incoming.apply(&mut data[session.clear..]);
        session.clear = data.len();
    }
}

impl<H: Handler> Handler for Cipher<H> {
    type Session = Secret<H::Session>;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<Self::Session> {
        self.outgoing.insert(conn, Stream::new(OURS));
        let (inner, mut net) = self.parts(net);
        let taken = inner.open(&mut net, conn, origin);
        if taken.is_none() {
            self.outgoing.remove(conn);
        }
        let incoming = Stream::new(THEIRS);
        taken.map(|inner| Secret {
            inner,
            incoming,
            clear: 0,
        })
    }

    fn received<S: SockMan>(
        &mut self,
        net: &mut S,
        conn: Conn,
        s: &mut Self::Session,
        data: &mut [u8],
    ) -> usize {
        Self::open_bytes(s, data);
        let (inner, mut net) = self.parts(net);
        let consumed = inner.received(&mut net, conn, &mut s.inner, data).min(data.len());
        s.clear -= consumed;
        consumed
    }

    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, s: &mut Self::Session, data: Bytes) {
        let (inner, mut net) = self.parts(net);
        inner.posted(&mut net, conn, &mut s.inner, data);
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, s: &mut Self::Session) {
        let (inner, mut net) = self.parts(net);
        inner.drained(&mut net, conn, &mut s.inner);
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, s: &mut Self::Session, unread: &mut [u8]) {
        Self::open_bytes(s, unread);
        let (inner, mut net) = self.parts(net);
        inner.eof(&mut net, conn, &mut s.inner, unread);
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, s: &mut Self::Session) {
        let (inner, mut net) = self.parts(net);
        inner.deadline(&mut net, conn, &mut s.inner);
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        let (inner, mut net) = self.parts(net);
        inner.timer(&mut net, key);
    }

    fn woken<S: SockMan>(&mut self, net: &mut S) {
        let (inner, mut net) = self.parts(net);
        inner.woken(&mut net);
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        let (inner, mut net) = self.parts(net);
        inner.dial_failed(&mut net, key, why);
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: Self::Session, why: Closed) {
        self.outgoing.remove(conn);
        let (inner, mut net) = self.parts(net);
        inner.closed(&mut net, conn, session.inner, why);
    }

    fn stopping<S: SockMan>(&mut self, net: &mut S, within: Duration) {
        let (inner, mut net) = self.parts(net);
        inner.stopping(&mut net, within);
    }
}

/// The key of what we send, and of what the peer sends. A key for each connection would have to be agreed on first.
const OURS: u64 = 0x6f75_7273;
const THEIRS: u64 = 0x7468_6569_7273;

/// Takes turns until the peer has heard `count` more bytes, raw and decrypted.
fn hear<R: Rig>(
    (rig, driver): (&R, &mut Driver<R::Backend, Cipher<Recorder>>),
    (peer, stream): &mut (R::Peer, Stream),
    count: usize,
) -> (Vec<u8>, Vec<u8>) {
    let by = rig.now() + LIMIT;
    let mut raw = Vec::new();
    while raw.len() < count {
        assert!(rig.now() < by, "the peer heard {} of {count} bytes", raw.len());
        driver.turn(Some(Duration::from_millis(5))).expect("a turn");
        take(peer, &mut raw, count).expect("the peer's read");
    }
    let mut clear = raw.clone();
    stream.apply(&mut clear);
    (raw, clear)
}

/// A loop with the layer and three peers behind it.
type Sealing<R> = (
    R,
    Driver<<R as Rig>::Backend, Cipher<Recorder>>,
    Vec<(<R as Rig>::Peer, Stream)>,
);

fn sealing<R: Rig>(recorder: Recorder) -> Sealing<R> {
    let mut rig = R::new();
    let backend = rig.backend(&Config::default()).expect("the backend works here");
    let mut driver = Driver::with_backend(backend, Cipher::new(recorder));
    let at = rig.address();
    let at = driver.with(|_, net| {
        let listener = net.listen(&at, &ListenOptions::default()).expect("free");
        net.local_addr(listener).expect("it listens")
    });
    let mut peers = Vec::new();
    let by = rig.now() + LIMIT;
    for count in 1..=3 {
        peers.push((rig.connect(&at), Stream::new(OURS)));
        while driver.handler().inner.opened().len() < count {
            assert!(rig.now() < by, "not opened");
            driver.turn(Some(Duration::from_millis(5))).expect("a turn");
        }
    }
    (rig, driver, peers)
}

const NEWS: &[u8] = b"a new block for everybody";

fn assert_sealed(raw: &[u8], clear: &[u8]) {
    assert_eq!(clear, NEWS);
    assert!(
        !raw.windows(4)
            .any(|part| NEWS.windows(4).any(|plain| plain == part)),
        "plaintext went out"
    );
}

/// Bytes that come in any pieces, and are consumed in others, are decrypted in place, each once.
pub fn a_layer_decrypts_unread_bytes_in_place<R: Rig>() {
    let recorder = Recorder::new().on_received(|net, conn, data| {
        // Whole lines only: the rest comes back, decrypted already.
        let lines = data
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        net.send(conn, &data[..lines]).expect("open");
        lines
    });
    let (rig, mut driver, mut peers) = sealing::<R>(recorder);
    let text = b"first\nsecond line\nthird, which comes in many pieces\n";
    let mut sealed = text.to_vec();
    Stream::new(THEIRS).apply(&mut sealed);
    let mut pieces = sealed.chunks(7);
    let peer = &mut peers[0];
    let mut heard = Vec::new();
    for piece in pieces.by_ref() {
        assert_eq!(stuff(&mut peer.0, piece), piece.len());
        for _ in 0..3 {
            driver.turn(Some(Duration::from_millis(2))).expect("a turn");
        }
    }
    let (raw, clear) = hear((&rig, &mut driver), peer, text.len());
    heard.extend_from_slice(&clear);
    assert_eq!(heard, text);
    assert_ne!(raw, text);
    peer.0.finish();
}

/// A broadcast from one connection's callback, by `post` and by `send`, is encrypted with each receiver's own state.
pub fn a_broadcast_goes_through_each_receivers_layer<R: Rig>() {
    let recorder = Recorder::new().on_received(|net, conn, data| {
        // The ids of the others were sent along, by a peer that knows them: their slots and generations.
        for id in data.chunks_exact(8) {
            let bits = u64::from_be_bytes(id.try_into().expect("eight"));
            let other = <Conn as sockman::Id>::from_raw(sockman::RawId::from_bits(bits).expect("an id"));
            if other == conn {
                net.send(other, NEWS).expect("open");
            } else {
                net.post(other, Bytes::from_static(NEWS));
            }
        }
        data.len()
    });
    let (rig, mut driver, mut peers) = sealing::<R>(recorder);
    let mut theirs = Stream::new(THEIRS);
    for _ in 0..3 {
        let mut ids = Vec::new();
        for conn in driver.handler().inner.opened() {
            ids.extend_from_slice(&sockman::Id::raw(conn).to_bits().to_be_bytes());
        }
        theirs.apply(&mut ids);
        assert_eq!(stuff(&mut peers[1].0, &ids), ids.len());
        for peer in &mut peers {
            let (raw, clear) = hear((&rig, &mut driver), peer, NEWS.len());
            assert_sealed(&raw, &clear);
        }
    }
}

/// A post of a `Remote` goes through the layer too.
pub fn a_remotes_post_goes_through_the_layer<R: Rig>() {
    let (rig, mut driver, mut peers) = sealing::<R>(Recorder::new());
    let remote = driver.remote();
    for _ in 0..3 {
        for conn in driver.handler().inner.opened() {
            remote.post(conn, NEWS).expect("the loop is there");
        }
        for peer in &mut peers {
            let (raw, clear) = hear((&rig, &mut driver), peer, NEWS.len());
            assert_sealed(&raw, &clear);
        }
    }
    remote
        .disconnect(driver.handler().inner.opened()[0], Disconnect::Now)
        .expect("the loop is there");
    while driver.handler().inner.closings.is_empty() {
        driver.turn(Some(LIMIT)).expect("a turn");
    }
}

/// The same from another thread, while the loop sleeps.
pub fn a_post_from_another_thread_goes_through_the_layer<R: Machine>() {
    let (rig, mut driver, mut peers) = sealing::<R>(Recorder::new());
    let (remote, conn) = (driver.remote(), driver.handler().inner.opened()[2]);
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        remote.post(conn, NEWS)
    });
    let (raw, clear) = hear((&rig, &mut driver), &mut peers[2], NEWS.len());
    assert_sealed(&raw, &clear);
    thread.join().expect("no panic").expect("the loop is there");
    assert_eq!(driver.handler().inner.count(|e| matches!(e, Event::Posted(_))), 1);
}

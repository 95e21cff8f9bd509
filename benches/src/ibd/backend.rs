//! Both ends on a sockman backend.

use super::chain::{Chain, magic};
use super::download::Download;
use super::serving::{EVERY, Peer};
use super::talk::{Report, Role, Talk, answer};
use crate::Failure;
use crate::serve::{Counts, Ready, Unable, backend};
use sockman::{
    Backend, Closed, Config, Conn, ConnMap, DialError, DialOptions, Driver, Endpoint, Handler, Limits,
    Origin, Sent, SockMan,
};
use sockman_p2p::wire::{self, HEADER, MAX_PAYLOAD, Next};
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

/// The settings of a loop that downloads, as a node would have them.
fn config() -> Config {
    const MESSAGE: usize = HEADER + MAX_PAYLOAD;
    Config {
        limits: Limits {
            // The largest message must fit, and more comes with it.
            unread: MESSAGE + (1 << 20),
            ..Limits::default()
        },
        // Checking a block takes longer than reading it: to let others have their turn in the middle of that helps nobody.
        byte_budget: MESSAGE,
        // What is asked for leaves at once, and not when all that has come was looked at: the server goes on meanwhile.
        direct_write: 0,
        // What the largest message was put together in is kept for the next one: it may have grown to half as much more, and
        // half of what is kept is for sending.
        spare_buffers: 4 * MESSAGE,
        ..Config::default()
    }
}

/// What came of a download.
type Outcome = Rc<RefCell<Progress>>;

/// How far a download is, for who turns the loop.
#[derive(Debug, Default)]
pub struct Progress {
    open: usize,
    over: Option<io::Result<Report>>,
}

/// Downloads on a backend.
pub fn download<B: Backend>(work: Download) -> Result<Report, Failure> {
    download_with::<B, _>(work, |downloader| downloader)
}

/// As [`download`], with a handler made of the downloader.
pub fn download_with<B: Backend, H: Handler>(
    work: Download,
    handler: impl FnOnce(Downloader) -> H,
) -> Result<Report, Failure> {
    let Download { peers, talk } = work;
    let outcome = Outcome::default();
    let downloader = Downloader {
        talk,
        from: None,
        out: Vec::new(),
        outcome: outcome.clone(),
    };
    let driver = Driver::<B, _>::new(&config(), handler(downloader));
    let mut driver = driver.map_err(|error| Unable(error.to_string()))?;
    let interface = driver.with(|_, net| net.stats().interface.clone());
    // Others are there before it begins.
    let (first, others) = peers.split_first().ok_or("nobody to download from")?;
    for (round, wave) in [others, std::slice::from_ref(first)].into_iter().enumerate() {
        for (at, role) in wave {
            driver.with(|_, net| dial(net, *at, *role))?;
        }
        let expected = if round == 0 { others.len() } else { peers.len() };
        while outcome.borrow().open < expected && outcome.borrow().over.is_none() {
            driver.turn(None)?;
        }
    }
    while outcome.borrow().over.is_none() {
        driver.turn(None)?;
    }
    let over = outcome.borrow_mut().over.take();
    let mut report = over.ok_or("it is not over")??;
    report.interface = interface;
    Ok(report)
}

fn dial(net: &mut impl SockMan, at: SocketAddr, role: Role) -> io::Result<()> {
    let how = DialOptions {
        key: role.key(),
        ..DialOptions::default()
    };
    net.dial(&Endpoint::Tcp(at), &how).map(drop)
}

/// Downloads, and answers everybody else.
pub struct Downloader {
    talk: Talk,
    /// Whom it downloads from.
    from: Option<Conn>,
    /// Where messages are put together.
    out: Vec<u8>,
    outcome: Outcome,
}

impl Downloader {
    fn over(&self, how: io::Result<Report>) {
        self.outcome.borrow_mut().over.get_or_insert(how);
    }

    /// Sends what was put together. What is not sent because the peer has gone, `closed` tells of.
    #[inline]
    fn say(&self, net: &mut impl SockMan, conn: Conn) {
        if !self.out.is_empty() {
            let _ = net.send(conn, &self.out);
        }
    }

    /// Takes what is there of the download. Says how many bytes that was, and how many it wants.
    #[inline]
    fn take(&mut self, net: &mut impl SockMan, conn: Conn, data: &[u8]) -> io::Result<(usize, usize)> {
        let mut bytes = 0;
        loop {
            self.out.clear();
            let counts = || Some(counts(net));
            let taken = self.talk.take(&data[bytes..], &mut self.out, counts)?;
            bytes += taken.bytes;
            self.say(net, conn);
            if let Some(report) = self.talk.report() {
                let report = report.clone();
                self.over(Ok(report));
            }
            if let Some(wants) = taken.wants {
                return Ok((bytes, wants));
            }
        }
    }

    fn answer_others(
        &mut self,
        net: &mut impl SockMan,
        conn: Conn,
        data: &[u8],
    ) -> io::Result<(usize, usize)> {
        self.out.clear();
        let mut bytes = 0;
        loop {
            match wire::next(&data[bytes..], magic()).map_err(io::Error::other)? {
                Next::Whole(frame) => {
                    bytes += frame.bytes.len();
                    answer(&frame, &mut self.out)?;
                }
                Next::Wants(wants) => {
                    self.say(net, conn);
                    return Ok((bytes, wants));
                }
            }
        }
    }
}

/// What a loop has counted.
fn counts(net: &impl SockMan) -> Counts {
    let stats = net.stats();
    Counts {
        calls: stats.syscalls.total(),
        turns: stats.turns,
    }
}

impl Handler for Downloader {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        let role = Role::from_key(origin.key);
        if role == Role::Download {
            self.from = Some(conn);
        }
        self.outcome.borrow_mut().open += 1;
        self.out.clear();
        role.greet(&mut self.out);
        self.say(net, conn);
        Some(())
    }

    #[inline]
    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        let taken = if self.from == Some(conn) {
            self.take(net, conn, data)
        } else {
            self.answer_others(net, conn, data)
        };
        let (bytes, wants) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                self.over(Err(error));
                return data.len();
            }
        };
        if wants > HEADER {
            // There is room for the largest message.
            let _ = net.want(conn, wants);
        }
        bytes
    }

    fn dial_failed<S: SockMan>(&mut self, _: &mut S, _: u64, why: DialError) {
        self.over(Err(io::Error::other(why)));
    }

    fn closed<S: SockMan>(&mut self, _: &mut S, conn: Conn, (): (), why: Closed) {
        if self.from == Some(conn) {
            self.over(Err(io::Error::other(format!("the server is gone: {why}"))));
        }
    }
}

/// Serves a chain on a backend.
pub fn serve<B: Backend>(chain: Chain, ready: Ready<'_>) -> io::Result<()> {
    backend::serve::<B, _>(Server::new(chain), ready)
}

/// Serves a chain from memory.
pub struct Server {
    chain: Arc<Chain>,
    peers: ConnMap<Peer>,
    slow: Vec<Conn>,
    out: Vec<u8>,
}

impl Server {
    /// Of this chain.
    pub fn new(chain: Chain) -> Server {
        Server {
            chain: Arc::new(chain),
            peers: ConnMap::new(),
            slow: Vec::new(),
            out: Vec::new(),
        }
    }

    /// Sends the blocks that a peer wants, as many as it takes.
    #[inline]
    fn pump<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let Some(peer) = self.peers.get_mut(conn) else {
            return;
        };
        while let Some(block) = peer.next_block() {
            if !net.send_bytes(conn, block).is_ok_and(|sent| !sent.is_high()) {
                return;
            }
        }
    }
}

impl Handler for Server {
    type Session = ();

    fn open<S: SockMan>(&mut self, _: &mut S, conn: Conn, _: &Origin) -> Option<()> {
        self.peers.insert(conn, Peer::new(self.chain.clone()));
        Some(())
    }

    #[inline]
    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        let Some(peer) = self.peers.get_mut(conn) else {
            return data.len();
        };
        self.out.clear();
        let mut taken = 0;
        let begins = peer.role();
        while let Ok(Next::Whole(frame)) = wire::next(&data[taken..], magic()) {
            taken += frame.bytes.len();
            if peer.frame(&frame, &mut self.out).is_err() {
                return data.len();
            }
        }
        if peer.role() != begins && peer.role() == Role::Slow {
            self.slow.push(conn);
            if self.slow.len() == 1 {
                net.set_timer(net.now() + EVERY, 0);
            }
        }
        let high = !self.out.is_empty() && !net.send(conn, &self.out).is_ok_and(|sent: Sent| !sent.is_high());
        if !high {
            self.pump(net, conn);
        }
        taken
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        self.pump(net, conn);
    }

    /// Slow peers have their next piece.
    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        for conn in &self.slow {
            if let Some(piece) = self.peers.get_mut(*conn).and_then(Peer::piece) {
                let _ = net.send_bytes(*conn, piece);
            }
        }
        if !self.slow.is_empty() {
            net.set_timer(net.now() + EVERY, key);
        }
    }

    fn closed<S: SockMan>(&mut self, _: &mut S, conn: Conn, (): (), _: Closed) {
        self.peers.remove(conn);
        self.slow.retain(|other| *other != conn);
    }
}

//! Blocking reads and writes, a thread for each connection.

use crate::Failure;
use crate::ibd::chain::{Chain, magic};
use crate::ibd::download::Download;
use crate::ibd::serving::{EVERY, Peer};
use crate::ibd::talk::{Report, Role, answer};
use crate::serve::{BACKLOG, Counts, Ready, Running};
use sockman_p2p::wire::{Frame, HEADER, Header};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The size of a connection's buffers, as of our loop's.
const BUFFER: usize = 64 << 10;

/// A socket whose calls are counted.
struct Counted {
    socket: TcpStream,
    calls: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.socket.read(into)
    }
}

impl Write for Counted {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.socket.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads messages one by one: small ones out of a buffer, large ones straight to where they are kept.
struct Messages {
    from: BufReader<Counted>,
    bytes: Vec<u8>,
}

impl Messages {
    fn new(socket: TcpStream, calls: &Arc<AtomicU64>) -> Messages {
        let calls = calls.clone();
        Messages {
            from: BufReader::with_capacity(BUFFER, Counted { socket, calls }),
            bytes: Vec::new(),
        }
    }

    fn next(&mut self) -> io::Result<Frame<'_>> {
        // It grows to the largest message, and stays.
        if self.bytes.len() < HEADER {
            self.bytes.resize(HEADER, 0);
        }
        self.from.read_exact(&mut self.bytes[..HEADER])?;
        let header = Header::read(&self.bytes, magic()).map_err(io::Error::other)?;
        let header = header.ok_or(io::ErrorKind::InvalidData)?;
        if self.bytes.len() < header.size() {
            self.bytes.resize(header.size(), 0);
        }
        let bytes = &mut self.bytes[..header.size()];
        self.from.read_exact(&mut bytes[HEADER..])?;
        Ok(Frame { header, bytes })
    }

    /// Whether nothing more has been read than was taken.
    fn is_empty(&self) -> bool {
        self.from.buffer().is_empty()
    }
}

/// Dials, and greets.
fn dial(at: SocketAddr, role: Role) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(at)?;
    socket.set_nodelay(true)?;
    let mut out = Vec::new();
    role.greet(&mut out);
    socket.write_all(&out)?;
    Ok(socket)
}

/// Downloads.
pub fn download(work: Download) -> Result<Report, Failure> {
    let Download { peers, mut talk } = work;
    let (first, others) = peers.split_first().ok_or("nobody to download from")?;
    let calls = Arc::new(AtomicU64::new(0));
    for (at, role) in others {
        let socket = dial(*at, *role)?;
        let calls = calls.clone();
        // It ends with the process.
        thread::spawn(move || answer_all(socket, &calls));
    }
    let socket = dial(first.0, first.1)?;
    let mut to = Counted {
        socket: socket.try_clone()?,
        calls: calls.clone(),
    };
    let mut from = Messages::new(socket, &calls);
    let counts = || {
        Some(Counts {
            calls: calls.load(Ordering::Relaxed),
            turns: 0,
        })
    };
    let mut out = Vec::new();
    while !talk.is_over() {
        talk.frame(&from.next()?, &mut out, counts)?;
        talk.ask(&mut out);
        if !out.is_empty() {
            to.write_all(&out)?;
            out.clear();
        }
    }
    Ok(talk.into_report())
}

/// Answers a peer that is there for nothing else.
fn answer_all(socket: TcpStream, calls: &Arc<AtomicU64>) -> io::Result<()> {
    let mut to = Counted {
        socket: socket.try_clone()?,
        calls: calls.clone(),
    };
    let mut from = Messages::new(socket, calls);
    let mut out = Vec::new();
    loop {
        answer(&from.next()?, &mut out)?;
        to.write_all(&out)?;
        out.clear();
    }
}

/// Serves.
pub fn serve(chain: Chain, ready: Ready<'_>) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    rustix::net::listen(&listener, BACKLOG)?;
    let chain = Arc::new(chain);
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    ready(Running {
        probe: Box::new(move || {
            Some(Counts {
                calls: counted.load(Ordering::Relaxed),
                turns: 0,
            })
        }),
        ..Running::new(listener.local_addr()?)
    });
    loop {
        let (socket, _) = listener.accept()?;
        let (peer, calls) = (Peer::new(chain.clone()), calls.clone());
        // A peer that goes away ends its own thread and nothing else.
        thread::spawn(move || serve_one(peer, socket, &calls));
    }
}

fn serve_one(mut peer: Peer, socket: TcpStream, calls: &Arc<AtomicU64>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let to = Counted {
        socket: socket.try_clone()?,
        calls: calls.clone(),
    };
    // Tiny blocks leave together, large ones from where they lie.
    let mut to = BufWriter::with_capacity(BUFFER, to);
    let mut from = Messages::new(socket, calls);
    let mut out = Vec::new();
    loop {
        peer.frame(&from.next()?, &mut out)?;
        to.write_all(&out)?;
        out.clear();
        while let Some(block) = peer.next_block() {
            to.write_all(&block)?;
        }
        if from.is_empty() {
            to.flush()?;
        }
        while peer.role() == Role::Slow
            && let Some(piece) = peer.piece()
        {
            thread::sleep(EVERY);
            to.write_all(&piece)?;
            to.flush()?;
        }
    }
}

//! The same on tokio's current-thread runtime: a task for each connection.

use crate::Failure;
use crate::ibd::chain::{Chain, magic};
use crate::ibd::download::Download;
use crate::ibd::serving::{EVERY, Peer};
use crate::ibd::talk::{Report, Role, answer};
use crate::serve::{Ready, Running, listener};
use sockman_p2p::wire::{Frame, HEADER, Header};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// The size of a connection's buffers, as of our loop's.
const BUFFER: usize = 64 << 10;

/// Reads messages one by one: small ones out of a buffer, large ones straight to where they are kept.
struct Messages {
    from: BufReader<OwnedReadHalf>,
    bytes: Vec<u8>,
}

impl Messages {
    fn new(from: OwnedReadHalf) -> Messages {
        Messages {
            from: BufReader::with_capacity(BUFFER, from),
            bytes: Vec::new(),
        }
    }

    async fn next(&mut self) -> io::Result<Frame<'_>> {
        // It grows to the largest message, and stays.
        if self.bytes.len() < HEADER {
            self.bytes.resize(HEADER, 0);
        }
        self.from.read_exact(&mut self.bytes[..HEADER]).await?;
        let header = Header::read(&self.bytes, magic()).map_err(io::Error::other)?;
        let header = header.ok_or(io::ErrorKind::InvalidData)?;
        if self.bytes.len() < header.size() {
            self.bytes.resize(header.size(), 0);
        }
        let bytes = &mut self.bytes[..header.size()];
        self.from.read_exact(&mut bytes[HEADER..]).await?;
        Ok(Frame { header, bytes })
    }

    /// Whether nothing more has been read than was taken.
    fn is_empty(&self) -> bool {
        self.from.buffer().is_empty()
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Dials, and greets.
async fn dial(at: SocketAddr, role: Role) -> io::Result<(Messages, OwnedWriteHalf)> {
    let socket = TcpStream::connect(at).await?;
    socket.set_nodelay(true)?;
    let (from, mut to) = socket.into_split();
    let mut out = Vec::new();
    role.greet(&mut out);
    to.write_all(&out).await?;
    Ok((Messages::new(from), to))
}

/// Downloads.
pub fn download(work: Download) -> Result<Report, Failure> {
    runtime()?.block_on(download_all(work))
}

async fn download_all(work: Download) -> Result<Report, Failure> {
    let Download { peers, mut talk } = work;
    let (first, others) = peers.split_first().ok_or("nobody to download from")?;
    for (at, role) in others {
        let (from, to) = dial(*at, *role).await?;
        tokio::spawn(answer_all(from, to));
    }
    let (mut from, mut to) = dial(first.0, first.1).await?;
    let mut out = Vec::new();
    while !talk.is_over() {
        talk.frame(&from.next().await?, &mut out, || None)?;
        talk.ask(&mut out);
        if !out.is_empty() {
            to.write_all(&out).await?;
            out.clear();
        }
    }
    Ok(talk.into_report())
}

/// Answers a peer that is there for nothing else.
async fn answer_all(mut from: Messages, mut to: OwnedWriteHalf) -> io::Result<()> {
    let mut out = Vec::new();
    loop {
        answer(&from.next().await?, &mut out)?;
        to.write_all(&out).await?;
        out.clear();
    }
}

/// Serves.
pub fn serve(chain: Chain, ready: Ready<'_>) -> io::Result<()> {
    runtime()?.block_on(serve_all(chain, ready))
}

async fn serve_all(chain: Chain, ready: Ready<'_>) -> io::Result<()> {
    let (listener, at) = listener()?;
    let listener = TcpListener::from_std(listener)?;
    let chain = Arc::new(chain);
    ready(Running::new(at));
    loop {
        let (socket, _) = listener.accept().await?;
        // A peer that goes away ends its own task and nothing else.
        tokio::spawn(serve_one(Peer::new(chain.clone()), socket));
    }
}

async fn serve_one(mut peer: Peer, socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (from, to) = socket.into_split();
    // Tiny blocks leave together, large ones from where they lie.
    let mut to = BufWriter::with_capacity(BUFFER, to);
    let mut from = Messages::new(from);
    let mut out = Vec::new();
    loop {
        peer.frame(&from.next().await?, &mut out)?;
        to.write_all(&out).await?;
        out.clear();
        while let Some(block) = peer.next_block() {
            to.write_all(&block).await?;
        }
        if from.is_empty() {
            to.flush().await?;
        }
        while peer.role() == Role::Slow
            && let Some(piece) = peer.piece()
        {
            tokio::time::sleep(EVERY).await;
            to.write_all(&piece).await?;
            to.flush().await?;
        }
    }
}

//! A template provider that blocks: a thread for each connection that reads and answers, and another that waits for tips. With the
//! reference implementation's codec, and nothing of ours.

use crate::serve::{BACKLOG, Counts, Ready, Running};
use crate::sv2::templates::{SECRET, transactions};
use binary_sv2::{B016M, B064K, B0255, GetSize, Seq064K, Seq0255, Serialize, Str0255, U256};
use bytes::Bytes;
use codec_sv2::{
    Decrypted, Handshake, NoiseDecoder, NoiseEncoder, TransportDecryptState, TransportEncryptState,
};
use common_messages_sv2::SetupConnectionSuccess;
use framing_sv2::framing::{MessageFrame, SerializedFrame};
use key_utils::Secp256k1SecretKey;
use noise_sv2::{ELLSWIFT_ENCODING_SIZE, Responder};
use parsers_sv2::{CommonMessages, IsSv2Message, TemplateDistribution};
use secp256k1::{Keypair, Secp256k1};
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use template_distribution_sv2::{
    NewTemplate, RequestTransactionDataError, RequestTransactionDataSuccess, SetNewPrevHash,
};

/// The size of a connection's buffer, as of our loop's.
const BUFFER: usize = 64 << 10;

/// Seconds that a certificate is valid.
const VALID: u32 = 60 * 60;

/// What all connections share.
struct Shared {
    authority: Keypair,
    transactions: Vec<Bytes>,
    /// How many tips there were.
    tip: Mutex<u64>,
    changed: Condvar,
    calls: AtomicU64,
}

impl Shared {
    fn tip(&self) -> MutexGuard<'_, u64> {
        self.tip.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs it, with transactions of so many bytes.
pub fn run(size: usize, ready: Ready<'_>) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    rustix::net::listen(&listener, BACKLOG)?;
    let secret: Secp256k1SecretKey = SECRET.parse().map_err(invalid)?;
    let shared = Arc::new(Shared {
        authority: secret.0.keypair(&Secp256k1::new()),
        transactions: transactions(size),
        tip: Mutex::new(1),
        changed: Condvar::new(),
        calls: AtomicU64::new(0),
    });
    let (counted, told) = (shared.clone(), shared.clone());
    ready(Running {
        probe: Box::new(move || {
            let calls = counted.calls.load(Ordering::Relaxed);
            Some(Counts { calls, turns: 0 })
        }),
        post: Some(Box::new(move || {
            *told.tip() += 1;
            told.changed.notify_all();
        })),
        ..Running::new(listener.local_addr()?)
    });
    loop {
        shared.call();
        let (socket, _) = listener.accept()?;
        let shared = shared.clone();
        // A client that goes away ends its own threads and nothing else.
        thread::spawn(move || serve(&shared, socket));
    }
}

/// A socket whose calls are counted.
struct Counted {
    socket: TcpStream,
    shared: Arc<Shared>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.shared.call();
        self.socket.read(into)
    }
}

impl Write for Counted {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.shared.call();
        self.socket.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a client is sent to, by both of its threads.
struct Out {
    to: Counted,
    encoder: NoiseEncoder,
    keys: TransportEncryptState,
    /// The number of its last template.
    template: u64,
}

impl Out {
    fn seal<T: IsSv2Message + Serialize + GetSize>(&mut self, message: T) -> io::Result<Vec<u8>> {
        let kind = message.message_type();
        let frame = MessageFrame::from_message(message, kind, 0, false).map_err(invalid)?;
        let sealed = self.encoder.encode_transport(frame, &mut self.keys);
        sealed.map_err(invalid)
    }

    fn say<T: IsSv2Message + Serialize + GetSize>(&mut self, message: T) -> io::Result<()> {
        let frame = self.seal(message)?;
        self.to.write_all(&frame)
    }

    /// Sends a template and what activates it, together.
    fn tell(&mut self, transactions: usize) -> io::Result<()> {
        self.template += 1;
        let mut frames = self.seal(template(self.template, transactions)?)?;
        frames.append(&mut self.seal(prev_hash(self.template)?)?);
        self.to.write_all(&frames)
    }
}

fn invalid(why: impl std::fmt::Debug) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{why:?}"))
}

fn lock(out: &Mutex<Out>) -> MutexGuard<'_, Out> {
    out.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers a client.
fn serve(shared: &Arc<Shared>, socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let counted = |socket: TcpStream| Counted {
        socket,
        shared: shared.clone(),
    };
    let mut to = counted(socket.try_clone()?);
    let mut from = BufReader::with_capacity(BUFFER, counted(socket));
    let mut hello = [0; ELLSWIFT_ENCODING_SIZE];
    from.read_exact(&mut hello)?;
    let (reply, transport) = Handshake::responder(Responder::new(shared.authority, VALID))
        .step_1(hello)
        .map_err(invalid)?;
    to.write_all(reply.payload())?;
    let (keys, decrypt) = transport.split();
    let out = Arc::new(Mutex::new(Out {
        to,
        encoder: NoiseEncoder::new(),
        keys,
        template: 1,
    }));
    let mut frames = Frames {
        from,
        decoder: NoiseDecoder::new(),
        decrypt: Some(decrypt),
    };
    let mut is_told = false;
    loop {
        let mut frame = frames.next()?;
        let kind = frame.header().msg_type();
        if let Ok(CommonMessages::SetupConnection(_)) = CommonMessages::try_from((kind, frame.payload())) {
            let (used_version, flags) = (2, 0);
            let agreed = SetupConnectionSuccess { used_version, flags };
            lock(&out).say(CommonMessages::SetupConnectionSuccess(agreed))?;
            continue;
        }
        match TemplateDistribution::try_from((kind, frame.payload())).map_err(invalid)? {
            TemplateDistribution::CoinbaseOutputConstraints(_) => {
                let seen = *shared.tip();
                lock(&out).tell(shared.transactions.len())?;
                if !std::mem::replace(&mut is_told, true) {
                    let (shared, out) = (shared.clone(), out.clone());
                    thread::spawn(move || tell_tips(&shared, &out, seen));
                }
            }
            TemplateDistribution::RequestTransactionData(asked) => {
                let mut out = lock(&out);
                if asked.template_id == out.template {
                    out.say(data(asked.template_id, &shared.transactions)?)?;
                } else {
                    out.say(refusal(asked.template_id)?)?;
                }
            }
            other => return Err(invalid(other)),
        }
    }
}

/// Tells a client of each tip, until it cannot be told any more.
fn tell_tips(shared: &Shared, out: &Mutex<Out>, mut seen: u64) -> io::Result<()> {
    loop {
        let waited = shared.changed.wait_while(shared.tip(), |tip| *tip == seen);
        seen = *waited.unwrap_or_else(PoisonError::into_inner);
        lock(out).tell(shared.transactions.len())?;
    }
}

/// Reads frames.
struct Frames {
    from: BufReader<Counted>,
    decoder: NoiseDecoder,
    decrypt: Option<TransportDecryptState>,
}

impl Frames {
    fn next(&mut self) -> io::Result<SerializedFrame<Vec<u8>>> {
        loop {
            self.from.read_exact(self.decoder.writable())?;
            let keys = self.decrypt.take().ok_or(io::ErrorKind::InvalidData)?;
            match self.decoder.next_transport_frame(keys).map_err(invalid)? {
                Decrypted::Incomplete(_, keys) => self.decrypt = Some(keys),
                Decrypted::Frame(frame, keys) => {
                    self.decrypt = Some(keys);
                    return Ok(frame);
                }
            }
        }
    }
}

/// A template as large as ours. What its hashes are is nobody's business here.
fn template(template_id: u64, transactions: usize) -> io::Result<TemplateDistribution<'static>> {
    static HASH: [u8; 32] = [7; 32];
    /// A script that commits to witnesses, with its amount and its length.
    static OUTPUT: [u8; 47] = [8; 47];
    /// The length of a height, and the height.
    static PREFIX: [u8; 4] = [3, 0, 0x35, 0x0c];
    let depth = usize::BITS - transactions.leading_zeros();
    let path = (0..depth).map(|_| U256::new(&HASH));
    let path = path.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
    Ok(TemplateDistribution::NewTemplate(NewTemplate {
        template_id,
        future_template: true,
        version: 0x2000_0000,
        coinbase_tx_version: 2,
        coinbase_prefix: B0255::new(&PREFIX).map_err(invalid)?,
        coinbase_tx_input_sequence: u32::MAX,
        coinbase_tx_value_remaining: 312_500_000,
        coinbase_tx_outputs_count: 1,
        coinbase_tx_outputs: B064K::new(&OUTPUT).map_err(invalid)?,
        coinbase_tx_locktime: 0,
        merkle_path: Seq0255::new(path).map_err(invalid)?,
    }))
}

fn prev_hash(template_id: u64) -> io::Result<TemplateDistribution<'static>> {
    static HASH: [u8; 32] = [9; 32];
    Ok(TemplateDistribution::SetNewPrevHash(SetNewPrevHash {
        template_id,
        prev_hash: U256::new(&HASH).map_err(invalid)?,
        header_timestamp: 1_700_000_000,
        n_bits: 0x1702_3456,
        target: U256::new(&HASH).map_err(invalid)?,
    }))
}

fn data(template_id: u64, transactions: &[Bytes]) -> io::Result<TemplateDistribution<'_>> {
    static EXCESS: [u8; 32] = [0; 32];
    let list = transactions.iter().map(|bytes| B016M::new(bytes));
    let list = list.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
    Ok(TemplateDistribution::RequestTransactionDataSuccess(
        RequestTransactionDataSuccess {
            template_id,
            excess_data: B064K::new(&EXCESS).map_err(invalid)?,
            transaction_list: Seq064K::new(list).map_err(invalid)?,
        },
    ))
}

fn refusal(template_id: u64) -> io::Result<TemplateDistribution<'static>> {
    Ok(TemplateDistribution::RequestTransactionDataError(
        RequestTransactionDataError {
            template_id,
            error_code: Str0255::new(b"template-id-not-found").map_err(invalid)?,
        },
    ))
}

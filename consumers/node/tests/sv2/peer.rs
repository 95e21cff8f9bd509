//! A client built from the reference implementation's crates over blocking sockets: nothing of ours reads or writes for it.

use binary_sv2::{B064K, GetSize, Serialize, Str0255};
use codec_sv2::{
    Decrypted, Handshake, NoiseDecoder, NoiseEncoder, TransportDecryptState, TransportEncryptState,
};
use common_messages_sv2::{Protocol, SetupConnection};
use framing_sv2::framing::{MessageFrame, SerializedFrame};
use key_utils::Secp256k1PublicKey;
use noise_sv2::{INITIATOR_EXPECTED_HANDSHAKE_MESSAGE_SIZE, Initiator};
use parsers_sv2::{CommonMessages, IsSv2Message, TemplateDistribution};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use template_distribution_sv2::{CoinbaseOutputConstraints, RequestTransactionData, SubmitSolution};

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Begins a connection.
pub(crate) fn dial(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// A client whose key is sent, or is to be.
pub(crate) struct Greeting {
    /// What is to be sent first.
    pub(crate) hello: Vec<u8>,
    waits: Handshake<codec_sv2::InitiatorSent>,
}

impl Greeting {
    /// That of a client that trusts this authority.
    pub(crate) fn new(authority: &str) -> Greeting {
        let key: Secp256k1PublicKey = authority.parse().expect("a key");
        let initiator = Initiator::new(Some(key.0));
        let (hello, waits) = Handshake::initiator(initiator).step_0().expect("it begins");
        Greeting {
            hello: hello.payload().to_vec(),
            waits,
        }
    }

    /// Reads the server's answer, and checks it.
    pub(crate) fn finish(self, mut stream: TcpStream) -> Result<Peer, codec_sv2::Error> {
        let mut reply = [0; INITIATOR_EXPECTED_HANDSHAKE_MESSAGE_SIZE];
        stream.read_exact(&mut reply).expect("the server answers");
        let (encrypt, decrypt) = self.waits.step_2(reply)?.split();
        Ok(Peer {
            stream,
            encoder: NoiseEncoder::new(),
            decoder: NoiseDecoder::new(),
            encrypt,
            decrypt: Some(decrypt),
        })
    }
}

/// A client after the handshake.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    encoder: NoiseEncoder,
    decoder: NoiseDecoder,
    encrypt: TransportEncryptState,
    decrypt: Option<TransportDecryptState>,
}

/// A frame that the server has sent.
pub(crate) struct Frame(SerializedFrame<Vec<u8>>);

impl Frame {
    pub(crate) fn common(&mut self) -> CommonMessages<'_> {
        let kind = self.0.header().msg_type();
        CommonMessages::try_from((kind, self.0.payload())).expect("a common message")
    }

    pub(crate) fn templates(&mut self) -> TemplateDistribution<'_> {
        let kind = self.0.header().msg_type();
        TemplateDistribution::try_from((kind, self.0.payload())).expect("a message about templates")
    }
}

/// What a client says first, of this protocol, version and these flags.
pub(crate) fn setup(
    protocol: Protocol,
    (min_version, max_version): (u16, u16),
    flags: u32,
) -> CommonMessages<'static> {
    let empty = || Str0255::new(b"").expect("it is short");
    CommonMessages::SetupConnection(SetupConnection {
        protocol,
        min_version,
        max_version,
        flags,
        endpoint_host: Str0255::new(b"127.0.0.1").expect("it is short"),
        endpoint_port: 8442,
        vendor: Str0255::new(b"sockman tests").expect("it is short"),
        hardware_version: empty(),
        firmware: empty(),
        device_id: empty(),
    })
}

/// What a client of this protocol says first.
pub(crate) fn usual_setup() -> CommonMessages<'static> {
    setup(Protocol::TemplateDistributionProtocol, (2, 2), 0)
}

pub(crate) fn constraints(size: u32, sigops: u16) -> TemplateDistribution<'static> {
    TemplateDistribution::CoinbaseOutputConstraints(CoinbaseOutputConstraints {
        coinbase_output_max_additional_size: size,
        coinbase_output_max_additional_sigops: sigops,
    })
}

pub(crate) fn request(template_id: u64) -> TemplateDistribution<'static> {
    TemplateDistribution::RequestTransactionData(RequestTransactionData { template_id })
}

pub(crate) fn solution(
    template_id: u64,
    (version, time, nonce): (u32, u32, u32),
    coinbase: &[u8],
) -> TemplateDistribution<'_> {
    TemplateDistribution::SubmitSolution(SubmitSolution {
        template_id,
        version,
        header_timestamp: time,
        header_nonce: nonce,
        coinbase_tx: B064K::new(coinbase).expect("a coinbase is not that long"),
    })
}

impl Peer {
    /// Connects, and goes through the handshake.
    pub(crate) fn shaken(at: SocketAddr, authority: &str) -> Peer {
        let greeting = Greeting::new(authority);
        let mut stream = dial(at);
        stream.write_all(&greeting.hello).expect("the server reads");
        greeting.finish(stream).expect("the authority's certificate")
    }

    /// And agrees upon the protocol.
    pub(crate) fn ready(at: SocketAddr, authority: &str) -> Peer {
        let mut peer = Peer::shaken(at, authority);
        peer.say(usual_setup());
        let mut answer = peer.hear();
        let CommonMessages::SetupConnectionSuccess(agreed) = answer.common() else {
            panic!("refused: {:?}", answer.common());
        };
        assert_eq!((agreed.used_version, agreed.flags), (2, 0));
        peer
    }

    /// A message as it is sent.
    pub(crate) fn seal<T: IsSv2Message + Serialize + GetSize>(&mut self, message: T) -> Vec<u8> {
        let (kind, extension) = (message.message_type(), message.extension_type());
        self.seal_as(kind, extension, message)
    }

    /// A message as it is sent, with another type or extension.
    pub(crate) fn seal_as<T: Serialize + GetSize>(
        &mut self,
        kind: u8,
        extension: u16,
        message: T,
    ) -> Vec<u8> {
        let frame = MessageFrame::from_message(message, kind, extension, false).expect("it is short");
        let sealed = self.encoder.encode_transport(frame, &mut self.encrypt);
        sealed.expect("it can be sent")
    }

    pub(crate) fn say<T: IsSv2Message + Serialize + GetSize>(&mut self, message: T) {
        let sealed = self.seal(message);
        self.write(&sealed);
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// The next frame.
    pub(crate) fn hear(&mut self) -> Frame {
        self.perhaps().expect("the server did not hang up")
    }

    /// The next frame, or that the server has hung up.
    pub(crate) fn perhaps(&mut self) -> Option<Frame> {
        loop {
            match self.stream.read_exact(self.decoder.writable()) {
                Ok(()) => {}
                Err(why) if why.kind() == ErrorKind::WouldBlock => panic!("nothing came"),
                Err(_) => return None,
            }
            let keys = self.decrypt.take().expect("all before was decrypted");
            let decrypted = self.decoder.next_transport_frame(keys);
            match decrypted.expect("what the server sends can be decrypted") {
                Decrypted::Incomplete(_, keys) => self.decrypt = Some(keys),
                Decrypted::Frame(frame, keys) => {
                    self.decrypt = Some(keys);
                    return Some(Frame(frame));
                }
            }
        }
    }

    /// Asks for templates; gives the first, and what it is activated by.
    pub(crate) fn begin(&mut self) -> (Template, Tip) {
        self.say(constraints(100, 4));
        let template = Template::of(self.hear().templates());
        let tip = Tip::of(self.hear().templates());
        (template, tip)
    }

    /// Asks for the transactions of a template.
    pub(crate) fn data(&mut self, template: u64) -> Result<Data, String> {
        self.say(request(template));
        let mut answer = self.hear();
        Data::of(template, answer.templates())
    }
}

/// What is said of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    pub(crate) id: u64,
    pub(crate) future: bool,
    pub(crate) version: u32,
    pub(crate) coinbase_version: u32,
    pub(crate) prefix: Vec<u8>,
    pub(crate) sequence: u32,
    pub(crate) value: u64,
    pub(crate) outputs_count: u32,
    pub(crate) outputs: Vec<u8>,
    pub(crate) lock_time: u32,
    pub(crate) path: Vec<[u8; 32]>,
}

impl Template {
    pub(crate) fn of(message: TemplateDistribution<'_>) -> Template {
        let TemplateDistribution::NewTemplate(new) = message else {
            panic!("no template: {message}");
        };
        Template {
            id: new.template_id,
            future: new.future_template,
            version: new.version,
            coinbase_version: new.coinbase_tx_version,
            prefix: new.coinbase_prefix.as_bytes().to_vec(),
            sequence: new.coinbase_tx_input_sequence,
            value: new.coinbase_tx_value_remaining,
            outputs_count: new.coinbase_tx_outputs_count,
            outputs: new.coinbase_tx_outputs.as_bytes().to_vec(),
            lock_time: new.coinbase_tx_locktime,
            path: new.merkle_path.iter().map(|hash| *hash.as_array()).collect(),
        }
    }
}

/// What is said of a tip.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tip {
    pub(crate) id: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) time: u32,
    pub(crate) bits: u32,
    pub(crate) target: [u8; 32],
}

impl Tip {
    pub(crate) fn of(message: TemplateDistribution<'_>) -> Tip {
        let TemplateDistribution::SetNewPrevHash(prev) = message else {
            panic!("no tip: {message}");
        };
        Tip {
            id: prev.template_id,
            hash: *prev.prev_hash.as_array(),
            time: prev.header_timestamp,
            bits: prev.n_bits,
            target: *prev.target.as_array(),
        }
    }
}

/// The transactions of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Data {
    pub(crate) excess: Vec<u8>,
    pub(crate) transactions: Vec<Vec<u8>>,
}

impl Data {
    /// What was answered to a request for this template: the transactions, or why not.
    pub(crate) fn of(template: u64, answer: TemplateDistribution<'_>) -> Result<Data, String> {
        match answer {
            TemplateDistribution::RequestTransactionDataSuccess(data) => {
                assert_eq!(data.template_id, template);
                let list = data.transaction_list.iter();
                Ok(Data {
                    excess: data.excess_data.as_bytes().to_vec(),
                    transactions: list.map(|tx| tx.as_bytes().to_vec()).collect(),
                })
            }
            TemplateDistribution::RequestTransactionDataError(refused) => {
                assert_eq!(refused.template_id, template);
                Err(String::from_utf8_lossy(refused.error_code.as_bytes()).into_owned())
            }
            other => panic!("no answer to a request: {other}"),
        }
    }
}

//! Messages, and writing them.

use super::data::Data;
use super::transport::{Encoder, TooLarge};
use binary_sv2::{B064K, B0255, Seq0255, Str0255, U256};
use bytes::Bytes;
use codec_sv2::TransportEncryptState;
use common_messages_sv2::{
    MESSAGE_TYPE_SETUP_CONNECTION, MESSAGE_TYPE_SETUP_CONNECTION_ERROR,
    MESSAGE_TYPE_SETUP_CONNECTION_SUCCESS, Protocol, SetupConnection, SetupConnectionError,
    SetupConnectionSuccess,
};
use template_distribution_sv2 as td;

/// A message of the Template Distribution Protocol (specification, chapter 7), or one of those with which a connection of any
/// protocol begins (chapter 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The client says what it wants to speak.
    SetupConnection(Setup),
    /// The server agrees.
    SetupConnectionSuccess {
        /// The version that is spoken from now on.
        version: u16,
        /// What the server can do beyond what all can.
        flags: u32,
    },
    /// The server does not agree, and hangs up.
    SetupConnectionError {
        /// The flags that it does not know, if that is why.
        flags: u32,
        /// Why.
        code: String,
    },
    /// The client says how much room its coinbase outputs take, and asks for templates by that.
    CoinbaseOutputConstraints(Constraints),
    /// The server says what can be mined.
    NewTemplate(NewTemplate),
    /// The server says what is to be built on.
    SetNewPrevHash(PrevHash),
    /// The client asks for the transactions of a template.
    RequestTransactionData {
        /// Which.
        template: u64,
    },
    /// They are these.
    RequestTransactionDataSuccess {
        /// Of which template.
        template: u64,
        /// What else is needed to check the block: the reserved value of its coinbase's witness (BIP 141), if it has one.
        excess: Vec<u8>,
        /// All but the coinbase, with witnesses, in the order of the block.
        transactions: Vec<Bytes>,
    },
    /// They are not to be had.
    RequestTransactionDataError {
        /// Of which template.
        template: u64,
        /// Why.
        code: String,
    },
    /// The client has found a block.
    SubmitSolution(Submission),
}

/// What a client says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The protocol: 2 is Template Distribution.
    pub protocol: u8,
    /// The oldest version that the client speaks.
    pub min_version: u16,
    /// The newest.
    pub max_version: u16,
    /// What it wants beyond what all can.
    pub flags: u32,
    /// The name that the client knows the server by.
    pub host: String,
    /// The port that it has dialled.
    pub port: u16,
    /// Who made the client.
    pub vendor: String,
    /// Its hardware.
    pub hardware: String,
    /// Its firmware.
    pub firmware: String,
    /// Which one it is.
    pub device: String,
}

/// The number of this protocol in [`Setup::protocol`] (specification, 3.6).
pub(crate) const TEMPLATE_DISTRIBUTION: u8 = Protocol::TemplateDistributionProtocol as u8;

impl Setup {
    /// What a client of this protocol says that speaks version 2 and wants nothing special.
    pub fn template_distribution(vendor: &str) -> Setup {
        Setup {
            protocol: TEMPLATE_DISTRIBUTION,
            min_version: 2,
            max_version: 2,
            flags: 0,
            host: String::new(),
            port: 0,
            vendor: vendor.to_owned(),
            hardware: String::new(),
            firmware: String::new(),
            device: String::new(),
        }
    }
}

/// The room that a client's coinbase outputs take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Bytes, serialized.
    pub size: u32,
    /// Signature operations, as counted before segregated witness.
    pub sigops: u16,
}

/// What can be mined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTemplate {
    /// Its number: each is larger than those before.
    pub template: u64,
    /// Whether it waits for a [`PrevHash`] that names it; otherwise it is for the last one.
    pub future: bool,
    /// The version of the block.
    pub version: u32,
    /// The version of the coinbase.
    pub coinbase_version: u32,
    /// What the coinbase's input script begins with: the height.
    pub coinbase_prefix: Vec<u8>,
    /// The sequence number of the coinbase's input.
    pub coinbase_sequence: u32,
    /// What the client's outputs may get, in satoshis: subsidy and fees.
    pub value: u64,
    /// How many outputs `outputs` has.
    pub outputs_count: u32,
    /// Outputs that the coinbase has to end with, serialized.
    pub outputs: Vec<u8>,
    /// The lock time of the coinbase.
    pub coinbase_locktime: u32,
    /// What the coinbase's hash is to be hashed with to get the Merkle root, deepest first.
    pub merkle_path: Vec<[u8; 32]>,
}

/// What is to be built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrevHash {
    /// The future template that is to be mined from now on.
    pub template: u64,
    /// The hash of the block that the next one is to build on.
    pub hash: [u8; 32],
    /// The least time that the block may have, in Unix seconds: at the moment also the present, or later.
    pub time: u32,
    /// The target, as blocks have it.
    pub bits: u32,
    /// The target: the largest hash that a block may have, as a number whose last byte is the highest.
    pub target: [u8; 32],
}

/// A block that a client has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The template that it is made by.
    pub template: u64,
    /// Its version.
    pub version: u32,
    /// Its time, in Unix seconds.
    pub time: u32,
    /// Its nonce.
    pub nonce: u32,
    /// Its coinbase, serialized.
    pub coinbase: Vec<u8>,
}

impl Message {
    pub(super) fn encode(
        &self,
        encoder: &mut Encoder,
        keys: &mut TransportEncryptState,
    ) -> Result<Vec<u8>, TooLarge> {
        match self {
            Message::SetupConnection(setup) => setup.encode(encoder, keys),
            &Message::SetupConnectionSuccess { version, flags } => {
                let used_version = version;
                let message = SetupConnectionSuccess { used_version, flags };
                encoder.encode(MESSAGE_TYPE_SETUP_CONNECTION_SUCCESS, message, keys)
            }
            Message::SetupConnectionError { flags, code } => {
                let message = SetupConnectionError {
                    flags: *flags,
                    error_code: text(code)?,
                };
                encoder.encode(MESSAGE_TYPE_SETUP_CONNECTION_ERROR, message, keys)
            }
            Message::CoinbaseOutputConstraints(room) => {
                let message = td::CoinbaseOutputConstraints {
                    coinbase_output_max_additional_size: room.size,
                    coinbase_output_max_additional_sigops: room.sigops,
                };
                encoder.encode(td::MESSAGE_TYPE_COINBASE_OUTPUT_CONSTRAINTS, message, keys)
            }
            Message::NewTemplate(template) => template.encode(encoder, keys),
            Message::SetNewPrevHash(prev) => prev.encode(encoder, keys),
            &Message::RequestTransactionData { template } => {
                let template_id = template;
                let message = td::RequestTransactionData { template_id };
                encoder.encode(td::MESSAGE_TYPE_REQUEST_TRANSACTION_DATA, message, keys)
            }
            Message::RequestTransactionDataSuccess {
                template,
                excess,
                transactions,
            } => {
                let transactions = transactions.iter().map(|bytes| &bytes[..]);
                encoder.encode_frame(Data::new(*template, excess, transactions)?, keys)
            }
            Message::RequestTransactionDataError { template, code } => {
                let message = td::RequestTransactionDataError {
                    template_id: *template,
                    error_code: text(code)?,
                };
                encoder.encode(td::MESSAGE_TYPE_REQUEST_TRANSACTION_DATA_ERROR, message, keys)
            }
            Message::SubmitSolution(found) => found.encode(encoder, keys),
        }
    }
}

impl Setup {
    fn encode(&self, encoder: &mut Encoder, keys: &mut TransportEncryptState) -> Result<Vec<u8>, TooLarge> {
        let protocol = match self.protocol {
            0 => Protocol::MiningProtocol,
            1 => Protocol::JobDeclarationProtocol,
            TEMPLATE_DISTRIBUTION => Protocol::TemplateDistributionProtocol,
            other => return Err(TooLarge(format!("there is no protocol {other}"))),
        };
        let message = SetupConnection {
            protocol,
            min_version: self.min_version,
            max_version: self.max_version,
            flags: self.flags,
            endpoint_host: text(&self.host)?,
            endpoint_port: self.port,
            vendor: text(&self.vendor)?,
            hardware_version: text(&self.hardware)?,
            firmware: text(&self.firmware)?,
            device_id: text(&self.device)?,
        };
        encoder.encode(MESSAGE_TYPE_SETUP_CONNECTION, message, keys)
    }
}

impl NewTemplate {
    fn encode(&self, encoder: &mut Encoder, keys: &mut TransportEncryptState) -> Result<Vec<u8>, TooLarge> {
        let path = self.merkle_path.iter().map(|hash| U256::new(hash));
        let path = path
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| too_large(&why))?;
        let message = td::NewTemplate {
            template_id: self.template,
            future_template: self.future,
            version: self.version,
            coinbase_tx_version: self.coinbase_version,
            coinbase_prefix: B0255::new(&self.coinbase_prefix).map_err(|why| too_large(&why))?,
            coinbase_tx_input_sequence: self.coinbase_sequence,
            coinbase_tx_value_remaining: self.value,
            coinbase_tx_outputs_count: self.outputs_count,
            coinbase_tx_outputs: B064K::new(&self.outputs).map_err(|why| too_large(&why))?,
            coinbase_tx_locktime: self.coinbase_locktime,
            merkle_path: Seq0255::new(path).map_err(|why| too_large(&why))?,
        };
        encoder.encode(td::MESSAGE_TYPE_NEW_TEMPLATE, message, keys)
    }
}

impl PrevHash {
    fn encode(&self, encoder: &mut Encoder, keys: &mut TransportEncryptState) -> Result<Vec<u8>, TooLarge> {
        let message = td::SetNewPrevHash {
            template_id: self.template,
            prev_hash: U256::new(&self.hash).map_err(|why| too_large(&why))?,
            header_timestamp: self.time,
            n_bits: self.bits,
            target: U256::new(&self.target).map_err(|why| too_large(&why))?,
        };
        encoder.encode(td::MESSAGE_TYPE_SET_NEW_PREV_HASH, message, keys)
    }
}

impl Submission {
    fn encode(&self, encoder: &mut Encoder, keys: &mut TransportEncryptState) -> Result<Vec<u8>, TooLarge> {
        let message = td::SubmitSolution {
            template_id: self.template,
            version: self.version,
            header_timestamp: self.time,
            header_nonce: self.nonce,
            coinbase_tx: B064K::new(&self.coinbase).map_err(|why| too_large(&why))?,
        };
        encoder.encode(td::MESSAGE_TYPE_SUBMIT_SOLUTION, message, keys)
    }
}

fn text(text: &str) -> Result<Str0255<'_>, TooLarge> {
    Str0255::new(text.as_bytes()).map_err(|why| too_large(&why))
}

fn too_large(why: &binary_sv2::Error) -> TooLarge {
    TooLarge(why.to_string())
}

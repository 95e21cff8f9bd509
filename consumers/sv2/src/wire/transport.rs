//! Frames after the handshake.

use super::data::Data;
use super::{Malformed, Message};
use codec_sv2::{
    Decrypted, NoiseDecoder, NoiseEncoder, TransportDecryptState, TransportEncryptState,
    encrypted_payload_length,
};
use framing_sv2::framing::{EncodableFrame, MessageFrame, SerializedFrame};
use framing_sv2::header::Header;
use std::fmt;

/// Bytes of a frame's header, before it is encrypted.
pub const HEADER: usize = framing_sv2::SV2_FRAME_HEADER_SIZE;

/// Bytes that the payload of a frame may have: its length has 24 bits (specification, 3.2).
pub const MAX_PAYLOAD: u32 = 0x00ff_ffff;

/// What was received cannot be decrypted, or is more than may come in one frame. Nothing after it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It was not encrypted with the keys of this connection, or has been changed.
    #[error("what was received cannot be decrypted")]
    Undecryptable,
    /// A frame is longer than it may be.
    #[error("a frame is longer than {limit} bytes")]
    TooLong {
        /// Bytes that a frame may have.
        limit: usize,
    },
}

/// A message that no frame can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message cannot be sent: {0}")]
pub struct TooLarge(pub(super) String);

/// A frame.
pub struct Frame(SerializedFrame<Vec<u8>>);

impl Frame {
    /// The extension that the message belongs to; 0 for the protocol itself.
    pub fn extension(&self) -> u16 {
        self.0.header().ext_type_without_channel_msg()
    }

    /// The type of the message.
    pub fn kind(&self) -> u8 {
        self.0.header().msg_type()
    }

    /// Bytes of the message.
    pub fn length(&self) -> usize {
        self.0.header().payload_length()
    }

    /// What is in it; `None` for what is not part of this protocol: frames of extensions that nobody has agreed to, and messages of
    /// types that are not known, are to be ignored.
    pub fn message(mut self) -> Result<Option<Message>, Malformed> {
        let (extension, kind) = (self.extension(), self.kind());
        Message::parse(extension, kind, self.0.payload())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (extension, kind, length) = (self.extension(), self.kind(), self.length());
        write!(
            f,
            "Frame(extension {extension}, type {kind:#04x}, {length} bytes)"
        )
    }
}

/// What came of bytes that were received.
#[derive(Debug)]
pub struct Opened {
    /// How many of them were taken.
    pub taken: usize,
    /// A frame that is whole by them: there may be more behind it.
    pub frame: Option<Frame>,
}

/// Where frames are put together before they are sent; one serves any number of connections.
pub struct Encoder(NoiseEncoder);

impl Default for Encoder {
    fn default() -> Self {
        Encoder(NoiseEncoder::new())
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Encoder {
    pub(super) fn encode<T: binary_sv2::Serialize + binary_sv2::GetSize>(
        &mut self,
        kind: u8,
        message: T,
        keys: &mut TransportEncryptState,
    ) -> Result<Vec<u8>, TooLarge> {
        let frame = MessageFrame::from_message(message, kind, 0, false);
        self.encode_frame(frame.map_err(|why| TooLarge(why.to_string()))?, keys)
    }

    pub(super) fn encode_frame(
        &mut self,
        frame: impl EncodableFrame,
        keys: &mut TransportEncryptState,
    ) -> Result<Vec<u8>, TooLarge> {
        let sealed = self.0.encode_transport(frame, keys);
        sealed.map_err(|why| TooLarge(why.to_string()))
    }

    fn encode_payload(
        &mut self,
        extension: u16,
        kind: u8,
        payload: &[u8],
        keys: &mut TransportEncryptState,
    ) -> Result<Vec<u8>, TooLarge> {
        let mut bytes = vec![0; HEADER + payload.len()];
        header(extension, kind, payload.len())?
            .write_into(&mut bytes)
            .map_err(|why| TooLarge(why.to_string()))?;
        bytes[HEADER..].copy_from_slice(payload);
        let frame = SerializedFrame::from_bytes(bytes).map_err(|why| TooLarge(format!("{why:?}")))?;
        self.encode_frame(frame, keys)
    }
}

/// A connection after its handshake, from either end.
pub struct Transport {
    decoder: NoiseDecoder,
    /// `None` once something could not be decrypted.
    decrypt: Option<TransportDecryptState>,
    pub(super) encrypt: TransportEncryptState,
    /// Bytes taken of the frame that is being received, as they are on the wire.
    begun: usize,
}

impl Transport {
    pub(super) fn new(transport: codec_sv2::Transport) -> Transport {
        let (encrypt, decrypt) = transport.split();
        Transport {
            decoder: NoiseDecoder::new(),
            decrypt: Some(decrypt),
            encrypt,
            begun: 0,
        }
    }

    /// How many bytes must be there before any are taken: at most 65,535.
    pub fn wants(&self) -> usize {
        self.decoder.writable_len()
    }

    /// Takes from the front of what was received, up to the end of the first frame. A frame may have `most` bytes, with its header.
    ///
    /// What is not taken has to be offered again, with what comes behind it. Memory is taken for what has come, never for what a
    /// header declares.
    pub fn open(&mut self, data: &[u8], most: usize) -> Result<Opened, Broken> {
        let mut taken = 0;
        loop {
            let window = self.wants();
            let Some(piece) = data.get(taken..taken + window) else {
                return Ok(Opened { taken, frame: None });
            };
            self.begun += window;
            if self.begun > on_the_wire(most) {
                self.decrypt = None;
                return Err(Broken::TooLong { limit: most });
            }
            self.decoder.writable().copy_from_slice(piece);
            taken += window;
            let keys = self.decrypt.take().ok_or(Broken::Undecryptable)?;
            match self.decoder.next_transport_frame(keys) {
                Ok(Decrypted::Incomplete(_, keys)) => self.decrypt = Some(keys),
                Ok(Decrypted::Frame(frame, keys)) => {
                    self.decrypt = Some(keys);
                    self.begun = 0;
                    let frame = Some(Frame(frame));
                    return Ok(Opened { taken, frame });
                }
                Err(_) => return Err(Broken::Undecryptable),
            }
        }
    }

    /// Encrypts a message: the bytes of its frame. Fails for what is too large for any frame, and then nothing has happened.
    pub fn seal(&mut self, encoder: &mut Encoder, message: &Message) -> Result<Vec<u8>, TooLarge> {
        message.encode(encoder, &mut self.encrypt)
    }

    /// The same for [`Message::RequestTransactionDataSuccess`], with transactions that are wherever they are: no list is made of them.
    pub fn seal_data<'a>(
        &mut self,
        encoder: &mut Encoder,
        template: u64,
        excess: &'a [u8],
        transactions: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Result<Vec<u8>, TooLarge> {
        encoder.encode_frame(Data::new(template, excess, transactions)?, &mut self.encrypt)
    }

    /// The same with any payload, of any type and extension, whether there is such a thing or not. (The extension's highest bit says
    /// that the message belongs to a channel.)
    pub fn seal_payload(
        &mut self,
        encoder: &mut Encoder,
        extension: u16,
        kind: u8,
        payload: &[u8],
    ) -> Result<Vec<u8>, TooLarge> {
        encoder.encode_payload(extension, kind, payload, &mut self.encrypt)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let broken = self.decrypt.is_none();
        f.debug_struct("Transport")
            .field("broken", &broken)
            .finish_non_exhaustive()
    }
}

/// The header of a frame whose payload has so many bytes.
pub(super) fn header(extension: u16, kind: u8, payload: usize) -> Result<Header, TooLarge> {
    let too_large = || TooLarge(format!("{payload} bytes in one frame"));
    let length = u32::try_from(payload)
        .ok()
        .filter(|length| *length <= MAX_PAYLOAD);
    let [low, high] = extension.to_le_bytes();
    let [a, b, c, _] = length.ok_or_else(too_large)?.to_le_bytes();
    Header::from_bytes(&[low, high, kind, a, b, c]).map_err(|_| too_large())
}

/// What a frame of so many bytes has once it is encrypted.
fn on_the_wire(plain: usize) -> usize {
    let payload = plain.saturating_sub(HEADER).min(MAX_PAYLOAD as usize);
    let payload = header(0, 0, payload).map_or(0, |header| encrypted_payload_length(&header));
    codec_sv2::ENCRYPTED_SV2_FRAME_HEADER_SIZE + payload
}

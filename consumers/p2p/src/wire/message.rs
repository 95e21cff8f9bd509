//! What a message is.

use super::{AddrV2Message, Address, Command, Inventory, VersionMessage};
use bitcoin::BlockHash;
use bitcoin::block::Header;

/// A message, from a peer or for one.
///
/// Blocks and transactions are borrowed and not decoded: that is for whoever checks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Who the sender is. From peers that say less, what they do not say is zero; they want transactions.
    Version(VersionMessage),
    /// The [`Version`](Message::Version) was taken.
    Verack,
    /// Transactions are announced by wtxid (BIP 339).
    WtxidRelay,
    /// Addresses are to come as [`AddrV2`](Message::AddrV2) (BIP 155).
    SendAddrV2,
    /// Blocks are to be announced by their headers (BIP 130).
    SendHeaders,
    /// Whether and how blocks are to come compact (BIP 152).
    SendCmpct {
        /// Whether new blocks are to be sent so without asking.
        announce: bool,
        /// The version of compact blocks: 2 is with witnesses.
        version: u64,
    },
    /// No transactions are wanted that pay less than so many satoshi for 1,000 virtual bytes (BIP 133); any number, also one that is
    /// no amount of money, which is to be ignored.
    FeeFilter(i64),
    /// Asks for a [`Pong`](Message::Pong) with the same number; peers from before BIP 31 send none, and want no answer.
    Ping(Option<u64>),
    /// The answer to a [`Ping`](Message::Ping); `None` from a peer that answers without its number.
    Pong(Option<u64>),
    /// Asks for the headers after the first hash of the locator that is on the chain.
    GetHeaders {
        /// Hashes of blocks, from the tip to the genesis block, ever further apart.
        locator: Vec<BlockHash>,
        /// The last header that is wanted; all zeros for as many as there may be.
        stop: BlockHash,
    },
    /// Asks for the hashes of the blocks after the first of the locator that is on the chain.
    GetBlocks {
        /// As for [`GetHeaders`](Message::GetHeaders).
        locator: Vec<BlockHash>,
        /// As for [`GetHeaders`](Message::GetHeaders).
        stop: BlockHash,
    },
    /// Headers of blocks.
    Headers(Vec<Header>),
    /// What the sender has.
    Inv(Vec<Inventory>),
    /// What the sender wants.
    GetData(Vec<Inventory>),
    /// What was wanted and is not there.
    NotFound(Vec<Inventory>),
    /// A block: its bytes, which nobody has looked at.
    Block(&'a [u8]),
    /// A transaction: its bytes, which nobody has looked at.
    Tx(&'a [u8]),
    /// Asks for addresses of nodes.
    GetAddr,
    /// Addresses of nodes, each with the time when it was last seen (seconds since 1970).
    Addr(Vec<(u32, Address)>),
    /// Addresses of nodes, of any network (BIP 155).
    AddrV2(Vec<AddrV2Message>),
    /// Asks for the hashes of the transactions in the memory pool (BIP 35).
    MemPool,
    /// Any other message. Its payload means nothing here; sent, it has none.
    Unknown(Command),
}

impl Message<'_> {
    /// Its name on the wire.
    pub fn command(&self) -> Command {
        match self {
            Message::Version(_) => Command::VERSION,
            Message::Verack => Command::VERACK,
            Message::WtxidRelay => Command::WTXIDRELAY,
            Message::SendAddrV2 => Command::SENDADDRV2,
            Message::SendHeaders => Command::SENDHEADERS,
            Message::SendCmpct { .. } => Command::SENDCMPCT,
            Message::FeeFilter(_) => Command::FEEFILTER,
            Message::Ping(_) => Command::PING,
            Message::Pong(_) => Command::PONG,
            Message::GetHeaders { .. } => Command::GETHEADERS,
            Message::GetBlocks { .. } => Command::GETBLOCKS,
            Message::Headers(_) => Command::HEADERS,
            Message::Inv(_) => Command::INV,
            Message::GetData(_) => Command::GETDATA,
            Message::NotFound(_) => Command::NOTFOUND,
            Message::Block(_) => Command::BLOCK,
            Message::Tx(_) => Command::TX,
            Message::GetAddr => Command::GETADDR,
            Message::Addr(_) => Command::ADDR,
            Message::AddrV2(_) => Command::ADDRV2,
            Message::MemPool => Command::MEMPOOL,
            Message::Unknown(command) => *command,
        }
    }
}

//! The names of messages.

use std::fmt;

/// The name of a message: up to 12 bytes of ASCII, filled up with NUL.
///
/// One that is not made like that comes from a peer all the same; it is the name of no message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Command([u8; Command::SIZE]);

impl Command {
    /// Bytes of a name on the wire, with what fills it up.
    pub const SIZE: usize = 12;

    /// The first message of each side.
    pub const VERSION: Command = Command::named("version");
    /// The answer to [`VERSION`](Command::VERSION).
    pub const VERACK: Command = Command::named("verack");
    /// Transactions are announced by wtxid (BIP 339).
    pub const WTXIDRELAY: Command = Command::named("wtxidrelay");
    /// Addresses are to come as [`ADDRV2`](Command::ADDRV2) (BIP 155).
    pub const SENDADDRV2: Command = Command::named("sendaddrv2");
    /// Blocks are to be announced by their headers (BIP 130).
    pub const SENDHEADERS: Command = Command::named("sendheaders");
    /// Whether and how blocks are to come compact (BIP 152).
    pub const SENDCMPCT: Command = Command::named("sendcmpct");
    /// No transactions are wanted that pay less (BIP 133).
    pub const FEEFILTER: Command = Command::named("feefilter");
    /// Asks for a [`PONG`](Command::PONG).
    pub const PING: Command = Command::named("ping");
    /// The answer to a [`PING`](Command::PING) (BIP 31).
    pub const PONG: Command = Command::named("pong");
    /// Asks for headers.
    pub const GETHEADERS: Command = Command::named("getheaders");
    /// Asks for hashes of blocks.
    pub const GETBLOCKS: Command = Command::named("getblocks");
    /// Headers of blocks.
    pub const HEADERS: Command = Command::named("headers");
    /// What the sender has.
    pub const INV: Command = Command::named("inv");
    /// What the sender wants.
    pub const GETDATA: Command = Command::named("getdata");
    /// What was wanted and is not there.
    pub const NOTFOUND: Command = Command::named("notfound");
    /// A block.
    pub const BLOCK: Command = Command::named("block");
    /// A transaction.
    pub const TX: Command = Command::named("tx");
    /// Asks for addresses of nodes.
    pub const GETADDR: Command = Command::named("getaddr");
    /// Addresses of nodes.
    pub const ADDR: Command = Command::named("addr");
    /// Addresses of nodes, of any network (BIP 155).
    pub const ADDRV2: Command = Command::named("addrv2");
    /// Asks for the hashes of the transactions in the memory pool (BIP 35).
    pub const MEMPOOL: Command = Command::named("mempool");

    /// The name of bytes from the wire.
    pub const fn from_bytes(bytes: [u8; Command::SIZE]) -> Command {
        Command(bytes)
    }

    /// The bytes for the wire.
    pub const fn to_bytes(self) -> [u8; Command::SIZE] {
        self.0
    }

    /// What it says; `unknown` for one that is not ASCII that can be seen, filled up with NUL.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(Command::SIZE);
        let (name, filling) = self.0.split_at(end);
        let right =
            name.iter().all(|byte| matches!(byte, b' '..=b'~')) && filling.iter().all(|byte| *byte == 0);
        match std::str::from_utf8(name) {
            Ok(name) if right => name,
            _ => "unknown",
        }
    }

    /// Of a name that is known to fit: all callers are constants, where one that did not would fail to compile.
    const fn named(name: &str) -> Command {
        let name = name.as_bytes();
        let mut bytes = [0; Command::SIZE];
        let mut at = 0;
        while at < name.len() {
            bytes[at] = name[at];
            at += 1;
        }
        Command(bytes)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Command({})", self.0.escape_ascii())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.as_str())
    }
}

//! SHA-256d, by way of what the processor has for it.
//!
//! `sha2` finds the processor's SHA instructions at run time. Blocks are made of pieces of 64 to 500 bytes, and on those it takes an
//! eighth to two fifths less time than the hashes of `bitcoin`, which find them too.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::Encodable;
use bitcoin::hashes::Hash;
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// A hash as it is on the wire.
pub(super) type Hash256 = [u8; 32];

/// The state that SHA-256 begins with (FIPS 180-4 section 5.3.3).
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// What follows 64 bytes of a message that ends there (FIPS 180-4 section 5.1.1).
const END_OF_64: [u8; 64] = {
    let mut block = [0; 64];
    block[0] = 0x80;
    block[62] = 2;
    block
};

/// SHA-256d of pieces that follow each other.
pub(super) fn sha256d(pieces: &[&[u8]]) -> Hash256 {
    let mut first = Sha256::new();
    for piece in pieces {
        first.update(piece);
    }
    twice(&first.finalize().into())
}

/// SHA-256d of two hashes: a node of a Merkle tree.
pub(super) fn node(left: &Hash256, right: &Hash256) -> Hash256 {
    let mut block = [0; 64];
    block[..32].copy_from_slice(left);
    block[32..].copy_from_slice(right);
    let mut state = START;
    compress256(&mut state, &[block, END_OF_64]);
    twice(&bytes(state))
}

/// The second of the two.
fn twice(first: &Hash256) -> Hash256 {
    let mut block = [0; 64];
    block[..32].copy_from_slice(first);
    block[32] = 0x80;
    block[62] = 1;
    let mut state = START;
    compress256(&mut state, &[block]);
    bytes(state)
}

fn bytes(state: [u32; 8]) -> Hash256 {
    let mut out = [0; 32];
    for (to, word) in out.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// A header's hash.
pub(super) fn block_hash(header: &Header) -> BlockHash {
    BlockHash::from_byte_array(sha256d(&[&header_bytes(header)]))
}

/// A header as it is on the wire.
pub(super) fn header_bytes(header: &Header) -> [u8; Header::SIZE] {
    let mut bytes = [0; Header::SIZE];
    // There is as much room as a header takes: it cannot fail.
    let written = header.consensus_encode(&mut &mut bytes[..]);
    debug_assert!(matches!(written, Ok(Header::SIZE)));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_bitcoin() {
        let data: Vec<u8> = (0..200_u8).collect();
        for end in 0..data.len() {
            let whole = &data[..end];
            let (start, rest) = whole.split_at(end / 3);
            assert_eq!(
                sha256d(&[start, rest]),
                bitcoin::hashes::sha256d::Hash::hash(whole).to_byte_array()
            );
        }
        let (left, right) = ([3; 32], [4; 32]);
        assert_eq!(node(&left, &right), sha256d(&[&left, &right]));
    }
}

"""Transactions that spend what is paid to the script OP_TRUE, and pay to it again."""

import hashlib
import struct

OP_TRUE = b"\x51"
# BIP141: version 0, and the digest of the witness script.
PROGRAM = b"\x00\x20" + hashlib.sha256(OP_TRUE).digest()


def spend(transaction, value):
    """One that spends the first output of `transaction`, of which `value` satoshis are left: in hex, and its identifier."""
    version, lock_time = struct.pack("<i", 2), struct.pack("<I", 0)
    spent = b"\x01" + bytes.fromhex(transaction)[::-1] + struct.pack("<I", 0) + b"\x00" + struct.pack("<I", 0xFFFFFFFF)
    paid = b"\x01" + struct.pack("<q", value) + bytes([len(PROGRAM)]) + PROGRAM
    witness = b"\x01" + bytes([len(OP_TRUE)]) + OP_TRUE
    whole = version + b"\x00\x01" + spent + paid + witness + lock_time
    digest = hashlib.sha256(hashlib.sha256(version + spent + paid + lock_time).digest()).digest()
    return whole.hex(), digest[::-1].hex()

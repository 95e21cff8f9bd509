"""python-bitcoinlib as a peer on regtest: shakes hands, pings, and fetches the whole chain by each of the ways there are.

speak.py HOST:PORT HEIGHT TIP

Prints "good" at the end.
"""

import io
import socket
import sys
import time

import bitcoin
from bitcoin.core import CBlockHeader, CheckBlock, b2lx, lx
from bitcoin.core.serialize import VarIntSerializer
from bitcoin.messages import (
    MSG_BLOCK,
    MSG_WITNESS_FLAG,
    MsgSerializable,
    messagemap,
    msg_getaddr,
    msg_getblocks,
    msg_getdata,
    msg_getheaders,
    msg_headers,
    msg_ping,
    msg_pong,
    msg_verack,
    msg_version,
)
from bitcoin.net import CInv

# What all of it may take at most.
PATIENCE = 60


class Headers(msg_headers):
    """The library's own leaves out the number of transactions, always 0, that stands behind each header."""

    @classmethod
    def msg_deser(cls, f, protover=60002):
        headers = cls()
        for _ in range(VarIntSerializer.stream_deserialize(f)):
            headers.headers.append(CBlockHeader.stream_deserialize(f))
            assert VarIntSerializer.stream_deserialize(f) == 0
        return headers


messagemap[Headers.command] = Headers


class Peer:
    """A connection to the node."""

    def __init__(self, at, version):
        host, port = at.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), 10)
        self.by = time.monotonic() + PATIENCE
        self.file = self.sock.makefile("rb")
        ours = msg_version()
        ours.nVersion = version
        self.send(ours)
        self.version = self.wait_for("version")
        self.send(msg_verack())
        self.wait_for("verack")

    def send(self, message):
        self.sock.sendall(message.to_bytes())

    def wait_for(self, command, accept=lambda message: True):
        """The next message of that name; whatever else comes is passed over, and pings are answered."""
        while True:
            assert time.monotonic() < self.by, f"no {command}"
            # None: a message that the library does not know.
            message = MsgSerializable.stream_deserialize(self.file)
            name = message and message.command.decode()
            if name == "ping":
                self.send(msg_pong(nonce=message.nonce))
            if name == command and accept(message):
                return message

    def ping(self, nonce):
        self.send(msg_ping(nonce=nonce))
        # It may ping us too, and has no pong of ours to send.
        assert self.wait_for("pong").nonce == nonce

    def headers(self):
        """All headers of its chain."""
        found = [bitcoin.params.GENESIS_BLOCK.get_header()]
        while True:
            ask = msg_getheaders()
            ask.locator.vHave = [found[-1].GetHash(), found[0].GetHash()]
            self.send(ask)
            headers = self.wait_for("headers").headers
            for header in headers:
                assert header.hashPrevBlock == found[-1].GetHash(), "headers are in a row"
                found.append(header)
            if len(headers) < 2000:
                return found[1:]

    def inventory(self, tip):
        """The hashes of all blocks of its chain, as getblocks tells them: 500 at a time."""
        found = []
        while not found or found[-1] != tip:
            ask = msg_getblocks()
            ask.locator.vHave = [found[-1] if found else bitcoin.params.GENESIS_BLOCK.GetHash()]
            self.send(ask)
            inventory = [inv.hash for inv in self.wait_for("inv").inv if inv.type == MSG_BLOCK]
            assert 0 < len(inventory) <= 500
            found += inventory
        return found

    def block(self, block_hash, flag=0):
        inv = CInv()
        inv.type = MSG_BLOCK | flag
        inv.hash = block_hash
        ask = msg_getdata()
        ask.inv = [inv]
        self.send(ask)
        return self.wait_for("block", lambda message: message.block.GetHash() == block_hash).block


def main():
    at, height, tip = sys.argv[1], int(sys.argv[2]), lx(sys.argv[3])
    bitcoin.SelectParams("regtest")

    peer = Peer(at, 70015)
    assert peer.version.nVersion >= 70001, peer.version
    assert peer.version.nServices & 9 == 9, "blocks, with witnesses"
    assert peer.version.nStartingHeight == height, peer.version
    peer.ping(1)
    peer.ping(2**64 - 1)

    headers = peer.headers()
    assert len(headers) == height and headers[-1].GetHash() == tip, (len(headers), b2lx(headers[-1].GetHash()))
    hashes = [header.GetHash() for header in headers]
    assert peer.inventory(tip) == hashes, "getblocks and getheaders tell of one chain"

    witnesses = 0
    for header in headers:
        block = peer.block(header.GetHash())
        assert block.get_header() == header
        assert not block.vtx[0].has_witness(), "asked for without witnesses"
        assert all(not tx.has_witness() for tx in block.vtx)
        # Of time it is told the block's own; the library checks proof of work, merkle root and sizes.
        CheckBlock(block, fCheckPoW=True, cur_time=header.nTime)
        whole = peer.block(header.GetHash(), MSG_WITNESS_FLAG)
        assert whole.calc_merkle_root() == header.hashMerkleRoot
        assert [tx.GetTxid() for tx in whole.vtx] == [tx.GetTxid() for tx in block.vtx]
        stripped, full = io.BytesIO(), io.BytesIO()
        block.stream_serialize(stripped)
        whole.stream_serialize(full)
        witnesses += len(full.getvalue()) > len(stripped.getvalue())

    # What has no answer here must not end the connection either.
    peer.send(msg_getaddr())
    peer.ping(3)
    # And a peer of the oldest version that the library calls its own.
    Peer(at, 60002).ping(4)
    print(f"good: {height} blocks, {witnesses} with witnesses")


main()

"""bcoin, which syncs by getblocks and checks every block and script: in both directions."""

import os

import install
import served
from nodes.process import Process, equal, free_port, require, until


class Bcoin:
    """bcoin with a chain in memory. See bcoin/peer.js."""

    def __init__(self, nodes):
        self.folder = nodes.folder
        self.port = free_port()
        self.at = f"127.0.0.1:{self.port}"
        self.process = None
        nodes.add(self)

    def start(self, *options):
        environment = os.environ | {"NODE_PATH": install.bcoin(), "NODE_BACKEND": "js"}
        command = ["node", os.path.join(install.HERE, "bcoin", "peer.js"), str(self.port), *map(str, options)]
        self.process = Process(command, os.path.join(self.folder, "bcoin"), env=environment)
        until(lambda: self.said("ready"), "bcoin is ready")
        return self

    def said(self, word):
        """The last line that begins with this word, in words; or nothing."""
        self.process.check()
        lines = [line.split() for line in self.process.written().splitlines() if line.split(" ")[0] == word]
        return lines[-1] if lines else None

    def height(self):
        return int(self.said("tip")[1])

    def tip(self):
        return self.said("tip")[2]

    def mine(self, blocks):
        height = self.height()
        self.process.order(f"mine {blocks}")
        until(lambda: self.height() == height + blocks, "bcoin mines")

    def wait_for_tip(self, tip):
        until(lambda: self.tip() == tip, lambda: f"bcoin reaches {tip}; it is at {self.said('tip')}")

    def expect_no_complaint(self):
        found = [
            line
            for line in self.process.written().splitlines()
            if any(word in line.lower() for word in ("ban", "invalid", "reject", "error", "misbehav", "malformed"))
            and not any(expected in line for expected in EXPECTED)
        ]
        require(not found, "bcoin complains:\n" + "\n".join(found[:20]))

    def kill(self):
        if self.process:
            self.process.kill()


EXPECTED = []


def bcoin_downloads(nodes):
    node = served.node(nodes, witness=False).start()
    bcoin = Bcoin(nodes).start("--dial", node.at)
    bcoin.wait_for_tip(node.tip())
    equal(bcoin.height(), served.BLOCKS, "the height")
    bcoin.expect_no_complaint()


def bcoin_downloads_witnesses(nodes):
    node = served.node(nodes).start()
    bcoin = Bcoin(nodes).start("--segwit", "--dial", node.at)
    bcoin.wait_for_tip(node.tip())
    equal(bcoin.height(), served.BLOCKS, "the height")
    bcoin.expect_no_complaint()


def bcoin_uploads(nodes):
    bcoin = Bcoin(nodes).start("--mine", 300)
    node = served.node(nodes, blocks=0).start(bcoin)
    node.wait_for_tip(bcoin.tip())
    equal(node.rpc.getblockcount(), 300, "the height")
    bcoin.expect_no_complaint()


def bcoin_dials_and_uploads(nodes):
    node = served.node(nodes, blocks=0).start()
    bcoin = Bcoin(nodes).start("--mine", 300, "--dial", node.at)
    node.wait_for_tip(bcoin.tip())
    bcoin.expect_no_complaint()


def new_blocks_propagate_to_and_from_bcoin(nodes):
    node = served.node(nodes, blocks=0).start()
    # It has some at first, since it does not answer getheaders where it has none to tell of, and Core then waits for two
    # minutes before it asks again.
    bcoin = Bcoin(nodes).start("--segwit", "--mine", 5, "--dial", node.at)
    node.wait_for_tip(bcoin.tip())
    for _ in range(5):
        node.mine()
        bcoin.wait_for_tip(node.tip())
        bcoin.mine(1)
        node.wait_for_tip(bcoin.tip())
    equal(node.rpc.getblockcount(), 15, "the height")
    bcoin.expect_no_complaint()


def bcoin_reorganises_to_our_chain(nodes):
    node = served.node(nodes, blocks=0).start()
    node.mine(15)
    bcoin = Bcoin(nodes).start("--segwit", "--mine", 10, "--dial", node.at)
    bcoin.wait_for_tip(node.tip())
    equal(bcoin.height(), 15, "the height")
    bcoin.expect_no_complaint()


def we_reorganise_to_bcoin_s_chain(nodes):
    node = served.node(nodes, blocks=0).start()
    left = node.mine(10)[-1]
    bcoin = Bcoin(nodes).start("--segwit", "--mine", 15, "--dial", node.at)
    node.wait_for_tip(bcoin.tip())
    forks = {tip["hash"]: tip["status"] for tip in node.rpc.getchaintips()}
    equal(forks[left], "valid-fork", "what was left")
    bcoin.expect_no_complaint()


TESTS = [
    bcoin_downloads,
    bcoin_downloads_witnesses,
    bcoin_uploads,
    bcoin_dials_and_uploads,
    new_blocks_propagate_to_and_from_bcoin,
    bcoin_reorganises_to_our_chain,
    we_reorganise_to_bcoin_s_chain,
]

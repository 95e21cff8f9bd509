"""What all nodes have in common."""

import os

from .process import Failure, Process, free_port, until
from .rpc import Refused, Rpc

# Two to mine to: blocks of the same parent, second and address would be one block. The first pays to the public key of the
# private key 1, the second to the script OP_TRUE.
ADDRESSES = [
    "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
    "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85",
]
# How long a node that starts or stops may take.
STARTING = 60


class Node:
    """A node on regtest with a folder of its own, which it keeps when it is restarted."""

    def __init__(self, folder, name, **settings):
        self.name = name
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder)
        self.settings = settings
        self.port = free_port()
        self.rpc_port = free_port()
        self.rpc = Rpc(self.rpc_port, self.cookie)
        self.process = None
        self.output = os.path.join(self.folder, "output")

    # What each kind of node says for itself: its command line, and whether it is there.

    def command(self, connect):
        raise NotImplementedError

    @property
    def at(self):
        return f"127.0.0.1:{self.port}"

    @property
    def chain_folder(self):
        return os.path.join(self.folder, "regtest")

    def cookie(self):
        with open(os.path.join(self.chain_folder, ".cookie"), encoding="ascii") as file:
            return file.read()

    def start(self, *connect):
        """Starts it and waits until it answers. `connect`: nodes that it dials, and goes on dialling."""
        self.process = Process(self.command([node.at for node in connect]), self.output)
        until(self.answers, f"{self.name} answers", STARTING)
        return self

    def answers(self):
        self.process.check()
        try:
            return self.rpc.getblockcount() >= 0
        except (OSError, Refused):
            return False

    def stop(self):
        self.rpc.stop()
        code = self.process.wait(STARTING)
        if code != 0:
            raise Failure(f"{self.name} ended with {code}:\n{self.process.written()[-2000:]}")
        self.process = None

    def kill(self):
        if self.process:
            self.process.kill()

    def restart(self, *connect):
        self.stop()
        return self.start(*connect)

    # --- The chain ------------------------------------------------------------------------------------------------

    def mine(self, blocks=1, to=None):
        return self.rpc.generatetoaddress(blocks, to or ADDRESSES[self.name == "core"])

    def tip(self):
        return self.rpc.getbestblockhash()

    def wait_for_tip(self, tip, within=120):
        def found():
            return f"{self.name} reaches {tip}; it is at {self.rpc.getblockcount()}, {self.tip()}"

        until(lambda: self.tip() == tip, found, within)

    def wait_for_peers(self, count):
        def found():
            return f"{self.name} has {count} peers; it has {self.rpc.getpeerinfo()}"

        def shaken():
            peers = self.rpc.getpeerinfo()
            # A version of 0: the other side has said nothing yet.
            return len(peers) == count and all(peer["version"] for peer in peers)

        until(shaken, found)


def same_tip(one, other, within=120):
    """Waits until both are at the higher of their two tips."""
    heights = (one.rpc.getblockcount(), other.rpc.getblockcount())
    ahead, behind = (one, other) if heights[0] >= heights[1] else (other, one)
    behind.wait_for_tip(ahead.tip(), within)

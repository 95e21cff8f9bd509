"""`sockman node`, built from this checkout."""

import json
import os

from .node import Node
from .process import succeed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build():
    """Builds the program, optimised, and sets where it is."""
    global PROGRAM
    program = ["--package", "sockman-node", "--all-features", "--bin", "sockman"]
    said = succeed(["cargo", "build", "--release", *program, "--message-format", "json"], within=3600, cwd=ROOT)
    built = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    PROGRAM = next(each["executable"] for each in built if each.get("executable"))


# Where the program is, once it is built; and the backend it is to run on, or the one it prefers.
PROGRAM = None
BACKEND = None


class Ours(Node):
    """A `sockman node`."""

    def command(self, connect):
        return [
            PROGRAM,
            "node",
            "--chain=regtest",
            f"--datadir={self.folder}",
            f"--p2p-bind={self.at}",
            f"--rpc-bind=127.0.0.1:{self.rpc_port}",
            *([f"--backend={BACKEND}"] if BACKEND else []),
            *[f"--connect={at}" for at in connect],
            *self.settings.get("options", []),
        ]


def make_chain(file, blocks, transactions, seed=1, witness=True):
    """Writes a chain made from a seed to a file. It begins after BIP16 was, whose rules bcoin has from then on."""
    said = [
        PROGRAM,
        "chain-gen",
        f"--blocks={blocks}",
        f"--txs={transactions}",
        f"--seed={seed}",
        "--start=1400000000",
        f"--out={file}",
    ]
    succeed(said + ([] if witness else ["--no-witness"]), within=600)


def import_chain(file, node):
    """Gives a node, which must not be running, the chain in a file."""
    succeed([PROGRAM, "chain-import", "--chain=regtest", f"--datadir={node.folder}", file], within=600)

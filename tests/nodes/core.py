"""Bitcoin Core: bitcoind and bitcoin-cli, as tests/core/build makes them."""

import os
import re

from .node import Node
from .ours import ROOT
from .process import require, run

BIN = None


def built():
    """Where bitcoind is, if it has been built."""
    code, out, _ = run([os.path.join(ROOT, "tests", "core", "build"), "--built"])
    return out.strip() if code == 0 else None


class Core(Node):
    """A bitcoind. `v2` is whether it offers the encrypted transport of BIP 324, `tells_all` whether its log tells of each
    message."""

    def command(self, connect):
        dials = [f"-connect={at}" for at in connect] or ["-connect=0"]
        return [
            os.path.join(BIN, "bitcoind"),
            "-regtest",
            f"-datadir={self.folder}",
            f"-bind={self.at}",
            "-listen=1",
            f"-rpcport={self.rpc_port}",
            "-rpcbind=127.0.0.1",
            "-rpcallowip=127.0.0.1",
            f"-v2transport={int(self.settings.get('v2', False))}",
            # After each block it would look through the whole index.
            "-checkblockindex=0",
            # It would not think itself synced with a chain whose last block is old.
            f"-maxtipage={2**31}",
            *(["-debug=net"] if self.settings.get("tells_all", True) else []),
            "-persistmempool=0",
            "-printtoconsole=0",
            # Nothing but what it is told to connect to.
            "-dnsseed=0",
            "-fixedseeds=0",
            "-discover=0",
            "-natpmp=0",
            "-listenonion=0",
            *self.settings.get("options", []),
            *dials,
        ]

    def log(self):
        with open(os.path.join(self.chain_folder, "debug.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def expect_no_complaint(self, *expected):
        """Fails if its log complains of anything but what matches one of `expected`."""
        found = complaints(self.log(), expected)
        require(not found, f"{self.name} complains:\n" + "\n".join(found[:20]))


# What Core writes of a peer that it is not content with, or of itself.
COMPLAINT = re.compile(
    r"misbehav|invalid|error|warning|disconnect|bad-|reject|unexpected|unrequested|timeout|stall|discourag|corrupt|fail"
    r"|unknown|non-continuous|checksum|oversized|duplicate|ignoring|exception|not allowed|mismatch",
    re.IGNORECASE,
)


def complaints(log, expected=()):
    """The lines of a log that complain of something, less those that match one of `expected`."""
    return [
        line
        for line in log.splitlines()
        if COMPLAINT.search(line) and not any(re.search(pattern, line) for pattern in expected)
    ]


class Cli:
    """bitcoin-cli, against a node of either kind: by its cookie, as Core's users run it."""

    def __init__(self, node, *options):
        self.node = node
        self.options = options

    def run(self, *args):
        """Its exit code, and what it wrote to standard output and to standard error."""
        return run(
            [
                os.path.join(BIN, "bitcoin-cli"),
                "-regtest",
                f"-datadir={self.node.folder}",
                f"-rpcport={self.node.rpc_port}",
                *self.options,
                *[arg if isinstance(arg, str) else str(arg) for arg in args],
            ]
        )

    def __call__(self, *args):
        """What it printed, less the line's end; expects that all went well."""
        code, out, err = self.run(*args)
        require(code == 0, f"bitcoin-cli {' '.join(map(str, args))} ended with {code}: {err}")
        return out.rstrip("\n")

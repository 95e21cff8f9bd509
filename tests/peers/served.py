"""The node that the peers meet, with a chain to serve."""

import os

from nodes import ours
from nodes.core import Core

# More than the 500 that an inv names in answer to getblocks.
BLOCKS = 620
TRANSACTIONS = 3


def node(nodes, witness=True, blocks=BLOCKS):
    """Our node, not yet started, with a chain of so many blocks, with witnesses or without."""
    made = nodes.add(ours.Ours(nodes.folder, "ours"))
    if blocks:
        file = os.path.join(nodes.folder, "chain")
        ours.make_chain(file, blocks, TRANSACTIONS, witness=witness)
        ours.import_chain(file, made)
    return made


def stand_in(nodes, witness=True, blocks=BLOCKS):
    """A bitcoind with as many blocks, that have no transactions. Before witnesses are valid, its blocks have none."""
    options = [] if witness else ["-testactivationheight=segwit@100000"]
    made = nodes.add(Core(nodes.folder, "ours", options=options))
    if blocks:
        made.start()
        made.mine(blocks)
        made.stop()
    return made

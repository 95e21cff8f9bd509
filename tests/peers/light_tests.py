"""Peers that ask and serve nothing: python-bitcoinlib and nakamoto."""

import os

import install
import served
from nodes.process import require, succeed


def bitcoinlib_fetches_the_chain(nodes):
    python = install.bitcoinlib()
    node = served.node(nodes).start()
    script = os.path.join(install.HERE, "bitcoinlib", "speak.py")
    said = succeed([python, script, node.at, str(node.rpc.getblockcount()), node.tip()])
    require(said.rstrip().splitlines()[-1].startswith("good"), said)
    # In Core's chain and in ours each block has a witness, the coinbase's if no other.
    require(f"{served.BLOCKS} with witnesses" in said, said)


def nakamoto_syncs_headers_and_fetches_blocks(nodes):
    program = install.nakamoto()
    node = served.node(nodes).start()
    said = succeed([program, node.at, str(node.rpc.getblockcount()), node.tip(), nodes.folder])
    require(said.startswith("good"), said)


TESTS = [bitcoinlib_fetches_the_chain, nakamoto_syncs_headers_and_fetches_blocks]

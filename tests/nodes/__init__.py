"""Nodes of the Bitcoin network as processes, for the tests in tests/core, tests/peers and tests/sv2.

process.py   a process with a limit on every wait, and free ports
rpc.py       JSON-RPC, with a cookie or with a name and a password
node.py      what all nodes have in common: a folder, ports, blocks to mine and to wait for
core.py      Bitcoin Core's bitcoind and bitcoin-cli, and what its log complains of
ours.py      `sockman node`
runner.py    runs the tests of a script by name, each with a folder of its own
"""

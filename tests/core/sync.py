"""Blocks between Core and our node: in both directions, whoever dials."""

import hashlib
import os
import socket
import struct

from nodes.core import Core, complaints
from nodes.node import same_tip
from nodes.ours import Ours, import_chain, make_chain
from nodes.process import equal, require, until


def ours(nodes, name="ours", **settings):
    return nodes.add(Ours(nodes.folder, name, **settings))


def core(nodes, name="core", **settings):
    return nodes.add(Core(nodes.folder, name, **settings))


def second_core(nodes, name="ours", **settings):
    """What stands in for our node, to see what the tests themselves are worth."""
    return core(nodes, name, **settings)


# --- The first download -------------------------------------------------------------------------------------------


def downloads(nodes, source, sink, dials):
    """`sink` has nothing, and gets what `source` has; `dials` is one of the two, and dials the other."""
    source.start()
    source.mine(250)
    # The one that dials starts last.
    if dials is sink:
        sink.start(source)
    else:
        sink.start()
        source.restart(sink)
    same_tip(source, sink)
    equal(sink.rpc.getblockcount(), 250, "the height")
    equal(
        [sink.rpc.getblockhash(height) for height in range(251)],
        [source.rpc.getblockhash(height) for height in range(251)],
        "the chain",
    )


def core_dials_and_downloads(nodes):
    source, sink = ours(nodes), core(nodes)
    downloads(nodes, source, sink, sink)
    sink.expect_no_complaint()


def core_is_dialled_and_downloads(nodes):
    source, sink = ours(nodes), core(nodes)
    downloads(nodes, source, sink, source)
    sink.expect_no_complaint(*FAREWELL)


def core_is_dialled_and_uploads(nodes):
    source, sink = core(nodes), ours(nodes)
    downloads(nodes, source, sink, sink)
    source.expect_no_complaint()


def core_dials_and_uploads(nodes):
    source, sink = core(nodes), ours(nodes)
    downloads(nodes, source, sink, source)
    source.expect_no_complaint()


def transactions_go_both_ways(nodes, witness):
    """A chain from `sockman chain-gen`, with some blocks of the largest size: into Core from the file and from us, and back."""
    file = os.path.join(nodes.folder, "chain")
    make_chain(file, blocks=160, transactions=20, witness=witness)
    reader = core(nodes, "reader", options=[f"-loadblock={file}"]).start()
    source, sink, last = ours(nodes, "source"), core(nodes), ours(nodes, "last")
    import_chain(file, source)
    source.start()
    equal(source.rpc.getblockcount(), 160, "the height")
    reader.wait_for_tip(source.tip())
    sink.start(source)
    sink.wait_for_tip(source.tip())
    last.start(sink)
    last.wait_for_tip(source.tip())
    for height in range(161):
        block = sink.rpc.getblockhash(height)
        raw = sink.rpc.getblock(block, 0)
        require(raw == source.rpc.getblock(block, 0) == last.rpc.getblock(block, 0), "block", height, "is the same")
    sink.expect_no_complaint()


def witnesses_go_both_ways(nodes):
    transactions_go_both_ways(nodes, witness=True)


def transactions_without_witness_go_both_ways(nodes):
    transactions_go_both_ways(nodes, witness=False)


def we_are_killed_while_we_download(nodes):
    file = os.path.join(nodes.folder, "chain")
    make_chain(file, blocks=1500, transactions=100)
    source = core(nodes, options=[f"-loadblock={file}"]).start()
    until(lambda: source.rpc.getblockcount() == 1500, "Core has read the chain")
    sink = ours(nodes)
    for height in (100, 500, 900):
        sink.start(source)
        until(lambda: sink.rpc.getblockcount() >= height, f"we are at {height}", every=0.001)
        sink.kill()
    sink.start(source)
    sink.wait_for_tip(source.tip())
    for height in range(0, 1501, 50):
        block = source.rpc.getblockhash(height)
        require(sink.rpc.getblock(block, 0) == source.rpc.getblock(block, 0), "block", height, "is the same")
    source.expect_no_complaint(*FAREWELL)


# --- The encrypted transport, which we do not speak ---------------------------------------------------------------


def core_offers_v2_and_downloads(nodes):
    source, sink = ours(nodes), core(nodes, v2=True)
    downloads(nodes, source, sink, sink)
    sink.expect_no_complaint(*V2_REFUSED)


def core_offers_v2_and_uploads(nodes):
    source, sink = core(nodes, v2=True), ours(nodes)
    downloads(nodes, source, sink, source)
    source.expect_no_complaint(*V2_REFUSED)


def core_offers_v2_and_is_dialled(nodes):
    source, sink = core(nodes, v2=True), ours(nodes)
    downloads(nodes, source, sink, sink)
    source.expect_no_complaint()


# --- Afterwards ---------------------------------------------------------------------------------------------------


def both_go_on_after_a_restart(nodes):
    one, other = ours(nodes), core(nodes)
    one.start()
    one.mine(120)
    other.start(one)
    same_tip(one, other)
    # Each misses blocks of the other's while it is away, and keeps what it has.
    for away, present in ((one, other), (other, one)):
        tip, height = away.tip(), away.rpc.getblockcount()
        away.stop()
        present.mine(7)
        away.start(*([one] if away is other else []))
        equal(away.rpc.getblockhash(height), tip, f"what {away.name} has kept")
        same_tip(one, other)
    equal(one.rpc.getblockcount(), 134, "the height")
    one.stop()
    other.stop()
    other.start()
    one.start(other)
    equal(one.tip(), other.tip(), "the tip after both have been restarted")
    other.mine()
    same_tip(one, other)
    other.expect_no_complaint(*FAREWELL)


def new_blocks_propagate(nodes):
    one, other = ours(nodes), core(nodes)
    one.start()
    one.mine()
    other.start(one)
    same_tip(one, other)
    for _ in range(10):
        one.mine()
        same_tip(one, other, within=30)
        other.mine()
        same_tip(one, other, within=30)
    # Several at once, for which an inv or a headers message has room.
    one.mine(25)
    same_tip(one, other)
    other.mine(25)
    same_tip(one, other)
    equal(one.rpc.getblockcount(), 71, "the height")
    other.expect_no_complaint()


def new_blocks_pass_through(nodes):
    """From one Core to the other, with our node between them, which both dial."""
    between = ours(nodes).start()
    ends = [core(nodes, name) for name in ("left", "right")]
    for end in ends:
        end.start(between)
    for miner in (*ends, *ends, between):
        miner.mine(3)
        for end in ends:
            end.wait_for_tip(miner.tip())
    for end in ends:
        end.expect_no_complaint()


# --- Reorganisations ----------------------------------------------------------------------------------------------


def reorganises(loser, winner, dials):
    """They have 20 blocks in common, then `loser` 3 and `winner` 5 of their own; then they meet."""
    loser.start()
    loser.mine(20)
    winner.start(loser)
    same_tip(loser, winner)
    # Alone: nobody dials.
    winner.restart()
    left = loser.mine(3)[-1]
    winner.mine(5)
    if dials is winner:
        winner.restart(loser)
    else:
        loser.restart(winner)
    loser.wait_for_tip(winner.tip())
    equal(loser.rpc.getblockcount(), 25, "the height")
    forks = {tip["hash"]: tip for tip in loser.rpc.getchaintips()}
    equal(forks[left], {"height": 23, "hash": left, "branchlen": 3, "status": "valid-fork"}, "what was left")
    equal(forks[winner.tip()]["status"], "active", "the new tip")
    equal(loser.rpc.getblockheader(left)["confirmations"], -1, "confirmations of what was left")
    # And on.
    for miner in (loser, winner):
        miner.mine(2)
        same_tip(loser, winner)


def core_reorganises_to_our_chain(nodes):
    loser, winner = core(nodes), ours(nodes)
    reorganises(loser, winner, loser)
    loser.expect_no_complaint(*FAREWELL)


def core_reorganises_to_our_chain_when_dialled(nodes):
    loser, winner = core(nodes), ours(nodes)
    reorganises(loser, winner, winner)
    loser.expect_no_complaint(*FAREWELL)


def we_reorganise_to_core_s_chain(nodes):
    loser, winner = ours(nodes), core(nodes)
    reorganises(loser, winner, loser)
    winner.expect_no_complaint(*FAREWELL)


def we_reorganise_to_core_s_chain_when_dialled(nodes):
    loser, winner = ours(nodes), core(nodes)
    reorganises(loser, winner, winner)
    winner.expect_no_complaint(*FAREWELL)


def a_tip_given_up_is_followed(nodes):
    """Core gives up its last 4 blocks and mines 6 others, all while connected."""
    one, other = ours(nodes), core(nodes)
    one.start()
    one.mine(30)
    other.start(one)
    same_tip(one, other)
    given_up = other.rpc.getblockhash(27)
    other.rpc.invalidateblock(given_up)
    other.mine(6)
    one.wait_for_tip(other.tip())
    equal(one.rpc.getblockcount(), 32, "the height")
    # It says that it was told to.
    other.expect_no_complaint(r"InvalidChainFound")


# --- The tests themselves -----------------------------------------------------------------------------------------


def a_complaint_is_seen(nodes):
    """Core's log does complain of a peer that sends a header which is none."""
    node = core(nodes).start()
    node.expect_no_complaint()
    with socket.create_connection(("127.0.0.1", node.port), 10) as peer:
        peer.sendall(message(b"version", version()) + message(b"verack", b""))
        peer.sendall(message(b"headers", b"\x01" + bytes(80) + b"\x00"))
        until(lambda: complaints(node.log()), "a complaint", within=20)
    require(any("Misbehaving" in line for line in complaints(node.log())), complaints(node.log()))


def version():
    address = bytes(26)
    return struct.pack("<iQq", 70016, 9, 0) + address + address + bytes(8) + b"\x00" + struct.pack("<i?", 0, True)


def message(command, payload):
    digest = hashlib.sha256(hashlib.sha256(payload).digest()).digest()
    return bytes.fromhex("fabfb5da") + struct.pack("<12sI4s", command, len(payload), digest[:4]) + payload


# What Core writes where the other side has been stopped, as some tests do.
FAREWELL = [
    r"socket (closed|recv error|send error)[^,]*,? disconnecting peer",
    r"disconnecting peer=\d+$",
    r"connect\(\) to .* failed after wait: Connection refused",
]
# What Core writes where its first try, encrypted, is hung up on: it dials once more, without.
V2_REFUSED = [r"retrying with v1 transport protocol", r"disconnecting peer", r"socket (closed|recv error)"]

# These have a chain made by our program.
OURS_ALONE = [
    witnesses_go_both_ways,
    transactions_without_witness_go_both_ways,
    we_are_killed_while_we_download,
]
TESTS = [
    a_complaint_is_seen,
    core_dials_and_downloads,
    core_is_dialled_and_downloads,
    core_is_dialled_and_uploads,
    core_dials_and_uploads,
    *OURS_ALONE,
    core_offers_v2_and_downloads,
    core_offers_v2_and_uploads,
    core_offers_v2_and_is_dialled,
    both_go_on_after_a_restart,
    new_blocks_propagate,
    new_blocks_pass_through,
    core_reorganises_to_our_chain,
    core_reorganises_to_our_chain_when_dialled,
    we_reorganise_to_core_s_chain,
    we_reorganise_to_core_s_chain_when_dialled,
    a_tip_given_up_is_followed,
]

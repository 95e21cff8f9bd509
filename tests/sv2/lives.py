"""Pools and nodes that come and go, and keys that are wrong."""

from mining import check_mined, device, pool, provider, wait_for_height, with_some_blocks
from nodes.process import equal, require, until
from peers import PROVIDER_GONE, PUBLIC_KEY


def a_wrong_key_is_refused(nodes):
    """By the pool, which ends; another one is served beside it."""
    node = provider(nodes).start()
    # A valid key, but another's.
    wrong = pool(nodes, node, "wrong", key=PUBLIC_KEY).launch()
    right = pool(nodes, node, "right").start()
    equal(wrong.process.wait(), 1, "the exit code of the pool with the wrong key")
    require("InvalidCertificate" in wrong.process.written(), wrong.process.written()[-2000:])
    equal(wrong.templates(), [], "what it was given")
    [tip] = node.mine()
    right.wait_for_tip(tip)
    right.expect_no_complaint()


def without_a_key_anyone_is_trusted(nodes):
    node = provider(nodes).start()
    one = pool(nodes, node, key="").start()
    one.wait_for_tip(node.tip())
    one.expect_no_complaint()


def a_pool_is_restarted(nodes):
    """In an orderly way and by a kill, while it mines: what it had found stays, and it goes on."""
    node = with_some_blocks(nodes)
    one = pool(nodes, node)
    miner = device(nodes, one)
    for end in (one.stop, one.kill, one.stop):
        one.start()
        miner.start()
        height = node.rpc.getblockcount()
        wait_for_height(node, height + 3, one, miner)
        one.expect_no_complaint()
        end()
        miner.kill()
        for each in range(height + 1, height + 4):
            check_mined(node, each, [one])
        until(lambda: node.rpc.getsv2info()["clients"] == [], "the pool has left")
    node.expect_no_complaint()


def the_node_is_restarted(nodes):
    """In an orderly way and by a kill: its key and its chain stay, and a pool that is started again goes on."""
    node = with_some_blocks(nodes)
    key = node.key
    one = pool(nodes, node)
    miner = device(nodes, one)
    for killed in (False, True):
        one.start()
        miner.start()
        height = node.rpc.getblockcount()
        wait_for_height(node, height + 3, one, miner)
        third = node.rpc.getblockhash(height + 3)
        if killed:
            node.kill()
        else:
            node.stop()
        # A pool does not try again: it ends. That it complains shows that a complaint would be seen.
        equal(one.process.wait(), 0, "the exit code of the pool whose provider has gone")
        require(any(PROVIDER_GONE in line for line in one.complaints()), "the pool complains that its provider has gone")
        one.expect_no_complaint(PROVIDER_GONE)
        miner.kill()
        node.start()
        equal(node.key, key, "the key")
        if not killed:
            equal(node.rpc.getblockhash(height + 3), third, "the chain")
    one.start()
    one.wait_for_tip(node.tip())
    one.expect_no_complaint()


def a_pool_waits_for_the_node(nodes):
    """It tries three times; the node comes meanwhile."""
    node = provider(nodes).start()
    one = pool(nodes, node)
    node.stop()
    one.launch()
    until(lambda: one.says("Failed to connect to template provider"), "the first try fails")
    node.start()
    one.wait_until_ready()
    one.expect_no_complaint()


TESTS = [
    a_wrong_key_is_refused,
    without_a_key_anyone_is_trusted,
    a_pool_is_restarted,
    the_node_is_restarted,
    a_pool_waits_for_the_node,
]

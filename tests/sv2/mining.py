"""A pool with a device mines on our node's templates, and our node takes what they find."""

from nodes.core import Core
from nodes.node import ADDRESSES
from nodes.ours import Ours
from nodes.process import equal, require, until
from peers import PAID_TO_TAPROOT, Device, Pool, Provider
from transactions import spend

COIN = 100_000_000


def provider(nodes, name="provider", **settings):
    return nodes.add(Provider(nodes.folder, name, **settings))


def pool(nodes, source, name="pool", **settings):
    return nodes.add(Pool(nodes.folder, source, name, **settings))


def device(nodes, of, name="device", **settings):
    return nodes.add(Device(nodes.folder, of, name, **settings))


def with_some_blocks(nodes):
    """A provider with a chain that is long enough for blocks to follow fast: see Device."""
    node = provider(nodes).start()
    node.mine(12)
    return node


def wait_for_height(node, height, *others):
    """Until the node is at that height or above; `others` must stay alive meanwhile."""

    def reached():
        for other in others:
            other.process.check()
        return node.rpc.getblockcount() >= height

    until(reached, lambda: f"{node.name} is at {height}; it is at {node.rpc.getblockcount()}")


def subsidy(height):
    """Regtest halves every 150 blocks."""
    return (50 * COIN) >> (height // 150)


def height_push(height):
    """How BIP34 has it."""
    if height <= 16:
        return bytes([0x50 + height])
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    return bytes([len(number)]) + number


def check_mined(node, height, pools, fees=0):
    """The block at a height is from one of the pools: it pays that one all there is, with its signature. Returns the block."""
    block = node.rpc.getblock(node.rpc.getblockhash(height), 2)
    coinbase = block["tx"][0]
    script = bytes.fromhex(coinbase["vin"][0]["coinbase"])
    [of] = [each for each in pools if f"/{each.signature}//".encode() in script]
    require(script.startswith(height_push(height)), f"the script of {script.hex()} begins with the height {height}")
    equal(coinbase["vin"][0]["txinwitness"], ["00" * 32], "the coinbase's witness")
    paid, commitment = coinbase["vout"]
    equal(round(paid["value"] * COIN), subsidy(height) + fees, f"what block {height} pays")
    equal(paid["scriptPubKey"]["hex"], of.script, f"whom block {height} pays")
    require(commitment["scriptPubKey"]["hex"].startswith("6a24aa21a9ed"), f"block {height} commits to its witnesses")
    require(block["hash"] in of.blocks_found(), f"{of.name} has found block {height}")
    return block


def is_of(node, height, of):
    block = node.rpc.getblock(node.rpc.getblockhash(height), 2)
    return f"/{of.signature}//".encode() in bytes.fromhex(block["tx"][0]["vin"][0]["coinbase"])


# --- Without a miner ----------------------------------------------------------------------------------------------


def a_pool_becomes_ready(nodes):
    """At the genesis block, with nothing but that; and it is told of each new tip."""
    node = provider(nodes).start()
    printed = node.process.written()
    require(f"authority public key {node.key}" in printed, f"the key {node.key} is printed:\n{printed}")
    require(f"listening for Sv2 clients on {node.sv2_at} (backend " in printed, f"where it listens is printed:\n{printed}")
    one = pool(nodes, node).start()
    equal([template[1:] for template in one.templates()], [(True, "51", 50 * COIN)], "the templates")
    equal([tip for _, tip in one.tips()], [node.tip()], "the tips")
    [client] = node.rpc.getsv2info()["clients"]
    equal(client["stage"], "ready", "how far it is")
    # Its output, of 8 bytes for the amount, 1 for the length and 22 for the script; and 43 that it adds, for any other.
    equal(client["coinbase_output_max_additional_size"], 31 + 43, "the room it needs")
    equal(client["coinbase_output_max_additional_sigops"], 4, "the signature operations")
    equal(client["template_id"], one.templates()[-1][0], "its template")
    for height in range(1, 20):
        [tip] = node.mine()
        one.wait_for_tip(tip)
        equal(one.templates()[-1][1:], (True, height_push(height + 1).hex(), 50 * COIN), "the template")
    one.expect_order()
    one.expect_no_complaint()
    node.expect_no_complaint()


def a_pool_moves_on_with_a_reorganisation(nodes):
    node = provider(nodes).start()
    other = nodes.add(Ours(nodes.folder, "other")).start()
    other.mine(5)
    node.mine(3, to=ADDRESSES[1])
    one = pool(nodes, node).start()
    one.wait_for_tip(node.tip())
    node.rpc.addnode(other.at, "onetry")
    node.wait_for_tip(other.tip())
    one.wait_for_tip(other.tip())
    equal(one.templates()[-1][2], height_push(6).hex(), "the height")
    miner = device(nodes, one).start()
    wait_for_height(node, 8, one, miner)
    miner.kill()
    for height in (6, 7, 8):
        check_mined(node, height, [one])
    one.expect_order()
    one.expect_no_complaint()
    node.expect_no_complaint()


# --- With one -----------------------------------------------------------------------------------------------------


def a_pool_mines_from_the_genesis_block(nodes, height=20):
    """Heights 1 to 16, which a script has opcodes for, and on; and a second node hears of each block."""
    node = provider(nodes).start()
    second = nodes.add(Ours(nodes.folder, "second")).start(node)
    one = pool(nodes, node).start()
    miner = device(nodes, one, pause=1100).start()
    wait_for_height(node, height, one, miner)
    miner.kill()
    for each in range(1, height + 1):
        check_mined(node, each, [one])
    second.wait_for_tip(node.tip())
    one.wait_for_tip(node.tip())
    told = [tip for _, tip in one.tips()]
    for each in range(height + 1):
        require(node.rpc.getblockhash(each) in told, f"the pool was told of block {each}")
    one.expect_order()
    one.expect_no_complaint()
    node.expect_no_complaint()
    return node, one


def core_takes_what_a_pool_mines(nodes):
    node, _ = a_pool_mines_from_the_genesis_block(nodes)
    judge = nodes.add(Core(nodes.folder, "judge")).start(node)
    judge.wait_for_tip(node.tip())
    judge.expect_no_complaint()


def a_block_by_rpc_makes_the_pool_move_on(nodes):
    """While it mines: sooner or later it finds one on top of it."""
    node = with_some_blocks(nodes)
    one = pool(nodes, node).start()
    miner = device(nodes, one).start()
    wait_for_height(node, 13, one, miner)
    for _ in range(5):
        [tip] = node.mine()
        height = node.rpc.getblock(tip)["height"]
        wait_for_height(node, height + 1, one, miner)
        equal(node.rpc.getblockhash(height), tip, "the block by RPC")
        check_mined(node, height + 1, [one])
    miner.kill()
    one.wait_for_tip(node.tip())
    one.expect_order()
    one.expect_no_complaint()
    node.expect_no_complaint()


def two_pools_at_once(nodes):
    """Each with a device of its own: both find blocks, and go on with those of the other."""
    node = with_some_blocks(nodes)
    pools = [pool(nodes, node, "left"), pool(nodes, node, "right", pays=PAID_TO_TAPROOT)]
    miners = []
    for one in pools:
        one.start()
    for one in pools:
        miners.append(device(nodes, one, f"{one.name}-device", pause=600).start())

    def each_found():
        for process in (*pools, *miners):
            process.process.check()
        heights = range(13, node.rpc.getblockcount() + 1)
        return all(sum(is_of(node, height, one) for height in heights) >= 5 for one in pools)

    until(each_found, "each pool has found 5 blocks", every=1)
    for miner in miners:
        miner.kill()
    for one in pools:
        one.wait_for_tip(node.tip())
    found = [check_mined(node, height, pools)["hash"] for height in range(13, node.rpc.getblockcount() + 1)]
    for one in pools:
        require(set(one.blocks_found()) & set(found), f"{one.name} has found blocks of the chain")
        one.expect_order()
        one.expect_no_complaint()
    node.expect_no_complaint()


# --- Transactions -------------------------------------------------------------------------------------------------


def transactions_are_mined(nodes):
    """One, one that spends it, and another: with their fees in the coinbase, first on an idle pool, then while it mines."""
    node = provider(nodes, options=["--sv2-interval=1", "--sv2-fee-delta=1"]).start()
    one = pool(nodes, node)
    # To the script OP_TRUE.
    node.mine(103, to=ADDRESSES[1])
    one.start()
    coinbases = [node.rpc.getblock(node.rpc.getblockhash(height))["tx"][0] for height in (1, 2, 3)]
    first, first_id = spend(coinbases[0], 50 * COIN - 10_000)
    second, second_id = spend(first_id, 50 * COIN - 15_000)
    third, third_id = spend(coinbases[1], 50 * COIN - 7_000)
    for transaction, number in ((first, first_id), (second, second_id), (third, third_id)):
        equal(node.rpc.sendrawtransaction(transaction), number, "the transaction's identifier")
    equal(sorted(node.rpc.getrawmempool()), sorted([first_id, second_id, third_id]), "the pool of transactions")
    value = subsidy(104) + 22_000
    until(
        lambda: (False, height_push(104).hex(), value) in [template[1:] for template in one.templates()],
        lambda: f"a template with the fees; there are {one.templates()}",
    )
    miner = device(nodes, one).start()
    wait_for_height(node, 104, one, miner)
    # Which of the two templates the device was given is the pool's affair: the one for a tip to come is the older.
    height = until(lambda: mined_at(node, third_id, 104), "the transactions are mined")
    block = check_mined(node, height, [one], fees=22_000)
    order = [transaction["txid"] for transaction in block["tx"][1:]]
    equal(sorted(order), sorted([first_id, second_id, third_id]), "the block's transactions")
    require(order.index(first_id) < order.index(second_id), "parents come first")
    until(lambda: node.rpc.getrawmempool() == [], "the pool of transactions is empty")
    # And one more, while it mines.
    fourth, fourth_id = spend(coinbases[2], 50 * COIN - 4_321)
    node.rpc.sendrawtransaction(fourth)
    height = until(lambda: mined_at(node, fourth_id, height + 1), "the fourth transaction is mined")
    check_mined(node, height, [one], fees=4_321)
    miner.kill()
    one.wait_for_tip(node.tip())
    one.expect_order()
    one.expect_no_complaint()
    node.expect_no_complaint()
    return node


def mined_at(node, transaction, above):
    """The height of the block that has it, if there is one from that height on."""
    for height in range(above, node.rpc.getblockcount() + 1):
        if transaction in node.rpc.getblock(node.rpc.getblockhash(height))["tx"]:
            return height
    return None


def core_takes_transactions_a_pool_mines(nodes):
    node = transactions_are_mined(nodes)
    judge = nodes.add(Core(nodes.folder, "judge")).start(node)
    judge.wait_for_tip(node.tip())
    judge.expect_no_complaint()


WITH_CORE = [core_takes_what_a_pool_mines, core_takes_transactions_a_pool_mines]
TESTS = [
    a_pool_becomes_ready,
    a_pool_moves_on_with_a_reorganisation,
    a_pool_mines_from_the_genesis_block,
    a_block_by_rpc_makes_the_pool_move_on,
    two_pools_at_once,
    transactions_are_mined,
    *WITH_CORE,
]

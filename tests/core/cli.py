"""bitcoin-cli against our node's RPC, beside Core's own answers for the same chain."""

import json
import time

from nodes.core import Cli
from nodes.node import ADDRESSES, same_tip
from nodes.process import equal, require, until
from sync import core, ours

# The height.
BLOCKS = 30
PRIVATE_KEY_1 = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
NO_SUCH_BLOCK = "00" * 31 + "01"


def pair(nodes):
    """Our node and Core, connected, with one chain and with one fork; and bitcoin-cli for either."""
    us, them = ours(nodes), core(nodes)
    them.start()
    them.mine(BLOCKS - 4)
    us.start(them)
    same_tip(us, them)
    # A fork that both know: Core changes its mind about its last block.
    them.rpc.invalidateblock(them.tip())
    them.mine(5, to=ADDRESSES[0])
    same_tip(us, them)
    us.restart(them)
    us.wait_for_peers(1)
    return Cli(us), Cli(them)


def compare(us, them, *args):
    """Both say the same, to standard output and to standard error, and end alike."""
    said, expected = us.run(*args), them.run(*args)
    equal(said, expected, f"bitcoin-cli {' '.join(map(str, args))}")
    return expected


def compare_fields(us, them, args, differing=()):
    """Both answer objects with the same fields, and the same values but in those that are `differing`."""
    said, expected = json.loads(us(*args)), json.loads(them(*args))
    what = f"bitcoin-cli {' '.join(map(str, args))}"
    equal(sorted(said), sorted(expected), f"the fields of {what}")
    for field, value in expected.items():
        if field in differing:
            equal(kind(said[field]), kind(value), f"the type of {field} in {what}")
        else:
            equal(said[field], value, f"{field} in {what}")
    return said


def kind(value):
    # JSON has no other numbers than numbers.
    return float if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value)


def cli_reads_the_chain(nodes):
    us, them = pair(nodes)
    compare(us, them, "getblockcount")
    compare(us, them, "getbestblockhash")
    for height in range(BLOCKS + 1):
        block = json.loads(f'"{them("getblockhash", height)}"')
        compare(us, them, "getblockhash", height)
        compare(us, them, "getblockheader", block)
        compare(us, them, "getblockheader", block, "false")
        compare(us, them, "getblock", block)
        for verbosity in (0, 1, 2):
            compare(us, them, "getblock", block, verbosity)
    # The branch that was left too: our node has heard of it, as Core has.
    compare(us, them, "-named", "getblock", f"blockhash={block}", "verbosity=1")
    compare(us, them, "-named", "getblockheader", f"blockhash={block}", "verbose=false")


def cli_reads_transactions(nodes):
    """Outputs and inputs of every kind, as getblock shows them."""
    them = core(nodes).start()
    key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    other = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
    # The first three can be spent with a key alone.
    for descriptor in (
        *(f"{kind}({key})" for kind in ("pkh", "wpkh", "pk")),
        f"sh(wpkh({key}))",
        f"tr({key})",
        f"wsh(pk({key}))",
        f"sh(multi(1,{key},{other}))",
        f"multi(1,{key},{other})",
        # Anyone's, pushes of all lengths, what is no script, a commitment, an anchor, a witness of a version to come.
        *(f"raw({script})" for script in ("51", "00", "4c0101", "01ff", "6a0401020304", "ffff", "51024e73")),
        f"raw(5214{'00' * 20})",
    ):
        info = them.rpc.getdescriptorinfo(descriptor)
        [block] = them.rpc.generatetodescriptor(1, info["descriptor"])
    them.mine(100)
    for height, sequence in ((1, 0xFFFFFFFE), (2, 0xFFFFFFFF), (3, 5)):
        coinbase = them.rpc.getblock(them.rpc.getblockhash(height), 2)["tx"][0]
        inputs = [{"txid": coinbase["txid"], "vout": 0, "sequence": sequence}]
        outputs = [{ADDRESSES[0]: 12.5}, {ADDRESSES[1]: 0.00000001}, {"data": "00ff"}]
        signed = them.rpc.signrawtransactionwithkey(
            them.rpc.createrawtransaction(inputs, outputs, height), [PRIVATE_KEY_1]
        )
        require(signed["complete"], signed)
        them.rpc.generateblock(ADDRESSES[0], [signed["hex"]])
    us = ours(nodes).start(them)
    same_tip(us, them)
    us, them = Cli(us), Cli(them)
    for height in range(them.node.rpc.getblockcount() + 1):
        block = them("getblockhash", height)
        for verbosity in (0, 1):
            compare(us, them, "getblock", block, verbosity)
        said, expected = json.loads(us("getblock", block, 2)), json.loads(them("getblock", block, 2))
        for transaction in expected["tx"]:
            # Only who knows what is spent can tell the fee.
            transaction.pop("fee", None)
        for transaction in said["tx"]:
            transaction.pop("fee", None)
        equal(said, expected, f"getblock {height} 2")


def cli_is_refused_as_by_core(nodes):
    us, them = pair(nodes)
    for args in (
        ["getblockhash", BLOCKS + 100],
        ["getblockhash", -1],
        ["getblockhash"],
        ["getblockhash", "1", "2"],
        ["getblockhash", '"one"'],
        ["getblock", NO_SUCH_BLOCK],
        ["getblockheader", NO_SUCH_BLOCK],
        ["getblock", "12"],
        ["getblockheader", "12"],
        ["getblock", "zz" * 32],
        ["submitblock", "00"],
        ["submitblock", "zz"],
        ["generatetoaddress", 1, "nowhere"],
        ["disconnectnode", "192.0.2.1:1"],
        ["setban", "nowhere", "add"],
        ["addnode", "192.0.2.1:1", "remove"],
        ["addnode", "192.0.2.1:1", "sometimes"],
        ["nosuchmethod"],
    ):
        code, _, _ = us.run(*args)
        require(code != 0, f"bitcoin-cli {args} is refused")
        code, _, error = them.run(*args)
        # Of help, which Core prints where arguments are missing, the code is what clients look at.
        if "\n\n" in error or "error message:\n" in error:
            ours_said = us.run(*args)
            equal(ours_said[0], code, f"the exit code of bitcoin-cli {args}")
            if "error message:\n" in error and len(error.splitlines()) <= 3:
                equal(ours_said[2], error, f"bitcoin-cli {args}")
        else:
            compare(us, them, *args)


def cli_tells_of_chain_and_network(nodes):
    us, them = pair(nodes)
    # Core warns that it has not been released.
    compare_fields(us, them, ["getblockchaininfo"], ["size_on_disk", "verificationprogress", "warnings"])
    info = compare_fields(
        us,
        them,
        ["getnetworkinfo"],
        [
            "version",
            "subversion",
            "protocolversion",
            "localservices",
            "localservicesnames",
            "connections_in",
            "connections_out",
            "networks",
            "localaddresses",
            "relayfee",
            "incrementalfee",
            "localrelay",
            "warnings",
        ],
    )
    equal(info["connections"], 1, "connections")
    tips = json.loads(us("getchaintips"))
    expected = json.loads(them("getchaintips"))
    equal(tips[0], expected[0], "the active tip")
    [peer] = json.loads(us("getpeerinfo"))
    [model] = json.loads(them("getpeerinfo"))
    # We tell Core how we see it; Core tells nobody on loopback.
    require(model.pop("addrlocal").startswith("127.0.0.1:"), "addrlocal")
    missing = sorted(set(model) - set(peer))
    require(not missing, f"getpeerinfo lacks {missing}")
    for field, value in model.items():
        equal(kind(peer[field]), kind(value), f"the type of {field} in getpeerinfo")
    equal((peer["inbound"], model["inbound"]), (False, True), "inbound")
    equal(peer["subver"], json.loads(them("getnetworkinfo"))["subversion"], "subver")
    equal(model["subver"], json.loads(us("getnetworkinfo"))["subversion"], "subver, as Core has it")
    equal(peer["addr"], them.node.at, "addr")
    # Calls of bitcoin-cli's own, in a batch; without a wallet it goes without.
    shown = us("-getinfo")
    require("Chain: regtest" in shown and f"Blocks: {BLOCKS}" in shown, f"bitcoin-cli -getinfo shows {shown!r}")
    # It wants a version that it knows.
    shown = us("-netinfo", 4)
    for part in ("regtest", peer["subver"].strip("/"), them.node.at):
        require(part in shown, f"bitcoin-cli -netinfo shows {part}:\n{shown}")


def cli_mines_and_submits(nodes):
    us, them = pair(nodes)
    mined = json.loads(us("generatetoaddress", 3, ADDRESSES[0]))
    equal(len(mined), 3, "blocks mined")
    equal(us("getbestblockhash"), mined[-1], "the tip")
    them.node.wait_for_tip(mined[-1])
    # A block that the other has not seen, by hand.
    us.node.restart()
    block = json.loads(them("generatetoaddress", 1, ADDRESSES[1]))[0]
    raw = them("getblock", block, 0)
    # With another lock time of its only transaction, and cut short.
    compare(us, them, "submitblock", raw[:-2] + ("00" if raw[-2:] != "00" else "01"))
    compare(us, them, "submitblock", raw[:-2])
    equal(us("submitblock", raw), "", "what submitblock answers for a good block")
    equal(us("getbestblockhash"), block, "the tip after submitblock")
    compare(us, them, "submitblock", raw)


def cli_waits_for_a_height(nodes):
    us, them = pair(nodes)
    height = int(us("getblockcount"))
    compare(us, them, "waitforblockheight", height)
    since = time.monotonic()
    compare(us, them, "waitforblockheight", height + 1, 300)
    require(time.monotonic() - since >= 0.6, "both have waited for 300 ms")
    us("generatetoaddress", 1, ADDRESSES[0])
    equal(json.loads(us("waitforblockheight", height + 1))["height"], height + 1, "the height")


def cli_connects_and_bans(nodes):
    us, them = ours(nodes).start(), core(nodes).start()
    us, them = Cli(us), Cli(them)
    at = them.node.at
    # As with Core: nothing is printed, and the connection is made in the background.
    equal(us("addnode", at, "onetry"), "", "what addnode prints")
    us.node.wait_for_peers(1)
    equal(us("disconnectnode", at), "", "what disconnectnode prints")
    us.node.wait_for_peers(0)
    us("addnode", at, "add")
    us.node.wait_for_peers(1)
    # Added once only.
    code, _, error = us.run("addnode", at, "add")
    equal((code, error.splitlines()[:1]), (23, ["error code: -23"]), "the same node added twice")
    us("addnode", at, "remove")
    code, _, error = us.run("addnode", at, "remove")
    equal((code, error.splitlines()[:1]), (24, ["error code: -24"]), "the same node removed twice")
    [peer] = json.loads(us("getpeerinfo"))
    us("-named", "disconnectnode", f"nodeid={peer['id']}")
    us.node.wait_for_peers(0)

    # Who is banned is hung up on, and not let in.
    them("addnode", us.node.at, "add")
    us.node.wait_for_peers(1)
    us("setban", "127.0.0.1", "add", 3600)
    us.node.wait_for_peers(0)
    code, _, error = us.run("setban", "127.0.0.1", "add")
    equal((code, error.splitlines()[:1]), (23, ["error code: -23"]), "the same address banned twice")
    banned = json.loads(us("listbanned"))
    equal([each["address"] for each in banned], ["127.0.0.1/32"], "who is banned")
    them.run("addnode", us.node.at, "onetry")
    time.sleep(1)
    equal(json.loads(us("getpeerinfo")), [], "peers while banned")
    us("setban", "127.0.0.1", "remove")
    until(lambda: (them.run("addnode", us.node.at, "onetry"), json.loads(us("getpeerinfo")))[1], "a peer again")


def cli_authenticates_and_stops(nodes):
    us = ours(nodes).start()
    code, _, error = Cli(us, "-rpccookiefile=/dev/null").run("getblockcount")
    require(code != 0, "without the cookie nothing is answered")
    code, _, error = Cli(us, "-rpcuser=user", "-rpcpassword=wrong").run("getblockcount")
    require(code != 0 and "authorization failed" in error.lower(), f"a wrong password: {error}")
    equal(Cli(us)("stop").split()[-1], "stopping", "what stop prints")
    equal(us.process.wait(60), 0, "the exit code")
    code, _, error = Cli(us).run("getblockcount")
    require(code != 0, "nobody answers any more")


TESTS = [
    cli_reads_the_chain,
    cli_reads_transactions,
    cli_is_refused_as_by_core,
    cli_tells_of_chain_and_network,
    cli_mines_and_submits,
    cli_waits_for_a_height,
    cli_connects_and_bans,
    cli_authenticates_and_stops,
]

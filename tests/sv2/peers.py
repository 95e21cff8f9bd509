"""SRI's pool_sv2 and mining_device as processes, and our node as their template provider."""

import os
import re
import signal

from nodes.ours import Ours
from nodes.process import Process, equal, free_port, require, until

BIN = None

# The pair of keys in the examples of pool_sv2's own configuration. It is the pool's, for its miners.
PUBLIC_KEY = "9auqWEzQDVyd2oe1JVGFLMLHZtCo2FFqZwtKA5gd9xbuEu7PH72"
SECRET_KEY = "mkDLTBBRxdBv998612qipDYoTK3YUrqLe8uWw7gu3iXbSrn2n"

# Descriptors that pools are paid to, with the scripts that they stand for: those of the public key of the private key 1.
PAID_TO_KEY = ("addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)", "0014751e76e8199196d454941c45d1b3a323f1433bd6")
PAID_TO_TAPROOT = (
    "tr(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)",
    "5120da4710964f7852695de2da025290e24af6d8c281de5a0b902b7135fd9fd74d21",
)

# What our node counts and no pool gives it reason to.
WRONG = [
    "refused",
    "handshake_timeouts",
    "setup_timeouts",
    "setup_errors",
    "frames_ignored",
    "malformed",
    "unexpected",
    "undecryptable",
    "too_long",
    "no_room",
    "data_stale",
    "data_unknown",
    "solutions_refused",
    "solutions_unknown",
]


class Provider(Ours):
    """A `sockman node` that gives templates."""

    def __init__(self, folder, name, **settings):
        self.sv2_port = free_port()
        options = [f"--sv2-bind=127.0.0.1:{self.sv2_port}", *settings.pop("options", [])]
        super().__init__(folder, name, options=options, **settings)

    @property
    def sv2_at(self):
        return f"127.0.0.1:{self.sv2_port}"

    @property
    def key(self):
        return self.rpc.getsv2info()["authority_public_key"]

    def expect_no_complaint(self):
        """Fails if it has counted anything that a client does wrong."""
        counters = self.rpc.getsv2info()["counters"]
        wrong = {name: counters[name] for name in WRONG if counters[name]}
        require(not wrong, f"{self.name} has counted {wrong}")


class Pool:
    """A pool_sv2, whose templates come from `provider`. It keeps its configuration when it is restarted."""

    def __init__(self, folder, provider, name="pool", key=None, pays=PAID_TO_KEY):
        """`key`: what it takes for the provider's public key; "" for none, which is not to check it."""
        self.name = name
        self.signature = f"sockman/{name}"
        descriptor, self.script = pays
        self.port = free_port()
        self.folder = folder
        self.process = None
        self.starts = 0
        self.config = os.path.join(folder, f"{name}.toml")
        key = provider.key if key is None else key
        with open(self.config, "w", encoding="ascii") as file:
            file.write(
                f'authority_public_key = "{PUBLIC_KEY}"\n'
                f'authority_secret_key = "{SECRET_KEY}"\n'
                "cert_validity_sec = 3600\n"
                f'listen_address = "{self.at}"\n'
                f'coinbase_reward_script = "{descriptor}"\n'
                "server_id = 1\n"
                f'pool_signature = "{self.signature}"\n'
                # As fast as devices are here: on regtest each share is a block.
                "shares_per_minute = 200.0\n"
                "share_batch_size = 10\n"
                "[template_provider_type.Sv2Tp]\n"
                f'address = "{provider.sv2_at}"\n' + (f'public_key = "{key}"\n' if key else "")
            )

    @property
    def at(self):
        return f"127.0.0.1:{self.port}"

    def launch(self):
        """Starts it and does not wait."""
        self.starts += 1
        output = os.path.join(self.folder, f"{self.name}.{self.starts}.log")
        command = [os.path.join(BIN, "pool_sv2"), "-c", self.config]
        # What the tests look for in its log, it tells as information.
        self.process = Process(command, output, env={**os.environ, "RUST_LOG": "info"})
        return self

    def start(self):
        """Starts it and waits until it takes miners."""
        return self.launch().wait_until_ready()

    def wait_until_ready(self):
        until(lambda: self.says("ready to accept connections"), f"{self.name} is ready")
        return self

    def stop(self):
        """As Ctrl+C does."""
        self.process.child.send_signal(signal.SIGINT)
        equal(self.process.wait(), 0, f"the exit code of {self.name}")

    def kill(self):
        if self.process:
            self.process.kill()

    # --- What it has written since it was started -----------------------------------------------------------------

    def says(self, text):
        self.process.check()
        return text in self.process.written()

    def templates(self):
        """The templates it has had: identifier, whether it is for a tip to come, what its coinbase may pay."""
        found = re.findall(
            r"Received: NewTemplate\(template_id: (\d+), future_template: (\w+),.*?"
            r"coinbase_prefix: B0255\((\w*)\),.*?coinbase_tx_value_remaining: (\d+),",
            self.process.written(),
        )
        return [(int(number), future == "true", prefix, int(value)) for number, future, prefix, value in found]

    def tips(self):
        """The tips it has been told to mine on: the template that goes with it, and the tip's hash."""
        found = re.findall(
            r"Received: SetNewPrevHash \{ template_id: (\d+), prev_hash: U256\((\w+)\)", self.process.written()
        )
        return [(int(number), tip) for number, tip in found]

    def wait_for_tip(self, tip):
        def is_told():
            self.process.check()
            tips = self.tips()
            return tips and tips[-1][1] == tip

        until(is_told, lambda: f"{self.name} mines on {tip}; it was told {self.tips()[-3:]}")

    def blocks_found(self):
        return re.findall(r"Block Found!!! \W*(\w{64})", self.process.written())

    def expect_order(self):
        """Each template and each tip is new, and each tip names the template that came last before it and was made for it."""
        numbers = [number for number, *_ in self.templates()]
        require(numbers == sorted(set(numbers)), f"the identifiers grow: {numbers}")
        tips = [tip for _, tip in self.tips()]
        equal(len(set(tips)), len(tips), f"different tips among {tips}")
        future = None
        for kind, number, is_future in re.findall(
            r"Received: (NewTemplate|SetNewPrevHash)\W+template_id: (\d+)(?:, future_template: (\w+))?",
            self.process.written(),
        ):
            if kind == "SetNewPrevHash":
                equal(number, future, "the template named by SetNewPrevHash")
                future = None
            elif is_future == "true":
                require(future is None, f"{self.name} got template {number} for a tip to come, before the tip of {future}")
                future = number

    def complaints(self, *expected):
        """The lines of its log that tell of an error, less those that match one of `expected`."""
        return [
            line
            for line in self.process.written().splitlines()
            if re.search(r"\bERROR\b|panic", line) and not any(re.search(pattern, line) for pattern in expected)
        ]

    def expect_no_complaint(self, *expected):
        found = self.complaints(*OF_DEVICES, *expected)
        require(not found, f"{self.name} complains:\n" + "\n".join(found[:20]))


# What a pool writes of its devices.
OF_DEVICES = [
    # A share of a job that the pool has replaced: the device looks for a new one before each pause, not after it. The pool
    # remembers the jobs of the tip before; those of the one before that have an identifier that is not valid.
    r"SubmitSharesError: .*error_code: (stale-share|invalid-job-id)",
    # One has gone.
    r"io_task: Reader error error=SocketClosed",
    r"downstream: Error handling downstream message",
]
# What it writes, besides the second, when its provider goes away, before it ends.
PROVIDER_GONE = r"TemplateReceiver template provider handler failed"


class Device:
    """A mining_device that mines for a pool, a batch of nonces every `pause` milliseconds, which on regtest is about a block.

    It tells the pool of a hash rate that makes nearly every batch a share; and it measures its own at first, for 5 s.

    When its pool goes away it may go on as if nothing were.

    The time of its blocks is 60 s after that at which it was given the job, whatever the pool says that it must be at least: a
    second more than the median of the last eleven. It finds nothing any more for a job where that is later. So blocks must not
    follow each other faster than some in a second; and at the chain's beginning, where few come after the genesis block, not
    faster than one.
    """

    def __init__(self, folder, pool, name="device", pause=300):
        self.name = name
        self.pool = pool
        self.folder = folder
        self.pause = pause
        self.process = None
        self.starts = 0

    def start(self):
        self.starts += 1
        command = [
            os.path.join(BIN, "mining_device"),
            f"--address-pool={self.pool.at}",
            f"--pubkey-pool={PUBLIC_KEY}",
            "--cores=1",
            f"--handicap={self.pause * 1000}",
            "--nominal-hashrate-multiplier=0.00001",
        ]
        self.process = Process(command, os.path.join(self.folder, f"{self.name}.{self.starts}.log"))
        return self

    def check(self):
        self.process.check()

    def kill(self):
        if self.process:
            self.process.kill()

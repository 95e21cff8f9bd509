"""A process with a limit on every wait, and ports that are free."""

import os
import socket
import subprocess
import time

# Far more than anything takes: it only turns a hang into a failure.
PATIENCE = 120


class Failure(Exception):
    """What a test found to be wrong, or what is missing."""


def require(holds, *what):
    """As assert, but not to be switched off."""
    if not holds:
        raise Failure(" ".join(str(part) for part in what))


def equal(found, expected, what):
    require(found == expected, f"{what}: {found!r} where {expected!r} is expected")


def free_port():
    """A port that the kernel has just found free on the loopback address."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def until(holds, what, within=PATIENCE, every=0.02):
    """Waits until `holds` returns something true, and returns that."""
    by = time.monotonic() + within
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > by:
            raise Failure(f"not within {within} s: {what() if callable(what) else what}")
        time.sleep(every)


class Process:
    """A program that runs until it is stopped. What it writes goes to a file; what it reads comes by `order`."""

    def __init__(self, command, output, **options):
        self.name = os.path.basename(command[0])
        self.output = output
        with open(output, "ab") as file:
            try:
                self.child = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.STDOUT, text=True, **options
                )
            except FileNotFoundError:
                raise Failure(f"{command[0]} is not there") from None

    def order(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def written(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()

    def check(self):
        """Fails if it has ended."""
        code = self.child.poll()
        require(code is None, f"{self.name} has ended with {code}:\n{self.written()[-2000:]}")

    def wait(self, within=PATIENCE):
        """Its exit code, once it has ended."""
        try:
            return self.child.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.name} does not end") from None

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()


def run(command, within=PATIENCE, **options):
    """Runs a program to its end and returns its exit code and what it wrote."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within, check=False, **options
        )
    except FileNotFoundError:
        raise Failure(f"{command[0]} is not there") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{' '.join(command)} does not end") from None
    return done.returncode, done.stdout, done.stderr


def succeed(command, within=PATIENCE, **options):
    """Runs it, expects that all went well, and returns what it wrote to standard output."""
    code, out, err = run(command, within, **options)
    require(code == 0, f"{' '.join(command)} ended with {code}:\n{out[-4000:]}{err[-4000:]}")
    return out

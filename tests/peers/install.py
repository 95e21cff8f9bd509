"""Gets the peers from their registries, once, into target/peers."""

import filecmp
import os
import shutil
import sys

from nodes.ours import ROOT
from nodes.process import Failure, succeed

HERE = os.path.dirname(os.path.abspath(__file__))
INTO = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "peers")


def once(name, files, install):
    """Calls `install` with a fresh folder that has these files of ours, unless an earlier one has the same."""
    folder = os.path.join(INTO, name)
    done = os.path.join(folder, "installed")
    sources = [os.path.join(HERE, name, file) for file in files]
    here = [os.path.join(folder, file) for file in files]
    same = os.path.exists(done) and all(filecmp.cmp(*pair, shallow=False) for pair in zip(sources, here))
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for pair in zip(sources, here):
            shutil.copy(*pair)
        install(folder)
        with open(done, "w", encoding="ascii"):
            pass
    return folder


def needs(program, package):
    if not shutil.which(program):
        raise Failure(f"this needs {program}: on Debian, sudo apt-get install {package}")


def bcoin():
    """Where bcoin's modules are. Their parts in C++ are left out: they have others in JavaScript."""
    needs("node", "nodejs")
    needs("npm", "npm")

    def install(folder):
        succeed(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], within=600, cwd=folder)

    return os.path.join(once("bcoin", ["package.json", "package-lock.json"], install), "node_modules")


def bitcoinlib():
    """The Python that has python-bitcoinlib."""

    def install(folder):
        environment = os.path.join(folder, "venv")
        succeed([sys.executable, "-m", "venv", environment])
        pip = [os.path.join(environment, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        succeed([*pip, "--require-hashes", "-r", os.path.join(folder, "requirements.txt")], within=600)

    return os.path.join(once("bitcoinlib", ["requirements.txt"], install), "venv", "bin", "python")


def nakamoto():
    """The program that is built on nakamoto."""
    manifest = os.path.join(HERE, "nakamoto", "Cargo.toml")
    target = os.path.join(INTO, "nakamoto")
    succeed(
        ["cargo", "build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", target], within=3600
    )
    return os.path.join(target, "debug", "nakamoto-peer")

"""Runs the tests of a script by name, each with a folder of its own."""

import argparse
import shutil
import sys
import tempfile
import time
import traceback


class Nodes:
    """The nodes of one test: made here, they are killed at its end, whatever has happened."""

    def __init__(self, folder):
        self.folder = folder
        self._all = []

    def add(self, node):
        self._all.append(node)
        return node

    def kill(self):
        for node in self._all:
            node.kill()


def arguments(about, stand_in=True):
    """The command line of a script that runs tests. `stand_in`: whether a bitcoind can take our place in them."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help="run the tests that have one of the words in their name")
    parser.add_argument("--backend", metavar="NAME", help="the backend our node runs on, by its name in `sockman backends`")
    if stand_in:
        what = "put a bitcoind in our place, to see what the tests are worth"
        parser.add_argument("--stand-in", action="store_true", help=what)
    return parser.parse_args()


def run(tests, named):
    """Runs the tests, or those whose name has one of the words named in it. Returns the program's exit code."""
    chosen = [test for test in tests if not named or any(word in test.__name__ for word in named)]
    if not chosen:
        print(f"no test has {' or '.join(named)} in its name; there are:", *[test.__name__ for test in tests], sep="\n  ")
        return 2
    failed = []
    for test in chosen:
        nodes = Nodes(tempfile.mkdtemp(prefix=f"sockman-{test.__name__}-"))
        since = time.monotonic()
        try:
            test(nodes)
        # What a test found, and whatever else goes wrong in it: the next ones run all the same.
        except Exception:  # noqa: BLE001
            failed.append(test.__name__)
            print(f"{test.__name__}: FAILED\n{traceback.format_exc()}  what the nodes wrote is in {nodes.folder}")
        else:
            print(f"{test.__name__}: ok, {time.monotonic() - since:.1f} s")
            shutil.rmtree(nodes.folder, ignore_errors=True)
        finally:
            nodes.kill()
            sys.stdout.flush()
    # In the words of Rust's test runner, since ./test counts by them.
    print(f"test result: {'FAILED' if failed else 'ok'}. {len(chosen) - len(failed)} passed; {len(failed)} failed")
    return 1 if failed else 0

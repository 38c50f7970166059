#!/usr/bin/env python3
"""Runs one of the test files: run.py watch|nftables|kubernetes|alertmanager|documents.

nftables needs a network namespace of its own. Where none may be made, or there is no nft, that is said and the exit
code is 77: ctest shows it as skipped.
"""

import os
import shutil
import subprocess
import sys

SKIPPED = 77
INSIDE = "BOOTGATE_TEST_NAMESPACE"


def enter_namespace():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.environ.get(INSIDE):
        return
    for program in ("unshare", "nft"):
        if shutil.which(program) is None:
            sys.exit(skip(f"there is no {program}"))
    probe = subprocess.run(["unshare", "-rn", "nft", "add", "table", "inet", "probe"], capture_output=True, text=True,
                           check=False)
    if probe.returncode != 0:
        sys.exit(skip(f"no network namespace may be made here: {probe.stderr.strip()}"))
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-rn", sys.executable, *sys.argv])


def skip(why):
    print("skipped:", why)
    return SKIPPED


def main():
    name = sys.argv[1]
    folder = os.path.dirname(os.path.abspath(__file__))
    if name == "nftables":
        enter_namespace()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-W", "error::ResourceWarning", "-m", "unittest", "-v", "test_" + name, *sys.argv[2:]]
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

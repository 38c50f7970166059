#!/usr/bin/env python3
"""Runs one of the test files: run.py watch|nftables|kubernetes|alertmanager|documents|live.

nftables and live want a network namespace of its own. Where none may be made, or there is no nft, that is said, a stand-in of
nft is used, and the tests that need the kernel are skipped.
"""

import os
import shutil
import subprocess
import sys

INSIDE = "BOOTGATE_TEST_NAMESPACE"


def enter_namespace(unshare):
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.environ.get(INSIDE):
        return None
    for program in ("unshare", "nft"):
        if shutil.which(program) is None:
            return stand_in(f"there is no {program}")
    probe = subprocess.run([*unshare, "nft", "add", "table", "inet", "probe"], capture_output=True, text=True,
                           check=False)
    if probe.returncode != 0:
        return stand_in(f"no network namespace may be made here: {probe.stderr.strip()}")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", [*unshare, sys.executable, *sys.argv])


def stand_in(why):
    print(f"{why}: not against the kernel, but a stand-in of nft", flush=True)
    os.environ["BOOTGATE_TEST_NFT"] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nft_stand_in.py")


def main():
    name = sys.argv[1]
    folder = os.path.dirname(os.path.abspath(__file__))
    if name in ("nftables", "live"):
        # swtpm_setup wants to be a user that is not there in a user namespace: live needs a real root.
        enter_namespace(["unshare", "-n"] if name == "live" else ["unshare", "-rn"])
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-W", "error::ResourceWarning", "-m", "unittest", "-v", "test_" + name, *sys.argv[2:]]
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
